"""The reference evaluator protocol as bytes: three independent implementations, the published vectors, and noise between frames."""

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator import desk_tool
from hal.drivers.evaluator_frames import (
    MAX_PAYLOAD,
    SPECIAL,
    Frame,
    FrameError,
    Hello,
    Unframer,
    encode,
    read_hello,
)
from hal.drivers.evaluator_vectors import vectors
from hal.sim import frames as simulated

PUBLISHED = json.loads((Path(__file__).parents[2] / "docs" / "evaluator-vectors.json").read_text(encoding="utf-8"))
payloads = st.binary(max_size=MAX_PAYLOAD)
any_frame = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), payloads)
# Bytes with a meaning are as likely as all others together.
nasty = st.lists(st.one_of(st.sampled_from(sorted(SPECIAL)), st.integers(0, 255)), max_size=60).map(bytes)


def by_driver(data):
    return [(one.seq, one.cmd, one.payload) for one in Unframer().feed(data)]


def by_simulator(data):
    return list(simulated.Cutter().feed(data))


def by_desk(data):
    return list(desk_tool.Decoder().feed(data))


READERS = [by_driver, by_simulator, by_desk]
WRITERS = [
    lambda one: encode(one),
    lambda one: simulated.frame(one.seq, one.cmd, one.payload),
    lambda one: desk_tool.encode(one.seq, one.cmd, one.payload),
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("write", WRITERS)
@given(any_frame)
def test_what_one_implementation_writes_every_other_reads(read, write, frame):
    assert read(write(frame)) == [(frame.seq, frame.cmd, frame.payload)]


@given(any_frame)
def test_between_its_ends_a_frame_holds_nothing_that_begins_or_ends_one_or_that_an_adapter_swallows(frame):
    inside = encode(frame)[1:-1]
    assert not {0x02, 0x03, 0x11, 0x13} & set(inside)


@given(st.lists(any_frame, min_size=1, max_size=5), st.lists(st.integers(1, 9), min_size=1))
def test_pieces_of_any_size_come_together_again(frames, sizes):
    stream, unframer, desk, found, found_at_desk = b"".join(map(encode, frames)), Unframer(), desk_tool.Decoder(), [], []
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += unframer.feed(stream[at : at + size])
        found_at_desk += desk.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == frames
    assert found_at_desk == [(one.seq, one.cmd, one.payload) for one in frames]
    assert unframer.damaged == 0


@pytest.mark.parametrize("read", READERS)
@given(nasty, any_frame, nasty)
def test_after_any_noise_the_next_whole_frame_is_understood(read, before, frame, after):
    assert (frame.seq, frame.cmd, frame.payload) in read(before + encode(frame) + after)


@pytest.mark.parametrize("read", READERS)
@given(any_frame, st.data())
def test_a_frame_with_one_damaged_byte_is_never_taken_for_another(read, frame, data):
    good = encode(frame)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes((good[at] ^ data.draw(st.integers(1, 255)),)) + good[at + 1 :]
    assert all(found == (frame.seq, frame.cmd, frame.payload) for found in read(bad))


@pytest.mark.parametrize("read", READERS)
@given(any_frame, st.data())
def test_a_frame_cut_off_costs_nothing_but_itself(read, frame, data):
    cut = encode(frame)[: data.draw(st.integers(0, len(encode(frame)) - 1))]
    assert read(cut + encode(frame)) == [(frame.seq, frame.cmd, frame.payload)]


@given(nasty, any_frame)
def test_flow_control_that_an_adapter_puts_in_between_is_passed_over(where, frame):
    good = encode(frame)
    at = len(where) % (len(good) - 2) + 1
    if good[at - 1] != 0x10:
        assert by_driver(good[:at] + b"\x11\x13" + good[at:]) == [(frame.seq, frame.cmd, frame.payload)]


@pytest.mark.parametrize("read", READERS)
def test_an_endless_stream_without_an_end_takes_no_memory_and_hides_no_frame(read):
    rubbish = b"\x02" + bytes(byte for byte in os.urandom(300_000) if byte not in (0x02, 0x03))
    assert read(rubbish + encode(Frame(1, 0x7F))) == [(1, 0x7F, b"")]


def test_a_payload_that_is_too_long_is_refused_loudly():
    with pytest.raises(FrameError, match="201 bytes; a frame carries at most 200"):
        encode(Frame(1, 2, bytes(201)))


# The published vectors


def test_the_published_vectors_still_come_out_byte_for_byte():
    assert json.loads(json.dumps(vectors())) == PUBLISHED


@pytest.mark.parametrize("read", READERS)
def test_every_implementation_reads_the_published_frames(read):
    for frame in PUBLISHED["frames"]:
        assert read(bytes.fromhex(frame["bytes"])) == [(frame["seq"], int(frame["cmd"], 16), bytes.fromhex(frame["payload"]))]


@pytest.mark.parametrize("write", WRITERS)
def test_every_implementation_writes_the_published_frames(write):
    for frame in PUBLISHED["frames"]:
        made = write(Frame(frame["seq"], int(frame["cmd"], 16), bytes.fromhex(frame["payload"])))
        assert made.hex() == frame["bytes"], frame["what"]


@pytest.mark.parametrize("read", READERS)
def test_every_implementation_drops_the_published_damaged_frames(read):
    for damaged in PUBLISHED["damaged"]:
        whole = 1 if "whole frame" in damaged["what"] else 0
        assert len(read(bytes.fromhex(damaged["bytes"]))) == whole, damaged["what"]


# Greetings

hellos = st.builds(
    Hello,
    st.integers(0, 255),
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=8, max_size=8),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=24),
    st.integers(1, 4),
    st.integers(4, 9),
    st.integers(32, 255),
)


@given(hellos, st.binary(max_size=20))
def test_a_greeting_is_read_as_it_was_written_and_what_a_newer_version_appends_is_passed_over(hello, appended):
    assert read_hello(hello.payload() + appended) == hello


@given(st.binary(max_size=60))
def test_any_other_bytes_are_a_greeting_or_an_error_and_its_model_can_be_shown(payload):
    with contextlib.suppress(FrameError):
        assert read_hello(payload).model.isprintable()


@pytest.mark.parametrize(
    ("ours", "theirs", "common"),
    [((1, 1), (1, 1), 1), ((1, 3), (2, 5), 3), ((2, 5), (1, 3), 3), ((1, 1), (2, 5), None), ((4, 5), (1, 3), None)],
)
def test_both_ends_find_the_highest_version_that_both_speak(ours, theirs, common):
    mine, yours = (Hello(1, bytes(4), lowest=low, highest=high) for low, high in (ours, theirs))
    assert mine.common_version(yours) == yours.common_version(mine) == common
