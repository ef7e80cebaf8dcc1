"""From journal entries to the read model: each entry is applied once, in the journal's order. All of it can be made again."""

import time
from collections.abc import Callable
from typing import Any

from nacl.public import PrivateKey
from sqlalchemy import Connection, and_, delete, insert, select, update

from fleet.ratings.origin import Ground, Origin, note_finding
from fleet.ratings.rated import RatedEntries
from fleet.ratings.tables import prints, projection_marks, rating_findings, ratings, services, visits
from fleet.ratings.visits import VisitEntries
from fleet.registry.service import Registry
from fleet.store import Store
from fleet.store.tables import entries, journals
from wire.codec import WireError
from wire.kinds import (
    KINDS,
    PrintAsked,
    PrintFinished,
    RatingClosed,
    RatingInvited,
    RatingPressed,
    SessionClosed,
    SessionOpened,
    read_body,
)

CHUNK = 500
"""Entries in one transaction: short enough that pages never wait for it."""
_READ = tuple({kind for kind, _ in KINDS if kind.split(".")[0] in ("rating", "session", "print")})


class Projection:
    """Keeps the read model up with the entries. One thread at a time; `seal` opens what devices sealed to this fleet."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        seal: PrivateKey,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._ground = Ground(registry)
        rated, visited = RatedEntries(self._ground, seal=seal, clock_ms=clock_ms), VisitEntries(self._ground)
        self._apply: dict[type, Callable[[Connection, Any, Any], None]] = {
            RatingInvited: rated.invited,
            RatingPressed: rated.pressed,
            RatingClosed: rated.closed,
            SessionOpened: visited.session_opened,
            SessionClosed: visited.session_closed,
            PrintAsked: visited.print_asked,
            PrintFinished: visited.print_finished,
        }

    def catch_up(self) -> int:
        """Apply every entry not applied yet; gives their number."""
        marks = projection_marks.alias()
        behind = (
            select(journals.c.no, journals.c.device, marks.c.seq)
            .join_from(journals, marks, journals.c.no == marks.c.journal_no, isouter=True)
            .where((marks.c.seq.is_(None)) | (marks.c.seq < journals.c.seq))
        )
        with self._store.read() as connection:
            todo = connection.execute(behind.order_by(journals.c.no)).all()
        if todo:
            self._ground.learn()
        return sum(self._read_journal(row.no, row.device, row.seq or 0) for row in todo)

    def rebuild(self) -> int:
        """Throw the read model away and make it again from the entries; gives the number of entries applied.

        What other systems told through the API is not in the entries and stays.
        """
        with self._store.write() as connection:
            for table in (ratings, visits, prints, rating_findings, projection_marks):
                connection.execute(delete(table))
            connection.execute(delete(services).where(services.c.source != "api"))
            connection.execute(update(services).values(invited=False))
        return self.catch_up()

    def _and_before(self, journal_no: int) -> tuple[int, ...]:
        """The journal and up to eight that it succeeded: a device closes in one what a damage left open in the one before."""
        this, before = journals.alias(), journals.alias()
        same = and_(before.c.journal_id == this.c.predecessor_id, before.c.device == this.c.device)
        found = [journal_no]
        with self._store.read() as connection:
            while len(found) < 9:
                no = connection.execute(select(before.c.no).join_from(this, before, same).where(this.c.no == found[-1])).scalar()
                if no is None or no in found:
                    break
                found.append(no)
        return tuple(found)

    def _read_journal(self, journal_no: int, device: str, seq: int) -> int:
        done = 0
        nos = self._and_before(journal_no)
        columns = (entries.c.seq, entries.c.kind, entries.c.kind_version, entries.c.wall_ms, entries.c.clock_trust)
        query = select(*columns, entries.c.received_ms, entries.c.body).where(entries.c.journal_no == journal_no)
        while True:
            with self._store.read() as connection:
                rows = connection.execute(query.where(entries.c.seq > seq).order_by(entries.c.seq).limit(CHUNK)).all()
            if not rows:
                return done
            with self._store.write() as connection:
                if _mark(connection, journal_no) != seq:
                    return done  # Another process (`nw-fleet rebuild`) reads this journal too; the next round goes on where it is.
                for row in rows:
                    if row.kind in _READ and row.body:
                        self._apply_one(connection, Origin(nos, device, row))
                _set_mark(connection, journal_no, rows[-1].seq)
            seq = rows[-1].seq
            done += len(rows)

    def _apply_one(self, connection: Connection, origin: Origin) -> None:
        try:
            body = read_body(origin.kind, origin.kind_version, origin.body)
        except WireError as error:
            note_finding(connection, origin, "body.malformed", str(error), now_ms=self._clock_ms())
            return
        apply = self._apply.get(type(body))
        if apply is not None:
            apply(connection, origin, body)


def _mark(connection: Connection, journal_no: int) -> int:
    here = projection_marks.c.journal_no == journal_no
    return connection.execute(select(projection_marks.c.seq).where(here)).scalar() or 0


def _set_mark(connection: Connection, journal_no: int, seq: int) -> None:
    here = projection_marks.c.journal_no == journal_no
    if connection.execute(update(projection_marks).where(here).values(seq=seq)).rowcount == 0:
        connection.execute(insert(projection_marks).values(journal_no=journal_no, seq=seq))
