"""Fixtures of the contract suites."""

from fleet_places import location, postgres

__all__ = ["location", "postgres"]
