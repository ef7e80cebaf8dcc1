"""What is printed for a visitor, event by event: asked in the journal first, told as it was, never promised."""

import pytest
from terminal_booth import OUT, PASSPORT, SUBJECT, Booth

from terminal.flow import places
from terminal.flow.desk import MOST_COPIES, SILENCE_MS
from terminal.flow.phrase import phrase
from terminal.flow.ports import Outcome
from terminal.flow.session import Card
from terminal.flow.status import Status
from terminal.flow.visit import GOODBYE_MS


def test_a_notice_is_asked_in_the_journal_before_the_printer_gets_it(booth: Booth) -> None:
    booth.visit.touch()
    booth.log.full.add("print_asked")
    booth.visit.print_notice(SUBJECT)
    assert booth.log.sheets == []
    job = booth.visit.session.desk.job  # type: ignore[union-attr]
    assert job is not None
    assert (job.state, job.reason.id) == ("refused", "paper.no_room")


@pytest.mark.parametrize("outcome", ["printed", "not_printed", "unknown"])
def test_each_outcome_is_shown_and_journaled_as_it_was(booth: Booth, outcome: Outcome) -> None:
    booth.print(outcome)
    assert booth.visit.session is not None
    assert booth.visit.session.desk.job is not None
    assert booth.visit.session.desk.job.state == outcome
    assert booth.log.entries[-1][0] == "print_finished"
    assert booth.log.entries[-1][2] == outcome


def test_a_silent_printer_becomes_unknown_never_printed(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.print_notice(SUBJECT)
    booth.pass_ms(SILENCE_MS)
    assert booth.visit.session is not None
    assert booth.visit.session.desk.job is not None
    assert booth.visit.session.desk.job.state == "unknown"


def test_a_late_word_from_the_printer_changes_nothing(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.print_notice(SUBJECT)
    booth.pass_ms(SILENCE_MS)
    before = list(booth.log.entries)
    booth.printed()
    assert booth.log.entries == before


def test_nobody_is_wiped_while_the_printer_works(booth: Booth) -> None:
    booth.visit.touch()
    booth.pass_ms(50_000)
    booth.visit.print_notice(SUBJECT)
    booth.pass_ms(30_000)
    assert not booth.visit.warning
    booth.printed("not_printed")
    booth.pass_ms(59_000)
    assert booth.visit.phase == "visiting"


def test_printing_again_is_a_new_job(booth: Booth) -> None:
    booth.print("not_printed")
    booth.visit.print_again()
    first, second = booth.log.sheets
    assert first.job_id != second.job_id
    assert first.subject == second.subject


def test_a_second_touch_on_print_prints_once(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.print_notice(SUBJECT)
    booth.visit.print_notice(SUBJECT)
    assert len(booth.log.sheets) == 1


def test_paper_is_bounded_and_the_refusal_says_how_many(booth: Booth) -> None:
    booth.visit.touch()
    for _ in range(MOST_COPIES + 1):
        booth.visit.print_notice(SUBJECT)
        if booth.visit.session.desk.busy:  # type: ignore[union-attr]
            booth.printed("not_printed")
    job = booth.visit.session.desk.job  # type: ignore[union-attr]
    assert len(booth.log.sheets) == MOST_COPIES
    assert job is not None
    assert job.reason == phrase("paper.enough", most=MOST_COPIES)


def test_nothing_is_sent_to_a_printer_without_paper(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.status_changed(Status(printer=OUT))
    booth.visit.print_notice(SUBJECT)
    assert booth.log.sheets == []
    assert not booth.visit.can_print


def test_the_visitor_may_say_that_he_holds_an_unclear_print(booth: Booth) -> None:
    booth.print("unknown")
    booth.visit.paper_taken()
    job = booth.visit.session.desk.job  # type: ignore[union-attr]
    assert job is not None
    assert job.state == "taken"
    assert booth.log.entries[-1][2] == "unknown", "what the visitor says does not rewrite the journal"
    assert booth.visit.rating_due


def test_ending_during_a_print_settles_it_as_unknown_before_the_session_closes(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.print_notice(SUBJECT)
    booth.visit.end("door")
    assert booth.log.kinds()[-2:] == ["print_finished", "closed"]
    assert booth.log.entries[-2][2] == "unknown"


def test_the_outcome_of_a_gone_visitors_print_reaches_nobody(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.print_notice(SUBJECT)
    booth.visit.end("door")
    booth.pass_ms(GOODBYE_MS)
    booth.visit.touch()
    before = list(booth.log.entries)
    booth.printed()
    assert booth.log.entries == before
    assert booth.visit.session is not None
    assert booth.visit.session.desk.job is None


def test_the_sheet_carries_ticks_language_and_masked_name_only(booth: Booth) -> None:
    booth.visit.card_present(Card("张*"))
    booth.visit.set_language("en")
    booth.visit.tick_material(SUBJECT, 2)
    booth.visit.print_notice(SUBJECT)
    sheet = booth.log.sheets[0]
    assert (sheet.ticked, sheet.language, sheet.masked_name) == (frozenset({2}), "en", "张*")


def test_one_does_not_walk_away_from_a_print_under_way(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.print_notice(SUBJECT)
    booth.visit.back()
    booth.visit.home()
    assert booth.visit.place == places.Paper()
