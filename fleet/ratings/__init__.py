"""Ratings as figures: a read model made from journal entries, and the formulas. Start with `fleet.ratings.rules`."""
