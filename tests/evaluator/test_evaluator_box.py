"""A button box and the journal: every press is recorded once, whoever is killed when, and an old press rates nobody's service."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import evaluator_box_host
import pytest
import waiting
from nacl.public import PrivateKey

from evaluator.boxes import BoxMarks
from evaluator.flow.desk import LATE_S
from evaluator.flow.ports import Kept
from hal.sim.control import ControlError, send
from runtime.journal import JournalReader
from wire.kinds import BoxPress, PressSecret, RatingClosed, RatingPressed, read_body
from wire.leaf import unseal

ROOT = Path(__file__).parents[2]
DEADLINE_S = 30.0


def until(condition, what):
    return waiting.until(condition, what, timeout_s=DEADLINE_S)


class Bench:
    """A box and an evaluator without a screen, as processes that can be killed."""

    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        self.box = self.host = None
        self.said = ""

    def start_box(self):
        command = [sys.executable, "-m", "hal.sim.box", "--link", self.port, "--control", self.control]
        log = ["--flash", str(self.folder / "flash"), "--log", str(self.folder / "log")]
        self.box = subprocess.Popen(command + log, stdout=subprocess.PIPE, cwd=ROOT)
        assert self.box.stdout.readline() == b"ready\n"

    @property
    def port(self):
        return str(self.folder / "box")

    @property
    def control(self):
        return str(self.folder / "box.ctl")

    def start_host(self):
        script = evaluator_box_host.__file__
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        with (self.folder / "said").open("ab") as said:
            self.host = subprocess.Popen(
                [sys.executable, script, self.port, str(self.folder / "data"), *self.options],
                stdout=said,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": path},
            )
        self.seen = (self.folder / "said").stat().st_size

    def wait_screen(self, name):
        """The host's newest screen is `name`."""
        until(lambda: self.screens()[-1:] == [name], f"screen {name}; said: {self.screens()}")

    def screens(self):
        return (self.folder / "said").read_bytes()[self.seen :].decode().split("\n")[:-1]

    def press(self, button):
        """Whether the box took it; None when nobody can know."""
        try:
            return send(self.control, {"do": "press", "button": button})["number"]
        except ControlError:
            return None

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()

    def logged(self):
        lines = (self.folder / "log").read_text().splitlines()
        return {int(line.split()[0]): line.split()[1] for line in lines}

    def settled(self):
        until(lambda: send(self.control, {"do": "state"})["waiting"] == [], "an empty box")

    def recorded(self):
        """(number, level) of every press in the journal."""
        key = PrivateKey(evaluator_box_host.SEAL_SEED)
        found = []
        with JournalReader(self.folder / "data" / "evidence.db") as reader:
            for row in reader.rows(0):
                if row.header.kind in ("rating.pressed", "rating.amended"):
                    body = read_body(row.header.kind, 1, row.entry.body)
                    found.append((body.box.number, unseal(body.sealed, key, PressSecret).level))
        return found

    def closes(self):
        with JournalReader(self.folder / "data" / "evidence.db") as reader:
            bodies = [read_body(row.header.kind, 1, row.entry.body) for row in reader.rows(0) if row.header.kind == "rating.closed"]
        return [body for body in bodies if isinstance(body, RatingClosed)]

    def end(self):
        for process in (self.host, self.box):
            if process is not None and process.poll() is None:
                self.kill(process)


@pytest.fixture
def bench(tmp_path):
    made = []

    def make(*options):
        made.append(Bench(tmp_path, *options))
        made[-1].start_box()
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_a_press_is_in_the_journal_with_its_number_before_the_box_forgets_it(bench):
    at = bench("--slow", "0.3")
    at.start_host()
    at.wait_screen("ask")
    number = at.press("level_4")
    until(lambda: "reasons" in at.screens() or send(at.control, {"do": "state"})["waiting"] == [number], "a press on its way")
    at.settled()
    assert at.recorded() == [(number, 4)]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_press_is_lost_or_doubled_whoever_is_killed_when(bench, seed):
    at, chance = bench("--slow", "0.01"), random.Random(seed)
    at.start_host()
    unsure = 0
    for round_no in range(10):
        if round_no % 3:
            at.wait_screen("ask")
        button = f"level_{chance.randint(1, 5)}"
        victims = chance.choice([[at.host], [at.box], [at.host, at.box]])
        number = at.press(button)
        time.sleep(chance.uniform(0, 0.03))  # The moment of the cut is what is tried here, not waited for.
        for victim in victims:
            at.kill(victim)
        unsure += number is None
        if at.box in victims:
            at.start_box()
        if at.host in victims:
            at.start_host()
    at.wait_screen("ask")
    at.settled()
    counts = Counter(number for number, _ in at.recorded())
    logged = at.logged()
    assert max(counts.values()) == 1
    assert logged.keys() <= counts.keys()
    assert len(counts) <= len(logged) + unsure
    for number, level in at.recorded():
        assert logged.get(number, f"level_{level}") == f"level_{level}"


def test_a_host_that_takes_before_it_commits_loses_a_press_and_one_that_does_not_keeps_it(bench):
    for options, kept in ((("--hasty",), False), ((), True)):
        at = bench("--slow", "1.0", *options)
        at.folder = at.folder / ("hasty" if options else "careful")
        at.folder.mkdir()
        at.end()
        at.start_box()
        at.start_host()
        at.wait_screen("ask")
        number = at.press("level_1")
        # The commit takes a second; the hasty host has told the box long before.
        until(lambda at=at: at.screens()[-1:] == ["ask"] and len(at.screens()) > 1, "a pressed card")
        until(lambda at=at, kept=kept: bool(send(at.control, {"do": "state"})["waiting"]) == kept, "what the host told the box")
        at.kill(at.host)
        at.options = ()
        at.start_host()
        at.wait_screen("ask")
        at.settled()
        assert (number in dict(at.recorded())) == kept
        at.end()


