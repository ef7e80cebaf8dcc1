"""Simulators that speak the real bytes; written from the protocols, so nothing here imports a driver."""
