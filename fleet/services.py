"""All services together, as they are handed to console, API and commands. `fleet.app` builds it."""

from pathlib import Path

from msgspec import Struct

from fleet.access.audit import Audit
from fleet.access.service import Access
from fleet.config import Config
from fleet.control.service import Control
from fleet.hall.items import Items
from fleet.keys import Keys
from fleet.oversight.service import Oversight
from fleet.ratings.ledger.service import Ledger
from fleet.ratings.projection import Projection
from fleet.ratings.service import Ratings
from fleet.registry.pairing import Pairings
from fleet.registry.service import Registry
from fleet.store import Store
from fleet.watch.service import Watch


class Fleet(Struct, frozen=True):
    """All services of one serve process, or of one command."""

    data: Path
    config: Config
    store: Store
    keys: Keys
    access: Access
    audit: Audit
    registry: Registry
    pairings: Pairings
    watch: Watch
    control: Control
    projection: Projection
    ratings: Ratings
    ledger: Ledger
    items: Items
    oversight: Oversight

    def close(self) -> None:
        """Release what was opened, in reverse order."""
        self.store.close()
