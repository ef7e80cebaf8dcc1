"""Schema `fleet`: the public ledger. Append-only, and never made again by a rebuild: others hold copies of its heads."""

from sqlalchemy import Column, Integer, Table, Text

from fleet.store.schema import FLEET, Bytes, Millis, RowNo, metadata

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("position", RowNo, primary_key=True, autoincrement=False),
    Column("data", Bytes, nullable=False),
    Column("leaf", Bytes, unique=True),
    Column("hall", Text),
    Column("window", Text),
    Column("standing", Text),
    Column("arrival", Millis),
    Column("level", Integer),
    Column("scalar", Bytes),
    Column("opened_in", Text),
    schema=FLEET,
)
"""One row a log entry; `data` is public, byte for byte. The others are set for ratings only, and level and scalar are secret:
what opens a cell's sum. `arrival` is the rating's number when it came, `opened_in` the month whose cells hold it."""

ledger_tiles = Table(
    "ledger_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", RowNo, primary_key=True, autoincrement=False),
    Column("hashes", Bytes, nullable=False),
    schema=FLEET,
)
"""The tree as tiles of up to 256 hashes (C2SP tlog-tiles): level 0 has the entries' hashes, each hash above is of a full tile."""

ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("size", RowNo, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False, unique=True),
    Column("root", Bytes, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_ms", Millis, nullable=False),
    schema=FLEET,
)
"""Signed heads, one after each batch. `label` is the batch: a day, `2026-11-22`, or a month's cells, `cells 2026-11`."""

ledger_cosignatures = Table(
    "ledger_cosignatures",
    metadata,
    Column("size", RowNo, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("seen_ms", Millis, nullable=False),
    schema=FLEET,
)

ledger_witnesses = Table(
    "ledger_witnesses",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Bytes, nullable=False),
    Column("added_ms", Millis, nullable=False),
    Column("added_by", Text, nullable=False),
    schema=FLEET,
)
"""Who outside may cosign heads; devices need no row here."""

ledger_statements = Table(
    "ledger_statements",
    metadata,
    Column("month", Text, primary_key=True),
    Column("body", Bytes, nullable=False),
    Column("made_ms", Millis, nullable=False),
    schema=FLEET,
)
"""A month's cells as published, byte for byte; the log has the hash."""

ledger_told = Table(
    "ledger_told",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("value", Millis, nullable=False),
    schema=FLEET,
)
"""How much of services, devices and certificates the log has already, so that a day tells what is new."""

ledger_exclusions = Table(
    "ledger_exclusions",
    metadata,
    Column("leaf", Bytes, primary_key=True),
    Column("salt", Bytes, nullable=False),
    Column("month", Text, nullable=False),
    schema=FLEET,
)
"""Ratings in an opened cell that people decided not to count (upheld appeals), and the month whose statement counts them. No
statement tells which leaf it is; with the salt an auditor can be shown."""
