"""How each family of scanners is spoken to: switching its light, acknowledging its packets, and whether it answers."""

from __future__ import annotations

from typing import Literal

from hal.codes import MAX_BYTES
from hal.drivers import scanner_frames as frames
from hal.drivers.line import Line
from hal.drivers.scanner_frames import Code, LineParser, Packet, ReplyFilter, SsiParser, TooLong, ssi

SILENT_S = 3.0
"""A question unanswered for so long means that nobody is there."""
ASK_AGAIN_S = 1.0
"""Time between two questions while none is answered."""
GAP_S = 0.1
"""Silence after which an SSI packet that has begun is over."""

Heard = Code | TooLong | Literal["damaged"]


class Talk:
    """One conversation with a scanner, from the opening of its port: `plain`, and the base of the others."""

    ON = OFF = QUESTION = b""

    def __init__(self, *, idle_s: float, ask_every_s: float = 5.0) -> None:
        self._lines = LineParser()
        self._idle_s, self._ask_every_s = idle_s, ask_every_s
        self._last_byte_s = 0.0
        self._asked_s: float | None = None
        self._next_question_s = 0.0
        self._replies = bytearray()
        # None: not known, because a code puts out the light of many models by itself.
        self.is_on: bool | None = None
        self.has_answered = self.refused = False

    def switch(self, on: bool) -> bytes:
        """What to send so that the light is on or off; empty where the model cannot be told."""
        self.is_on = on
        return self.ON if on else self.OFF

    def waits(self) -> bool:
        """Whether something has begun whose end may be mere silence."""
        return self._lines.is_inside()

    def heard(self, data: memoryview, now_s: float) -> list[Heard]:
        """Take what came (perhaps nothing) at `now_s`; returns what is complete now."""
        found: list[Heard] = list(self._lines.feed(data))
        if len(data):
            self._last_byte_s = now_s
        elif now_s - self._last_byte_s >= self._idle_s:
            found += self._lines.idle()
        return found

    def replies(self) -> bytes:
        """What the protocol wants sent now; forgotten once taken."""
        told = bytes(self._replies)
        self._replies.clear()
        return told

    def silent_s(self, now_s: float) -> float | None:
        """For how long a question has been unanswered; None where nothing is ever asked. Asks again from time to time."""
        if not self.QUESTION:
            return None
        if now_s >= self._next_question_s:
            self._ask(now_s)
        return 0.0 if self._asked_s is None else now_s - self._asked_s

    def _ask(self, now_s: float) -> None:
        # Counted from the first question that was not answered, and asked again until one is.
        self._asked_s = now_s if self._asked_s is None else self._asked_s
        self._next_question_s = now_s + ASK_AGAIN_S
        self._replies += self.QUESTION

    def _answered(self, now_s: float) -> None:
        self._asked_s, self.has_answered = None, True
        self._next_question_s = now_s + self._ask_every_s

    def wipe(self) -> None:
        """Overwrite what has begun."""
        self._lines.wipe()


class Honeywell(Talk):
    """Lines; SYN T CR and SYN U CR are its trigger. It never answers them."""

    ON, OFF = b"\x16\x54\x0d", b"\x16\x55\x0d"


def newland(command: str) -> bytes:
    """A Newland command in its frame."""
    return b"\x7e\x010000#" + command.encode() + b";\x03"


class Newland(Talk):
    """Lines; commands in frames, answered between STX and ETX with ACK (06) or a refusal (NAK 15, ENQ 05)."""

    ON, OFF = newland("SCNTRG1"), newland("SCNTRG0")
    QUESTION = newland("SCNTRG0")

    def __init__(self, *, idle_s: float, ask_every_s: float = 5.0) -> None:
        super().__init__(idle_s=idle_s, ask_every_s=ask_every_s)
        self._filter = ReplyFilter()

    def heard(self, data: memoryview, now_s: float) -> list[Heard]:
        """See `Talk.heard`."""
        codes, replies = self._filter.feed(data)
        for reply in replies:
            self._answered(now_s)
            self.refused = b"\x06" not in reply
        if not len(data) and now_s - self._last_byte_s >= self._idle_s:
            self._filter.idle()
        found = super().heard(memoryview(codes), now_s)
        if len(data):
            self._last_byte_s = now_s
        codes[:] = bytes(len(codes))
        return found

    def _ask(self, now_s: float) -> None:
        # The question switches the light off, so it is not asked while the light shall be on.
        if not self.is_on:
            super()._ask(now_s)


