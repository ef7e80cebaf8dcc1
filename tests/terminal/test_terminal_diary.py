"""What a visit leaves in a real journal, what a restart closes, and that no level is ever there in clear."""

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey

from runtime.clock import FakeClock
from runtime.identity import ensure
from runtime.journal import Journal, JournalFull, JournalReader
from terminal.diary import JournalDiary, new_id, recover
from terminal.flow.phrase import phrase
from terminal.flow.ports import Sheet, Stands, Subject
from terminal.tags import load_tags
from wire.kinds import CloseSecret, PressSecret, read_body
from wire.leaf import leaf, unseal
from wire.messages import Placement

KEY = PrivateKey(b"\x05" * 32)
SUBJECT = Subject(code="a.1")


def open_journal(folder: Path) -> Journal:
    return Journal.open(folder, "evidence", identity=ensure(folder), clock=FakeClock(), budget_bytes=4 * 1_048_576)


class Diary:
    """A diary whose every call waits until the disk and the answer are through; `told` holds the answers."""

    def __init__(self, journal: Journal, key: bytes | None = bytes(KEY.public_key)) -> None:
        self.calls: queue.Queue[Callable[[], object]] = queue.Queue()
        self.real = JournalDiary(
            journal, seal_key=lambda: key, post=self.calls.put, name_of=lambda _: {"zh": "护照"}, codes_of=lambda _: ["a.1"],
            now_ms=lambda: 1_000,
        )  # fmt: skip
        self.told: list[Any] = []
        self.real.start()

    def settle(self) -> None:
        """Wait until everything handed in is written and answered."""
        over: list[float] = []
        self.real.measure(over.append)
        while not over:
            self.calls.get(timeout=10)()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> None:
            if name in ("print_asked", "rating_invited", "rating_pressed"):
                named["done"] = self.told.append
            getattr(self.real, name)(*arguments, **named)
            self.settle()

        return call


def diary_of(journal: Journal, *, key: bytes | None = bytes(KEY.public_key)) -> Diary:
    return Diary(journal, key)


def entries(journal: Journal) -> list[tuple[str, object]]:
    with JournalReader(journal.path) as reader:
        return [(row.header.kind, read_body(row.header.kind, row.header.kind_version, row.entry.body)) for row in reader.rows(0)]


def sheet() -> Sheet:
    return Sheet(job_id="j1", subject=SUBJECT, language="zh", ticked=frozenset(), masked_name="张*")


