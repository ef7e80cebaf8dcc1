"""What happens to work orders by itself: they open for bad ratings, follow amended ones, and are handed over when they may be.

A rating is named by its journal and id, so an order is never opened twice, whatever is read again or made anew.
"""

import time
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

from fleet.oversight import read_model
from fleet.oversight.calendars_kept import Calendars
from fleet.oversight.notices import Notices
from fleet.oversight.order_log import append_step, day_of, read_steps
from fleet.oversight.rules import DONE
from fleet.oversight.tables import work_orders
from fleet.ratings.blocks import shown_keys
from fleet.registry.service import Registry
from fleet.store import Store

SWEEP_MS = 600_000
FIRST_DAY = date(2000, 1, 1)
OPENED_AT_ONCE = 50
"""Orders in one transaction: pages never wait for it."""
ZONE = "Asia/Shanghai"
"""Of a rating whose device stood in no hall."""


class Openings:
    """Keeps orders in line with the ratings' read model; `sync` is called after that was brought up."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        calendars: Calendars,
        notices: Notices,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._registry = registry
        self._calendars = calendars
        self._notices = notices
        self._clock_ms = clock_ms
        self._after_row = 0
        self._swept_ms = 0

    def sync(self) -> int:
        """Open orders for new bad ratings, follow amended ones, hand over what may be seen; gives the number of steps written.

        Every round looks at the newest rows; every ten minutes, and first of all, at everything.
        """
        now, done = self._clock_ms(), 0
        with self._store.read() as connection:
            if read_model.lags(connection, now):
                return 0
            sweeps = now - self._swept_ms >= SWEEP_MS
            newest = read_model.newest_row(connection)
            after = 0 if sweeps or newest < self._after_row else max(0, self._after_row - read_model.RECENT_ROWS)
            fresh = read_model.without_order(connection, after_row=after, now_ms=now)
            changed = read_model.changed(connection)
        zones = {hall.code: hall.timezone for hall in self._registry.halls()}
        departments = {
            (hall, window.number): window.department
            for hall in {row.hall for row in fresh if row.hall}
            for window in self._registry.windows(hall)
        }
        for start in range(0, len(fresh), OPENED_AT_ONCE):
            with self._store.write() as connection:
                for row in fresh[start : start + OPENED_AT_ONCE]:
                    department = departments.get((row.hall, row.window), "")
                    done += self._open(connection, row, department, zones.get(row.hall, ZONE))
        for each in changed:
            done += self._follow(each, zones)
        if len(fresh) < 500:
            self._after_row = newest
        if sweeps:
            done += self._hand_over(zones)
            self._swept_ms = now
        return done

    def _open(self, connection: Connection, row: Any, department: str, zone: str) -> int:
        values = {name: getattr(row, name) for name in ("journal_no", "rating", "hall", "window", "clerk", "item", "day", "level")}
        values |= {"reasons": row.reasons, "department": department, "state": "received"}
        same = (work_orders.c.journal_no == row.journal_no, work_orders.c.rating == row.rating)
        if connection.execute(select(work_orders.c.no).where(*same)).first() is not None:
            return 0
        order_no = connection.execute(insert(work_orders).values(**values).returning(work_orders.c.no)).scalar_one()
        append_step(connection, order_no, [], "open", at_ms=self._clock_ms(), zone=zone)
        self._notices.put(connection, "supervision", "opened", str(order_no), zone=zone, quiet_day=row.day)
        return 1

    def _follow(self, changed: read_model.Changed, zones: dict[str, str]) -> int:
        """The rating behind an order is another now: note its new level, or that it is no bad rating that counts."""
        with self._store.write() as connection:
            row = connection.execute(select(work_orders).where(work_orders.c.no == changed.order_no)).one()
            steps = read_steps(connection, [row.no])[row.no]
            deed, args = "supersede", {}
            if changed.counts:
                deed, args = "amend", {"from": str(row.level), "to": str(changed.level)}
                values = {"level": changed.level, "reasons": changed.reasons}
                connection.execute(update(work_orders).where(work_orders.c.no == row.no).values(**values))
            zone = zones.get(row.hall, ZONE)
            append_step(connection, row.no, steps, deed, at_ms=self._clock_ms(), zone=zone, args=args)
        return 1

    def _hand_over(self, zones: dict[str, str]) -> int:
        """Release every order whose rating lies in a whole block of finished days, on a working day."""
        held = select(work_orders).where(work_orders.c.released_day.is_(None), work_orders.c.state.not_in(DONE))
        with self._store.read() as connection:
            waiting = connection.execute(held.order_by(work_orders.c.no)).all()
        done = 0
        for hall in {row.hall for row in waiting}:
            zone = zones.get(hall, ZONE)
            today = date.fromisoformat(day_of(self._clock_ms(), zone))
            if not self._calendars.of(hall).is_working(today):
                continue
            query = shown_keys("window", FIRST_DAY, today, hall=hall, today=today)
            with self._store.read() as connection:
                blocks = {(key, bytes(rating)): tuple(span) for key, rating, *span in connection.execute(query)}
            for row in waiting:
                span = blocks.get((row.journal_no, bytes(row.rating)))
                if row.hall == hall and span is not None:
                    done += self._release(row, span, zone)
        return done

    def _release(self, row: Any, span: tuple[Any, ...], zone: str) -> int:
        args = {"how": "block", "first": span[0], "last": span[1]}
        with self._store.write() as connection:
            steps = read_steps(connection, [row.no])[row.no]
            if any(step.deed == "release" for step in steps):
                return 0
            standing = append_step(connection, row.no, steps, "release", at_ms=self._clock_ms(), zone=zone, args=args)
            self._notices.assigned(connection, row, standing, place=len(steps) + 1, zone=zone)
        return 1