class Ssi(Talk):
    """Zebra's packets: each is acknowledged, a damaged one is asked for again, a repeated one is not told twice."""

    ON, OFF = ssi(frames.SSI_START), ssi(frames.SSI_STOP)
    QUESTION = ssi(frames.SSI_ASK_REVISION)
    MOST_NAKS = 3

    def __init__(self, *, idle_s: float, ask_every_s: float = 5.0) -> None:
        super().__init__(idle_s=idle_s, ask_every_s=ask_every_s)
        self._parser = SsiParser()
        self._parts = bytearray()
        self._too_long = False
        self._last: int | None = None
        self._naks = self._damaged = 0

    def waits(self) -> bool:
        """See `Talk.waits`."""
        return self._parser.is_inside()

    def heard(self, data: memoryview, now_s: float) -> list[Heard]:
        """See `Talk.heard`."""
        if len(data):
            self._last_byte_s = now_s
        found: list[Heard] = []
        packets = self._parser.feed(data)
        for packet in packets:
            found += self._packet(packet, now_s)
        over = not len(data) and now_s - self._last_byte_s >= GAP_S
        if over and (self._parser.is_inside() or self._parser.damaged > self._damaged):
            self._parser.wipe()
            self._damaged = self._parser.damaged
            found += self._ask_again()
        elif packets:
            self._damaged = self._parser.damaged
        return found

    def wipe(self) -> None:
        """See `Talk.wipe`."""
        self._parser.wipe()
        self._parts[:] = bytes(len(self._parts))

    def _ask_again(self) -> list[Heard]:
        """NAK: the decoder sends its packet again, a few times; then the code is given up."""
        self._naks += 1
        if self._naks > self.MOST_NAKS:
            self._naks = 0
            self._parts.clear()
            return ["damaged"]
        self._replies += ssi(frames.SSI_NAK, b"\x01")
        return []

    def _packet(self, packet: Packet, now_s: float) -> list[Heard]:
        self._answered(now_s)
        self._naks = 0
        if packet.opcode == frames.SSI_NAK:
            self.refused = True
            return []
        self.refused = False
        if packet.opcode != frames.SSI_DECODE_DATA:
            return []
        self._replies += ssi(frames.SSI_ACK)
        # A hash, so that the content is not kept.
        identity = hash(bytes(packet.data))
        if packet.status & frames.SSI_RETRANSMIT and identity == self._last:
            return []
        self._last = identity
        # The first byte tells the kind of code.
        if len(self._parts) + len(packet.data) > MAX_BYTES:
            self._too_long = True
        else:
            self._parts += packet.data[1:]
        packet.data[:] = bytes(len(packet.data))
        return [] if packet.status & frames.SSI_MORE else self._whole()

    def _whole(self) -> list[Heard]:
        found: Heard = TooLong() if self._too_long else Code(self._parts[:])
        self._parts[:] = bytes(len(self._parts))
        self._parts, self._too_long = bytearray(), False
        return [found]


TALKS: dict[str, type[Talk]] = {"plain": Talk, "honeywell": Honeywell, "ssi": Ssi, "newland": Newland}


def probe_model(line: Line) -> str | None:
    """Who answers: an SSI decoder by its revision, a Newland scanner by its acknowledgement; None for anybody else."""
    packets = SsiParser().feed(line.ask(Ssi.QUESTION))
    revision = next((one for one in packets if one.opcode == frames.SSI_REVISION), None)
    if revision is not None:
        line.write(ssi(frames.SSI_ACK), 0.4)
        told = bytes(byte for byte in revision.data if 32 <= byte < 127).decode("ascii").strip()
        return f"SSI decoder {told or 'without a revision'}"
    _, replies = ReplyFilter().feed(line.ask(Newland.QUESTION))
    return "Newland scanner" if any(reply.startswith(b"\x010000#SCNTRG0") for reply in replies) else None
