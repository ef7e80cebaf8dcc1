"""Schema `fleet`: a hall's content as records of `pack.model`, each kept as JSON with a version that counts its changes."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from fleet.store.schema import FLEET, Millis, metadata

content = Table(
    "content",
    metadata,
    Column("hall", Text, ForeignKey(f"{FLEET}.halls.code"), primary_key=True),
    Column("part", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed_ms", Millis, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("record", Text, nullable=False),
    schema=FLEET,
)
"""`part` is hall, department, item or scenario; `record` is the JSON of that struct of pack.model."""
