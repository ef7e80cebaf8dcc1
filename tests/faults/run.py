"""`./run faults [NAME] --cuts N`: kill, stop and cut off at random while people use the hall, then compare both sides' books.

`hall` must lose nothing and count nothing twice. `control` runs the same with an ingest that acknowledges before it commits,
and must lose: otherwise the first run proves nothing.
"""

import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click

from demo import people
from demo.hall import Hall
from demo.people import Tally
from demo.summary import sum_up

PAUSE_S = (0.3, 1.5)
EARLY = [sys.executable, str(Path(__file__).with_name("early_ingest.py"))]


class Saboteur:
    """Does one fault at a time; everything it breaks, it mends or lets the supervisor mend."""

    def __init__(self, hall: Hall, chance: random.Random) -> None:
        self._hall, self._chance = hall, chance
        self.done: Counter[str] = Counter()

    def strike(self) -> None:
        """One fault, chosen at random: processes by weight, a frozen face, a pulled or silent cable."""
        faults = [("kill face", 3), ("kill agent", 3), ("kill ingest", 3), ("kill broker", 2), ("kill serve", 1)]
        faults += [("freeze face", 1), ("cable cut", 2), ("cable silent", 1)]
        names, weights = zip(*faults, strict=True)
        fault = self._chance.choices(names, weights)[0]
        device = self._chance.choice(list(self._hall.devices.values()))
        self.done[fault] += 1
        verb, what = fault.split()
        if verb == "kill":
            self._hall.processes.cut({"face": device.face, "agent": device.agent}.get(what, what))
        elif verb == "freeze":
            self._freeze(device.face)
        else:
            device.network("cut" if what == "cut" else "silent")
            time.sleep(self._chance.uniform(0.2, 2.0))
            device.network("whole")

    def _freeze(self, part: str) -> None:
        pid = self._hall.processes.parts[part].pid
        try:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self._chance.uniform(0.2, 2.0))
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            self.done["freeze missed"] += 1


def run(cuts: int, *, seed: int, ingest: list[str] | None) -> dict[str, Any]:
    """One hall under `cuts` faults; gives the demonstration's summary with what was done to it."""
    folder = Path(tempfile.mkdtemp(prefix="nightwindow-faults-"))
    closing, tally = threading.Event(), Tally()
    hall = Hall(folder, say=lambda text: click.echo(f"  {text}"), ingest=ingest)
    try:
        hall.open(closing)
        crowd = people.crowd(hall, tally, closing, is_busy=True, seed=seed)
        saboteur, chance = Saboteur(hall, random.Random(seed)), random.Random(seed + 1)
        for number in range(1, cuts + 1):
            saboteur.strike()
            time.sleep(chance.uniform(*PAUSE_S))
            if number % 25 == 0:
                click.echo(f"  {number} of {cuts} cuts, {sum(tally.pressed.values())} ratings pressed")
        closing.set()
        for person in crowd:
            person.join(30)
        summary = sum_up(hall, tally)
    finally:
        hall.close()
        click.echo(f"  data and logs: {folder}")
    return {**summary, "faults": dict(saboteur.done), "folder": str(folder)}


def holds(summary: dict[str, Any]) -> bool:
    """Nothing lost, twice, invented or unverified; every thanked press is stored. People may have been puzzled."""
    entries, ratings, chain = summary["entries"], summary["ratings"], summary["chain"]
    whole = not (entries["lost"] or entries["duplicated"] or entries["strange"])
    counted = ratings["pressed"] <= ratings["stored"] <= ratings["pressed"] + ratings["unsure"]
    return whole and counted and chain["journals"] == chain["verified"]


@click.command()
@click.argument("name", required=False, type=click.Choice(["hall", "control"]))
@click.option("--cuts", default=200, show_default=True, type=click.IntRange(1), help="How many faults in the hall run.")
@click.option("--seed", type=int, help="Repeat a run's choices; printed by each run.")
def main(name: str | None, cuts: int, seed: int | None) -> None:
    """Run both, or one by name. Exit status 0 only if the hall held and the control lost."""
    seed = random.randrange(2**32) if seed is None else seed
    click.echo(f"seed {seed}")
    verdicts, told = [], []
    if name in (None, "hall"):
        summary = run(cuts, seed=seed, ingest=None)
        entries, ratings = summary["entries"], summary["ratings"]
        verdicts.append(holds(summary))
        click.echo(f"  {summary['faults']}")
        told.append(
            f"{cuts} cuts: {entries['appended']} entries, {entries['lost']} lost, {entries['duplicated']} twice; "
            f"{ratings['pressed']} ratings thanked for, {ratings['stored']} stored ({ratings['unsure']} unsure)"
        )
    if name in (None, "control"):
        lost, tries = 0, 0
        while not lost and tries < 3:
            tries += 1
            lost = run(max(12, min(cuts, 25)), seed=seed + tries, ingest=EARLY)["entries"]["lost"]
        verdicts.append(lost > 0)
        proof = f"the control, which promises custody and archive before it commits, lost {lost} entries"
        told.append(proof if lost else "the control lost nothing, so this run proves nothing")
    click.echo(f"faults: {'held' if all(verdicts) else 'FAILED'}; {'; '.join(told)}; seed {seed}")
    sys.exit(0 if all(verdicts) else 1)


if __name__ == "__main__":
    main(prog_name="./run faults")
