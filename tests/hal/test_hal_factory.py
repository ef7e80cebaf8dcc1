"""Ending: all peripherals are stopped at once, and one that fails keeps none of the others."""

import threading

from hal.config import GpioConfig
from hal.drivers.gpio import GpioPins
from hal.factory import Hal


class Part:
    def __init__(self, name, close):
        self.name, self.close = name, close


def made(*closes):
    return Hal({f"part_{number}": Part(f"part_{number}", close) for number, close in enumerate(closes)}, GpioPins(GpioConfig(), {}))


def test_parts_are_stopped_at_once_so_that_several_that_hang_cost_the_time_of_one():
    met = threading.Barrier(5)
    passed = []

    def close():
        # Nobody gets through before all five are being stopped.
        met.wait(20)
        passed.append(1)

    made(*[close] * 5).close()
    assert len(passed) == 5


def test_a_part_that_fails_to_stop_keeps_no_other_from_stopping(capsys):
    stopped = []

    def fails():
        raise ZeroDivisionError("a driver's mistake")

    made(fails, lambda: stopped.append(1)).close()
    assert stopped == [1]
    assert "part_0" in capsys.readouterr().out
