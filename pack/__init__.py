"""A hall's content as one SQLite file: what it holds, how it is searched and how notices merge.

`pack.model` holds the records, `pack.build.build` writes a pack, `pack.reader.open_pack` opens one, `pack.search.answer`
is what a search command prints, `pack.notice` makes the one-time notice.
"""
