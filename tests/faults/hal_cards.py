"""Card reads over a bad line, for `./run faults hal` and the suite: right data or a clear error, and never wrong data."""

from __future__ import annotations

import queue
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from hal.api import CardData, CardError, CardPresent
from hal.config import from_table
from hal.factory import open_hal
from hal.sim.control import send

KINDS = ("resident", "hmt_resident", "foreigner_2017", "foreigner_2023")
ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
"""A card that nobody pulls is read or refused within that time, however the line is."""
LANES = 8
"""Readers at work at the same time; most of the time of a read over a bad line is waiting for an answer that does not come."""


class Account(msgspec.Struct):
    """What became of the reads: right data, a told error, nothing. Only cards that were pulled may go unseen."""

    reads: int
    right: int = 0
    errors: int = 0
    pulled_unseen: int = 0
    unseen: int = 0
    wrong: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    disturbed: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """No wrong data, no card without a word, and a reader that still reads."""
        told = self.right + self.errors + self.pulled_unseen
        return self.wrong == 0 and self.unseen == 0 and self.right > 0 and told == self.reads

    def add(self, other: Account) -> None:
        """Take in another lane's reads."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def run(reads: int, seed: int) -> Account:
    """Lay `reads` cards of all kinds on a simulated reader whose line is disturbed in every way, the same for the same `seed`."""
    shares = [reads // LANES + (lane < reads % LANES) for lane in range(LANES)]
    account = Account(0)
    with ThreadPoolExecutor(LANES) as lanes:
        for one in lanes.map(_lane, shares, (f"{seed}/{lane}" for lane in range(LANES))):
            account.add(one)
    return account


def _lane(reads: int, seed: str) -> Account:
    """One reader on its own simulator."""
    chance, account = random.Random(seed), Account(reads)
    with tempfile.TemporaryDirectory(prefix="nw-cards-") as folder:
        port, control = f"{folder}/port", f"{folder}/control"
        command = [sys.executable, "-m", "hal.sim.idcard", "--link", port, "--control", control, "--read-s", "0.02"]
        options = ["--seed", str(chance.randrange(2**32))]
        with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, cwd=ROOT) as simulator:
            assert simulator.stdout is not None
            simulator.stdout.readline()
            told: queue.Queue[Any] = queue.Queue()
            table = {"id_card": {"driver": "samv", "port": port, "poll_ms": 20}}
            hal = open_hal(from_table(table), on_event=lambda name, event: told.put(event), on_health=lambda name, health: None)
            hal.start()
            try:
                for _ in range(reads):
                    _one(control, chance, told, account)
            finally:
                hal.close()
                simulator.terminate()
    return account


def _one(control: str, chance: random.Random, told: queue.Queue[Any], account: Account) -> None:
    """One card, from laid down to lifted off."""
    kind = chance.choice(KINDS)
    for fault in _faults(chance):
        account.disturbed[fault["do"]] += 1
        send(control, fault)
    card = send(control, {"do": "insert", "kind": kind})["card"]
    is_pulled = chance.random() < 0.1
    if is_pulled:
        send(control, {"do": "remove", "after_ms": chance.randrange(1, 80)})
        account.disturbed["pulled"] += 1
    event = _next(told, 2.0 if is_pulled else PATIENCE_S)
    if isinstance(event, CardPresent):
        is_right = _is_right(event.card, kind, card)
        account.right += is_right
        account.wrong += not is_right
    elif isinstance(event, CardError):
        account.errors += 1
        account.reasons[event.reason] += 1
    elif is_pulled:
        account.pulled_unseen += 1
    else:
        account.unseen += 1
    _lift_off(control, told, had_card=isinstance(event, CardPresent))


def _faults(chance: random.Random) -> list[dict[str, Any]]:
    """How the line is disturbed for one card; one card in four has a good line."""
    noise = chance.randbytes(chance.randint(1, 40))
    if chance.random() < 0.3:
        noise = b"\xaa\xaa\xaa\x96\x69" + noise
    every: list[dict[str, Any]] = [
        {"do": "noise", "bytes": noise.hex(), "times": chance.randint(1, 5)},
        {"do": "noise", "bytes": noise.hex(), "times": chance.randint(1, 5), "inside": True},
        {"do": "flip", "bytes": chance.randint(1, 6), "times": chance.randint(1, 5)},
        {"do": "drop", "bytes": chance.randint(1, 6), "times": chance.randint(1, 5)},
        {"do": "wrong_checksum", "times": chance.randint(1, 4)},
        {"do": "wrong_length", "times": chance.randint(1, 4)},
        {"do": "lose", "times": chance.randint(1, 2)},
        {"do": "split", "bytes": chance.choice((1, 7, 64, 300))},
        {"do": "delay", "ms": chance.choice((5, 40, 120))},
        {"do": "merge", "ms": chance.choice((5, 30))},
    ]
    chosen = chance.sample(every, chance.choice((0, 1, 1, 2)))
    for fault in chosen:
        # The reader asks all the time, so without this most faults would hit the search for a card, not its content.
        fault |= {"over": chance.choice((0, 1000))} if "times" in fault else {}
    return chosen


def _next(told: queue.Queue[Any], wait_s: float) -> Any:
    """The next card or error; None when the time is over. Removals of earlier cards are passed over."""
    end_s = time.monotonic() + wait_s
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            event = told.get(timeout=left_s)
        except queue.Empty:
            return None
        if isinstance(event, CardPresent | CardError):
            return event
    return None


def _lift_off(control: str, told: queue.Queue[Any], *, had_card: bool) -> None:
    """A good line again, no card, and everything told of the last one."""
    for what in ("noise", "flip", "drop", "wrong_checksum", "wrong_length", "lose"):
        send(control, {"do": what, "times": 0})
    for what, option in (("split", "bytes"), ("delay", "ms"), ("merge", "ms")):
        send(control, {"do": what, option: 0})
    send(control, {"do": "remove"})
    end_s = time.monotonic() + 8
    while had_card and time.monotonic() < end_s:
        try:
            had_card = isinstance(told.get(timeout=0.2), CardPresent | CardError)
        except queue.Empty:
            continue
    # The reader has looked twice at the empty place before the next card comes.
    before = send(control, {"do": "state"})["commands"]
    while send(control, {"do": "state"})["commands"] < before + 3 and time.monotonic() < end_s:
        time.sleep(0.005)
    while not told.empty():
        told.get()


def _is_right(told: CardData, kind: str, card: dict[str, str]) -> bool:
    """Whether everything that was told is what is on the card."""
    number, name = card["number"], card["english_name"] if kind == "foreigner_2017" else card["name"]
    return (
        told.kind == kind
        and told.number == number[:2] + "*" * (len(number) - 4) + number[-2:]
        and told.name[0] == name[0]
        and told.valid_to == card["valid_to"]
    )
