"""The call-staff button: one press calls, the next takes it back, and the button's lamp tells how the call stands."""

import secrets
from collections.abc import Callable
from typing import Protocol

import structlog

from hal.api import Lamp
from runtime.helpline import CallState

log = structlog.get_logger("evaluator.callstaff")

STANDS_S = 15 * 60.0
"""After this long whoever called has gone, and the call with him."""
LAMPS: dict[CallState, Lamp] = {"waiting": "blink", "seen": "on", "nobody": "off", "unreachable": "off"}
"""The lamp is steady only once somebody has seen the call; it is dark when nobody can come."""


class Line(Protocol):
    """The part of runtime.helpline.HelpLine that is used here."""

    def call(self, call_id: str, *, where: str, answer: Callable[[str, CallState], None]) -> None: ...

    def cancel(self, call_id: str) -> None: ...


class CallStaff:
    """Call its methods on one thread. `lamp` switches the button's lamp; `later(seconds, call)` runs a callable afterwards."""

    def __init__(
        self, line: Line, *, lamp: Callable[[Lamp], object], later: Callable[[float, Callable[[], object]], object]
    ) -> None:
        self._line, self._lamp, self._later = line, lamp, later
        self._call_id = ""

    def press(self) -> None:
        """The button was pressed."""
        if self._call_id:
            self.end()
            return
        call_id = self._call_id = secrets.token_hex(16)
        self._lamp("blink")
        self._later(STANDS_S, lambda: self._give_up(call_id))
        self._line.call(call_id, where="button", answer=self._answered)

    def end(self) -> None:
        """Take the call back: who called was helped, or has gone."""
        if self._call_id:
            self._line.cancel(self._call_id)
            self._call_id = ""
            self._lamp("off")

    def _answered(self, call_id: str, state: CallState) -> None:
        if call_id != self._call_id:
            return
        self._lamp(LAMPS[state])
        if state == "unreachable":
            # Nobody was told, so there is nothing to take back: the next press calls again.
            log.warning("the staff cannot be reached")
            self._call_id = ""

    def _give_up(self, call_id: str) -> None:
        if call_id == self._call_id:
            self.end()
