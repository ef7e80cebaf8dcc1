"""Schema `fleet`: what the fleet last heard of each device, incidents, calls for help, consumables' history."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Table, Text

from fleet.store.schema import FLEET, Bytes, Millis, RowNo, metadata

heard = Table(
    "heard",
    metadata,
    Column("device", Text, primary_key=True),
    Column("online", Boolean),
    Column("connection", Millis),
    Column("presence_ms", Millis),
    Column("state", Bytes),
    Column("state_ms", Millis),
    Column("heard_ms", Millis, nullable=False),
    schema=FLEET,
)
"""Last presence and last state of a device (`state`: MessagePack of wire.messages.DeviceState). All times are the fleet's."""

incidents = Table(
    "incidents",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("key", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("hall", Text, nullable=False),
    Column("devices", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("args", JSON, nullable=False),
    Column("service", Text, nullable=False),
    Column("since_ms", Millis, nullable=False),
    Column("opened_ms", Millis, nullable=False),
    Column("updated_ms", Millis, nullable=False),
    Column("closed_ms", Millis),
    Column("closed_by", Text),
    Column("taken_by", Text),
    Column("taken_ms", Millis),
    Column("finding_no", Millis),
    Column("finding_count", Millis),
    Index("ix_incidents_closed_ms", "closed_ms"),
    schema=FLEET,
)
"""One row a cause while it lasts. `closed_by` is NULL when the cause itself went away; `finding_*` names the row of
journal.findings it came from and how often that had been seen when somebody closed it."""

help_calls = Table(
    "help_calls",
    metadata,
    Column("call", Text, primary_key=True),
    Column("device", Text, nullable=False, index=True),
    Column("where", Text, nullable=False),
    Column("asked_ms", Millis, nullable=False),
    Column("seen_ms", Millis),
    Column("seen_by", Text),
    Column("ended_ms", Millis),
    schema=FLEET,
)

gauges = Table(
    "gauges",
    metadata,
    Column("device", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("at_ms", Millis, primary_key=True, autoincrement=False),
    Column("value", Float, nullable=False),
    schema=FLEET,
)
"""Consumables and gauges, at most one value an hour and gauge, kept for 30 days: what forecasts and charts are made from."""
