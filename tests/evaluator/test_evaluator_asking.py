"""When somebody is asked for a rating and when not: clerks who take back or go on, a full journal, an open cabinet."""


def test_the_clerk_can_take_the_question_back(hall):
    hall.invite()
    assert hall.desk.withdraw(bytes([1]) * 16).state == "done"
    assert hall.book.closes()[0].how == "withdrawn"
    assert hall.shows == "idle"


def test_the_clerk_cannot_take_back_a_rating(hall):
    hall.invite()
    hall.desk.press(1, "touch")
    reply = hall.desk.withdraw(None)
    assert (reply.state, reply.detail) == ("refused", "rating.already_given")
    assert hall.shows == "reasons"


def test_withdrawing_another_service_changes_nothing(hall):
    hall.invite()
    assert hall.desk.withdraw(bytes([9]) * 16).detail == "rating.nothing_to_withdraw"
    assert hall.shows == "ask"


def test_the_next_service_closes_the_one_before_as_not_rated(hall):
    hall.invite(1)
    hall.invite(2)
    assert hall.book.kinds() == ["invited", "closed", "invited"]
    assert hall.book.closes()[0].how == "left"
    assert hall.shows == "ask"


def test_the_next_service_keeps_what_was_pressed_before(hall):
    hall.invite(1)
    hall.desk.press(2, "touch")
    hall.invite(2)
    close = hall.book.closes()[0]
    assert (close.how, close.stands.seq) == ("left", 2)


def test_the_next_service_during_a_commit_keeps_that_press_too(hall):
    hall.invite(1)
    hall.book.hold = True
    hall.desk.press(2, "touch")
    hall.invite(2)
    hall.book.commit()
    assert sorted(hall.book.kinds()) == ["closed", "invited", "invited", "pressed"]
    assert hall.book.closes()[0].stands.seq == 2
    assert hall.shows == "ask"


def test_two_invitations_at_once_leave_one_question_and_nothing_open(hall):
    hall.book.hold = True
    hall.invite(1)
    hall.invite(2)
    hall.book.commit()
    assert hall.shows == "ask"
    assert [close.occasion for close in hall.book.closes()] == [bytes([1]) * 16]


def test_the_same_invitation_twice_asks_once(hall):
    hall.invite(1)
    hall.invite(1)
    assert hall.book.kinds() == ["invited"]
    assert [reply.state for reply in hall.replies] == ["done", "done"]


def test_a_service_is_never_rated_twice(hall):
    hall.invite(1)
    hall.desk.press(5, "touch")
    hall.desk.finish()
    hall.wait(11)
    hall.invite(1)
    assert (hall.replies[-1].state, hall.replies[-1].detail) == ("refused", "rating.already_over")


def test_an_invitation_that_comes_too_late_is_not_shown(hall):
    hall.invite(expires_in_s=0)
    assert hall.replies[0].state == "expired"
    assert hall.shows == "idle"


def test_without_the_fleets_key_nobody_is_asked(unpaired_hall):
    unpaired_hall.desk.view(pairing="waiting", code="X", offline=False, desired=None, can_seal=False)
    unpaired_hall.invite()
    assert unpaired_hall.replies[0].detail == "rating.not_paired"


def test_an_invitation_that_cannot_be_recorded_is_answered_with_the_reason(hall):
    hall.book.broken = "rating.not_recorded"
    hall.invite()
    assert (hall.replies[0].state, hall.replies[0].detail) == ("failed", "rating.not_recorded")
    assert hall.shows == "idle"


def test_opening_the_cabinet_is_recorded_and_ends_the_rating_with_what_was_pressed(hall):
    hall.invite()
    hall.desk.press(4, "button")
    hall.desk.cabinet("tamper", True)
    assert hall.shows == "idle"
    assert hall.book.kinds()[-2:] == ["closed", "cabinet"]
    assert hall.book.closes()[-1].stands is not None
    assert hall.book.entries[-1] == ("cabinet", "tamper", True)
    hall.desk.cabinet("tamper", False)
    assert hall.book.entries[-1] == ("cabinet", "tamper", False)


def test_a_question_nobody_answered_is_gone_when_the_cabinet_is_opened(hall):
    hall.invite()
    hall.desk.cabinet("door", True)
    assert hall.shows == "idle"
    assert hall.book.closes()[-1].stands is None


def test_a_nearly_full_journal_pauses_ratings_before_a_press(hall):
    hall.desk.storage(nearly_full=True)
    assert hall.desk.scene.ratings_paused
    hall.invite()
    assert hall.replies[0].detail == "rating.storage_full"


def test_a_rating_begun_before_the_journal_is_nearly_full_can_be_finished(hall):
    hall.invite()
    hall.desk.storage(nearly_full=True)
    hall.desk.press(5, "touch")
    hall.desk.finish()
    assert hall.shows == "receipt"
