"""Bad input and faults against a running hall: each ends in an incident that says where and what to do; nothing is lost or doubled.

Single messages in every wrong form come from model devices that hold real certificates of the hall's fleet; a full disk, a restored
card, a frozen face, a forgetful broker and a restored fleet happen to the hall's own devices. Later tests rest on earlier ones.
"""

import datetime as dt
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fleet_model import ModelDevice, ModelJournal, register
from fleet_mqtt import device_client, fleet_client
from hall_watch import counted, eventually, finish, invite, rows
from nacl.signing import SigningKey

from demo import account
from demo.catalogue import read_catalogue
from demo.device import LEVEL_BUTTONS, Device
from demo.hall import BIN, HALL, Hall
from fleet.app import open_fleet
from fleet.registry.authority import Authority
from fleet.registry.pairing import record_certificate
from fleet.services import Fleet
from pack.build import build
from wire.codec import MAX_MESSAGE_BYTES, decode, encode
from wire.custody import Ack, BatchMessage, Nack, make_reply, read_reply
from wire.messages import DeviceState
from wire.topics import topic

pytestmark = [pytest.mark.hall, pytest.mark.timeout(420)]

SMALL_DISK_MB = 160


class Desk:
    """The operations desk: what the API tells of incidents."""

    def __init__(self, hall: Hall) -> None:
        key = hall.nw_fleet("key", "add", "bad input").strip()
        self._http = httpx.Client(base_url=f"{hall.console_url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def open(self, reason: str, device: str = "") -> list[dict[str, Any]]:
        try:
            found = self.get("/incidents", limit=500)
        except httpx.HTTPError:
            return []  # The fleet itself is being restarted.
        return [each for each in found if each["reason"] == reason and (not device or device in each["devices"])]

    def told(self, reason: str, device: str = "", *, within_s: float = 30.0) -> dict[str, Any]:
        """The open incident, once it is there, with words in both languages."""
        incident: dict[str, Any] = eventually(lambda: self.open(reason, device), within_s=within_s)[0]
        texts = [incident[f"{name}_{language}"] for name in ("reason", "next_step") for language in ("zh", "en")]
        assert all(texts), incident
        assert not any(text.startswith(("未知代码", "Unknown code")) for text in texts), texts
        return incident

    def close(self) -> None:
        self._http.close()


@dataclass
class Place:
    """The hall with its desk, the fleet's own services beside the running ones, and what belongs to the hall's disks."""

    hall: Hall
    desk: Desk
    small_disk: bool
    cards: Path
    """Copies of cards that tests put aside: what they hold was written by a device of the hall too."""

    def fleet(self) -> Fleet:
        return open_fleet(self.hall.fleet_data)

    def name(self, device: Device) -> str:
        """The device's name at the fleet."""
        [found] = [each for each in self.desk.get("/devices") if each["label"] == device.label]
        return str(found["name"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("bad") / "h"
    hall = Hall(folder, say=lambda _text: None)
    disk = folder / "evaluator-06"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "tmpfs", str(disk)], capture_output=True)
    is_small = mounted.returncode == 0
    cards = folder / "cards"
    cards.mkdir()
    desk = None
    try:
        hall.open(threading.Event())
        desk = Desk(hall)
        yield Place(hall, desk, is_small, cards)
    finally:
        if desk is not None:
            desk.close()
        hall.close()
        if is_small:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


# Single messages


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


@pytest.fixture(scope="module")
def strangers(place: Place) -> Iterator[dict[str, tuple[Stranger, str]]]:
    """One device for each wrong, after it was done, with what the fleet answered."""
    fleet = place.fleet()
    other = Stranger(place, fleet)
    assert isinstance(other.hand_over(), Ack)
    made = {}
    for name, (do, _, _) in WRONG.items():
        one = Stranger(place, fleet)
        assert isinstance(one.hand_over(), Ack)
        answer = do(one, other)
        made[name] = one, "taken" if isinstance(answer, Ack) else answer.reason
    yield made
    for one, _ in [*made.values(), (other, "")]:
        one.client.close()
    fleet.close()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_message_is_answered_and_becomes_an_incident_of_its_device(
    place: Place, strangers: dict[str, tuple[Stranger, str]], name: str
) -> None:
    one, answer = strangers[name]
    _, expected, reason = WRONG[name]
    assert answer == expected
    incident = place.desk.told(reason, one.model.name)
    assert incident["hall"] == HALL
    assert incident["args"]["detail"]


@pytest.mark.parametrize("name", WRONG)
def test_after_a_wrong_message_the_same_journal_goes_on_and_is_held_once(
    place: Place, strangers: dict[str, tuple[Stranger, str]], name: str
) -> None:
    one, _ = strangers[name]
    one.journal.grow(2)
    answer = one.hand_over()
    assert isinstance(answer, Ack), answer
    assert held(place.hall, one.journal) == list(range(1, one.journal.seq + 1))


def test_a_replayed_batch_is_acknowledged_again_and_held_once(place: Place, strangers: dict[str, tuple[Stranger, str]]) -> None:
    one, _ = strangers["noise"]
    batch = one.journal.batch(1)
    answers = [one.send(batch) for _ in range(3)]
    assert {answer.through_seq for answer in answers if isinstance(answer, Ack)} == {one.journal.seq}
    assert held(place.hall, one.journal) == list(range(1, one.journal.seq + 1))


def test_another_devices_topic_is_closed_by_the_broker(place: Place, strangers: dict[str, tuple[Stranger, str]]) -> None:
    (one, _), (other, _) = strangers["noise"], strangers["unsigned"]
    assert one.client.publish(other.model.topic("journal"), one.journal.batch(1)) == "Not authorized"
    assert one.client.publish(other.model.topic("custody"), b"a reply to it") == "Not authorized"


def test_a_packet_beyond_the_brokers_limit_is_an_incident(place: Place, strangers: dict[str, tuple[Stranger, str]]) -> None:
    one, _ = strangers["oversized"]
    one.client.mqtt.publish(one.model.topic("journal"), bytes(2_000_000), qos=1)
    place.desk.told("broker.oversized", one.model.name)


def test_an_unknown_device_is_refused_and_told(place: Place) -> None:
    fleet = place.fleet()
    one = Stranger(place, fleet, is_registered=False)
    answer = one.hand_over()
    assert isinstance(answer, Nack)
    assert "pair it again" in answer.detail
    place.desk.told("finding.unknown_device", one.model.name)
    assert held(place.hall, one.journal) == []
    one.client.close()
    fleet.close()


def test_a_revoked_device_is_refused_by_ingest_and_then_by_the_broker(place: Place) -> None:
    fleet = place.fleet()
    one = Stranger(place, fleet)
    assert isinstance(one.hand_over(), Ack)
    fleet.registry.on_revoke = None  # As if the broker could not be told: the registry's own refusal has to hold.
    fleet.registry.revoke(one.model.name, by="test", why="stolen")
    one.journal.append()
    eventually(lambda: isinstance(one.hand_over(), Nack))
    place.desk.told("finding.revoked_device", one.model.name)
    known = held(place.hall, one.journal)
    place.hall.nw_fleet("device", "revoke", one.model.name, "--why", "stolen")
    eventually(lambda: one.client.reasons)
    eventually(one.is_refused_again)
    place.desk.told("broker.refused")
    assert held(place.hall, one.journal) == known == list(range(1, len(known) + 1)), "what it handed over before stays"
    one.client.close()
    fleet.close()


# The hall's own devices


def test_a_forged_acknowledgement_changes_nothing_and_is_told(place: Place) -> None:
    hall, device = place.hall, place.hall.devices["evaluator-12"]
    name = place.name(device)
    before = rows(hall, f"SELECT journal_id, seq, hash FROM journals WHERE device = '{name}'", file="entries.db")
    [journal_id, seq, digest] = before[0]
    forged = make_reply(
        Ack(1, name, journal_id, seq + 1_000, digest, seq + 1_000, bytes(16), 1_790_000_000_000), SigningKey.generate()
    )
    # Only with one of the fleet's own certificates can anybody publish here at all; serve's connection is taken over for it.
    liar = fleet_client(hall.fleet_data, hall.ports["broker"]).wait_up()
    liar.publish(topic("yunxi", name, "custody"), forged)
    liar.publish(topic("yunxi", name, "desired"), forged)
    liar.close()
    place.desk.told("custody.forged", name)
    place.desk.told("message.refused", name)
    thank(place, device)


def thank(place: Place, device: Device) -> None:
    """One rating, thanked for, and counted once."""
    before = counted(place.hall)
    invite(place.hall, device)
    device.press(LEVEL_BUTTONS[5])
    device.wait_screen("reasons", within_s=10)
    finish(device)
    eventually(lambda: counted(place.hall) == before + 1, within_s=60)


def test_a_pack_with_a_wrong_signature_is_refused_by_every_device(place: Place, tmp_path: Path) -> None:
    fleet = place.fleet()
    shown = fleet.control.packs.current(HALL)
    assert shown is not None
    forged = tmp_path / "forged.pack"
    info = build(read_catalogue(), forged, built_at=dt.datetime.now(dt.UTC), signer=bytes(SigningKey.generate()))
    fleet.control.packs.publish(HALL, forged, version=info.manifest.version, manifest=b"", built_ms=0, by="test")
    try:
        terminal = place.name(place.hall.devices["terminal-1"])
        place.desk.told("content.forged", terminal, within_s=60)
        told = rows(place.hall, f"SELECT state FROM heard WHERE device = '{terminal}'")[0][0]
        assert decode(told, DeviceState).content_version == shown.version
    finally:
        good = place.hall.folder / "good.pack"
        place.hall.nw_fleet("pack", "build", "--hall", HALL, "--out", str(good), "--publish")
        fleet.close()
    eventually(lambda: not place.desk.open("content.forged"), within_s=60)


def test_a_face_that_stands_still_is_told_and_goes_on(place: Place) -> None:
    device = place.hall.devices["evaluator-12"]
    pid = place.hall.processes.parts[device.face].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        place.desk.told("face.hung", place.name(device), within_s=60)
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: not place.desk.open("face.hung"), within_s=60)
    thank(place, device)


