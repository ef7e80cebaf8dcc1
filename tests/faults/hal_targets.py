"""Every parser of hal that reads what a device sends, as a target for fuzzing: bytes in, and what must hold after them.

A target takes arbitrary bytes, cuts them into raw noise, whole frames around chosen content, and frames with one byte changed,
feeds them in pieces, and then asserts that no exception escaped, that the parser's memory is bounded, and that of two
good frames that follow at least the second is understood: it is in step again within one frame.
"""

from __future__ import annotations

import socket
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args

from hal import codes
from hal.api.desk import Invite
from hal.drivers import (
    escpos_status,
    evaluator_frames,
    evaluator_payloads,
    key_strokes,
    nut_lines,
    samv,
    samv_text,
    scanner_frames,
    temperature_text,
)
from hal.drivers.escpos_profiles import NearEnd
from hal.health import REASONS

MAX_HELD = 16_384
"""Bytes that a parser may hold, whatever comes."""


class Target(NamedTuple):
    """`modules` are the sources whose branches count, but for the functions `beside`, which read nothing from a device.

    `feed` raises when something does not hold.
    """

    modules: tuple[Any, ...]
    feed: Callable[[bytes], None]
    seeds: tuple[bytes, ...] = ()
    beside: tuple[str, ...] = ()


