"""Schema `fleet`: calendars, work orders with their append-only log, contact data, notices, revisits.

Ratings are named by journal and rating id, which stay the same when the read model is made again.
"""

from sqlalchemy import JSON, Column, Float, Index, Integer, Table, Text, UniqueConstraint, text

from fleet.store.schema import FLEET, Bytes, Millis, RowNo, metadata

calendar_years = Table(
    "calendar_years",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("holidays", JSON, nullable=False),
    Column("workdays", JSON, nullable=False),
    Column("imported_ms", Millis, nullable=False),
    Column("imported_by", Text, nullable=False),
    schema=FLEET,
)
"""Years that were imported over those that come with the release. `scope` is empty for the country, else a hall; year 0 is
every year. Nothing is replaced: of a year the highest version stands."""

oversight_limits = Table(
    "oversight_limits",
    metadata,
    Column("hall", Text, primary_key=True),
    Column("limits", JSON, nullable=False),
    Column("changed_ms", Millis, nullable=False),
    Column("changed_by", Text, nullable=False),
    schema=FLEET,
)

work_orders = Table(
    "work_orders",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("journal_no", Millis, nullable=False),
    Column("rating", Bytes, nullable=False),
    Column("hall", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("clerk", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("assigned_to", Text, nullable=False, server_default=""),
    Column("released_day", Text),
    Column("closed_day", Text),
    UniqueConstraint("journal_no", "rating"),
    Index("ix_work_orders_state", "state"),
    Index("ix_work_orders_hall_day", "hall", "day"),
    schema=FLEET,
)
"""One row a negative rating, copied from it without a time of day. From `state` on it is what the log says, kept for lists."""

work_order_steps = Table(
    "work_order_steps",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("order_no", Millis, nullable=False),
    Column("place", Integer, nullable=False),
    Column("deed", Text, nullable=False),
    Column("at_ms", Millis, nullable=False),
    Column("day", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("args", JSON, nullable=False),
    UniqueConstraint("order_no", "place"),
    schema=FLEET,
)
"""The log: written once a deed, never changed. `place` counts an order's steps from 1. `at_ms` of what the fleet did by itself
is the beginning of that day, so that nothing tells when somebody pressed."""

work_order_files = Table(
    "work_order_files",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("order_no", Millis, nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("media", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sealed", Bytes, nullable=False),
    schema=FLEET,
)
"""Attachments of a step, encrypted under the key of contact data."""

contacts = Table(
    "contacts",
    metadata,
    Column("journal_no", Millis, primary_key=True, autoincrement=False),
    Column("rating", Bytes, primary_key=True),
    Column("sealed", Bytes, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("erased_ms", Millis),
    schema=FLEET,
)
"""How a rater who gave a name can be reached. `sealed` is encrypted under `<data>/keys/contacts.key`, and empty once erased."""

notices = Table(
    "notices",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("audience", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("args", JSON, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("due_ms", Millis, nullable=False, index=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("sent_ms", Millis),
    Column("trouble", Text, nullable=False, server_default=""),
    UniqueConstraint("audience", "kind", "key"),
    schema=FLEET,
)
"""What people are to be told, once each: `audience` is supervision or a user name; sent when `due_ms` has come."""

revisit_draws = Table(
    "revisit_draws",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("seed", Text, nullable=False),
    Column("quota", Float, nullable=False),
    Column("population", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("script", Text, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("made_by", Text, nullable=False),
    schema=FLEET,
)
"""One drawing of cases to call. `digest` is the SHA-256 of the list drawn from, so that it can be drawn again and compared."""

revisits = Table(
    "revisits",
    metadata,
    Column("draw", Millis, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("ref", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("result", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("calls", Integer, nullable=False, server_default=text("0")),
    Column("by", Text, nullable=False, server_default=""),
    Column("at_ms", Millis),
    schema=FLEET,
)
"""The cases drawn, each with what its call gave. `ref` is the case's number; no name and no telephone number is kept."""
