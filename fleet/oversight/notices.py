"""What people are to be told: put into the store with the deed it follows from, sent by a thread of its own, tried again.

A message names an order's number and what to do, nobody and nothing else. None of an order goes out on the day of its rating:
who sees a message arrive would know when somebody pressed.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, func, insert, select, update

from fleet.oversight.rules import Standing
from fleet.oversight.tables import notices
from fleet.store import Store
from fleet.watch.model import Cause

log = structlog.get_logger("fleet.oversight")

MORNING = clock_time(8, 30)
"""When what was quiet the day before goes out, local time."""
MOST_TRIES = 10
FIRST_WAIT_MS, LONGEST_WAIT_MS = 60_000, 3_600_000
SUPERVISION = "supervision"
WORDS: dict[str, tuple[str, str]] = {
    "opened": ("有新的差评工单待分派：第 {order} 号", "A new order waits to be assigned: no. {order}"),
    "assigned": ("有工单交您办理：第 {order} 号", "An order was given to you: no. {order}"),
    "reply": ("工单已答复，待回访或办结：第 {order} 号", "An order was replied to; revisit or close it: no. {order}"),
    "appeal": ("工单已申诉，待两人复核：第 {order} 号", "An appeal waits for two reviewers: order no. {order}"),
    "card": ("工单被亮牌：第 {order} 号", "An order got a card: no. {order}"),
}


class Channel(Protocol):
    """Something that brings a message to people. `send` gives what went wrong, or an empty text."""

    def send(self, audience: str, title: str, body: str) -> str: ...
    def reaches(self, audience: str) -> bool: ...


class Notices:
    """The outbox. `channel` is an Apprise of fleet.oversight.channels, or a test's."""

    def __init__(
        self, store: Store, channel: Channel, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._channel = channel
        self._clock_ms = clock_ms

    def put(self, connection: Connection, audience: str, kind: str, key: str, *, zone: str, quiet_day: str, order: int = 0) -> None:
        """Have somebody told, once a (audience, kind, key), in the caller's transaction; never on `quiet_day`."""
        same = (notices.c.audience == audience, notices.c.kind == kind, notices.c.key == key)
        if not self._channel.reaches(audience) or connection.execute(select(notices.c.no).where(*same)).first():
            return
        now = self._clock_ms()
        values = {"audience": audience, "kind": kind, "key": key, "args": {"order": str(order or key)}, "made_ms": now}
        connection.execute(insert(notices).values(**values, due_ms=max(now, after_day_ms(quiet_day, zone))))

    def assigned(self, connection: Connection, row: Any, standing: Standing, *, place: int, zone: str) -> None:
        """Tell the person an order is assigned to, once they may see it."""
        if standing.assigned_to and standing.released_day:
            key = f"{row.no}.{place}"
            self.put(connection, standing.assigned_to, "assigned", key, zone=zone, quiet_day=row.day, order=row.no)

    def deliver(self, *, limit: int = 50) -> int:
        """Send what is due; gives how many went out. Blocks for the network: never in a transaction, never in the rounds."""
        sent = 0
        for row in self._due(limit):
            zh, en = WORDS.get(row.kind, (row.kind, row.kind))
            body = f"{zh}\n{en}".format(**row.args)
            trouble = self._channel.send(row.audience, "Nightwindow 差评工单", body)
            now, tries = self._clock_ms(), row.tries + 1
            values: dict[str, Any] = {"tries": tries, "trouble": trouble[:300]}
            if trouble:
                values["due_ms"] = now + min(LONGEST_WAIT_MS, FIRST_WAIT_MS << (tries - 1))
                log.warning("a notice was not sent", audience=row.audience, kind=row.kind, tries=tries, trouble=trouble[:300])
            else:
                values["sent_ms"] = now
                sent += 1
            with self._store.write() as connection:
                connection.execute(update(notices).where(notices.c.no == row.no).values(**values))
        return sent

    def _due(self, limit: int) -> Iterator[Any]:
        where = (notices.c.sent_ms.is_(None), notices.c.tries < MOST_TRIES, notices.c.due_ms <= self._clock_ms())
        with self._store.read() as connection:
            rows = connection.execute(select(notices).where(*where).order_by(notices.c.due_ms, notices.c.no).limit(limit)).all()
        yield from rows

    def causes(self) -> list[Cause]:
        """Notices that could not be sent so far, one incident an audience."""
        troubled = (notices.c.sent_ms.is_(None), notices.c.trouble != "")
        counted = (func.count().label("n"), func.min(notices.c.made_ms).label("since_ms"), func.max(notices.c.trouble).label("why"))
        query = select(notices.c.audience, *counted).where(*troubled).group_by(notices.c.audience)
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return [
            Cause(
                key=f"notify.failed@{row.audience}",
                kind="notify",
                severity="warn",
                hall="",
                devices=(),
                reason="notify.failed",
                next_step="next.notify_channel",
                since_ms=row.since_ms,
                args={"count": str(row.n), "audience": row.audience, "detail": row.why},
            )
            for row in rows
        ]


def after_day_ms(day: str, zone: str) -> int:
    """The morning after a day."""
    then = datetime.combine(date.fromisoformat(day) + timedelta(days=1), MORNING, ZoneInfo(zone))
    return int(then.timestamp() * 1000)


class Nobody:
    """The channel while none is configured."""

    def send(self, audience: str, title: str, body: str) -> str:
        """Refuse."""
        return f"no channel reaches {audience}; name one under [notify] in fleet.toml"

    def reaches(self, audience: str) -> bool:
        """Never."""
        return False
