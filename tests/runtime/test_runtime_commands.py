"""Commands of the fleet against a real broker: done only when the device says so, refused with a reason, never run twice."""

import os
import subprocess
import sys
import time
from typing import Any

import msgspec
import pytest
from agent_device import UNTIL, Device, ends, order, reports, states

from runtime.local import CommandReply, FaceState, Identify, Invite, PictureReply, PictureRequest, Withdraw
from wire.codec import decode, encode
from wire.messages import Command, Invitation, PartHealth, Picture


def test_identify_is_done_only_when_the_face_says_so(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    command = order(fleet_client, paired, "identify")
    request = until(lambda: paired.heard(Identify), "the face is asked")[0]
    until(lambda: [each.state for each in reports(fleet_client, command)] == ["received", "running"], "not done yet")
    face.send(CommandReply(command=request.command, state="done"))
    assert ends(fleet_client, command, until).state == "done"


def test_command_without_a_face_fails_with_its_reason(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    report = ends(fleet_client, order(fleet_client, paired, "identify"), until)
    assert (report.state, report.detail) == ("failed", "face.down")


def test_expired_command_is_not_run(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    assert ends(fleet_client, order(fleet_client, paired, "identify", lives_s=-1), until).state == "expired"
    assert not paired.heard(Identify)


def test_redelivered_command_is_run_once_and_answered_again(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    now = time.time_ns() // 1_000_000
    command = Command(id=os.urandom(16), verb="apply_configuration", issued_ms=now, expires_ms=now + 60_000)
    fleet_client.fleet.desired(paired.identity.device)
    fleet_client.send(paired.identity.device, "desired", fleet_client.fleet.desired(paired.identity.device), retain=True)
    until(lambda: states(fleet_client)[-1].configuration_version == 1, "applied")
    for _ in range(2):
        fleet_client.send(paired.identity.device, "command", encode(command))
    until(lambda: [each.state for each in reports(fleet_client, command.id)].count("done") == 2, "answered twice")
    assert [each.state for each in reports(fleet_client, command.id)].count("received") == 1


def test_picture_is_published_before_the_command_is_done(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    command = order(fleet_client, paired, "picture")
    until(lambda: paired.heard(PictureRequest), "the face is asked")
    png = b"\x89PNG" + os.urandom(300_000)
    face.send(PictureReply(command=command, screen="idle", png=png))
    assert ends(fleet_client, command, until).state == "done"
    picture = decode(fleet_client.arrived["picture"][0], Picture, limit=2 << 20)
    assert (picture.command, picture.png) == (command, png)


def test_picture_refused_while_somebody_rates_is_reported_as_refused(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    command = order(fleet_client, paired, "picture")
    until(lambda: paired.heard(PictureRequest), "asked")
    face.send(PictureReply(command=command, screen="rating", refused="picture.rating"))
    report = ends(fleet_client, command, until)
    assert (report.state, report.detail) == ("refused", "picture.rating")


def test_invitation_and_withdrawal_reach_the_face(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    invitation = Invitation(occasion=os.urandom(16), stage="finish", expires_ms=2**50)
    order(fleet_client, paired, "invite", invitation=invitation)
    assert until(lambda: paired.heard(Invite), "invited")[0].invitation == invitation
    order(fleet_client, paired, "withdraw", occasion=invitation.occasion)
    assert until(lambda: paired.heard(Withdraw), "withdrawn")[0].occasion == invitation.occasion


def test_invite_without_an_invitation_is_refused(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    report = ends(fleet_client, order(fleet_client, paired, "invite"), until)
    assert (report.state, report.detail) == ("refused", "command.incomplete")


@pytest.mark.parametrize("change", [{"verb": "dance"}, {"verb": "invite", "invitation": "a newer kind of invitation"}])
def test_command_of_a_newer_fleet_is_refused_as_unknown_and_only_once(
    paired: Device, fleet_client: Any, until: UNTIL, change: dict[str, Any]
) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    now = time.time_ns() // 1_000_000
    command = {"id": os.urandom(16), "issued_ms": now, "expires_ms": now + 60_000, "partner": "a newer field"} | change
    for _ in range(2):
        fleet_client.send(paired.identity.device, "command", msgspec.msgpack.encode(command))
    report = ends(fleet_client, command["id"], until)
    assert (report.state, report.detail, report.args) == ("refused", "command.unknown", {"verb": change["verb"]})
    until(lambda: reports(fleet_client, command["id"])[-1].detail == "command.repeated", "answered again")


FACE = """
import sys, time
from pathlib import Path
from runtime.clock import FakeClock
from runtime.facelink import FaceLink
from runtime.local import FaceState, RestartRequest
gone = []
link = FaceLink(Path(sys.argv[1]) / "agent.sock", data_dir=Path(sys.argv[1]), role="evaluator", software="f", device=sys.argv[2],
    clock=FakeClock(), on_message=lambda m: gone.append(m) if isinstance(m, RestartRequest) and sys.argv[3] == "obeys" else None)
link.report(FaceState(screen="idle"))
link.start()
while not gone:
    if sys.argv[3] != "hangs" or not link.is_connected:
        link.beat()
    time.sleep(0.05)
"""


def start_face_process(device: Device, manner: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", FACE, str(device.directory), device.identity.device, manner])


@pytest.mark.parametrize("manner", ["obeys", "ignores"])
def test_restart_face_ends_the_old_process_and_is_done_when_another_came(
    paired: Device, fleet_client: Any, until: UNTIL, manner: str
) -> None:
    paired.start()
    old = start_face_process(paired, manner)
    until(lambda: states(fleet_client) and states(fleet_client)[-1].face == "up", "the face is up")
    command = order(fleet_client, paired, "restart_face")
    old.wait(20)
    assert "done" not in [each.state for each in reports(fleet_client, command)]
    new = start_face_process(paired, "obeys")
    try:
        assert ends(fleet_client, command, until).state == "done"
    finally:
        new.kill()
        new.wait(10)


def test_stopped_face_is_reported_hung_with_unknown_parts_and_restart_kills_it(
    paired: Device, fleet_client: Any, until: UNTIL
) -> None:
    paired.start()
    face = paired.start_face()
    face.report(FaceState(screen="idle", parts=(PartHealth(part="buttons", state="ok", since_ms=1),)))
    face.beat()
    until(lambda: any(part.part == "buttons" for state in states(fleet_client) for part in state.parts), "parts reported")
    hung = until(lambda: next((each for each in states(fleet_client) if each.face == "hung"), None), "hung without a beat")
    buttons = next(part for part in hung.parts if part.part == "buttons")
    assert (buttons.state, buttons.reason) == ("unknown", "face.hung")
    assert any(note.what == "face.hung" for note in paired.notes())


def test_killed_face_is_reported_down(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    process = start_face_process(paired, "ignores")
    until(lambda: states(fleet_client) and states(fleet_client)[-1].face == "up", "up")
    process.kill()
    process.wait(10)
    until(lambda: states(fleet_client)[-1].face == "down", "down")
