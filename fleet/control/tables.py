"""Schema `fleet`: what is wanted of devices and windows, commands with their true state, pictures, content packs."""

from sqlalchemy import JSON, Column, Index, Table, Text

from fleet.store.schema import FLEET, Bytes, Millis, metadata

desired = Table(
    "desired",
    metadata,
    Column("device", Text, primary_key=True),
    Column("version", Millis, nullable=False),
    Column("signed", Bytes, nullable=False),
    Column("content_digest", Bytes, nullable=False),
    Column("made_ms", Millis, nullable=False),
    schema=FLEET,
)
"""The signed Desired of each device as published; `content_digest` is over everything in it but its version."""

device_settings = Table(
    "device_settings",
    metadata,
    Column("device", Text, primary_key=True),
    Column("settings", JSON, nullable=False),
    Column("notice", JSON),
    schema=FLEET,
)

window_states = Table(
    "window_states",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("clerk", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("changed_ms", Millis, nullable=False),
    Column("changed_by", Text, nullable=False),
    schema=FLEET,
)
"""What a window is doing now: serving, paused or closed; the number of the clerk signed in, the ticket being served."""

commands = Table(
    "commands",
    metadata,
    Column("id", Bytes, primary_key=True),
    Column("device", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("message", Bytes, nullable=False),
    Column("state", Text, nullable=False),
    Column("issued_ms", Millis, nullable=False),
    Column("expires_ms", Millis, nullable=False),
    Column("changed_ms", Millis, nullable=False),
    Column("detail", Text),
    Column("args", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Index("ix_commands_device_issued_ms", "device", "issued_ms"),
    Index("ix_commands_state", "state"),
    schema=FLEET,
)

pictures = Table(
    "pictures",
    metadata,
    Column("device", Text, primary_key=True),
    Column("command", Bytes, nullable=False),
    Column("at_ms", Millis, nullable=False),
    Column("received_ms", Millis, nullable=False),
    Column("screen", Text, nullable=False),
    Column("png", Bytes, nullable=False),
    schema=FLEET,
)
"""The last masked picture of each screen; older ones are not kept."""

content_packs = Table(
    "content_packs",
    metadata,
    Column("sha256", Bytes, primary_key=True),
    Column("hall", Text, nullable=False, index=True),
    Column("version", Text, nullable=False),
    Column("size", Millis, nullable=False),
    Column("manifest", Bytes, nullable=False),
    Column("built_ms", Millis, nullable=False),
    Column("published_ms", Millis, nullable=False),
    Column("published_by", Text, nullable=False),
    schema=FLEET,
)
"""Content packs that were published; a hall shows the one published last. The files lie in the data directory by SHA-256."""
