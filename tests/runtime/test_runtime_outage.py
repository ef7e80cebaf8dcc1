"""What a device does while the mains are out, second by second, with a clock that is moved by hand."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.outage import REST_AFTER_S, Outage, Power


class Bench:
    """An outage on its own clock; `stages` is everything it told."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.stages: list[str] = []
        self.due: list[tuple[float, Callable[[], object]]] = []
        self.outage = Outage(mono_s=lambda: self.now_s, later=self._later, on_stage=self.stages.append)

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self.due.append((self.now_s + seconds, call))

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while ready := sorted(item for item in self.due if item[0] <= end_s):
            self.due.remove(ready[0])
            self.now_s = ready[0][0]
            ready[0][1]()
        self.now_s = end_s


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_short_cut_is_only_told(bench: Bench) -> None:
    bench.outage.changed("battery")
    bench.run(REST_AFTER_S - 1)
    bench.outage.changed("mains")
    bench.run(3600)
    assert bench.stages == ["warned", "none"]


def test_after_half_a_minute_nobody_begins_and_a_low_battery_ends_everything(bench: Bench) -> None:
    bench.outage.changed("battery")
    bench.run(REST_AFTER_S + 1)
    assert bench.outage.stage == "resting"
    bench.outage.changed("low")
    bench.run(60)
    bench.outage.changed("mains")
    assert bench.stages == ["warned", "resting", "ending", "none"]


def test_losing_sight_of_the_ups_is_no_power_cut_and_ends_none(bench: Bench) -> None:
    bench.outage.changed("unknown")
    assert bench.outage.stage == "none"
    bench.outage.changed("battery")
    bench.outage.changed("unknown")
    bench.run(REST_AFTER_S + 1)
    assert bench.outage.stage == "resting"


def test_a_second_cut_counts_from_its_own_beginning(bench: Bench) -> None:
    bench.outage.changed("battery")
    bench.run(REST_AFTER_S - 5)
    bench.outage.changed("mains")
    bench.outage.changed("battery")
    bench.run(REST_AFTER_S - 5)
    assert bench.outage.stage == "warned"
    bench.run(6)
    assert bench.outage.stage == "resting"


@given(st.lists(st.tuples(st.sampled_from(["mains", "battery", "low", "unknown"]), st.floats(0, 100)), max_size=20))
def test_in_any_history_the_stage_is_what_the_power_and_the_time_say(history: list[tuple[Power, float]]) -> None:
    bench = Bench()
    out_s, power = 0.0, "mains"
    for said, seconds in history:
        bench.outage.changed(said)
        power = power if said == "unknown" else said
        bench.run(seconds)
        out_s = 0.0 if power == "mains" else out_s + seconds
        assert bench.outage.stage != "ending" or power == "low"
        assert (bench.outage.stage == "none") == (power == "mains")
        if power == "battery" and abs(out_s - REST_AFTER_S) > 1:
            assert (bench.outage.stage == "resting") == (out_s > REST_AFTER_S)
    assert all(one != other for one, other in zip(bench.stages, bench.stages[1:], strict=False))
