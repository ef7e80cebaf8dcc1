"""A real evaluator process on a private X server, with real pins, journal and socket: pressed, corrected, killed, pictured."""

import contextlib
import json
import os
import queue
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest
from nacl.public import PrivateKey
from private_servers import wait_for

from runtime.journal import JournalReader
from runtime.local import (
    AskAnswer,
    AskRequest,
    CommandReply,
    DeviceView,
    FaceState,
    FromFace,
    Identify,
    Invite,
    PictureReply,
    PictureRequest,
    Unframer,
    Withdraw,
    send_message,
)
from wire.entry import SYNCED
from wire.kinds import RatingClosed, read_body
from wire.messages import Answer, Clerk, Desired, Invitation, Placement, WindowCard

pytestmark = [pytest.mark.window, pytest.mark.timeout(180)]
DEADLINE_S = 60.0


class StandInAgent:
    """The agent's end of the socket, spoken with the agent's own messages; the fleet behind it is the test."""

    def __init__(self, path: Path, desired: Desired) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self.desired = desired
        self.heard: queue.Queue[FromFace] = queue.Queue()
        self.connection: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connection = connection
            send_message(connection, DeviceView(device="nwtest", pairing="paired", link="up", desired=self.desired))
            unframer = Unframer(FromFace)
            with contextlib.suppress(OSError):
                while data := connection.recv(65_536):
                    for message in unframer.feed(data):
                        self.heard.put(message)

    def say(self, message: object) -> None:
        assert self.connection is not None
        send_message(self.connection, message)  # type: ignore[arg-type]

    def wait_for(self, what, **having):
        """The next message of that kind with those values, or values that fulfil those conditions; others are passed over."""

        def fits(value: object, wanted: object) -> bool:
            return bool(wanted(value)) if callable(wanted) else value == wanted

        end = time.monotonic() + DEADLINE_S
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.heard.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(message, what) and all(fits(getattr(message, key), value) for key, value in having.items()):
                return message
        raise AssertionError(f"no {what.__name__} with {having} within {DEADLINE_S} s")

    def close(self) -> None:
        self._listener.close()
        if self.connection is not None:
            self.connection.close()


