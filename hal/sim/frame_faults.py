"""What goes wrong with a button box's frames on their way: noise, wrong checks and lengths, lost acknowledgements, silence."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from hal.sim.frames import ACK, HELLO, frame
from hal.sim.station import Command, Station, flag, hex_bytes, number

REPLAYED = 20


class FrameFaults:
    """Sends the frames of a box, disturbed as it was told; each fault for a number of frames."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._recent: deque[bytes] = deque(maxlen=REPLAYED)
        self._noise, self._noise_left = b"", 0
        self._spoil, self._spoil_left = "", 0
        self._drop_acks_left = 0
        self.silent = False
        """Whether the box says nothing and hears nothing."""

    def commands(self) -> dict[str, Command]:
        """What a box can be told about its frames."""
        return {
            "noise_before": self._set_noise,
            "wrong_checksum": partial(self._set_spoil, "check"),
            "wrong_length": partial(self._set_spoil, "length"),
            "drop_acks": self._set_drop_acks,
            "cut_frame": self._cut_frame,
            "replay": self._replay,
            "silence": self._set_silent,
        }

    def send(self, seq: int, cmd: int, payload: bytes) -> None:
        """Let one frame go out, or not."""
        if cmd == ACK and self._drop_acks_left:
            self._drop_acks_left -= 1
            return
        spoils = bool(self._spoil_left and cmd not in (ACK, HELLO))
        self._spoil_left -= spoils
        out = frame(seq, cmd, payload, spoilt=self._spoil if spoils else "")
        if self._noise_left:
            self._noise_left -= 1
            out = self._noise + out
        self._recent.append(out)
        if not self.silent:
            self._station.send(out)

    def _set_noise(self, options: dict[str, Any]) -> dict[str, Any]:
        self._noise, self._noise_left = hex_bytes(options, "hex"), int(number(options, "times", 1, 10_000))
        return {}

    def _set_spoil(self, what: str, options: dict[str, Any]) -> dict[str, Any]:
        self._spoil = what
        self._spoil_left = int(number(options, "times", 1, 10_000))
        return {}

    def _set_drop_acks(self, options: dict[str, Any]) -> dict[str, Any]:
        self._drop_acks_left = int(number(options, "times", 1, 10_000))
        return {}

    def _cut_frame(self, _: dict[str, Any]) -> dict[str, Any]:
        """The beginning of a frame, then the cable is out."""
        self._station.send(b"\x02\x0f\x01\x83\x00\x00")
        self._station.later(0.02, self._station.unplug)
        return {}

    def _replay(self, _: dict[str, Any]) -> dict[str, Any]:
        """Everything said of late once more, as a recording would."""
        for sent in self._recent:
            self._station.send(sent)
        return {"frames": len(self._recent)}

    def _set_silent(self, options: dict[str, Any]) -> dict[str, Any]:
        self.silent = flag(options)
        return {}
