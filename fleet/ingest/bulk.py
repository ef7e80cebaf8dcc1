"""Many rows of one table in one go, by the quickest way of each database."""

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, each a value a column; nothing happens for none.

    Raises sqlalchemy.exc.DBAPIError as any statement does; a row that exists already is sqlalchemy.exc.IntegrityError.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, rows)
        return
    # Plain tuples to the driver: Core's own executemany costs twice as much an entry (tests/bench/bench_ingest.py).
    marks = ",".join("?" * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table.fullname} ({','.join(columns)}) VALUES ({marks})", list(rows))


def _copy(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """COPY: over twice as fast as executemany from 500 rows on (docs/decisions/0018-entries-by-copy-on-postgresql.md)."""
    statement = f"COPY {table.fullname} ({','.join(columns)}) FROM STDIN (FORMAT BINARY)"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            # The binary format carries no conversion: each value has to be of the column's own type.
            copy.set_types([str(table.c[name].type.compile(connection.dialect)).lower() for name in columns])
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        # SQLAlchemy does not see this statement, and the worker tells a store that refuses by SQLAlchemy's classes.
        raise DBAPIError.instance(statement, None, error, psycopg.Error, dialect=connection.dialect) from error
