"""Finds what is wrong with the translations: `python -m ui.locale_check` prints each problem and exits 1 if there is one.

It reads the catalogues of all rooms and their source: an id missing in a language, twice, empty, with other placeholders, never
used, or used and not there.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ui.catalogue import LANGUAGES, po_files

ROOMS = ("ui", "terminal", "evaluator")
"""Rooms with catalogues. A face reads the ui's and its own, so the two faces may use an id for different texts."""
SOURCES = (*ROOMS, "hal", "runtime", "wire", "demo")
"""Where an id may be mentioned: hal and runtime name the reasons that a face puts into words."""
_ID = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
_PLACEHOLDER = re.compile(r"\{(\w*)[^}]*\}")
_KV_STRING = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
_SAID = re.compile(r"\b(?:words\.t|_say)\(\s*['\"]([a-z0-9_.]+)['\"]\s*[,)]")


class Message(NamedTuple):
    """One text of one catalogue file."""

    text: str
    file: Path
    line: int


class Mentioned(NamedTuple):
    """What the source says: whole ids, and beginnings of ids that are put together (`level.` + number)."""

    whole: set[str]
    beginnings: set[str]
    asked: dict[str, Path]


def check(root: Path) -> list[str]:
    """Every problem below `root`, one sentence each."""
    found: list[str] = []
    base: dict[str, dict[str, Message]] = {}
    for room in ROOMS:
        texts = {language: _read(root, room, language, found) for language in LANGUAGES}
        base[room] = texts[LANGUAGES[0]]
        for language in LANGUAGES[1:]:
            found += _compare(language, base[room], texts[language])
    for room in ROOMS[1:]:
        for message_id in sorted(base[room].keys() & base["ui"].keys()):
            found.append(f"{_place(root, base[room][message_id])}: {message_id} is in the ui's catalogue already; remove one")
    return found + list(_unused(root, base))


def _unused(root: Path, base: dict[str, dict[str, Message]]) -> Iterator[str]:
    """Ids that nobody mentions, and ids that are said and in no catalogue of their room."""
    mentioned = _mentioned(root)
    for texts in base.values():
        for message_id, message in sorted(texts.items()):
            if message_id not in mentioned.whole and not any(message_id.startswith(start) for start in mentioned.beginnings):
                yield f"{_place(root, message)}: {message_id} is never used; remove it"
    for message_id, file in sorted(mentioned.asked.items()):
        room = file.relative_to(root).parts[0]
        if message_id not in base["ui"] and message_id not in base.get(room, {}):
            yield f"{file.relative_to(root)}: {message_id} is said but in no catalogue of {room}; add it in all languages"


def _read(root: Path, room: str, language: str, found: list[str]) -> dict[str, Message]:
    from babel.messages.pofile import PoFileError, read_po

    texts: dict[str, Message] = {}
    for path in po_files(root / room / "locale", language):
        found += _twice_in_file(root, path)
        try:
            with path.open("rb") as file:
                messages = [message for message in read_po(file, abort_invalid=True) if message.id]
        except PoFileError as error:
            found.append(f"{path.relative_to(root)}: is no catalogue: {error}")
            continue
        for message in messages:
            here = Message(str(message.string), path, message.lineno or 0)
            if str(message.id) in texts:
                found.append(f"{_place(root, here)}: {message.id} is in {texts[str(message.id)].file.name} too; remove one")
            if not here.text.strip():
                found.append(f"{_place(root, here)}: {message.id} has no text")
            texts[str(message.id)] = here
    return texts


def _twice_in_file(root: Path, path: Path) -> Iterator[str]:
    # Babel merges an id that stands twice in a file without a word, so the lines are looked at here.
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith('msgid "') and (message_id := line[7:-1]):
            if message_id in seen:
                yield f"{path.relative_to(root)}:{number}: {message_id} stands already in line {seen[message_id]}"
            seen[message_id] = number


def _compare(language: str, base: dict[str, Message], other: dict[str, Message]) -> Iterator[str]:
    for message_id in sorted(base.keys() - other.keys()):
        yield f"{base[message_id].file.name} ({language}): {message_id} is missing"
    for message_id in sorted(other.keys() - base.keys()):
        yield f"{other[message_id].file.name} ({language}): {message_id} is not in {LANGUAGES[0]}"
    for message_id in sorted(base.keys() & other.keys()):
        wanted, given = _placeholders(base[message_id].text), _placeholders(other[message_id].text)
        if wanted != given:
            yield (
                f"{other[message_id].file.name} ({language}): {message_id} has placeholders {sorted(given)}, "
                f"{LANGUAGES[0]} has {sorted(wanted)}"
            )


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


def _mentioned(root: Path) -> Mentioned:
    mentioned = Mentioned(set(), set(), {})
    for room in SOURCES:
        for path in sorted((root / room).rglob("*")):
            if path.suffix == ".py":
                _take(mentioned, path, _python_strings(path))
            elif path.suffix == ".kv":
                text = path.read_text(encoding="utf-8")
                _take(mentioned, path, (("".join(pair), False) for pair in _KV_STRING.findall(text)))
            else:
                continue
            for message_id in _SAID.findall(path.read_text(encoding="utf-8")):
                if _ID.match(message_id):
                    mentioned.asked.setdefault(message_id, path)
    return mentioned


def _take(mentioned: Mentioned, path: Path, strings: Iterable[tuple[str, bool]]) -> None:
    for text, is_beginning in strings:
        start = text.partition("%")[0]
        if _ID.match(text):
            mentioned.whole.add(text)
        if (is_beginning or start != text or text.endswith(".")) and _ID.match(start.rstrip("._") + ".x") and "." in start:
            mentioned.beginnings.add(start)


def _python_strings(path: Path) -> Iterator[tuple[str, bool]]:
    """String constants, and the fixed beginnings of f-strings (with True)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            yield str(node.values[0].value), True
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, False


def _place(root: Path, message: Message) -> str:
    return f"{message.file.relative_to(root)}:{message.line}"


def main() -> None:
    """Print the problems and a sum; exit status 1 if there is one."""
    root = Path(__file__).resolve().parents[1]
    found = check(root)
    for problem in found:
        print(problem)
    counts: dict[str, int] = defaultdict(int)
    for room in ROOMS:
        for path in po_files(root / room / "locale", LANGUAGES[0]):
            counts[room] += sum(line.startswith('msgid "') for line in path.read_text(encoding="utf-8").splitlines()) - 1
    sums = ", ".join(f"{room} {count}" for room, count in counts.items())
    print(f"translations: {sums} texts in {len(LANGUAGES)} languages, {len(found)} problems")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