def test_a_face_killed_before_the_press_counts_nothing(place: Place) -> None:
    device, before = place.hall.devices["evaluator-12"], counted(place.hall)
    invite(place.hall, device)
    place.hall.processes.cut(device.face)
    device.wait_screen("idle", within_s=60)
    assert counted(place.hall) == before
    thank(place, device)


def fill(folder: Path) -> Path:
    """Take all room but two MiB."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        while shutil.disk_usage(folder).free > 2 << 20:
            file.write(bytes(1 << 20))
            file.flush()
    return filler


def test_a_full_disk_thanks_nobody_pauses_ratings_and_is_told(place: Place) -> None:
    if not place.small_disk:
        pytest.skip("a disk to fill needs the right to mount a tmpfs")
    hall, device = place.hall, place.hall.devices["evaluator-06"]
    before, name = counted(hall), place.name(device)
    invite(hall, device)
    filler = fill(device.folder)
    try:
        device.press(LEVEL_BUTTONS[5])
        device.wait_screen("failed", within_s=10)
        place.desk.told("evidence.full", name, within_s=60)
        place.desk.told("disk.low", name)
        device.wait_screen("idle", within_s=60)
        assert hall.clerks is not None
        order = hall.clerks.finish(device.window, item=hall.item_codes[0])["command"]
        query = f"SELECT state, detail FROM commands WHERE id = x'{order}'"
        eventually(lambda: rows(hall, query) == [("refused", "rating.storage_full")])
        assert device.outline()["screen"] == "idle", "nobody is asked for what cannot be kept"
    finally:
        filler.unlink()
    eventually(lambda: not place.desk.open("evidence.full"), within_s=60)
    assert counted(hall) == before
    thank(place, device)


def test_a_broker_that_lost_its_state_is_told_and_costs_nothing(place: Place) -> None:
    hall, device = place.hall, place.hall.devices["evaluator-12"]
    before = counted(hall)
    invite(hall, device)
    hall.processes.power_off("broker")
    try:
        place.desk.told("broker.down")
        device.press(LEVEL_BUTTONS[4])
        device.wait_screen("reasons", within_s=10)
        finish(device)
        state = hall.fleet_data / "broker" / "data" / "mosquitto.db"
        state.unlink(missing_ok=True)
    finally:
        hall.processes.power_on("broker")
    eventually(lambda: counted(hall) == before + 1, within_s=60)
    eventually(lambda: not place.desk.open("broker.down"), within_s=60)


def books(place: Place) -> account.Count:
    """What the hall's devices hold against what the fleet holds of them; of a forked journal both sides hold their own."""
    hall = place.hall
    states = rows(hall, "SELECT journal_id, state FROM journals", file="entries.db")
    here = account.pruned(hall.data_dirs)
    others = [journal_id for journal_id, state in states if state != "open" or journal_id not in here]
    return account.count(hall.data_dirs, hall.fleet_data, leave_out=others)


