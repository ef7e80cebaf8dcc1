"""Codes that visitors hold up: what opens, what is refused politely, and when a reader may shine. Codes come from strangers."""

from collections.abc import Callable

import pytest
from terminal_booth import PASSPORT, SUBJECT, Booth

from hal.api import Health, LookEnded, Scanned, ScanRefused
from hal.codes import text_of
from pack.model import LANGUAGES, Language
from terminal.content import PackContent
from terminal.flow import places
from terminal.flow.answers import answers
from terminal.flow.ports import Subject
from terminal.flow.status import Status
from terminal.scanning import LOOK_S, Scanning
from terminal.takeaway import item_text, plan_text
from terminal.wording import Wording

WORKS = Health("ok", "hal.ok", "next.nothing", 0)
BROKEN = Health("down", "port.missing", "next.check_cable", 0)
HOSTILE = [
    "https://example.invalid/login?next=1",
    "javascript:alert(1)",
    "'; DROP TABLE items; --",
    "$(reboot)",
    PASSPORT + " ",
    PASSPORT[:-1],
    PASSPORT.lower(),
    "9" * 31,
    "护照" * 40,
    "带：" * 300,
    "A" * 4096,
    "../../etc/passwd",
]


class Reader:
    """A scanner and a camera in one: keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[bool | float] = []
        self.now = WORKS

    name = "reader"

    def health(self) -> Health:
        return self.now

    def trigger(self, on: bool) -> None:
        self.told.append(on)

    def look(self, seconds: float) -> None:
        self.told.append(seconds)

    def stop_looking(self) -> None:
        self.told.append(0.0)


class Bench:
    """A visit with one scanner and one camera."""

    def __init__(self, booth: Booth, wording: Wording) -> None:
        self.visit = booth.visit
        self.visit.status = Status(codes=True)
        self.scanner, self.camera = Reader(), Reader()
        post: Callable[[Callable[[], object]], object] = lambda call: call()  # noqa: E731
        self.scanning = Scanning(self.visit, [self.scanner], [self.camera], post=post, wording=wording)  # type: ignore[list-item]
        self.visit.changed = self.scanning.sync

    def hold_up(self, text: str) -> None:
        self.scanning.take(Scanned(text, 0.0))


@pytest.fixture
def bench(booth: Booth, wording: Wording) -> Bench:
    return Bench(booth, wording)


@pytest.fixture
def printed(content: PackContent, wording: Wording) -> Callable[[Language], str]:
    """A notice's code as a scanner reads it, in a language."""

    def made(language: Language) -> str:
        item = content.item(PASSPORT)
        assert item is not None
        return text_of(item_text(answers(item, language), wording.say(language)).text.encode())

    return made


def test_an_items_code_opens_its_guide_and_begins_a_visit(bench: Bench) -> None:
    bench.hold_up(PASSPORT)
    assert bench.visit.phase == "visiting"
    assert bench.visit.place == places.Guide(PASSPORT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_opens_the_guide_it_was_printed_from_in_whatever_language(
    bench: Bench, printed: Callable[[Language], str], language: Language
) -> None:
    bench.hold_up(printed(language))
    assert bench.visit.place == places.Guide(PASSPORT)


def test_a_merged_notice_opens_its_plan(bench: Bench, content: PackContent, wording: Wording) -> None:
    scenario = content.scenarios()[0]
    wanted = places.Plan(scenario.code, scenario.situations[-1].id)
    taken = plan_text(content, Subject(scenario=wanted.scenario, situation=wanted.situation), "zh", wording.say("zh"))
    assert taken is not None
    bench.hold_up(text_of(taken.text.encode()))
    assert bench.visit.place == wanted


@pytest.mark.parametrize("text", HOSTILE)
def test_anything_else_is_refused_and_nothing_of_it_is_kept(bench: Bench, text: str) -> None:
    bench.visit.touch()
    bench.hold_up(text)
    assert bench.visit.place == places.Home()
    assert bench.visit.overlay == "scan"
    session = bench.visit.session
    assert session is not None
    assert session.code_refused
    assert text not in repr(vars(session))


def test_an_unreadable_code_is_refused_too(bench: Bench) -> None:
    bench.scanning.take(ScanRefused("scan.not_text"))
    assert bench.visit.overlay == "scan"


def test_readers_shine_only_while_the_screen_asks_for_a_code(bench: Bench) -> None:
    bench.visit.touch()
    bench.visit.go(places.Search())
    assert (bench.scanner.told, bench.camera.told) == ([], [])
    bench.visit.ask_code()
    assert (bench.scanner.told, bench.camera.told) == ([True], [LOOK_S])
    bench.visit.show("")
    assert (bench.scanner.told, bench.camera.told) == ([True, False], [LOOK_S, 0.0])


def test_a_reader_whose_light_went_out_shines_again_while_the_code_is_still_asked_for(bench: Bench) -> None:
    bench.visit.touch()
    bench.visit.ask_code()
    bench.scanning.sync()
    bench.scanning.take(LookEnded("time"))
    assert bench.scanner.told[1:] == [True, True]
    assert bench.camera.told == [LOOK_S, LOOK_S]


def test_a_camera_that_fails_is_not_asked_over_and_over(bench: Bench) -> None:
    bench.visit.touch()
    bench.visit.ask_code()
    bench.scanning.take(LookEnded("failed"))
    bench.scanning.sync()
    assert bench.camera.told == [LOOK_S]


def test_readers_go_dark_after_a_refusal_until_another_try(bench: Bench) -> None:
    bench.visit.touch()
    bench.visit.ask_code()
    bench.hold_up("nonsense")
    assert (bench.scanner.told[-1], bench.camera.told[-1]) == (False, 0.0)
    bench.visit.ask_code()
    assert (bench.scanner.told[-1], bench.camera.told[-1]) == (True, LOOK_S)


def test_readers_go_dark_when_the_visitor_leaves(bench: Bench) -> None:
    bench.visit.touch()
    bench.visit.ask_code()
    bench.visit.end()
    assert (bench.scanner.told[-1], bench.camera.told[-1]) == (False, 0.0)


def test_a_code_walks_nobody_away_from_a_print_or_a_rating(bench: Bench, booth: Booth) -> None:
    booth.visit.touch()
    booth.visit.go(places.Guide(PASSPORT))
    booth.visit.print_notice(SUBJECT)
    bench.hold_up("nonsense")
    assert (booth.visit.place, booth.visit.overlay) == (places.Paper(), "")
    booth.printed()
    booth.visit.done()
    bench.hold_up(PASSPORT)
    assert (booth.visit.place, booth.visit.overlay) == (places.Rate(), "")


@pytest.mark.parametrize("status", [Status(codes=True, power="resting"), Status(codes=True, power="ending")])
def test_a_code_begins_nothing_on_the_battery(bench: Bench, status: Status) -> None:
    bench.visit.status_changed(status)
    bench.hold_up(PASSPORT)
    assert bench.visit.session is None


def test_a_code_begins_nothing_while_the_cabinet_is_open(bench: Bench) -> None:
    bench.visit.cabinet("door", True)
    bench.hold_up(PASSPORT)
    assert bench.visit.phase == "secured"


def test_nothing_is_asked_for_where_no_reader_works(bench: Bench) -> None:
    bench.scanner.now = bench.camera.now = BROKEN
    assert not bench.scanning.works
    bench.visit.status_changed(Status(codes=bench.scanning.works))
    bench.visit.touch()
    bench.visit.ask_code()
    assert bench.visit.overlay == ""
