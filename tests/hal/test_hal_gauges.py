"""What board and UPS tell the console's charts, and what they leave to the agent."""

from hal.api import PowerChanged
from hal.gauges import gauges


class Part:
    """A board and a UPS in one."""

    def __init__(self, readings, power):
        self._readings, self._power = readings, power

    def readings(self):
        return self._readings

    def power(self):
        return self._power


class Device:
    def __init__(self, **parts):
        self._parts = parts

    def every(self, kind):
        return [self._parts[kind]] if kind in self._parts else []


def test_figures_are_coarse_and_the_agents_own_are_left_to_it():
    part = Part({"memory_free_mb": 1953.0, "temperature_c": 48.3, "unsafe_shutdowns": 2.0}, PowerChanged("battery", 899, 71))
    told = gauges(Device(board=part, ups=part))
    assert told == {"memory_free_mb": 1950.0, "unsafe_shutdowns": 2.0, "ups_charge": 71.0, "ups_runtime_min": 14.0}


def test_nothing_is_made_up_where_nothing_is_told():
    assert gauges(Device()) == {}
    assert gauges(Device(ups=Part({}, PowerChanged("unknown")))) == {}
