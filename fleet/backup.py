"""Backup and restore. A backup is a folder that a fleet could run from: both SQLite files, keys, certificates, content.

Once a backup was opened again and all its chains were recomputed, it counts as archive: devices may prune what it holds.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection, insert, select, text

from fleet.config import FILE, load_config
from fleet.ingest.chains import ChainReport, verify_chains
from fleet.registry.service import now_ms
from fleet.registry.tables import archives
from fleet.store import Store, create_store, metadata, open_store
from fleet.store.engine import FILES, migrate_store, new_incarnation
from fleet.store.tables import incarnations

MANIFEST = "backup.json"
FOLDERS = ("keys", "ca", "content")
CHUNK_ROWS = 1_000


class BackupError(Exception):
    """The backup cannot be made, or is not one that can be restored; nothing was changed."""


class Made(Struct, frozen=True):
    """What a backup holds."""

    folder: Path
    journals: int
    entries: int
    bytes: int


def back_up(data: Path, out: Path) -> Made:
    """Copy a running fleet into the new folder `out`, verify the copy, and record it as archive.

    The fleet goes on meanwhile. Raises BackupError (the folder exists; the copy does not verify), OSError.
    """
    if out.exists():
        raise BackupError(f"{out} exists already; name a new folder, for example with the date")
    config = load_config(data)
    store = open_store(config.database or data, writes="fleet")
    draft = out.with_name(out.name + ".partial")
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(parents=True, mode=0o700)
    try:
        copy_store(store, data, draft)
        _copy_files(data, draft)
        report = _verified(draft)
        size = _write_manifest(draft, report)
        draft.replace(out)
        _sync(out.parent)
        with store.write() as connection:
            record_archive(connection, out.name, {journal_id: seq for journal_id, (seq, _) in report.marks.items()})
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        store.close()
    return Made(out, report.journals, report.entries, size)


def restore(backup: Path, data: Path) -> Made:
    """Make the fleet that a backup holds in the new data directory `data`, as a new incarnation.

    With PostgreSQL (`database` in the backup's fleet.toml) the rows go into that database, which has to be empty.
    Devices notice the incarnation and hand over again what came after the backup. Raises BackupError, OSError.
    """
    marks = _check_manifest(backup)
    if data.exists() and any(data.iterdir()):
        raise BackupError(f"{data} is not empty; move it away first (keep it: it may hold newer entries) or name another folder")
    try:
        return _restore(backup, data, marks)
    except BaseException:
        # It was empty or absent before: nothing half-made may look like a fleet.
        shutil.rmtree(data, ignore_errors=True)
        raise


def _restore(backup: Path, data: Path, marks: dict[bytes, int]) -> Made:
    shutil.copytree(backup, data, dirs_exist_ok=True)
    (data / MANIFEST).unlink()
    data.chmod(0o700)
    report = _verified(data)
    location: Path | str = data
    if url := load_config(data).database:
        _into_database(data, url)
        location = url
    else:
        create_store(data)
    store = open_store(location, writes="journal")
    with store.write() as connection:
        new_incarnation(connection, reason=f"restored from {backup.name}")
    store.close()
    store = open_store(location, writes="fleet")
    with store.write() as connection:
        record_archive(connection, backup.name, marks)
    store.close()
    return Made(data, report.journals, report.entries, _size(data))


def record_archive(connection: Connection, backup: str, marks: dict[bytes, int]) -> None:
    """Note how far a verified backup reaches; ingest tells the devices within a second.

    The time stands in the recorded name, because people give every night's backup the same one.
    """
    at = now_ms()
    if marks:
        name = f"{backup} {at}"
        rows = [{"backup": name, "made_ms": at, "journal_id": journal_id, "through_seq": seq} for journal_id, seq in marks.items()]
        connection.execute(insert(archives), rows)


def copy_store(store: Store, data: Path, target: Path) -> None:
    """The store as two SQLite files in `target`, each a consistent view; entries first, so that their devices are known."""
    if store.is_sqlite:
        for file in (FILES["journal"], FILES["fleet"]):
            source = sqlite3.connect(f"{(data / file).absolute().as_uri()}?mode=ro", uri=True)
            copy = sqlite3.connect(target / file)
            source.backup(copy)
            copy.close()
            source.close()
        return
    migrate_store(target)
    _copy_rows(store, open_store(target, writes="journal"), "journal")
    _copy_rows(store, open_store(target, writes="fleet"), "fleet")


def _into_database(data: Path, url: str) -> None:
    """Move the rows of the two files into PostgreSQL, then drop the files."""
    migrate_store(url)
    source = open_store(data, writes="fleet")
    for schema in FILES:
        target = open_store(url, writes="journal" if schema == "journal" else "fleet")
        with target.read() as connection:
            if connection.execute(select(incarnations.c.no)).first() is not None and schema == "journal":
                raise BackupError("the database already holds a fleet; name an empty one in fleet.toml")
        _copy_rows(source, target, schema)
    source.close()
    for file in FILES.values():
        for path in data.glob(f"{file}*"):
            path.unlink()


def _copy_rows(source: Store, target: Store, schema: str) -> None:
    with source.read() as reading, target.write() as writing:
        if not source.is_sqlite:
            reading.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        for table in metadata.sorted_tables:
            if table.schema != schema:
                continue
            rows = reading.execute(select(table).execution_options(yield_per=CHUNK_ROWS))
            for chunk in rows.mappings().partitions(CHUNK_ROWS):
                writing.execute(insert(table), [dict(row) for row in chunk])
            if not target.is_sqlite and "no" in table.c and table.c["no"].primary_key:
                # Rows brought their numbers along; the next one has to come after them.
                name = table.fullname
                writing.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'no'), max(no)) FROM {name}"))
    target.close()


def _copy_files(data: Path, target: Path) -> None:
    for name in FOLDERS:
        if (data / name).is_dir():
            shutil.copytree(data / name, target / name)
    if (data / FILE).is_file():
        shutil.copy2(data / FILE, target / FILE)


def _verified(folder: Path) -> ChainReport:
    for file in FILES.values():
        connection = sqlite3.connect(f"{(folder / file).absolute().as_uri()}?mode=ro", uri=True)
        try:
            (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            raise BackupError(f"{folder / file} cannot be read: {error}") from error
        finally:
            connection.close()
        if state != "ok":
            raise BackupError(f"{folder / file} is damaged: {state}")
    store = open_store(folder, writes="fleet")
    try:
        report = verify_chains(store)
    finally:
        store.close()
    if report.faults:
        first = report.faults[0]
        raise BackupError(
            f"{len(report.faults)} of {report.journals} journals do not verify; the first: journal {first.journal_id} of "
            f"{first.device} at entry {first.seq}: {first.what}. Run `nw-fleet verify`; no archive was recorded"
        )
    return report


def _write_manifest(folder: Path, report: ChainReport) -> int:
    for path in folder.glob("*.db-*"):
        path.unlink()
    files = {str(path.relative_to(folder)): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    journals = {journal_id.hex(): seq for journal_id, (seq, _) in report.marks.items()}
    manifest = {"format": 1, "made_ms": now_ms(), "entries": report.entries, "journals": journals, "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    for path in folder.rglob("*"):
        _sync(path)
    return _size(folder)


def _check_manifest(backup: Path) -> dict[bytes, int]:
    try:
        manifest = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
        files, journals = manifest["files"], {bytes.fromhex(key): int(seq) for key, seq in manifest["journals"].items()}
    except FileNotFoundError as error:
        raise BackupError(f"{backup} has no {MANIFEST}; name a folder that `nw-fleet backup` made") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{backup / MANIFEST} is damaged; use another backup") from error
    for name, digest in files.items():
        path = backup / name
        if not path.is_file() or _digest(path) != digest:
            raise BackupError(f"{path} is missing or changed since the backup was made; use another backup")
    return journals


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
