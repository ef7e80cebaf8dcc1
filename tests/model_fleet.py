"""A fleet of a few lines: what has to be true of any fleet. Device tests hold their agent and its custody against it."""

import os
import time
from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey, VerifyKey

from wire.codec import WireError, decode, encode
from wire.custody import Ack, Hello, Nack, Signed, make_reply, read_batch
from wire.entry import NO_HASH
from wire.messages import Beacon, Desired, Placement, SignedDesired, Words
from wire.signing import sign

TENANT = "county"


class ModelFleet:
    """A fleet of a few lines: what has to be true of any fleet, kept in dictionaries. Counts what arrives twice."""

    def __init__(self, device_key: bytes, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self.key = SigningKey.generate()
        self.device_key = VerifyKey(device_key)
        self.clock_ms = clock_ms
        self.incarnation = os.urandom(16)
        self.hashes: dict[bytes, list[bytes]] = {}
        self.archived: dict[bytes, int] = {}
        self.refused: dict[bytes, str] = {}
        self.entries: dict[tuple[bytes, int], bytes] = {}

    def seq(self, journal_id: bytes) -> int:
        return len(self.hashes.get(journal_id, []))

    def ack(self, device: str, journal_id: bytes) -> bytes:
        held = self.hashes[journal_id]
        archived = self.archived.get(journal_id, 0)
        return make_reply(Ack(1, device, journal_id, len(held), held[-1], archived, self.incarnation, self.clock_ms()), self.key)

    def nack(self, device: str, journal_id: bytes, reason: Any, expected: int | None = None) -> bytes:
        expected = self.seq(journal_id) + 1 if expected is None else expected
        return make_reply(Nack(1, device, journal_id, expected, reason, "model", self.incarnation, self.clock_ms()), self.key)

    def take_hello(self, device: str, data: bytes) -> list[bytes]:
        replies = []
        for mark in decode(data, Hello).journals:
            held = self.hashes.get(mark.journal_id, [])
            if mark.journal_id in self.refused:
                replies.append(self.nack(device, mark.journal_id, self.refused[mark.journal_id]))
            elif mark.in_custody > len(held):
                replies.append(self.nack(device, mark.journal_id, "rewind"))
            elif not held:
                replies.append(self.nack(device, mark.journal_id, "gap"))
            else:
                replies.append(self.ack(device, mark.journal_id))
        return replies

    def take_batch(self, device: str, data: bytes) -> bytes:
        received = read_batch(data)
        content = received.content
        held = self.hashes.setdefault(content.journal_id, [])
        if content.journal_id in self.refused:
            return self.nack(device, content.journal_id, self.refused[content.journal_id])
        if content.first_seq > len(held) + 1:
            return self.nack(device, content.journal_id, "gap")
        before = held[content.first_seq - 2] if content.first_seq > 1 else NO_HASH
        try:
            chain = received.check(self.device_key, next_seq=content.first_seq, prev_hash=before)
        except WireError:
            return self.nack(device, content.journal_id, "chain")
        for (header, digest), body in zip(chain, received.message.bodies, strict=True):
            if header.seq <= len(held):
                if held[header.seq - 1] != digest:
                    return self.nack(device, content.journal_id, "fork")
                continue
            held.append(digest)
            assert (content.journal_id, header.seq) not in self.entries, "an entry was counted twice"
            self.entries[content.journal_id, header.seq] = body
        return self.ack(device, content.journal_id)

    def desired(self, device: str, version: int = 1, *, window_number: str = "3", **more: Any) -> bytes:
        words: Words = {"zh": "厅"}
        placement = Placement(hall="hall1", hall_name=words, label=words, window=window_number)
        data = encode(Desired(version=version, device=device, placement=placement, seal_key=bytes(32), **more))
        return encode(SignedDesired(1, sign(self.key, "desired", data), data))

    def beacon(self) -> bytes:
        data = encode(Beacon(incarnation=self.incarnation, software="model"))
        return encode(Signed(1, sign(self.key, "beacon", data), data))
