"""语音键盘 without a screen: what starts it, what each key does, what is told and what is masked, trembling and held keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_booth import PASSPORT, SUBJECT, Booth

from terminal.content import PackContent
from terminal.flow import places
from terminal.flow.idle import PATIENCE
from terminal.flow.keys import DOUBLE_MS, Keys
from terminal.flow.phrase import Phrase
from terminal.flow.reading import Choice, Line, Reading
from terminal.flow.session import Card

ALL_KEYS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "enter")


class Ears:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[list[Phrase | str]] = []
        self.private = self.speaking = False
        self.hushed = 0
        self.steps: tuple[int, int] | None = None

    def say(self, parts: Sequence[Phrase | str]) -> None:
        self.said.append(list(parts))

    def hush(self) -> None:
        self.hushed += 1

    def is_speaking(self) -> bool:
        return self.speaking

    def louder(self) -> tuple[int, int] | None:
        return self.steps


class Pad:
    """A booth with a pad, and a screen that is as simple as a screen can be: three things to choose, or what a test puts there."""

    def __init__(self, content: PackContent | None) -> None:
        self.booth, self.ears, self.acts = Booth(content), Ears(), []
        self.visit = self.booth.visit
        self.drawn: dict[str, Any] = {}
        self.keys = Keys(self.visit, self.booth.clock, self.ears, read=self.read)

    def read(self) -> Reading:
        visit = self.visit
        query = getattr(visit.place, "query", None)
        made = Reading(
            key=(visit.phase, type(visit.place), visit.language),
            headline=Line(visit.screen_name),
            lines=(Line("text"),),
            choices=tuple(self.choice(name) for name in ("one", "two", "three")),
            bar=(self.choice("help"),),
            panel="warning" if visit.warning else visit.overlay,
            writes=query is not None,
            written=len(query or ""),
        )
        return replace(made, **self.drawn)

    def choice(self, name: str, **more: Any) -> Choice:
        return Choice(name, Line(f"<{name}>", more.pop("private", False)), lambda: self.acts.append(name), **more)

    def press(self, *keys: Any, after_ms: int = 1_000) -> list[Phrase | str]:
        """Press keys one after the other; gives what was said last."""
        for key in keys:
            self.booth.pass_ms(after_ms)
            before = len(self.ears.said)
            self.keys.key(key, self.booth.clock.ms)
            self.keys.look()
        return self.ears.said[-1] if len(self.ears.said) > before else []


def ids(parts: Sequence[Phrase | str]) -> list[str]:
    """What was said, phrases by their ids."""
    return [part.id if isinstance(part, Phrase) else part for part in parts]


@pytest.fixture
def pad(content: PackContent) -> Pad:
    return Pad(content)


@pytest.fixture
def begun(pad: Pad) -> Pad:
    pad.press("5")
    return pad


def focus(parts: Sequence[Phrase | str]) -> str:
    """What the focus was told to be on."""
    found = [part for part in parts if isinstance(part, Phrase) and part.id in ("keys.choice", "keys.bar")]
    return str(found[-1].args["text"]) if found else ""


@pytest.mark.parametrize("key", ALL_KEYS)
def test_any_key_begins_and_says_how_and_does_nothing_else(pad: Pad, key: Any) -> None:
    said = pad.press(key)
    assert pad.visit.session is not None
    assert pad.visit.profile == "keypad"
    assert ids(said)[:3] == ["keys.welcome", "home", "text"]
    assert focus(said) == "<one>"
    assert (pad.acts, pad.visit.overlay, pad.visit.language) == ([], "", "zh")


def test_headphones_begin_too(pad: Pad) -> None:
    pad.keys.headphones(True)
    pad.keys.look()
    assert pad.visit.profile == "keypad"
    assert ids(pad.ears.said[-1])[0] == "keys.welcome"


def test_a_key_during_a_visit_by_touch_changes_to_it_and_keeps_the_place(pad: Pad) -> None:
    pad.visit.touch()
    pad.visit.go(places.Guide(PASSPORT))
    pad.press("enter")
    assert pad.visit.profile == "keypad"
    assert pad.visit.place == places.Guide(PASSPORT)
    assert pad.acts == []


def test_the_profile_ends_with_the_visitor(begun: Pad) -> None:
    begun.press("7", "7")
    assert begun.visit.phase == "goodbye"
    assert ids(begun.ears.said[-1])[0] == "goodbye"
    begun.booth.pass_ms(10_000)
    begun.keys.look()
    begun.visit.touch()
    begun.keys.look()
    assert begun.visit.profile == "standard"
    assert not begun.keys.is_on


def test_the_next_visitor_is_welcomed_however_soon_he_comes(begun: Pad) -> None:
    begun.press("7", "7")
    begun.booth.pass_ms(5_000)
    assert begun.visit.phase == "attract"
    assert ids(begun.press("5", after_ms=1))[0] == "keys.welcome", "nothing has been told between the two"


def test_moving_goes_round_all_that_can_be_chosen(begun: Pad) -> None:
    assert [focus(begun.press("8")) for _ in range(4)] == ["<two>", "<three>", "<help>", "<one>"]
    assert [focus(begun.press("2")) for _ in range(2)] == ["<help>", "<three>"]
    assert [focus(begun.press(key)) for key in ("4", "6")] == ["<two>", "<three>"]
    begun.press("enter")
    assert begun.acts == ["three"]


def test_the_same_key_within_half_a_second_is_a_trembling_hand(begun: Pad) -> None:
    begun.press("8")
    begun.press("8", after_ms=DOUBLE_MS - 1)
    assert begun.keys.focused == "two"
    begun.press("8", after_ms=DOUBLE_MS)
    assert begun.keys.focused == "three"
    begun.press("2", after_ms=30)
    assert begun.keys.focused == "two", "another key is meant"


def test_a_key_held_down_acts_once_however_long_it_repeats(begun: Pad) -> None:
    begun.press("8")
    for _ in range(100):
        begun.press("8", after_ms=33)
    assert begun.keys.focused == "two"
    begun.press("8", after_ms=600)
    assert begun.keys.focused == "three"


def test_every_key_silences_what_is_being_said(begun: Pad) -> None:
    before = begun.ears.hushed
    begun.press("8", "5", "0")
    assert begun.ears.hushed == before + 3


def test_clear_goes_back_and_at_home_says_how_to_end(begun: Pad) -> None:
    begun.visit.go(places.Departments())
    begun.press("clear")
    assert begun.visit.place == places.Home()
    assert ids(begun.press("clear")) == ["keys.at_home"]


def test_seven_leads_home_and_ends_only_when_pressed_twice_there(begun: Pad) -> None:
    begun.visit.go(places.Departments())
    begun.press("7")
    assert begun.visit.place == places.Home()
    assert ids(begun.press("7")) == ["keys.end_sure"]
    begun.press("8", "7")
    assert begun.visit.session is not None, "another key between"
    begun.press("7")
    assert begun.visit.session is None


def test_one_explains_and_once_more_calls_for_help(begun: Pad) -> None:
    assert ids(begun.press("1")) == ["keys.help", "keys.help_again"]
    assert begun.booth.log.calls == []
    begun.press("1")
    assert begun.booth.log.calls == ["home"]
    assert begun.visit.overlay == "help"
    begun.press("clear")
    assert begun.visit.overlay == ""


def test_three_changes_the_language_and_says_so_in_it(begun: Pad) -> None:
    said = begun.press("3")
    assert begun.visit.language == "ko"
    assert ids(said)[:2] == ["keys.language", "home"]


def test_a_key_right_after_the_end_has_the_goodbye_told_again(begun: Pad) -> None:
    begun.press("7", "7")
    assert ids(begun.press("8", after_ms=600))[0] == "goodbye"
    assert begun.visit.session is None


def test_nine_is_louder_or_says_that_it_cannot_be(begun: Pad) -> None:
    assert ids(begun.press("9")) == ["keys.no_volume"]
    begun.ears.steps = (2, 4)
    (said,) = begun.press("9")
    assert isinstance(said, Phrase)
    assert said.args == {"step": 3, "steps": 5}


def test_five_tells_the_place_and_zero_tells_all_again(begun: Pad) -> None:
    begun.drawn = {"machine": "hall", "page": 1, "pages": 3}
    begun.keys.look()
    assert ids(begun.press("5")) == ["hall", "home", "keys.page", "keys.choice", "keys.more"]
    assert ids(begun.press("0")) == ["home", "text", "keys.page", "keys.choice"]


def test_pages_are_turned_up_to_their_ends(begun: Pad) -> None:
    turned: list[int] = []
    begun.drawn = {"page": 1, "pages": 2, "turn": turned.append}
    begun.keys.look()
    assert ids(begun.press("6")) == ["keys.page_end"]
    begun.press("4")
    assert turned == [-1]


def test_what_is_new_on_a_screen_is_told_and_what_only_counts_is_not(begun: Pad) -> None:
    def change(**drawn: Any) -> list[str]:
        before = len(begun.ears.said)
        begun.drawn = drawn
        begun.keys.look()
        return ids(begun.ears.said[-1]) if len(begun.ears.said) > before else []

    assert change(lines=(Line("text"), Line("12 s"))) == ["12 s"]
    assert change(lines=(Line("text"), Line("11 s"))) == []
    assert change(headline=Line("printed"), lines=(Line("text"),)) == ["printed"]
    begun.drawn = {}
    begun.keys.look()
    assert change(choices=(begun.choice("one", ticked=False),)) == ["keys.choice"], "the focus says something else"
    assert change(choices=(begun.choice("one", ticked=True),)) == ["keys.choice"]
    assert change(choices=(begun.choice("other"),)) == ["keys.choice"], "the focus had to move"


def test_the_warning_is_told_any_key_stays_and_seven_ends(begun: Pad) -> None:
    begun.booth.pass_ms(PATIENCE["keypad"].idle_ms + 500)
    begun.keys.look()
    assert ids(begun.ears.said[-1])[-1] == "keys.warning"
    begun.press("enter")
    assert (begun.visit.warning, begun.acts) == (False, [])
    begun.booth.pass_ms(PATIENCE["keypad"].idle_ms + 500)
    begun.keys.look()
    begun.press("7")
    assert begun.visit.ended_by == "done"


def test_the_warning_stands_twice_as_long() -> None:
    assert PATIENCE["keypad"].warning_ms == 2 * PATIENCE["standard"].warning_ms


def test_listening_is_being_there(begun: Pad) -> None:
    begun.ears.speaking = True
    for _ in range(300):
        begun.booth.pass_ms(1_000)
        begun.keys.tick()
    assert not begun.visit.warning
    begun.ears.speaking = False
    begun.booth.pass_ms(PATIENCE["keypad"].idle_ms + 500)
    assert begun.visit.warning


def test_a_card_left_behind_is_told_of_again_and_again(begun: Pad) -> None:
    begun.visit.card_present(Card("张*"))
    begun.keys.look()
    begun.visit.end("timeout")
    begun.keys.look()
    before = len(begun.ears.said)
    for _ in range(20):
        begun.booth.clock.ms += 1_000
        begun.keys.tick()
    assert len(begun.ears.said) - before == 2


def test_private_words_are_masked_without_headphones(begun: Pad) -> None:
    begun.drawn = {"headline": Line("张*", private=True), "choices": (begun.choice("tag", private=True),)}
    said = begun.press("0")
    assert "张*" not in str(said)
    assert "<tag>" not in str(said)
    assert ids(said)[0] == "keys.masked"
    assert ids(said)[-1] == "keys.masked_how"
    begun.ears.private = True
    assert ids(begun.press("5", "0"))[0] == "张*"


def test_masked_words_are_heard_aloud_on_this_screen_by_pressing_zero_twice(begun: Pad) -> None:
    begun.drawn = {"lines": (Line("2XFS-B34H-Q", private=True),)}
    assert "2XFS" not in str(begun.press("0"))
    assert "2XFS-B34H-Q" in ids(begun.press("0"))
    begun.visit.go(places.Departments())
    begun.keys.look()
    assert "2XFS" not in str(begun.ears.said[-1])


def test_pulled_headphones_mask_again_and_are_told(begun: Pad) -> None:
    begun.drawn = {"lines": (Line("secret", private=True),)}
    begun.press("0", "0")
    begun.keys.headphones(False)
    assert ids(begun.ears.said[-1]) == ["keys.unplugged"]
    assert "secret" not in str(begun.press("5", "0"))


def test_digits_are_letters_where_letters_are_asked(begun: Pad) -> None:
    begun.visit.go(places.Search())
    begun.keys.look()
    assert "keys.write" in ids(begun.ears.said[-1])
    said = begun.press("4", "9")
    assert begun.visit.place == places.Search("49", by_keys=True)
    assert ids(said)[0] == "keys.written"
    begun.press("clear")
    assert begun.visit.place == places.Search("4", by_keys=True)
    assert focus(begun.press("enter")) == "<one>"
    assert focus(begun.press("8")) == "<two>", "after enter keys move again"
    assert ids(begun.press("clear")) == ["keys.write_on"]
    begun.press("clear", "clear")
    assert begun.visit.place == places.Home(), "with nothing written, clear goes back"


def test_letters_by_touch_and_digits_by_keys_are_not_mixed(begun: Pad) -> None:
    begun.visit.go(places.Search())
    begun.visit.type("hz")
    begun.visit.type_key("4")
    assert begun.visit.place == places.Search("4", by_keys=True)
    begun.visit.type("s")
    assert begun.visit.place == places.Search("s")


def test_a_print_under_way_is_not_walked_away_from(begun: Pad) -> None:
    begun.visit.go(places.Guide(PASSPORT))
    begun.visit.print_notice(SUBJECT)
    begun.keys.look()
    for key in ("clear", "7"):
        assert ids(begun.press(key)) == ["keys.busy"]
    assert isinstance(begun.visit.place, places.Paper)


def test_clear_skips_a_rating_and_seven_never_presses_one(begun: Pad) -> None:
    begun.booth.print()
    begun.visit.done()
    begun.keys.look()
    begun.press("clear")
    assert isinstance(begun.visit.place, places.Parting)
    assert "rating_closed" in begun.booth.log.kinds()


def test_an_opened_cabinet_is_told_once_and_takes_no_help_call(begun: Pad) -> None:
    begun.visit.cabinet("door", True)
    begun.keys.look()
    assert ids(begun.ears.said[-1])[0] == "secured"
    begun.press("1", "1", "3")
    assert (begun.visit.phase, begun.visit.session) == ("secured", None)


def test_without_content_the_screen_is_told_and_help_can_be_called() -> None:
    pad = Pad(None)
    assert ids(pad.press("5"))[0] == "attract"
    pad.press("1", "1")
    assert len(pad.booth.log.calls) == 1
    assert (pad.visit.overlay, pad.visit.profile) == ("help", "keypad")


def test_a_touch_that_leaves_the_profile_is_owned_up_to(begun: Pad) -> None:
    begun.visit.use_profile("standard")
    begun.keys.look()
    assert ids(begun.ears.said[-1]) == ["keys.off"]
    begun.press("5")
    assert begun.visit.profile == "keypad"


def test_the_toggle_offers_the_profile_only_where_there_are_keys(booth: Booth) -> None:
    booth.visit.touch()
    seen = []
    for has_keys in (False, True):
        booth.visit.status_changed(replace(booth.visit.status, keypad=has_keys))
        for _ in range(4):
            booth.visit.next_profile()
            seen.append(booth.visit.profile)
    assert seen == ["elder", "contrast", "standard", "elder", "contrast", "keypad", "standard", "elder"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ALL_KEYS), st.sampled_from([40, 300, 900, 30_000, 200_000])), max_size=40))
def test_whatever_is_pressed_the_focus_is_on_something_and_every_key_is_answered(
    content: PackContent, presses: list[tuple[Any, int]]
) -> None:
    pad = Pad(content)
    for key, after_ms in presses:
        pad.booth.pass_ms(after_ms)
        pad.keys.look()
        before, taken = len(pad.ears.said), pad.ears.hushed
        pad.keys.key(key, pad.booth.clock.ms)
        was_taken = pad.ears.hushed > taken
        pad.keys.look()
        acted = pad.acts.copy()
        pad.acts.clear()
        assert not was_taken or len(pad.ears.said) > before or acted, key
        assert not pad.keys.is_on or pad.keys.focused in [choice.name for choice in pad.read().ring]
