"""A visitor's session, event by event, with a clock moved by hand and a real pack built from the demonstration catalogue."""

import pytest
from terminal_booth import OUT, PASSPORT, SUBJECT, Booth

from pack.model import Choice, Scenario, ScenarioQuestion, Situation, Text
from terminal.content import PackContent
from terminal.flow import places
from terminal.flow.desk import MOST_COPIES, SILENCE_MS
from terminal.flow.helpcall import ANSWER_MS
from terminal.flow.idle import PATIENCE
from terminal.flow.phrase import phrase, spoken
from terminal.flow.ports import HelpState, Outcome
from terminal.flow.rated import ASK_AFTER_PAPER_MS
from terminal.flow.session import Card
from terminal.flow.status import Status, abilities, troubles
from terminal.flow.tree import TreeBroken, enter, follow, leads
from terminal.flow.visit import CARD_LEFT_MS, GOODBYE_MS, HASTY_MS
from wire.leaf import receipt_code

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


# Paper


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


# Rating


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


# Content that changes, life events, what is said


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


def test_every_answer_of_every_life_event_in_the_catalogue_leads_to_a_plan(content: PackContent) -> None:
    for scenario in content.scenarios():
        todo = [enter(scenario)]
        ends = 0
        while todo:
            place = todo.pop()
            if isinstance(place, places.Plan):
                ends += 1
                continue
            question = next(each for each in scenario.questions if each.id == place.question)  # type: ignore[union-attr]
            todo += [follow(scenario, choice) for choice in question.choices]
        assert ends >= 1, scenario.code


def test_an_answer_that_leads_nowhere_is_not_offered() -> None:
    name = Text(zh="甲")
    broken = Choice(label=name, next_question="gone")
    scenario = Scenario(
        code="x", name=name, summary=name, lead_department="d",
        questions=(ScenarioQuestion(id="q", ask=name, choices=(broken, Choice(label=name, situation="s"))),),
        situations=(Situation(id="s", name=name, items=("a",)),),
    )  # fmt: skip
    assert [leads(scenario, choice) for choice in scenario.questions[0].choices] == [False, True]
    with pytest.raises(TreeBroken, match="gone"):
        follow(scenario, broken)


def test_what_cannot_be_done_is_not_promised() -> None:
    can = [each.id for each in abilities(Status(printer=OUT))]
    assert "attract.can_print" not in can
    assert "attract.can_take" in can
    assert [each.id for each in abilities(Status(content=False))] == ["attract.can_help"]


def test_trouble_names_the_reason() -> None:
    assert troubles(Status(printer=OUT)) == [phrase("trouble.printer", reason=phrase("printer.paper_out"))]


def test_all_well_says_no_trouble() -> None:
    assert troubles(Status()) == []


def test_phrases_inside_phrases_are_spoken_first() -> None:
    text = spoken(phrase("outer", inner=phrase("inner", n=3)), lambda message_id, **args: f"{message_id}{args}")
    assert text == "outer{'inner': \"inner{'n': 3}\"}"
