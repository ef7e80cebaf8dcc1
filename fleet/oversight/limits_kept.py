"""The halls' limits in the store."""

import time
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import insert, select, update

from fleet.access import audit
from fleet.oversight.limits import Limits, read_limits
from fleet.oversight.tables import oversight_limits
from fleet.registry.service import Registry
from fleet.store import Store

USUAL = Limits()


class LimitBook:
    """Reads and changes the limits of halls; read from the store at most once a minute and after a change."""

    def __init__(
        self, store: Store, registry: Registry, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock_ms = clock_ms
        self._kept: tuple[int, dict[str, Limits]] = (0, {})

    def of(self, hall: str) -> Limits:
        """The limits of a hall, the usual ones when it has none of its own."""
        until_ms, found = self._kept
        if self._clock_ms() >= until_ms:
            with self._store.read() as connection:
                rows = connection.execute(select(oversight_limits.c.hall, oversight_limits.c.limits)).all()
            known = set(Limits.__struct_fields__)
            found = {row.hall: Limits(**{name: int(n) for name, n in row.limits.items() if name in known}) for row in rows}
            self._kept = (self._clock_ms() + 60_000, found)
        return found.get(hall, USUAL)

    def put(self, hall: str, given: Mapping[str, object], *, by: str, address: str = "") -> Limits:
        """Change a hall's limits; deadlines follow at once, of open orders too. Raises LimitsRefused, NotKnown."""
        self._registry.hall(hall)
        limits = read_limits(given)
        values = {"limits": msgspec.structs.asdict(limits), "changed_ms": self._clock_ms(), "changed_by": by}
        was = msgspec.structs.asdict(self.of(hall))
        said = ", ".join(f"{name}={n}" for name, n in values["limits"].items() if was[name] != n)  # type: ignore[attr-defined]
        with self._store.write() as connection:
            if connection.execute(update(oversight_limits).where(oversight_limits.c.hall == hall).values(**values)).rowcount == 0:
                connection.execute(insert(oversight_limits).values(hall=hall, **values))
            now = self._clock_ms()
            audit.append(connection, at_ms=now, actor=by, action="limits.change", subject=hall, detail=said, address=address)
        self._kept = (0, {})
        return limits
