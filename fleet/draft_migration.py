"""For contributors: `python -m fleet.draft_migration fleet "what changes"` drafts a migration from the changed tables.

It compares the tables in code with a freshly migrated store; read and mend the draft before committing it.
"""

import re
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import fleet.app  # noqa: F401 - every feature's tables are known after this import
from fleet.store import metadata, open_store
from fleet.store.engine import migrate_store
from fleet.store.migrate import FOLDER, VERSION_TABLE, configuration

_TEMPLATE = '''"""{what}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
{body}
'''


def changes(connection: Connection, schema: str) -> str:
    """The Python statements that would bring a migrated store to the tables in code; `pass` when nothing differs."""
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_object": lambda thing, name, kind, _r, _c: (
                kind != "table" or (thing.schema == schema and name != VERSION_TABLE)
            ),
            "compare_type": False,
        },
    )
    script = produce_migrations(context, metadata)
    assert script.upgrade_ops is not None
    lines = render_python_code(script.upgrade_ops, alembic_module_prefix="op.").splitlines()
    return "\n".join(["    pass"] if len(lines) < 3 else lines[1:-1])


def draft(schema: str, what: str, folder: Path) -> Path:
    """Write the draft; gives its path. Raises SystemExit when the tables in code match the migrations."""
    migrate_store(folder)
    store = open_store(folder, writes="fleet")
    with store.read() as connection:
        body = changes(connection, schema)
    store.close()
    if "op." not in body:
        raise SystemExit(f"schema {schema}: the tables in code match the migrations; nothing to draft")
    head = ScriptDirectory.from_config(configuration(schema)).get_current_head()
    revision = f"{schema}_{int(head.rsplit('_', 1)[1]) + 1 if head else 1:04d}"
    path = FOLDER / schema / f"{revision}_{re.sub('[^a-z0-9]+', '_', what.lower())}.py"
    path.write_text(_TEMPLATE.format(what=what, revision=revision, down=head, body=body), encoding="utf-8")
    return path


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("journal", "fleet"):
        raise SystemExit('usage: python -m fleet.draft_migration journal|fleet "what changes"')
    with tempfile.TemporaryDirectory() as _folder:
        print(draft(sys.argv[1], sys.argv[2], Path(_folder)))
