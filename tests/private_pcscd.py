"""A private pcscd with Debian's virtual reader vpcd: real PC/SC for tests, without the computer's own service or readers."""

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from private_servers import free_port, wait_for

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
# pcscd's socket has a fixed place, so it gets a mount namespace in which that place is the folder of the test.
START = 'mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind "$1" /run/pcscd && exec "$2" -f -e -c "$3"'


class PrivatePcscd:
    """pcscd in the foreground, two virtual slots ("Virtual PCD 00 00" and "… 00 01"); stopped and started at will.

    libpcsclite reads the name of its socket once a process, so there is one of these a process, and it keeps its place.
    """

    _shared: "PrivatePcscd | None" = None

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nw-pcscd-"))
        self._readers = self.folder / "readers"
        self._readers.mkdir()
        self.port = free_port()
        # The second slot listens on the next port.
        while not _is_free(self.port + 1):
            self.port = free_port()
        device = f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{self.port}\nLIBPATH {DRIVER}\nCHANNELID {self.port}\n'
        (self._readers / "vpcd").write_text(device)
        os.environ["PCSCLITE_CSOCK_NAME"] = str(self.socket)
        self._process: subprocess.Popen | None = None

    @classmethod
    def shared(cls) -> "PrivatePcscd":
        """The one of this process, started if need be; ends with it."""
        if cls._shared is None:
            cls._shared = cls()
            atexit.register(cls._shared.close)
        cls._shared.start()
        return cls._shared

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "pcscd.comm"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @staticmethod
    def missing() -> str | None:
        """Why there can be none here, or None."""
        program = shutil.which("pcscd", path="/usr/sbin:/usr/bin")
        if program is None:
            return "Debian's package pcscd is not installed"
        if not DRIVER.exists():
            return "Debian's package vsmartcard-vpcd is not installed"
        if importlib.util.find_spec("smartcard") is None:
            return "Debian's package python3-pyscard is not visible to this Python"
        tried = subprocess.run([*_namespace(), "mount", "-t", "tmpfs", "none", "/run"], capture_output=True, text=True)
        return f"this computer allows no mount namespace: {tried.stderr.strip()}" if tried.returncode else None

    def start(self, *, with_readers: bool = True) -> None:
        """Start it, or nothing when it runs; returns once it can be reached."""
        if self._process is not None:
            return
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        program = shutil.which("pcscd", path="/usr/sbin:/usr/bin")
        folder = self._readers if with_readers else self.folder / "none"
        folder.mkdir(exist_ok=True)
        log = (self.folder / "log").open("ab")
        command = [*_namespace(), "sh", "-c", START, "sh", str(run), program, str(folder)]
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self.socket.exists, what="pcscd's socket")
        if with_readers:
            wait_for(lambda: not _is_free(self.port + 1), what="vpcd's port")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; what it left is removed."""
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(10)
        self._process = None
        shutil.rmtree(self.folder / "run", ignore_errors=True)

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _namespace() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--"]


def _is_free(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
