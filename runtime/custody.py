"""Handing journals over to the fleet: what to send next, and what an answer means. No network and no threads in here.

Rules (docs/wire.md, "Custody"): one batch of a journal in flight, evidence before ops, nothing counts until a signed answer of
the fleet names an entry whose hash is the one this device has. A broker's PUBACK counts for nothing.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import structlog
from msgspec import Struct
from nacl.signing import SigningKey, VerifyKey

from runtime.journalfile import JournalDamaged, JournalError, JournalReader, Row
from runtime.store import AgentStore, Mark
from wire.codec import WireError, encode
from wire.custody import (
    MAX_BATCH_BYTES,
    MAX_BATCH_ENTRIES,
    RETRY_REASONS,
    Ack,
    Hello,
    JournalMark,
    Nack,
    make_batch,
    read_reply,
)
from wire.entry import NO_HASH, Entry

log = structlog.get_logger("runtime.custody")

HELLO_PATIENCE_MS = 3_000
ENTRY_OVERHEAD = 24
"""Bytes that MessagePack adds around one entry's header, salt and body, rounded up."""


class Batch(NamedTuple):
    """A batch to publish on `journal`."""

    journal_id: bytes
    first_seq: int
    through_seq: int
    payload: bytes


class Event(Struct, frozen=True):
    """Something a person or another part should know. `what` is a message id; `journal_id` says of which journal.

    forged: an answer that the fleet did not sign · foreign: for no journal of this device · stale: of a former incarnation ·
    acked · rewound · stopped: nothing more is sent of this journal · resumed · damaged: an entry cannot be read.
    """

    what: Literal["forged", "foreign", "stale", "acked", "rewound", "stopped", "resumed", "damaged"]
    journal_id: bytes = b""
    detail: str = ""
    seq: int = 0


class _Flight(NamedTuple):
    through_seq: int
    first_seq: int
    resend_at_ms: int


