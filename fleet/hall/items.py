"""The hall's content in the store: items, departments, scenarios and the hall's own card; what packs are built from."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, insert, select, update

from fleet.hall.tables import content
from fleet.registry.service import now_ms
from fleet.store import Store
from pack.model import Content, Department, Hall, Item, Scenario, Text

PARTS: dict[str, type[Any]] = {"hall": Hall, "department": Department, "item": Item, "scenario": Scenario}
_decoders = {part: msgspec.json.Decoder(kind) for part, kind in PARTS.items()}


class ContentMissing(LookupError):
    """The hall has no content card yet, so no pack can be built."""


class Stored(msgspec.Struct, frozen=True):
    """A hall's content as it is stored, complete or not."""

    hall: Hall | None
    departments: tuple[Department, ...]
    items: tuple[Item, ...]
    scenarios: tuple[Scenario, ...]


class Items:
    """Reads and replaces a hall's content. A record that does not differ from the stored one keeps its version."""

    def __init__(self, store: Store, *, clock: Callable[[], int] = now_ms) -> None:
        self._store = store
        self._clock = clock
        self._names: dict[str, tuple[Any, dict[str, Text]]] = {}

    def items(self, hall: str) -> dict[str, Item]:
        """All items of a hall by code, withdrawn ones too."""
        return self._part(hall, "item")

    def names(self, hall: str) -> dict[str, Text]:
        """The names of a hall's items by code. From memory until an item changes."""
        with self._store.read() as connection:
            query = select(func.max(content.c.changed_ms), func.count()).where(content.c.hall == hall, content.c.part == "item")
            state = tuple(connection.execute(query).one())
        if self._names.get(hall, (None, {}))[0] != state:
            self._names[hall] = (state, {code: item.name for code, item in self.items(hall).items()})
        return self._names[hall][1]

    def version(self, hall: str, code: str) -> int:
        """How often an item was changed; 0 when it is not there."""
        where = and_(content.c.hall == hall, content.c.part == "item", content.c.code == code)
        with self._store.read() as connection:
            return int(connection.execute(select(content.c.version).where(where)).scalar() or 0)

    def content(self, hall: str) -> Content:
        """Everything a pack of this hall is built from. Raises ContentMissing without a hall card."""
        stored = self.stored(hall)
        if stored.hall is None:
            raise ContentMissing(
                f"hall {hall!r} has no content card; import its hall.json first: nw-fleet items import hall.json --hall {hall}"
            )
        return Content(hall=stored.hall, departments=stored.departments, items=stored.items, scenarios=stored.scenarios)

    def stored(self, hall: str) -> Stored:
        """Everything that is stored of a hall; empty for a hall without content."""
        return Stored(
            hall=self._part(hall, "hall").get(hall),
            departments=tuple(self._part(hall, "department").values()),
            items=tuple(self._part(hall, "item").values()),
            scenarios=tuple(self._part(hall, "scenario").values()),
        )

    def put(self, hall: str, records: Iterable[Hall | Department | Item | Scenario], *, by: str) -> int:
        """Add or replace records in one transaction, all or nothing; gives how many differed from what was stored."""
        at = self._clock()
        with self._store.write() as connection:
            return sum(_put(connection, hall, record, by=by, at_ms=at) for record in records)

    def _part(self, hall: str, part: str) -> dict[str, Any]:
        query = (
            select(content.c.code, content.c.record).where(content.c.hall == hall, content.c.part == part).order_by(content.c.code)
        )
        with self._store.read() as connection:
            return {code: _decoders[part].decode(record) for code, record in connection.execute(query)}


def _put(connection: Connection, hall: str, record: Any, *, by: str, at_ms: int) -> bool:
    part = next(name for name, kind in PARTS.items() if kind is type(record))
    code = hall if part == "hall" else record.code
    text = msgspec.json.encode(record).decode()
    same = and_(content.c.hall == hall, content.c.part == part, content.c.code == code)
    old = connection.execute(select(content.c.version, content.c.record).where(same)).mappings().first()
    values = {"changed_ms": at_ms, "changed_by": by, "record": text}
    if old is None:
        connection.execute(insert(content).values(hall=hall, part=part, code=code, version=1, **values))
        return True
    if old["record"] == text:
        return False
    connection.execute(update(content).where(same).values(version=old["version"] + 1, **values))
    return True
