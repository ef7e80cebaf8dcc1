"""A visitor's session, event by event, with a clock moved by hand and a real pack built from the demonstration catalogue."""

import pytest
from terminal_booth import PASSPORT, SUBJECT, Booth

from terminal.content import PackContent
from terminal.flow import places
from terminal.flow.helpcall import ANSWER_MS
from terminal.flow.idle import PATIENCE
from terminal.flow.phrase import phrase
from terminal.flow.ports import HelpState
from terminal.flow.session import Card
from terminal.flow.visit import CARD_LEFT_MS, GOODBYE_MS, HASTY_MS

# Waking, idling, wiping


def test_the_first_touch_only_wakes(booth: Booth) -> None:
    assert booth.visit.touch() is False
    assert booth.visit.phase == "visiting"
    assert booth.visit.touch() is True


def test_waking_opens_a_session_in_the_journal(booth: Booth) -> None:
    booth.visit.touch()
    assert booth.log.kinds() == ["opened"]


def test_an_untouched_visit_warns_after_sixty_seconds_and_wipes_after_twenty_more(booth: Booth) -> None:
    booth.visit.touch()
    booth.pass_ms(59_000)
    assert not booth.visit.warning
    booth.pass_ms(1_000)
    assert booth.visit.warning
    booth.pass_ms(19_000)
    assert booth.visit.phase == "visiting"
    booth.pass_ms(1_000)
    assert booth.visit.phase == "goodbye"
    assert booth.log.entries[-1][2] == "timeout"


def test_a_touch_on_the_warning_stays_and_starts_the_count_again(booth: Booth) -> None:
    booth.visit.touch()
    booth.pass_ms(70_000)
    assert booth.visit.touch() is True
    assert not booth.visit.warning
    booth.pass_ms(59_000)
    assert booth.visit.phase == "visiting"


