"""求助: what the visitor is told about the call for staff. Never "somebody is coming" unless somebody has seen it."""

from terminal.flow.clock import Clock
from terminal.flow.ports import HelpPort, HelpState

ANSWER_MS = 10_000
"""Without an answer from the agent within this, the screen says the staff cannot be reached from here and shows the phone."""


class HelpCall:
    """One call at a time. `state` is None while nobody has asked."""

    def __init__(self, port: HelpPort, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._called_ms = 0
        self.call_id = ""
        self.state: HelpState | None = None

    def call(self, call_id: str, where: str) -> None:
        """Call the staff; a call that still stands is not sent twice."""
        if self.state in ("asking", "waiting", "seen"):
            return
        if self.state is not None:
            # Nobody was there, or nobody could be reached: the staff need not find both calls later.
            self._port.cancel(self.call_id)
        self.call_id, self.state = call_id, "asking"
        self._called_ms = self._clock.monotonic_ms()
        self._port.call(call_id, where=where, answer=self.answer)

    def answer(self, call_id: str, state: HelpState) -> None:
        """News of the call. News of an older visitor's call is dropped."""
        if call_id == self.call_id and self.state is not None:
            self.state = state

    def left_ms(self) -> int:
        """Milliseconds until an unanswered call counts as unreachable."""
        return max(0, ANSWER_MS - (self._clock.monotonic_ms() - self._called_ms))

    def tick(self) -> bool:
        """Give up on an unanswered call. Returns True when the state changed."""
        if self.state == "asking" and self.left_ms() == 0:
            self.state = "unreachable"
            return True
        return False

    def end(self) -> None:
        """Withdraw the call: the visitor has been helped or has gone."""
        if self.state is not None:
            self._port.cancel(self.call_id)
        self.call_id, self.state = "", None
