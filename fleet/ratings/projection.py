"""From journal entries to the read model: each entry is applied once, in the journal's order. All of it can be made again."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nacl.public import PrivateKey
from sqlalchemy import Connection, and_, delete, insert, select, update

from fleet.ratings.tables import prints, projection_marks, rating_findings, ratings, services, visits
from fleet.registry.records import Placing
from fleet.registry.service import Registry
from fleet.store import Store
from fleet.store.tables import entries, journals
from wire.codec import Malformed, WireError
from wire.entry import UNTRUSTED
from wire.kinds import (
    KINDS,
    CloseSecret,
    PressSecret,
    PrintAsked,
    PrintFinished,
    RatingClosed,
    RatingInvited,
    RatingPressed,
    SessionClosed,
    SessionOpened,
    read_body,
)
from wire.leaf import leaf, receipt_code, unseal

CHUNK = 500
"""Entries in one transaction: short enough that pages never wait for it."""
DONE_MATTERS = frozenset(("guide", "notice", "scenario"))
"""What makes a terminal visit a service given; who only searched or asked for help was not served."""
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
        self._registry = registry
        self._seal = seal
        self._clock_ms = clock_ms
        self._apply: dict[type, Callable[[Connection, Any, Any], None]] = {
            RatingInvited: self._invited,
            RatingPressed: self._pressed,
            RatingClosed: self._closed,
            SessionOpened: self._session_opened,
            SessionClosed: self._session_closed,
            PrintAsked: self._print_asked,
            PrintFinished: self._print_finished,
        }
        self._places: dict[str, list[Placing]] = {}
        self._roles: dict[str, str] = {}
        self._zones: dict[str, ZoneInfo] = {}

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
            self._learn()
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

    def _learn(self) -> None:
        """Read the registry once a round: placements and zones change rarely, entries come by the thousand."""
        self._places = {}
        self._roles = {device.name: device.role for device in self._registry.devices()}
        self._zones = {hall.code: ZoneInfo(hall.timezone) for hall in self._registry.halls()}

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

    def _apply_one(self, connection: Connection, origin: "Origin") -> None:
        try:
            body = read_body(origin.kind, origin.kind_version, origin.body)
        except WireError as error:
            self._find(connection, origin, "body.malformed", str(error))
            return
        apply = self._apply.get(type(body))
        if apply is not None:
            apply(connection, origin, body)

    # Ratings

    def _invited(self, connection: Connection, origin: "Origin", body: RatingInvited) -> None:
        invitation = body.invitation
        known = connection.execute(select(services.c.source).where(services.c.occasion == invitation.occasion)).first()
        if known is not None:
            connection.execute(update(services).where(services.c.occasion == invitation.occasion).values(invited=True))
            return
        # A terminal's own question belongs to a visit, which is the service; it must not count twice.
        source = "asked" if invitation.stage == "selfservice" else "invited"
        values = self._where(origin) | {"clerk": invitation.clerk_number, "item": invitation.item_code, "stage": invitation.stage}
        values.pop("device"), values.pop("channel")
        connection.execute(insert(services).values(occasion=invitation.occasion, source=source, invited=True, **values))

    def _pressed(self, connection: Connection, origin: "Origin", body: RatingPressed) -> None:
        level = self._open_press(connection, origin, body)
        values = {
            "level": level,
            "standing": origin.seq,
            "leaf": body.leaf,
            "receipt": receipt_code(body.leaf),
            "via": body.via,
        }
        row = self._row(connection, origin, body.rating)
        if row is None:
            self._insert_rating(connection, origin, body.rating, body.occasion, values | {"presses": 1})
        else:
            connection.execute(update(ratings).where(ratings.c.no == row.no).values(**values, presses=row.presses + 1))
        self._settle(connection, origin, body.rating, body.occasion)

    def _open_press(self, connection: Connection, origin: "Origin", body: RatingPressed) -> int | None:
        """The level of a press, or None with a finding when it does not open or does not fit its commitment."""
        try:
            secret = unseal(body.sealed, self._seal, PressSecret)
            if not isinstance(secret, PressSecret):
                raise Malformed("the sealed body holds no press")
        except WireError as error:
            self._find(connection, origin, "rating.unreadable", str(error))
            return None
        if leaf(secret.level, secret.secret) != body.leaf:
            self._find(
                connection, origin, "rating.leaf_mismatch", f"rating {body.rating.hex()}: the leaf commits to something else"
            )
            return None
        return secret.level

    def _closed(self, connection: Connection, origin: "Origin", body: RatingClosed) -> None:
        values = {
            "outcome": body.outcome,
            "how": body.how,
            "reasons": list(self._open_reasons(connection, origin, body)),
            "tag_set": body.tag_set,
            "language": body.language,
            "profile": body.profile,
            "duration_ms": body.duration_ms,
        }
        row = self._row(connection, origin, body.rating)
        if row is None:
            self._insert_rating(connection, origin, body.rating, body.occasion, values)
            if body.outcome != "not_rated":
                self._find(connection, origin, "rating.standing_mismatch", f"{body.outcome} without a press")
            return
        if body.outcome == "not_rated" or body.standing != row.standing or body.leaf != row.leaf:
            # The last press stands, whatever the close says of it; a person should know that they differ.
            self._find(
                connection,
                origin,
                "rating.standing_mismatch",
                f"rating {body.rating.hex()} closes on entry {body.standing}, its last press is {row.standing}",
            )
        connection.execute(update(ratings).where(ratings.c.no == row.no).values(**values))
        self._settle(connection, origin, body.rating, body.occasion)

    def _open_reasons(self, connection: Connection, origin: "Origin", body: RatingClosed) -> tuple[str, ...]:
        if not body.sealed:
            return ()
        try:
            secret = unseal(body.sealed, self._seal, CloseSecret)
        except WireError as error:
            self._find(connection, origin, "rating.unreadable", str(error))
            return ()
        return secret.reasons if isinstance(secret, CloseSecret) else ()

    def _row(self, connection: Connection, origin: "Origin", rating: bytes) -> Any:
        same = and_(ratings.c.journal_no.in_(origin.journal_nos), ratings.c.rating == rating)
        return connection.execute(select(ratings).where(same)).first()

    def _insert_rating(
        self, connection: Connection, origin: "Origin", rating: bytes, occasion: bytes | None, values: dict[str, Any]
    ) -> None:
        given = connection.execute(select(services).where(services.c.occasion == occasion)).first() if occasion else None
        start = {
            "presses": 0,
            "via": "",
            "standing_of": "none",
            "outcome": "open",
            "how": "",
            "reasons": [],
            "tag_set": "",
            "language": "zh",
            "profile": "standard",
            "duration_ms": 0,
            "clerk": given.clerk if given else "",
            "item": given.item if given else "",
            "stage": given.stage if given else "",
        }
        row = self._where(origin) | {"journal_no": origin.journal_no, "rating": rating, "occasion": occasion}
        connection.execute(insert(ratings).values(**(row | {"clock_trust": origin.clock_trust} | start | values)))

    def _settle(self, connection: Connection, origin: "Origin", rating: bytes, occasion: bytes | None) -> None:
        """Decide what counts: of an occasion's ratings only the first. Independent of the order in which journals arrive."""
        if occasion is None:
            same = and_(ratings.c.journal_no.in_(origin.journal_nos), ratings.c.rating == rating)
            connection.execute(update(ratings).where(same).values(standing_of="uninvited"))
            return
        rows = connection.execute(select(ratings).where(ratings.c.occasion == occasion)).all()
        counted = False
        for row in sorted(rows, key=lambda each: (each.at_ms, each.device, bytes(each.rating))):
            if row.level is None:
                standing = "unreadable" if row.presses else "none"
            else:
                standing = "repeated" if counted else "counted"
                counted = True
            if standing != row.standing_of:
                connection.execute(update(ratings).where(ratings.c.no == row.no).values(standing_of=standing))

    # Visits and prints

    def _session_opened(self, connection: Connection, origin: "Origin", body: SessionOpened) -> None:
        self._put_visit(connection, origin, body.session, {"opened_ms": origin.at_ms})

    def _session_closed(self, connection: Connection, origin: "Origin", body: SessionClosed) -> None:
        values = {"closed_ms": origin.at_ms, "how": body.how, "matters": list(body.matters), "duration_ms": body.duration_ms}
        self._put_visit(connection, origin, body.session, values)
        if not DONE_MATTERS & set(body.matters):
            return
        where = self._where(origin)
        where.pop("device"), where.pop("channel")
        values = where | {"source": "session", "clerk": "", "item": "", "stage": "selfservice", "invited": False}
        if connection.execute(update(services).where(services.c.occasion == body.session).values(source="session")).rowcount == 0:
            connection.execute(insert(services).values(occasion=body.session, **values))

    def _put_visit(self, connection: Connection, origin: "Origin", session: bytes, values: dict[str, Any]) -> None:
        same = and_(visits.c.journal_no.in_(origin.journal_nos), visits.c.session == session)
        if connection.execute(update(visits).where(same).values(**values)).rowcount == 0:
            where = self._where(origin)
            start = {
                "how": "",
                "matters": [],
                "duration_ms": 0,
                "device": origin.device,
                "hall": where["hall"],
                "day": where["day"],
            }
            connection.execute(insert(visits).values(journal_no=origin.journal_no, session=session, **(start | values)))

    def _print_asked(self, connection: Connection, origin: "Origin", body: PrintAsked) -> None:
        self._put_print(connection, origin, body.job, {"what": body.what, "asked_ms": origin.at_ms})

    def _print_finished(self, connection: Connection, origin: "Origin", body: PrintFinished) -> None:
        values = {"what": body.what, "outcome": body.outcome, "reason": body.reason or "", "finished_ms": origin.at_ms}
        self._put_print(connection, origin, body.job, values)

    def _put_print(self, connection: Connection, origin: "Origin", job: str, values: dict[str, Any]) -> None:
        same = and_(prints.c.journal_no.in_(origin.journal_nos), prints.c.job == job)
        if connection.execute(update(prints).where(same).values(**values)).rowcount == 0:
            where = self._where(origin)
            start = {"outcome": "asked", "reason": "", "device": origin.device, "hall": where["hall"], "day": where["day"]}
            connection.execute(insert(prints).values(journal_no=origin.journal_no, job=job, **(start | values)))

    # Where and when

    def _where(self, origin: "Origin") -> dict[str, Any]:
        """Place and local time of an entry, from the registry's dated placements."""
        if origin.device not in self._places:
            self._places[origin.device] = self._registry.placements(origin.device)
        places = self._places[origin.device]
        now = [p for p in places if p.from_ms <= origin.at_ms and (p.until_ms is None or origin.at_ms < p.until_ms)]
        # Pressed before the registry knew the device (paired offline, clock behind): its first placement is the nearest truth.
        placing = now[0] if now else (places[0] if places else None)
        hall = placing.hall if placing else ""
        local = datetime.fromtimestamp(origin.at_ms / 1000, self._zones.get(hall, ZoneInfo("Asia/Shanghai")))
        return {
            "device": origin.device,
            "hall": hall,
            "window": placing.window if placing else "",
            "channel": "terminal" if self._roles.get(origin.device) == "terminal" else "window",
            "at_ms": origin.at_ms,
            "day": local.date().isoformat(),
            "hour": local.hour,
        }

    def _find(self, connection: Connection, origin: "Origin", kind: str, detail: str) -> None:
        key = {"journal_no": origin.journal_no, "seq": origin.seq, "kind": kind}
        connection.execute(delete(rating_findings).where(*(rating_findings.c[name] == value for name, value in key.items())))
        values = {"device": origin.device, "detail": detail[:500], "found_ms": self._clock_ms()}
        connection.execute(insert(rating_findings).values(**key, **values))


class Origin:
    """Where an entry came from. `at_ms` is the device's time, or the fleet's on arrival while the device knew none."""

    def __init__(self, journal_nos: tuple[int, ...], device: str, row: Any) -> None:
        self.journal_no = journal_nos[0]
        self.journal_nos = journal_nos
        """The entry's journal and those it succeeded: where what it goes on with was begun."""
        self.device = device
        self.seq: int = row.seq
        self.kind: str = row.kind
        self.kind_version: int = row.kind_version
        self.body = bytes(row.body)
        self.clock_trust: int = row.clock_trust
        self.at_ms: int = row.received_ms if row.clock_trust == UNTRUSTED else row.wall_ms


def _mark(connection: Connection, journal_no: int) -> int:
    here = projection_marks.c.journal_no == journal_no
    return connection.execute(select(projection_marks.c.seq).where(here)).scalar() or 0


def _set_mark(connection: Connection, journal_no: int, seq: int) -> None:
    here = projection_marks.c.journal_no == journal_no
    if connection.execute(update(projection_marks).where(here).values(seq=seq)).rowcount == 0:
        connection.execute(insert(projection_marks).values(journal_no=journal_no, seq=seq))