def test_the_elder_profile_waits_twice_as_long(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.next_profile()
    booth.pass_ms(119_000)
    assert not booth.visit.warning
    booth.pass_ms(2_000)
    assert booth.visit.warning
    booth.pass_ms(28_000)
    assert booth.visit.phase == "visiting"
    booth.pass_ms(2_000)
    assert booth.visit.phase == "goodbye"


def test_every_profile_warns_for_at_least_twenty_seconds() -> None:
    assert all(patience.warning_ms >= 20_000 for patience in PATIENCE.values())


def test_ending_drops_the_session_object_and_all_in_it(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.card_present(Card("张*"))
    booth.visit.tick_material(SUBJECT, 0)
    booth.visit.end()
    assert booth.visit.session is None
    booth.visit.card_removed()
    booth.pass_ms(GOODBYE_MS)
    booth.visit.touch()
    assert booth.visit.session is not None
    assert booth.visit.session.card is None
    assert booth.visit.session.ticked == {}


def test_language_and_profile_fall_back_after_the_visitor(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.set_language("ko")
    booth.visit.next_profile()
    booth.visit.end()
    assert (booth.visit.language, booth.visit.profile) == ("ko", "elder"), "the goodbye is still said as the visitor reads"
    booth.pass_ms(GOODBYE_MS)
    assert (booth.visit.language, booth.visit.profile) == ("zh", "standard")


def test_goodbye_returns_to_the_attract_screen(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.end()
    booth.pass_ms(GOODBYE_MS)
    assert booth.visit.phase == "attract"
    assert booth.visit.next_tick_ms() is None, "nothing is left to wait for, so the face may sleep"


def test_a_double_tap_on_end_begins_no_new_session(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.end()
    booth.visit.touch()
    assert booth.visit.phase == "goodbye"
    booth.pass_ms(HASTY_MS)
    booth.visit.touch()
    assert booth.visit.phase == "visiting"


def test_the_journal_says_what_kinds_of_things_were_done_and_for_how_long(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Search())
    booth.visit.type("hz")
    booth.visit.go(places.Guide(PASSPORT))
    booth.pass_ms(9_000)
    booth.visit.end()
    _, _, how, matters, duration = booth.log.entries[-1]
    assert (how, matters, duration) == ("done", ("search", "guide"), 9_000)


def test_no_entry_of_a_visit_holds_the_name_on_the_card(booth: Booth) -> None:
    booth.visit.card_present(Card("欧阳**"))
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.print_notice(SUBJECT)
    booth.printed()
    booth.visit.end()
    assert "欧阳" not in repr(booth.log.entries)


# Moving about


def test_back_returns_place_by_place(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Departments())
    booth.visit.go(places.DepartmentItems("11999999MB0000027M"))
    booth.visit.go(places.Guide(PASSPORT))
    seen = []
    for _ in range(4):
        booth.visit.back()
        seen.append(type(booth.visit.place).__name__)
    assert seen == ["DepartmentItems", "Departments", "Home", "Home"]


def test_search_keeps_its_query_when_one_comes_back_to_it(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Search())
    booth.visit.type("s")
    booth.visit.type("fz")
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.back()
    assert booth.visit.place == places.Search("sfz")


def test_erasing_takes_one_character_and_clearing_all(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Search())
    booth.visit.type("sfz")
    booth.visit.erase()
    assert booth.visit.place == places.Search("sf")
    booth.visit.erase(everything=True)
    assert booth.visit.place == places.Search("")


def test_typing_without_end_is_bounded(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Search())
    for _ in range(100):
        booth.visit.type("a")
    assert len(booth.visit.place.query) == 24  # type: ignore[union-attr]


def test_ticks_stay_while_the_visitor_looks_elsewhere(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.tick_material(SUBJECT, 1)
    booth.visit.home()
    assert booth.visit.session is not None
    assert booth.visit.session.ticks(SUBJECT) == {1}
    booth.visit.tick_material(SUBJECT, 1)
    assert booth.visit.session.ticks(SUBJECT) == set()


def test_nothing_opens_without_content_but_help_can_be_called() -> None:
    booth = Booth(None)
    booth.visit.touch()
    assert booth.visit.phase == "attract"
    booth.visit.call_help()
    assert booth.log.calls == ["home"]
    booth.visit.go(places.Departments())
    assert booth.visit.place == places.Home()


def test_a_broken_or_withdrawn_code_is_absent_and_no_error(content: PackContent) -> None:
    assert content.item("gone") is None
    assert content.scenario("gone") is None
    assert content.items_of("gone") == []


# Help


def test_a_call_says_from_which_screen_it_comes(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.call_help()
    assert booth.log.calls == ["guide"]


def test_help_is_unreachable_when_nobody_answers_in_time(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.call_help()
    assert booth.visit.help.state == "asking"
    booth.pass_ms(ANSWER_MS)
    assert booth.visit.help.state == "unreachable"


@pytest.mark.parametrize("state", ["waiting", "seen", "nobody"])
def test_help_shows_what_the_staffs_side_says(booth: Booth, state: HelpState) -> None:
    booth.visit.touch()
    booth.visit.call_help()
    booth.log.answer_help(state)
    booth.pass_ms(ANSWER_MS + 1_000)
    assert booth.visit.help.state == state


def test_a_standing_call_is_not_sent_twice(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.call_help()
    booth.log.answer_help("waiting")
    booth.visit.call_help()
    assert len(booth.log.calls) == 1


def test_the_call_ends_with_the_visit_and_old_news_is_dropped(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.call_help()
    old = booth.log.answer_help
    booth.visit.end()
    assert len(booth.log.cancelled) == 1
    booth.pass_ms(GOODBYE_MS)
    booth.visit.touch()
    booth.visit.call_help()
    old("seen")
    assert booth.visit.help.state == "asking"


def test_help_from_the_attract_screen_begins_a_session(booth: Booth) -> None:
    booth.visit.call_help()
    assert booth.visit.phase == "visiting"
    assert booth.visit.overlay == "help"


# Card and door


def test_a_card_begins_a_session_and_greets_by_masked_name(booth: Booth) -> None:
    booth.visit.card_present(Card("张*"))
    assert booth.visit.session is not None
    assert booth.visit.session.card == Card("张*")


def test_taking_the_card_wipes_the_name_and_keeps_the_visit(booth: Booth) -> None:
    booth.visit.card_present(Card("张*"))
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.card_removed()
    assert booth.visit.session is not None
    assert booth.visit.session.card is None
    assert booth.visit.place == places.Guide(PASSPORT)


def test_a_card_left_behind_keeps_the_goodbye_until_it_is_taken_or_half_a_minute(booth: Booth) -> None:
    booth.visit.card_present(Card("张*"))
    booth.visit.end("timeout")
    booth.pass_ms(GOODBYE_MS + 1_000)
    assert booth.visit.phase == "goodbye"
    booth.visit.card_removed()
    booth.pass_ms(GOODBYE_MS)
    assert booth.visit.phase == "attract"
    booth.visit.touch()
    booth.visit.card_present(Card("李*"))
    booth.visit.end()
    booth.pass_ms(CARD_LEFT_MS)
    assert booth.visit.phase == "attract"
    assert booth.visit.card_on_reader, "the attract screen goes on saying that a card lies there"


def test_the_next_visitor_does_not_inherit_the_card_that_was_left(booth: Booth) -> None:
    booth.visit.card_present(Card("张*"))
    booth.visit.end()
    booth.pass_ms(CARD_LEFT_MS)
    booth.visit.touch()
    assert booth.visit.session is not None
    assert booth.visit.session.card is None


def test_an_unreadable_card_is_explained_and_stops_nothing(booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.card_unread(phrase("card.read_failed"))
    assert booth.visit.session is not None
    assert booth.visit.session.card_trouble == phrase("card.read_failed")
    booth.visit.card_removed()
    assert not booth.visit.session.card_trouble.id


def test_opening_the_door_wipes_and_is_journaled(booth: Booth) -> None:
    booth.visit.card_present(Card("张*"))
    booth.visit.cabinet("door", True)
    assert booth.visit.phase == "secured"
    assert booth.visit.session is None
    assert [entry[0] for entry in booth.log.entries[-2:]] == ["closed", "cabinet"]
    assert booth.log.entries[-2][2] == "door"


def test_an_open_cabinet_takes_neither_touch_nor_card(booth: Booth) -> None:
    booth.visit.cabinet("door", True)
    assert booth.visit.touch() is False
    booth.visit.card_present(Card("张*"))
    assert booth.visit.session is None
    booth.visit.cabinet("door", False)
    assert booth.visit.phase == "attract"


def test_a_cabinet_is_open_until_its_last_contact_is_closed(booth: Booth) -> None:
    booth.visit.cabinet("door", True)
    booth.visit.cabinet("tamper", True)
    booth.visit.cabinet("door", False)
    assert booth.visit.phase == "secured"
    booth.visit.cabinet("tamper", False)
    assert booth.visit.phase == "attract"
    assert booth.log.entries[-4:] == [
        ("cabinet", "door", True), ("cabinet", "tamper", True), ("cabinet", "door", False), ("cabinet", "tamper", False),
    ]  # fmt: skip


# Content that changes


def test_a_new_pack_sends_the_visitor_home_but_not_out_of_a_rating(booth: Booth, content: PackContent) -> None:
    booth.visit.touch()
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.content_changed(content)
    assert booth.visit.place == places.Home()
    booth.visit.end()
    booth.pass_ms(GOODBYE_MS)
    booth.rate(5)
    booth.visit.content_changed(content)
    assert booth.visit.place == places.Reasons()
