"""The whole face as a citizen meets it: real window, touches through the X server, serial bytes to simulated hardware."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from demo.hands import Hands
from hal.sim.control import ControlError, send
from runtime.identity import ensure
from runtime.journal import JournalReader
from runtime.local import VIEW_FILE, CommandReply, DeviceView, FromFace, Identify, Unframer, send_message
from wire.codec import encode
from wire.entry import SYNCED
from wire.kinds import read_body
from wire.messages import Desired, Placement

ROOT = Path(__file__).parents[2]
PASSPORT = "11999999MB0000027M4000102002000"
WITHIN_S = 60.0
"""A loaded test machine starts Kivy slowly; a passing test waits only as long as it must."""


def wait(look: Callable[[], Any], what: str) -> Any:
    """Look until there is something."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {what} within {WITHIN_S:.0f} s")


def wait_for_reply(connection: socket.socket) -> None:
    """Read what a face says until it has answered a command: then it has taken everything sent before."""
    connection.settimeout(WITHIN_S)
    unframer = Unframer(FromFace)
    while not any(isinstance(message, CommandReply) for message in unframer.feed(connection.recv(65_536))):
        pass


class Terminal:
    """One terminal with its simulators on a private X server."""

    def __init__(self, folder: Path, pack_file: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.parts: list[subprocess.Popen[bytes]] = []
        self.face: subprocess.Popen[bytes] | None = None
        self._start(sys.executable, "-m", "hal.sim.ups", "--link", "tcp:127.0.0.1:0", "--control", f"{folder}/ups.ctl")
        wait(lambda: (folder / "ups.ctl").exists(), "ups")
        upsd = send(f"{folder}/ups.ctl", {"do": "port"})["port"].rpartition(":")[2]
        (folder / "device.toml").write_text(
            f'role = "terminal"\ndata_dir = "{self.data}"\ncontent_file = "{pack_file}"\nphone = "000-8000100"\n'
            "[panel]\nfullscreen = false\n"
            f'[hal.gpio]\ndriver = "socket"\nsocket = "{folder}/pins.sock"\n'
            f'[hal.printer]\ndriver = "escpos"\nport = "{folder}/printer"\npoll_s = 0.2\n'
            f'[hal.id_card]\ndriver = "samv"\nport = "{folder}/idcard"\n[hal.door]\ndriver = "gpio"\n'
            f'[hal.ups]\ndriver = "nut"\ntcp_port = {upsd}\npoll_s = 0.2\n[hal.board]\ndriver = "linux"\n'
        )
        read, write = os.pipe()
        self._start("Xvfb", "-displayfd", str(write), "-screen", "0", "1080x1920x24", "-nolisten", "tcp", "-noreset", keep=(write,))
        os.close(write)
        with os.fdopen(read) as numbers:
            # To the end of the line: a server that cannot write the whole of it ends at once.
            self.display = f":{numbers.readline().strip()}"
        for name in ("printer", "idcard"):
            self._start(sys.executable, "-m", f"hal.sim.{name}", "--link", f"{folder}/{name}", "--control", f"{folder}/{name}.ctl")
            wait(lambda path=folder / f"{name}.ctl": path.exists(), name)
        self.hands = Hands(self.display)

    def _start(self, *command: str, keep: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        log = (self.folder / f"{Path(command[0]).name}-{len(self.parts)}.log").open("wb")
        part = subprocess.Popen(command, pass_fds=keep, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self.parts.append(part)
        return part

    def pair(self, pack_file: Path) -> None:
        """Give the face what an agent would have written down: a placement, the fleet's keys and its pack."""
        self.data.mkdir(exist_ok=True)
        identity = ensure(self.data)
        place = Placement(hall="yunxi", hall_name={"zh": "云溪县政务服务中心"}, label={"zh": "1号机"})
        key = bytes(PrivateKey(b"\x01" * 32).public_key)
        desired = Desired(version=1, device=identity.device, placement=place, seal_key=key)
        fleet_key = bytes(SigningKey(bytes(32)).verify_key)
        view = DeviceView(
            device=identity.device, pairing="paired", desired=desired, content_path=str(pack_file), fleet_key=fleet_key
        )
        (self.data / VIEW_FILE).write_bytes(encode(view))

    def start(self) -> None:
        """Start the face and wait for its attract screen with content."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DISPLAY": self.display}
        log = (self.folder / "face.log").open("ab")
        command = [sys.executable, "-m", "terminal.app", "--config", f"{self.folder}/device.toml"]
        command += ["--outline", f"{self.folder}/outline.sock"]
        self.face = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        wait(lambda: self.look().get("asleep"), "attract screen with content")

    def look(self) -> dict[str, Any]:
        """What can be touched now."""
        assert self.face is None or self.face.poll() is None, (self.folder / "face.log").read_text()[-3000:]
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(5)
                link.connect(f"{self.folder}/outline.sock")
                link.sendall(b"?\n")
                line = b""
                while not line.endswith(b"\n"):
                    line += link.recv(65_536) or b"{}\n"
                found: dict[str, Any] = json.loads(line)
                return found
        except OSError:
            return {}

    def wake(self) -> None:
        """Touch the glass once, where the search field will be."""
        wait(lambda: self.look().get("asleep"), "attract screen")
        self.hands.touch(500, 300)
        self.wait_screen("home")

    def touch(self, name: str) -> None:
        """Touch a target once it has come to rest, as a person does."""

        def resting() -> tuple[int, int] | None:
            def at() -> tuple[int, int] | None:
                spots = [(t["x"], t["y"]) for t in self.look().get("targets", []) if t["name"] == name]
                return spots[0] if spots else None

            first = at()
            time.sleep(0.15)
            return first if first and first == at() else None

        x, y = wait(resting, f"target {name} on {self.look().get('screen')}")
        self.hands.touch(x, y)

    def wait_screen(self, name: str) -> None:
        """Look until this screen shows."""
        wait(lambda: self.look().get("screen") == name, f"screen {name}, still {self.look().get('screen')}")

    def entries(self) -> list[tuple[str, Any]]:
        """All entries of the evidence journal, by kind."""
        (path,) = sorted(self.data.glob("evidence*.db"))[-1:]
        with JournalReader(path) as reader:
            return [(r.header.kind, read_body(r.header.kind, r.header.kind_version, r.entry.body)) for r in reader.rows(0)]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.entries()]

    def kill(self) -> None:
        """Cut the power of the face."""
        assert self.face is not None
        self.face.send_signal(signal.SIGKILL)
        self.face.wait()

    def close(self) -> None:
        """Stop what was started."""
        self.hands.close()
        for part in [*([self.face] if self.face else []), *reversed(self.parts)]:
            part.terminate()
            part.wait(10)


@pytest.fixture
def terminal(tmp_path: Path, pack_file: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, pack_file)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_citizen_finds_prints_rates_and_leaves(terminal: Terminal, pack_file: Path) -> None:
    terminal.pair(pack_file)
    terminal.start()
    terminal.wake()
    terminal.touch("search")
    for letter in "hz":
        terminal.touch(f"key {letter}")
    terminal.touch(f"item {PASSPORT}")
    terminal.touch("material 0")
    terminal.touch("print")
    terminal.touch("done")
    terminal.touch("level 4")
    terminal.touch("tag lv4.found")
    terminal.touch("rating done")
    terminal.touch("end")
    terminal.wait_screen("goodbye")
    tickets = send(f"{terminal.folder}/printer.ctl", {"do": "paper"})["tickets"]
    texts = [item.get("text", "") for item in tickets[0]["items"]]
    assert len(tickets) == 1
    assert any("普通护照签发" in text for text in texts)
    assert any(text.startswith("√") and "居民身份证" in text for text in texts)
    assert terminal.kinds()[1:] == [
        "session.opened", "print.asked", "print.finished", "rating.invited", "rating.pressed", "rating.closed", "session.closed",
    ]  # fmt: skip
    assert dict(terminal.entries())["print.finished"].outcome == "printed"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_the_journal_follows_the_clock_that_the_fleet_has_repaired(terminal: Terminal) -> None:
    terminal.data.mkdir()
    true_ms = 1_900_000_000_000
    view = DeviceView(
        device=ensure(terminal.data).device, true_wall_ms=true_ms,
        true_mono_ms=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
    )  # fmt: skip
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(f"{terminal.data}/agent.sock")
        agent.listen(1)
        terminal.start()
        agent.settimeout(WITHIN_S)
        connection, _ = agent.accept()
        with connection:
            send_message(connection, view)
            send_message(connection, Identify(command=b"i" * 16))
            wait_for_reply(connection)
            terminal.wake()
    with JournalReader(terminal.data / "evidence.db") as reader:
        header = [row.header for row in reader.rows(0)][1]
    assert header.kind == "session.opened"
    assert (header.clock_trust, 0 <= header.wall_ms - true_ms < 300_000) == (SYNCED, True)


@pytest.mark.window
@pytest.mark.timeout(600)
def test_the_very_first_touch_after_a_start_wakes_and_presses_nothing(terminal: Terminal) -> None:
    terminal.start()
    terminal.wake()
    assert terminal.kinds()[-1] == "session.opened"
    assert terminal.look()["screen"] == "home"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_paper_out_is_said_on_the_button_and_a_kill_is_owned_up_to(terminal: Terminal) -> None:
    terminal.start()
    send(f"{terminal.folder}/printer.ctl", {"do": "paper_out"})
    terminal.wake()
    terminal.touch("popular" if any(t["name"] == "popular" for t in terminal.look()["targets"]) else "hot")
    terminal.touch(f"item {PASSPORT}")
    terminal.wait_screen("guide")
    wait(lambda: not any(t["name"] == "print" for t in terminal.look()["targets"]), "print button switched off")
    terminal.kill()
    terminal.start()
    assert terminal.look()["screen"] == "attract"
    assert terminal.kinds()[-1] == "session.closed"
    assert terminal.entries()[-1][1].how == "restart"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_card_greets_and_an_opened_door_wipes(terminal: Terminal) -> None:
    terminal.start()
    send(f"{terminal.folder}/idcard.ctl", {"do": "insert"})
    terminal.wait_screen("home")

    def open_door() -> bool:
        try:
            return bool(send(f"{terminal.folder}/pins.sock", {"set": "door", "value": 1}))
        except ControlError:
            return False

    wait(open_door, "pins")
    terminal.wait_screen("secured")
    wait(lambda: "security.door" in terminal.kinds(), "door entry")
    kinds = terminal.kinds()
    assert kinds[-2:] == ["session.closed", "security.door"]
    assert terminal.entries()[-2][1].how == "door"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_power_cut_ends_the_visit_in_time_and_nobody_begins_until_the_mains_are_back(terminal: Terminal) -> None:
    def ups(do: str, **options: object) -> None:
        send(f"{terminal.folder}/ups.ctl", {"do": do, **options})

    terminal.start()
    terminal.wake()
    ups("mains", on=False)
    wait(lambda: terminal.kinds()[-1] == "power.changed", "entry of the power cut")
    assert terminal.look()["screen"] == "home", "who is there may finish"
    ups("battery", charge=5, runtime_s=40)
    wait(lambda: terminal.kinds()[-1] == "session.closed", "end of the visit")
    assert [kind for kind, _ in terminal.entries()][-3:] == ["power.changed", "power.changed", "session.closed"]
    assert terminal.entries()[-1][1].how == "power"
    terminal.wait_screen("attract")
    terminal.hands.touch(500, 300)
    ups("battery", charge=60)
    ups("mains")
    wait(lambda: terminal.entries()[-1][1].state == "mains" if terminal.kinds()[-1] == "power.changed" else False, "mains")
    assert terminal.kinds().count("session.opened") == 1, "the touch on the battery began nothing"
    terminal.wake()
    assert terminal.kinds().count("session.opened") == 2
