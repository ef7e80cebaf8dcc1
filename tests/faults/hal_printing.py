"""Print jobs under scripted faults: the outcome that was told against the paper that really came out of the simulator.

`run(jobs, seed)` is what `./run faults hal` calls; the test suite runs a small one. Printers of different kinds work at the
same time, each with its own simulator process, over serial, USB and network ports.
"""

import itertools
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from waiting import until

from hal.api import Job, Outcome
from hal.drivers.escpos_printer import Config, EscposPrinter
from hal.drivers.escpos_talk import Timing
from hal.drivers.line_any import open_line
from hal.drivers.line_usb import UsbRoots
from hal.paper import Cut, Raster, Text
from hal.sim.control import send

ROOT = Path(__file__).parents[2]
QUICK = Timing(answer_s=0.4, clear_s=1.0, proof_s=1.0, look_again_s=0.25)
DEADLINE_S = 12.0
PRINTERS = (("serial", "named"), ("usb", "plain"), ("tcp", "named"), ("tcp", "clone"))
"""Port, and what the simulator answers."""

FAULTS = {
    "none": 5, "paper out": 4, "cover": 2, "jam": 3, "hot": 2, "silent": 3, "silent but prints": 2, "unplug": 3, "noise": 2,
    "fake status": 1, "bad line": 3, "slow": 1, "already out": 1, "already open": 1, "kill": 2,
}  # fmt: skip
"""Each with its weight."""

NO_EVIDENCE = {"silent", "silent but prints", "unplug", "noise", "kill"}
"""Only under these may an outcome be unknown: the printer could not tell, or what it told could not be believed."""

EXPECTED_REASONS = {
    "paper out": "printer.paper_out", "already out": "printer.paper_out", "cover": "printer.cover_open",
    "already open": "printer.cover_open",
}  # fmt: skip


@dataclass
class Account:
    """What a run found; `disagreements` must be empty."""

    jobs: int
    seed: int
    results: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    unknown_under: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)
    seconds: float = 0.0