def test_a_restored_card_is_quarantined_told_and_succeeded(place: Place) -> None:
    hall, device = place.hall, place.hall.devices["evaluator-12"]
    data, name = device.folder / "data", place.name(device)
    device.power(on=False)
    shutil.copytree(data, place.cards / "yesterday", ignore=shutil.ignore_patterns("*.sock"))
    device.power(on=True)
    thank(place, device)
    eventually(lambda: books(place).is_whole, within_s=60)
    device.power(on=False)
    shutil.move(data, place.cards / "today")
    shutil.copytree(place.cards / "yesterday", data)
    device.power(on=True)
    incident = place.desk.told("finding.fork", name, within_s=60)
    assert "two versions" in incident["args"]["detail"]
    place.desk.told("custody.stopped", name)
    thank(place, device)
    forked = rows(hall, f"SELECT stream FROM journals WHERE device = '{name}' AND state = 'quarantined'", file="entries.db")
    assert ("evidence",) in forked
    written = {entry for entry in account.device_entries([place.cards / "today"]) if entry[0] in evidence_of(place.cards / "today")}
    held = account.fleet_entries(hall.fleet_data)
    assert {held[entry] for entry in written} == {1}, "what the card held before it was restored is held once"


def evidence_of(card: Path) -> set[bytes]:
    """The journals with ratings on a card."""
    found = set()
    for path in card.glob("evidence*.db"):
        with sqlite3.connect(path) as connection:
            found |= {bytes(journal_id) for (journal_id,) in connection.execute("SELECT journal_id FROM journal")}
    return found


