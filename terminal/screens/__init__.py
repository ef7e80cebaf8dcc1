"""What a visitor sees: one view a place, drawn from what `terminal.flow.visit` says. Start at stage.py."""
