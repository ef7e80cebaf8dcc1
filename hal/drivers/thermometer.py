"""Temperature inside the cabinet, from a sensor that Linux shows as files: 1-wire (DS18B20) or hwmon (LM75, TMP102, SHT3x …)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from hal.api import HealthListener
from hal.drivers.own_thread import OwnThread
from hal.drivers.temperature_text import SensorError

TRIES = 3
"""Readings that fail one after the other before the sensor counts as gone; a motor beside the wire spoils single ones."""
HYSTERESIS_C = 3.0
"""So far a reading must come back over a limit before it is well again; else health would flicker at the limit."""

log = structlog.get_logger("hal")


class Limits:
    """Health that follows from readings; pure."""

    def __init__(self, *, low_c: float, high_c: float) -> None:
        self._low_c = low_c
        self._high_c = high_c
        self._reason = "hal.ok"

    def judge(self, celsius: float) -> str:
        """`hal.ok`, `temperature.high` or `temperature.low`."""
        slack = {"temperature.high": celsius > self._high_c - HYSTERESIS_C, "temperature.low": celsius < self._low_c + HYSTERESIS_C}
        if celsius > self._high_c:
            self._reason = "temperature.high"
        elif celsius < self._low_c:
            self._reason = "temperature.low"
        elif not slack.get(self._reason, False):
            self._reason = "hal.ok"
        return self._reason


class SensorThermometer(OwnThread):
    """`hal.api.Thermometer`: calls `read()` every `poll_s` seconds on a thread of its own.

    `read` gives °C and may take a second; it raises `SensorError` or OSError.
    """

    def __init__(self, name: str, read: Callable[[], float], *, poll_s: float, limits: Limits, on_health: HealthListener) -> None:
        super().__init__(name, on_health=on_health)
        self._read = read
        self._poll_s = poll_s
        self._limits = limits
        self._celsius: float | None = None
        self._failed = 0

    def celsius(self) -> float | None:
        """See `Thermometer.celsius`."""
        return self._celsius

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._take(self._read())
            except (SensorError, OSError) as error:
                self._miss(str(error))
            except Exception as error:
                log.exception("driver failed", peripheral=self.name)
                self._health.set("hal.driver_failed", error=f"{type(error).__name__}: {error}")
            # A reading that failed is tried again soon, so that a sensor's loss is told in time.
            self._stop.wait(min(1.0, self._poll_s) if 0 < self._failed < TRIES else self._poll_s)

    def _take(self, celsius: float) -> None:
        self._failed = 0
        self._celsius = celsius
        reason = self._limits.judge(celsius)
        if reason == "hal.ok":
            self._health.set(reason)
        elif self._health.get().reason != reason:
            # The reading at which it began; following each would tell a new health every time.
            self._health.set(reason, celsius=f"{celsius:.0f}")

    def _miss(self, error: str) -> None:
        self._failed += 1
        if self._failed >= TRIES or self._celsius is None:
            self._celsius = None
            self._health.set("temperature.silent", error=error)
