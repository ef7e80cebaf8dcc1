"""Backups that count as archive, restoring as a new incarnation, and verifying that every chain holds."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
from fleet_model import NOW_MS, ModelDevice, ModelJournal, register
from sqlalchemy import delete, func, select, text, update

from fleet.backup import MANIFEST, BackupError, back_up, restore
from fleet.config import FILE
from fleet.ingest.chains import verify_chains
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.keys import load_keys, make_keys
from fleet.store import open_store
from fleet.store.tables import batches, entries, journals
from wire.custody import read_reply


class Running:
    """A fleet with two devices and some entries, on either database."""

    def __init__(self, data, url):
        self.data, self.url = data, url
        self.location = url or data
        if url:
            data.mkdir()
            (data / FILE).write_text(f'database = "{url}"\n')
        make_keys(data / "keys")
        self.key = load_keys(data / "keys").signing
        self.open()
        self.devices = [ModelDevice(), ModelDevice()]
        register(self.fleet, *self.devices)
        self.journals = [ModelJournal(device) for device in self.devices]
        for journal in self.journals:
            journal.grow(9)
            self.give(journal.message(1, 6), journal.message(7, 8))

    def open(self):
        self.store = open_store(self.location, writes="journal")
        self.fleet = open_store(self.location, writes="fleet")
        self.intake = Intake(self.store, Directory(self.store), self.key, clock=lambda: NOW_MS)

    def give(self, *messages):
        replies = self.intake.take(messages)
        return [read_reply(reply.payload, self.key.verify_key, device=reply.topic.split("/")[3]) for reply in replies]

    def change(self, statement):
        with self.store.write() as connection:
            connection.execute(statement)


@pytest.fixture
def running(made_store, tmp_path):
    return Running(tmp_path / "running", made_store) if "://" in made_store else Running(Path(made_store), "")


def test_every_chain_of_a_sound_store_verifies(running):
    report = verify_chains(running.fleet)
    assert (report.journals, report.verified, report.entries, report.faults) == (2, 2, 16, [])


def test_overlapping_batches_verify(running):
    running.give(running.journals[0].message(5, 10))
    assert verify_chains(running.fleet).verified == 2


def test_erased_bodies_still_verify(running):
    running.change(update(entries).where(entries.c.seq == 3).values(salt=b"", body=b""))
    assert verify_chains(running.fleet).verified == 2


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (update(entries).where(entries.c.no == 3).values(body=b"forged"), "body"),
        (update(entries).where(entries.c.no == 3).values(wall_ms=1), "not what the device signed"),
        (update(entries).where(entries.c.no == 3).values(kind="rating.closed"), "not what the device signed"),
        (update(entries).where(entries.c.no == 3).values(hash=b"x" * 32), "not what the device signed"),
        (delete(entries).where(entries.c.no == 3), "missing"),
        (delete(batches).where(batches.c.no == 1), "stands where|expected|carry"),
        (update(batches).where(batches.c.no == 1).values(signature=bytes(64)), "signature"),
        (update(journals).where(journals.c.no == 1).values(seq=5), "high-water mark"),
    ],
)
def test_a_changed_row_is_found_and_located(running, change, what):
    running.change(change)
    report = verify_chains(running.fleet)
    (fault,) = report.faults
    assert (report.journals, report.verified, fault.device) == (2, 1, running.devices[0].name)
    assert re.search(what, fault.what)


def test_a_backup_counts_as_archive(running, tmp_path):
    made = back_up(running.data, tmp_path / "monday")
    assert (made.journals, made.entries) == (2, 16)
    (answer,) = Intake(running.store, _fresh(running), running.key).take([running.journals[0].message(1, 8)])
    reply = read_reply(answer.payload, running.key.verify_key, device=running.devices[0].name)
    assert (reply.through_seq, reply.archived_through) == (8, 8)


def _fresh(running):
    return Directory(running.store)


def test_a_store_that_does_not_verify_is_never_archived(running, tmp_path):
    running.change(update(entries).where(entries.c.no == 3).values(wall_ms=1))
    with pytest.raises(BackupError, match="1 of 2 journals do not verify"):
        back_up(running.data, tmp_path / "monday")
    assert not list(tmp_path.glob("monday*"))
    with running.fleet.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM fleet.archives")).scalar_one() == 0


def test_a_backup_never_overwrites(running, tmp_path):
    (tmp_path / "monday").mkdir()
    with pytest.raises(BackupError, match="exists already"):
        back_up(running.data, tmp_path / "monday")


def test_a_backup_is_readable_by_its_owner_alone(running, tmp_path):
    made = back_up(running.data, tmp_path / "monday")
    assert made.folder.stat().st_mode & 0o077 == 0


def test_a_restored_fleet_is_a_new_incarnation_and_gets_the_rest_from_the_devices(running, tmp_path, request):
    before = running.store.incarnation
    back_up(running.data, tmp_path / "monday")
    journal = running.journals[0]
    running.give(journal.message(9, 10))
    if running.url:
        other = request.getfixturevalue("postgres").new_database()
        manifest = json.loads((tmp_path / "monday" / MANIFEST).read_text())
        (tmp_path / "monday" / FILE).write_text(f'database = "{other}"\n')
        del manifest["files"][FILE]
        (tmp_path / "monday" / MANIFEST).write_text(json.dumps(manifest))
        running.location = other
    else:
        running.location = tmp_path / "new"
    restore(tmp_path / "monday", tmp_path / "new")
    running.open()
    assert running.store.incarnation != before
    (nack,) = running.give(journal.device.hello(journal.mark(10)))
    assert (nack.reason, nack.expected_seq, nack.incarnation) == ("rewind", 9, running.store.incarnation)
    (ack,) = running.give(journal.message(9, 10))
    assert (ack.through_seq, ack.archived_through) == (10, 8)
    with running.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(entries)).scalar_one() == 18
    assert verify_chains(running.fleet).verified == 2


def test_restoring_into_a_used_directory_is_refused(running, tmp_path):
    back_up(running.data, tmp_path / "monday")
    with pytest.raises(BackupError, match="is not empty; move it away first"):
        restore(tmp_path / "monday", running.data)


def test_restoring_what_is_no_backup_is_refused(tmp_path):
    with pytest.raises(BackupError, match=r"no backup\.json"):
        restore(tmp_path, tmp_path / "new")


def test_a_backup_changed_since_it_was_made_is_refused(running, tmp_path):
    back_up(running.data, tmp_path / "monday")
    connection = sqlite3.connect(tmp_path / "monday" / "entries.db")
    connection.execute("UPDATE entries SET wall_ms=1")
    connection.commit()
    connection.close()
    with pytest.raises(BackupError, match=r"entries\.db is missing or changed"):
        restore(tmp_path / "monday", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_backup_of_yesterday_does_not_lower_what_is_archived(running, tmp_path):
    back_up(running.data, tmp_path / "monday")
    running.give(running.journals[0].message(9, 10))
    back_up(running.data, tmp_path / "tuesday")
    directory = Directory(running.store)
    directory.refresh()
    assert directory.archived(running.journals[0].id) == 10


def test_every_nights_backup_may_have_the_same_name(running, tmp_path):
    back_up(running.data, tmp_path / "monday" / "nightly")
    running.give(running.journals[0].message(9, 10))
    back_up(running.data, tmp_path / "tuesday" / "nightly")
    directory = Directory(running.store)
    directory.refresh()
    assert directory.archived(running.journals[0].id) == 10


def test_a_damaged_backup_leaves_nothing_half_restored(running, tmp_path):
    backup = back_up(running.data, tmp_path / "monday").folder
    manifest = json.loads((backup / MANIFEST).read_text())
    (backup / "fleet.db").write_bytes(b"SQLite format 3\0" + bytes(5_000))
    del manifest["files"]["fleet.db"]
    (backup / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match=r"fleet\.db"):
        restore(backup, tmp_path / "new")
    assert not (tmp_path / "new").exists()
