"""Every screen of the terminal in every language and profile, as pictures to look at and as layouts for tests to check.

The content is the demonstration catalogue; ports answer nothing, the clock stands still.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from demo.shots.content import catalogue
from demo.shots.terminal_scene import Scene, StillClock
from pack.model import Language
from terminal.flow import places
from terminal.flow.idle import PROFILES, Profile
from terminal.flow.keys import Keys
from terminal.flow.phrase import Phrase, phrase
from terminal.flow.ports import HelpState, Outcome, Subject
from terminal.flow.session import Card
from terminal.flow.status import Part, Status
from terminal.flow.visit import CARD_LEFT_MS
from terminal.wording import LOCALE
from ui.shots import Shot, dressed, settle
from ui.tokens import TERMINAL_21

if TYPE_CHECKING:
    from kivy.uix.widget import Widget

LOCALES = (LOCALE,)
LABEL: dict[Language, str] = {
    "zh": "24小时自助服务区 · 1号机",
    "ko": "24시간 자체봉사구역 · 1호기",
    "en": "24-hour zone · terminal 1",
}
KEYPAD_SAMPLE = ("home", "guide", "search_found", "paper_printed", "rate", "reasons_bad", "parting", "warning")
FRAMES = 16
"""Texts, rows, pages: each takes its size from the one before, a frame at a time."""
OUT = Part(works=False, reason=phrase("printer.paper_out"))


def shots() -> Iterator[Shot]:
    """All states × languages × profiles, 语音键盘 in Chinese and samples of it, the home screen also by night.

    Every state of 语音键盘 in every language is walked through by tests/terminal/test_terminal_keys_screens.py.
    """
    for state in STATES:
        for language in ("zh", "ko", "en"):
            for profile in PROFILES:
                yield shot(state, language, profile)
    for state in STATES:
        yield shot(state, "zh", "keypad")
    for language in ("ko", "en"):
        for state in KEYPAD_SAMPLE:
            yield shot(state, language, "keypad")
    for state in ("home", "attract", "guide", "rate"):
        yield shot(state, "zh", "standard", night=True)


def shot(state: str, language: Language, profile: Profile, *, night: bool = False) -> Shot:
    """One picture of one state."""
    name = f"terminal/{language}/{profile}{'-night' if night else ''}/{state}"
    make = dressed(
        lambda: stage(state, language, profile),
        panel=TERMINAL_21, kind="kiosk", language=language, profile=profile, night=night,
    )  # fmt: skip
    return Shot(name, make)


def stage(state: str, language: Language, profile: Profile) -> "Widget":
    """The stage in a state, ready to be drawn."""
    from terminal.screens.frame import TerminalStage
    from terminal.screens.rules import load_screens

    load_screens()
    content = None if state.startswith("empty") else catalogue()
    here = content is not None
    scene = Scene(content=content, status=Status(content=here, demonstration=here, keypad=profile == "keypad"))
    visit = scene.visit
    if state.split("_")[0] not in ("attract", "empty"):
        visit.touch()
        visit.set_language(language)
        while visit.profile != profile:
            visit.next_profile()
    else:
        visit.speak(language)
    STATES[state](scene)
    made = TerminalStage(visit, label=LABEL, hall={"zh": "云溪县政务服务中心"})
    made.minute(scene.clock.known())
    settle(made, frames=FRAMES)
    if visit.profile == "keypad":
        told(made, scene.clock)
    return made


def told(made: "Widget", clock: StillClock) -> Keys:
    """Have 语音键盘 tell the screen, and let its line and its ring be drawn."""
    from terminal.ear import Ear
    from ui.speech import Voice

    keys = Keys(made.visit, clock, Ear(Voice(None), (), show=made.say_line), read=made.reading)
    made.listen(keys)
    keys.look()
    settle(made, frames=FRAMES)
    return keys


def _first_code() -> str:
    return catalogue().shelf("popular")[0].code


def _passport() -> str:
    return catalogue().search("护照", limit=1, language="zh")[0].code


def _core() -> str:
    return next((item.code for item in catalogue().pack.items(limit=200) if item.guide is None), _first_code())


def _plan(scene: Scene) -> None:
    scenario = catalogue().scenarios()[0]
    scene.visit.go(places.Plan(scenario.code, scenario.situations[0].id))


def _asking(scene: Scene) -> None:
    scenario = next(each for each in catalogue().scenarios() if each.questions)
    scene.visit.go(places.Asking(scenario.code, scenario.questions[0].id))


def _search(query: str) -> Callable[[Scene], None]:
    def lead(scene: Scene) -> None:
        scene.visit.go(places.Search())
        scene.visit.type(query)

    return lead


def _guide(scene: Scene) -> None:
    scene.visit.go(places.Guide(_passport()))
    scene.visit.tick_material(Subject(code=_passport()), 0)


def _paper(outcome: Outcome | None, reason: Phrase | None = None) -> Callable[[Scene], None]:
    def lead(scene: Scene) -> None:
        _guide(scene)
        scene.visit.print_notice(Subject(code=_passport()))
        if outcome:
            scene.printed(outcome, reason)

    return lead


def _rate(scene: Scene) -> None:
    _paper("printed")(scene)
    scene.visit.done()


def _reasons(level: int) -> Callable[[Scene], None]:
    def lead(scene: Scene) -> None:
        _rate(scene)
        scene.visit.press(level)

    return lead


def _parting(scene: Scene) -> None:
    _reasons(4)(scene)
    scene.visit.rating_done()


def _help(state: HelpState) -> Callable[[Scene], None]:
    def lead(scene: Scene) -> None:
        _guide(scene)
        scene.visit.call_help()
        scene.quiet.answer(scene.quiet.call_id, state)

    return lead


def _warning(scene: Scene) -> None:
    _guide(scene)
    scene.clock.ms += scene.visit.idle.patience.idle_ms + 4_000


def _troubled(scene: Scene) -> None:
    scene.visit.status_changed(Status(printer=OUT, reader=Part(works=False), network=False))


def _left(scene: Scene) -> None:
    scene.visit.card_present(Card("张*"))
    scene.visit.end("timeout")


def _forgotten(scene: Scene) -> None:
    _left(scene)
    scene.clock.ms += CARD_LEFT_MS
    scene.visit.tick()


def _scan(scene: Scene) -> None:
    scene.visit.status_changed(replace(scene.visit.status, codes=True))
    scene.visit.go(places.Search())
    scene.visit.ask_code()


STATES: dict[str, Callable[[Scene], None]] = {
    "attract": lambda scene: None,
    "attract_trouble": _troubled,
    "attract_resting": lambda scene: scene.visit.status_changed(Status(power="resting")),
    "attract_card": _forgotten,
    "empty": lambda scene: None,
    "home": lambda scene: None,
    "home_card": lambda scene: scene.visit.card_present(Card("张*")),
    "home_trouble": _troubled,
    "home_power": lambda scene: scene.visit.status_changed(Status(power="warned")),
    "home_clock_unset": lambda scene: setattr(scene.clock, "is_set", False),
    "departments": lambda scene: scene.visit.go(places.Departments()),
    "items": lambda scene: scene.visit.go(places.DepartmentItems(catalogue().departments()[1].code)),
    "popular": lambda scene: scene.visit.go(places.ShelfItems("popular")),
    "windows": lambda scene: scene.visit.go(places.Windows()),
    "search": lambda scene: scene.visit.go(places.Search()),
    "search_codes": lambda scene: (_scan(scene), scene.visit.show("")),
    "scan": _scan,
    "scan_refused": lambda scene: (_scan(scene), scene.visit.scanned(None)),
    "search_found": _search("hz"),
    "search_none": _search("qqqq"),
    "guide": _guide,
    "guide_long": lambda scene: scene.visit.go(places.Guide(_first_code())),
    "guide_core": lambda scene: scene.visit.go(places.Guide(_core())),
    "guide_thin": lambda scene: scene.visit.go(places.Guide("thin-materials")),
    "guide_bare": lambda scene: scene.visit.go(places.Guide("thin-conditions")),
    "details_thin": lambda scene: scene.visit.go(places.GuideDetails("thin-materials")),
    "take_thin": lambda scene: scene.visit.go(places.TakeAway(code="thin-conditions")),
    "guide_gone": lambda scene: scene.visit.go(places.Guide("gone")),
    "guide_trouble": lambda scene: (_guide(scene), _troubled(scene)),
    "details": lambda scene: scene.visit.go(places.GuideDetails(_passport())),
    "scenarios": lambda scene: scene.visit.go(places.Scenarios()),
    "asking": _asking,
    "plan": _plan,
    "take": lambda scene: scene.visit.go(places.TakeAway(code=_passport())),
    "paper_sending": _paper(None),
    "paper_printed": _paper("printed"),
    "paper_not_printed": _paper("not_printed", phrase("printer.paper_out")),
    "paper_unknown": _paper("unknown"),
    "rate": _rate,
    "reasons_good": _reasons(5),
    "reasons_bad": _reasons(1),
    "parting": _parting,
    "help_waiting": _help("waiting"),
    "help_seen": _help("seen"),
    "help_nobody": _help("nobody"),
    "help_unreachable": _help("unreachable"),
    "language": lambda scene: scene.visit.show("language"),
    "warning": _warning,
    "goodbye": lambda scene: scene.visit.end(),
    "goodbye_card": _left,
    "secured": lambda scene: scene.visit.cabinet("door", True),
}
