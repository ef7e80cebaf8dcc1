"""Ends a face that hangs, and feeds systemd's watchdog only while the agent works and the face draws, or may come back yet.

The ladder: hung → ended politely → killed, and started anew by systemd → still away: the watchdog starves, and the unit
restarts the device.
"""

from collections.abc import Callable

import structlog

from runtime.facehub import FaceHub
from runtime.systemd import Notifier

log = structlog.get_logger("runtime.guard")

KILL_AFTER_MS = 5_000
"""How long a hung face may take to end politely. A stopped process takes no signal but the last one."""


class Guard:
    """Belongs to the agent's thread; `tick` has to be called a few times a second.

    `end_after_ms` a face that has been hung for so long is ended; 0: never. `starve_after_ms` when no face has drawn for so
    long, the watchdog is fed no more; 0: it always is. A face that said it ends (a technician stopped it) is not missed,
    and neither is one that was never there.
    """

    def __init__(
        self,
        hub: FaceHub,
        notifier: Notifier,
        *,
        end_after_ms: int,
        starve_after_ms: int,
        note: Callable[[str], object],
    ) -> None:
        self._hub, self._notifier, self._note = hub, notifier, note
        self._end_after_ms, self._starve_after_ms = end_after_ms, starve_after_ms
        self._unwell_since_ms: int | None = None
        self._hung_since_ms: int | None = None
        self._asked_ms: int | None = None
        self._killed = False
        self._starving = False
        self._fed_ms: int | None = None

    @property
    def is_starving(self) -> bool:
        """Whether the watchdog is fed no more."""
        return self._starving

    def tick(self, now_ms: int) -> None:
        """Look at the face, help it, and feed the watchdog if all may still be well."""
        condition = self._hub.condition(now_ms)
        self._help(condition == "hung", now_ms)
        missed = condition == "hung" or (condition == "down" and self._hub.is_missed)
        if not missed:
            self._unwell_since_ms = None
        elif self._unwell_since_ms is None:
            self._unwell_since_ms = now_ms
        self._judge(now_ms)
        self._feed(now_ms)

    def _help(self, hung: bool, now_ms: int) -> None:
        """End a face that stays hung: first politely, then by force."""
        if not hung:
            self._hung_since_ms = self._asked_ms = None
            self._killed = False
            return
        if self._hung_since_ms is None:
            self._hung_since_ms = now_ms
        if not self._end_after_ms or self._killed:
            return
        if self._asked_ms is None and now_ms - self._hung_since_ms >= self._end_after_ms:
            self._asked_ms = now_ms
            self._note("face.ended")
            self._hub.end_face(by_force=False)
        elif self._asked_ms is not None and now_ms - self._asked_ms >= KILL_AFTER_MS:
            self._killed = True
            self._hub.end_face(by_force=True)

    def _judge(self, now_ms: int) -> None:
        since_ms = self._unwell_since_ms
        starving = bool(self._starve_after_ms) and since_ms is not None and now_ms - since_ms >= self._starve_after_ms
        if starving and not self._starving and self._notifier.every_ms is not None:
            # Without a watchdog there is nobody who would notice.
            log.error("the face does not come back; the watchdog is fed no more and systemd restarts the device")
            self._note("watchdog.starved")
        self._starving = starving

    def _feed(self, now_ms: int) -> None:
        every_ms = self._notifier.every_ms
        if every_ms is None or self._starving:
            return
        if self._fed_ms is None or now_ms - self._fed_ms >= every_ms:
            self._fed_ms = now_ms
            self._notifier.tell("WATCHDOG=1")
