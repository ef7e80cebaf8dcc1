"""Composes the hall: broker, fleet, devices with simulated hardware, paired and placed; everything in one private folder."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pypinyin import Style, lazy_pinyin

from demo import screens, settings
from demo.bench_acts import WARM_C
from demo.catalogue import FOLDER as CATALOGUE
from demo.clerk_pc import ClerkPc
from demo.device import Device
from demo.network import Cable
from demo.people import Clerks
from demo.processes import Processes
from hal.sim import thermometer
from pack.reader import open_pack

HALL = "yunxi"
LOGIN = "operator"
START_S = 60.0
SHOWN_PROBLEMS = 10
BIN = Path(sys.executable).parent


class HallError(RuntimeError):
    """The hall cannot be opened; the message says what went wrong and where to look."""


@dataclass(frozen=True)
class Plan:
    """One device to set up. `window` is empty for a terminal; sizes in pixels and millimetres."""

    name: str
    role: Literal["terminal", "evaluator"]
    label: str
    size: tuple[int, int]
    mm: tuple[float, float]
    window: str = ""
    on_cables: bool = False
    """An evaluator with a button box and a clerk's PC on serial cables; else its buttons are on pins."""


PLANS = (
    Plan("terminal-1", "terminal", "24小时自助服务区 · 1号机", (1080, 1920), (268, 476)),
    Plan("evaluator-12", "evaluator", "12号窗口评价器", (1280, 800), (217, 136), "12", on_cables=True),
    Plan("evaluator-06", "evaluator", "06号窗口评价器", (800, 480), (154, 92), "06"),
)
CLERKS = {"12": ("0312", "王丽"), "06": ("0271", "金明哲")}
"""Invented people: window → number and name."""


