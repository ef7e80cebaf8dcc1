"""What frames of the reference evaluator protocol carry, for both its links: payloads ↔ values, and nothing else.

All of it is written by whoever holds the other end of a cable, so every value is checked here.
"""

from __future__ import annotations

import re
import struct
from typing import get_args

import msgspec

from hal.api import Lamp
from hal.api.desk import DeskAnswer, DeskView, Invite, SetWindow, SignIn, SignOut, Stage, TakeBack, WindowState, Wish
from hal.drivers.evaluator_frames import Frame, FrameError

SIGNAL, TAKEN = 0x05, 0x0A
PRESS, HEARTBEAT = 0x83, 0x86
LAMPS: dict[Lamp, int] = {"off": 0, "on": 1, "blink": 2}
UNKNOWN_AGE = 0xFFFFFFFF
OPENED, MEMORY = 1, 2

SIGN_IN, INVITE, TAKE_BACK, SIGN_OUT, SET_WINDOW, ASK_STATE = 0x02, 0x03, 0x04, 0x07, 0x08, 0x09
ANSWER, STATE = 0x82, 0x85
ANSWERS: tuple[DeskAnswer, ...] = get_args(DeskAnswer)
STAGES: dict[int, Stage] = {1: "consult", 2: "accept", 3: "finish"}
WINDOWS: dict[int, WindowState] = {1: "serving", 2: "paused", 3: "closed"}
_WINDOW_CODES = {state: code for code, state in WINDOWS.items()}
_TROUBLE_CODES = {"none": 0, "starting": 1, "not_paired": 2, "no_room": 3, "on_battery": 4}
_NUMBER = re.compile(rb"[A-Za-z0-9-]{1,16}")


class Press(msgspec.Struct, frozen=True):
    """A PRESS frame: number that the box never gives twice, its start and time of that press, age when sent, button."""

    number: int
    boot: int
    uptime_ms: int
    age_ms: int | None
    button: int


def read_press(payload: bytes) -> Press:
    """A press from its payload.

    Raises:
        FrameError: it is too short, or names a button that no box has.
    """
    if len(payload) < 15 or payload[14] > 5:
        raise FrameError("a press is too short or has no button")
    number, boot, uptime_ms, age_ms, button = struct.unpack_from(">IHIIB", payload)
    return Press(number, boot, uptime_ms, None if age_ms == UNKNOWN_AGE else age_ms, button)


def read_wish(frame: Frame) -> Wish:
    """What a command's frame asks for.

    Raises:
        FrameError: its payload breaks a limit, or the command is not known.
    """
    if frame.cmd == SIGN_IN:
        return SignIn(_number(frame.payload))
    if frame.cmd == INVITE:
        return _read_invite(frame.payload)
    if frame.cmd == TAKE_BACK:
        return TakeBack()
    if frame.cmd == SIGN_OUT:
        return SignOut()
    if frame.cmd == SET_WINDOW and frame.payload and frame.payload[0] in WINDOWS:
        return SetWindow(WINDOWS[frame.payload[0]])
    raise FrameError(f"command {frame.cmd:02X} is not known, or its payload breaks a limit")


def _number(payload: bytes) -> str:
    if not _NUMBER.fullmatch(payload):
        raise FrameError("a clerk's number has 1 to 16 of A-Z a-z 0-9 and -")
    return payload.decode("ascii")


def _read_invite(payload: bytes) -> Invite:
    if len(payload) < 19:
        raise FrameError("an invitation is too short")
    occasion, (stage, valid_s) = payload[:16], struct.unpack_from(">BH", payload, 16)
    texts, at = [], 19
    for limit in (32, 24, 16, 60):
        if at >= len(payload) or payload[at] > limit or at + 1 + payload[at] > len(payload):
            raise FrameError(f"a text of an invitation is cut off or longer than {limit} bytes")
        texts.append(_text(payload[at + 1 : at + 1 + payload[at]]))
        at += 1 + payload[at]
    code, tail, ticket, item = texts
    if stage not in STAGES or not 5 <= valid_s <= 600 or len(tail) > 8 or not any(occasion):
        raise FrameError("an invitation has an unknown stage, is valid for other than 5 to 600 s, or has no occasion")
    return Invite(occasion, STAGES[stage], valid_s, code, item, tail, ticket)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FrameError("a text of an invitation is no UTF-8") from error
    if not text.isprintable():
        raise FrameError("a text of an invitation has control characters")
    return text


def answer_payload(seq: int, answer: DeskAnswer) -> bytes:
    """ANSWER: number of the command, code. Always two bytes."""
    return bytes((seq, ANSWERS.index(answer)))


def state_payload(view: DeskView, now_s: float) -> bytes:
    """STATE: always four bytes."""
    return bytes((now_s < view.open_until_s, _WINDOW_CODES[view.window], view.signed_in, _TROUBLE_CODES[view.trouble]))


def trouble_of(beat: bytes) -> tuple[str, dict[str, str]]:
    """The worst that a heartbeat tells, as a health reason with its arguments; nothing bad before the first one."""
    if len(beat) < 12:
        return "hal.ok", {}
    lost, stuck, flags = struct.unpack_from(">HBB", beat, 8)
    if flags & MEMORY:
        return "buttons.box_memory", {}
    if lost:
        return "buttons.box_full", {"lost": str(lost)}
    if flags & OPENED:
        return "buttons.box_opened", {}
    for button in range(6):
        if stuck & 1 << button:
            return "buttons.stuck", {"button": f"level_{button}" if button else "call_staff"}
    return "hal.ok", {}
