"""Fixtures of the tests of the fleet."""

from fleet_places import blank_data, blank_database, blank_store, broker, data, location, made_store, postgres

__all__ = ["blank_data", "blank_database", "blank_store", "broker", "data", "location", "made_store", "postgres"]
