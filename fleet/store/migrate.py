"""Alembic for two schemas: each has its own line of migrations and its own version table."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

FOLDER = Path(__file__).parent / "migrations"
VERSION_TABLE = "schema_version"


def configuration(schema: str) -> Config:
    """Alembic's configuration for one schema; there is no ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(FOLDER / schema))
    config.attributes["schema"] = schema
    return config


def standing(connection: Connection, schema: str) -> Literal["present", "older", "newer"]:
    """Whether the schema is of this release, an older one (also: empty) or a newer one."""
    scripts = ScriptDirectory.from_config(configuration(schema))
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "version_table_schema": schema})
    current = context.get_current_revision()
    if current == scripts.get_current_head():
        return "present"
    try:
        return "older" if current is None or scripts.get_revision(current) is not None else "newer"
    except CommandError:
        return "newer"


def upgrade(connection: Connection, schema: str) -> None:
    """Bring one schema to this release within the connection's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    config = configuration(schema)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
