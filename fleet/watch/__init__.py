"""What the fleet knows of its devices now: presence, state, incidents, service ability, forecasts. Start with `causes`."""
