"""What hal costs: from a finger to the event, what a card read takes beyond the reader's own time, and memory of all drivers.

Presses go through the pins that another process can press; cards lie on the simulated reader; memory is that of a process of its
own that has every kind of peripheral of a terminal and an evaluator open on simulators, less what Python itself takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

FAULTS = Path(__file__).parents[1] / "faults"
sys.path.insert(0, str(FAULTS))

import hal_card  # noqa: E402
import hal_presses  # noqa: E402 - beside the fault runs, which press the same way

PRESSES, READS, SEED = 1_000, 100, 20_261_122
PRESS_LIMIT_MS, READ_LIMIT_MS, MEMORY_LIMIT_MB = 5.0, 20.0, 30.0
SIMS = {"printer": "escpos", "id_card": "samv", "scanner": "serial", "desk": "serial", "buttons_2": "box"}
SIM_MODULES = {"id_card": "idcard", "buttons_2": "box"}
ON_PINS = ("buttons", "door", "tamper", "presence", "light")


def run() -> dict[str, Any]:
    """Measure; gives name, figures and conditions."""
    told_s = hal_presses.latencies(PRESSES, SEED)
    over_ms = sorted(hal_card.overheads_ms(READS))
    before, after, threads = _memory()
    press_ms, read_ms = 1000 * hal_presses.p99(told_s), hal_presses.p99(over_ms)
    return {
        "name": "hal",
        "conditions": f"{PRESSES} bouncing presses one by one; {READS} card reads; {len(ON_PINS) + len(SIMS) + 2} peripherals open",
        "figures": [
            _figure("press to event, p99", press_ms, "ms", PRESS_LIMIT_MS),
            _figure("press to event, median", 1000 * told_s[len(told_s) // 2], "ms"),
            _figure("card read beyond the reader's own time, p99", read_ms, "ms", READ_LIMIT_MS),
            _figure("memory of all drivers (PSS), beyond Python's own", after - before, "MB", MEMORY_LIMIT_MB),
            _figure("memory of that process (PSS)", after, "MB"),
            _figure("threads of all drivers", float(threads), ""),
        ],
    }


def _figure(name: str, value: float, unit: str, limit: float | None = None) -> dict[str, Any]:
    told = {} if limit is None else {"limit": f"< {limit:g} {unit}", "ok": value < limit}
    return {"name": name, "value": value, "unit": unit, **told}


def _memory() -> tuple[float, float, int]:
    """PSS in MB of a Python process before hal and with every peripheral open and well, and its threads then."""
    with _simulated() as table:
        command = [sys.executable, str(Path(__file__).with_name("hal_alone.py")), json.dumps(table)]
        child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    before, after, threads = json.loads(child.stdout)
    return before, after, threads


@contextmanager
def _simulated() -> Iterator[dict[str, Any]]:
    """The hal table of a device whose every port has a simulator behind it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightwindow-bench-hal-")))
        table: dict[str, Any] = {"gpio": {"driver": "socket", "socket": str(folder / "pins.sock")}}
        table |= {kind: {"driver": "gpio"} for kind in ON_PINS}
        table["board"] = {"driver": "linux", "folder": str(folder)}
        table["keypad"] = {"driver": "matrix"}
        for name, driver in SIMS.items():
            stack.callback(_end, _simulator(SIM_MODULES.get(name, name), name, folder))
            table[name] = {"driver": driver, "port": str(folder / name)}
        yield table


def _simulator(module: str, name: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"hal.sim.{module}", "--link", str(folder / name), "--control", str(folder / f"{name}.sock")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError(f"the simulator {module} did not start")
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(5)
