"""Grey pictures from a V4L2 camera through `v4l2-ctl`, the kernel developers' own tool (Debian's v4l-utils).

A process of its own: a camera driver that hangs in the kernel hangs that process, which is then left behind, and not the
screen's. Why no library: docs/decisions/0021-a-camera-through-v4l2-ctl.md.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from types import TracebackType

import msgspec

ANSWER_S = 3.0
END_S = 0.3

# Bytes a pixel, and at which byte its brightness stands, of the formats whose first plane holds the brightness of all pixels.
_LAYOUTS = {"GREY": (1, 0), "YUYV": (2, 0), "UYVY": (2, 1), "NV12": (1, 0), "NV21": (1, 0), "YU12": (1, 0), "YV12": (1, 0)}


class CameraError(Exception):
    """The camera gives no pictures; the message says why."""


class NotInstalled(CameraError):
    """There is no v4l2-ctl."""


class Format(msgspec.Struct, frozen=True):
    """What a camera agreed to send."""

    width: int
    height: int
    pixels: str
    line_bytes: int
    frame_bytes: int


def agreed(text: str) -> Format:
    """The format in what `v4l2-ctl --get-fmt-video` prints.

    Raises:
        CameraError: it is not there, contradicts itself, or has no plane of brightness.
    """
    size = re.search(r"Width/Height\s*:\s*(\d+)/(\d+)", text)
    pixels = re.search(r"Pixel Format\s*:\s*'([^']*)'", text)
    line, frame = (re.search(rf"{name}\s*:\s*(\d+)", text) for name in ("Bytes per Line", "Size Image"))
    if not (size and pixels and line and frame):
        raise CameraError("v4l2-ctl told no format")
    found = Format(int(size[1]), int(size[2]), pixels[1].strip(), int(line[1]), int(frame[1]))
    if found.pixels not in _LAYOUTS:
        raise CameraError(f"it sends {found.pixels}; needed is one of {', '.join(_LAYOUTS)}")
    step, _ = _LAYOUTS[found.pixels]
    fits = found.width * step <= found.line_bytes and found.line_bytes * found.height <= found.frame_bytes <= 64_000_000
    if not fits or not found.width or not found.height:
        raise CameraError(f"its format contradicts itself: {found}")
    return found


class Frames:
    """An open camera; a context manager. Not thread-safe. What was seen is overwritten by the next picture and at the end."""

    def __init__(self, tool: str, device: str, width: int, height: int) -> None:
        """Agree on a format and begin to take pictures.

        Raises:
            NotInstalled: there is no program `tool`.
            CameraError: the camera cannot be opened, or has no usable format.
        """
        base = [tool, "--device", device]
        wanted = f"--set-fmt-video=width={width},height={height},pixelformat=YUYV"
        self._format = agreed(_answer([*base, wanted, "--get-fmt-video"]))
        self._raw = bytearray(self._format.frame_bytes)
        self._grey = bytearray(self._format.width * self._format.height)
        command = [*base, "--stream-mmap=3", "--stream-to=-"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for stop in (self._process.terminate, self._process.kill):
            stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
                break
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._raw[:] = bytes(len(self._raw))
        self._grey[:] = bytes(len(self._grey))

    def next(self, wait_s: float) -> memoryview | None:
        """The next picture as rows of brightness (height by width), overwritten by the one after; None when none came in time.

        Raises:
            CameraError: the camera is gone.
        """
        view, filled = memoryview(self._raw), 0
        end_s = time.monotonic() + wait_s
        while filled < len(view):
            if not select.select([self._pipe], [], [], max(0.0, end_s - time.monotonic()))[0]:
                if filled == 0:
                    return None
                raise CameraError("it stopped in the middle of a picture")
            count = os.readv(self._pipe, [view[filled:]])
            if count == 0:
                raise CameraError("it stopped sending; was it unplugged, or is another program using it?")
            filled += count
        return self._brightness()

    def _brightness(self) -> memoryview:
        step, first = _LAYOUTS[self._format.pixels]
        width, line = self._format.width, self._format.line_bytes
        for row in range(self._format.height):
            start = row * line + first
            self._grey[row * width : (row + 1) * width] = self._raw[start : start + width * step : step]
        return memoryview(self._grey).cast("B", (self._format.height, width))


def _answer(command: list[str]) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_S)
    except FileNotFoundError as error:
        raise NotInstalled(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise CameraError(f"it does not answer within {ANSWER_S:.0f} s") from error
    except OSError as error:
        raise CameraError(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise CameraError(said[0][:200] if said else f"{command[0]} ended with {done.returncode}")
    return done.stdout.decode("utf-8", "replace")
