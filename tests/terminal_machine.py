"""A whole terminal for tests: its face as a process on a private X server, with simulated hardware, hands and eyes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from demo.hands import Hands
from hal.sim.control import send
from runtime.identity import ensure
from runtime.journal import JournalReader
from runtime.local import VIEW_FILE, CommandReply, DeviceView, FromFace, Unframer
from wire.codec import encode
from wire.kinds import read_body
from wire.messages import Desired, Placement

ROOT = Path(__file__).parents[1]
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
    """One terminal with its simulators on a private X server; `close` it."""

    def __init__(self, folder: Path, pack_file: Path, *, more: str = "") -> None:
        """`more` is appended to the configuration."""
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
            f'[hal.ups]\ndriver = "nut"\ntcp_port = {upsd}\npoll_s = 0.2\n[hal.board]\ndriver = "linux"\n{more}'
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
