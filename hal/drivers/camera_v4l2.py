"""A camera that reads the QR code on a phone's screen: off unless asked, and no picture ever leaves this module.

Pictures are decoded by zxing-cpp, which is loaded only when the camera looks.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import structlog

from hal.api import EventListener, HealthListener
from hal.api.codes import LookEnded, Scanned, ScanRefused
from hal.codes import CodeRefused, text_of
from hal.drivers.own_thread import OwnThread
from hal.drivers.v4l2_frames import CameraError, Frames, NotInstalled
from hal.tools import Tools

SHORTEST_LOOK_S, LONGEST_LOOK_S = 0.5, 60.0
FRAME_S = 3.0
"""A camera that gives no picture for so long is broken."""
TURN_S = 0.5

log = structlog.get_logger("hal")


class Config(msgspec.Struct, frozen=True):
    """A V4L2 camera, for example a USB one (not the ribbon cameras of newer Raspberry Pis, which need libcamera).

    `device` a stable path. `width`, `height` what it is asked for; it may choose another size. `tool` the program that takes
    the pictures, Debian's v4l2-ctl.
    """

    device: str = "/dev/video0"
    width: Annotated[int, msgspec.Meta(ge=160, le=3840)] = 1280
    height: Annotated[int, msgspec.Meta(ge=120, le=2160)] = 720
    tool: str = "v4l2-ctl"


def where(config: Config) -> str:
    """See `hal.registry.DRIVERS`."""
    return config.device


def is_there(config: Config) -> bool:
    """See `hal.registry.DRIVERS`."""
    return os.path.exists(config.device)


def open_driver(name: str, config: Config, tools: Tools) -> V4l2Camera:
    """See `hal.registry.DRIVERS`."""
    return V4l2Camera(name, config, on_event=tools.on_event, on_health=tools.on_health)


def read_qr(picture: memoryview) -> bytes | None:
    """The content of a QR code in a grey picture (height by width), None when there is none. Raises ImportError."""
    import zxingcpp

    # Its type hints want a set of formats, of which the older versions know only single ones.
    only: Any = zxingcpp.BarcodeFormat.QRCode
    found = zxingcpp.read_barcodes(picture, formats=only)
    return next((bytes(one.bytes) for one in found if one.valid), None)


class V4l2Camera(OwnThread):
    """`hal.api.Camera` on V4L2. `open_frames` opens the camera, `read` finds a code in one picture."""

    def __init__(
        self,
        name: str,
        config: Config,
        *,
        on_event: EventListener,
        on_health: HealthListener,
        open_frames: Callable[[Config], Any] = lambda config: Frames(config.tool, config.device, config.width, config.height),
        read: Callable[[memoryview], bytes | None] = read_qr,
    ) -> None:
        super().__init__(name, on_event=on_event, on_health=on_health)
        self._config = config
        self._open_frames = open_frames
        self._read = read
        self._lock = threading.Condition()
        self._is_asked = False
        # Until when; 0 = it was stopped.
        self._look_until_s = 0.0
        # What the last look met; forgotten when the camera is unplugged.
        self._trouble: CameraError | None = None

    def look(self, seconds: float) -> None:
        """See `Camera.look`."""
        with self._lock:
            self._is_asked = True
            self._look_until_s = time.monotonic() + min(max(seconds, SHORTEST_LOOK_S), LONGEST_LOOK_S)
            self._lock.notify()

    def stop_looking(self) -> None:
        """See `Camera.stop_looking`."""
        with self._lock:
            self._look_until_s = 0.0

    def _interrupt(self) -> None:
        with self._lock:
            self._lock.notify()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._judge()
            with self._lock:
                if not self._is_asked and not self._stop.is_set():
                    self._lock.wait(TURN_S)
                is_asked = self._is_asked and not self._stop.is_set()
            if is_asked:
                self._emit(LookEnded(self._look()))

    def _is_wanted(self) -> bool:
        return time.monotonic() < self._look_until_s

    def _judge(self) -> None:
        if not os.path.exists(self._config.device):
            self._trouble = None
            self._health.set("port.missing", port=self._config.device)
        elif isinstance(self._trouble, NotInstalled):
            self._health.set("hal.not_installed", package="v4l-utils")
        elif self._trouble is not None:
            self._health.set("camera.failed", error=str(self._trouble))
        else:
            self._health.set("hal.ok")

    def _look(self) -> Literal["found", "time", "stopped", "failed"]:
        """One look, from opening the camera to closing it."""
        found = None
        try:
            with self._open_frames(self._config) as frames:
                self._trouble = None
                found = self._watch(frames)
        except CameraError as error:
            self._trouble = error
        except ImportError:
            self._trouble = CameraError("zxing-cpp is not installed")
        except Exception as error:
            log.exception("driver failed", peripheral=self.name)
            self._trouble = CameraError(f"{type(error).__name__}: {error}")
        with self._lock:
            was_stopped = self._look_until_s == 0.0
            self._is_asked, self._look_until_s = False, 0.0
        if found is not None:
            self._tell(found)
            return "found"
        if self._trouble is not None:
            return "failed"
        return "stopped" if was_stopped else "time"

    def _watch(self, frames: Any) -> bytes | None:
        """The content of the first code that comes into sight while it is wanted."""
        last_s = time.monotonic()
        while self._is_wanted() and not self._stop.is_set():
            picture = frames.next(TURN_S)
            if picture is None:
                if time.monotonic() - last_s > FRAME_S:
                    raise CameraError(f"no picture within {FRAME_S:.0f} s")
                continue
            last_s = time.monotonic()
            found = self._read(picture)
            if found is not None:
                return found
        return None

    def _tell(self, found: bytes) -> None:
        try:
            text = text_of(found)
        except CodeRefused as refused:
            self._emit(ScanRefused(refused.reason))
            return
        self._emit(Scanned(text, time.monotonic()) if text else ScanRefused("scan.not_text"))
