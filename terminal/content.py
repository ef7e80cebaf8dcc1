"""The pack as the session sees it: unknown codes are absent, not errors, and there are ready-made shelves."""

from collections.abc import Sequence

from pack.errors import UnknownCode
from pack.model import Department, Hall, Item, Language, Scenario
from pack.reader import Pack
from pack.search import Hit
from terminal.flow.places import Shelf
from terminal.flow.plan import plan
from terminal.flow.ports import Content, Subject
from wire.messages import Words

POPULAR = 30
SHELVED = 400
"""Of the items asked for most, how many are looked through for a shelf; the rest is found by department or search."""


class PackContent:
    """A `terminal.flow.ports.Content` over an open pack."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack

    @property
    def hall(self) -> Hall:
        return self.pack.hall

    def item(self, code: str) -> Item | None:
        """The item, or None when the pack does not have it (a withdrawn one, a broken link)."""
        try:
            return self.pack.item(code)
        except UnknownCode:
            return None

    def departments(self) -> Sequence[Department]:
        """Departments that have at least one item here; an empty one would be a door to nothing."""
        return [department for department in self.pack.departments() if self.items_of(department.code)]

    def items_of(self, department: str) -> Sequence[Item]:
        """A department's items that are still handled, most asked first."""
        return [item for item in self.pack.items_of(department) if item.status != "withdrawn"]

    def scenarios(self) -> Sequence[Scenario]:
        return self.pack.scenarios()

    def scenario(self, code: str) -> Scenario | None:
        """The scenario, or None when the pack does not have it."""
        try:
            return self.pack.scenario(code)
        except UnknownCode:
            return None

    def shelf(self, name: Shelf) -> Sequence[Item]:
        """A ready-made list: asked most, for people, for companies."""
        items = [item for item in self.pack.items(limit=SHELVED) if item.status != "withdrawn"]
        if name == "popular":
            return items[:POPULAR]
        return [item for item in items if name in item.audience]

    def search(self, query: str, *, limit: int, language: Language) -> Sequence[Hit]:
        return self.pack.search(query, limit=limit, language=language)

    def search_keys(self, digits: str, *, limit: int, language: Language) -> Sequence[Hit]:
        return self.pack.search_keys(digits, limit=limit, language=language)


def codes_of(content: Content | None, subject: Subject) -> list[str]:
    """The codes of the items that `subject` is about; empty when they are not known any more."""
    if subject.code or content is None:
        return [subject.code] if subject.code else []
    wanted = plan(content, subject, "zh")
    return [item.code for item in wanted.items] if wanted else []


def name_of(content: Content | None, subject: Subject) -> Words | None:
    """The name of what `subject` is about in every language; None when it is not known any more."""
    if content is None:
        return None
    item = content.item(subject.code) if subject.code else None
    scenario = content.scenario(subject.scenario) if subject.scenario else None
    named = item.name if item else scenario.name if scenario else None
    if named is None:
        return None
    return {language: named.get(language)[:200] for language in ("zh", "ko", "en")}
