"""Where the fleet keeps things: one MetaData, two schemas (`journal`, `fleet`), SQLite or PostgreSQL.

Start with `fleet.store.engine` (how to read and write), then `fleet.store.tables` (what devices handed over).
"""

from fleet.store.engine import Store, StoreError, StoreNewer, create_store, open_store
from fleet.store.schema import metadata

__all__ = ["Store", "StoreError", "StoreNewer", "create_store", "metadata", "open_store"]
