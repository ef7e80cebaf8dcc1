"""What a simulated printer is, what its sensors see, and how both look in the status bytes of the command set."""

from __future__ import annotations

from dataclasses import dataclass

NEAR_END_MM = 2000
FULL_ROLL_MM = 50_000
TONGUES = ("named", "plain", "clone", "realtime", "mute")


@dataclass(frozen=True)
class Model:
    """What is built into the device.

    `tongue`: `named` answers everything; `plain` has no name (GS I); `clone` neither, and tells its paper as 00 or 0F (GS r);
    `realtime` answers DLE EOT alone; `mute` nothing. `inverted`: the near-end bits mean the opposite.
    """

    width_dots: int = 576
    dots_per_mm: int = 8
    mm_per_s: float = 150.0
    tongue: str = "named"
    cutter: str = "partial"
    hanzi: bool = True
    inverted: bool = False

    def identity(self, n: int) -> bytes:
        """The answer to GS I n: one byte for the old numbers, a name between 5F and 00 for the new ones."""
        if n in (1, 2, 3, 49, 50, 51):
            return b"\x20" if self.tongue in ("named", "plain") else b""
        names = {0x42: b"NIGHTWINDOW", 0x43: b"NW-SIM"}
        return b"\x5f" + names[n] + b"\x00" if n in names and self.tongue == "named" else b""


class Sensors:
    """The state of the mechanism; `roll_dots` is what is left of the paper."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.roll_dots = FULL_ROLL_MM * model.dots_per_mm
        self.cover_open = self.cutter_error = self.head_hot = False

    @property
    def paper_out(self) -> bool:
        """Whether there is no paper at the head."""
        return self.roll_dots <= 0

    @property
    def near_end(self) -> bool:
        """Whether the roll is so thin that the sensor sees it."""
        return self.roll_dots <= NEAR_END_MM * self._model.dots_per_mm

    @property
    def stopped(self) -> bool:
        """Whether anything keeps the printer from printing."""
        return self.paper_out or self.cover_open or self.cutter_error or self.head_hot

    @property
    def _near_bits(self) -> bool:
        return self.near_end != self._model.inverted

    def real_time(self, n: int) -> int:
        """The answer to DLE EOT n."""
        byte = 0x12
        match n:
            case 1:
                byte |= 0x08 if self.stopped else 0
            case 2:
                byte |= 0x04 if self.cover_open else 0
                byte |= 0x20 if self.paper_out else 0
                byte |= 0x40 if self.cutter_error or self.head_hot else 0
            case 3:
                byte |= 0x08 if self.cutter_error else 0
                byte |= 0x40 if self.head_hot else 0
            case 4:
                byte |= 0x0C if self._near_bits else 0
                byte |= 0x60 if self.paper_out else 0
        return byte

    def auto_bytes(self) -> bytes:
        """Automatic status."""
        first = 0x10 | (0x08 if self.stopped else 0) | (0x20 if self.cover_open else 0)
        second = (0x08 if self.cutter_error else 0) | (0x40 if self.head_hot else 0)
        third = (0x03 if self._near_bits else 0) | (0x0C if self.paper_out else 0)
        return bytes([first, second, third, 0])

    def paper_byte(self) -> int:
        """The answer to GS r 1."""
        if self._model.tongue == "clone":
            return 0x0F if self.paper_out else 0x00
        return (0x03 if self._near_bits else 0) | (0x0C if self.paper_out else 0)
