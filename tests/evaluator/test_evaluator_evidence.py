"""Ratings in a real journal: what an entry gives away, what stands after a cut, and what a full disk does."""

import queue
import sqlite3
from collections.abc import Callable

import pytest
from nacl.public import PrivateKey

from evaluator.evidence import Evidence
from evaluator.flow.ports import Close, Stands
from runtime.clock import FakeClock
from runtime.identity import ensure
from runtime.journal import Journal, JournalFull, JournalReader
from wire import leaf
from wire.kinds import CloseSecret, Door, PressSecret, RatingClosed, RatingPressed, read_body
from wire.messages import Invitation, Placement

RATING, OCCASION = b"r" * 16, b"o" * 16
INVITATION = Invitation(occasion=OCCASION, stage="finish", expires_ms=1_900_000_000_000)


class Post:
    """Stands for the Kivy thread: takes callables and runs them when the test says so."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[Callable[[], object]] = queue.Queue()

    def __call__(self, call: Callable[[], object]) -> None:
        self.waiting.put(call)

    def run_one(self) -> None:
        self.waiting.get(timeout=10)()


@pytest.fixture
def journal(tmp_path):
    made = Journal.open(tmp_path, "evidence", identity=ensure(tmp_path), clock=FakeClock(), budget_bytes=4 * 1_048_576)
    yield made
    made.close()


@pytest.fixture
def key():
    return PrivateKey.generate()


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def evidence(journal, key, post):
    made = Evidence(journal, seal_key=lambda: bytes(key.public_key), post=post)
    made.start()
    yield made
    made.stop()


def _bodies(journal):
    with JournalReader(journal.path) as reader:
        return [read_body(row.header.kind, 1, row.entry.body) for row in reader.rows(0) if row.header.kind.startswith("rating.")]


def _press(evidence, post, level=2, *, amends=False, occasion=OCCASION):
    outcomes = []
    evidence.pressed(RATING, occasion, level, "touch", amends=amends, done=outcomes.append)
    post.run_one()
    return outcomes[0]


def test_only_the_fleet_can_read_the_level(evidence, post, journal, key):
    stands = _press(evidence, post, level=2)
    (body,) = _bodies(journal)
    secret = leaf.unseal(body.sealed, key, PressSecret)
    assert secret.level == 2
    assert leaf.leaf(2, secret.secret) == body.leaf == stands.leaf
    with pytest.raises(Exception, match="another fleet"):
        leaf.unseal(body.sealed, PrivateKey.generate(), PressSecret)


def test_an_opened_cabinet_is_on_record_with_the_contact_that_told(evidence, post, journal):
    evidence.cabinet("tamper", True)
    _press(evidence, post)
    with JournalReader(journal.path) as reader:
        (row,) = [row for row in reader.rows(0) if row.header.kind == "security.door"]
    assert read_body("security.door", 1, row.entry.body) == Door(open=True, contact="tamper")


def test_entries_of_all_levels_have_one_size(evidence, post, journal):
    for level in leaf.LEVELS:
        _press(evidence, post, level=level)
    with JournalReader(journal.path) as reader:
        assert len({len(row.entry.body) for row in reader.rows(0) if row.header.kind == "rating.pressed"}) == 1


def test_no_level_is_in_the_log(evidence, post, capsys):
    _press(evidence, post, level=1)
    said = capsys.readouterr()
    assert "level" not in said.out + said.err


def test_a_close_carries_the_press_that_stands_and_sealed_reasons(evidence, post, journal, key):
    stands = _press(evidence, post)
    close = Close(RATING, OCCASION, "done", stands, "1", ("lv2.poor",), "ko", "elder", 9000)
    evidence.closed(close, lambda _: None)
    post.run_one()
    body = _bodies(journal)[-1]
    assert isinstance(body, RatingClosed)
    assert (body.outcome, body.standing, body.leaf) == ("rated", stands.seq, stands.leaf)
    assert leaf.unseal(body.sealed, key, CloseSecret).reasons == ("lv2.poor",)
    assert (body.language, body.profile, body.duration_ms) == ("ko", "elder", 9000)


def test_without_the_fleets_key_nothing_is_recorded(journal, post):
    evidence = Evidence(journal, seal_key=lambda: None, post=post)
    evidence.start()
    outcomes = []
    evidence.pressed(RATING, OCCASION, 3, "touch", amends=False, done=outcomes.append)
    post.run_one()
    evidence.stop()
    assert outcomes == ["rating.not_recorded"]


def test_a_full_journal_is_told_apart(evidence, post):
    big = Invitation(occasion=OCCASION, stage="finish", item_name={"zh": "长" * 200, "en": "x" * 200}, expires_ms=1)
    outcomes = []
    while not outcomes or outcomes[-1] is None:
        evidence.invited(big, outcomes.append)
        post.run_one()
    assert outcomes[-1] == "rating.storage_full"
    assert len(outcomes) > 1000


def test_after_a_cut_the_last_press_stands(evidence, post, journal):
    evidence.invited(INVITATION, lambda _: None)
    post.run_one()
    _press(evidence, post, level=1)
    amended = _press(evidence, post, level=4, amends=True)
    assert isinstance(amended, Stands)
    assert evidence.recover() == 1
    body = _bodies(journal)[-1]
    assert (body.how, body.outcome, body.standing, body.leaf) == ("recovered", "rated", amended.seq, amended.leaf)


def test_after_a_cut_an_unanswered_question_is_not_rated(evidence, post, journal):
    evidence.invited(INVITATION, lambda _: None)
    post.run_one()
    assert evidence.recover() == 1
    body = _bodies(journal)[-1]
    assert (body.how, body.outcome, body.occasion, body.standing) == ("recovered", "not_rated", OCCASION, None)


def test_a_cut_between_uninvited_press_and_its_close_is_closed_as_uninvited(evidence, post, journal):
    _press(evidence, post, occasion=None)
    evidence.invited(INVITATION, lambda _: None)
    post.run_one()
    assert evidence.recover() == 2
    assert sorted(body.outcome for body in _bodies(journal) if isinstance(body, RatingClosed)) == ["not_rated", "uninvited"]


def test_recovering_twice_closes_nothing_twice(evidence, post):
    _press(evidence, post)
    assert evidence.recover() == 1
    assert evidence.recover() == 0


def _damage(path, seq):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET body = x'c0' WHERE seq = ?", (seq,))
    connection.close()


def test_after_a_damage_the_last_press_that_can_be_read_stands(evidence, post, journal, key, tmp_path):
    evidence.invited(INVITATION, lambda _: None)
    post.run_one()
    readable = _press(evidence, post, level=4)
    lost = _press(evidence, post, level=1, amends=True)
    evidence.stop()
    _damage(journal.path, lost.seq)
    successor = Journal.open(tmp_path, "evidence", identity=ensure(tmp_path), clock=FakeClock(), budget_bytes=4 * 1_048_576)
    again = Evidence(successor, seal_key=lambda: bytes(key.public_key), post=post)
    assert (again.recover(), again.recover()) == (1, 0)
    (body,) = _bodies(successor)
    assert (body.how, body.outcome, body.standing, body.leaf) == ("recovered", "rated", readable.seq, readable.leaf)
    successor.close()


def test_a_finished_rating_needs_no_recovery(evidence, post):
    stands = _press(evidence, post)
    evidence.closed(Close(RATING, OCCASION, "done", stands, "1", (), "zh", "standard", 1), lambda _: None)
    post.run_one()
    assert evidence.recover() == 0


def test_what_waits_is_written_before_the_end(journal, key, post):
    evidence = Evidence(journal, seal_key=lambda: bytes(key.public_key), post=post)
    for _ in range(20):
        evidence.pressed(RATING, OCCASION, 5, "touch", amends=False, done=lambda _: None)
    evidence.start()
    path = journal.path
    evidence.stop()
    with JournalReader(path) as reader:
        assert sum(row.header.kind == "rating.pressed" for row in reader.rows(0)) == 20


def test_entries_are_committed_in_the_order_of_the_calls(evidence, post, journal):
    evidence.invited(INVITATION, lambda _: None)
    evidence.pressed(RATING, OCCASION, 5, "touch", amends=False, done=lambda _: None)
    evidence.closed(Close(RATING, OCCASION, "left", None, "", (), "zh", "standard", 1), lambda _: None)
    for _ in range(3):
        post.run_one()
    kinds = [type(body).__name__ for body in _bodies(journal)]
    assert kinds == ["RatingInvited", RatingPressed.__name__, RatingClosed.__name__]


def test_the_place_a_fleet_gives_is_recorded_once(evidence, journal):
    place = Placement(hall="taoyuan", hall_name={"zh": "厅"}, label={"zh": "12号窗口"}, window="12")
    for _ in range(3):
        evidence.note_placement(place)
    evidence.note_placement(Placement(hall="taoyuan", hall_name={"zh": "厅"}, label={"zh": "7号窗口"}, window="7"))
    path = journal.path
    evidence.stop()
    with JournalReader(path) as reader:
        bodies = [read_body(row.header.kind, 1, row.entry.body) for row in reader.rows(1)]
    assert [body.placement.window for body in bodies] == ["12", "7"]


class Stubborn:
    """A journal on a disk that is full for the first `refusals` appends."""

    def __init__(self, journal: Journal, refusals: int) -> None:
        self._journal, self._refusals = journal, refusals

    def append(self, kind, body):
        if self._refusals:
            self._refusals -= 1
            raise JournalFull("the disk is full")
        return self._journal.append(kind, body)

    def __getattr__(self, name):
        return getattr(self._journal, name)


def test_a_close_that_the_disk_refused_is_written_later_with_its_reasons(journal, key, post, tmp_path):
    evidence = Evidence(Stubborn(journal, 1), seal_key=lambda: bytes(key.public_key), post=post)
    evidence.start()
    told = []
    point = leaf.leaf(2, bytes(32))
    close = Close(
        rating=RATING, occasion=OCCASION, how="done", stands=Stands(3, point), tag_set="1", reasons=("lv2.no_list",),
        language="zh", profile="standard", duration_ms=5,
    )  # fmt: skip
    evidence.closed(close, told.append)
    post.run_one()
    assert told == ["rating.storage_full"]
    evidence.invited(INVITATION, told.append)
    post.run_one()
    evidence.stop()
    with JournalReader(tmp_path / "evidence.db") as reader:
        rows = [row for row in reader.rows(0) if row.header.kind.startswith("rating.")]
    assert [row.header.kind for row in rows] == ["rating.closed", "rating.invited"], "the close stands before what came later"
    body = read_body("rating.closed", 1, rows[0].entry.body)
    assert isinstance(body, RatingClosed)
    assert leaf.unseal(body.sealed, key, CloseSecret).reasons == ("lv2.no_list",)


def test_closes_that_are_refused_one_after_the_other_are_all_written_later(journal, key, post, tmp_path):
    evidence = Evidence(Stubborn(journal, 2), seal_key=lambda: bytes(key.public_key), post=post)
    evidence.start()
    told = []
    for occasion in (b"1" * 16, b"2" * 16):
        evidence.closed(Close(occasion, occasion, "left", None, "", (), "zh", "standard", 1), told.append)
        post.run_one()
    assert told == ["rating.storage_full"] * 2
    evidence.invited(INVITATION, told.append)
    post.run_one()
    evidence.stop()
    with JournalReader(tmp_path / "evidence.db") as reader:
        kinds = [row.header.kind for row in reader.rows(1)]
    assert kinds == ["rating.closed", "rating.closed", "rating.invited"]
