"""One face alone: its own X screen, byte-level simulators and the smallest agent it can have. No fleet, no broker.

`bench_face` and `bench_press` measure such a face from outside. It runs as a process of its own by its public command.
"""

from __future__ import annotations

import os
import queue
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from demo.catalogue import read_catalogue
from demo.device import Device
from demo.processes import Part, Processes
from demo.screens import Screen
from demo.screens import start as start_screen
from pack.build import build
from runtime.facehub import FaceCame, FaceHub, FaceSaid, FaceWent, HubEvent
from runtime.identity import ensure, write_private
from runtime.local import VIEW_FILE, CommandReply, DeviceView, FromAgent, Invite
from ui import fonts
from wire.codec import encode
from wire.messages import Clerk, Desired, Invitation, Placement, WindowCard, Words

Role = Literal["terminal", "evaluator"]
SIZES: dict[Role, tuple[int, int]] = {"terminal": (1080, 1920), "evaluator": (1280, 800)}
PANEL_MM: dict[Role, tuple[int, int]] = {"terminal": (268, 476), "evaluator": (217, 136)}
FIRST_SCREEN: dict[Role, str] = {"terminal": "attract", "evaluator": "idle"}
"""The first screen that a person can use; the names are the faces' own."""
SIGNER = secrets.token_bytes(32)
"""Signs the pack, as a fleet would."""
HALL: Words = {"zh": "云溪县政务服务中心", "ko": "운계현 행정서비스센터", "en": "Yunxi County Service Center"}
ITEM: Words = {"zh": "国有建设用地使用权转移登记", "ko": "국유 건설용지 사용권 이전 등기", "en": "Transfer of land-use right"}
CARD = WindowCard(
    number="12",
    business={"zh": "不动产登记", "ko": "부동산 등기", "en": "Real estate registration"},
    place={"zh": "二楼 · 不动产专区", "ko": "2층 · 부동산 구역", "en": "2nd floor · Real estate"},
    clerk=Clerk(number="0312", name="王丽", post={"zh": "首席代表", "ko": "수석 담당", "en": "Chief clerk"}),
)


class NoFace(RuntimeError):
    """The face did not do in time what was waited for; the message says what, and holds the end of its log."""


