"""What proves that a face is alive: beats only for frames that were drawn; and what it says, in the language of the screen."""

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[[str], dict[str, Any]]


@pytest.mark.window
def test_a_screen_at_rest_beats_because_it_is_drawn_again_and_one_that_is_not_drawn_does_not(on_screen: Run) -> None:
    told = on_screen("""
        import time
        from kivy.base import EventLoop
        from ui.pulse import Pulse
        beats = []
        pulse = Pulse(lambda: beats.append(Clock.get_time()), look_s=0.02, rest_s=0.2)
        def run(turn, seconds):
            before, end_s = len(beats), time.monotonic() + seconds
            while time.monotonic() < end_s:
                turn()
            return len(beats) - before
        run(EventLoop.idle, 0.5)
        resting = run(EventLoop.idle, 2.0)
        # The thread lives and timers run, but no frame reaches the panel: nobody may call that alive.
        run(Clock.tick, 0.3)
        undrawn = run(Clock.tick, 1.0)
        again = run(EventLoop.idle, 1.0)
        pulse.stop()
        stopped = run(EventLoop.idle, 0.5)
        tell(resting=resting, undrawn=undrawn, again=again, stopped=stopped)
    """)
    assert 2 <= told["resting"] <= 11, "drawn every 0.2 s only to beat"
    assert (told["undrawn"], told["stopped"]) == (0, 0)
    assert told["again"] >= 1


@pytest.mark.window
def test_a_message_is_said_in_the_language_of_the_screen_and_slowly_in_the_elder_profile(on_screen: Run) -> None:
    told = on_screen("""
        from ui.speech import Voice
        asked = []
        class Port:
            def say(self, text, language, *, slowly=False): asked.append([text, language, slowly])
            def hush(self): asked.append("hush")
        voice = Voice(Port())
        for code in ("zh", "ko", "en"):
            words.use(code)
            voice.say("keyboard.done")
        theme.use(profile="elder")
        voice.read("Take your card")
        voice.read("  ")
        voice.hush()
        silent = Voice(None)
        silent.read("nobody hears this")
        silent.hush()
        tell(asked=asked, there=[voice.is_there, silent.is_there])
    """)
    assert [one[1:] for one in told["asked"][:3]] == [["zh", False], ["ko", False], ["en", False]]
    assert len({one[0] for one in told["asked"][:3]}) == 3
    assert told["asked"][3:] == [["Take your card", "en", True], "hush"]
    assert told["there"] == [True, False]
