"""Schema `fleet`: the registry's tables. Names of things are in three languages; times are UTC milliseconds."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint, false

from fleet.store.schema import FLEET, Bytes, Millis, RowNo, metadata

tenants = Table(
    "tenants",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", JSON, nullable=False),
    schema=FLEET,
)
areas = Table(
    "areas",
    metadata,
    Column("code", Text, primary_key=True),
    Column("tenant", Text, ForeignKey(f"{FLEET}.tenants.name"), nullable=False),
    Column("title", JSON, nullable=False),
    Column("parent", Text),
    schema=FLEET,
)
halls = Table(
    "halls",
    metadata,
    Column("code", Text, primary_key=True),
    Column("tenant", Text, ForeignKey(f"{FLEET}.tenants.name"), nullable=False),
    Column("area", Text, ForeignKey(f"{FLEET}.areas.code")),
    Column("title", JSON, nullable=False),
    Column("timezone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("demonstration", Boolean, nullable=False, server_default=false()),
    schema=FLEET,
)
windows = Table(
    "windows",
    metadata,
    Column("hall", Text, ForeignKey(f"{FLEET}.halls.code"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("business", JSON, nullable=False),
    Column("place", JSON, nullable=False),
    Column("department", Text, nullable=False, server_default=""),
    schema=FLEET,
)
staff = Table(
    "staff",
    metadata,
    Column("hall", Text, ForeignKey(f"{FLEET}.halls.code"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("post", JSON),
    Column("photo", Bytes, nullable=False),
    schema=FLEET,
)
devices = Table(
    "devices",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tenant", Text, ForeignKey(f"{FLEET}.tenants.name"), nullable=False),
    Column("role", Text, nullable=False),
    Column("signing_key", Bytes, nullable=False, unique=True),
    Column("model", Text, nullable=False),
    Column("software", Text, nullable=False),
    Column("paired_ms", Millis, nullable=False),
    Column("paired_by", Text, nullable=False),
    Column("revoked_ms", Millis),
    Column("revoked_by", Text),
    Column("revoked_why", Text),
    schema=FLEET,
)
placements = Table(
    "placements",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("device", Text, ForeignKey(f"{FLEET}.devices.name"), nullable=False),
    Column("hall", Text, ForeignKey(f"{FLEET}.halls.code"), nullable=False),
    Column("window", Text, nullable=False, server_default=""),
    Column("label", JSON, nullable=False),
    Column("from_ms", Millis, nullable=False),
    Column("until_ms", Millis),
    Column("by", Text, nullable=False),
    Index("ix_placements_device_from_ms", "device", "from_ms"),
    schema=FLEET,
)
"""Where a device stood from `from_ms` until just before `until_ms` (NULL: still)."""

pairings = Table(
    "pairings",
    metadata,
    Column("pairing", Bytes, primary_key=True),
    Column("commitment", Bytes, nullable=False),
    Column("challenge", Bytes, nullable=False),
    Column("peer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("offer", Bytes),
    Column("device", Text),
    Column("code", Text),
    Column("made_ms", Millis, nullable=False),
    Column("expires_ms", Millis, nullable=False),
    Column("decided_by", Text),
    Column("decided_ms", Millis),
    Column("certificate", Bytes),
    schema=FLEET,
)
"""Enrolments under way: committed → waiting → approved or refused; after `expires_ms` they count as expired."""

certificates = Table(
    "certificates",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("subject", Text, nullable=False, index=True),
    Column("issued_ms", Millis, nullable=False),
    Column("expires_ms", Millis, nullable=False),
    Column("der", Bytes, nullable=False),
    Column("revoked_ms", Millis),
    schema=FLEET,
)
"""Every certificate the fleet's CA issued; `serial` in hexadecimal."""

archives = Table(
    "archives",
    metadata,
    Column("no", RowNo, primary_key=True),
    Column("backup", Text, nullable=False),
    Column("made_ms", Millis, nullable=False),
    Column("journal_id", Bytes, nullable=False),
    Column("through_seq", Millis, nullable=False),
    UniqueConstraint("backup", "journal_id"),
    schema=FLEET,
)
"""How far verified backups hold each journal; the largest `through_seq` is what acknowledgements call archived."""
