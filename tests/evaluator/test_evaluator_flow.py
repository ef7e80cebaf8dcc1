"""What an evaluator does when it is asked, pressed, corrected, left alone or cut off: the rules a rating has to keep."""

import itertools

import pytest

from evaluator.flow.scene import Ask, Failed, Idle, Reasons, Receipt, Unpaired
from wire.leaf import LEVELS, leaf, read_receipt_code, receipt_code


def test_the_screen_starts_before_anything_is_known(unpaired_hall):
    assert unpaired_hall.shows == "starting"


def test_a_paired_window_shows_its_card(hall):
    assert isinstance(hall.desk.scene, Idle)
    assert hall.desk.scene.card.number == "12"


def test_an_unpaired_device_shows_its_code_big(unpaired_hall):
    unpaired_hall.desk.view(pairing="waiting", code="7K3M-P0XW", offline=True, desired=None, can_seal=False)
    scene = unpaired_hall.desk.scene
    assert isinstance(scene, Unpaired)
    assert (scene.code, scene.pairing, scene.device) == ("7K3M-P0XW", "waiting", "nwtest")


@pytest.mark.parametrize("pairing", ["revoked", "refused"])
def test_a_withdrawn_device_stops_showing_a_window(hall, pairing):
    hall.desk.view(pairing=pairing, code="", offline=True, desired=hall.desk._desired, can_seal=True)
    assert hall.shows == "unpaired"


def test_an_invitation_is_recorded_before_it_is_shown(hall):
    hall.book.hold = True
    hall.invite()
    assert hall.shows == "idle"
    assert hall.replies == []
    hall.book.commit()
    assert hall.shows == "ask"
    assert hall.replies[0].state == "done"


def test_the_question_names_the_service(hall):
    hall.invite()
    scene = hall.desk.scene
    assert isinstance(scene, Ask)
    assert (scene.item, scene.case_tail) == ({"zh": "转移登记"}, "0417")


def test_thanks_come_only_after_the_commit(hall):
    hall.invite()
    hall.book.hold = True
    hall.desk.press(5, "touch")
    scene = hall.desk.scene
    assert isinstance(scene, Ask)
    assert scene.pressed == 5
    hall.book.commit()
    assert hall.shows == "reasons"


def test_a_press_answers_at_once_with_the_card_held_down(hall):
    hall.invite()
    hall.book.hold = True
    before = len(hall.scenes)
    hall.desk.press(2, "button")
    assert len(hall.scenes) == before + 1


def test_presses_while_one_is_being_written_are_not_taken(hall):
    hall.invite()
    hall.book.hold = True
    hall.desk.press(4, "touch")
    hall.desk.press(1, "button")
    hall.book.commit()
    assert hall.book.kinds() == ["invited", "pressed"]
    assert hall.desk.scene.level == 4


@pytest.mark.parametrize(("level", "via"), list(itertools.product(LEVELS, ["touch", "button", "key"])))
def test_every_level_can_be_given_every_way(hall, level, via):
    hall.invite()
    hall.desk.press(level, via)
    assert hall.book.entries[-1][3:] == (level, via)


@pytest.mark.parametrize("level", LEVELS)
def test_lamps_and_tone_are_the_same_for_every_level(hall, level):
    hall.invite()
    hall.desk.press(level, "button")
    hall.desk.finish()
    hall.wait(11)
    assert hall.lamps.told == ["inviting", "noted", "quiet"]


@pytest.mark.parametrize("level", [0, 6, -1])
def test_a_level_that_is_none_is_refused_loudly(hall, level):
    hall.invite()
    with pytest.raises(ValueError, match="levels 1–5"):
        hall.desk.press(level, "touch")


@pytest.mark.parametrize("level", LEVELS)
def test_reasons_belong_to_the_level_and_none_is_chosen_beforehand(hall, level):
    hall.invite()
    hall.desk.press(level, "touch")
    scene = hall.desk.scene
    assert isinstance(scene, Reasons)
    assert {tag.level for tag in scene.tags} == {level}
    assert len(scene.tags) <= 6
    assert scene.chosen == frozenset()


def test_reasons_can_be_chosen_and_taken_back(hall):
    hall.invite()
    hall.desk.press(2, "touch")
    first, second = (tag.id for tag in hall.desk.scene.tags[:2])
    for tag in (first, second, first):
        hall.desk.toggle(tag)
    hall.desk.finish()
    assert hall.book.closes()[0].reasons == (second,)


def test_correction_is_offered_for_five_seconds_at_every_level(hall):
    hall.invite()
    hall.desk.press(1, "touch")
    assert hall.desk.scene.correction_s == 5
    hall.wait(4.75)
    assert hall.desk.scene.correction_s == 1
    hall.wait(0.25)
    assert hall.desk.scene.correction_s == 0
    hall.desk.correct()
    assert hall.shows == "reasons"


