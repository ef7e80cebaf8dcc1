"""Bytes of codes: clean text or a refusal whatever comes, frames found whole however they are cut, noise outlived."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.api import Scanned
from hal.codes import CodeRefused, shape_of, text_of
from hal.drivers.scanner_frames import Code, LineParser, ReplyFilter, SsiParser, TooLong, ssi
from hal.drivers.scanner_talk import TALKS, newland

SHAPES = {"case": re.compile(r"\d{4}-[A-Z]{2}-\d{6}"), "ticket": re.compile(r"[A-Z]\d{3}")}


def packet(data, opcode=0xF3, status=0):
    """A packet from the decoder as Zebra's description builds it."""
    body = bytes([len(data) + 4, opcode, 0, status]) + data
    return body + (0x10000 - sum(body) & 0xFFFF).to_bytes(2, "big")


def test_text_is_utf_8_else_gb_18030_else_refused():
    assert text_of("办件 2026".encode()) == "办件 2026"
    assert text_of("办件 2026".encode("gb18030")) == "办件 2026"
    with pytest.raises(CodeRefused, match=r"scan\.not_text"):
        text_of(b"\xff\xff\xff")


def test_characters_that_steer_screens_and_terminals_are_stripped():
    assert text_of(b"\x1b[2JA001\x07\x00\r\n") == "[2JA001"
    assert text_of("A\u202e001\u200b\ufeff\u2028".encode()) == "A001"
    assert text_of(b"\x06\x15\x00") == ""


def test_a_code_of_4096_bytes_is_text_and_a_longer_one_is_refused():
    assert len(text_of(b"a" * 4096)) == 4096
    with pytest.raises(CodeRefused, match=r"scan\.too_long"):
        text_of(b"a" * 4097)


@given(st.binary(max_size=5000))
def test_no_bytes_make_text_of_raise_anything_else_or_let_a_control_through(data):
    try:
        text = text_of(data)
    except CodeRefused:
        return
    assert text.isprintable()


def test_only_the_whole_shape_of_something_expected_counts():
    assert shape_of("A001", SHAPES) == "ticket"
    assert shape_of("2026-AB-123456", SHAPES) == "case"
    for hostile in ("https://example.org/A001", "A001; rm -rf /", "A001\nA002", "a001", "", "javascript:alert(1)"):
        assert shape_of(hostile, SHAPES) is None


def test_what_was_scanned_is_not_in_its_repr():
    assert "110105" not in repr(Scanned("11010519491231002X", 1.0))
    assert "18 characters" in repr(Scanned("11010519491231002X", 1.0))


@given(
    st.lists(st.binary(min_size=1, max_size=60).map(lambda b: bytes(c for c in b if c not in b"\r\n") or b"x")), st.integers(1, 9)
)
def test_lines_are_found_whole_however_they_are_cut_and_ended(lines, step):
    stream = b"".join(line + (b"\r", b"\n", b"\r\n")[index % 3] for index, line in enumerate(lines))
    parser = LineParser()
    found = [bytes(one.data) for at in range(0, len(stream), step) for one in parser.feed(stream[at : at + step])]
    assert found == lines


def test_silence_ends_a_line_without_an_end():
    parser = LineParser()
    assert parser.feed(b"A0") == []
    assert parser.feed(b"01") == []
    assert [bytes(one.data) for one in parser.idle()] == [b"A001"]
    assert parser.idle() == []


def test_too_long_a_line_is_one_refusal_and_the_next_line_is_found():
    parser = LineParser()
    assert parser.feed(b"x" * 5000) == []
    found = parser.feed(b"x" * 5000 + b"\rA001\r")
    assert found[0] == TooLong()
    assert bytes(found[1].data) == b"A001"


def test_ssi_commands_equal_the_published_frames():
    assert ssi(0xD0).hex() == "04d00400ff28"
    assert ssi(0xE4).hex() == "04e40400ff14"
    assert ssi(0xE5).hex() == "04e50400ff13"
    assert newland("SCNTRG1") == bytes.fromhex("7e0130303030235343 4e545247313b03".replace(" ", ""))


@given(st.lists(st.binary(max_size=250), min_size=1, max_size=5), st.integers(1, 40))
def test_ssi_packets_are_found_whole_however_they_are_cut(datas, step):
    stream = b"".join(packet(data) for data in datas)
    parser = SsiParser()
    found = [bytes(one.data) for at in range(0, len(stream), step) for one in parser.feed(stream[at : at + step])]
    assert found == datas


@given(st.binary(max_size=60), st.binary(max_size=200), st.integers(0, 205), st.integers(1, 255))
def test_after_noise_and_a_damaged_packet_the_next_one_is_found(noise, data, at, flip):
    damaged = bytearray(packet(data))
    damaged[at % len(damaged)] ^= flip
    found = SsiParser().feed(noise + bytes(damaged) + packet(b"\x1cA001"))
    assert [bytes(one.data) for one in found][-1:] == [b"\x1cA001"]


@pytest.mark.parametrize("profile", TALKS)
@given(pieces=st.lists(st.binary(max_size=300), max_size=12))
def test_no_bytes_make_a_conversation_raise_or_hoard(profile, pieces):
    talk, now_s = TALKS[profile](idle_s=0.3), 100.0
    for piece in [*pieces, b"", b""]:
        now_s += 0.2
        for one in talk.heard(memoryview(piece), now_s):
            assert isinstance(one, Code | TooLong) or one == "damaged"
            assert not isinstance(one, Code) or len(one.data) <= 4096
        talk.replies()
        talk.silent_s(now_s)


def test_an_acknowledgement_of_a_newland_scanner_is_no_code():
    codes, replies = ReplyFilter().feed(b"A0\x02\x010000#SCNTRG1\x06;\x0301\r")
    assert bytes(codes) == b"A001\r"
    assert replies == [b"\x010000#SCNTRG1\x06;"]


def test_a_packet_sent_again_because_its_acknowledgement_was_lost_is_told_once():
    talk = TALKS["ssi"](idle_s=0.3)
    first = talk.heard(memoryview(packet(b"\x1cA001")), 1.0)
    again = talk.heard(memoryview(packet(b"\x1cA001", status=1)), 2.0)
    later = talk.heard(memoryview(packet(b"\x1cA001")), 3.0)
    assert [len(first), len(again), len(later)] == [1, 0, 1]
    assert talk.replies() == ssi(0xD0) * 3


def test_a_packet_that_stays_damaged_is_asked_for_three_times_and_then_told():
    talk, now_s, told = TALKS["ssi"](idle_s=0.3), 1.0, []
    for _ in range(4):
        told += talk.heard(memoryview(packet(b"\x1cA001")[:-1] + b"\x00"), now_s)
        told += talk.heard(memoryview(b""), now_s + 0.2)
        now_s += 1
    assert told == ["damaged"]
    assert talk.replies() == ssi(0xD1, b"\x01") * 3


def test_a_scanner_that_is_asked_again_and_never_answers_is_silent_since_the_first_question():
    talk = TALKS["ssi"](idle_s=0.3)
    assert talk.silent_s(10.0) == 0
    assert talk.silent_s(13.5) == 3.5
    assert talk.replies() == ssi(0xA3) * 2
    talk.heard(memoryview(packet(b"NW", opcode=0xA4)), 14.0)
    assert talk.silent_s(14.1) == 0
    assert talk.replies() == b""
