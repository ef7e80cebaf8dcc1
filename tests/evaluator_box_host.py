"""An evaluator without a screen, to be killed: real driver, flow, evidence and journal; it invites again after every rating.

`python evaluator_box_host.py PORT FOLDER [--slow SECONDS] [--hasty]` says a line for each screen. `--hasty` makes the mistake that
durability tests are for: it tells the box that a press is taken before it is committed.
"""

import argparse
import queue
import secrets
import time
from pathlib import Path

from nacl.public import PrivateKey

from evaluator.evidence import Evidence
from evaluator.flow import tags
from evaluator.flow.clerk import ClerkLine
from evaluator.flow.desk import Desk
from evaluator.flow.occasion import Times
from evaluator.hardware import Hardware
from evaluator.shown import TAGS_FILE
from hal.config import from_table
from runtime.clock import SystemClock
from runtime.identity import ensure
from runtime.journal import Journal
from wire.messages import Desired, Invitation, Placement

SEAL_SEED = b"\x05" * 32
"""The fleet's key in these tests, so that they can see which level was recorded."""


class FlowClock:
    def mono_s(self):
        return time.monotonic()

    def wall_ms(self):
        return time.time_ns() // 1_000_000


class SlowEvidence(Evidence):
    """A disk that takes its time."""

    slow_s = 0.0

    def commit(self, kind, body):
        if kind in ("rating.pressed", "rating.amended"):
            time.sleep(self.slow_s)
        return super().commit(kind, body)


class HastyHardware(Hardware):
    """Lets the box forget a press as soon as it is heard."""

    def _event(self, name, event):
        if getattr(event, "buffered", None):
            self.hal.buttons.taken(event.buffered)
        super()._event(name, event)


class Host:
    def __init__(self, port, folder, *, slow_s, hasty):
        self.work = queue.SimpleQueue()
        folder.mkdir(exist_ok=True)
        seal = bytes(PrivateKey(SEAL_SEED).public_key)
        journal = Journal.open(
            folder, "evidence", identity=ensure(folder), clock=SystemClock(), budget_bytes=64_000_000, placement=None
        )
        self.evidence = SlowEvidence(journal, seal_key=lambda: seal, post=self.work.put)
        self.evidence.slow_s = slow_s
        self.evidence.recover()
        self.evidence.start()
        config = from_table({"buttons": {"driver": "box", "port": port}})
        made = HastyHardware if hasty else Hardware
        self.hardware = made(
            config, post=self.work.put, on_health=lambda: None, recorded=self.evidence.boxes.knows, on_power=lambda _: None
        )
        self.desk = Desk(
            book=self.evidence,
            clock=FlowClock(),
            signals=self.hardware,
            tags=tags.load(TAGS_FILE),
            times=Times(),
            device="nwtest",
            language="zh",
            on_scene=self.show,
        )
        place = Placement(hall="demo", hall_name={"zh": "示例"}, label={"zh": "1号"}, window="1")
        desired = Desired(version=1, device="nwtest", placement=place, seal_key=seal)
        self.desk.view(pairing="paired", code="", offline=False, desired=desired, can_seal=True)
        line = self.hardware
        clerks = ClerkLine(desk=self.desk, clock=FlowClock(), line=line, occasion_s=lambda: 1.0, keep=lambda seat: None)
        self.hardware.start(self.desk, clerks, lambda: None)

    def invite(self):
        expires_ms = time.time_ns() // 1_000_000 + 60_000
        invitation = Invitation(occasion=secrets.token_bytes(16), stage="finish", expires_ms=expires_ms)
        self.desk.invite(invitation, lambda reply: None)

    def show(self, scene):
        print(scene.name, flush=True)
        if scene.name in ("reasons", "receipt"):
            self.work.put(self.desk.finish)
        elif scene.name == "idle":
            self.work.put(self.invite)

    def run(self):
        while True:
            self.work.get()()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slow", type=float, default=0.0)
    parser.add_argument("--hasty", action="store_true")
    options = parser.parse_args()
    Host(options.port, options.folder, slow_s=options.slow, hasty=options.hasty).run()