def test_a_correction_is_an_entry_of_its_own_and_the_last_press_stands(hall):
    hall.invite()
    hall.desk.press(1, "touch")
    hall.desk.correct()
    assert hall.desk.scene.correcting
    hall.desk.press(5, "touch")
    hall.desk.finish()
    assert hall.book.kinds() == ["invited", "pressed", "amended", "closed"]
    assert hall.book.closes()[0].stands.seq == 3


def test_a_correction_forgets_the_reasons_of_the_level_before(hall):
    hall.invite()
    hall.desk.press(1, "touch")
    hall.desk.toggle(hall.desk.scene.tags[0].id)
    hall.desk.correct()
    hall.desk.press(4, "touch")
    assert hall.desk.scene.chosen == frozenset()


def test_the_same_level_again_is_no_correction(hall):
    hall.invite()
    hall.desk.press(4, "touch")
    hall.desk.correct()
    hall.desk.press(4, "touch")
    assert hall.book.kinds() == ["invited", "pressed"]
    assert hall.shows == "reasons"


def test_a_correction_can_be_left_and_the_first_press_stands(hall):
    hall.invite()
    hall.desk.press(3, "touch")
    hall.desk.correct()
    hall.desk.keep()
    hall.desk.finish()
    assert hall.book.closes()[0].stands.seq == 2


def test_a_correction_nobody_finishes_keeps_the_first_press(hall):
    hall.invite()
    hall.desk.press(3, "touch")
    hall.desk.correct()
    hall.wait(61)
    assert hall.shows == "reasons"
    hall.wait(21)
    assert hall.book.closes()[0].how == "timeout"
    assert hall.book.closes()[0].stands.seq == 2


def test_a_failed_correction_keeps_the_first_press(hall):
    hall.invite()
    hall.desk.press(5, "touch")
    hall.desk.correct()
    hall.book.broken = "rating.storage_full"
    hall.desk.press(2, "touch")
    scene = hall.desk.scene
    assert isinstance(scene, Reasons)
    assert scene.level == 5


def test_a_press_that_cannot_be_recorded_is_told_and_never_thanked(hall):
    hall.invite()
    hall.book.broken = "rating.storage_full"
    hall.desk.press(5, "touch")
    scene = hall.desk.scene
    assert isinstance(scene, Failed)
    assert scene.reason == "rating.storage_full"
    assert "reasons" not in [shown.name for shown in hall.scenes]


@pytest.mark.parametrize("is_mended", [True, False])
@pytest.mark.parametrize("ends", [lambda hall: hall.wait(11), lambda hall: hall.desk.finish()], ids=["by itself", "by touch"])
def test_a_question_whose_press_failed_is_closed_as_not_rated_if_the_disk_takes_it(hall, ends, is_mended):
    hall.invite()
    hall.book.broken = "rating.storage_full"
    hall.desk.press(5, "touch")
    hall.book.broken = None if is_mended else "rating.storage_full"
    hall.book.hold = True
    ends(hall)
    assert isinstance(hall.desk.scene, Failed), "the question does not flash up again"
    hall.book.commit()
    assert [(close.how, close.stands) for close in hall.book.closes()] == ([("left", None)] if is_mended else [])
    assert isinstance(hall.desk.scene, Idle)


def test_the_receipt_is_made_offline_from_the_leaf(hall):
    hall.pair(offline=True)
    hall.invite()
    hall.desk.press(4, "touch")
    hall.desk.finish()
    scene = hall.desk.scene
    assert isinstance(scene, Receipt)
    assert scene.code == receipt_code(leaf(4, bytes([4]) * 32))
    assert read_receipt_code(scene.code) == scene.code


def test_the_receipt_is_shown_only_after_the_close_is_committed(hall):
    hall.invite()
    hall.desk.press(4, "touch")
    hall.book.hold = True
    hall.desk.finish()
    assert hall.shows == "reasons"
    hall.book.commit()
    assert hall.shows == "receipt"


def test_skipping_the_reasons_still_gives_a_receipt(hall):
    hall.invite()
    hall.desk.press(2, "touch")
    hall.desk.skip()
    assert hall.shows == "receipt"
    assert hall.book.closes()[0].how == "skip"


def test_the_receipt_goes_by_itself(hall):
    hall.invite()
    hall.desk.press(2, "touch")
    hall.desk.finish()
    hall.wait(9.5)
    assert hall.shows == "receipt"
    hall.wait(1)
    assert hall.shows == "idle"


def test_not_rating_is_as_easy_as_rating(hall):
    hall.invite()
    hall.desk.skip()
    close = hall.book.closes()[0]
    assert (close.how, close.stands, close.reasons) == ("skip", None, ())
    assert hall.shows == "idle"


def test_no_answer_is_not_rated(hall):
    hall.invite()
    hall.wait(59.75)
    assert hall.shows == "ask"
    hall.wait(0.25)
    close = hall.book.closes()[0]
    assert (close.how, close.stands) == ("timeout", None)


