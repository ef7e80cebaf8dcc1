"""A 12-key pad wired as a matrix of four rows and three columns on GPIO pins."""

from __future__ import annotations

import contextlib
import threading
from typing import Annotated, Any

import msgspec

from hal.api import EventListener, HealthListener, Key, KeyPressed
from hal.config import BcmPin
from hal.drivers.gpio import Input, keep_pins, open_output
from hal.drivers.matrix import Matrix, Place
from hal.drivers.own_thread import OwnThread
from hal.tools import OpensPins, Tools

SCAN_S = 0.002
"""Between two scans while a key is down."""
SLOW_SCAN_S = 0.02
"""Between two scans once a key has been down for long; a stuck key must not cost a core."""
SLOW_AFTER_S = 2.0
LATE = 1.5
"""A scan that comes later than so many times its interval has not seen what happened meanwhile."""
WATCH_S = 0.1
CHATTER_S = 1.0


class Config(msgspec.Struct, frozen=True):
    """Keys 1 2 3 / 4 5 6 / 7 8 9 / clear 0 enter. `row_1` is the row of 1 2 3, `column_1` the column of 1 4 7.

    `settle_ms` as for buttons. `stuck_s` a key held longer is reported as stuck. Needs no diodes: the rows that are not
    asked are left floating, so keys held together never short two pins.
    """

    row_1: BcmPin = 7
    row_2: BcmPin = 8
    row_3: BcmPin = 9
    row_4: BcmPin = 10
    column_1: BcmPin = 11
    column_2: BcmPin = 18
    column_3: BcmPin = 20
    settle_ms: Annotated[float, msgspec.Meta(ge=1, le=200)] = 12.0
    stuck_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20.0


def pins(config: Config) -> dict[str, int]:
    """See `hal.registry.DRIVERS`."""
    return {name: pin for name, pin in msgspec.structs.asdict(config).items() if name.startswith(("row_", "column_"))}


def open_driver(name: str, config: Config, tools: Tools) -> MatrixKeypad:
    """See `hal.registry.DRIVERS`."""
    return MatrixKeypad(name, config, tools.pins, on_event=tools.on_event, on_health=tools.on_health)


class _Wires:
    """The pins of the matrix. Rows pull columns low through closed keys; columns have pull-ups."""

    def __init__(self, factory: Any, config: Config, on_edge: Any, closing: contextlib.ExitStack) -> None:
        named = pins(config)
        self.rows: list[Any] = []
        self.columns: list[Input] = []
        for name, pin in named.items():
            if name.startswith("row"):
                row = open_output(factory, name, pin)
                closing.callback(row.close)
                # The pin itself, because gpiozero's devices cannot let an output float.
                self.rows.append(row.pin)
            else:
                self.columns.append(Input(factory, pin, on_edge))
                closing.callback(self.columns[-1].close)

    def listen(self) -> None:
        """All rows low: now any key that closes makes an edge on its column."""
        for row in self.rows:
            row.output_with_state(0)

    def any_closed(self) -> bool:
        """Whether a key is closed, while all rows are low."""
        return any(column.closed for column in self.columns)

    def scan(self) -> frozenset[Place]:
        """The keys that are closed. One row is low at a time and the others float: a row driven high against one driven low
        would be shorted by two keys of one column."""
        for row in self.rows:
            row.function = "input"
        seen = set()
        for number, row in enumerate(self.rows):
            row.output_with_state(0)
            seen |= {(number, place) for place, column in enumerate(self.columns) if column.closed}
            row.function = "input"
        return frozenset(seen)


class MatrixKeypad(OwnThread):
    """`hal.api.Keypad` on a scanned matrix. At rest nothing is scanned: an edge on a column wakes it."""

    def __init__(self, name: str, config: Config, pins: OpensPins, *, on_event: EventListener, on_health: HealthListener) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._pins = pins
        self._edge = threading.Event()
        self._edge_s = 0.0

    def _interrupt(self) -> None:
        self._edge.set()

    def _run(self) -> None:
        keep_pins(self._pins, self._session, health=self._health, stop=self._stop)

    def _session(self, factory: Any) -> None:
        with contextlib.ExitStack() as closing:
            wires = _Wires(factory, self._config, self._changed, closing)
            matrix = Matrix(self._config.settle_ms / 1000)
            matrix.start(factory.ticks(), wires.scan())
            while not self._stop.is_set():
                self._judge(matrix, factory.ticks())
                self._edge.clear()
                wires.listen()
                woken = wires.any_closed() or self._edge.wait(WATCH_S)
                if woken and not self._stop.is_set():
                    self._follow(wires, matrix, factory)

    def _changed(self, at_s: float, closed: bool) -> None:
        if closed and not self._edge.is_set():
            self._edge_s = at_s
            self._edge.set()

    def _follow(self, wires: _Wires, matrix: Matrix, factory: Any) -> None:
        """Scan until every key is at rest again."""
        began_s = factory.ticks()
        # The edge that woke this thread is when the key closed; the scan comes a moment later.
        at_s = self._edge_s if self._edge.is_set() else began_s
        every_s = SCAN_S
        while True:
            for key in matrix.feed(at_s, wires.scan(), most_s=LATE * every_s):
                self._tell(key, at_s)
            self._judge(matrix, at_s)
            if matrix.at_rest() and at_s > began_s:
                return
            every_s = SCAN_S if at_s - began_s < SLOW_AFTER_S else SLOW_SCAN_S
            if self._stop.wait(every_s):
                return
            at_s = factory.ticks()

    def _tell(self, key: Key, at_s: float) -> None:
        self._emit(KeyPressed(key, at_s))

    def _judge(self, matrix: Matrix, now_s: float) -> None:
        trouble = matrix.trouble(now_s, stuck_s=self._config.stuck_s, chatter_s=CHATTER_S)
        if trouble:
            self._health.set(trouble[0], button=trouble[1])
        else:
            self._health.set("hal.ok")
