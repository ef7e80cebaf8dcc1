"""The rows one transaction adds to schema `journal`, gathered first and written with few statements."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fleet.ingest.bulk import insert_rows
from fleet.ingest.rules import FindingKind, Fork, Mark
from fleet.store.tables import batches, entries, findings, forks, journals, shelved
from wire.custody import Received
from wire.entry import Header
from wire.kinds import JournalOpened

SAMPLE_BYTES = 512
DETAIL_CHARACTERS = 500
_BATCH = ("journal_no", "first_seq", "last_seq", "received_ms", "signature", "signed")
_ENTRY = ("journal_no", "seq", "kind", "kind_version", "wall_ms", "clock_trust", "received_ms", "hash", "salt", "body")


class Finding(Struct, frozen=True, kw_only=True):
    """Something to tell people about; equal ones of one device and journal become one row with a count."""

    kind: FindingKind
    tenant: str
    device: str
    journal_id: bytes = b""
    seq: int | None = None
    detail: str
    sample: bytes = b""


class Ledger:
    """One transaction's reading and writing. `flush` writes what was gathered; the caller commits."""

    def __init__(self, connection: Connection, *, now_ms: int) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._marks: dict[bytes, Mark] = {}
        self._grown: dict[int, Mark] = {}
        self._batches: list[tuple[Any, ...]] = []
        self._entries: list[tuple[Any, ...]] = []
        self._shelved: list[dict[str, Any]] = []
        self._findings: dict[tuple[str, str, bytes], tuple[Finding, int]] = {}

    def load_marks(self, journal_ids: Iterable[bytes]) -> None:
        """Fetch the marks of the journals about to be judged; on PostgreSQL this locks their rows until the commit.

        Always in the order of their ids: two ingest processes that lock the same journals wait for each other, never both.
        """
        wanted = sorted({journal_id for journal_id in journal_ids if journal_id not in self._marks})
        names = ("no", "journal_id", "device", "tenant", "state", "seq", "hash")
        query = select(*(journals.c[name] for name in names)).order_by(journals.c.journal_id).with_for_update()
        for start in range(0, len(wanted), 500):
            found = self._connection.execute(query.where(journals.c.journal_id.in_(wanted[start : start + 500])))
            for no, journal_id, device, tenant, state, seq, digest in found:
                self._marks[bytes(journal_id)] = Mark(bytes(journal_id), device, tenant, no, state, seq, bytes(digest))

    def mark(self, journal_id: bytes, *, device: str, tenant: str) -> Mark:
        """The journal's mark, or a blank one for a journal never seen."""
        return self._marks.get(journal_id) or Mark(journal_id, device, tenant)

    def open_journal(self, mark: Mark, key: bytes, opened: JournalOpened | None) -> None:
        """Make the row of a new journal and number its mark."""
        before = opened.predecessor if opened else None
        values = {
            "journal_id": mark.journal_id,
            "tenant": mark.tenant,
            "device": mark.device,
            "stream": opened.stream if opened else "unknown",
            "signing_key": key,
            "predecessor_id": before.journal_id if before else None,
            "predecessor_seq": before.last_seq if before else None,
            "predecessor_hash": before.last_hash if before else None,
            "predecessor_gap": _plain(before.gap) if before and before.gap else None,
            "hash": mark.hash,
            "first_ms": self._now_ms,
            "last_ms": self._now_ms,
        }
        mark.no = self._connection.execute(insert(journals).values(values).returning(journals.c.no)).scalar_one()
        self._marks[mark.journal_id] = mark

    def add_batch(self, mark: Mark, received: Received, taken: list[tuple[Header, bytes, int]]) -> None:
        """Take entries: they follow the mark, which moves on."""
        message, now = received.message, self._now_ms
        last = taken[-1][0].seq
        self._batches.append((mark.no, received.content.first_seq, last, now, message.signature, message.signed))
        salts, bodies, no = message.salts, message.bodies, mark.no
        self._entries += [
            (no, h.seq, h.kind, h.kind_version, h.wall_ms, h.clock_trust, now, digest, salts[place], bodies[place])
            for h, digest, place in taken
        ]
        mark.seq, mark.hash = last, taken[-1][1]
        self._grown[mark.no] = mark

    def shelve(self, mark: Mark, header: Header) -> None:
        """Remember that this release cannot read an entry it has taken."""
        self._shelved.append(
            {
                "journal_no": mark.no,
                "seq": header.seq,
                "kind": header.kind,
                "kind_version": header.kind_version,
                "shelved_ms": self._now_ms,
            }
        )

    def quarantine(self, mark: Mark, fork: Fork, message: bytes) -> None:
        """Close a journal whose past has two versions, and keep the other one."""
        mark.state = "quarantined"
        self._grown[mark.no] = mark
        values = {
            "journal_no": mark.no,
            "seq": fork.seq,
            "kept_hash": fork.kept_hash,
            "other_hash": fork.other_hash,
            "received_ms": self._now_ms,
            "message": message,
        }
        self._connection.execute(self._upsert(forks).values(values).on_conflict_do_nothing())

    def note(self, finding: Finding) -> None:
        """Gather a finding."""
        key = (finding.device, finding.kind, finding.journal_id)
        self._findings[key] = (finding, self._findings.get(key, (finding, 0))[1] + 1)

    def stored_hashes(self, journal_no: int, first: int, last: int) -> dict[int, bytes]:
        """Hashes of stored entries, those of this transaction too."""
        self._flush_entries()
        query = select(entries.c.seq, entries.c.hash).where(entries.c.journal_no == journal_no, entries.c.seq.between(first, last))
        return {seq: bytes(digest) for seq, digest in self._connection.execute(query)}

    def flush(self) -> None:
        """Write all that was gathered."""
        self._flush_entries()
        if self._grown:
            mark = "?" if self._connection.dialect.name == "sqlite" else "%s"
            self._connection.exec_driver_sql(
                f"UPDATE journal.journals SET seq={mark}, hash={mark}, state={mark}, last_ms={mark} WHERE no={mark}",
                [(m.seq, m.hash, m.state, self._now_ms, m.no) for m in self._grown.values()],
            )
        if self._shelved:
            self._connection.execute(insert(shelved), self._shelved)
        for _, (finding, count) in sorted(self._findings.items()):  # In one order, as with the journals.
            self._write_finding(finding, count)

    def _flush_entries(self) -> None:
        for table, columns, rows in ((batches, _BATCH, self._batches), (entries, _ENTRY, self._entries)):
            insert_rows(self._connection, table, columns, rows)
            rows.clear()

    def _upsert(self, table: Any) -> Any:
        return (sqlite if self._connection.dialect.name == "sqlite" else postgresql).insert(table)

    def _write_finding(self, finding: Finding, count: int) -> None:
        last = {
            "seq": finding.seq,
            "detail": _plain(finding.detail),
            "sample": finding.sample[:SAMPLE_BYTES],
            "last_ms": self._now_ms,
        }
        values = {
            "kind": finding.kind,
            "tenant": finding.tenant,
            "device": finding.device,
            "journal_id": finding.journal_id,
            "first_ms": self._now_ms,
            "count": count,
            **last,
        }
        statement = self._upsert(findings).values(values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["device", "kind", "journal_id"], set_={**last, "count": findings.c.count + count}
            )
        )


def wake_shelved(connection: Connection, known: Iterable[tuple[str, int]], *, now_ms: int) -> int:
    """Mark shelved entries whose kind this release knows, so that a rebuild reads them; gives how many."""
    total = 0
    for kind, version in known:
        where = (shelved.c.kind == kind, shelved.c.kind_version == version, shelved.c.known_ms.is_(None))
        total += connection.execute(update(shelved).where(*where).values(known_ms=now_ms)).rowcount
    return total


def _plain(text: str) -> str:
    # PostgreSQL refuses NUL in text, and nothing from outside may decide whether a row can be written.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:DETAIL_CHARACTERS]
