"""Schema `fleet`: people, their sessions, API keys, and the audit log."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, false, text

from fleet.store.schema import FLEET, Bytes, Millis, RowNo, metadata

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("locked_until_ms", Millis, nullable=False, server_default=text("0")),
    schema=FLEET,
)
"""`password` is an Argon2id hash with its parameters. `failures` counts wrong passwords since the last right one."""

sessions = Table(
    "sessions",
    metadata,
    Column("token", Bytes, primary_key=True),
    Column("user", Text, nullable=False, index=True),
    Column("opened_ms", Millis, nullable=False),
    Column("used_ms", Millis, nullable=False),
    schema=FLEET,
)
"""`token` is the SHA-256 of the cookie: who reads the database cannot use it."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("secret", Bytes, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("used_ms", Millis),
    Column("revoked_ms", Millis),
    schema=FLEET,
)
"""Keys of other systems, `nw_<id>_<secret>`; `secret` is its SHA-256 (256 random bits need no slow hash)."""

audit = Table(
    "audit",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("at_ms", Millis, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("previous", Bytes, nullable=False),
    Column("hash", Bytes, nullable=False),
    schema=FLEET,
)
"""Append-only: every row carries the hash of the one before, so a changed or missing row shows."""