def test_an_old_press_rates_nobodys_service(bench):
    at = bench()
    at.press("level_1")
    at.press("level_2")
    send(at.control, {"do": "power_cut"})
    at.start_host()
    at.wait_screen("ask")
    at.settled()
    assert dict(at.recorded()) == {1: 1, 2: 2}
    until(lambda: len(at.closes()) == 2, "two closed entries")
    assert {(close.outcome, close.occasion) for close in at.closes()} == {("uninvited", None)}
    assert at.screens()[-1] == "ask"


# The flow, with time moved by hand

numbers = itertools.count(1)


def box_press(hall, *, age_s, settled):
    number = next(numbers)
    at_s = None if age_s is None else hall.clock.seconds - age_s
    age_ms = None if age_s is None else round(age_s * 1000)
    return Kept(BoxPress(box="b0", number=number, age_ms=age_ms), at_s, lambda done: settled.append((number, done)))


def test_a_press_of_now_answers_the_question_and_is_settled_after_the_commit(hall):
    hall.invite()
    hall.book.hold = True
    settled = []
    hall.wait(2)
    hall.desk.press(4, "button", box_press(hall, age_s=0.1, settled=settled))
    assert settled == []
    hall.book.commit()
    assert [done for _, done in settled] == [True]
    assert hall.shows == "reasons"


@pytest.mark.parametrize("age_s", [None, LATE_S + 1, 3600.0])
def test_a_press_of_long_ago_is_recorded_as_uninvited_and_the_screen_does_not_change(hall, age_s):
    hall.invite()
    settled, scene = [], hall.desk.scene
    hall.desk.press(1, "button", box_press(hall, age_s=age_s, settled=settled))
    assert hall.desk.scene == scene
    assert [done for _, done in settled] == [True]
    (close,) = hall.book.closes()
    assert close.occasion is None


def test_a_press_made_just_before_the_question_came_up_is_no_answer_to_it(hall):
    hall.wait(5)
    hall.invite()
    hall.desk.press(5, "button", box_press(hall, age_s=2.0, settled=[]))
    assert hall.shows == "ask"
    assert hall.book.closes()[0].occasion is None


@pytest.mark.parametrize("trouble", ["full", "broken", "unpaired"])
def test_an_old_press_that_cannot_be_recorded_stays_in_the_box(hall, trouble):
    settled = []
    if trouble == "full":
        hall.desk.storage(nearly_full=True)
    elif trouble == "broken":
        hall.book.broken = "rating.not_recorded"
    else:
        hall.desk.view(pairing="paired", code="", offline=False, desired=None, can_seal=False)
    hall.desk.press(1, "button", box_press(hall, age_s=None, settled=settled))
    assert [done for _, done in settled] == [False]


def test_a_press_that_was_refused_before_the_citizens_eyes_does_not_come_again(hall):
    settled = []
    hall.invite()
    hall.book.broken = "rating.not_recorded"
    hall.desk.press(2, "button", box_press(hall, age_s=0.0, settled=settled))
    assert hall.shows == "failed"
    assert [done for _, done in settled] == [True]


def test_presses_that_are_not_wanted_are_settled_all_the_same(hall):
    settled = []
    hall.desk.press(2, "button", box_press(hall, age_s=0.0, settled=settled))
    hall.desk.press(2, "button", box_press(hall, age_s=0.0, settled=settled))
    hall.invite()
    hall.desk.press(5, "button", box_press(hall, age_s=0.0, settled=settled))
    hall.desk.press(4, "button", box_press(hall, age_s=0.0, settled=settled))
    hall.desk.correct()
    hall.desk.press(5, "button", box_press(hall, age_s=0.0, settled=settled))
    assert [done for _, done in settled] == [True] * 5


# What is remembered of boxes


def test_marks_are_kept_over_a_restart_and_never_go_back(tmp_path):
    marks = BoxMarks(tmp_path / "boxes.json")
    for number in (1, 2, 7, 3):
        marks.recorded(BoxPress(box="aa", number=number))
    marks.recorded(BoxPress(box="bb", number=1))
    marks.store()
    again = BoxMarks(tmp_path / "boxes.json")
    assert (again.knows("aa", 7), again.knows("aa", 8), again.knows("bb", 1), again.knows("cc", 1)) == (True, False, True, False)


@pytest.mark.parametrize("content", ["", "[1]", '{"aa": "many"}', "\x00"])
def test_damaged_marks_are_no_marks(tmp_path, content):
    (tmp_path / "boxes.json").write_text(content)
    assert not BoxMarks(tmp_path / "boxes.json").knows("aa", 1)


def test_pressed_bodies_with_and_without_a_box_are_read():
    from wire.codec import encode

    body = RatingPressed(rating=b"r" * 16, occasion=None, via="button", leaf=b"l" * 32, sealed=b"s")
    for box in (None, BoxPress(box="aa", number=3, age_ms=None)):
        from msgspec import structs

        made = structs.replace(body, box=box)
        assert read_body("rating.pressed", 1, encode(made)) == made
