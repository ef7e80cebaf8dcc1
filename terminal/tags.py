"""The reasons a visitor may choose after rating self-service: a versioned set, at most six for a level."""

from functools import lru_cache
from pathlib import Path

import msgspec

from pack.model import Language

_FILE = Path(__file__).parent / "tags.json"


class TagText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reason of one level, in the product's languages."""

    id: str
    level: int
    zh: str
    ko: str
    en: str

    def get(self, language: Language) -> str:
        """Its words in `language`."""
        return str(getattr(self, language))


class TagSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All reasons. Each rating keeps `version`, since the words may change."""

    version: str
    tags: tuple[TagText, ...]

    def of_level(self, level: int) -> list[TagText]:
        """The reasons offered for a level, in their order."""
        return [tag for tag in self.tags if tag.level == level][:6]


@lru_cache(maxsize=1)
def load_tags() -> TagSet:
    """The set that ships with the software."""
    return msgspec.json.decode(_FILE.read_bytes(), type=TagSet)
