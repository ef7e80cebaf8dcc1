"""A serial port that may vanish at any moment: every read and write has a deadline, and every failure a reason."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import serial
import structlog

from hal.health import HealthRecord

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 5.0

log = structlog.get_logger("hal")


class Closes(Protocol):
    """What `keep_open` keeps open: a line, an input device."""

    def close(self) -> None: ...


Opened = TypeVar("Opened", bound=Closes)


class LineDown(OSError):
    """The port is missing, taken, forbidden or broken; `reason` is a health id with its `args`."""

    def __init__(self, reason: str, args: dict[str, str]) -> None:
        super().__init__(f"{reason}: {', '.join(args.values())}")
        self.reason = reason
        self.reason_args = args


class LineSlow(TimeoutError):
    """The device did not take the bytes in time; `sent` of them are on their way."""

    def __init__(self, sent: int, total: int, deadline_s: float) -> None:
        super().__init__(f"{sent} of {total} bytes were taken within {deadline_s:.1f} s")
        self.sent = sent


class Line:
    """One open serial port, 8N1, exclusive. Not thread-safe: one thread owns it.

    pyserial opens and sets the port up; the bytes are moved here, because pyserial hands out immutable `bytes`, which
    cannot be wiped after a card was read.
    """

    def __init__(self, port: str, baud: int) -> None:
        """Open `port`.

        Raises:
            LineDown: it is missing, held by another program, forbidden, or broken.
        """
        self._port = port
        try:
            self._serial: Any = serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
            self._serial.reset_input_buffer()
        except (OSError, ValueError) as error:
            raise _why_not(port, error) from error
        self._fd: int = self._serial.fileno()
        os.set_blocking(self._fd, False)

    stranger: Callable[[Line], tuple[str, str]] | None = None
    """Asks who answers instead of the expected device, and gives (expected, found); set by `hal.ports`."""

    def explain_silence(self, health: HealthRecord, reason: str) -> None:
        """Tell health that the device is silent: by name when another device answers on this port, else as `reason`."""
        expected, found = self.stranger(self) if self.stranger is not None else ("", "")
        if found:
            health.set("hal.wrong_device", port=self._port, expected=expected, found=found)
        else:
            health.set(reason)

    @property
    def closed(self) -> bool:
        """Whether the port was let go."""
        return not self._serial.is_open

    def fileno(self) -> int:
        """The descriptor to wait on together with others."""
        return self._fd

    def close(self) -> None:
        """Let the port go."""
        with contextlib.suppress(OSError):
            self._serial.close()

    def read_into(self, buffer: bytearray, timeout_s: float) -> int:
        """Wait up to `timeout_s` for bytes and put them at the start of `buffer`; returns how many, 0 on silence.

        Raises:
            LineDown: the port is gone.
        """
        try:
            if not select.select([self._fd], [], [], max(0.0, timeout_s))[0]:
                return 0
            count = os.readv(self._fd, [buffer])
        except BlockingIOError:
            return 0
        except (OSError, ValueError) as error:
            raise LineDown("port.failed", {"port": self._port, "error": str(error)}) from error
        if count == 0:
            raise LineDown("port.failed", {"port": self._port, "error": "hung up"})
        return count

    def drain(self, quiet_s: float = 0.0) -> None:
        """Throw away what has arrived, until nothing comes for `quiet_s`; at most one second."""
        buffer = bytearray(1024)
        end_s = time.monotonic() + 1
        while self.read_into(buffer, quiet_s) and time.monotonic() < end_s:
            pass
        buffer[:] = bytes(len(buffer))

    def ask(self, question: bytes, wait_s: float = 0.4) -> bytes:
        """Send `question` and collect what comes back until it is over, at most for `wait_s`; empty on silence.

        Raises:
            LineDown: the port is gone.
            LineSlow: the device does not take the question.
        """
        self.drain()
        self.write(question, wait_s)
        heard, buffer = bytearray(), bytearray(256)
        end_s = time.monotonic() + wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            count = self.read_into(buffer, left_s if not heard else min(left_s, 0.05))
            if not count and heard:
                break
            heard += buffer[:count]
        return bytes(heard)

    def drop_unsent(self) -> None:
        """Forget bytes that were written but have not left this computer."""
        with contextlib.suppress(OSError):
            self._serial.reset_output_buffer()

    def redial(self) -> None:
        """Begin anew with a device that has gone silent. A serial port has nothing that could have been forgotten.

        Raises:
            LineDown: the device cannot be reached.
        """

    def write(self, data: bytes, deadline_s: float) -> None:
        """Send all of `data` within `deadline_s`.

        Raises:
            LineSlow: the device did not take it all in time.
            LineDown: the port is gone.
        """
        view = memoryview(data)
        end_s = time.monotonic() + deadline_s
        while view:
            try:
                ready = select.select([], [self._fd], [], max(0.0, end_s - time.monotonic()))[1]
                if not ready:
                    raise LineSlow(len(data) - len(view), len(data), deadline_s)
                view = view[os.write(self._fd, view) :]
            except BlockingIOError:
                continue
            except LineSlow:
                raise
            except (OSError, ValueError) as error:
                raise LineDown("port.failed", {"port": self._port, "error": str(error)}) from error


def _why_not(port: str, error: Exception) -> LineDown:
    """Why `port` could not be opened, as a health reason."""
    code = getattr(error, "errno", None)
    if code == errno.ENOENT or not os.path.exists(port):
        return LineDown("port.missing", {"port": port})
    if code in (errno.EACCES, errno.EPERM):
        return LineDown("port.denied", {"port": port})
    # pyserial reports a lock held by another program without an errno of its own.
    if code in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "exclusively lock" in str(error):
        return LineDown("port.busy", {"port": port})
    return LineDown("port.failed", {"port": port, "error": str(error)})


def keep_open(
    open_line: Callable[[], Opened],
    session: Callable[[Opened], None],
    *,
    health: HealthRecord,
    stop: threading.Event,
    pause: Callable[[float], object] | None = None,
) -> None:
    """Open the port and run `session(line)` on it, again and again until `stop`; the body of a driver's thread.

    `open_line` is made by `hal.tools.OpensPorts.opener`. `session` returns when `stop` is set, or raises `LineDown` when the
    port goes. Between tries the wait grows from 0.2 to 5 s, spent in `pause(seconds)`, by default until `stop`. Anything else
    that `session` raises is a driver's mistake: logged, told as health, and tried again.
    """
    pause = pause or stop.wait
    retry_s = FIRST_RETRY_S
    while not stop.is_set():
        line = None
        try:
            line = open_line()
            retry_s = FIRST_RETRY_S
            session(line)
        except LineDown as down:
            health.set(down.reason, **down.reason_args)
        except Exception as error:
            log.exception("driver failed", peripheral=health.name)
            health.set("hal.driver_failed", error=f"{type(error).__name__}: {error}")
        finally:
            if line is not None:
                line.close()
        pause(retry_s)
        retry_s = min(retry_s * 2, LAST_RETRY_S)
