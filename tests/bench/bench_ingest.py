"""How many signed messages and entries one CPU-second of the ingest process takes: real Mosquitto, real process, real SQLite.

Conditions: 1,000 journals of 1,000 registered devices; every message is verified, chained, checked for duplicates, committed with
synchronous=FULL and answered with a signed acknowledgement over TLS. One load process stands for all devices.
"""

import datetime as dt
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import psutil
from fleet_model import ModelDevice, ModelJournal, register
from paho.mqtt import client as mqtt
from private_servers import PrivateBroker, free_port, wait_for
from sqlalchemy import func, select

from fleet.broker import SERVE
from fleet.config import FILE, load_config
from fleet.link import connect, make_client
from fleet.setup import prepare
from fleet.store import Store, open_store
from fleet.store.tables import entries, journals

JOURNALS = 1_000
SINGLES_EACH = 12
BATCH_ENTRIES = 100
BATCHES_EACH = 2
SINGLES_LIMIT, ENTRIES_LIMIT = 5_000, 60_000


def run() -> dict[str, Any]:
    """Measure; gives name, figures and conditions."""
    with tempfile.TemporaryDirectory(prefix="nw-bench-") as folder:
        data = Path(folder)
        (data / FILE).write_text(f'[broker]\nport = {free_port()}\nbind = "127.0.0.1"\n')
        prepare(data, now=dt.datetime.now(dt.UTC))
        store = open_store(data, writes="fleet")
        devices = [ModelDevice() for _ in range(JOURNALS)]
        register(store, *devices)
        made = [ModelJournal(device) for device in devices]
        broker = PrivateBroker(data / "broker" / "mosquitto.conf", load_config(data).broker.port)
        process = subprocess.Popen([sys.executable, "-m", "fleet.cli", "ingest", "--data", str(data)], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: "as fleet-ingest (" in broker.log, what="ingest")
            _measure(data, process.pid, store, _grown(made, 1, 0))
            singles = _measure(data, process.pid, store, _grown(made, SINGLES_EACH, 1))
            batches = _measure(data, process.pid, store, _grown(made, BATCHES_EACH, BATCH_ENTRIES))
            replayed = _measure_replay(data, process.pid, store, [journal.batch(journal.seq) for journal in made], made)
        finally:
            process.terminate()
            process.wait(20)
            broker.stop()
            store.close()
    return {
        "name": "ingest",
        "figures": [
            _figure("signed single-entry messages per CPU-second of ingest", singles["messages"] / singles["cpu_s"], SINGLES_LIMIT),
            _figure(f"entries per CPU-second in batches of {BATCH_ENTRIES}", batches["entries"] / batches["cpu_s"], ENTRIES_LIMIT),
            _figure("replayed single-entry messages per CPU-second (stored once)", replayed["messages"] / replayed["cpu_s"], None),
            _figure("single-entry messages per second of wall clock", singles["messages"] / singles["wall_s"], None),
            _figure("entries per second of wall clock in batches", batches["entries"] / batches["wall_s"], None),
        ],
        "conditions": {
            "journals": JOURNALS,
            "single_messages": singles["messages"],
            "batched_entries": batches["entries"],
            "database": "SQLite, WAL, synchronous=FULL",
            "broker": "Mosquitto over TLS with client certificates, QoS 1, manual acknowledgement after commit",
            "cpu": "user and system time of the ingest process alone, by psutil",
            "machine": f"{psutil.cpu_count()} cores, shared with broker and load process",
        },
    }


def _grown(made: list[ModelJournal], rounds: int, size: int) -> tuple[list[tuple[str, bytes]], int]:
    """Messages of new entries, round by round over all journals; size 0 sends the opening entry."""
    messages = []
    for _ in range(rounds):
        for journal in made:
            first = journal.seq + 1 if size else 1
            journal.grow(size)
            messages.append((journal.device.topic("journal"), journal.batch(first)))
    return messages, sum(journal.seq for journal in made)


def _measure(data: Path, pid: int, store: Store, work: tuple[list[tuple[str, bytes]], int]) -> dict[str, float]:
    """Send the messages and wait until the store holds `entries` in all; gives CPU and wall seconds of ingest."""
    messages, wanted = work
    before = _stored(store)
    file = data / "load.bin"
    file.write_bytes(msgspec.msgpack.encode(messages))
    process = psutil.Process(pid)
    cpu, started = _cpu_s(process), time.monotonic()
    load = subprocess.Popen([sys.executable, __file__, "load", str(data), str(file)])
    wait_for(lambda: _marked(store) >= wanted, deadline_s=180, what="the last entry")
    used, wall_s = _cpu_s(process) - cpu, time.monotonic() - started
    assert load.wait(60) == 0
    stored = _stored(store)
    assert stored == wanted, f"{stored} entries are stored, {wanted} were sent"
    return {"cpu_s": used, "wall_s": wall_s, "messages": len(messages), "entries": stored - before}


def _measure_replay(data: Path, pid: int, store: Store, last: Iterable[bytes], made: list[ModelJournal]) -> dict[str, float]:
    """Send what is held already, then one new entry a journal that tells when all of it was read."""
    replays = [(journal.device.topic("journal"), batch) for journal, batch in zip(made, last, strict=True)] * 5
    fresh, wanted = _grown(made, 1, 1)
    return _measure(data, pid, store, (replays + fresh, wanted))


def _stored(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(entries)).scalar_one())


def _marked(store: Store) -> int:
    time.sleep(0.05)  # Polling harder would take CPU from what is measured.
    with store.read() as connection:
        return int(connection.execute(select(func.sum(journals.c.seq))).scalar_one() or 0)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _figure(name: str, value: float, limit: int | None) -> dict[str, Any]:
    told = f"at least {limit:,}" if limit else None
    return {"name": name, "value": value, "unit": "1/s", "limit": told, "ok": value >= limit if limit else None}


def load(data: Path, file: Path) -> None:
    """The load process: publish all messages, with at most 500 unacknowledged, and end."""
    messages = msgspec.msgpack.decode(file.read_bytes(), type=list[tuple[str, bytes]])
    client = make_client(data, SERVE, manual_ack=False)
    client.max_inflight_messages_set(500)
    client.max_queued_messages_set(0)
    connect(client, load_config(data))
    client.loop_start()
    last: mqtt.MQTTMessageInfo | None = None
    for name, payload in messages:
        last = client.publish(name, payload, qos=1)
    assert last is not None
    wait_for(last.is_published, deadline_s=180, what="the last PUBACK")
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(run()), indent=1).decode() + "\n")
