"""Calls the staff through the agent and asks, every few seconds, whether somebody has seen the call."""

import secrets
from collections.abc import Callable
from typing import Literal, Protocol

from runtime.local import AskAnswer, AskRequest

CallState = Literal["waiting", "seen", "nobody", "unreachable"]
"""What became of a call: it stands, somebody has seen it, nobody is on duty, the staff cannot be reached from here."""
Post = Callable[[Callable[[], object]], object]
"""Runs a callable on the caller's own thread, soon."""
ASK_EVERY_S = 4.0
DEADLINE_MS = 8_000


class Asker(Protocol):
    """The part of runtime.facelink.FaceLink that is used here."""

    def send(self, message: AskRequest) -> bool: ...


class HelpLine:
    """One call at a time. The agent's answers come through `answered`; `later(seconds, call)` runs a callable afterwards."""

    def __init__(
        self,
        link: Asker,
        *,
        post: Post,
        now_ms: Callable[[], int],
        later: Callable[[float, Callable[[], object]], object],
    ) -> None:
        self._link, self._post, self._now_ms, self._later = link, post, now_ms, later
        self._call_id = ""
        self._answer: Callable[[str, CallState], None] = lambda *_: None
        self._asked: bytes = b""

    def call(self, call_id: str, *, where: str, answer: Callable[[str, CallState], None]) -> None:
        """Tell the staff. `answer(call_id, state)` may come several times, later, on the caller's own thread."""
        self._call_id, self._answer = call_id, answer
        if not self._ask("help", {"call": call_id, "where": where}):
            self._post(lambda: answer(call_id, "unreachable"))

    def cancel(self, call_id: str) -> None:
        """Tell the staff that nobody waits any more."""
        if call_id == self._call_id:
            self._ask("help", {"call": call_id, "end": "1"})
            self._call_id, self._asked = "", b""

    def answered(self, message: AskAnswer) -> None:
        """An answer came, on the session's thread. One to an older question is dropped."""
        if message.id != self._asked or not self._call_id:
            return
        state = _state(message)
        self._answer(self._call_id, state)
        if state in ("waiting", "nobody"):
            # Somebody may come on duty, or take the call, while the visitor still stands here.
            waiting = self._call_id
            self._later(ASK_EVERY_S, lambda: self._look_again(waiting))

    def _look_again(self, call_id: str) -> None:
        if call_id == self._call_id and not self._ask("help_state", {"call": call_id}):
            self._answer(call_id, "unreachable")

    def _ask(self, what: Literal["help", "help_state"], args: dict[str, str]) -> bool:
        self._asked = secrets.token_bytes(16)
        return self._link.send(AskRequest(id=self._asked, what=what, args=args, deadline_ms=self._now_ms() + DEADLINE_MS))


def _state(message: AskAnswer) -> CallState:
    if message.answer is None or message.answer.status != "ok":
        return "unreachable"
    state = message.answer.fields.get("state", "")
    return state if state in ("waiting", "seen", "nobody") else "unreachable"  # type: ignore[return-value]