def pieces(data: bytes, frame: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """What goes down the line: `data` as a list of (what, length, content), each as noise, a frame or a damaged frame."""
    while len(data) >= 2:
        what, length = data[0], data[1]
        content, data = data[2 : 2 + length], data[2 + length :]
        whole = content if what % 3 == 0 else frame(content)
        if what % 3 == 2 and whole:
            at = what // 3 % len(whole)
            whole = whole[:at] + bytes([whole[at] ^ (1 << length % 8)]) + whole[at + 1 :]
        step = 1 + (what >> 4)
        yield from (whole[at : at + step] for at in range(0, len(whole), step))


def streamed(parse: Callable[[bytes], list[Any]], frame: Callable[[bytes], bytes], data: bytes, good: bytes) -> list[Any]:
    """Feed `data`, then two `good` frames; gives what the second one brought."""
    for piece in pieces(data, frame):
        parse(piece)
    parse(good)
    return parse(good)


def samv_answer(content: bytes) -> bytes:
    """An answer of a SAM-V reader, written from the protocol: three status bytes and data, checked by XOR."""
    body = (3 + max(0, len(content) - 1) + 1).to_bytes(2, "big") + b"\0\0" + (content or b"\x90")
    check = 0
    for byte in body:
        check ^= byte
    return b"\xaa\xaa\xaa\x96\x69" + body + bytes([check])


def feed_samv(data: bytes) -> None:
    parser = samv.Parser()
    brought = streamed(parser.feed, samv_answer, data, samv_answer(b"\x9f1234"))
    # A damaged length may promise up to 4,096 bytes; a whole frame behind it ends the wait.
    assert any(one.status == 0x9F and one.data == b"1234" for one in brought)
    assert len(parser._buffer) <= MAX_HELD
    assert parser.is_inside() or not parser.feed(samv_answer(b"")[:4])
    samv.module_number(data[:16])
    parser.wipe()


def card_text(letter: str) -> bytearray:
    """The text of a valid card of one layout, from the table of the protocol; an invented person."""
    number = "UTO111051949123" if letter == "I" else "11010519491231002X"
    at = {
        0: "Li Anna Maria" if letter == "I" else "样本",
        30: "1",
        36: "19491231",
        122: number,
        188: "20151231",
        204: "长期",
        248: letter,
    }
    if letter == "I":
        at = {0: at[0], 120: "2", 122: number, 188: "20151231", 204: "20301231", 220: "19491231", 248: letter}
    text = bytearray(" ".encode("utf-16-le") * 128)
    for offset, value in at.items():
        text[offset : offset + 2 * len(value)] = value.encode("utf-16-le")
    return text


def feed_card_text(data: bytes) -> None:
    """A valid card of each layout with pieces of `data` written over it, and `data` itself as a card."""
    texts = [card_text(letter) for letter in " JIY"] + [bytearray((data + b" \0" * 128)[:256]), bytearray(data[:300])]
    patches = data
    while len(patches) >= 3:
        offset, length = patches[0], 1 + patches[1] % 40
        for text in texts[:4]:
            text[offset : offset + length] = patches[2 : 2 + length]
        patches = patches[2 + length :]
    for text in texts:
        try:
            card = samv_text.read_text(memoryview(text), b"k" * 32)
        except samv_text.CardInvalid:
            continue
        assert "*" in card.number, "what is told of a person is masked"


def feed_printer(data: bytes) -> None:
    parser = escpos_status.Parser()
    kinds = (bytes([0x12]), bytes([0x10, 0, 0, 0]), b"\x00", b"\x37\x25\x00", b"\x5fNAME\x00")
    brought = streamed(parser.feed, lambda content: kinds[len(content) % 5] + content[:3], data, b"\x5fNW\x00")
    assert escpos_status.Identity("NW") in brought
    whole = data.ljust(8, b"\x12")
    for near_end in get_args(NearEnd):
        for status in (
            escpos_status.from_real_time(list(whole[:4]), near_end),
            escpos_status.from_auto(whole[4:8], near_end),
        ):
            assert escpos_status.health_of(status) in REASONS


def evaluator_frame(content: bytes) -> bytes:
    """A frame of the reference evaluator protocol around `content`."""
    head = (content + b"\x01\x02")[:2]
    return evaluator_frames.encode(evaluator_frames.Frame(head[0], head[1], content[2:200]))


def feed_evaluator(data: bytes) -> None:
    parser = evaluator_frames.Unframer()
    good = evaluator_frames.Frame(7, 0x83, b"\x02\x03\x10\x11\x13 good")
    assert good in streamed(parser.feed, evaluator_frame, data, evaluator_frames.encode(good))
    try:
        hello = evaluator_frames.read_hello(data)
    except evaluator_frames.FrameError:
        return
    assert hello.model.isprintable()
    assert hello.common_version(evaluator_frames.Hello(1, bytes(4))) in (None, 1)
    evaluator_frames.read_hello(hello.payload())


def feed_evaluator_payloads(data: bytes) -> None:
    cmd, payload = (data or b"\0")[0], data[1:]
    reason, args = evaluator_payloads.trouble_of(payload)
    assert set(args) == set(REASONS[reason].args)
    for read in (
        lambda: evaluator_payloads.read_press(payload),
        lambda: evaluator_payloads.read_wish(evaluator_frames.Frame(1, cmd % 16, payload)),
    ):
        try:
            told = read()
        except evaluator_frames.FrameError:
            continue
        if isinstance(told, Invite):
            assert 5 <= told.valid_s <= 600
            assert len(told.case_tail) <= 8
            assert (told.item_code + told.item_name + told.case_tail + told.ticket).isprintable()


def feed_scanner(data: bytes) -> None:
    parser, replies = scanner_frames.LineParser(), scanner_frames.ReplyFilter()
    for piece in pieces(data, lambda content: content + b"\r"):
        content, _ = replies.feed(piece)
        for one in parser.feed(content):
            if isinstance(one, scanner_frames.Code):
                try:
                    said = codes.text_of(one.data)
                except codes.CodeRefused:
                    continue
                assert not any(unicodedata.category(char).startswith("C") for char in said), "nothing that steers a screen"
                assert len(said) <= codes.MAX_BYTES
    parser.idle()
    replies.idle()
    assert not parser.is_inside()
    assert scanner_frames.Code(bytearray(b"ok")) in parser.feed(replies.feed(b"ok\r")[0])
    parser.feed(b"begun")
    parser.wipe()
    try:
        codes.text_of(data)
    except codes.CodeRefused as refused:
        assert refused.reason in get_args(codes.RefusalReason)  # noqa: PT017 - a text is right too
    feed_ssi(data)


def ssi_packet(content: bytes) -> bytes:
    """A packet from a decoder: length, opcode, source, status, data, and the two's complement of the sum."""
    body = bytes([4 + len(content[:250]), 0xF3, 0, 0]) + content[:250]
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


def feed_ssi(data: bytes) -> None:
    parser = scanner_frames.SsiParser()
    # Without a start mark a damaged length hides what follows until a whole packet behind it is there: the second one.
    brought = streamed(parser.feed, ssi_packet, data, ssi_packet(b"\x01good"))
    assert any(one.data == b"\x01good" for one in brought)
    assert len(parser._buffer) <= MAX_HELD
    assert scanner_frames.ssi(0xD0)
    parser.wipe()
    assert not parser.is_inside()


def feed_ups(data: bytes) -> None:
    """upsd's end of a real socket answers with `data`; the first byte tells what is asked and whether the line breaks."""
    how, said = data[:1] or b"\0", data[1:]
    theirs, ours = socket.socketpair()
    link = object.__new__(nut_lines.NutLink)
    link._place, link._deadline_s, link._pending, link._socket = "fuzz:1", 0.001, bytearray(), ours
    try:
        theirs.sendall(said)
        if how[0] & 0x0C != 0x0C:
            theirs.shutdown(socket.SHUT_WR)
        if how[0] & 0x30 == 0x30:
            theirs.close()
        for _ in range(2):
            if how[0] & 1:
                link.names()
            else:
                nut_lines.judge(link.variable("ups", "ups.status") or "")
    except (nut_lines.NutDown, nut_lines.NutRefused) as refused:
        assert str(refused)  # noqa: PT017 - both are right; that something is said is what is checked
    finally:
        link.close()
        theirs.close()
    text = data.decode("latin-1")
    flags = ("OL", "OB", "LB", "RB", "FSD", "CAL", "OFF", "OVER", "BYPASS", "CHRG")
    nut_lines.judge(" ".join(flag for index, flag in enumerate(flags) if int.from_bytes(data[:2], "big") >> index & 1))
    nut_lines.is_name(text)
    assert nut_lines.whole(text, 100) in (None, *range(101))


def feed_temperature(data: bytes) -> None:
    """Any text is a temperature that the sensor can have, or an error that says what it said."""
    text = data.decode("ascii", "replace")
    for parse in (temperature_text.w1_slave, temperature_text.thousandths):
        try:
            assert temperature_text.LOWEST_C <= parse(text) <= temperature_text.HIGHEST_C
        except temperature_text.SensorError as error:
            assert "the sensor" in str(error) or "checksum" in str(error)  # noqa: PT017 - both outcomes are right
    assert temperature_text.w1_slave(f"x : crc=1 YES\n{'4b ' * 9}t=21500\n") == 21.5


def feed_key_events(data: bytes) -> None:
    """The kernel's own structures, in any order: keys go down and up in turn, and no more are held than were pressed."""
    strokes, down = key_strokes.Strokes(), set[int]()
    for at in range(0, len(data) - 3, 4):
        kind, code, value, late = data[at : at + 4]
        event = _Event(1_700_000_000.0 + late, kind % 4, code % 8, (value % 4) - 1)
        for stroke in strokes.take(event):
            assert stroke.down != (stroke.code in down)
            (down.add if stroke.down else down.discard)(stroke.code)
    assert strokes.down == down


class _Event:
    """An input event as python-evdev hands it on."""

    def __init__(self, at_s: float, kind: int, code: int, value: int) -> None:
        self.sec, self.usec = int(at_s), 0
        self.type, self.code, self.value = kind, code, value


TARGETS: dict[str, Target] = {
    "temperature": Target(
        (temperature_text,),
        feed_temperature,
        (b"72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n", b"21500\n", b"-60000", b"x\nNO\n"),
    ),
    "key_events": Target((key_strokes,), feed_key_events, (b"\1\2\2\0\1\2\1\0", b"\1\2\2\0\0\3\1\0\1\3\2\0\0\0\1\0")),
    "samv": Target((samv,), feed_samv, (b"\x01\x05\x90data", b"\x00\x05\xaa\xaa\xaa\x96\x69"), beside=("command", "Answer.wipe")),
    "card_text": Target(
        (samv_text,),
        feed_card_text,
        (
            b"\x00\x04\x40\xd8\x00\xdc",
            b"\xcc\x10" + "20301231".encode("utf-16-le"),
            b"\xbc\x0f" + "29991231".encode("utf-16-le"),
        ),
    ),
    "escpos_status": Target((escpos_status,), feed_printer, (b"\x01\x02ab", bytes([0x12, 0x1A, 0x32, 0x7E]))),
    "evaluator_payloads": Target(
        (evaluator_payloads,),
        feed_evaluator_payloads,
        (
            b"\x020312",
            b"\x03" + bytes(range(16)) + b"\x03\x00\x3c\x04code\x040417\x04A012\x03abc",
            b"\x04",
            b"\x07",
            b"\x08\x02",
            b"\x83" + bytes(10) + b"\xff\xff\xff\xff\x05",
            b"\x86" + bytes(8) + b"\0\0\x02\x01",
            b"\x86" + bytes(8) + b"\0\x01\0\x02",
        ),
        beside=("answer_payload", "state_payload"),
    ),
    "evaluator": Target((evaluator_frames,), feed_evaluator, (b"\x01\x04\x05\x83hi",), beside=("encode",)),
    "scanner": Target(
        (scanner_frames, codes),
        feed_scanner,
        (
            b"\x01\x06A005\xd5\xc5",
            b"\x01\x06\x01A005x",
            b"\x00\x06\x02abcd\x03",
            (b"\x00\xff" + b"A" * 255) * 17,
            b"\x00\x50\x02" + b"r" * 79,
            b"\x00\xff\x02" + b"r" * 254,
        ),
        beside=("shape_of", "masked"),
    ),
    "nut": Target(
        (nut_lines,),
        feed_ups,
        (
            b'\0VAR ups ups.status "OL CHRG"\n',
            b'\1BEGIN LIST UPS\nUPS ups "a"\nEND LIST UPS\n',
            b"\1BEGIN LIST UPS\nUPS\n",
            b"\0ERR UNKNOWN-UPS\n",
            b"\0ERR VAR-NOT-SUPPORTED\n",
            b"\1ERR X\nmore",
            b"\0" + b"A" * 1100 + b"\n",
            b"\0" + b"A" * 4200,
            b"\0A  B\n",
            b"\x0c",
            b"\x30",
        ),
        beside=("NutLink.__init__",),
    ),
}
