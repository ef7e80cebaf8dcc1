"""How invitations, presses and closes become rows: the last press stands, and of an occasion's ratings the first counts."""

from collections.abc import Callable
from typing import Any

from nacl.public import PrivateKey
from sqlalchemy import Connection, and_, insert, select, update

from fleet.ratings.origin import Ground, Origin, note_finding
from fleet.ratings.tables import ratings, services
from wire.codec import Malformed, WireError
from wire.kinds import CloseSecret, PressSecret, RatingClosed, RatingInvited, RatingPressed
from wire.leaf import leaf, receipt_code, unseal


class RatedEntries:
    """Applies the entries of ratings; `seal` opens what devices sealed to this fleet. The caller commits."""

    def __init__(self, ground: Ground, *, seal: PrivateKey, clock_ms: Callable[[], int]) -> None:
        self._ground = ground
        self._seal = seal
        self._clock_ms = clock_ms

    def invited(self, connection: Connection, origin: Origin, body: RatingInvited) -> None:
        """A service given was asked about; one that nobody has told of counts by its invitation."""
        invitation = body.invitation
        known = connection.execute(select(services.c.source).where(services.c.occasion == invitation.occasion)).first()
        if known is not None:
            connection.execute(update(services).where(services.c.occasion == invitation.occasion).values(invited=True))
            return
        # A terminal's own question belongs to a visit, which is the service; it must not count twice.
        source = "asked" if invitation.stage == "selfservice" else "invited"
        values = self._ground.where(origin)
        values |= {"clerk": invitation.clerk_number, "item": invitation.item_code, "stage": invitation.stage}
        values.pop("device"), values.pop("channel")
        connection.execute(insert(services).values(occasion=invitation.occasion, source=source, invited=True, **values))

    def pressed(self, connection: Connection, origin: Origin, body: RatingPressed) -> None:
        """A press, or a correction of one."""
        opened = self._open_press(connection, origin, body)
        values = {
            "level": opened.level if opened else None,
            "secret": opened.secret if opened else None,
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

    def _open_press(self, connection: Connection, origin: Origin, body: RatingPressed) -> PressSecret | None:
        """What a press sealed, or None with a finding when it does not open or does not fit its commitment."""
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
        return secret

    def closed(self, connection: Connection, origin: Origin, body: RatingClosed) -> None:
        """The end of an occasion, with what was chosen beside the level."""
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

    def _open_reasons(self, connection: Connection, origin: Origin, body: RatingClosed) -> tuple[str, ...]:
        if not body.sealed:
            return ()
        try:
            secret = unseal(body.sealed, self._seal, CloseSecret)
        except WireError as error:
            self._find(connection, origin, "rating.unreadable", str(error))
            return ()
        return secret.reasons if isinstance(secret, CloseSecret) else ()

    def _row(self, connection: Connection, origin: Origin, rating: bytes) -> Any:
        same = and_(ratings.c.journal_no.in_(origin.journal_nos), ratings.c.rating == rating)
        return connection.execute(select(ratings).where(same)).first()

    def _insert_rating(
        self, connection: Connection, origin: Origin, rating: bytes, occasion: bytes | None, values: dict[str, Any]
    ) -> None:
        given = connection.execute(select(services).where(services.c.occasion == occasion)).first() if occasion else None
        start: dict[str, Any] = {
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
        row = self._ground.where(origin) | {"journal_no": origin.journal_no, "rating": rating, "occasion": occasion}
        connection.execute(insert(ratings).values(**(row | {"clock_trust": origin.clock_trust} | start | values)))

    def _settle(self, connection: Connection, origin: Origin, rating: bytes, occasion: bytes | None) -> None:
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

    def _find(self, connection: Connection, origin: Origin, kind: str, detail: str) -> None:
        note_finding(connection, origin, kind, detail, now_ms=self._clock_ms())
