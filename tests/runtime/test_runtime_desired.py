"""What the fleet wants of a device arrives over a real broker and door: configuration, placement, content; forged is refused."""

import datetime
import hashlib
import os
from pathlib import Path
from typing import Any

from agent_device import UNTIL, Device, ends, order, states
from nacl.signing import SigningKey

from demo.catalogue import read_catalogue
from pack.build import build
from runtime.journal import JournalReader
from wire.codec import decode
from wire.kinds import PlacementChanged
from wire.messages import ContentRef


def test_new_configuration_is_applied_kept_and_there_without_a_network(
    paired: Device, fleet_client: Any, broker: Any, until: UNTIL
) -> None:
    paired.start()
    face = paired.start_face()
    desired = fleet_client.fleet.desired(paired.identity.device, version=7, settings={"idle.after_s": 90, "fleet.url": "x"})
    fleet_client.send(paired.identity.device, "desired", desired, retain=True)
    until(lambda: states(fleet_client) and states(fleet_client)[-1].configuration_version == 7, "applied")
    partly = [part for part in states(fleet_client)[-1].parts if part.part == "configuration"]
    assert partly[0].reason == "configuration.partly"
    paired.stop()
    broker.kill()
    assert face.view.desired is not None
    paired.said.clear()
    paired.start()
    face = paired.start_face()
    assert face.view.desired is not None
    assert face.view.desired.version == 7


def test_agents_own_journal_records_where_the_device_stands(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    def windows() -> list[str]:
        with JournalReader(paired.directory / "ops.db") as reader:
            rows = [row for row in reader.rows(0) if row.header.kind == "placement.changed"]
        return [decode(row.entry.body, PlacementChanged).placement.window for row in rows]

    fleet, name = fleet_client.fleet, paired.identity.device
    paired.start()
    paired.start_face()
    fleet_client.send(name, "desired", fleet.desired(name, version=2), retain=True)
    until(lambda: windows() == ["3"], "the first placement")
    fleet_client.send(name, "desired", fleet.desired(name, version=3, notice={"zh": "x"}), retain=True)
    fleet_client.send(name, "desired", fleet.desired(name, version=4, window_number="4"), retain=True)
    until(lambda: windows() == ["3", "4"], "the second placement, and none for the notice")


def test_forged_or_foreign_configuration_is_refused(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    device = paired.identity.device
    forged = bytearray(fleet_client.fleet.desired(device, version=9))
    forged[-3] ^= 1
    fleet_client.send(device, "desired", bytes(forged))
    fleet_client.send(device, "desired", fleet_client.fleet.desired("nwother", version=9))
    until(lambda: len([note for note in paired.notes() if note.what == "message.refused"]) == 2, "both noted")
    until(lambda: "message.refused" in [part.reason for part in states(fleet_client)[-1].parts], "reported")
    assert states(fleet_client)[-1].configuration_version == 0


def test_content_is_fetched_verified_and_reported(paired: Device, door: Any, fleet_client: Any, until: UNTIL) -> None:
    pack = os.urandom(200_000)
    door.packs[hashlib.sha256(pack).hexdigest()] = pack
    ref = ContentRef(version="v1", sha256=hashlib.sha256(pack).digest(), size=len(pack), manifest=b"")
    paired.start()
    face = paired.start_face()
    fleet_client.send(
        paired.identity.device, "desired", fleet_client.fleet.desired(paired.identity.device, 2, content=ref), retain=True
    )
    until(lambda: face.view.content_version == "v1", "the face has a pack")
    assert Path(face.view.content_path).read_bytes() == pack
    assert face.view.fleet_key == bytes(fleet_client.fleet.key.verify_key), "the face can verify the pack itself"
    assert ends(fleet_client, order(fleet_client, paired, "pull_content"), until).args == {"version": "v1"}


def test_wrong_content_is_refused_and_the_old_pack_stays(paired: Device, door: Any, fleet_client: Any, until: UNTIL) -> None:
    good, evil = b"good pack", b"evil pack"
    for pack in (good, evil):
        door.packs[hashlib.sha256(pack).hexdigest()] = pack

    def opens(path: Path, _key: bytes) -> None:
        if path.read_bytes() == evil:
            raise ValueError("this pack was not made by the hall")

    paired.pack_opens = opens
    paired.start()
    face = paired.start_face()
    for version, pack in ((2, good), (3, evil)):
        ref = ContentRef(version=f"v{version}", sha256=hashlib.sha256(pack).digest(), size=len(pack), manifest=b"")
        desired = fleet_client.fleet.desired(paired.identity.device, version, content=ref)
        fleet_client.send(paired.identity.device, "desired", desired, retain=True)
        if version == 2:
            until(lambda: face.view.content_version == "v2", "the good pack is there")
    until(lambda: states(fleet_client)[-1].configuration_version == 3, "wanted")
    report = ends(fleet_client, order(fleet_client, paired, "pull_content"), until)
    assert (report.state, report.detail) == ("failed", "content.does_not_open")
    assert Path(face.view.content_path).read_bytes() == good
    assert states(fleet_client)[-1].content_version == "v2"


def test_pack_signed_by_another_key_is_refused_and_reported(
    paired: Device, door: Any, fleet_client: Any, tmp_path: Path, until: UNTIL
) -> None:
    content = read_catalogue()
    paired.pack_opens = None
    paired.start()
    face = paired.start_face()
    for version, key in ((2, fleet_client.fleet.key), (3, SigningKey.generate())):
        file = tmp_path / f"{version}.pack"
        built = build(content, file, built_at=datetime.datetime.now(datetime.UTC), signer=bytes(key), version=f"v{version}")
        pack = file.read_bytes()
        digest = hashlib.sha256(pack).digest()
        door.packs[digest.hex()] = pack
        ref = ContentRef(version=built.manifest.version, sha256=digest, size=len(pack), manifest=b"")
        desired = fleet_client.fleet.desired(paired.identity.device, version, content=ref)
        fleet_client.send(paired.identity.device, "desired", desired, retain=True)
        if version == 2:
            until(lambda: face.view.content_version == "v2", "the fleet's own pack is there")
    until(lambda: "content.forged" in [part.reason for part in states(fleet_client)[-1].parts], "the forged pack is reported")
    assert states(fleet_client)[-1].content_version == "v2"
    assert len(list((paired.directory / "content").iterdir())) == 1, "the forged pack is not kept"
