"""The composition root: builds the fleet's services in the house's order and hands each what it needs.

store → access → registry → watch | control → ratings → hall → api | console. Nothing else constructs services.
"""

from pathlib import Path

from msgspec import Struct

from fleet.access.audit import Audit
from fleet.access.service import Access
from fleet.config import Config, load_config
from fleet.control.packs import Packs
from fleet.control.service import Control
from fleet.hall import tables as _hall_tables  # noqa: F401 - every feature's tables are known after importing this module
from fleet.hall.items import Items
from fleet.keys import Keys, load_keys
from fleet.ratings.projection import Projection
from fleet.ratings.service import Ratings
from fleet.registry.service import Registry
from fleet.store import Store, open_store
from fleet.watch.service import Wanted, Watch


class Fleet(Struct, frozen=True):
    """All services of one serve process. Other engineers' services are added here, in order."""

    data: Path
    config: Config
    store: Store
    keys: Keys
    access: Access
    audit: Audit
    registry: Registry
    watch: Watch
    control: Control
    projection: Projection
    ratings: Ratings
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
    access, registry = Access(store), Registry(store)
    watch = Watch(store, registry)
    packs = Packs(store, data / "content")
    control = Control(store, registry, packs, signing=keys.signing, seal=keys.seal.public_key, on_change=watch.bump)
    watch.wanted = lambda: {
        device: Wanted(configuration=version, content=content, since_ms=made_ms)
        for device, (version, content, made_ms) in control.wanted_versions().items()
    }
    ratings = Ratings(store, registry)
    watch.more = ratings.causes
    projection = Projection(store, registry, seal=keys.seal)
    items = Items(store)
    return Fleet(data, config, store, keys, access, Audit(store), registry, watch, control, projection, ratings, items)
