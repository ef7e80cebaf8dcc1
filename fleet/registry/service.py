"""The registry's service: places, people, devices and where devices stood when."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, and_, insert, or_, select, update

from fleet.access import audit
from fleet.registry import tables
from fleet.registry.records import Area, Device, Hall, NotKnown, Person, Placing, Refused, Tenant, Window
from fleet.store import Store
from wire.messages import Words
from wire.topics import NAME

T = TypeVar("T", bound=msgspec.Struct)


def now_ms() -> int:
    """UTC milliseconds since 1970 by the system clock."""
    return time.time_ns() // 1_000_000


class Registry:
    """Reads and changes the registry. Every change is one short transaction; `clock` gives UTC milliseconds.

    `on_revoke` is called with the name of a device after its revocation was committed (the composition root closes its link).
    """

    def __init__(self, store: Store, *, clock: Callable[[], int] = now_ms, on_revoke: Callable[[str], None] | None = None) -> None:
        self._store = store
        self._clock = clock
        self.on_revoke = on_revoke

    # Places and people

    def tenants(self) -> list[Tenant]:
        """All tenants by name."""
        return self._all(Tenant, tables.tenants)

    def areas(self) -> list[Area]:
        """All areas by code."""
        return self._all(Area, tables.areas)

    def halls(self) -> list[Hall]:
        """All halls by code."""
        return self._all(Hall, tables.halls)

    def hall(self, code: str) -> Hall:
        """One hall. Raises NotKnown."""
        return self._one(Hall, tables.halls, f"hall {code!r}", code=code)

    def windows(self, hall: str) -> list[Window]:
        """The windows of a hall by number."""
        return self._all(Window, tables.windows, hall=hall)

    def window(self, hall: str, number: str) -> Window:
        """One window. Raises NotKnown."""
        return self._one(Window, tables.windows, f"window {number!r} in hall {hall!r}", hall=hall, number=number)

    def staff(self, hall: str) -> list[Person]:
        """The staff of a hall by number."""
        return self._all(Person, tables.staff, hall=hall)

    def person(self, hall: str, number: str) -> Person:
        """One member of staff. Raises NotKnown."""
        return self._one(Person, tables.staff, f"staff number {number!r} in hall {hall!r}", hall=hall, number=number)

    def put(self, record: Tenant | Area | Hall | Window | Person) -> None:
        """Add a record or replace the one with the same key. Raises Refused when it names something unregistered or a bad name."""
        if isinstance(record, Tenant) and not NAME.fullmatch(record.name):
            raise Refused(f"tenant name {record.name!r}: use 1–63 lower-case letters, digits and hyphens")
        table = _TABLES[type(record)]
        values = msgspec.structs.asdict(record)
        with self._store.write() as connection:
            self._check_references(connection, table, values)
            same = and_(*(column == values[column.name] for column in table.primary_key))
            if connection.execute(update(table).where(same).values(values)).rowcount == 0:
                connection.execute(insert(table).values(values))

    # Devices

    def devices(self, *, hall: str | None = None) -> list[Device]:
        """All devices by name, revoked ones too; with `hall`, those placed there now."""
        found = self._all(Device, tables.devices)
        if hall is None:
            return found
        here = {placing.device for placing in self.placed_now() if placing.hall == hall}
        return [device for device in found if device.name in here]

    def device(self, name: str) -> Device:
        """One device. Raises NotKnown."""
        return self._one(Device, tables.devices, f"device {name!r}", name=name)

    def revoke(self, name: str, *, by: str, why: str, address: str = "") -> None:
        """Refuse a device from now on: its entries stay, its certificates go on the revocation list. Writes to the audit log.

        A second revocation changes nothing but closes the link again. Raises NotKnown, and what `on_revoke` raises when the
        connection could not be closed: the device is refused all the same.
        """
        at = self._clock()
        self.device(name)
        with self._store.write() as connection:
            fresh = and_(tables.devices.c.name == name, tables.devices.c.revoked_ms.is_(None))
            connection.execute(update(tables.devices).where(fresh).values(revoked_ms=at, revoked_by=by, revoked_why=why))
            valid = and_(tables.certificates.c.subject == name, tables.certificates.c.revoked_ms.is_(None))
            connection.execute(update(tables.certificates).where(valid).values(revoked_ms=at))
            audit.append(connection, at_ms=at, actor=by, action="device.revoke", subject=name, detail=why, address=address)
        if self.on_revoke is not None:
            self.on_revoke(name)

    # Placements

    def place(self, device: str, *, hall: str, window: str = "", label: Words, by: str, at_ms: int | None = None) -> Placing:
        """Put a device somewhere from `at_ms` (default: now); its earlier placement ends there.

        Raises NotKnown for an unknown device, hall or window, Refused when a later placement exists already.
        """
        with self._store.write() as connection:
            return place(
                connection, device, hall=hall, window=window, label=label, by=by, at_ms=self._clock() if at_ms is None else at_ms
            )

    def placement(self, device: str, *, at_ms: int | None = None) -> Placing | None:
        """Where a device stood at a time (default: now), or None."""
        at = self._clock() if at_ms is None else at_ms
        return next((p for p in self.placements(device) if p.from_ms <= at and (p.until_ms is None or at < p.until_ms)), None)

    def placements(self, device: str) -> list[Placing]:
        """Everywhere a device stood, oldest first."""
        table = tables.placements
        with self._store.read() as connection:
            rows = connection.execute(select(table).where(table.c.device == device).order_by(table.c.from_ms, table.c.no))
            return [_record(Placing, row._mapping) for row in rows]

    def placed_now(self) -> list[Placing]:
        """The present placement of every device that has one and is not revoked."""
        at, table = self._clock(), tables.placements
        current = and_(table.c.from_ms <= at, or_(table.c.until_ms.is_(None), table.c.until_ms > at))
        query = select(table).join(tables.devices, tables.devices.c.name == table.c.device)
        with self._store.read() as connection:
            rows = connection.execute(query.where(current, tables.devices.c.revoked_ms.is_(None)).order_by(table.c.device))
            return [_record(Placing, row._mapping) for row in rows]

    def _all(self, kind: type[T], table: Table, **where: Any) -> list[T]:
        query = select(table).where(*(table.c[name] == value for name, value in where.items())).order_by(*table.primary_key)
        with self._store.read() as connection:
            return [_record(kind, row._mapping) for row in connection.execute(query)]

    def _one(self, kind: type[T], table: Table, what: str, **where: Any) -> T:
        found = self._all(kind, table, **where)
        if not found:
            raise NotKnown(f"{what} is not registered")
        return found[0]

    @staticmethod
    def _check_references(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
        for key in table.foreign_keys:
            wanted = values[key.parent.name]
            if wanted is None:
                continue
            if connection.execute(select(key.column).where(key.column == wanted)).first() is None:
                raise Refused(f"{key.parent.name} {wanted!r} is not registered; add it first")


def place(connection: Connection, device: str, *, hall: str, window: str, label: Words, by: str, at_ms: int) -> Placing:
    """`Registry.place` inside a transaction of the caller's."""
    known, table = tables.devices, tables.placements
    if connection.execute(select(known.c.name).where(known.c.name == device)).first() is None:
        raise NotKnown(f"device {device!r} is not registered")
    if connection.execute(select(tables.halls.c.code).where(tables.halls.c.code == hall)).first() is None:
        raise NotKnown(f"hall {hall!r} is not registered; add it first")
    there = and_(tables.windows.c.hall == hall, tables.windows.c.number == window)
    if window and connection.execute(select(tables.windows.c.number).where(there)).first() is None:
        raise NotKnown(f"hall {hall!r} has no window {window!r}; add it first or leave the window empty")
    if connection.execute(select(table.c.no).where(table.c.device == device, table.c.from_ms > at_ms)).first() is not None:
        raise Refused(f"device {device!r} has a placement that begins after {at_ms}; place it at a later time")
    open_end = and_(table.c.device == device, or_(table.c.until_ms.is_(None), table.c.until_ms > at_ms))
    connection.execute(update(table).where(open_end).values(until_ms=at_ms))
    placing = Placing(device=device, hall=hall, window=window, label=label, from_ms=at_ms, until_ms=None, by=by)
    connection.execute(insert(table).values(msgspec.structs.asdict(placing)))
    return placing


_TABLES: dict[type, Table] = {
    Tenant: tables.tenants,
    Area: tables.areas,
    Hall: tables.halls,
    Window: tables.windows,
    Person: tables.staff,
}


def _record(kind: type[T], row: Mapping[Any, Any]) -> T:
    return kind(**{name: row[name] for name in kind.__struct_fields__})
