"""Every wrong message a device with a certificate of the fleet can send, and what has to come of each."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from fleet_model import ModelDevice, ModelJournal, register
from fleet_mqtt import device_client
from hall_place import Place
from hall_watch import eventually, rows
from nacl.signing import SigningKey

from demo.hall import HALL, Hall
from fleet.registry.authority import Authority
from fleet.registry.pairing import record_certificate
from fleet.services import Fleet
from wire.codec import MAX_MESSAGE_BYTES, decode, encode
from wire.custody import Ack, BatchMessage, Nack, read_reply
from wire.topics import topic


class Stranger:
    """A device with a certificate of this fleet: it hands over five entries as it should, then does what it is told."""

    def __init__(self, place: Place, fleet: Fleet, *, is_registered: bool = True) -> None:
        data = place.hall.fleet_data
        self.model = ModelDevice(tenant=fleet.config.tenant)
        if is_registered:
            register(fleet.store, self.model)
            fleet.registry.place(self.model.name, hall=HALL, label={"zh": "试验设备"}, by="test")
        issued = Authority.open(data / "ca").issue_device(self.model.request(), device=self.model.name, now=dt.datetime.now(dt.UTC))
        with fleet.store.write() as connection:
            record_certificate(connection, issued)
        self._connect = lambda: device_client(data, place.hall.ports["broker"], self.model, issued.der)
        self._key = fleet.keys.signing.verify_key
        self.client = self._connect().wait_up()
        self.client.subscribe(f"nw/1/+/{self.model.name}/custody")
        self.journal = ModelJournal(self.model)
        self.journal.grow(4)

    def send(self, payload: bytes, where: str = "") -> Ack | Nack:
        """Publish on the own journal channel, or on another topic; gives the fleet's next answer."""
        before = len(self.client.messages)
        assert self.client.publish(where or self.model.topic("journal"), payload) == "Success"
        eventually(lambda: len(self.client.messages) > before)
        return read_reply(self.client.messages[before][1], self._key, device=self.model.name)

    def hand_over(self, first: int = 1) -> Ack | Nack:
        return self.send(self.journal.batch(first))

    def is_refused_again(self) -> bool:
        client = self._connect()
        eventually(lambda: client.is_up or client.reasons)
        refused = not client.is_up
        client.close()
        return refused


Wrong = Callable[[Stranger, Stranger], Ack | Nack]


def changed(payload: bytes, **fields: Any) -> bytes:
    return encode(msgspec.structs.replace(decode(payload, BatchMessage), **fields))


def of_version(payload: bytes, version: int) -> bytes:
    return msgspec.msgpack.encode([version, *msgspec.msgpack.decode(payload)[1:]])


def out_of_order(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.grow(2)
    return one.send(one.journal.batch(7))


def a_broken_chain(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.grow(3)
    entries = one.journal.entries
    entries[6], entries[7] = entries[7], entries[6]
    try:
        return one.hand_over(6)
    finally:
        entries[6], entries[7] = entries[7], entries[6]


def a_changed_body(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.append()
    return one.send(changed(one.journal.batch(6), bodies=[b"another body"]))


def an_unsigned_batch(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.append()
    return one.send(changed(one.journal.batch(6), signature=bytes(64)))


def a_batch_signed_by_another_key(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.append()
    return one.send(one.journal.batch(6, key=SigningKey.generate()))


def into_anothers_journal(one: Stranger, other: Stranger) -> Ack | Nack:
    other.journal.append()
    return one.send(other.journal.batch(6, device=one.model.name, key=one.model.key))


def a_newer_entry(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.append("rating.hologram", b"\x81\xa1a\x01", version=7)
    return one.hand_over(6)


def a_clock_years_off(one: Stranger, _: Stranger) -> Ack | Nack:
    one.journal.append(wall_ms=86_400_000)
    return one.hand_over(6)


WRONG: dict[str, tuple[Wrong, str, str]] = {
    "noise": (lambda one, _: one.send(b"\xc1 noise"), "malformed", "finding.malformed"),
    "oversized": (lambda one, _: one.send(bytes(MAX_MESSAGE_BYTES + 1)), "malformed", "finding.oversized"),
    "out of order": (out_of_order, "gap", "finding.gap"),
    "a broken chain": (a_broken_chain, "chain", "finding.broken_chain"),
    "a changed body": (a_changed_body, "body", "finding.wrong_body"),
    "unsigned": (an_unsigned_batch, "signature", "finding.bad_signature"),
    "signed by another key": (a_batch_signed_by_another_key, "signature", "finding.bad_signature"),
    "another's identity": (
        lambda one, other: one.send(one.journal.batch(1, device=other.model.name)), "malformed", "finding.wrong_identity",
    ),
    "another's journal": (into_anothers_journal, "unknown_journal", "finding.wrong_identity"),
    "another tenant's topic": (
        lambda one, _: one.send(one.journal.batch(1), topic("elsewhere", one.model.name, "journal")),
        "unknown_journal", "finding.wrong_identity",
    ),
    "a newer protocol": (lambda one, _: one.send(of_version(one.journal.batch(1), 2)), "unsupported", "finding.other_version"),
    "an older protocol": (lambda one, _: one.send(of_version(one.journal.batch(1), 0)), "unsupported", "finding.other_version"),
    "an entry of a later release": (a_newer_entry, "taken", "finding.shelved"),
    "a clock years off": (a_clock_years_off, "taken", "finding.clock"),
}  # fmt: skip
"""What is done → what the fleet answers it (`taken`: an acknowledgement) → the incident."""


def held(hall: Hall, journal: ModelJournal) -> list[int]:
    """The entries of a journal that the fleet holds, by their places."""
    query = "SELECT e.seq FROM entries e JOIN journals j ON j.no = e.journal_no WHERE j.journal_id = x'{}' ORDER BY 1"
    return [seq for (seq,) in rows(hall, query.format(journal.id.hex()), file="entries.db")]
