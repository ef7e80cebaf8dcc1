"""The reasons offered for each level, from a versioned data file that a hall may later replace by a signed one."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from wire.messages import Key, Name, Words

SHOWN = 6
"""At most so many reasons fit a screen; the file's first ones are shown."""


class Tag(Struct, frozen=True):
    """One reason. `id` is what travels; the texts are what people read."""

    id: Key
    level: Annotated[int, Meta(ge=1, le=5)]
    zh: Annotated[str, Meta(min_length=1, max_length=40)]
    ko: Annotated[str, Meta(min_length=1, max_length=60)]
    en: Annotated[str, Meta(min_length=1, max_length=80)]

    @property
    def words(self) -> Words:
        """The texts by language."""
        return {"zh": self.zh, "ko": self.ko, "en": self.en}


class TagSet(Struct, frozen=True):
    """All reasons of one version."""

    version: Name
    tags: tuple[Tag, ...]

    def of(self, level: int) -> tuple[Tag, ...]:
        """The reasons to offer for a level, at most `SHOWN`, in the file's order."""
        return tuple(tag for tag in self.tags if tag.level == level)[:SHOWN]


class TagsInvalid(ValueError):
    """A file of reasons cannot be used; the message names file, place and limit."""


def load(path: Path) -> TagSet:
    """Read a file of reasons.

    Raises TagsInvalid when it cannot be read, breaks a limit, has an id twice in a level, or leaves a level without reasons.
    """
    try:
        found = msgspec.convert(json.loads(path.read_text(encoding="utf-8")), TagSet)
    except (OSError, ValueError) as error:
        raise TagsInvalid(f"{path} cannot be used: {error}") from error
    ids = [tag.id for tag in found.tags]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise TagsInvalid(f"{path} has the id {twice[0]!r} twice; every reason needs its own")
    if bare := [level for level in range(1, 6) if not found.of(level)]:
        raise TagsInvalid(f"{path} has no reason for level {bare[0]}; give at least one for each of 1–5")
    return found
