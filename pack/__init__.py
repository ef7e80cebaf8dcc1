"""A hall's content as one SQLite file: what it holds, how it is searched and how notices merge. See `pack.model` first."""
