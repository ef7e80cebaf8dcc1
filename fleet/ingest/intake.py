"""One transaction of ingest: messages in, rows written and committed, then signed answers out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nacl.signing import SigningKey
from sqlalchemy.exc import DBAPIError

from fleet.ingest.directory import Directory, Known
from fleet.ingest.ledger import Finding, Ledger
from fleet.ingest.rules import (
    CLOCK_LIMIT_MS,
    FindingKind,
    Fork,
    Mark,
    Refusal,
    Verdict,
    explain_unreadable,
    guess_journal,
    is_known,
    judge,
    judge_hello,
    opening,
)
from fleet.registry.service import now_ms
from fleet.store import Store
from wire.codec import WireError, decode
from wire.custody import Ack, Hello, Nack, NackReason, Received, make_reply, read_batch
from wire.entry import Header
from wire.topics import Topic, parse, topic

NO_JOURNAL = bytes(16)
"""What a Nack names when no journal can be read out of a message."""


Content = Received | Hello | WireError


class Message(NamedTuple):
    """What came over MQTT."""

    topic: str
    payload: bytes


class Reply(NamedTuple):
    """What goes back, already signed."""

    topic: str
    payload: bytes


RACES = 3
"""How often a transaction is begun anew because another ingest process came first."""
_RACED = ("23505", "40001", "40P01")
"""PostgreSQL's codes for a row that exists already, a transaction out of order, and two that wait for each other."""


