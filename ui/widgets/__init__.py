"""The widgets both faces are built from, one `.py` and one `.kv` each. Call `ui.rules.load_widgets()` before making any."""
