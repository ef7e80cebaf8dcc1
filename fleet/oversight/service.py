"""Oversight as one: built over the store, and kept up by the rounds of serve."""

import time
from collections.abc import Callable, Sequence

from fleet.access.service import User
from fleet.oversight.calendars_kept import Calendars
from fleet.oversight.contacts import Contacts
from fleet.oversight.limits_kept import LimitBook
from fleet.oversight.notices import Channel, Nobody, Notices
from fleet.oversight.openings import Openings
from fleet.oversight.orders import Orders
from fleet.oversight.revisits import Revisits
from fleet.oversight.vault import Vault
from fleet.registry.service import Registry
from fleet.store import Store
from fleet.watch.model import Cause

HOUR_MS = 3_600_000


class Oversight:
    """Calendars, work orders, contact data, notices and revisits of one fleet. `key` encrypts contact data."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        key: bytes,
        people: Callable[[], Sequence[User]],
        channel: Channel | None = None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._clock_ms = clock_ms
        self._swept_ms = 0
        vault = Vault(key)
        self.calendars = Calendars(store, registry, clock_ms=clock_ms)
        self.limits = LimitBook(store, registry, clock_ms=clock_ms)
        self.notices = Notices(store, channel or Nobody(), clock_ms=clock_ms)
        kept = {"calendars": self.calendars, "notices": self.notices, "clock_ms": clock_ms}
        self.openings = Openings(store, registry, **kept)  # type: ignore[arg-type]
        self.orders = Orders(store, registry, limits=self.limits, vault=vault, people=people, **kept)  # type: ignore[arg-type]
        self.contacts = Contacts(store, registry, vault=vault, limits=self.limits, clock_ms=clock_ms)
        self.revisits = Revisits(store, registry, clock_ms=clock_ms)

    def round(self) -> int:
        """Bring work orders in line with the ratings; now and then tell of cards and erase what is due. Gives steps written."""
        done = self.openings.sync()
        if self._clock_ms() - self._swept_ms >= HOUR_MS:
            self._swept_ms = self._clock_ms()
            self.contacts.sweep()
            self.orders.tell_of_cards()
        return done

    def causes(self) -> list[Cause]:
        """What is wrong: notices that cannot be sent."""
        return self.notices.causes()