class Intake:
    """Takes messages into the store. Not thread-safe; one for each ingest process. `clock` gives UTC milliseconds.

    Several processes may share one PostgreSQL: the row of a journal is locked from judging to the commit, so the second
    sees what the first has taken, and a journal that both open at once is opened by one and read again by the other.
    """

    def __init__(self, store: Store, directory: Directory, key: SigningKey, *, clock: Callable[[], int] = now_ms) -> None:
        self._store = store
        self._directory = directory
        self._key = key
        self._clock = clock
        self.incarnation = store.incarnation

    def take(self, messages: Sequence[Message]) -> list[Reply]:
        """Judge and commit all messages in one transaction, in order; the replies are made after the commit.

        Never raises for anything a message contains. Raises sqlalchemy.exc.DBAPIError when the store refuses: then nothing of
        it was taken, and the same call may be made again.
        """
        read = [_read(message) for message in messages]
        for _ in range(RACES):
            try:
                return self._take(read)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _RACED:
                    raise
        return self._take(read)

    def _take(self, read: Sequence[tuple[Message, Topic | None, Content]]) -> list[Reply]:
        """Judge and commit once."""
        answers: list[tuple[Topic, Ack | Nack]] = []
        with self._store.write() as connection:
            ledger = Ledger(connection, now_ms=self._clock())
            ledger.load_marks(_journals(read))
            for message, where, content in read:
                if where is None:
                    detail = f"a message on {message.topic[:120]!r}, which is no topic of this protocol"
                    ledger.note(Finding(kind="wrong_topic", tenant="", device="", detail=detail, sample=message.payload))
                else:
                    answers += [(where, answer) for answer in self._judge(ledger, where, message.payload, content)]
            ledger.flush()
        return [Reply(topic(where.tenant, where.device, "custody"), make_reply(answer, self._key)) for where, answer in answers]

    def refuse(self, message: Message, why: str) -> list[Reply]:
        """Note a message that the store refuses by itself, so that it cannot hold up the others, and answer it."""
        _, where, _ = _read(message)
        if where is None:
            return []
        journal_id = guess_journal(message.payload)
        with self._store.write() as connection:
            ledger = Ledger(connection, now_ms=self._clock())
            ledger.note(
                Finding(
                    kind="not_storable",
                    tenant=where.tenant,
                    device=where.device,
                    journal_id=journal_id or b"",
                    detail=why,
                    sample=message.payload,
                )
            )
            ledger.flush()
        answer = self._nack(Mark(journal_id or NO_JOURNAL, where.device, where.tenant), "malformed", why)
        return [Reply(topic(where.tenant, where.device, "custody"), make_reply(answer, self._key))]

    def acknowledge(self, journal_ids: set[bytes]) -> list[Reply]:
        """Fresh acknowledgements of journals whose archived mark has grown, so that devices may prune."""
        with self._store.read() as connection:
            ledger = Ledger(connection, now_ms=self._clock())
            ledger.load_marks(journal_ids)
            marks = [ledger.mark(journal_id, device="", tenant="") for journal_id in sorted(journal_ids)]
        fit = [mark for mark in marks if mark.seq and mark.state == "open"]
        return [Reply(topic(mark.tenant, mark.device, "custody"), make_reply(self._ack(mark), self._key)) for mark in fit]

    def _judge(self, ledger: Ledger, where: Topic, payload: bytes, content: Content) -> list[Ack | Nack]:
        known = self._standing(where)
        if isinstance(known, Refusal):
            return self._refuse_sender(ledger, where, payload, content, known)
        if isinstance(content, WireError):
            return self._unreadable(ledger, where, payload, content)
        if isinstance(content, Hello):
            return [self._hello(ledger, where, payload, content, index) for index in range(len(content.journals))]
        return [self._batch(ledger, where, payload, content, known)]

    def _standing(self, where: Topic) -> Known | Refusal:
        known = self._directory.device(where.device)
        if known is None:
            return Refusal("unknown_journal", f"device {where.device} is not registered here; pair it again", "unknown_device")
        if known.is_revoked:
            return Refusal("quarantined", f"device {where.device} was revoked; pair it again", "revoked_device")
        if known.tenant != where.tenant:
            detail = f"device {where.device} belongs to tenant {known.tenant}, not to {where.tenant}"
            return Refusal("unknown_journal", detail, "wrong_identity")
        return known

    def _refuse_sender(self, ledger: Ledger, where: Topic, payload: bytes, content: Content, refusal: Refusal) -> list[Ack | Nack]:
        _note(ledger, refusal, where, NO_JOURNAL, payload)
        if isinstance(content, Hello):
            ids = [claim.journal_id for claim in content.journals]
        else:
            ids = [guess_journal(payload) or NO_JOURNAL]
        return [self._nack(Mark(journal_id, where.device, where.tenant), refusal.reason, refusal.detail) for journal_id in ids]

    def _unreadable(self, ledger: Ledger, where: Topic, payload: bytes, error: WireError) -> list[Ack | Nack]:
        reason, finding = explain_unreadable(payload, error)
        journal_id = guess_journal(payload) or NO_JOURNAL
        refusal = Refusal(reason, str(error), finding)
        _note(ledger, refusal, where, journal_id, payload)
        # A Hello that cannot be read has no journal to answer for.
        return [] if where.channel == "hello" else [self._nack(Mark(journal_id, where.device, where.tenant), reason, str(error))]

    def _batch(self, ledger: Ledger, where: Topic, payload: bytes, received: Received, known: Known) -> Ack | Nack:
        content = received.content
        mark = ledger.mark(content.journal_id, device=where.device, tenant=where.tenant)
        verdict: Verdict
        if content.device != where.device:
            detail = f"a batch of {content.device} came on the topic of {where.device}"
            verdict = Refusal("malformed", detail, "wrong_identity", content.first_seq)
        elif mark.device != where.device:
            detail = f"journal {content.journal_id.hex()} belongs to {mark.device}, not to {where.device}"
            verdict = Refusal("unknown_journal", detail, "wrong_identity", content.first_seq)
        else:
            verdict = judge(received, mark, known.key, ledger.stored_hashes)
        if isinstance(verdict, Refusal):
            _note(ledger, verdict, where, content.journal_id, payload)
            return self._nack(_own(mark, where), verdict.reason, verdict.detail)
        if isinstance(verdict, Fork):
            return self._fork(ledger, where, mark, verdict, payload)
        if verdict.entries:
            refusal = self._keep(ledger, mark, received, verdict.entries, known)
            if refusal is not None:
                _note(ledger, refusal, where, content.journal_id, payload)
                return self._nack(mark, refusal.reason, refusal.detail)
        return self._ack(mark)

    def _keep(
        self, ledger: Ledger, mark: Mark, received: Received, taken: list[tuple[Header, bytes, int]], known: Known
    ) -> Refusal | None:
        if mark.no == 0:
            opened = opening(received, taken[0][0])
            if opened is not None and (opened.device != mark.device or opened.signing_key != bytes(known.key)):
                detail = f"the journal was opened by {opened.device} with another key than the one registered for {mark.device}"
                return Refusal("signature", detail, "wrong_identity", 1)
            ledger.open_journal(mark, bytes(known.key), opened)
            if opened is None:
                detail = f"entry 1 is {taken[0][0].kind} {taken[0][0].kind_version}, not a readable journal.opened; taken as it is"
                ledger.note(_finding("no_opening", mark, 1, detail))
        ledger.add_batch(mark, received, taken)
        now = self._clock()
        for header, _, _ in taken:
            if not is_known(header):
                ledger.shelve(mark, header)
                detail = f"{header.kind} version {header.kind_version} is not known to this release; kept, read after an upgrade"
                ledger.note(_finding("shelved", mark, header.seq, detail))
            if abs(header.wall_ms - now) > CLOCK_LIMIT_MS:
                days = round((header.wall_ms - now) / 86_400_000)
                detail = f"the device's clock is {days:+d} days off (trust mark {header.clock_trust}); the entry was taken as it is"
                ledger.note(_finding("clock", mark, header.seq, detail))
        return None

    def _fork(self, ledger: Ledger, where: Topic, mark: Mark, fork: Fork, message: bytes) -> Nack:
        ledger.quarantine(mark, fork, message)
        detail = (
            f"entry {fork.seq} exists in two versions: a card was restored or copied. Both are kept, the journal is closed; "
            "look at the device and let it begin a new journal"
        )
        ledger.note(_finding("fork", mark, fork.seq, detail))
        return self._nack(mark, "fork", detail)

    def _hello(self, ledger: Ledger, where: Topic, payload: bytes, hello: Hello, index: int) -> Ack | Nack:
        claim = hello.journals[index]
        mark = ledger.mark(claim.journal_id, device=where.device, tenant=where.tenant)
        if mark.device != where.device:
            detail = f"journal {claim.journal_id.hex()} belongs to {mark.device}, not to {where.device}"
            verdict: Verdict = Refusal("unknown_journal", detail, "wrong_identity")
        else:
            verdict = judge_hello(claim, mark, ledger.stored_hashes)
        if isinstance(verdict, Fork):
            return self._fork(ledger, where, mark, verdict, b"")
        if isinstance(verdict, Refusal):
            _note(ledger, verdict, where, claim.journal_id, payload)
            return self._nack(_own(mark, where), verdict.reason, verdict.detail)
        return self._ack(mark)

    def _ack(self, mark: Mark) -> Ack:
        archived = min(self._directory.archived(mark.journal_id), mark.seq)
        return Ack(1, mark.device, mark.journal_id, mark.seq, mark.hash, archived, self.incarnation, self._clock())

    def _nack(self, mark: Mark, reason: NackReason, detail: str) -> Nack:
        return Nack(1, mark.device, mark.journal_id, mark.seq + 1, reason, detail[:500], self.incarnation, self._clock())