class SmallAgent(threading.Thread):
    """The agent's end of the local socket and nothing else: hands over one DeviceView, passes on invitations."""

    def __init__(self, path: Path, view: DeviceView) -> None:
        super().__init__(name="small-agent", daemon=True)
        self._events: queue.Queue[HubEvent | FromAgent | None] = queue.Queue()
        self._hub = FaceHub(path, on_event=self._events.put, hung_after_ms=15_000)
        self._view = view
        self.replies: queue.Queue[CommandReply] = queue.Queue()
        self._met = threading.Event()
        self._hub.start()
        self.start()

    def run(self) -> None:
        """The hub belongs to this thread: everything passes through one queue."""
        while (event := self._events.get()) is not None:
            if isinstance(event, FaceCame):
                if self._hub.take(event, time.monotonic_ns() // 1_000_000):
                    self._hub.send(self._view)
                    self._met.set()
            elif isinstance(event, FaceSaid):
                self._hub.take(event, time.monotonic_ns() // 1_000_000)
                if isinstance(event.message, CommandReply):
                    self.replies.put(event.message)
            elif isinstance(event, FaceWent):
                if self._hub.take(event, time.monotonic_ns() // 1_000_000):
                    self._met.clear()
            else:
                self._hub.send(event)
        self._hub.stop()

    def invite(self, *, for_s: float = 600.0, within_s: float = 5.0) -> bytes:
        """Ask for a rating of a new occasion; returns its id once the face says that the question is on the screen."""
        invitation = Invitation(
            occasion=secrets.token_bytes(16), stage="finish", item_code="bench", item_name=ITEM, case_tail="0417",
            expires_ms=round((time.time() + for_s) * 1000),
        )  # fmt: skip
        command = secrets.token_bytes(16)
        # A face shows what it remembers before it has found its agent.
        if not self._met.wait(within_s):
            raise NoFace(f"no face came to the agent within {within_s:g} s")
        self._events.put(Invite(command=command, invitation=invitation))
        try:
            while (reply := self.replies.get(timeout=within_s)).command != command:
                continue
        except queue.Empty:
            raise NoFace(f"no answer to an invitation within {within_s:g} s") from None
        if reply.state != "done":
            raise NoFace(f"an invitation was {reply.state}: {reply.detail}")
        return invitation.occasion

    def end(self) -> None:
        """Stop listening."""
        self._events.put(None)
        self.join(5.0)


@dataclass
class Lone:
    """One device of `role` without its fleet. `device` is how people meet it; `began_s` is when its face was last started."""

    role: Role
    folder: Path
    device: Device
    agent: SmallAgent
    processes: Processes
    began_s: float = 0.0

    @property
    def screen(self) -> Screen:
        """Its panel."""
        return self.device.screen

    @property
    def pid(self) -> int:
        """The face's process."""
        return self.processes.parts[self.device.face].pid

    @property
    def evidence(self) -> Path:
        """The journal the face writes."""
        return self.folder / "data" / "evidence.db"

    def forget(self) -> None:
        """Make the next start the first in the device's life: no fonts, texts, shaders or journal; Debian's fonts not in memory."""
        data = self.folder / "data"
        for folder in ("cache", "kivy"):
            shutil.rmtree(data / folder, ignore_errors=True)
        for file in data.glob("evidence*"):
            file.unlink()
        for collection in fonts.NOTO.glob("NotoSansCJK-*.ttc"):
            with collection.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def start(self) -> Part:
        """Start the face's process; returns at once."""
        command = [
            sys.executable, "-m", f"{self.role}.app", "--config", str(self.folder / "device.toml"),
            "--outline", str(self.folder / "outline.sock"),
        ]  # fmt: skip
        self.began_s = time.monotonic()
        return self.processes.start(self.device.face, command, environment={"DISPLAY": self.screen.display})

    def stop(self) -> None:
        """End the face's process."""
        self.processes.end(self.device.face)

    def wait(self, what: str, ready: Callable[[], bool], *, within_s: float = 20.0) -> float:
        """Look every few milliseconds until `ready`; returns the moment. Raises NoFace after `within_s` seconds."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if ready():
                return time.monotonic()
            time.sleep(0.004)
        part = self.processes.parts.get(self.device.face)
        raise NoFace(f"{self.role}: no {what} within {within_s:g} s\n{part.last_words() if part else 'its process is gone'}")

    def wait_screen(self, name: str, *, within_s: float = 20.0) -> float:
        """Wait until the face says that it shows screen `name` and has something to touch there, or wakes at a touch."""

        def shows() -> bool:
            seen = self.device.outline()
            return bool(seen) and seen["screen"] == name

        return self.wait(f"screen {name}", shows, within_s=within_s)


@contextmanager
def lone(role: Role) -> Iterator[Lone]:
    """A device of this role with screen, simulators and agent running, its face not yet started. Ends all of it."""
    with tempfile.TemporaryDirectory(prefix=f"nightwindow-bench-{role}-") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        processes = Processes(folder, say=lambda line: print(line, file=sys.stderr))
        agent = None
        try:
            screen = start_screen(processes, role, SIZES[role], is_window=False)
            pack = folder / "hall.pack"
            if role == "terminal":
                build(read_catalogue(), pack, built_at=datetime.now(UTC), signer=SIGNER)
                _simulators(processes, folder)
            (folder / "device.toml").write_text(_configuration(role, folder), encoding="utf-8")
            view = _view(role, folder, pack)
            write_private(folder / "data" / VIEW_FILE, encode(view))  # As the agent does, for a face that is up before it.
            agent = SmallAgent(folder / "data" / "agent.sock", view)
            device = Device(role, role, folder, screen, processes)
            yield Lone(role, folder, device, agent, processes)
        finally:
            processes.end_all()
            if agent is not None:
                agent.end()


def _simulators(processes: Processes, folder: Path) -> None:
    """The printer and card reader of a terminal, so that the face polls them as it does in a hall."""
    for name in ("printer", "idcard"):
        where = ["--link", str(folder / f"{name}.tty"), "--control", str(folder / f"{name}.ctl")]
        processes.start(f"sim-{name}", [sys.executable, "-m", f"hal.sim.{name}", *where])
    deadline = time.monotonic() + 10.0
    while not all((folder / f"{name}.tty").exists() for name in ("printer", "idcard")):
        if time.monotonic() > deadline:
            raise NoFace("the printer's or card reader's simulator did not start")
        time.sleep(0.02)


def _configuration(role: Role, folder: Path) -> str:
    width, height = SIZES[role]
    width_mm, height_mm = PANEL_MM[role]
    # Nothing may end by itself while it is measured: the waiting times are the longest allowed.
    lines = [
        f'role = "{role}"',
        f'data_dir = "{folder / "data"}"',
        "[panel]",
        f"width_px = {width}\nheight_px = {height}\nwidth_mm = {width_mm}.0\nheight_mm = {height_mm}.0\nfullscreen = false",
        "day_from = 0\nnight_from = 23",
        "[idle]\nafter_s = 600.0\nwarning_s = 120.0",
        "[rating]\ninvitation_s = 600.0\ncorrection_s = 30.0\nreasons_s = 120.0",
        f'[hal.gpio]\ndriver = "socket"\nsocket = "{folder / "pins.sock"}"',
    ]
    if role == "evaluator":
        lines.append('[hal.buttons]\ndriver = "gpio"')
    else:
        lines.append(f'[hal.printer]\ndriver = "escpos"\nport = "{folder / "printer.tty"}"')
        lines.append(f'[hal.id_card]\ndriver = "samv"\nport = "{folder / "idcard.tty"}"')
        lines.append('[hal.door]\ndriver = "gpio"')
    return "\n".join(lines) + "\n"


def _view(role: Role, folder: Path, pack: Path) -> DeviceView:
    device = ensure(folder / "data").device
    placement = Placement(
        hall="yunxi", hall_name=HALL, label={"zh": "24小时自助服务区 · 1号机"}, window="12" if role == "evaluator" else "",
        demonstration=True,
    )  # fmt: skip
    desired = Desired(
        version=1, device=device, placement=placement, window=CARD if role == "evaluator" else None,
        seal_key=bytes(PrivateKey.generate().public_key),
    )  # fmt: skip
    return DeviceView(
        device=device, pairing="paired", link="up", link_since_ms=round(time.time() * 1000), desired=desired,
        content_path=str(pack) if role == "terminal" else "", content_version="bench" if role == "terminal" else "",
        fleet_key=bytes(SigningKey(SIGNER).verify_key),
    )  # fmt: skip
