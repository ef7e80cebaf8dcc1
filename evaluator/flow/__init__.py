"""What an evaluator does, as state machines without Kivy: time, journal, lamps come in as arguments. Start at desk.py."""
