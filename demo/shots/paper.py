"""Notices as they come out of the printer: printed by the real driver on the simulated printer, which draws its paper."""

from __future__ import annotations

import base64
import queue
import subprocess
import sys
import tempfile
from pathlib import Path

from demo.shots.content import NOW, catalogue
from hal.api import Job, Outcome
from hal.config import from_table
from hal.factory import open_hal
from hal.paper import Block
from hal.sim.control import send
from pack.model import LANGUAGES, Item, Language
from pack.notice import merged_notice, notice
from terminal.flow.answers import answers
from terminal.flow.plan import plan
from terminal.flow.ports import Subject
from terminal.print.notice import notice_blocks
from terminal.print.raster import LineDrawer
from terminal.takeaway import item_text, plan_text
from terminal.wording import Wording
from ui import fonts

ITEMS = {"passport": "普通护照签发", "shop": "食品经营许可", "fees": "不动产转移登记（存量", "thin": "户外广告设置备案"}
"""Name of the picture → what the item's name contains: a usual one, a business's, one with fees, the thinnest of an importer."""
PAPERS: dict[str, tuple[tuple[str, ...], str]] = {
    "80mm": ((), "generic80"),
    "58mm": (("--width", "58"), "generic58"),
    "80mm-180dpi": (("--dpi", "180"), "dpi180"),
    "80mm-no-hanzi": (("--no-hanzi",), "western80"),
}
"""Name of the paper → options of the simulated printer, and the driver's profile."""
USUAL = ("80mm", "58mm")
"""On these every notice is shown, on the others one."""
PATIENCE_S = 60


def shoot_papers(folder: Path, only: str) -> None:
    """Write `paper/WIDTH/LANGUAGE/NAME.png` below `folder` for every notice whose name contains `only`."""
    with tempfile.TemporaryDirectory(prefix="nightwindow-paper-") as place:
        cache = Path(place)
        wording, drawer = Wording.load(cache), LineDrawer(fonts.prepare(cache))
        for width, (options, profile) in PAPERS.items():
            every = (*ITEMS, "scenario") if width in USUAL else ("passport",)
            names = [f"paper/{width}/{language}/{name}" for language in LANGUAGES for name in every]
            wanted = [name for name in names if only in name]
            if wanted:
                _shoot_width(folder, wanted, options, profile, wording, drawer, cache / width)


def _shoot_width(
    folder: Path, names: list[str], options: tuple[str, ...], profile: str, wording: Wording, drawer: LineDrawer, place: Path
) -> None:
    place.mkdir()
    port, control = str(place / "port"), str(place / "control")
    command = [sys.executable, "-m", "hal.sim.printer", "--link", port, "--control", control, "--mm-per-s", "0", *options]
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert simulator.stdout is not None
    simulator.stdout.readline()
    config = from_table({"printer": {"driver": "escpos", "port": port, "profile": profile}})
    hal = open_hal(config, on_event=lambda *_: None, on_health=lambda *_: None, rasterise=drawer)
    hal.start()
    try:
        assert hal.printer is not None
        for name in names:
            language = next(each for each in LANGUAGES if f"/{each}/" in name)
            blocks = _blocks(name.rpartition("/")[2], language, hal.printer.columns, hal.printer.width_dots, wording)
            told: queue.Queue[Outcome] = queue.Queue()
            hal.printer.submit(Job(name, blocks, PATIENCE_S), told.put)
            outcome = told.get(timeout=PATIENCE_S + 6)
            if outcome.result != "printed":
                raise RuntimeError(f"{name} was not printed: {outcome.reason} {outcome.detail}")
            path = folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(send(control, {"do": "paper", "last": 1}, timeout_s=PATIENCE_S)["png"]))
    finally:
        hal.close()
        simulator.terminate()
        simulator.wait(5)
        simulator.stdout.close()


def _item(part: str) -> Item:
    return next(item for item in catalogue().pack.items(limit=1000) if part in item.name.zh)


def _blocks(name: str, language: Language, columns: int, width_dots: int, wording: Wording) -> tuple[Block, ...]:
    content, say, today = catalogue(), wording.say(language), NOW.date()
    if name in ITEMS:
        item = _item(ITEMS[name])
        paper = notice(item, content.hall, language=language, today=today)
        taken = item_text(answers(item, language), say).text
    else:
        scenario = content.pack.scenarios()[0]
        subject = Subject(scenario=scenario.code, situation=scenario.situations[0].id)
        wanted, text = plan(content, subject, language), plan_text(content, subject, language, say)
        if wanted is None or text is None:
            raise RuntimeError(f"the scenario {scenario.code} cannot be laid out")
        paper = merged_notice(text.name, wanted.items, content.hall, language=language, today=today)
        taken = text.text
    return notice_blocks(
        paper, ticked=frozenset({0}), columns=columns, width_dots=width_dots, say=say, masked_name="王**", number="5F3A91C2",
        taken=taken,
    )  # fmt: skip
