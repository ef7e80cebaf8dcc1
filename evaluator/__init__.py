"""The rating device at a window. `app.py` starts it, `flow/` decides without Kivy, `screens/` draw, `evidence.py` records."""
