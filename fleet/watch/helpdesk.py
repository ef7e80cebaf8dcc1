"""Calls for help from terminals: staff see who asks and from where, the visitor sees that somebody has seen it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from fleet.store import Store
from fleet.watch.model import Cause
from fleet.watch.tables import help_calls
from wire.messages import Answer, Ask

HELP_KEPT_MS = 30 * 60_000
"""A call for help that nobody ended stops being an incident after half an hour."""


class HelpDesk:
    """Calls for help. `hall_of` names the hall a device stands in, `attended` tells whether anybody is there to take a call."""

    def __init__(self, store: Store, *, hall_of: Callable[[str], str], clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._hall_of = hall_of
        self._clock_ms = clock_ms
        self.attended: Callable[[], bool] = lambda: True

    def answer(self, device: str, ask: Ask) -> Answer:
        """Answer `help` and `help_state`. A call is known by the device and the id the device gave it.

        The state is `seen` once somebody has taken the call, else `waiting` or, while nobody is there to take it, `nobody`. A
        call that nobody can take is kept all the same: whoever logs in next finds it.
        """
        call = f"{device}/{ask.args.get('call', '')[:64]}"
        now = self._clock_ms()
        waiting = "waiting" if self.attended() else "nobody"
        with self._store.write() as connection:
            row = connection.execute(select(help_calls).where(help_calls.c.call == call)).first()
            if ask.what == "help" and ask.args.get("end"):
                connection.execute(update(help_calls).where(help_calls.c.call == call).values(ended_ms=now))
                return Answer(status="ok", fields={"state": "ended"})
            if row is None and ask.what == "help":
                values = {"call": call, "device": device, "where": ask.args.get("where", "")[:200], "asked_ms": now}
                connection.execute(insert(help_calls).values(**values))
                return Answer(status="ok", fields={"state": waiting})
        if row is None:
            return Answer(status="unknown")
        return Answer(status="ok", fields={"state": "seen" if row.seen_ms else waiting})

    def causes(self) -> list[Cause]:
        """One cause a call that still stands."""
        now = self._clock_ms()
        with self._store.read() as connection:
            open_calls = and_(help_calls.c.ended_ms.is_(None), help_calls.c.asked_ms > now - HELP_KEPT_MS)
            rows = connection.execute(select(help_calls).where(open_calls)).all()
        return [
            Cause(
                key=f"help@{row.call}",
                kind="help",
                severity="bad",
                hall=self._hall_of(row.device),
                devices=(row.device,),
                reason="help.asked",
                next_step="next.go_help",
                since_ms=row.asked_ms,
                args={"call": row.call, "where": row.where},
            )
            for row in rows
        ]

    def on_act(self, connection: Connection, action: str, by: str, row: Any) -> None:
        """Tell the visitor's call what somebody did with its incident, in the same transaction."""
        if row.kind != "help":
            return
        now = self._clock_ms()
        change: dict[str, dict[str, Any]] = {"incident.take": {"seen_ms": now, "seen_by": by}, "incident.close": {"ended_ms": now}}
        if values := change.get(action):
            connection.execute(update(help_calls).where(help_calls.c.call == row.args.get("call", "")).values(**values))