class Hall:
    """A running hall. `open` starts it, `close` ends everything that was started, and nothing else.

    `desktop` is the size of the user's display if windows shall appear on it. `ingest` is another command to take journals
    with: fault runs bring one that is wrong on purpose.
    """

    def __init__(
        self,
        folder: Path,
        *,
        say: Callable[[str], None],
        items: Path | None = None,
        console_port: int = 0,
        ingest: list[str] | None = None,
        desktop: tuple[int, int] | None = None,
    ) -> None:
        self.folder, self._say, self._items, self._ingest = folder, say, items, ingest
        self._desktop = desktop
        self.fleet_data = folder / "fleet"
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self.processes = Processes(self.logs, say=say)
        self.devices: dict[str, Device] = {}
        self.password = secrets.token_urlsafe(9)
        self.ports = {
            "broker": settings.free_port(),
            "door": settings.free_port(),
            "console": settings.free_port(console_port, option="--console-port"),
        }
        self.console_url = f"http://127.0.0.1:{self.ports['console']}"
        self.clerks: Clerks | None = None
        self.item_codes: list[str] = []
        """Items that people ask for most: what clerks handle."""
        self.queries: list[str] = []
        """The same as visitors type them: the first letters of their pinyin."""

    def open(self, stop: threading.Event) -> None:
        """Start everything; `stop` ends the attempt. Raises HallError; `close` is due in any case."""
        self._stop = stop
        self._found()
        self._serve()
        with ThreadPoolExecutor(len(PLANS)) as pool:
            self.devices = {plan.name: device for plan, device in zip(PLANS, pool.map(self._set_up, PLANS), strict=True)}
            self._say("devices: pairing, the operator compares the codes and approves")
            list(pool.map(self._pair, PLANS))
        self._sign_in()
        for device in self.devices.values():
            first = ("attract", "home") if device.role == "terminal" else ("idle",)
            device.wait_screen(*first, within_s=START_S)
        self._say("hall: all screens are ready")
        self._stop = threading.Event()  # What ends the opening hours must not end the books.

    def close(self) -> None:
        """End everything that was started."""
        if self.clerks:
            self.clerks.close()
        self.processes.end_all()
        for device in self.devices.values():
            for cable in device.cables:
                cable.close()

    @property
    def data_dirs(self) -> list[Path]:
        """The data folder of every device."""
        return [device.folder / "data" for device in self.devices.values()]

    def nw_fleet(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command of the fleet; gives what it printed. Raises HallError with its own words."""
        if self._stop.is_set():
            raise HallError("stopped")
        command = [str(BIN / "nw-fleet"), *arguments, "--data", str(self.fleet_data)]
        done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=120)
        if done.returncode:
            raise HallError(f"nw-fleet {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _found(self) -> None:
        """The fleet's data directory with its content and users."""
        ports = {name: self.ports[name] for name in ("broker", "door", "console")}
        settings.write(self.fleet_data / "fleet.toml", settings.fleet_settings(**ports))
        self.nw_fleet("init")
        self._say("fleet: database, keys and certificate authority made")
        if self._items:
            files = [CATALOGUE / "hall.json", self._items]
        else:
            files = [CATALOGUE / "hall.json", *sorted(CATALOGUE.glob("*.jsonl"))]
        report = json.loads(self.nw_fleet("items", "import", "--hall", HALL, "--json", *map(str, files)))
        self._tell_problems(report)
        pack_file = self.folder / "content.pack"
        packed = self.nw_fleet("pack", "build", "--hall", HALL, "--out", str(pack_file), "--publish")
        with open_pack(pack_file, verify_key=None) as pack:
            asked = pack.items(limit=40)
        self.item_codes = [item.code for item in asked]
        self.queries = ["".join(lazy_pinyin(item.name.zh, style=Style.FIRST_LETTER))[:3].lower() for item in asked]
        self._say(f"content: {len(report['new'])} items imported; {packed.splitlines()[0].rpartition('/')[2]}")
        self.nw_fleet("user", "add", LOGIN, "--role", "admin", "--password-stdin", stdin=self.password)
        for number, name in CLERKS.values():
            post = ("--post", "首席代表", "--post-ko", "수석대표", "--post-en", "Lead clerk")
            self.nw_fleet("staff", "add", number, "--hall", HALL, "--name", name, *post)

    def _tell_problems(self, report: dict[str, Any]) -> None:
        """What is wrong with the hall's own list, with its places. Raises HallError when nothing of it can be used."""
        serious = [problem for problem in report["problems"] if problem["severity"] != "note"]
        for problem in serious[:SHOWN_PROBLEMS]:
            place = ":".join(str(part) for part in (problem["file"], problem["row"] or "", problem["column"]) if part)
            self._say(f"content: {problem['severity']}: {place}: {problem['reason']}")
        if (more := len(serious) - SHOWN_PROBLEMS + report["more_problems"]) > 0:
            self._say(f"content: {more} more; nw-fleet items import --dry-run --json shows all")
        if not report["new"]:
            raise HallError(f"{self._items} gave no item; docs/items.md tells the formats")

    def _serve(self) -> None:
        """Broker, ingest and serve."""
        self.processes.start("broker", ["mosquitto", "-c", str(self.fleet_data / "broker" / "mosquitto.conf")])
        self._wait_port(self.ports["broker"], "broker")
        self._say(f"broker: Mosquitto on 127.0.0.1:{self.ports['broker']}, TLS with client certificates")
        self.processes.start("ingest", [*(self._ingest or [str(BIN / "nw-fleet"), "ingest"]), "--data", str(self.fleet_data)])
        self.processes.start("serve", [str(BIN / "nw-fleet"), "serve", "--data", str(self.fleet_data)])
        self._wait_port(self.ports["door"], "serve")
        self._wait_port(self.ports["console"], "serve")
        self._say(f"fleet: console {self.console_url}")

    def _wait_port(self, port: int, part: str) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and not self._stop.is_set():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise HallError(f"{part} does not listen on port {port} after {START_S:.0f} s:\n{self.processes.parts[part].last_words()}")

    def _set_up(self, plan: Plan) -> Device:
        """Screen, simulators, configuration, face and agent of one device."""
        folder = self.folder / plan.name
        (folder / "data").mkdir(parents=True)
        size = screens.fitting(plan.size, self._desktop)
        screen = screens.start(self.processes, plan.name, size, is_window=self._desktop is not None)
        cables = [Cable("127.0.0.1", self.ports["door"]), Cable("127.0.0.1", self.ports["broker"])]
        device = Device(plan.name, plan.role, folder, screen, self.processes, cables, plan.window, plan.label, plan.on_cables)
        ups = 0 if plan.on_cables else settings.free_port()
        made = settings.device_settings(
            plan.role,
            folder,
            size=size,
            mm=plan.mm,
            door=cables[0].port,
            broker=cables[1].port,
            on_cables=plan.on_cables,
            ups=ups,
        )
        config = settings.write(folder / "device.toml", made)
        self._simulate(plan, ups)
        environment = {
            "DISPLAY": screen.display,
            "NW_OUTLINE": str(folder / "outline.sock"),
            "SDL_VIDEODRIVER": "x11",
            "TZ": "Asia/Shanghai",
        }
        self.processes.start(device.agent, [str(BIN / "nw-agent"), "run", "--config", str(config)])
        self.processes.start(device.face, [str(BIN / f"nw-{plan.role}"), "--config", str(config)], environment=environment)
        self._say(f"{plan.name}: face and agent started, screen {screen.display}")
        return device

    def _simulate(self, plan: Plan, ups: int) -> None:
        """Start the simulators of a device's peripherals; what is on pins is simulated by its face."""
        folder = self.folder / plan.name
        kinds = ("printer", "idcard", "scanner") if plan.role == "terminal" else ("box", "desk") if plan.on_cables else ()
        links = {kind: str(folder / kind) for kind in kinds} | ({"ups": f"tcp:127.0.0.1:{ups}"} if ups else {})
        for kind, link in links.items():
            simulator = ["-m", f"hal.sim.{kind}", "--link", link, "--control", str(folder / f"{kind}.ctl")]
            self.processes.start(f"{plan.name}-{kind}", [sys.executable, *simulator])
        if plan.role == "terminal":
            thermometer.show_w1(folder / "w1", WARM_C)

    def _pair(self, plan: Plan) -> None:
        """What an operator does: read the code on the device, find it at the fleet, approve and place."""
        folder = self.folder / plan.name
        code = self._code_on_screen(folder)
        window = ["--window", plan.window] if plan.window else []
        self.nw_fleet("device", "approve", code, "--hall", HALL, *window, "--label", plan.label, "--by", LOGIN)
        self._say(f"{plan.name}: code {code} approved")

    def _code_on_screen(self, folder: Path) -> str:
        deadline = time.monotonic() + START_S
        command = [str(BIN / "nw-agent"), "status", "--config", str(folder / "device.toml"), "--json"]
        told: Any = ""
        while time.monotonic() < deadline and not self._stop.is_set():
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
            told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
            if told.get("pairing_code"):
                return str(told["pairing_code"])
            time.sleep(0.1)
        raise HallError(f"{folder.name} shows no pairing code after {START_S:.0f} s; its status: {told}")

    def _sign_in(self) -> None:
        """Clerks sign in at their windows, through the API that the hall's own system would use, and at PCs that have a cable."""
        pcs = {
            plan.window: ClerkPc(self.folder / plan.name / "desk.pc", self.logs / f"{plan.name}-clerk-pc.log")
            for plan in PLANS
            if plan.on_cables
        }
        self.clerks = Clerks(self.console_url, self.nw_fleet("key", "add", "hall system").strip(), HALL, pcs=pcs)
        for window, (number, _) in CLERKS.items():
            self.clerks.sign_in(window, number)
        self._say(f"clerks: {', '.join(f'{name} at window {window}' for window, (_, name) in CLERKS.items())}")
