"""Fixtures of the tests of the fleet."""

from fleet_places import broker, data, location, postgres

__all__ = ["broker", "data", "location", "postgres"]
