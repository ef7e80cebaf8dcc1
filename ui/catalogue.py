"""Message catalogues: gettext `.po` files, compiled once into the cache and read from there. No Kivy.

A room keeps its texts in `<room>/locale/<language>/LC_MESSAGES/*.po`. Message ids are dotted names (`keyboard.done`), never texts;
placeholders are `{name}`. `python -m ui.locale_check` finds what is missing, twice, unused or filled differently.
"""

import gettext
import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

LANGUAGES = ("zh", "ko", "en")
"""Languages in the order people see them; the first is the base and falls in where a hall's own text lacks another."""


class Catalogue:
    """All texts of the product in all languages."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts

    def has(self, message_id: str) -> bool:
        """Whether a text with this id exists in the base language."""
        return message_id in self._texts[LANGUAGES[0]]

    def say(self, language: str, message_id: str, args: Mapping[str, object]) -> str:
        """The text with its placeholders filled.

        An id without a text comes back as it is, and a placeholder without a value stays visible: a citizen's screen must not
        fall over for it, and `locale_check` and the tests find both.
        """
        text = self._texts[language].get(message_id)
        if text is None:
            text = self._texts[LANGUAGES[0]].get(message_id, message_id)
        return text.format_map(_Visible(args)) if "{" in text else text


class _Visible(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def po_files(folder: Path, language: str) -> list[Path]:
    """The catalogue files of one language in a `locale` folder, by name."""
    return sorted((folder / language / "LC_MESSAGES").glob("*.po"))


def load(folders: Iterable[Path], cache: Path) -> Catalogue:
    """Read the catalogues of several `locale` folders, compiling into `cache` what is not there yet.

    Raises ValueError, naming the file, when a catalogue cannot be read.
    """
    cache = cache / "locale"
    cache.mkdir(parents=True, exist_ok=True)
    texts: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for folder in folders:
        for language in LANGUAGES:
            for path in po_files(folder, language):
                texts[language].update(_compiled(path, cache))
    return Catalogue(texts)


def _compiled(path: Path, cache: Path) -> dict[str, str]:
    source = path.read_bytes()
    compiled = cache / f"{hashlib.sha256(source).hexdigest()[:24]}.mo"
    if not compiled.is_file():
        _compile(path, compiled)
    with compiled.open("rb") as file:
        catalogue: dict[str, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: value for key, value in catalogue.items() if key}


def _compile(path: Path, compiled: Path) -> None:
    # Babel is only needed when a catalogue is new, and takes longer to import than all catalogues to read.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    try:
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
    except PoFileError as error:
        raise ValueError(f"{path} is no gettext catalogue: {error}") from error
    with tempfile.NamedTemporaryFile(dir=compiled.parent, delete=False) as part:
        write_mo(part, catalogue)
    os.replace(part.name, compiled)
