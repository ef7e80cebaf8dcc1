"""Schema `fleet`: the read model of ratings, sessions and prints. All of it can be made again from the entries."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, Table, Text, false, text

from fleet.store.schema import FLEET, Bytes, Millis, RowNo, metadata

projection_marks = Table(
    "projection_marks",
    metadata,
    Column("journal_no", Millis, primary_key=True, autoincrement=False),
    Column("seq", Millis, nullable=False),
    schema=FLEET,
)
"""How far each journal has been read."""

ratings = Table(
    "ratings",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("journal_no", Millis, nullable=False),
    Column("rating", Bytes, nullable=False),
    Column("device", Text, nullable=False),
    Column("hall", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("clerk", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("occasion", Bytes),
    Column("at_ms", Millis, nullable=False),
    Column("clock_trust", Integer, nullable=False),
    Column("day", Text, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("level", Integer),
    Column("presses", Integer, nullable=False),
    Column("standing", Millis),
    Column("leaf", Bytes),
    Column("receipt", Text, index=True),
    Column("secret", Bytes),
    Column("in_ledger", Boolean, nullable=False, server_default=false()),
    Column("via", Text, nullable=False),
    Column("standing_of", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("tag_set", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("duration_ms", Millis, nullable=False),
    Index("ix_ratings_journal_no_rating", "journal_no", "rating", unique=True),
    Index("ix_ratings_hall_day", "hall", "day"),
    Index("ix_ratings_occasion", "occasion"),
    Index("ix_ratings_in_ledger", "in_ledger", sqlite_where=text("NOT in_ledger"), postgresql_where=text("NOT in_ledger")),
    Index("ix_ratings_negative", "no", sqlite_where=text("level <= 2"), postgresql_where=text("level <= 2")),
    schema=FLEET,
)
"""One row a rating. `outcome` is open, rated, not_rated or uninvited; `standing_of` tells whether it counts: counted,
uninvited, repeated (the occasion had one), unreadable (does not open), none (nothing pressed). `day` and `hour` are local.
`secret` opens the leaf; `in_ledger` is set once the public ledger has it."""

services = Table(
    "services",
    metadata,
    Column("occasion", Bytes, primary_key=True),
    Column("source", Text, nullable=False),
    Column("hall", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("clerk", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("at_ms", Millis, nullable=False),
    Column("day", Text, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("invited", Boolean, nullable=False),
    Index("ix_services_hall_day", "hall", "day"),
    schema=FLEET,
)
"""Services given: the denominator of participation. `source` is api (told by another system; the only rows that are not
made from entries), invited (a device announced the occasion) or session (a terminal's visitor got something done)."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("digest", Bytes, nullable=False),
    Column("occasion", Bytes, nullable=False),
    Column("at_ms", Millis, nullable=False),
    schema=FLEET,
)

visits = Table(
    "visits",
    metadata,
    Column("journal_no", Millis, primary_key=True, autoincrement=False),
    Column("session", Bytes, primary_key=True),
    Column("device", Text, nullable=False),
    Column("hall", Text, nullable=False),
    Column("opened_ms", Millis),
    Column("closed_ms", Millis),
    Column("how", Text, nullable=False),
    Column("matters", JSON, nullable=False),
    Column("duration_ms", Millis, nullable=False),
    Column("day", Text, nullable=False),
    Index("ix_visits_hall_day", "hall", "day"),
    schema=FLEET,
)

prints = Table(
    "prints",
    metadata,
    Column("journal_no", Millis, primary_key=True, autoincrement=False),
    Column("job", Text, primary_key=True),
    Column("device", Text, nullable=False),
    Column("hall", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_ms", Millis),
    Column("finished_ms", Millis),
    Column("day", Text, nullable=False),
    Index("ix_prints_hall_day", "hall", "day"),
    schema=FLEET,
)
"""One row a print job. `outcome` is asked until its end is known, then printed, not_printed or unknown."""

rating_findings = Table(
    "rating_findings",
    metadata,
    Column("journal_no", Millis, primary_key=True, autoincrement=False),
    Column("seq", Millis, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("device", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("found_ms", Millis, nullable=False),
    schema=FLEET,
)
"""Entries whose content does not fit: made while reading, shown as incidents."""

rating_exclusions = Table(
    "rating_exclusions",
    metadata,
    Column("journal_no", Millis, primary_key=True, autoincrement=False),
    Column("rating", Bytes, primary_key=True),
    Column("order_no", Millis, nullable=False),
    Column("why", Text, nullable=False),
    Column("decided_ms", Millis, nullable=False),
    Column("decided_by", Text, nullable=False),
    schema=FLEET,
)
"""Ratings that an upheld appeal excludes: oversight writes a row, figures tell rates with and without them. The rating itself
stays as it is. Not made from entries: a rebuild keeps it. `decided_by` names both reviewers."""
