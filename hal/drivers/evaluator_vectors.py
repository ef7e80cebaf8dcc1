"""Test vectors of the reference evaluator protocol: `python -m hal.drivers.evaluator_vectors > docs/evaluator-vectors.json`.

The same bytes come out for ever; a changed vector is a broken protocol.
"""

from __future__ import annotations

import json
import struct
from typing import Any, get_args

from hal.api.desk import DeskAnswer, DeskView
from hal.drivers import evaluator_payloads as payloads
from hal.drivers.evaluator_frames import ACK, BOX, DESK, EVALUATOR, HELLO, HELLO_ANSWER, Frame, Hello, crc, encode

NONCE = bytes.fromhex("0a0b0c01")
OCCASION = bytes(range(16))


def vectors() -> dict[str, Any]:
    """All vectors, bytes as lower-case hexadecimal."""
    return {
        "about": "Frames as they are on the line, see docs/evaluator-protocol.md. `damaged` ones are dropped without a word.",
        "crc_of_123456789": f"{crc(b'123456789'):04x}",
        "frames": [_shown(name, frame) for name, frame in _frames()],
        "damaged": _damaged(),
    }


def _frames() -> list[tuple[str, Frame]]:
    asked = Hello(EVALUATOR, NONCE, bytes(8), "nightwindow evaluator")
    answered = Hello(BOX, NONCE, bytes.fromhex("b0c5000000000001"), "box")
    desk = Hello(DESK, NONCE, bytes(8), "nw-desk")
    announced = Hello(BOX, bytes(4), bytes.fromhex("b0c5000000000001"), "box")
    texts = (b"NW-0103-1", b"0417", b"A012", "转移登记".encode())
    invite = OCCASION + struct.pack(">BH", 3, 60) + b"".join(bytes((len(text),)) + text for text in texts)
    closed = DeskView(0.0, "serving", True, "none")
    return [
        ("HELLO of an evaluator to a box", Frame(0, HELLO, asked.payload())),
        ("HELLO answer of a box", Frame(0, HELLO_ANSWER, answered.payload())),
        ("HELLO announcement of a box that has just got power", Frame(0, HELLO_ANSWER, announced.payload())),
        ("HELLO of a desk", Frame(0, HELLO, desk.payload())),
        ("ACK of frame 3, which is a byte to be stuffed", Frame(3, ACK)),
        ("SIGNAL levels on, call staff off, tone of 80 ms", Frame(1, payloads.SIGNAL, struct.pack(">BBH", 1, 0, 80))),
        ("PRESS 258 of start 2, level 3, 1027 ms old", Frame(16, payloads.PRESS, struct.pack(">IHIIB", 258, 2, 5000, 1027, 3))),
        (
            "PRESS 259 whose age is not known, call staff",
            Frame(17, payloads.PRESS, struct.pack(">IHIIB", 259, 2, 6000, 2**32 - 1, 0)),
        ),
        ("TAKEN 258", Frame(2, payloads.TAKEN, struct.pack(">I", 258))),
        (
            "HEARTBEAT one waits, level 1 stuck, opened",
            Frame(18, payloads.HEARTBEAT, struct.pack(">IHHHBB", 9000, 2, 1, 0, 2, 1)),
        ),
        ("SIGN_IN 0312", Frame(1, payloads.SIGN_IN, b"0312")),
        ("INVITE", Frame(2, payloads.INVITE, invite)),
        ("TAKE_BACK", Frame(3, payloads.TAKE_BACK)),
        ("SIGN_OUT", Frame(4, payloads.SIGN_OUT)),
        ("SET_WINDOW paused", Frame(5, payloads.SET_WINDOW, b"\x02")),
        ("ASK_STATE", Frame(6, payloads.ASK_STATE)),
        *[
            (f"ANSWER {word} to frame 2", Frame(7, payloads.ANSWER, payloads.answer_payload(2, word)))
            for word in get_args(DeskAnswer)
        ],
        ("STATE serving, signed in, free", Frame(8, payloads.STATE, payloads.state_payload(closed, 1.0))),
        ("STATE serving, signed in, an occasion is open", Frame(9, payloads.STATE, payloads.state_payload(closed, -1.0))),
    ]


def _damaged() -> list[dict[str, str]]:
    good = encode(Frame(2, payloads.TAKEN, b"\x00\x00\x01\x02"))
    return [
        {"what": "wrong check", "bytes": (good[:-2] + bytes((good[-2] ^ 1,)) + good[-1:]).hex()},
        {"what": "cut off, then a whole frame: only TAKEN 258 is taken", "bytes": (good[:4] + good).hex()},
        {"what": "an escape before the end", "bytes": (good[:-1] + b"\x10\x03").hex()},
        {"what": "an escape of a byte that needs none", "bytes": (good[:3] + b"\x10" + good[3:]).hex()},
    ]


def _shown(name: str, frame: Frame) -> dict[str, Any]:
    return {
        "what": name,
        "seq": frame.seq,
        "cmd": f"{frame.cmd:02x}",
        "payload": frame.payload.hex(),
        "bytes": encode(frame).hex(),
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), ensure_ascii=False, indent=1))
