"""The one way in which tests wait: for a condition, with a deadline, and never just for a while."""

import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], what: str = "the condition", timeout_s: float = 15.0, every_s: float = 0.01) -> Any:
    """The first true thing that `condition` gives; AssertionError that names `what` once `timeout_s` seconds have passed."""
    end_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end_s, f"{what} did not come true within {timeout_s:g} s"
        time.sleep(every_s)
    return value