def test_a_fleet_restored_from_yesterday_gets_everything_again_and_counts_it_once(place: Place) -> None:
    hall, device = place.hall, place.hall.devices["evaluator-06"]
    backup, name = hall.folder / "backup", place.name(device)
    hall.nw_fleet("backup", "--out", str(backup))
    thank(place, device)
    eventually(lambda: books(place).is_whole, within_s=60)
    before, entries = counted(hall), rows(hall, "SELECT count(*) FROM entries", file="entries.db")[0][0]
    for part in ("serve", "ingest", "broker"):
        hall.processes.end(part)
    hall.fleet_data = hall.folder / "fleet-restored"
    hall.nw_fleet("restore", str(backup))
    hall.nw_fleet("init")
    assert counted(hall) < before
    hall.processes.start("broker", ["mosquitto", "-c", str(hall.fleet_data / "broker" / "mosquitto.conf")])
    for part in ("ingest", "serve"):
        hall.processes.start(part, [str(BIN / "nw-fleet"), part, "--data", str(hall.fleet_data)])
    place.desk.told("finding.rewound", name, within_s=60)
    eventually(lambda: counted(hall) >= before, within_s=60)
    assert counted(hall) == before
    assert rows(hall, "SELECT count(*) FROM entries", file="entries.db")[0][0] >= entries
    thank(place, device)


def test_in_the_end_every_entry_is_held_exactly_once(place: Place) -> None:
    found = eventually(lambda: (seen := books(place)).is_whole and seen, within_s=60)
    assert found.appended >= 40
    assert "verified" in place.hall.nw_fleet("verify")
    assert place.hall.processes.errors == []