class Device:
    """One evaluator: its files, its process, its pins."""

    def __init__(self, folder: Path, display: str, cache: Path) -> None:
        self.data, self._display = folder / "data", display
        self.data.mkdir()
        # Fonts are prepared once for all tests; that takes seconds.
        (self.data / "cache").symlink_to(cache, target_is_directory=True)
        self.pins, self.outline = folder / "pins", folder / "outline"
        self.config = folder / "device.toml"
        self.config.write_text(
            f'role = "evaluator"\ndata_dir = "{self.data}"\nsocket = "{folder / "agent"}"\n'
            "[panel]\nwidth_px = 800\nheight_px = 480\nwidth_mm = 154.0\nheight_mm = 92.0\nfullscreen = false\n"
            f'[hal.gpio]\ndriver = "socket"\nsocket = "{self.pins}"\n[hal.buttons]\ndriver = "gpio"\n[hal.door]\ndriver = "gpio"\n',
            encoding="utf-8",
        )
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evaluator.app", "--config", str(self.config), "--outline", str(self.outline)],
            env=os.environ | {"DISPLAY": self._display, "PYTHONFAULTHANDLER": "1", "HOME": str(self.data / "no-home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(how)
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output

    def press(self, button: str) -> None:
        self._command({"press": button, "ms": 80, "bounce_ms": 4})

    def key(self, key: str) -> None:
        self._command({"key": key, "ms": 80, "bounce_ms": 4})

    def is_lit_for(self, seconds: float, lamp: str) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.lamps()["lamps"][lamp]:
                return False
        return True

    def door(self, *, opened: bool) -> None:
        self._command({"set": "door", "value": int(opened)})

    def kinds(self) -> list[str]:
        with JournalReader(self.data / "evidence.db") as reader:
            return [row.header.kind for row in reader.rows(0)]

    def lamps(self) -> dict:
        return self._command({"get": "lamps"})

    def _command(self, command: dict[str, object]) -> dict:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as pins:
            pins.settimeout(DEADLINE_S)
            pins.connect(str(self.pins))
            pins.sendall(json.dumps(command).encode() + b"\n")
            return json.loads(pins.makefile().readline())

    def seen(self) -> dict[str, object]:
        """What can be touched now."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as eye:
            eye.settimeout(DEADLINE_S)
            eye.connect(str(self.outline))
            eye.sendall(b"?\n")
            return json.loads(eye.makefile().readline())

    def ratings(self) -> list[object]:
        with JournalReader(self.data / "evidence.db") as reader:
            return [
                (row.header.kind, read_body(row.header.kind, 1, row.entry.body))
                for row in reader.rows(0)
                if row.header.kind.startswith("rating.")
            ]


@pytest.fixture
def device(tmp_path, display, cache):
    made = Device(tmp_path, display, cache)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)


@pytest.fixture
def agent(tmp_path):
    clerk = Clerk(number="0312", name="示例", post={"zh": "窗口人员"})
    card = WindowCard(number="12", business={"zh": "不动产登记"}, place={"zh": "二楼"}, clerk=clerk)
    place = Placement(hall="demo", hall_name={"zh": "示例大厅"}, label={"zh": "12号窗口"}, window="12")
    key = bytes(PrivateKey.generate().public_key)
    made = StandInAgent(tmp_path / "agent", Desired(version=1, device="nwtest", placement=place, window=card, seal_key=key))
    yield made
    made.close()


def _invitation(number: int = 1) -> Invitation:
    return Invitation(occasion=bytes([number]) * 16, stage="finish", item_name={"zh": "转移登记"}, expires_ms=4_000_000_000_000)


def _have_buttons(parts):
    return any(part.part == "buttons" and part.state == "ok" for part in parts)


def _begin(device, agent):
    device.start()
    try:
        # The screen is there before the pins are: their library takes its time to be imported.
        agent.wait_for(FaceState, screen="idle", parts=_have_buttons)
    except AssertionError as error:
        status, output = device.end(signal.SIGABRT)
        raise AssertionError(f"{error}; the face ended with {status} and said:\n{output}") from error


def test_a_button_press_is_in_the_journal_and_the_citizen_is_thanked(device, agent):
    _begin(device, agent)
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    assert agent.wait_for(CommandReply).state == "done"
    assert {f"level {level}" for level in range(1, 6)} <= {target["name"] for target in device.seen()["targets"]}
    device.press("level_2")
    agent.wait_for(FaceState, screen="reasons")
    assert [kind for kind, _ in device.ratings()] == ["rating.invited", "rating.pressed"]
    assert device.ratings()[1][1].via == "button"
    status, output = device.end()
    assert status == 0, output
    kind, body = device.ratings()[-1]
    assert (kind, body.outcome, body.how) == ("rating.closed", "rated", "left")
    # The log line's own `level=info` is no rating; a figure, a button's name or the words would be.
    assert not re.search(r"level\W*[1-5]|满意", output)


def test_a_key_of_the_pad_rates_by_the_standards_code_and_the_voice_never_says_which(device, agent, tmp_path):
    fakes, said = Path(__file__).parents[1] / "hal" / "fakes", tmp_path / "said.txt"
    (tmp_path / "card").touch()
    synth = [sys.executable, str(fakes / "synth.py"), str(said), "0"]
    player = [sys.executable, str(fakes / "player.py"), str(tmp_path / "played.txt"), str(tmp_path / "card")]
    with device.config.open("a", encoding="utf-8") as more:
        more.write('[hal.keypad]\ndriver = "matrix"\n[hal.speech]\ndriver = "espeak"\n')
        more.write(f"espeak = {json.dumps(synth)}\nplayer = {json.dumps(player)}\n")
    _begin(device, agent)
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    agent.wait_for(FaceState, screen="ask")
    wait_for(lambda: said.exists() and said.read_text(encoding="utf-8"), what="the invitation")
    device.key("4")
    agent.wait_for(FaceState, screen="reasons")
    assert device.ratings()[1][1].via == "key"
    wait_for(lambda: len(said.read_text(encoding="utf-8").splitlines()) == 2)
    invited, thanked = (line.partition("\t")[2] for line in said.read_text(encoding="utf-8").splitlines())
    assert invited.startswith("请您评价这次服务。按键 5 非常满意。")
    assert thanked.startswith("已记下，谢谢您。")
    assert "满意" not in thanked


def test_a_killed_face_keeps_the_press_and_closes_it_at_the_next_start(device, agent):
    _begin(device, agent)
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    agent.wait_for(FaceState, screen="ask")
    device.press("level_5")
    agent.wait_for(FaceState, screen="reasons")
    device.end(signal.SIGKILL)
    _begin(device, agent)
    body = device.ratings()[-1][1]
    assert isinstance(body, RatingClosed)
    assert (body.how, body.outcome) == ("recovered", "rated")


def test_a_picture_is_taken_when_idle_and_refused_while_somebody_rates(device, agent):
    _begin(device, agent)
    agent.say(PictureRequest(command=b"p" * 16))
    reply = agent.wait_for(PictureReply)
    assert reply.refused is None
    assert reply.png.startswith(b"\x89PNG")
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    agent.wait_for(FaceState, screen="ask")
    agent.say(PictureRequest(command=b"q" * 16))
    reply = agent.wait_for(PictureReply)
    assert (reply.refused, reply.png) == ("picture.rating", b"")


def test_lamps_are_lit_while_a_rating_is_asked_for_and_dark_after(device, agent):
    _begin(device, agent)
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    agent.wait_for(FaceState, screen="ask")
    lit = device.lamps()
    agent.say(Withdraw(command=b"w" * 16, occasion=None))
    agent.wait_for(FaceState, screen="idle")
    assert lit != device.lamps()


def test_the_call_staff_button_calls_and_its_lamp_is_steady_once_somebody_has_seen_it(device, agent):
    _begin(device, agent)
    device.press("call_staff")
    call = agent.wait_for(AskRequest)
    assert (call.what, call.args["where"]) == ("help", "button")
    agent.say(AskAnswer(id=call.id, answer=Answer(status="ok", fields={"state": "seen"})))
    # A lamp that blinks is dark within this.
    wait_for(lambda: device.is_lit_for(1.0, "call_staff"), what="steady lamp")
    device.press("call_staff")
    assert agent.wait_for(AskRequest).args == {"call": call.args["call"], "end": "1"}
    wait_for(lambda: device.lamps()["lamps"]["call_staff"] == 0, what="dark lamp")


def test_an_opened_door_is_in_the_journal_and_ends_the_question(device, agent):
    _begin(device, agent)
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    agent.wait_for(FaceState, screen="ask")
    device.door(opened=True)
    agent.wait_for(FaceState, screen="idle")
    wait_for(lambda: "security.door" in device.kinds(), what="the door's entry")


def test_the_face_works_without_any_agent_and_says_what_to_do(device):
    device.start()
    assert device.process is not None
    device.outline.parent.mkdir(exist_ok=True)
    end = time.monotonic() + DEADLINE_S
    screen = ""
    while screen != "unpaired" and time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            screen = str(device.seen()["screen"])
        select.select([], [], [], 0.05)
    assert screen == "unpaired"
    status, output = device.end()
    assert status == 0, output
    assert "ready" in output


def test_a_touch_through_the_window_system_rates_and_a_second_one_finishes(device, agent, display):
    _begin(device, agent)
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    agent.wait_for(FaceState, screen="ask")
    _touch(display, device, "level 4")
    agent.wait_for(FaceState, screen="reasons")
    assert device.ratings()[-1][1].via == "touch"
    _touch(display, device, "done")
    agent.wait_for(FaceState, screen="receipt")
    _touch(display, device, "done")
    agent.wait_for(FaceState, screen="idle")
    body = device.ratings()[-1][1]
    assert (body.outcome, body.how) == ("rated", "done")


def _laid_out(device: Device, name: str) -> dict[str, int]:
    """Where that target is, once it stands still: a screen that was never shown takes a few frames to find its layout."""
    seen: list[dict[str, int]] = []

    def stands_still() -> bool:
        targets = device.seen()["targets"]
        seen.append(next(each for each in targets if each["name"] == name))  # type: ignore[attr-defined]
        select.select([], [], [], 0.05)
        return seen[-1]["w"] > 0 and seen[-2:] == [seen[-1]] * 2

    wait_for(stands_still, what=f"the layout of {name}")
    return seen[-1]


def _touch(display: str, device: Device, name: str) -> None:
    from Xlib import X
    from Xlib.display import Display
    from Xlib.ext import xtest

    target = _laid_out(device, name)
    server = Display(display)
    window = next(child for child in server.screen().root.query_tree().children if child.get_geometry().width == 800)
    place = window.get_geometry()
    for what, detail in ((X.MotionNotify, 0), (X.ButtonPress, 1), (X.ButtonRelease, 1)):
        x, y = place.x + target["x"], place.y + target["y"]
        xtest.fake_input(server, what, detail, x=x, y=y)
        server.sync()
    server.close()


def test_the_journal_follows_the_clock_that_the_fleet_has_repaired(device, agent):
    _begin(device, agent)
    true_ms = 1_900_000_000_000
    mono_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    agent.say(
        DeviceView(device="nwtest", pairing="paired", link="up", desired=agent.desired, true_wall_ms=true_ms, true_mono_ms=mono_ms)
    )
    agent.say(Invite(command=b"c" * 16, invitation=_invitation()))
    assert agent.wait_for(CommandReply).state == "done"
    with JournalReader(device.data / "evidence.db") as reader:
        header = list(reader.rows(0))[-1].header
    assert header.kind == "rating.invited"
    assert (header.clock_trust, 0 <= header.wall_ms - true_ms < 120_000) == (SYNCED, True)


def test_identify_is_answered(device, agent):
    _begin(device, agent)
    agent.say(Identify(command=b"i" * 16))
    assert agent.wait_for(CommandReply, command=b"i" * 16).state == "done"


def test_nothing_is_written_into_the_home_directory(device, agent):
    _begin(device, agent)
    device.end()
    assert not (device.data / "no-home").exists()


def test_pixels_of_the_picture_hide_the_clerks_name(device, agent):
    _begin(device, agent)
    agent.say(PictureRequest(command=b"p" * 16))
    png = agent.wait_for(PictureReply).png
    width, height, rows = _decode(png)
    assert (width, height) == (800, 480)
    # The clerk's portrait and name lie in the left third; nothing but the plain block and the dark ground may be there.
    colours = {rows[y][x] for y in range(60, 200, 7) for x in range(110, 190, 7)}
    assert len(colours) == 1


def _decode(png: bytes) -> tuple[int, int, list[list[bytes]]]:
    """Width, height and pixels of a picture as ui.picture writes it (no filters, 8-bit RGB)."""
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    start = png.index(b"IDAT") + 4
    length = int.from_bytes(png[start - 8 : start - 4], "big")
    raw = zlib.decompress(png[start : start + length])
    rows = []
    for y in range(height):
        row = raw[y * (width * 3 + 1) + 1 : (y + 1) * (width * 3 + 1)]
        rows.append([row[x : x + 3] for x in range(0, len(row), 3)])
    return width, height, rows
