"""Bouncing presses: how many were made on the pins, how many the driver told, and how long each took to be told.

`run(presses, seed)` is what `./run faults hal` calls, and `latencies(presses, seed)` what `./run bench hal` does; the test
suite runs a small one of each. Six buttons are pressed at the same time, twenty times a second each, through the pins that
another process can press, so everything from the edge to the event is the code that runs on a device.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from waiting import until

from hal.api import ButtonPressed
from hal.config import from_table
from hal.drivers.debounce import Debounce
from hal.factory import open_hal
from hal.sim.bounces import edges, presses
from hal.sim.control import send

BUTTONS = ("level_5", "level_4", "level_3", "level_2", "level_1", "call_staff")
PERIOD_MS = 50.0
AT_ONCE = 10
"""Presses in one command to the pins."""


@dataclass
class Account:
    """What a run found; `wrong` must be empty. `pure` is the same through the debouncer alone, ten times as many."""

    presses: int
    seed: int
    made: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    pure_made: int = 0
    pure_counted: int = 0
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Every button whose presses were missed or doubled, in words."""
        found = [f"{name}: {self.made[name]} made, {self.counted[name]} counted" for name in sorted({*self.made, *self.counted})
                 if self.made[name] != self.counted[name]]  # fmt: skip
        if sum(self.made.values()) != self.presses:
            found.append(f"{self.presses} presses were asked for, {sum(self.made.values())} made")
        if self.pure_made != self.pure_counted:
            found.append(f"debouncer alone: {self.pure_made} made, {self.pure_counted} counted")
        return found


def run(count: int, seed: int, *, settle_ms: float = 12.0) -> Account:
    """Make `count` bouncing presses on six buttons; a lower `settle_ms` is the control that must count too many."""
    account, began_s = Account(count, seed), time.monotonic()
    account.pure_made, account.pure_counted = 10 * count, through_debouncer(10 * count, seed, settle_ms=settle_ms)
    with _panel(settle_ms) as (path, told):
        _press_all(path, count, seed, account.made)
        _settled(told)
    account.counted = Counter(event.button for event, _ in told)
    account.seconds = time.monotonic() - began_s
    return account


def through_debouncer(count: int, seed: int, *, settle_ms: float = 12.0) -> int:
    """How many of `count` bouncing presses at twenty a second the debouncer alone counts."""
    debounce = Debounce(settle_ms / 1000)
    return sum(debounce.feed(at_s, closed) for at_s, closed in edges(count, seed, period_ms=PERIOD_MS))


def latencies(count: int, seed: int) -> list[float]:
    """Seconds from the first edge of each of `count` presses to its event, on one button after the other, shortest first."""
    with _panel(12.0) as (path, told):
        for number, press in enumerate(presses(count, seed, period_ms=PERIOD_MS)):
            send(path, {"swing": BUTTONS[number % len(BUTTONS)], "at_ms": press.swings_ms})
        _settled(told)
    return sorted(told_s - event.at_s for event, told_s in told)


def p99(sorted_s: list[float]) -> float:
    """The value that 99 of 100 do not exceed."""
    return sorted_s[min(len(sorted_s) - 1, len(sorted_s) * 99 // 100)]


@contextmanager
def _panel(settle_ms: float) -> Iterator[tuple[str, list[tuple[ButtonPressed, float]]]]:
    """Buttons on pins at a socket: its path, and what they told with when."""
    told: list[tuple[ButtonPressed, float]] = []
    with tempfile.TemporaryDirectory(prefix="nightwindow-presses-") as folder:
        path = str(Path(folder) / "pins.sock")
        table = {"gpio": {"driver": "socket", "socket": path}, "buttons": {"driver": "gpio", "settle_ms": settle_ms}}
        hal = open_hal(
            from_table(table),
            on_event=lambda _, event: told.append((event, time.monotonic())),
            on_health=lambda name, health: None,
        )
        hal.start()
        try:
            until(lambda: hal.named("buttons").health().state == "ok", "the opening of the buttons' pins")
            yield path, told
        finally:
            hal.close()


def _press_all(path: str, count: int, seed: int, made: Counter[str]) -> None:
    shares = {name: count // len(BUTTONS) + (place < count % len(BUTTONS)) for place, name in enumerate(BUTTONS)}
    with ThreadPoolExecutor(len(BUTTONS)) as hands:
        pressing = [
            hands.submit(_press_one, path, name, share, seed + place, made) for place, (name, share) in enumerate(shares.items())
        ]
        for hand in pressing:
            hand.result()


def _press_one(path: str, name: str, count: int, seed: int, made: Counter[str]) -> None:
    """Press one button; several presses in one command, so that the rate is kept and not what the socket allows."""
    every = list(presses(count, seed, period_ms=PERIOD_MS))
    for start in range(0, count, AT_ONCE):
        group = every[start : start + AT_ONCE]
        swings = [round(place * PERIOD_MS + at_ms, 2) for place, press in enumerate(group) for at_ms in press.swings_ms]
        # The button rests after its last bounce, as it does between the presses of one command.
        send(path, {"swing": name, "at_ms": swings}, timeout_s=60)
        time.sleep(PERIOD_MS / 2000)
        made[name] += len(group)


def _settled(told: list[tuple[ButtonPressed, float]]) -> None:
    """Wait until no press has been told for a while; a doubled one would come within the bounce."""
    seen = -1
    while seen != len(told):
        seen = len(told)
        time.sleep(0.2)
