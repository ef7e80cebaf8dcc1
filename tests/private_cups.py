"""A CUPS of its own with a printer that we did not write: cupsd and ippeveprinter on private sockets, folders and ports.

ippeveprinter insists on Avahi, so it gets one, on a message bus of its own and on the loopback interface alone.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from waiting import until

NEEDED = {
    "cupsd": "cups-daemon", "lpadmin": "cups-client", "ippeveprinter": "cups-ipp-utils", "avahi-daemon": "avahi-daemon",
    "dbus-daemon": "dbus-daemon",
}  # fmt: skip
QUEUE = "A4"

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={folder}/bus.sock</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy>
</busconfig>"""
AVAHI = """[server]
host-name=nightwindow-test
use-ipv6=no
allow-interfaces=lo
disallow-other-stacks=no
enable-dbus=yes
"""
FILES = """ServerRoot {folder}/root
RequestRoot {folder}/requests
CacheDir {folder}/cache
StateDir {folder}/state
ServerBin /usr/lib/cups
DataDir /usr/share/cups
AccessLog {folder}/access.log
ErrorLog {folder}/error.log
PageLog {folder}/page.log
SystemGroup root
Printcap
Sandboxing relaxed
"""
SERVER = """LogLevel info
Listen {folder}/cups.sock
Browsing No
WebInterface No
PreserveJobHistory Yes
PreserveJobFiles No
DirtyCleanInterval 0
DefaultAuthType None
<Location />
Order allow,deny
Allow all
</Location>
<Policy default>
<Limit All>
Order allow,deny
Allow all
</Limit>
</Policy>
"""
COMMAND = """#!/bin/sh
# Prints nothing: keeps the document, says what stands in `says`, and waits while there is a file `hold`.
folder={folder}
while [ -e "$folder/hold" ]; do cat "$folder/says" >&2 2>/dev/null; sleep 0.05; done
cat "$folder/says" >&2 2>/dev/null
cp "$1" "$folder/printed/$(date +%s%N).pdf"
"""


def missing() -> str:
    """The Debian packages that are missing here, in words; empty when there are none."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    lacking = [package for program, package in NEEDED.items() if shutil.which(program, path=path) is None]
    try:
        import cups  # noqa: F401
    except ImportError:
        lacking.append("python3-cups")
    return ", ".join(lacking)


class PrivateCups:
    """Started at once; `server` is what a driver's configuration names."""

    def __init__(self) -> None:
        # Started by root, cupsd lets its helpers run as another user, who must get into this folder.
        folder = self.folder = Path(tempfile.mkdtemp(prefix="nightwindow-cups-"))
        folder.chmod(0o755)
        self.server = str(folder / "cups.sock")
        self._running: dict[str, subprocess.Popen] = {}
        for name in ("root", "requests", "cache", "state", "spool", "printed"):
            (folder / name).mkdir()
        texts = {"bus.conf": BUS, "avahi.conf": AVAHI, "files.conf": FILES, "cupsd.conf": SERVER, "command": COMMAND}
        for name, text in texts.items():
            (folder / name).write_text(text.format(folder=folder))
        (folder / "command").chmod(0o755)
        (folder / "says").write_text("")
        self._held = False
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._environment = {
            **os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus.sock",
        }  # fmt: skip
        self._start("dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile")
        until((folder / "bus.sock").exists, "a message bus")
        self._start(
            "avahi-daemon", "-f", f"{folder}/avahi.conf", "--no-drop-root", "--no-chroot", "--no-proc-title", "--no-rlimits"
        )
        self.start_printer()
        self.start_cups()
        self.run("lpadmin", "-p", QUEUE, "-E", "-v", self.device, "-o", "printer-error-policy=retry-current-job")

    @classmethod
    @cache
    def shared(cls) -> "PrivateCups":
        """The one of this test process, started at the first call and ended with the process."""
        made = cls()
        atexit.register(made.close)
        return made

    @property
    def device(self) -> str:
        """The printer itself."""
        return f"ipp://localhost:{self.port}/ipp/print"

    def _start(self, program: str, *arguments: str) -> None:
        with open(self.folder / f"{program}.log", "ab") as log:
            self._running[program] = subprocess.Popen(
                [program, *arguments], env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def run(self, program: str, *arguments: str) -> None:
        """A command of CUPS' client tools on this server."""
        command = [program, "-h", self.server, *arguments]
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=20)

    def start_printer(self) -> None:
        """Switch the printer on. Avahi may not be ready at the first try, and then ippeveprinter ends."""
        options = ("-r", "off", "-n", "localhost", "-p", str(self.port), "-f", "application/pdf", "-k")
        place = ("-c", f"{self.folder}/command", "-d", f"{self.folder}/spool", "Nightwindow test")

        def is_up() -> bool:
            running = self._running.get("ippeveprinter")
            if running is None or running.poll() is not None:
                self._start("ippeveprinter", *options, *place)
            with socket.socket() as link:
                return link.connect_ex(("127.0.0.1", self.port)) == 0

        until(is_up, "an IPP printer")

    def start_cups(self) -> None:
        """Start the print server."""
        self._start("cupsd", "-f", "-c", f"{self.folder}/cupsd.conf", "-s", f"{self.folder}/files.conf")

        def is_up() -> bool:
            with socket.socket(socket.AF_UNIX) as link:
                return link.connect_ex(self.server) == 0

        until(is_up, "a print server")

    def says(self, *states: str) -> None:
        """What the printer says from its next document on, for example `+media-empty-error`."""
        (self.folder / "says").write_text("".join(f"STATE: {state}\n" for state in states))

    def calm(self) -> None:
        """Put everything right, by switching the printer off and on if it was held or had to say anything."""
        is_spoilt = bool((self.folder / "says").read_text()) or self._held
        self.says()
        if is_spoilt:
            self.signal("ippeveprinter", signal.SIGKILL)
            self.start_printer()
        self.hold(False)
        self._held = False

    def print_past_cups(self) -> None:
        """Give the printer a document as another computer would."""
        (self.folder / "other.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
        command = ["ipptool", "-f", str(self.folder / "other.pdf"), self.device, "print-job.test"]
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=20)

    def hold(self, on: bool = True) -> None:
        """Make the printer stay in the middle of each document, or go on."""
        if on:
            (self.folder / "hold").touch()
            self._held = True
        else:
            (self.folder / "hold").unlink(missing_ok=True)

    def printed(self) -> list[bytes]:
        """The documents that came out."""
        return [path.read_bytes() for path in sorted((self.folder / "printed").iterdir())]

    def signal(self, program: str, number: signal.Signals) -> None:
        """Stop, continue or kill one of the programs."""
        # With what it started: a printer that is switched off prints nothing more.
        os.killpg(self._running[program].pid, number)
        if number == signal.SIGKILL:
            self._running.pop(program).wait()

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
