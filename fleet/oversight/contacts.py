"""How raters can be reached: kept encrypted, shown to whoever handles the order now, each look on record, erased when due."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import msgspec
from sqlalchemy import and_, insert, select, update

from fleet.access import audit
from fleet.access.service import Actor
from fleet.oversight.limits_kept import LimitBook
from fleet.oversight.order_log import day_of, read_steps
from fleet.oversight.rules import DONE, OrderRefused, replay
from fleet.oversight.tables import contacts, work_orders
from fleet.oversight.vault import Contact, Vault, VaultError
from fleet.registry.service import Registry
from fleet.store import Store


class Contacts:
    """Contact data of raters. `keep` is also for a page on which raters leave it themselves."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        vault: Vault,
        limits: LimitBook,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._registry = registry
        self._vault = vault
        self._limits = limits
        self._clock_ms = clock_ms

    def keep(self, journal_no: int, rating: bytes, contact: Contact, *, by: str, address: str = "") -> None:
        """Keep how the rater of one rating can be reached; a second time replaces the first. On record without its content."""
        sealed = self._vault.seal(_place(journal_no, rating), msgspec.msgpack.encode(contact))
        here = and_(contacts.c.journal_no == journal_no, contacts.c.rating == rating)
        values = {"sealed": sealed, "made_ms": self._clock_ms(), "made_by": by, "erased_ms": None}
        with self._store.write() as connection:
            if connection.execute(update(contacts).where(here).values(**values)).rowcount == 0:
                connection.execute(insert(contacts).values(journal_no=journal_no, rating=rating, **values))
            at = self._clock_ms()
            audit.append(connection, at_ms=at, actor=by, action="contact.keep", subject=rating.hex()[:8], address=address)

    def keep_for_order(self, order_no: int, contact: Contact, actor: Actor) -> None:
        """The same for an order's rating, by supervision: a rater who called or wrote. Raises OrderRefused."""
        with self._store.read() as connection:
            row = connection.execute(select(work_orders).where(work_orders.c.no == order_no)).first()
        if row is None or not actor.may("supervise"):
            raise OrderRefused("只有监督人员可以登记联系方式", "only supervision may enter how a rater can be reached")
        if row.state in DONE:
            raise OrderRefused("工单已办结，不再登记联系方式", "the order is done; nothing more is kept")
        self.keep(row.journal_no, bytes(row.rating), contact, by=actor.name, address=actor.address)

    def look(self, order_no: int, actor: Actor) -> Contact:
        """How the rater can be reached, for the one person who handles the order now. Each look is on record, a refused one too.

        Raises OrderRefused, VaultError.
        """
        with self._store.write() as connection:
            order = connection.execute(select(work_orders).where(work_orders.c.no == order_no)).first()
            standing = replay(read_steps(connection, [order_no])[order_no]) if order else None
            seen = bool(standing and standing.in_hands_of == actor.name and actor.may("handle"))
            # The person it is assigned to has it in hand once it was handed over.
            seen = seen and bool(standing and (standing.released_day or actor.may("supervise")))
            deed = {"actor": actor.name, "subject": str(order_no), "address": actor.address}
            audit.append(connection, at_ms=self._clock_ms(), action="contact.look" if seen else "contact.refused", **deed)
            same = (contacts.c.journal_no == order.journal_no, contacts.c.rating == order.rating) if order else ()
            row = connection.execute(select(contacts).where(*same)).first() if seen else None
        if not seen:
            raise OrderRefused("只有正在办理此工单的人可以查看联系方式", "only the person who handles the order now may see it")
        if row is None or row.erased_ms or order is None:
            raise OrderRefused("没有联系方式，或已按期删除", "there is none, or it was erased when due")
        place = _place(order.journal_no, bytes(order.rating))
        try:
            return msgspec.msgpack.decode(self._vault.open(place, bytes(row.sealed)), type=Contact)
        except msgspec.DecodeError as error:
            raise VaultError("联系方式格式不符", "what was sealed is no contact data") from error

    def sweep(self) -> int:
        """Erase what is kept longer than the hall's days after its order was done; gives how many. Call it once an hour.

        Contact data of a rating without an order goes by the day it was given.
        """
        same = and_(work_orders.c.journal_no == contacts.c.journal_no, work_orders.c.rating == contacts.c.rating)
        columns = (contacts.c.journal_no, contacts.c.rating, contacts.c.made_ms)
        query = select(*columns, work_orders.c.hall, work_orders.c.no, work_orders.c.closed_day)
        query = query.select_from(contacts.outerjoin(work_orders, same)).where(contacts.c.erased_ms.is_(None))
        zones = {hall.code: hall.timezone for hall in self._registry.halls()}
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        erased = 0
        for row in rows:
            zone = zones.get(row.hall or "", "Asia/Shanghai")
            since = row.closed_day if row.no else day_of(row.made_ms, zone)
            kept = timedelta(days=self._limits.of(row.hall or "").contact_kept_days)
            if since and date.fromisoformat(day_of(self._clock_ms(), zone)) > date.fromisoformat(since) + kept:
                self._erase(row.journal_no, bytes(row.rating))
                erased += 1
        return erased

    def _erase(self, journal_no: int, rating: bytes) -> None:
        here = and_(contacts.c.journal_no == journal_no, contacts.c.rating == rating)
        with self._store.write() as connection:
            connection.execute(update(contacts).where(here).values(sealed=b"", erased_ms=self._clock_ms()))
            at = self._clock_ms()
            audit.append(connection, at_ms=at, actor="nightwindow", action="contact.erase", subject=rating.hex()[:8])


def _place(journal_no: int, rating: bytes) -> str:
    return f"contact/{journal_no}/{rating.hex()}"
