"""Builds a hall's content into one signed file. Open this to see what is stored and in which order."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlite_utils import Database

from pack.errors import ContentInvalid
from pack.fold import fold
from pack.model import LANGUAGES, Content, Department, Item, Language, Scenario, Text
from pack.readings import readings
from pack.seal import SCHEMA, PackManifest, trailer
from pack.tokens import PREFIX_LENGTHS, index_tokens

APPLICATION_ID = 0x4E575031  # "NWP1", so that `file` and SQLite tools can tell a pack.
TERM_GROUPS = (*LANGUAGES, "alias")
_LAST = 1 << 40


class PackInfo(Struct, frozen=True):
    """What was built: the signed manifest, the file's size with its seal, and how many records it holds."""

    manifest: PackManifest
    path: str
    file_size: int
    items: int
    scenarios: int


def check(content: Content) -> list[str]:
    """Everything that forbids building a pack from `content`, in plain words; empty when all is well."""
    reasons: list[str] = []
    departments = {department.code for department in content.departments}
    codes: set[str] = set()
    for item in content.items:
        if item.code in codes:
            reasons.append(f"item code {item.code} occurs twice")
        codes.add(item.code)
        if not fold(item.name.zh).text:
            reasons.append(f"item {item.code} has no name that could be read or searched")
        if item.department not in departments:
            reasons.append(f"item {item.code} names department {item.department}, which is not listed")
    in_use = {item.code for item in content.items if item.status != "withdrawn"}
    if not in_use:
        reasons.append("the hall has no item in use; import its item list first")
    for scenario in content.scenarios:
        reasons += _scenario_faults(scenario, in_use)
    return reasons


def _scenario_faults(scenario: Scenario, in_use: set[str]) -> Iterator[str]:
    questions = {question.id for question in scenario.questions}
    situations = {situation.id for situation in scenario.situations}
    for situation in scenario.situations:
        for code in situation.items:
            if code not in in_use:
                yield f"scenario {scenario.code}, situation {situation.id} needs item {code}, which is not in use"
    for question in scenario.questions:
        for choice in question.choices:
            where = f"scenario {scenario.code}, question {question.id}, choice “{choice.label.zh}”"
            if bool(choice.next_question) == bool(choice.situation):
                yield f"{where} must lead to exactly one of a question and a situation"
            if choice.next_question and choice.next_question not in questions:
                yield f"{where} leads to question {choice.next_question}, which does not exist"
            if choice.situation and choice.situation not in situations:
                yield f"{where} leads to situation {choice.situation}, which does not exist"


def _spoken(text: str) -> str:
    return "|".join(" ".join(variant) for variant in readings(fold(text).text))


class _Texts:
    """Collects a row's search texts: what is stored for display and highlighting, and the tokens that find it."""

    def __init__(self, syllables: set[str]) -> None:
        self.stored: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self._syllables = syllables

    def add(self, text: str) -> None:
        if not text or any(text == known for known, _ in self.stored):
            return
        variants = readings(fold(text).text)
        for variant in variants:
            self._syllables.update(variant)
        self.stored.append((text, "|".join(" ".join(variant) for variant in variants)))
        self.tokens += index_tokens(text, variants)


def _all(text: Text | None) -> list[str]:
    return [text.zh, text.ko, text.en] if text else []


def _texts(values: list[str], syllables: set[str]) -> _Texts:
    texts = _Texts(syllables)
    for value in values:
        texts.add(value)
    return texts


def _rank(item: Item) -> tuple[int, str]:
    return (item.popularity or _LAST, item.code)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _named(item: Item, language: Language) -> list[str]:
    texts = [item.name, item.short_name] if item.short_name else [item.name]
    return [getattr(text, language) for text in texts]


def _fill_items(db: Database, items: list[Item], syllables: set[str]) -> None:
    rows: list[dict[str, object]] = []
    terms: dict[str, list[tuple[int, str]]] = {group: [] for group in TERM_GROUPS}
    for number, item in enumerate(items, start=1):
        groups = {language: _texts(_named(item, language), syllables) for language in LANGUAGES}
        aliases = _texts(list(item.aliases), syllables)
        tokens: dict[str, list[str]] = {group: texts.tokens for group, texts in groups.items()}
        # Names in the languages that are not on the screen count as aliases, and are stored there as well.
        tokens |= {"alias": [*aliases.tokens, *tokens["ko"], *tokens["en"]]}
        for group_name, found in tokens.items():
            if found:
                terms[group_name].append((number, " ".join(found)))
        search: dict[str, object] = {group: texts.stored for group, texts in groups.items()} | {"alias": aliases.stored}
        rows.append(
            {"id": number, "code": item.code, "fold": fold(item.code).text, "department": item.department}
            | {"search": _json(search), "body": _json(item)}
        )
    db.table("item").insert_all(rows, pk="id", columns=dict.fromkeys(("code", "fold", "department", "search", "body"), str))
    db.table("item").create_index(["code"], unique=True)
    db.table("item").create_index(["fold"], "item_by_fold")
    db.table("item").create_index(["id", "fold"], "item_by_rank")
    db.table("item").create_index(["department"])
    for group_name, pairs in terms.items():
        db.conn.executemany(f"INSERT INTO {group_name}_terms(rowid, tokens) VALUES (?, ?)", pairs)


