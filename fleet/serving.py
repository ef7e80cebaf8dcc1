"""The serve process while it runs: the MQTT link's handlers, and the rounds that keep read models and incidents up."""

import threading
import time

import paho.mqtt.client as mqtt
import structlog

from fleet.ratings.ledger.log import LedgerError
from fleet.services import Fleet
from fleet.watch.link import Handlers, Link
from wire.messages import Answer, Ask

log = structlog.get_logger("fleet.serving")

ROUND_S = 1.0
TELL_EVERY_S = 5.0
REVIEW_EVERY = 3
REFRESH_EVERY = 15
"""Rounds between looking for changes that another process (a command line) made to registry or content."""


class Serving:
    """Runs the link and the rounds over a Fleet. `client` is made by fleet.link.make_client and not connected yet; None runs
    without a broker (every device is unknown then)."""

    def __init__(self, fleet: Fleet, client: mqtt.Client | None) -> None:
        self._fleet = fleet
        self._known: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet-rounds", daemon=True)
        broker = fleet.config.broker
        # Notices wait for other people's servers, so they have a thread of their own.
        self._telling = threading.Thread(target=self._tell, name="fleet-notices", daemon=True)
        self.link = Link(self._handlers(), client, host=broker.host, port=broker.port) if client is not None else None
        self._round = 0

    def start(self) -> None:
        """Begin; returns at once."""
        if self.link is not None:
            self._fleet.control.attach(self.link)
            self.link.start()
        self._thread.start()
        self._telling.start()

    def stop(self) -> None:
        """End the link and the rounds; waits for a round under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        if self.link is not None:
            self.link.stop()
        self._fleet.watch.flush()

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_S):
            started = time.monotonic()
            try:
                self.round()
            except Exception:
                # A full disk or a locked store must not end the rounds: the next one tries again, and the log says why.
                log.exception("a round failed", round=self._round)
            if (took := time.monotonic() - started) > 5:
                log.warning("a round took long", seconds=round(took, 1))

    def _tell(self) -> None:
        while not self._stopping.wait(TELL_EVERY_S):
            try:
                self._fleet.oversight.notices.deliver()
            except Exception:
                log.exception("notices were not sent")

    def round(self) -> None:
        """One round: read new entries, write what was heard, expire commands; now and then review and refresh."""
        fleet, number = self._fleet, self._round
        self._round += 1
        if number % REFRESH_EVERY == 0:
            self._known = {device.name: device.tenant for device in fleet.registry.devices() if not device.is_revoked}
            fleet.control.refresh_all()
        if fleet.projection.catch_up():
            fleet.watch.bump()
        if number % REFRESH_EVERY == 0:
            self._keep_ledger()
        if fleet.oversight.round():
            fleet.watch.bump()
        fleet.watch.flush()
        fleet.control.orders.expire()
        if number % REVIEW_EVERY == 0:
            fleet.watch.review()

    def _keep_ledger(self) -> None:
        try:
            for head in self._fleet.ledger.keep_up():
                log.info("the ledger has a new head", batch=head.label, size=head.size)
        except LedgerError as error:
            log.error("the ledger cannot go on", why=str(error))

    def _is_known(self, tenant: str, device: str) -> bool:
        if self._known.get(device) != tenant:
            self._known = {each.name: each.tenant for each in self._fleet.registry.devices() if not each.is_revoked}
        return self._known.get(device) == tenant

    def _handlers(self) -> Handlers:
        fleet = self._fleet
        watch, control = fleet.watch, fleet.control

        def connected(up: bool) -> None:
            watch.set_broker(up)
            if up:
                control.republish()

        def presence(device, message, retained):  # type: ignore[no-untyped-def]
            watch.take_presence(device, message, retained=retained)

        def state(device, message, retained):  # type: ignore[no-untyped-def]
            watch.take_state(device, message, retained=retained)

        def report(device, message):  # type: ignore[no-untyped-def]
            watch.touch(device)
            control.orders.take_report(device, message)

        def picture(device, message):  # type: ignore[no-untyped-def]
            watch.touch(device)
            control.orders.take_picture(device, message)

        def trouble(device: str, what: str) -> None:
            log.warning("a message could not be read", device=device, what=what)
            watch.note_malformed(device, what)

        return Handlers(
            known=self._is_known,
            connected=connected,
            presence=presence,
            state=state,
            report=report,
            picture=picture,
            ask=self._ask,
            ingest=watch.ingest.take,
            trouble=trouble,
            refused=watch.note_refused,
        )

    def _ask(self, device: str, ask: Ask) -> Answer:
        """Answer a device's question with what the fleet knows now."""
        self._fleet.watch.touch(device)
        return self._fleet.watch.help.answer(device, ask)
