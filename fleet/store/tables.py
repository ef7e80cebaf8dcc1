"""Schema `journal`: what devices handed over. Append-only; written by the ingest process and by nobody else.

Header bytes are kept once, inside `batches.signed`, exactly as the device signed them; `entries` holds what queries need.
"""

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint, text

from fleet.store.schema import JOURNAL, Bytes, Millis, RowNo, metadata

incarnations = Table(
    "incarnations",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("incarnation", Bytes, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("reason", Text, nullable=False),
    schema=JOURNAL,
)
"""Random ids of this database's lives; the last row is the present one. A restore adds one."""

journals = Table(
    "journals",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("journal_id", Bytes, nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("device", Text, nullable=False, index=True),
    Column("stream", Text, nullable=False, server_default="unknown"),
    Column("signing_key", Bytes, nullable=False),
    Column("predecessor_id", Bytes),
    Column("predecessor_seq", Millis),
    Column("predecessor_hash", Bytes),
    Column("predecessor_gap", Text),
    Column("state", Text, nullable=False, server_default="open"),
    Column("seq", Millis, nullable=False, server_default=text("0")),
    Column("hash", Bytes, nullable=False),
    Column("first_ms", Millis, nullable=False),
    Column("last_ms", Millis, nullable=False),
    schema=JOURNAL,
)
"""One row a journal. `seq` and `hash` are its high-water mark: where duplicates die. `state` is open or quarantined,
`stream` evidence, ops or unknown. `first_ms` and `last_ms` are when the fleet first and last took entries of it."""

batches = Table(
    "batches",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("journal_no", RowNo, nullable=False),
    Column("first_seq", Millis, nullable=False),
    Column("last_seq", Millis, nullable=False),
    Column("received_ms", Millis, nullable=False),
    Column("signature", Bytes, nullable=False),
    Column("signed", Bytes, nullable=False),
    Index("ix_batches_journal_no_last_seq", "journal_no", "last_seq"),
    schema=JOURNAL,
)
"""Signed batches, byte for byte, for forwarding upward and for recomputing chains. Ranges of two batches may overlap when a
device sent some entries again together with new ones."""

entries = Table(
    "entries",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("journal_no", RowNo, nullable=False),
    Column("seq", Millis, nullable=False),
    Column("kind", Text, nullable=False),
    Column("kind_version", Integer, nullable=False),
    Column("wall_ms", Millis, nullable=False),
    Column("clock_trust", Integer, nullable=False),
    Column("received_ms", Millis, nullable=False),
    Column("hash", Bytes, nullable=False),
    Column("salt", Bytes, nullable=False),
    Column("body", Bytes, nullable=False),
    UniqueConstraint("journal_no", "seq"),
    schema=JOURNAL,
)
"""One row an entry, written once. Erasing a body sets `salt` and `body` to empty bytes and touches nothing else."""

shelved = Table(
    "shelved",
    metadata,
    Column("journal_no", RowNo, primary_key=True, autoincrement=False),
    Column("seq", Millis, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("kind_version", Integer, nullable=False),
    Column("shelved_ms", Millis, nullable=False),
    Column("known_ms", Millis),
    schema=JOURNAL,
)
"""Entries of a kind or version this release did not know when they came. They are in `entries` like all others; read models
skip them. `known_ms` is set at the first start of a release that knows the kind: `nw-fleet rebuild` then reads them."""

forks = Table(
    "forks",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("journal_no", RowNo, nullable=False, index=True),
    Column("seq", Millis, nullable=False),
    Column("kept_hash", Bytes, nullable=False),
    Column("other_hash", Bytes, nullable=False),
    Column("received_ms", Millis, nullable=False),
    Column("message", Bytes, nullable=False),
    UniqueConstraint("journal_no", "other_hash"),
    schema=JOURNAL,
)
"""The other version of a past that we already hold: the whole message, so that both versions are kept. `message` is empty
when a Hello showed the fork before any entry of it came."""

findings = Table(
    "findings",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("journal_id", Bytes, nullable=False),
    Column("seq", Millis),
    Column("detail", Text, nullable=False),
    Column("sample", Bytes, nullable=False),
    Column("first_ms", Millis, nullable=False),
    Column("last_ms", Millis, nullable=False, index=True),
    Column("count", RowNo, nullable=False),
    UniqueConstraint("device", "kind", "journal_id"),
    schema=JOURNAL,
)
"""What ingest saw that somebody should know (docs/server.md lists the kinds). Equal findings of one device and journal are
one row: `count` grows, `last_ms`, `seq` and `detail` are the last one's. `journal_id` is empty when no journal is known;
`sample` holds the first bytes of what came."""
