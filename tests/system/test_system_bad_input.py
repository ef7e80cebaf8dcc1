"""Bad input and faults against a running hall: each ends in an incident that says where and what to do; nothing is lost or doubled.

Single messages in every wrong form come from model devices that hold real certificates of the hall's fleet; a full disk, a restored
card, a frozen face, a forgetful broker and a restored fleet happen to the hall's own devices. Later tests rest on earlier ones.
"""

import datetime as dt
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_mqtt import fleet_client
from hall_place import Desk, Place, books, evidence_of, thank
from hall_watch import counted, eventually, finish, invite, rows
from nacl.signing import SigningKey
from wrong_messages import WRONG, Stranger, held

from demo import account
from demo.catalogue import read_catalogue
from demo.device import LEVEL_BUTTONS
from demo.hall import BIN, HALL, Hall
from pack.build import build
from wire.codec import decode
from wire.custody import Ack, Nack, make_reply
from wire.messages import DeviceState
from wire.topics import topic

pytestmark = [pytest.mark.hall, pytest.mark.timeout(420)]

SMALL_DISK_MB = 160


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
