"""What a visitor sees while the disk is busy or full: a screen that goes on, and nothing shown as done that is not."""

import pytest
from terminal_booth import SUBJECT, Booth

from terminal.flow import places
from terminal.flow.desk import SILENCE_MS
from terminal.flow.phrase import phrase


def test_thanks_wait_for_the_disk_and_the_screen_goes_on_meanwhile(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    booth.log.slow = True
    booth.visit.press(4)
    booth.pass_ms(500)
    assert booth.visit.place == places.Rate(), "no thanks before the commit"
    booth.visit.set_language("en")
    assert booth.visit.language == "en"
    booth.log.disk_answers()
    assert booth.visit.place == places.Reasons()


def test_while_a_press_is_on_its_way_another_one_or_skipping_changes_nothing(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    booth.log.slow = True
    booth.visit.press(4)
    booth.visit.press(1)
    booth.visit.rating_done("skip")
    booth.log.disk_answers()
    assert [entry[2] for entry in booth.log.entries if entry[0] == "pressed"] == [4]
    assert (booth.visit.place, booth.visit.session.rating.level) == (places.Reasons(), 4)  # type: ignore[union-attr]


def test_the_question_appears_once_the_invitation_is_kept(booth: Booth) -> None:
    booth.print()
    booth.log.slow = True
    booth.visit.done()
    booth.visit.done()
    assert booth.visit.place == places.Paper()
    booth.log.disk_answers()
    assert booth.visit.place == places.Rate()
    assert booth.log.kinds().count("invited") == 1


def test_the_question_does_not_jump_in_front_of_a_visitor_who_went_on(booth: Booth) -> None:
    booth.print()
    booth.log.slow = True
    booth.visit.done()
    booth.visit.go(places.Search())
    booth.log.disk_answers()
    assert booth.visit.place == places.Search()
    assert booth.log.entries[-1][0::2] == ("rating_closed", "left")


def test_a_visitor_who_leaves_while_the_disk_is_busy_closes_his_rating_and_gets_nothing_later(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    booth.log.slow = True
    booth.visit.press(2)
    booth.visit.end()
    assert booth.log.kinds()[-3:] == ["pressed", "rating_closed", "closed"]
    booth.log.disk_answers()
    assert booth.visit.phase == "goodbye"


def test_a_refused_invitation_asks_nothing_and_closes_nothing(booth: Booth) -> None:
    booth.print()
    booth.log.full.add("invited")
    booth.visit.done()
    assert booth.visit.place == places.Parting("")
    assert "rating_closed" not in booth.log.kinds()


def test_a_refused_correction_says_so_and_the_first_press_is_closed(booth: Booth) -> None:
    booth.rate(2)
    booth.visit.correct()
    booth.log.full.add("amended")
    booth.visit.press(5)
    assert booth.visit.place == places.Parting("", trouble=True)
    assert booth.log.entries[-1][0] == "rating_closed"


def test_the_printer_gets_nothing_before_the_order_is_kept(booth: Booth) -> None:
    booth.visit.touch()
    booth.log.slow = True
    booth.visit.print_notice(SUBJECT)
    assert (booth.log.sheets, booth.visit.session.desk.busy) == ([], True)  # type: ignore[union-attr]
    booth.log.disk_answers()
    assert len(booth.log.sheets) == 1
    booth.printed()
    assert booth.visit.rating_due


def test_an_order_that_is_not_kept_is_not_printed_and_says_why(booth: Booth) -> None:
    booth.visit.touch()
    booth.log.full.add("print_asked")
    booth.visit.print_notice(SUBJECT)
    job = booth.visit.session.desk.job  # type: ignore[union-attr]
    assert job is not None
    assert (booth.log.sheets, job.state, job.reason) == ([], "refused", phrase("paper.no_room"))
    assert not booth.visit.idle.held


@pytest.mark.parametrize("wait_ms", [0, SILENCE_MS + 1])
def test_what_the_printer_never_got_is_not_printed_and_does_not_come_out_later(booth: Booth, wait_ms: int) -> None:
    booth.visit.touch()
    booth.log.slow = True
    booth.visit.print_notice(SUBJECT)
    booth.pass_ms(wait_ms)
    booth.visit.end("door")
    finished = [entry for entry in booth.log.entries if entry[0] == "print_finished"]
    assert [entry[2] for entry in finished] == ["not_printed"]
    booth.log.disk_answers()
    assert booth.log.sheets == []
