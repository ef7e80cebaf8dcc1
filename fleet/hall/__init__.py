"""A hall's content: items, importing them, building packs."""
