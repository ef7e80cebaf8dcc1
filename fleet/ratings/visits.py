"""How visits to a terminal and print jobs become rows."""

from typing import Any

from sqlalchemy import Connection, and_, insert, update

from fleet.ratings.origin import Ground, Origin
from fleet.ratings.tables import prints, services, visits
from wire.kinds import PrintAsked, PrintFinished, SessionClosed, SessionOpened

DONE_MATTERS = frozenset(("guide", "notice", "scenario"))
"""What makes a terminal visit a service given; who only searched or asked for help was not served."""


class VisitEntries:
    """Applies the entries of sessions and prints. The caller commits."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def session_opened(self, connection: Connection, origin: Origin, body: SessionOpened) -> None:
        """A visit begins."""
        self._put_visit(connection, origin, body.session, {"opened_ms": origin.at_ms})

    def session_closed(self, connection: Connection, origin: Origin, body: SessionClosed) -> None:
        """A visit ends; it was a service when the visitor got something."""
        values = {"closed_ms": origin.at_ms, "how": body.how, "matters": list(body.matters), "duration_ms": body.duration_ms}
        self._put_visit(connection, origin, body.session, values)
        if not DONE_MATTERS & set(body.matters):
            return
        where = self._ground.where(origin)
        where.pop("device"), where.pop("channel")
        values = where | {"source": "session", "clerk": "", "item": "", "stage": "selfservice", "invited": False}
        if connection.execute(update(services).where(services.c.occasion == body.session).values(source="session")).rowcount == 0:
            connection.execute(insert(services).values(occasion=body.session, **values))

    def _put_visit(self, connection: Connection, origin: Origin, session: bytes, values: dict[str, Any]) -> None:
        same = and_(visits.c.journal_no.in_(origin.journal_nos), visits.c.session == session)
        if connection.execute(update(visits).where(same).values(**values)).rowcount == 0:
            where = self._ground.where(origin)
            start: dict[str, Any] = {
                "how": "",
                "matters": [],
                "duration_ms": 0,
                "device": origin.device,
                "hall": where["hall"],
                "day": where["day"],
            }
            connection.execute(insert(visits).values(journal_no=origin.journal_no, session=session, **(start | values)))

    def print_asked(self, connection: Connection, origin: Origin, body: PrintAsked) -> None:
        """A paper was asked for."""
        self._put_print(connection, origin, body.job, {"what": body.what, "asked_ms": origin.at_ms})

    def print_finished(self, connection: Connection, origin: Origin, body: PrintFinished) -> None:
        """What became of the paper."""
        values = {"what": body.what, "outcome": body.outcome, "reason": body.reason or "", "finished_ms": origin.at_ms}
        self._put_print(connection, origin, body.job, values)

    def _put_print(self, connection: Connection, origin: Origin, job: str, values: dict[str, Any]) -> None:
        same = and_(prints.c.journal_no.in_(origin.journal_nos), prints.c.job == job)
        if connection.execute(update(prints).where(same).values(**values)).rowcount == 0:
            where = self._ground.where(origin)
            start = {"outcome": "asked", "reason": "", "device": origin.device, "hall": where["hall"], "day": where["day"]}
            connection.execute(insert(prints).values(journal_no=origin.journal_no, job=job, **(start | values)))
