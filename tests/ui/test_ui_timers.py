"""Timers come on the Kivy thread as often as asked, and stop and start again."""

import pytest

pytestmark = pytest.mark.window

PASSING = """
import time
from kivy.base import EventLoop
from ui import timers
came = []
def until(enough):
    deadline = time.monotonic() + 20
    while not enough() and time.monotonic() < deadline:
        EventLoop.idle()
    return enough()
"""


def test_every_goes_on_whatever_the_call_returns(on_screen):
    told = on_screen(
        PASSING
        + """
timer = timers.every(0.01, lambda: came.append(1) or False)
went_on = until(lambda: len(came) >= 3)
timer.stop()
stopped_at = len(came)
once = timers.after(0.05, lambda: came.append('once'))
until(lambda: 'once' in came)
still = came.count(1) == stopped_at
timer.start()
tell(went_on=went_on, still=still, again=until(lambda: came.count(1) > stopped_at), seconds=timer.seconds)
"""
    )
    assert told == {"went_on": True, "still": True, "again": True, "seconds": 0.01}


def test_a_timer_waits_for_its_start_and_comes_once_each_time(on_screen):
    told = on_screen(
        PASSING
        + """
timer = timers.timer(0.01, lambda: came.append(1))
before = timer.waits
timer.start()
timer.start()
waiting = timer.waits
until(lambda: came)
after = timer.waits
timer.start()
timer.stop()
other = []
timers.after(0.05, lambda: other.append(1))
until(lambda: other)
tell(before=before, waiting=waiting, after=after, came=len(came))
"""
    )
    assert told == {"before": False, "waiting": True, "after": False, "came": 1}


def test_a_timer_holds_what_it_calls(on_screen):
    """Kivy holds bound methods weakly, which would end a timer whose object nobody else keeps."""
    told = on_screen(
        PASSING
        + """
import gc
class Keeper:
    def tick(self): came.append(1)
timers.every(0.01, Keeper().tick)
gc.collect()
tell(came=until(lambda: len(came) >= 2))
"""
    )
    assert told["came"]