class Custody:
    """Decides what is sent. `readers()` gives the open journals, evidence streams first, each stream oldest first."""

    def __init__(
        self,
        *,
        device: str,
        key: SigningKey,
        fleet_key: VerifyKey,
        store: AgentStore,
        readers: Callable[[], list[JournalReader]],
        resend_after_ms: int = 15_000,
    ) -> None:
        self._device, self._key, self._fleet_key = device, key, fleet_key
        self._store, self._readers, self._resend_after_ms = store, readers, resend_after_ms
        self._flights: dict[bytes, _Flight] = {}
        self._not_before: dict[bytes, int] = {}
        self._refusals: dict[bytes, int] = {}
        self._ended: dict[bytes, int] = {}
        self.beacon: bytes | None = None
        self.fleet_ms = 0
        """The newest signed fleet time of this run, 0 for none."""

    def disconnected(self) -> None:
        """Forget what was in flight: nobody knows what became of it, and the fleet drops duplicates."""
        self._flights.clear()
        self._not_before.clear()
        self._refusals.clear()

    def hello(self, now_ms: int) -> bytes:
        """The Hello for a new connection: where every journal stands. Batches wait for its answers, but not for ever."""
        marks = []
        for reader in self._readers():
            self._not_before[reader.journal_id] = now_ms + HELLO_PATIENCE_MS
            try:
                mark = self._store.mark(reader.journal_id)
                marks.append(
                    JournalMark(
                        reader.journal_id,
                        reader.first_held(),
                        reader.last_seq(),
                        mark.in_custody,
                        mark.custody_hash,
                        mark.archived,
                    )
                )
            except JournalError as error:
                log.warning("a journal cannot be named to the fleet", path=str(reader.path), error=str(error))
        return encode(Hello(1, self._store.get("incarnation") or b"", marks[-1_000:]))

    def next_batch(self, now_ms: int) -> tuple[Batch | None, list[Event]]:
        """The batch to publish now, if any, and what was noticed on the way. `now_ms` is monotonic."""
        events: list[Event] = []
        waiting: set[str] = set()
        for reader in self._readers():
            # Within a stream too: a successor closes what its predecessor began, so the fleet gets that one whole before.
            if reader.stream in waiting or (reader.stream == "ops" and "evidence" in waiting):
                continue
            batch, waits = self._batch_of(reader, now_ms, events)
            if batch is not None:
                return batch, events
            if waits:
                waiting.add(reader.stream)
        return None, events

    def _batch_of(self, reader: JournalReader, now_ms: int, events: list[Event]) -> tuple[Batch | None, bool]:
        """A batch of one journal when one may go now; and whether the journal has something waiting for the fleet."""
        journal_id = reader.journal_id
        mark = self._store.mark(journal_id)
        try:
            if mark.stopped or self._end(reader) <= mark.in_custody:
                return None, False
        except JournalError as error:
            log.warning("a journal cannot be read", path=str(reader.path), error=str(error))
            return None, False
        flight = self._flights.get(journal_id)
        if flight is not None and now_ms < flight.resend_at_ms:
            return None, True
        if now_ms < self._not_before.get(journal_id, 0):
            return None, True
        rows = self._rows(reader, mark, events)
        if not rows:
            return None, False
        entries = [row.entry for row in rows]
        first, through = rows[0].header.seq, rows[-1].header.seq
        payload = make_batch(entries, device=self._device, journal_id=journal_id, first_seq=first, key=self._key)
        self._flights[journal_id] = _Flight(through, first, now_ms + self._resend_after_ms)
        return Batch(journal_id, first, through, payload), True

    def _end(self, reader: JournalReader) -> int:
        """The last entry that can be handed over: the last one, or the one before the damage."""
        ended = self._ended.get(reader.journal_id)
        return reader.last_seq() if ended is None else ended

    def _rows(self, reader: JournalReader, mark: Mark, events: list[Event]) -> list[Row]:
        rows: list[Row] = []
        size = 0
        try:
            after = max(mark.in_custody, reader.first_held() - 1)
            known_hash = mark.custody_hash if after == mark.in_custody else None
            for row in reader.rows(after, limit=MAX_BATCH_ENTRIES, prev_hash=known_hash):
                size += _size(row.entry)
                if rows and size > MAX_BATCH_BYTES:
                    break
                rows.append(row)
                if row.header.seq == self._ended.get(reader.journal_id):
                    break
        except JournalDamaged as error:
            if self._ended.get(reader.journal_id) != error.last_good:
                self._ended[reader.journal_id] = error.last_good
                events.append(Event("damaged", reader.journal_id, str(error)[:200], seq=error.last_good))
        except JournalError as error:
            log.warning("a journal cannot be read", path=str(reader.path), error=str(error))
        return rows

    def waiting(self) -> int:
        """How many entries the fleet has not acknowledged."""
        total = 0
        for reader in self._readers():
            try:
                total += max(0, self._end(reader) - self._store.mark(reader.journal_id).in_custody)
            except JournalError:
                continue
        return total

    def stopped(self) -> dict[bytes, str]:
        """Journals of which nothing more is sent, with the reason."""
        marks = ((reader.journal_id, self._store.mark(reader.journal_id)) for reader in self._readers())
        return {journal_id: mark.stopped for journal_id, mark in marks if mark.stopped}

    def take_reply(self, data: bytes, now_ms: int) -> list[Event]:
        """Act on a message from `custody`. What is not the fleet's own word changes nothing."""
        try:
            reply = read_reply(data, self._fleet_key, device=self._device)
        except WireError as error:
            return [Event("forged", detail=str(error)[:200])]
        reader = next((each for each in self._readers() if each.journal_id == reply.journal_id), None)
        if reader is None:
            return [Event("foreign", reply.journal_id)]
        if self._is_stale(reply):
            return [Event("stale", reply.journal_id)]
        try:
            if isinstance(reply, Ack):
                events = self._take_ack(reply, reader)
            else:
                events = self._take_nack(reply, reader, now_ms)
        except JournalError as error:
            return [Event("stopped", reply.journal_id, f"the journal cannot be read: {error}"[:200])]
        if self._store.get("incarnation") != reply.incarnation:
            self._store.put("incarnation", reply.incarnation)
        self._store.add("fleet_ms", 0, at_least=reply.fleet_ms)
        self.fleet_ms = max(self.fleet_ms, reply.fleet_ms)
        return events

    def _is_stale(self, reply: Ack | Nack) -> bool:
        """Whether a reply is from before the fleet was restored: then what it says of custody is no longer true."""
        known = self._store.get("incarnation")
        if self.beacon is not None:
            return reply.incarnation != self.beacon
        return known is not None and reply.incarnation != known and reply.fleet_ms < self._store.number("fleet_ms")

    def _take_ack(self, ack: Ack, reader: JournalReader) -> list[Event]:
        mark = self._store.mark(ack.journal_id)
        is_new_fleet = ack.incarnation != self._store.get("incarnation")
        if ack.through_seq >= reader.first_held() - 1 and reader.hash_of(ack.through_seq) != ack.through_hash:
            return self._stop(ack.journal_id, mark, "fork", f"the fleet has another entry {ack.through_seq}")
        if ack.through_seq < mark.in_custody and not is_new_fleet:
            return []
        archived = min(ack.archived_through, ack.through_seq)
        if not is_new_fleet:
            archived = max(archived, mark.archived)
        self._store.set_mark(ack.journal_id, Mark(ack.through_seq, ack.through_hash, archived))
        flight = self._flights.get(ack.journal_id)
        if flight is not None and ack.through_seq >= flight.first_seq:
            del self._flights[ack.journal_id]
        self._refusals.pop(ack.journal_id, None)
        self._not_before.pop(ack.journal_id, None)
        events = [Event("acked", ack.journal_id, seq=ack.through_seq)]
        if mark.stopped:
            events.append(Event("resumed", ack.journal_id, mark.stopped))
        if ack.through_seq < mark.in_custody:
            events.append(Event("rewound", ack.journal_id, seq=ack.through_seq + 1))
        return events

    def _take_nack(self, nack: Nack, reader: JournalReader, now_ms: int) -> list[Event]:
        mark = self._store.mark(nack.journal_id)
        flight = self._flights.pop(nack.journal_id, None)
        self._not_before.pop(nack.journal_id, None)
        # A fleet that has never heard of a journal says so to a Hello; only to its first batch is it a refusal.
        is_new_journal = nack.reason == "unknown_journal" and (flight is None or flight.first_seq > 1)
        if nack.reason not in RETRY_REASONS and not is_new_journal:
            return self._stop(nack.journal_id, mark, nack.reason, nack.detail)
        wanted = 1 if is_new_journal else nack.expected_seq
        if wanted < reader.first_held():
            return self._stop(nack.journal_id, mark, "rewind_beyond", f"entry {wanted} was pruned, held from {reader.first_held()}")
        refusals = self._refusals[nack.journal_id] = self._refusals.get(nack.journal_id, 0) + 1
        if refusals > 1:
            self._not_before[nack.journal_id] = now_ms + min(self._resend_after_ms, 250 * 2**refusals)
        events = []
        if mark.stopped:
            # The fleet asks for more of it, so what had stopped it is mended there.
            events.append(Event("resumed", nack.journal_id, mark.stopped))
            mark = mark._replace(stopped="")
            self._store.set_mark(nack.journal_id, mark)
        if wanted > mark.in_custody:
            return events
        hash_before = NO_HASH if wanted == 1 else reader.hash_of(wanted - 1)
        if hash_before is None:
            return self._stop(nack.journal_id, mark, "rewind_beyond", f"entry {wanted - 1} is not held")
        is_new_fleet = nack.incarnation != self._store.get("incarnation")
        archived = 0 if is_new_fleet else min(mark.archived, wanted - 1)
        self._store.set_mark(nack.journal_id, Mark(wanted - 1, hash_before, archived))
        return [*events, Event("rewound", nack.journal_id, seq=wanted)]

    def _stop(self, journal_id: bytes, mark: Mark, reason: str, detail: str) -> list[Event]:
        self._flights.pop(journal_id, None)
        if mark.stopped == reason:
            return []
        self._store.set_mark(journal_id, mark._replace(stopped=reason))
        return [Event("stopped", journal_id, f"{reason}: {detail}"[:200])]


def _size(entry: Entry) -> int:
    return len(entry.header_bytes) + len(entry.salt) + len(entry.body) + ENTRY_OVERHEAD