def test_an_uninvited_press_is_kept_as_such_and_answered_politely(hall):
    hall.desk.press(1, "button")
    assert hall.desk.scene.uninvited
    assert hall.book.kinds() == ["pressed", "closed"]
    assert hall.book.closes()[0].occasion is None
    hall.wait(5)
    assert not hall.desk.scene.uninvited


def test_drumming_on_the_buttons_is_one_uninvited_press(hall):
    for _ in range(20):
        hall.desk.press(1, "button")
        hall.wait(0.5)
    assert hall.book.kinds() == ["pressed", "closed"]


def test_an_uninvited_press_never_counts_for_the_next_service(hall):
    hall.desk.press(1, "button")
    hall.invite()
    scene = hall.desk.scene
    assert isinstance(scene, Ask)
    assert scene.pressed is None


def test_no_network_is_a_small_sign_and_changes_nothing_else(hall):
    hall.invite()
    hall.pair(offline=True)
    assert hall.desk.scene.signs.offline
    hall.desk.press(4, "touch")
    assert hall.shows == "reasons"


def test_broken_buttons_are_told_and_touch_goes_on(hall):
    hall.desk.hardware(buttons_down=True)
    hall.invite()
    assert hall.desk.scene.signs.buttons_down
    hall.desk.press(4, "touch")
    assert hall.shows == "reasons"


def test_language_and_profile_return_to_the_halls_own_after_each_rating(hall):
    hall.invite()
    hall.desk.use_language("ko")
    hall.desk.use_profile("elder")
    assert (hall.desk.scene.language, hall.desk.scene.profile) == ("ko", "elder")
    hall.desk.skip()
    assert (hall.desk.scene.language, hall.desk.scene.profile) == ("zh", "standard")
    assert (hall.book.closes()[0].language, hall.book.closes()[0].profile) == ("ko", "elder")


def test_the_elder_profile_waits_half_as_long_again(hall):
    hall.invite()
    hall.desk.use_profile("elder")
    hall.wait(89.75)
    assert hall.shows == "ask"
    hall.wait(0.5)
    assert hall.shows == "idle"


def test_changing_the_language_gives_time_to_read_again(hall):
    hall.invite()
    hall.wait(50)
    hall.desk.use_language("en")
    hall.wait(50)
    assert hall.shows == "ask"


def test_choosing_a_reason_gives_time_for_another(hall):
    hall.invite()
    hall.desk.press(2, "touch")
    hall.wait(18)
    hall.desk.toggle(hall.desk.scene.tags[0].id)
    hall.wait(18)
    assert hall.shows == "reasons"


def test_the_countdown_goes_in_steps_of_five_and_its_last_ten_seconds_one_by_one(hall):
    hall.invite()
    told = [hall.desk.scene.left_s]
    for _ in range(59):
        hall.wait(1)
        told.append(hall.desk.scene.left_s)
    assert sorted(set(told), reverse=True) == [*range(60, 10, -5), *range(10, 0, -1)]
    assert all(seconds >= 60 - waited for waited, seconds in enumerate(told)), "nobody is promised less than there is"


def test_identify_shows_the_device_for_ten_seconds(hall):
    hall.desk.identify()
    assert hall.desk.scene.identify == "nwtest"
    hall.wait(10)
    assert hall.desk.scene.identify == ""


def test_no_picture_is_taken_from_invitation_to_receipt(hall):
    assert not hall.desk.is_rating
    hall.invite()
    assert hall.desk.is_rating
    hall.desk.press(1, "touch")
    assert hall.desk.is_rating
    hall.desk.finish()
    assert hall.desk.is_rating
    hall.wait(11)
    assert not hall.desk.is_rating


def test_stopping_closes_an_open_rating_with_what_stands(hall):
    hall.invite()
    hall.desk.press(2, "touch")
    hall.desk.stop()
    close = hall.book.closes()[0]
    assert (close.how, close.stands.seq) == ("left", 2)


def test_settings_of_the_fleet_hold_from_the_next_rating_on(hall):
    from evaluator.flow.occasion import Times

    hall.invite(1)
    hall.desk.settle(times=Times(invitation_s=10), language="ko")
    hall.wait(20)
    assert hall.shows == "ask"
    hall.desk.skip()
    hall.invite(2)
    assert hall.desk.scene.language == "ko"
    hall.wait(10)
    assert hall.shows == "idle"


def test_the_screen_is_told_only_about_changes(hall):
    before = len(hall.scenes)
    hall.wait(30)
    assert len(hall.scenes) == before


def test_duration_counts_from_the_question(hall):
    hall.invite()
    hall.wait(7)
    hall.desk.press(5, "touch")
    hall.desk.finish()
    assert hall.book.closes()[0].duration_ms == 7000
