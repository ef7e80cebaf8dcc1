"""A power cut at a window: it is said, nobody new is asked, and what was pressed is on the disk before the device goes off."""

import queue
import secrets

import pytest
from nacl.public import PrivateKey

from evaluator.evidence import Evidence
from evaluator.flow.scene import Idle
from runtime.clock import FakeClock
from runtime.identity import ensure
from runtime.journal import Journal, JournalReader
from runtime.outage import PowerWatch
from wire.kinds import read_body


def test_a_cut_is_a_sign_on_every_screen_and_its_end_takes_it_away(hall):
    hall.desk.outage("warned")
    assert hall.desk.scene.signs.on_battery
    hall.invite()
    assert hall.shows == "ask", "the first half minute changes nothing"
    assert hall.desk.scene.signs.on_battery
    hall.desk.outage("none")
    assert not hall.desk.scene.signs.on_battery


@pytest.mark.parametrize("stage", ["resting", "ending"])
def test_nobody_new_is_asked_on_a_battery_and_the_screen_says_so(hall, stage):
    hall.desk.outage(stage)
    hall.invite()
    assert hall.replies[-1] == ("refused", "rating.on_battery")
    assert isinstance(hall.desk.scene, Idle)
    assert hall.desk.scene.resting
    hall.desk.outage("none")
    hall.invite()
    assert hall.shows == "ask"


def test_who_is_asked_already_may_finish_while_the_battery_lasts(hall):
    hall.invite()
    hall.desk.outage("resting")
    hall.desk.press(4, "touch")
    hall.desk.finish()
    assert hall.shows == "receipt"
    assert hall.book.closes()[0].stands is not None


def test_a_low_battery_closes_the_rating_with_what_stands(hall):
    hall.invite()
    hall.desk.press(4, "touch")
    hall.desk.outage("ending")
    (close,) = hall.book.closes()
    assert close.stands is not None
    assert close.how == "left"


def test_a_low_battery_closes_an_unanswered_question_as_not_rated(hall):
    hall.invite()
    hall.desk.outage("ending")
    (close,) = hall.book.closes()
    assert close.stands is None


def test_a_press_on_its_way_to_the_disk_is_kept_before_the_rating_is_closed(hall):
    hall.invite()
    hall.book.hold = True
    hall.desk.press(5, "button")
    hall.desk.outage("ending")
    assert hall.book.closes() == []
    hall.book.commit()
    hall.book.commit()
    assert hall.book.kinds()[-2:] == ["pressed", "closed"]
    assert hall.book.closes()[0].stands is not None


class SwitchedUps:
    """Remembers what was in the journal when the device was switched off."""

    def __init__(self, path):
        self._path = path
        self.found = []

    def shut_down(self):
        with JournalReader(self._path) as reader:
            self.found.append([read_body(row.header.kind, row.header.kind_version, row.entry.body) for row in reader.rows(0)])


def test_the_device_goes_off_only_when_press_and_close_are_written(tmp_path):
    posts = queue.Queue()
    journal = Journal.open(tmp_path, "evidence", identity=ensure(tmp_path), clock=FakeClock(), budget_bytes=4 << 20)
    evidence = Evidence(journal, seal_key=lambda: bytes(PrivateKey.generate().public_key), post=posts.put)
    ups = SwitchedUps(journal.path)
    rating = secrets.token_bytes(16)

    def end():
        # What the desk hands in when the battery runs low, in the same order: a press under way, then its end.
        evidence.pressed(rating, None, 4, "button", amends=False, done=lambda stands: pressed.append(stands))

    pressed = []
    watch = PowerWatch([ups], evidence, later=lambda *_: None, on_stage=end)
    evidence.start()
    watch.take("low", charge=5, runtime_s=30)
    while not ups.found:
        posts.get(timeout=10)()
    assert [type(body).__name__ for body in ups.found[0]][1:] == ["PowerChanged", "RatingPressed"]
    assert pressed
    evidence.stop()