def ticket(mark: str, lines: int):
    """A ticket whose last line before the cut proves that it is complete, with a picture in its middle."""
    body = [Text(f"第{number}行") for number in range(lines)]
    body.insert(lines // 2, Raster(256, 48, bytes([0xAA, 0x10, 0x04, 0x55] * 8 * 48)))
    return (Text(f"begin {mark}", bold=True), *body, Text(f"end {mark}"), Cut())


def open_printer(port: str, usb: Path, state: Path) -> EscposPrinter:
    """A driver with short patience; not started."""
    config = Config(port=port, poll_s=0.05)
    roots = UsbRoots(usb / "sys", usb / "dev")
    opens = partial(open_line, port, 115200, roots)
    return EscposPrinter("printer", config, opens, rasterise=None, on_health=lambda *_: None, state=state, timing=QUICK)


class Lab:
    """One simulated printer and its driver, which is sometimes killed and begun anew."""

    def __init__(self, folder: Path, kind: str, tongue: str) -> None:
        self._folder, self._kind = folder, kind
        self._control = str(folder / "control.sock")
        self._state = folder / "printer.json"
        links = {"serial": str(folder / "port"), "usb": f"usb:0483:5743:A1@{folder}", "tcp": "tcp:127.0.0.1:0"}
        command = [sys.executable, "-m", "hal.sim.printer", "--link", links[kind], "--control", self._control]
        command += ["--mm-per-s", "0", "--tongue", tongue]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        self._port = self.do("port")["port"]
        self.printer = open_printer(self._port, folder, self._state)
        self.printer.start()
        self._until_well("the first contact")

    def do(self, what: str, **options: object) -> dict:
        """A control command of the simulator."""
        return send(self._control, {"do": what, **options})

    def close(self) -> None:
        """End driver and simulator."""
        self.printer.close()
        self._process.terminate()
        self._process.wait(5)
        self._process.stdout.close()

    def _until_well(self, after: str) -> None:
        until(lambda: self.printer.health().state == "ok", f"a working printer after {after}")

    def print(self, job_id: str, lines: int) -> Outcome:
        """Print and wait for the outcome."""
        told: queue.Queue[Outcome] = queue.Queue()
        self.printer.submit(Job(job_id, ticket(job_id, lines), DEADLINE_S), told.put)
        return told.get(timeout=DEADLINE_S + 6)

    def print_and_be_killed(self, job_id: str, lines: int, after_mm: float) -> Outcome:
        """Another process prints and is killed in the middle; who comes after it is asked for the same job."""
        self.printer.close()
        self.do("speed", mm_per_s=400)
        before_mm = self.do("state")["printed_mm"]
        child = [sys.executable, "-m", "faults.printing_child"]
        arguments = [self._port, str(self._folder), str(self._state), job_id, str(lines)]
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
        process = subprocess.Popen([*child, *arguments], env=environment, cwd=ROOT)
        until(lambda: self.do("state")["printed_mm"] >= before_mm + after_mm, "some paper of a job to be cut off")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.printer = open_printer(self._port, self._folder, self._state)
        self.printer.start()
        return self.print(job_id, lines)

    def spoil(self, fault: str, chance: random.Random) -> None:
        """Prepare a fault that comes true in the middle of the next job."""
        at_mm = chance.uniform(1, 40)
        match fault:
            case "paper out":
                self.do("paper_out", after_mm=at_mm)
            case "already out":
                self.do("paper_out")
            case "already open":
                self.do("cover", open=True)
            case "jam":
                self.do("cutter_jam")
            case "cover":
                self.do("after_mm", mm=at_mm, then={"do": "cover", "open": True})
            case "hot":
                self.do("after_mm", mm=at_mm, then={"do": "head_hot"})
            case "silent" | "silent but prints":
                self.do("silence", after_mm=at_mm, prints=fault != "silent")
            case "unplug":
                self.do("speed", mm_per_s=chance.choice((0, 400)))
                self.do("after_mm", mm=at_mm, then={"do": "unplug"})
            case "noise":
                self.do("after_mm", mm=at_mm, then={"do": "noise", "bytes": chance.randbytes(chance.randint(1, 40)).hex()})
            case "fake status":
                self.do("after_mm", mm=at_mm, then={"do": "noise", "bytes": "38000000"})
            case "bad line":
                self.do("delay", ms=chance.choice((0, 30)))
                self.do("split", bytes=chance.choice((0, 1, 3)))
                self.do("merge", ms=chance.choice((0, 30)))
            case "slow":
                self.do("speed", mm_per_s=100)

    def cool_soon(self) -> threading.Timer:
        """A hot head cools by itself; the job must wait for that."""
        timer = threading.Timer(0.4, lambda: self.do("head_hot", on=False))
        timer.start()
        return timer

    def mend(self, fault: str) -> None:
        """Put everything right, and wait until the driver has seen it: what was promised must hold afterwards too."""
        self.do("plug")
        for command in (("load_paper", {}), ("cover", {"open": False}), ("cutter_jam", {"on": False}), ("head_hot", {"on": False}),
                        ("silence", {"on": False}), ("speed", {"mm_per_s": 0}), ("delay", {"ms": 0}), ("split", {"bytes": 0}),
                        ("merge", {"ms": 0})):  # fmt: skip
            self.do(command[0], **command[1])
        self._until_well(fault)

    def pieces(self, last: int) -> list[tuple[list[str], bool]]:
        """The lines of every piece of paper, oldest first, and whether it was cut; what still hangs comes last."""
        paper = self.do("paper", last=last)
        every = [*paper["tickets"], paper["hanging"]]
        return [([item["text"] for item in one["items"] if "text" in item], one["cut"]) for one in every]


def one_job(lab: Lab, job_id: str, fault: str, chance: random.Random) -> tuple[Outcome, str]:
    """Print one job under `fault`; gives its outcome, and what is wrong with that, empty when it agrees with the paper."""
    lines = chance.randint(2, 14)
    if fault == "kill":
        outcome = lab.print_and_be_killed(job_id, lines, chance.uniform(1, 15))
    else:
        lab.spoil(fault, chance)
        timer = lab.cool_soon() if fault == "hot" else None
        outcome = lab.print(job_id, lines)
        if timer is not None:
            timer.join()
    lab.mend(fault)
    again = lab.print(job_id, lines) if outcome.result != "not_printed" else outcome
    wrong = judged(outcome, fault, job_id, lab.pieces(8))
    if not wrong and again.result != outcome.result:
        wrong = f"asked again it was {again.result}"
    return outcome, wrong


def judged(outcome: Outcome, fault: str, job_id: str, pieces: list[tuple[list[str], bool]]) -> str:
    """What is wrong with `outcome`, given the paper; empty when nothing is."""
    begun = [piece for piece in pieces if f"begin {job_id}" in piece[0]]
    whole = [piece for piece in begun if f"end {job_id}" in piece[0]]
    mixed = [lines for lines, _ in begun if sum(line.startswith("begin ") for line in lines) > 1]
    if len(whole) > 1 or len(begun) > 1:
        return f"{len(begun)} pieces of paper begin with it"
    if mixed:
        return f"it shares a piece of paper: {mixed[0]}"
    if outcome.result == "printed":
        return "" if whole and (whole[0][1] or not outcome.cut) else f"whole {len(whole)}, cut {[cut for _, cut in whole]}"
    if outcome.result == "unknown":
        return "" if fault in NO_EVIDENCE else "the printer could have told"
    if whole or (begun and not outcome.partial):
        return f"{len(whole)} whole and {len(begun)} begun on the paper"
    expected = EXPECTED_REASONS.get(fault, outcome.reason)
    return "" if outcome.reason == expected else f"the reason should be {expected}"


def _work(lab: Lab, name: str, jobs: int, chance: random.Random, account: Account, lock: threading.Lock) -> None:
    for number in range(jobs):
        job_id = f"{name}-{number}"
        (fault,) = chance.choices(list(FAULTS), list(FAULTS.values()))
        try:
            outcome, wrong = one_job(lab, job_id, fault, chance)
        except (AssertionError, queue.Empty) as error:
            with lock:
                account.disagreements.append(f"{job_id} under {fault}: {error!r}, health {lab.printer.health().reason}")
            return
        with lock:
            account.faults[fault] += 1
            account.results[outcome.result] += 1
            if outcome.result == "unknown":
                account.unknown_under[fault] += 1
            if wrong:
                told = f"{outcome.result}, {outcome.reason}, cut {outcome.cut}, partial {outcome.partial}"
                account.disagreements.append(f"{job_id} under {fault}: told {told}; {wrong}")


def run(jobs: int, seed: int, *, at_once: int = 12) -> Account:
    """`jobs` jobs shared among `at_once` printers of the kinds of `PRINTERS`; mostly each waits, so many fit a small machine.

    The same seed gives each printer the same faults in the same order.
    """
    account, lock = Account(jobs, seed), threading.Lock()
    start_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        labs, threads = [], []
        try:
            for number, (kind, tongue) in zip(range(at_once), itertools.cycle(PRINTERS)):
                place = Path(folder) / str(number)
                place.mkdir()
                labs.append(Lab(place, kind, tongue))
                share = jobs // at_once + (number < jobs % at_once)
                arguments = (labs[-1], f"{kind}-{tongue}-{number}", share, random.Random(seed * 100 + number), account, lock)
                threads.append(threading.Thread(target=_work, args=arguments, daemon=True))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            for lab in labs:
                lab.close()
    account.seconds = time.monotonic() - start_s
    return account


if __name__ == "__main__":
    done = run(int(sys.argv[1]), int(sys.argv[2]))
    print(done)
    sys.exit(bool(done.disagreements))
