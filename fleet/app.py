"""The composition root: builds the fleet's services in the house's order and hands each what it needs.

store → access → registry → watch | control → ratings → hall → api | console. Nothing else constructs services.
"""

from pathlib import Path

from msgspec import Struct

from fleet.config import Config, load_config
from fleet.hall import tables as _hall_tables  # noqa: F401 - every feature's tables are known after importing this module
from fleet.hall.items import Items
from fleet.keys import Keys, load_keys
from fleet.registry.service import Registry
from fleet.store import Store, open_store


class Fleet(Struct, frozen=True):
    """All services of one serve process. Other engineers' services are added here, in order."""

    data: Path
    config: Config
    store: Store
    keys: Keys
    registry: Registry
    items: Items

    def close(self) -> None:
        """Release what was opened, in reverse order."""
        self.store.close()


def open_fleet(data: Path) -> Fleet:
    """Build the services over an initialised data directory.

    Raises ConfigError, KeysError or StoreError with what to do.
    """
    config = load_config(data)
    store = open_store(config.database or data, writes="fleet")
    keys = load_keys(data / "keys")
    registry = Registry(store)
    return Fleet(data, config, store, keys, registry, Items(store))
