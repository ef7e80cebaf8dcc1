"""Alembic runs this file for every command; the connection comes from `fleet.store.migrate`."""

from alembic import context

from fleet.store.migrate import VERSION_TABLE
from fleet.store.schema import metadata

_schema = context.config.attributes["schema"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    version_table_schema=_schema,
)
with context.begin_transaction():
    context.run_migrations()
