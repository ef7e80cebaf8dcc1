"""Gauges of devices over time: one value an hour, and when a consumable ends at its present use."""

from collections.abc import Callable, Mapping

from sqlalchemy import delete, func, insert, select

from fleet.store import Store
from fleet.watch.forecast import Forecast, forecast
from fleet.watch.tables import gauges

EVERY_MS = 3_600_000
KEPT_MS = 30 * 86_400_000
USE_MS = 14 * 86_400_000
"""A forecast looks back so far."""


class Gauges:
    """Keeps and forecasts. `clock_ms` gives UTC milliseconds."""

    def __init__(self, store: Store, *, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._papers: dict[str, Forecast] | None = None

    def papers(self) -> dict[str, Forecast]:
        """When each device's paper ends, for those where it can be told. From memory until the next hourly sample."""
        if self._papers is None:
            self._papers = self._forecast_papers()
        return self._papers

    def sample(self, levels: Mapping[str, Mapping[str, float]]) -> None:
        """Keep the present value of every gauge (device → name → value), unless this hour has one."""
        now = self._clock_ms()
        hour = now - now % EVERY_MS
        latest = select(gauges.c.device, func.max(gauges.c.at_ms).label("at_ms")).group_by(gauges.c.device)
        with self._store.read() as connection:
            last = {row.device: row.at_ms for row in connection.execute(latest)}
        rows = [
            {"device": device, "name": name, "at_ms": hour, "value": value}
            for device, values in levels.items()
            if last.get(device, 0) < hour
            for name, value in values.items()
        ]
        if rows:
            with self._store.write() as connection:
                connection.execute(insert(gauges), rows)
                connection.execute(delete(gauges).where(gauges.c.at_ms < now - KEPT_MS))
            self._papers = None

    def _forecast_papers(self) -> dict[str, Forecast]:
        samples: dict[str, list[tuple[int, float]]] = {}
        query = select(gauges.c.device, gauges.c.at_ms, gauges.c.value).where(gauges.c.name == "paper_m").order_by(gauges.c.at_ms)
        with self._store.read() as connection:
            for row in connection.execute(query.where(gauges.c.at_ms > self._clock_ms() - USE_MS)):
                samples.setdefault(row.device, []).append((row.at_ms, row.value))
        found = {device: forecast(rows) for device, rows in samples.items()}
        return {device: each for device, each in found.items() if each is not None}
