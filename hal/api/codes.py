"""Readers of QR and bar codes: scanners, and a camera that looks for a code when it is asked."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import msgspec

from hal.api.core import Peripheral
from hal.codes import RefusalReason, masked


class Scanned(msgspec.Struct, frozen=True, tag="scanned"):
    """A code that was held up: clean text of at most 4,096 bytes, written by a stranger.

    `at_s` is the monotonic time (seconds) at which its last byte came. Judge it by `hal.codes.shape_of` before anything is
    done with it. Its content may be personal: the text is not in `repr`, keep it out of logs, and drop it after use.
    """

    text: str
    at_s: float

    def __repr__(self) -> str:
        """The length alone."""
        return f"Scanned(text={masked(self.text)}, at_s={self.at_s})"


class ScanRefused(msgspec.Struct, frozen=True, tag="scan_refused"):
    """Something was held up that cannot be used; `reason` is a message id.

    `scan.too_long` more than 4,096 bytes, `scan.not_text` neither UTF-8 nor GB 18030, `scan.damaged` it arrived damaged
    or only in part.
    """

    reason: RefusalReason


class LookEnded(msgspec.Struct, frozen=True, tag="look_ended"):
    """The camera is closed again: it found a code (told before as `Scanned`), the time was over, or it failed."""

    why: Literal["found", "time", "stopped", "failed"]


@runtime_checkable
class Scanner(Peripheral, Protocol):
    """Reads QR and bar codes. Emits `Scanned` and `ScanRefused`, also when nobody asked on models without a trigger."""

    def trigger(self, on: bool) -> None:
        """Switch the light and the reading on or off where the model can; on ends after a code or `trigger_s` seconds."""
        ...


@runtime_checkable
class Camera(Peripheral, Protocol):
    """Looks for a QR code, only when asked. Emits `Scanned`, `ScanRefused` and `LookEnded`; never gives or keeps a picture."""

    def look(self, seconds: float) -> None:
        """Open the camera and look for one QR code for up to `seconds` (0.5 to 60), then close it. Returns at once.

        A second call while it looks prolongs the look.
        """
        ...

    def stop_looking(self) -> None:
        """End the look now; returns at once."""
        ...
