"""Two ends of an evaluator link over a bad line, with time moved by hand: nothing is taken twice or out of order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.drivers.evaluator_frames import BOX, DESK, EVALUATOR, HELLO, HELLO_ANSWER, Frame, Hello, Unframer, encode
from hal.drivers.evaluator_talk import TRIES, Talk


class Bench:
    """An asking and an answering end; `harm(data)` decides what of each transmission arrives."""

    def __init__(self, harm=lambda data: data):
        self.now_s = 100.0
        self.asking = Talk(role=EVALUATOR, peer_role=BOX, asks=True, baud=115200)
        self.answering = Talk(role=BOX, peer_role=EVALUATOR, asks=False, baud=115200)
        self.harm = harm
        self.taken = {self.asking: [], self.answering: []}

    def step(self, seconds=0.05):
        for sender, receiver in ((self.asking, self.answering), (self.answering, self.asking)):
            data = self.harm(sender.due(self.now_s))
            for frame in receiver.feed(data, self.now_s):
                self.taken[receiver].append((receiver.session, frame.cmd, frame.payload))
        self.now_s += seconds

    def run(self, seconds):
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.step()

    def until_up(self):
        for _ in range(400):
            if self.asking.up and self.answering.up:
                return
            self.step()
        raise AssertionError("the ends did not greet")


def numbered(count):
    return [(5, number.to_bytes(2, "big")) for number in range(count)]


def test_two_ends_greet_and_talk_both_ways():
    bench = Bench()
    bench.until_up()
    for cmd, payload in numbered(300):
        while not (bench.asking.put(cmd, payload) and bench.answering.put(cmd + 1, payload)):
            bench.step()
    bench.run(60)
    assert [entry[1:] for entry in bench.taken[bench.answering]][:300] == numbered(300)
    assert [entry[2] for entry in bench.taken[bench.asking]] == [payload for _, payload in numbered(300)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.5), st.floats(0, 0.3))
def test_whatever_the_line_does_no_frame_is_taken_twice_or_out_of_order_in_a_session(seed, loss, spoiling):
    chance = random.Random(seed)

    def harm(data):
        if data and chance.random() < loss:
            return b""
        if data and chance.random() < spoiling:
            at = chance.randrange(len(data))
            return data[:at] + bytes((data[at] ^ chance.randrange(1, 256),)) + data[at + 1 :]
        if data and chance.random() < 0.1:
            return data + data
        return data

    bench = Bench(harm)
    sent = 0
    for _ in range(600):
        if bench.asking.put(5, sent.to_bytes(2, "big")):
            sent += 1
        bench.step()
    by_session = {}
    for session, _, payload in bench.taken[bench.answering]:
        by_session.setdefault(session, []).append(int.from_bytes(payload, "big"))
    everything = [number for numbers in by_session.values() for number in numbers]
    assert everything == sorted(set(everything))
    for numbers in by_session.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_what_is_not_acknowledged_is_sent_three_times_and_then_greeted_anew():
    bench = Bench()
    bench.until_up()
    bench.run(1)
    sent = []
    bench.harm = lambda data: (sent.append(data), b"")[1]
    bench.asking.put(5, b"x")
    bench.run(5)
    assert sent.count(encode(Frame(1, 5, b"x"))) == TRIES
    assert not bench.asking.up
    bench.harm = lambda data: data
    bench.until_up()


def test_a_lost_acknowledgement_makes_no_second_frame():
    bench = Bench()
    bench.until_up()
    bench.asking.put(5, b"x")
    drops = [1]

    def harm(data):
        if b"\x7f" in data and drops:
            drops.pop()
            return b""
        return data

    bench.harm = harm
    bench.run(2)
    assert not drops
    assert [payload for _, _, payload in bench.taken[bench.answering]] == [b"x"]


def test_an_answering_end_that_starts_anew_is_greeted_at_once():
    bench = Bench()
    bench.until_up()
    bench.run(1)
    bench.answering = Talk(role=BOX, peer_role=EVALUATOR, asks=False, baud=115200)
    bench.taken[bench.answering] = []
    bench.run(0.3)
    assert bench.asking.up
    assert bench.answering.up
    assert bench.asking.session == 2


def test_a_recording_of_a_whole_conversation_played_again_is_not_obeyed():
    bench = Bench()
    record = []
    bench.harm = lambda data: (record.append(data), data)[1]
    bench.until_up()
    for cmd, payload in numbered(5):
        bench.asking.put(cmd, payload)
    bench.run(2)
    bench.harm = lambda data: data
    taken = len(bench.taken[bench.answering])
    # All but the greeting: an attacker who greets is another desk, which the application has to stand.
    frames = [data for data in record if HELLO not in [frame.cmd for frame in Unframer().feed(data)]]
    assert len(frames) > 5
    for data in frames:
        for frame in bench.answering.feed(data, bench.now_s):
            raise AssertionError(f"{frame} was taken twice")
    bench.run(2)
    assert len(bench.taken[bench.answering]) == taken
    assert bench.asking.up


@pytest.mark.parametrize("role", [DESK, EVALUATOR, 77])
def test_an_end_in_another_role_is_named_and_not_talked_to(role):
    talk = Talk(role=EVALUATOR, peer_role=BOX, asks=True, baud=115200)
    talk.due(1.0)
    hello = Hello(role, talk._nonce, bytes(8), "other")
    assert list(talk.feed(encode(Frame(0, HELLO_ANSWER, hello.payload())), 1.0)) == []
    assert not talk.up
    assert (talk.wrong.why, talk.wrong.hello.model) == ("role", "other")


def test_without_a_version_in_common_nothing_is_said():
    talk = Talk(role=EVALUATOR, peer_role=DESK, asks=False, baud=115200)
    list(talk.feed(encode(Frame(0, HELLO, Hello(DESK, b"abcd", lowest=2, highest=3).payload())), 1.0))
    assert talk.wrong.why == "version"
    assert not talk.put(0x85, bytes(4))
    # It is answered all the same, so that the desk can say why.
    assert talk.due(1.0)


def test_an_answer_to_an_older_greeting_begins_nothing():
    talk = Talk(role=EVALUATOR, peer_role=BOX, asks=True, baud=115200)
    talk.due(1.0)
    old = talk._nonce
    talk.due(2.0)
    assert talk._nonce != old
    list(talk.feed(encode(Frame(0, HELLO_ANSWER, Hello(BOX, old).payload())), 2.0))
    assert not talk.up


@given(st.binary(max_size=300))
def test_any_bytes_at_all_raise_nothing_and_are_answered_by_at_most_a_few(data):
    for talk in (Bench().asking, Bench().answering):
        talk.due(1.0)
        assert list(talk.feed(data, 1.0)) == []
        assert len(talk.due(1.0)) < 200
