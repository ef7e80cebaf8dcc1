"""A visitor's session as state machines: no Kivy, no threads, the clock passed in."""
