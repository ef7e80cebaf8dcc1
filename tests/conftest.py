"""Settings of every test: what Hypothesis measures by the clock says something about the machine, not about the code."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("nightwindow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightwindow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What opens halls and windows takes minutes and goes first, so that no worker waits at the end for another's long file."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("hall", "window")))