def _fill_departments(db: Database, departments: tuple[Department, ...], syllables: set[str]) -> None:
    rows, terms = [], []
    for number, department in enumerate(departments, start=1):
        texts = _texts([*_all(department.name), *_all(department.short_name)], syllables)
        rows.append({"id": number, "code": department.code, "search": _json(texts.stored), "body": _json(department)})
        terms.append((number, " ".join(texts.tokens)))
    db.table("department").insert_all(rows, pk="id", columns=dict.fromkeys(("code", "search", "body"), str))
    db.table("department").create_index(["code"], unique=True)
    db.conn.executemany("INSERT INTO department_terms(rowid, tokens) VALUES (?, ?)", terms)


def _fill(db: Database, content: Content) -> tuple[int, int]:
    options = f"content='', detail=full, tokenize='ascii', prefix='{PREFIX_LENGTHS}', columnsize=0"
    tables = [f"{group}_terms" for group in (*TERM_GROUPS, "department")]
    for table in tables:
        db.execute(f"CREATE VIRTUAL TABLE {table} USING fts5(tokens, {options})")
    syllables: set[str] = set()
    items = sorted((item for item in content.items if item.status != "withdrawn"), key=_rank)
    scenarios = sorted(content.scenarios, key=lambda scenario: (scenario.popularity or _LAST, scenario.code))
    _fill_departments(db, content.departments, syllables)
    _fill_items(db, items, syllables)
    db.table("scenario").create({"id": int, "code": str, "body": str}, pk="id")
    db.table("scenario").insert_all(
        {"id": number, "code": scenario.code, "body": _json(scenario)} for number, scenario in enumerate(scenarios, 1)
    )
    db.table("scenario").create_index(["code"], unique=True)
    db.table("hall").insert({"id": 1, "code": content.hall.code, "body": _json(content.hall)}, pk="id")
    db.table("syllable").create({"text": str}, pk="text")
    db.table("syllable").insert_all({"text": syllable} for syllable in sorted(syllables))
    for table in tables:
        db.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
    return len(items), len(scenarios)


def _write_database(path: Path, content: Content) -> tuple[int, int]:
    db = Database(path)
    try:
        # A half-built temporary file is thrown away, so nothing here needs to survive a power cut.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "page_size=4096", f"user_version={SCHEMA}"):
            db.execute(f"PRAGMA {pragma}")
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        with db.conn:
            counts = _fill(db, content)
        db.conn.execute("VACUUM")
    finally:
        db.close()
    return counts


def _seal(path: Path, *, hall: str, version: str, built_at: datetime, signer: bytes) -> PackManifest:
    with path.open("r+b") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        manifest = PackManifest(
            hall=hall,
            version=version or built_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
            built_at_ms=int(built_at.timestamp() * 1000),
            schema=SCHEMA,
            size=file.seek(0, 2),
            sha256=digest,
        )
        file.write(trailer(manifest, signer))
        file.flush()
        os.fsync(file.fileno())
    return manifest


def build(content: Content, path: Path | str, *, built_at: datetime, signer: bytes, version: str = "") -> PackInfo:
    """Write `content` to `path` as a signed pack, replacing what is there only once the new file is whole and on disk.

    Items that are withdrawn are left out. Equal content gives an equal database (and hash); only the manifest tells
    builds apart.

    Args:
        built_at: aware; goes into the manifest.
        signer: raw 32-byte Ed25519 seed.
        version: at most 64 characters; by default the time of building, which sorts as text.

    Raises:
        ContentInvalid: with every reason; nothing was written.
        ValueError: a naive time or a key of the wrong length; nothing was written.
        OSError: the disk refused.
    """
    if built_at.tzinfo is None:
        raise ValueError("built_at has no time zone; give an aware datetime")
    if reasons := check(content):
        raise ContentInvalid(reasons)
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        items, scenarios = _write_database(temporary, content)
        manifest = _seal(temporary, hall=content.hall.code, version=version, built_at=built_at, signer=signer)
        temporary.chmod(0o644)
        size = temporary.stat().st_size
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return PackInfo(manifest, str(path), size, items, scenarios)
