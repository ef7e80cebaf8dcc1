"""Contact and contactless cards (social security, resident e-ID) on PC/SC readers: their type and chip number, nothing else.

The low calls of pyscard are used, because its monitoring threads stop for ever when the service pcscd is restarted. pyscard
is loaded only when the driver starts: it comes from Debian (python3-pyscard), and a device without such a reader needs none.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import structlog

from hal.api import CardError, EventListener, Health, HealthListener, SmartCardPresent, SmartCardRemoved
from hal.drivers.line import FIRST_RETRY_S, LAST_RETRY_S
from hal.drivers.own_thread import OwnThread
from hal.drivers.pcsc_calls import Changed, NoService, Pcsc, PcscError, load_scard
from hal.tools import Tools

TURN_S = 0.4
HANGS_S = 4.0
"""A service that does not answer for so long hangs."""
CardReason = Literal["card.read_failed", "card.moved"]

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """PC/SC card reader.

    `reader` part of the reader's name as `pcsc_scan` or health shows it; empty = every reader of this computer. Give two
    sections different ones.
    """

    reader: str = ""


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return config.reader or "any PC/SC reader"


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`: whether the service can be reached; readers are known to it alone."""
    return os.path.exists(os.environ.get("PCSCLITE_CSOCK_NAME", "/run/pcscd/pcscd.comm"))


def open_driver(name: str, config: Config, tools: Tools) -> PcscReader:
    """See `hal.registry.DRIVERS`."""
    return PcscReader(name, config, on_event=tools.on_event, on_health=tools.on_health)


class PcscReader(OwnThread):
    """`hal.api.SmartCardReader` on PC/SC; `load` gives pyscard's module `smartcard.scard`."""

    def __init__(
        self,
        name: str,
        config: Config,
        *,
        on_event: EventListener,
        on_health: HealthListener,
        load: Callable[[], Any] = load_scard,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._load = load
        # Readers on which a card lies that was told.
        self._told: set[str] = set()
        # When the thread last came round; endless until it has begun.
        self._turned_at_s = math.inf

    def health(self) -> Health:
        """See `Peripheral.health`; a service that hangs holds up this driver's thread, so that is noticed here."""
        if not self._stop.is_set() and time.monotonic() - self._turned_at_s > HANGS_S:
            self._health.set("smart_card.no_service")
        return self._health.get()

    def card_present(self) -> bool:
        """See `SmartCardReader.card_present`."""
        return bool(self._told)

    def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stop.is_set():
            self._turned_at_s = time.monotonic() + retry_s
            try:
                scard = self._load()
                with Pcsc(scard) as pcsc:
                    retry_s = FIRST_RETRY_S
                    self._session(pcsc)
            except ImportError:
                self._health.set("hal.not_installed", package="python3-pyscard")
            except NoService:
                self._health.set("smart_card.no_service")
            except Exception as error:
                log.exception("driver failed", peripheral=self.name)
                self._health.set("hal.driver_failed", error=f"{type(error).__name__}: {error}")
            for reader in sorted(self._told):
                self._removed(reader, "lost")
            self._stop.wait(retry_s)
            retry_s = min(retry_s * 2, LAST_RETRY_S)

    def _session(self, pcsc: Pcsc) -> None:
        while not self._stop.is_set():
            self._turned_at_s = time.monotonic()
            every = pcsc.readers()
            mine = [name for name in every if self._config.reader in name]
            if mine:
                self._health.set("hal.ok")
            else:
                told = {"expected": self._config.reader or "-", "found": ", ".join(every) or "-"}
                self._health.set("smart_card.no_reader", **told)
            for gone in sorted(self._told - set(mine)):
                self._removed(gone, "lost")
            if not mine:
                self._stop.wait(TURN_S)
            for change in pcsc.changes(mine, TURN_S) if mine else ():
                self._take(pcsc, change)

    def _take(self, pcsc: Pcsc, change: Changed) -> None:
        """A card was laid down, taken away, or exchanged between two looks."""
        self._removed(change.reader, "asked")
        if not change.is_present or self._stop.is_set():
            return
        if change.is_mute:
            self._emit(CardError("card.read_failed"))
            return
        contactless = is_contactless(change.atr)
        uid = self._uid(pcsc, change.reader) if contactless else ""
        if uid is None:
            return
        self._told.add(change.reader)
        interface: Literal["contact", "contactless"] = "contactless" if contactless else "contact"
        self._emit(SmartCardPresent(change.atr.hex(), uid, interface, change.reader))

    def _uid(self, pcsc: Pcsc, reader: str) -> str | None:
        """The chip's number; None after telling that the card could not be read. A card still in motion gets a second try."""
        for is_last in (False, True):
            try:
                return pcsc.uid(reader)
            except NoService:
                raise
            except PcscError as error:
                if is_last or error.is_gone or self._stop.wait(TURN_S):
                    log.warning("card not read", peripheral=self.name, problem=str(error))
                    self._emit(CardError("card.moved" if error.is_gone else "card.read_failed"))
                    return None
        return None

    def _removed(self, reader: str, evidence: Literal["asked", "lost"]) -> None:
        if reader in self._told:
            self._told.discard(reader)
            self._emit(SmartCardRemoved(reader, evidence))


def is_contactless(atr: bytes) -> bool:
    """Whether a reader made this answer to reset up for a contactless card (PC/SC part 3): 3B 8n 80 01, n bytes, check byte."""
    if len(atr) < 5 or atr[0] != 0x3B or atr[1] & 0xF0 != 0x80 or atr[2:4] != b"\x80\x01":
        return False
    check = 0
    for byte in atr[1:]:
        check ^= byte
    return len(atr) == 5 + (atr[1] & 0x0F) and check == 0
