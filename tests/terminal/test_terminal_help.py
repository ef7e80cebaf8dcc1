"""A call for help from the touch to the operator: the terminal's line, the agent's questions and the fleet's answers together."""

from collections.abc import Callable
from typing import Any

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device

from fleet.serving import Serving
from runtime.clock import FakeClock
from runtime.helpline import HelpLine
from runtime.local import AskRequest
from runtime.outbox import Questions
from terminal.flow.helpcall import HelpCall
from terminal.flow.ports import HelpState
from wire.codec import decode, encode
from wire.messages import Ask
from wire.topics import Channel

__all__ = ["blank", "clock", "fleet"]
PASSWORD = "a long enough pass"


class Hall:
    """One terminal's help call, joined to a fleet without a broker between: what is published is answered at once."""

    def __init__(self, fleet: Any) -> None:
        self.fleet, self.device, self.connected = fleet, place_device(fleet, 1, role="terminal").name, True
        self._serving = Serving(fleet, None)
        self._later: list[Callable[[], object]] = []
        self.agent = Questions(self._publish, send=self._answered, clock=FakeClock(NOW_MS))
        self.line = HelpLine(
            self, post=lambda call: bool(call()) or True, now_ms=lambda: NOW_MS, later=lambda _, call: self._later.append(call)
        )
        self.call = HelpCall(self.line, self)

    def monotonic_ms(self) -> int:
        return 0

    def now(self) -> Any:
        raise NotImplementedError

    def send(self, message: AskRequest) -> bool:
        """The face's side of the local socket."""
        self.agent.ask(message)
        self._hand_over()
        return True

    def _publish(self, channel: Channel, payload: bytes, *, correlation: bytes | None = None) -> int | None:
        if not self.connected:
            return None
        assert (channel, correlation is not None) == ("ask", True)
        self._reply = (encode(self._serving._ask(self.device, decode(payload, Ask))), correlation)
        return 1

    def _hand_over(self) -> None:
        if self.connected:
            self.agent.answered(*self._reply)  # type: ignore[arg-type]

    def _answered(self, message: Any) -> bool:
        self.line.answered(message)
        return True

    def some_seconds(self) -> None:
        """Let the terminal look again."""
        due, self._later = self._later, []
        for call in due:
            call()

    def incidents(self) -> list[Any]:
        self.fleet.watch.set_broker(True)
        self.fleet.watch.review()
        return [each for each in self.fleet.watch.incidents.list() if each.kind == "help"]

    def log_in(self) -> str:
        self.fleet.access.add_user("anna", display="安娜", role="operator", password=PASSWORD, by="test")
        token: str = self.fleet.access.log_in("anna", PASSWORD)
        return token

    def said(self) -> HelpState | None:
        return self.call.state


@pytest.fixture
def hall(fleet: Any) -> Hall:
    return Hall(fleet)


def test_with_nobody_logged_in_the_visitor_is_told_so(hall: Hall) -> None:
    hall.call.call("1", "guide")
    assert hall.said() == "nobody"
    assert [each.args["where"] for each in hall.incidents()] == ["guide"]


def test_somebody_who_comes_on_duty_meanwhile_finds_the_call_and_the_visitor_sees_it_taken(hall: Hall) -> None:
    hall.call.call("1", "guide")
    hall.log_in()
    hall.some_seconds()
    assert hall.said() == "waiting"
    (incident,) = hall.incidents()
    hall.fleet.watch.incidents.take(incident.no, by="anna")
    hall.some_seconds()
    assert hall.said() == "seen"


def test_an_operator_who_logs_out_leaves_nobody(hall: Hall) -> None:
    token = hall.log_in()
    hall.call.call("1", "guide")
    assert hall.said() == "waiting"
    hall.fleet.access.log_out(token)
    hall.some_seconds()
    assert hall.said() == "nobody"


def test_asking_again_leaves_one_call_and_going_away_none(hall: Hall) -> None:
    hall.call.call("1", "guide")
    hall.call.call("2", "guide")
    assert len(hall.incidents()) == 1
    hall.call.end()
    assert hall.incidents() == []


def test_without_a_network_the_staff_cannot_be_reached(hall: Hall) -> None:
    hall.connected = False
    hall.call.call("1", "guide")
    assert hall.said() == "unreachable"
