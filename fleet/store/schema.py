"""The one MetaData and the column types every feature builds its tables from."""

from typing import Literal

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Features add their tables here, each with `schema="fleet"`; only the ingest process writes `schema="journal"`."""

Writes = Literal["journal", "fleet"]
SCHEMAS: tuple[Writes, ...] = ("journal", "fleet")
JOURNAL, FLEET = SCHEMAS

RowNo = BigInteger().with_variant(Integer, "sqlite")
"""A row number the database counts up; SQLite counts only a column declared INTEGER."""
Millis = BigInteger()
"""UTC milliseconds since 1970."""
Bytes = LargeBinary()
