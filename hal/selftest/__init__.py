"""Guided self-tests for a technician at the machine, a module a kind: what to do next, and whether it worked."""
