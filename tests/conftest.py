"""Settings of every test: what Hypothesis measures by the clock says something about the machine, not about the code."""

from hypothesis import HealthCheck, settings

settings.register_profile("nightwindow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightwindow")
