"""A visitor is asked once, after something was finished: the press is in the journal before thanks, and can be taken back."""

import pytest
from terminal_booth import PASSPORT, SUBJECT, Booth

from terminal.flow import places
from terminal.flow.rated import ASK_AFTER_PAPER_MS
from wire.leaf import receipt_code


def test_the_terminal_asks_by_itself_after_a_finished_print(booth: Booth) -> None:
    booth.print()
    booth.pass_ms(ASK_AFTER_PAPER_MS - 100)
    assert booth.visit.place == places.Paper()
    booth.pass_ms(200)
    assert booth.visit.place == places.Rate()
    assert booth.log.kinds()[-1] == "invited"


def test_nobody_is_asked_after_a_print_that_failed(booth: Booth) -> None:
    booth.print("not_printed")
    booth.pass_ms(ASK_AFTER_PAPER_MS + 1_000)
    assert booth.visit.place == places.Paper()
    assert "invited" not in booth.log.kinds()


def test_a_press_is_in_the_journal_before_thanks(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    booth.log.full.add("pressed")
    booth.visit.press(5)
    assert booth.visit.place == places.Parting("", trouble=True)
    booth.log.full.clear()


def test_a_pressed_rating_ends_with_a_receipt(booth: Booth) -> None:
    booth.rate(4)
    assert booth.visit.place == places.Reasons()
    booth.visit.tag("lv4.found")
    booth.visit.rating_done()
    assert booth.visit.place == places.Parting(receipt_code(bytes([4]) * 32))
    assert booth.log.entries[-1][2:] == ("done", ("lv4.found",))


def test_skipping_is_one_touch_and_leaves_not_rated(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    booth.visit.rating_done("skip")
    assert booth.visit.place == places.Parting("")
    assert booth.log.entries[-1][0] == "rating_closed"
    assert booth.log.entries[-1][2] == "skip"
    assert "pressed" not in booth.log.kinds()


def test_a_level_can_be_corrected_within_five_seconds(booth: Booth) -> None:
    booth.rate(1)
    booth.pass_ms(4_900)
    booth.visit.correct()
    assert booth.visit.place == places.Rate()
    booth.visit.press(5)
    assert booth.log.entries[-1][0] == "amended"
    assert booth.log.entries[-1][2] == 5


def test_after_five_seconds_the_level_stands(booth: Booth) -> None:
    booth.rate(1)
    booth.pass_ms(5_000)
    booth.visit.correct()
    assert booth.visit.place == places.Reasons()


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_time_to_correct_is_the_same_for_every_level(booth: Booth, level: int) -> None:
    booth.rate(level)
    rating = booth.visit.session.rating  # type: ignore[union-attr]
    assert rating is not None
    assert rating.correct_left_ms() == 5_000


def test_choosing_the_same_level_again_amends_nothing(booth: Booth) -> None:
    booth.rate(3)
    booth.visit.correct()
    booth.visit.press(3)
    assert "amended" not in booth.log.kinds()


def test_reasons_of_another_level_do_not_survive_a_correction(booth: Booth) -> None:
    booth.rate(1)
    booth.visit.tag("lv1.print")
    booth.visit.correct()
    booth.visit.press(5)
    booth.visit.rating_done()
    assert booth.log.entries[-1][3] == ()


def test_a_level_outside_one_to_five_is_refused_with_the_limit(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    with pytest.raises(ValueError, match="levels 1 to 5"):
        booth.visit.press(6)


def test_the_last_press_stands_when_the_visitor_walks_away(booth: Booth) -> None:
    booth.rate(2)
    booth.pass_ms(80_000)
    kinds = booth.log.kinds()
    assert kinds.index("rating_closed") < kinds.index("closed")
    assert booth.log.entries[kinds.index("rating_closed")][2] == "timeout"


def test_nobody_is_asked_twice_for_one_matter(booth: Booth) -> None:
    booth.print()
    booth.visit.done()
    booth.visit.rating_done("skip")
    booth.visit.home()
    booth.visit.print_notice(SUBJECT)
    booth.printed()
    booth.visit.done()
    assert booth.log.kinds().count("invited") == 1
    assert booth.visit.place == places.Parting("")


def test_taking_the_text_away_is_a_finished_matter_too(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.TakeAway(code=PASSPORT))
    booth.visit.done()
    assert booth.visit.place == places.Rate()


def test_without_room_in_the_journal_nobody_is_asked(booth: Booth) -> None:
    booth.log.can_rate = False
    booth.print()
    booth.visit.done()
    assert booth.visit.place == places.Parting("")


def test_a_picture_is_refused_while_somebody_rates(booth: Booth) -> None:
    booth.print()
    assert not booth.visit.rating_open
    booth.visit.done()
    assert booth.visit.rating_open
    booth.visit.press(5)
    assert booth.visit.rating_open
    booth.visit.rating_done()
    assert not booth.visit.rating_open
