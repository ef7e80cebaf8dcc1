"""What a printer's driver still knows after a restart: jobs that went out, a hanging ticket, the roll of paper."""

import json
import os

import pytest

from hal.api import Outcome, PrinterStatus
from hal.drivers.escpos_memory import MAX_JOBS, Memory

STATUS = PrinterStatus(answered=True)


class Clock:
    now_ms = 1_700_000_000_000

    def __call__(self):
        return self.now_ms


@pytest.fixture
def file(tmp_path):
    return tmp_path / "hal" / "printer.json"


def told(job_id, result="printed", *, paper_mm=100, **more):
    return Outcome(job_id, result, "hal.ok", STATUS, STATUS, paper_mm=paper_mm, **more)


def finish(memory, job_id, result="printed", *, paper_mm=100, hanging=False, **more):
    memory.sending(job_id, paper_mm)
    memory.settled(told(job_id, result, paper_mm=paper_mm, cut=not hanging, **more), hanging=hanging, unfinished=False)


def test_a_job_that_was_going_out_when_the_program_ended_is_unknown_ever_after(file):
    Memory(file).sending("a", 120)
    again = Memory(file)
    (outcome,) = again.outcomes()
    assert (outcome.job_id, outcome.result, outcome.reason, outcome.paper_mm) == ("a", "unknown", "job.stopped", 120)
    assert again.hanging
    assert again.unfinished
    assert [one.result for one in Memory(file).outcomes()] == ["unknown"]


def test_what_was_printed_is_remembered_and_what_was_not_may_be_tried_again(file):
    memory = Memory(file)
    finish(memory, "a")
    finish(memory, "b", "not_printed", partial=True, hanging=True)
    again = Memory(file)
    assert [(one.job_id, one.result, one.cut) for one in again.outcomes()] == [("a", "printed", True)]
    assert again.hanging
    assert not again.unfinished


def test_only_so_many_jobs_are_remembered(file):
    memory = Memory(file)
    for number in range(MAX_JOBS + 5):
        finish(memory, f"j{number}")
    assert [one.job_id for one in Memory(file).outcomes()] == [f"j{number}" for number in range(5, MAX_JOBS + 5)]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"jobs": 7}', b"\xff\x00", b"[]"])
def test_a_damaged_file_is_begun_anew_and_the_next_ticket_gets_its_own_paper(file, damage):
    file.parent.mkdir()
    file.write_bytes(damage)
    memory = Memory(file)
    assert memory.outcomes() == []
    assert memory.hanging
    finish(memory, "a")
    assert [one.job_id for one in Memory(file).outcomes()] == ["a"]


def test_the_file_is_replaced_as_a_whole_and_never_written_in_place(file):
    memory = Memory(file)
    finish(memory, "a")
    before = os.stat(file).st_ino
    with open(file, "rb") as held:
        finish(memory, "b")
        assert [one["id"] for one in json.load(held)["jobs"]] == ["a"]
    assert os.stat(file).st_ino != before


def test_a_disk_that_refuses_does_not_stop_the_printing(tmp_path):
    (tmp_path / "hal").write_text("a file where the folder should be")
    memory = Memory(tmp_path / "hal" / "printer.json")
    finish(memory, "a")
    assert [one.job_id for one in memory.outcomes()] == ["a"]


def test_without_a_file_nothing_outlives_the_program():
    memory = Memory(None)
    finish(memory, "a")
    assert [one.job_id for one in memory.outcomes()] == ["a"]
    assert Memory(None).outcomes() == []


def roll(memory, roll_m=50, near_end_m=0.0):
    return memory.roll(roll_mm=roll_m * 1000, near_end_mm=near_end_m * 1000)


def test_a_roll_that_was_changed_is_counted_down_across_restarts(file):
    clock = Clock()
    memory = Memory(file, now_ms=clock)
    memory.paper_seen("out")
    memory.paper_seen("ok")
    for number in range(10):
        finish(memory, f"j{number}", paper_mm=200)
    told_roll = roll(Memory(file))
    assert (told_roll.printed_mm, told_roll.changed_ms, told_roll.left_mm) == (2000, clock.now_ms, 48_000)
    assert told_roll.tickets_left == 240


def test_nothing_is_told_of_a_roll_that_nobody_saw_put_in_or_whose_length_nobody_knows(file):
    memory = Memory(file)
    finish(memory, "a")
    assert roll(memory).left_mm is None
    assert roll(memory).tickets_left is None
    memory.paper_seen("near_end")
    memory.paper_seen("ok")
    assert roll(memory).left_mm == 50_000
    assert roll(memory, roll_m=0).left_mm is None


def test_a_roll_changed_while_the_device_was_off_is_noticed_at_the_next_look(file):
    memory = Memory(file)
    memory.paper_seen("near_end")
    finish(memory, "a")
    again = Memory(file)
    again.paper_seen("ok")
    assert (roll(again).printed_mm, roll(again).left_mm) == (0, 50_000)


def test_from_the_near_end_on_the_sensor_is_believed_more_than_the_count(file):
    memory = Memory(file)
    memory.paper_seen("out")
    memory.paper_seen("ok")
    finish(memory, "a", paper_mm=300)
    memory.paper_seen("near_end")
    assert roll(memory, near_end_m=3).left_mm == 3000
    finish(memory, "b", paper_mm=300)
    assert roll(memory, near_end_m=3).left_mm == 2700
    assert roll(memory, near_end_m=3).tickets_left == 9
    memory.paper_seen("out")
    assert roll(memory, near_end_m=3).left_mm == 0


def test_a_roll_already_begun_is_not_taken_for_a_full_one(file):
    memory = Memory(file)
    memory.paper_seen("out")
    memory.paper_seen("near_end")
    assert roll(memory, near_end_m=3).left_mm == 3000
    assert roll(memory).left_mm is None


def test_a_ticket_that_was_not_finished_counts_as_paper_but_not_as_a_mean(file):
    memory = Memory(file)
    finish(memory, "a", paper_mm=100)
    finish(memory, "b", "unknown", paper_mm=5000, hanging=True)
    finish(memory, "c", "not_printed", paper_mm=70, hanging=True, partial=True)
    finish(memory, "d", "not_printed", paper_mm=9000)
    memory.paper_seen("near_end")
    assert roll(memory, near_end_m=1).tickets_left == 10
    assert roll(memory).printed_mm == 5170
