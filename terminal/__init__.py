"""The 24-hour self-service terminal: `flow` decides, `print` lays out paper, `screens` draw, `app` composes."""