def _read(message: Message) -> tuple[Message, Topic | None, Content]:
    try:
        where = parse(message.topic)
    except WireError as error:
        return message, None, error
    try:
        if where.channel == "hello":
            return message, where, decode(message.payload, Hello)
        return message, where, read_batch(message.payload)
    except WireError as error:
        return message, where, error


def _journals(read: Sequence[tuple[Message, Topic | None, Content]]) -> list[bytes]:
    wanted: list[bytes] = []
    for _, _, content in read:
        if isinstance(content, Received):
            wanted.append(content.content.journal_id)
        elif isinstance(content, Hello):
            wanted += [claim.journal_id for claim in content.journals]
    return wanted


def _own(mark: Mark, where: Topic) -> Mark:
    # How far somebody else's journal has come is not for this device.
    return mark if mark.device == where.device else Mark(mark.journal_id, where.device, where.tenant)


def _finding(kind: FindingKind, mark: Mark, seq: int, detail: str) -> Finding:
    return Finding(kind=kind, tenant=mark.tenant, device=mark.device, journal_id=mark.journal_id, seq=seq, detail=detail)


def _note(ledger: Ledger, refusal: Refusal, where: Topic, journal_id: bytes, sample: bytes) -> None:
    if refusal.finding is not None:
        ledger.note(
            Finding(
                kind=refusal.finding,
                tenant=where.tenant,
                device=where.device,
                journal_id=b"" if journal_id == NO_JOURNAL else journal_id,
                seq=refusal.seq,
                detail=refusal.detail,
                sample=sample,
            )
        )