def test_a_rated_occasion_is_invited_pressed_amended_closed(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, rating = diary_of(journal), new_id()
    diary.rating_invited(rating, subject=SUBJECT)
    diary.rating_pressed(rating, 1, amends=False)
    diary.rating_pressed(rating, 5, amends=True)
    diary.rating_closed(rating, how="done", tags=["lv5.found"], language="ko", profile="elder", duration_ms=900)
    kinds = [kind for kind, _ in entries(journal)]
    assert kinds[1:] == ["rating.invited", "rating.pressed", "rating.amended", "rating.closed"]
    closed = entries(journal)[-1][1]
    assert closed.outcome == "rated"
    assert closed.standing == 4
    assert closed.leaf == entries(journal)[3][1].leaf
    assert closed.tag_set == load_tags().version
    assert diary.told == [True, Stands(3, entries(journal)[2][1].leaf), Stands(4, closed.leaf)]
    journal.close()


def test_only_the_fleet_can_open_level_and_reasons(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, rating = diary_of(journal), new_id()
    diary.rating_invited(rating, subject=SUBJECT)
    diary.rating_pressed(rating, 2, amends=False)
    diary.rating_closed(rating, how="done", tags=["lv2.small"], language="zh", profile="standard", duration_ms=1)
    pressed, closed = entries(journal)[2][1], entries(journal)[3][1]
    secret = unseal(pressed.sealed, KEY, PressSecret)
    assert secret.level == 2
    assert leaf(2, secret.secret) == pressed.leaf
    assert unseal(closed.sealed, KEY, CloseSecret).reasons == ("lv2.small",)
    journal.close()


def test_all_levels_look_alike_from_outside(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary = diary_of(journal)
    for level in (1, 2, 3, 4, 5):
        diary.rating_pressed(new_id(), level, amends=False)
    shapes = {(len(body.leaf), len(body.sealed), body.via) for _, body in entries(journal)[1:]}
    assert len(shapes) == 1
    journal.close()


def test_a_skipped_rating_has_no_leaf_and_no_receipt(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, rating = diary_of(journal), new_id()
    diary.rating_invited(rating, subject=SUBJECT)
    diary.rating_closed(rating, how="skip", tags=[], language="zh", profile="standard", duration_ms=5)
    closed = entries(journal)[-1][1]
    assert (closed.outcome, closed.how, closed.leaf, closed.sealed) == ("not_rated", "skip", None, None)
    journal.close()


def test_an_unpaired_terminal_asks_nobody(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary = diary_of(journal, key=None)
    assert not diary.real.can_rate
    diary.rating_pressed(new_id(), 5, amends=False)
    assert diary.told == [None]
    assert len(entries(journal)) == 1
    journal.close()


def test_a_restart_closes_session_print_and_rating_truthfully(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, session, rating = diary_of(journal), new_id(), new_id()
    diary.session_opened(session)
    diary.print_asked(sheet(), session=session)
    diary.rating_invited(rating, subject=SUBJECT)
    diary.rating_pressed(rating, 3, amends=False)
    journal.close()
    journal = open_journal(tmp_path)
    assert recover(journal) == 3
    closing = dict(entries(journal)[-3:])
    assert closing["session.closed"].how == "restart"
    assert closing["print.finished"].outcome == "unknown"
    assert (closing["rating.closed"].outcome, closing["rating.closed"].how) == ("rated", "recovered")
    assert closing["rating.closed"].standing == 5
    assert recover(journal) == 0
    journal.close()


def test_what_a_damaged_journal_left_open_is_closed_in_the_one_after_it(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, session, rating = diary_of(journal), new_id(), new_id()
    diary.session_opened(session)
    diary.print_asked(sheet(), session=session)
    diary.rating_invited(rating, subject=SUBJECT)
    diary.rating_pressed(rating, 3, amends=False)
    diary.rating_pressed(rating, 4, amends=True)
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        connection.execute("UPDATE entries SET body = x'c0' WHERE seq = 6")
    connection.close()
    journal = open_journal(tmp_path)
    assert (recover(journal), recover(journal)) == (3, 0)
    closing = dict(entries(journal)[1:])
    assert (closing["rating.closed"].outcome, closing["rating.closed"].standing) == ("rated", 5)
    assert closing["print.finished"].outcome == "unknown"
    assert closing["session.closed"].session == session
    journal.close()


def test_a_whole_visit_leaves_nothing_to_recover(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, session = diary_of(journal), new_id()
    diary.session_opened(session)
    diary.print_asked(sheet(), session=session)
    diary.print_finished(sheet(), session=session, outcome="printed", reason=phrase(""), evidence="hal.ok")
    diary.session_closed(session, how="done", matters=("notice",), duration_ms=10)
    assert recover(journal) == 0
    journal.close()


def test_a_question_nobody_answered_before_the_cut_is_not_rated(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary_of(journal).rating_invited(new_id(), subject=SUBJECT)
    recover(journal)
    assert entries(journal)[-1][1].outcome == "not_rated"
    journal.close()


def test_the_masked_name_never_reaches_the_disk(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    diary, session = diary_of(journal), new_id()
    diary.session_opened(session)
    diary.print_asked(sheet(), session=session)
    diary.print_finished(sheet(), session=session, outcome="printed", reason=phrase(""), evidence="hal.ok")
    journal.close()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert "张".encode() not in path.read_bytes()


def test_every_level_has_reasons_in_three_languages() -> None:
    tags = load_tags()
    for level in (1, 2, 3, 4, 5):
        offered = tags.of_level(level)
        assert 3 <= len(offered) <= 6
        assert all(tag.zh and tag.ko and tag.en for tag in offered)
    assert len({tag.id for tag in tags.tags}) == len(tags.tags)


def test_the_place_a_fleet_gives_is_recorded_once_and_outlives_a_restart(tmp_path: Path) -> None:
    first, second = (Placement(hall="yunxi", hall_name={"zh": "厅"}, label={"zh": f"{n}号机"}) for n in (1, 2))
    for placement in (first, first, second):
        journal = open_journal(tmp_path)
        diary_of(journal).note_placement(placement)
        journal.close()
    journal = open_journal(tmp_path)
    assert [body.placement.label["zh"] for kind, body in entries(journal) if kind == "placement.changed"] == ["1号机", "2号机"]
    journal.close()


class SlowDisk:
    """A journal on a card that is busy until `free` is set, and full while `is_full`."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self.free, self.is_full = journal, threading.Event(), False

    def append(self, kind: str, body: Any) -> Any:
        assert self.free.wait(10)
        if self.is_full:
            raise JournalFull("the disk is full")
        return self._journal.append(kind, body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


def test_no_call_waits_for_a_disk_that_is_busy_and_all_is_written_in_order(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    disk = SlowDisk(journal)
    diary, session, rating = diary_of(disk), new_id(), new_id()  # type: ignore[arg-type]
    real = diary.real
    began = time.thread_time()
    real.session_opened(session)
    real.print_asked(sheet(), session=session, done=diary.told.append)
    real.rating_invited(rating, subject=SUBJECT, done=diary.told.append)
    real.rating_pressed(rating, 4, amends=False, done=diary.told.append)
    real.rating_closed(rating, how="done", tags=[], language="zh", profile="standard", duration_ms=1)
    real.session_closed(session, how="done", matters=(), duration_ms=1)
    assert real.can_rate, "what is asked while a screen is drawn does not wait either"
    assert time.thread_time() - began < 1.0
    assert (diary.told, [kind for kind, _ in entries(journal)]) == ([], ["journal.opened"]), "the disk is still busy"
    disk.free.set()
    diary.settle()
    assert [kind for kind, _ in entries(journal)][1:] == [
        "session.opened", "print.asked", "rating.invited", "rating.pressed", "rating.closed", "session.closed",
    ]  # fmt: skip
    assert [bool(answer) for answer in diary.told] == [True, True, True]
    journal.close()


def test_an_invitation_that_was_never_kept_is_not_closed_either(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    disk = SlowDisk(journal)
    disk.free.set()
    diary, rating = diary_of(disk), new_id()  # type: ignore[arg-type]
    disk.is_full = True
    diary.rating_invited(rating, subject=SUBJECT)
    disk.is_full = False
    diary.rating_closed(rating, how="left", tags=[], language="zh", profile="standard", duration_ms=1)
    assert diary.told == [False]
    assert [kind for kind, _ in entries(journal)] == ["journal.opened"]
    journal.close()


def test_a_correction_that_the_disk_refuses_leaves_the_first_press_standing(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    disk = SlowDisk(journal)
    disk.free.set()
    diary, rating = diary_of(disk), new_id()  # type: ignore[arg-type]
    diary.rating_invited(rating, subject=SUBJECT)
    diary.rating_pressed(rating, 1, amends=False)
    disk.is_full = True
    diary.rating_pressed(rating, 5, amends=True)
    diary.rating_closed(rating, how="left", tags=[], language="zh", profile="standard", duration_ms=1)
    disk.is_full = False
    diary.session_closed(new_id(), how="done", matters=(), duration_ms=1)
    assert [bool(answer) for answer in diary.told] == [True, True, False]
    assert [kind for kind, _ in entries(journal)][1:] == ["rating.invited", "rating.pressed", "rating.closed", "session.closed"]
    assert entries(journal)[-2][1].standing == 3
    journal.close()
