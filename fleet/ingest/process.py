"""`nw-fleet ingest`: builds the ingest process over a data directory and runs it until it is told to stop."""

import signal
import threading
from pathlib import Path

from fleet import broker, link
from fleet.config import load_config
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.ingest.ledger import wake_shelved
from fleet.ingest.worker import Worker
from fleet.keys import Keys, load_keys
from fleet.registry.service import now_ms
from fleet.store import Store, open_store
from wire.codec import encode
from wire.custody import Signed
from wire.kinds import KINDS
from wire.messages import Beacon
from wire.signing import sign

SOFTWARE = "nightwindow-fleet 0.1.0"


def run(data: Path) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigError, KeysError or StoreError when it cannot begin."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    store, worker = build(data)
    try:
        worker.run(is_stopping=stopping.is_set)
    finally:
        store.close()


def build(data: Path) -> tuple[Store, Worker]:
    """The worker with everything below it; not connected yet."""
    config, keys = load_config(data), load_keys(data / "keys")
    store = open_store(config.database or data, writes="journal")
    with store.write() as connection:
        wake_shelved(connection, KINDS, now_ms=now_ms())
    directory = Directory(store)
    intake = Intake(store, directory, keys.signing)
    client = link.make_client(data, broker.INGEST, manual_ack=True)
    worker = Worker(
        client,
        intake,
        directory,
        config.ingest,
        connect=lambda each: link.connect(each, config, receive_maximum=broker.MAX_INFLIGHT),
        beacon=beacon(keys, intake.incarnation),
    )
    return store, worker


def beacon(keys: Keys, incarnation: bytes) -> bytes:
    """The signed beacon that tells devices which life of the fleet's store this is."""
    signed = encode(Beacon(incarnation=incarnation, software=SOFTWARE))
    return encode(Signed(1, sign(keys.signing, "beacon", signed), signed))
