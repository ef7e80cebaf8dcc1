"""Calls that come by themselves on the Kivy thread: once, again and again, or when started. What composes a face uses these.

They need no frame to be drawn and keep a screen at rest asleep until they are due.
"""

from collections.abc import Callable

from kivy.clock import Clock, ClockEvent


class Timer:
    """One call to come. It may be stopped and started again; starting one that waits changes nothing."""

    def __init__(self, event: ClockEvent) -> None:
        self._event = event

    @property
    def seconds(self) -> float:
        """How long after its start, or between two times, it comes."""
        return float(self._event.timeout)

    @property
    def waits(self) -> bool:
        """Whether it is started and still to come."""
        return bool(self._event.is_triggered)

    def start(self) -> None:
        """Count from the present frame."""
        self._event()

    def stop(self) -> None:
        """It does not come any more until it is started."""
        self._event.cancel()


def every(seconds: float, call: Callable[[], object]) -> Timer:
    """`call` every so many seconds from now on."""
    return Timer(Clock.schedule_interval(lambda _: _go_on(call), seconds))


def after(seconds: float, call: Callable[[], object]) -> Timer:
    """`call` once, so many seconds from now; 0 is before the next frame."""
    return Timer(Clock.schedule_once(lambda _: call(), seconds))


def timer(seconds: float, call: Callable[[], object]) -> Timer:
    """`call` once, so many seconds after each `start`."""
    return Timer(Clock.create_trigger(lambda _: call(), seconds))


def frame_s() -> float:
    """Monotonic seconds of the present frame."""
    return float(Clock.get_time())


def _go_on(call: Callable[[], object]) -> None:
    # Kivy ends an interval whose call returns False, which no caller of `every` means.
    call()
