"""The window looks for input often while somebody is there, and draws no more than it must."""

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[[str], dict[str, Any]]
pytestmark = [pytest.mark.window, pytest.mark.timeout(120)]


def test_the_rate_falls_when_nothing_happens_but_not_while_the_stage_is_attentive(on_screen: Run) -> None:
    told = on_screen("""
        import time
        from ui.window import ACTIVE_FPS, IDLE_FPS, Pace
        pace = Pace(active_for_s=0.05)
        def rate_after(turns, wanted=None):
            end_s = time.monotonic() + 5
            for _ in range(turns):
                Clock.tick(); time.sleep(0.01)
            while wanted and Clock._max_fps != wanted and time.monotonic() < end_s:
                Clock.tick()
            return Clock._max_fps
        rates = [Clock._max_fps, rate_after(0, IDLE_FPS)]
        pace.attend(None, True)
        rates += [Clock._max_fps, rate_after(20)]
        pace.attend(None, False)
        rates += [Clock._max_fps, rate_after(0, IDLE_FPS)]
        tell(rates=rates, active=ACTIVE_FPS, idle=IDLE_FPS)
    """)
    active, idle = told["active"], told["idle"]
    assert told["rates"] == [active, idle, active, active, active, idle]


def test_a_finger_on_an_answer_draws_nothing_and_only_a_press_that_waits_is_marked(on_screen: Run) -> None:
    told = on_screen("""
        from ui.stage import Stage
        from ui.widgets.level_card import LevelCard
        from ui import picture
        theme.use(EVALUATOR_10, kind="desk")
        stage, card = Stage(), LevelCard(level=4, text="满意")
        stage.show(card, "test")
        studio.settle(stage)
        def look():
            for _ in range(3): Clock.tick(); Builder.sync()
            return hash(picture.render(stage).rgb)
        rest = look()
        card.state = "down"
        finger = look()
        card.waiting = True
        tell(finger=finger == rest, waiting=look() == rest)
    """)
    assert told["finger"], "a frame for the finger puts off the thanks"
    assert not told["waiting"], "what waits for a slow disk has to be seen"


def test_the_ground_has_the_colour_of_the_paper_and_follows_profile_and_night(on_screen: Run) -> None:
    told = on_screen("""
        from kivy.base import EventLoop
        from ui import window
        window._ground(EventLoop.window)
        same = []
        for look in ({"night": True}, {"night": False}, {"profile": "contrast"}, {"profile": "standard"}):
            theme.use(**look)
            same.append(list(EventLoop.window.clearcolor) == list(theme.paper))
        papers = set()
        for profile in ("standard", "contrast"):
            theme.use(profile=profile)
            papers.add(tuple(EventLoop.window.clearcolor))
        tell(same=same, papers=len(papers))
    """)
    assert told == {"same": [True] * 4, "papers": 2}


def test_a_touch_that_has_come_is_handed_on_without_another_wait(on_screen: Run) -> None:
    told = on_screen("""
        import time
        from ui.window import Pace
        pace = Pace()
        Clock._max_fps = 1.0
        Clock.tick()
        begun = time.monotonic(); pace.at_once(); Clock.tick(); quick = time.monotonic() - begun
        begun = time.monotonic(); Clock.tick(); slow = time.monotonic() - begun
        tell(quick=quick, slow=slow)
    """)
    assert told["quick"] < told["slow"] / 2
