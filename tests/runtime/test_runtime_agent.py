"""The whole agent against a real Mosquitto with TLS, a real door and a real socket: what a device does from pairing to restart."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agent_device import UNTIL, Device, ends, order, presences, states

from runtime import credentials
from runtime.agent import Agent
from runtime.clock import FakeClock, Moment, SystemClock
from runtime.health import Troubles
from runtime.identity import Identity
from runtime.journal import Journal, JournalReader
from runtime.local import AskAnswer, AskRequest, EvidenceDamaged, RestartRequest
from wire.codec import encode
from wire.entry import SYNCED, UNTRUSTED
from wire.kinds import OpsNote
from wire.messages import Answer


def test_new_device_shows_a_code_and_after_approval_hands_over_what_it_recorded(
    device: Device, door: Any, fleet_client: Any, until: UNTIL
) -> None:
    device.start()
    face = device.start_face()
    until(lambda: face.view.pairing == "waiting" and door.code, "the code is shown")
    assert face.view.pairing_code == door.code
    door.state = "approved"
    until(lambda: face.view.link == "up", "the link is up")
    assert face.view.pairing == "paired"
    assert face.view.desired is not None
    assert face.view.desired.placement.window == "3"
    ops = JournalReader(device.directory / "ops.db")
    until(lambda: fleet_client.fleet.seq(ops.journal_id) >= 2, "the ops journal is in custody")
    ops.close()


def test_device_without_a_fleet_runs_and_says_so(tmp_path: Path, identity: Identity, until: UNTIL) -> None:
    device = Device(tmp_path / "device", identity, "", until)
    device.start()
    try:
        face = device.start_face()
        assert face.view.pairing == "none"
        assert face.view.link == "down"
    finally:
        device.stop()


def test_unreachable_fleet_is_told_and_the_agent_goes_on(tmp_path: Path, identity: Identity, until: UNTIL) -> None:
    device = Device(tmp_path / "device", identity, "https://localhost:1", until)
    device.start()
    try:
        face = device.start_face()
        until(lambda: face.view.pairing == "unreachable", "the face is told")
    finally:
        device.stop()


def test_evidence_written_by_the_face_arrives_once_and_is_acknowledged(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    arguments: dict[str, Any] = {"identity": paired.identity, "clock": paired.clock, "budget_bytes": 4 << 20}
    journal = Journal.open(paired.directory, "evidence", **arguments)
    journal.append_all([("ops.note", OpsNote(what="x"))] * 2_500)
    paired.start()
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == journal.last_seq, "all entries are in custody")
    journal.append("ops.note", OpsNote(what="later"))
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == journal.last_seq, "the later entry too")
    until(lambda: states(fleet_client) and states(fleet_client)[-1].waiting_entries == 0, "the state says nothing waits")
    journal.close()


def test_presence_is_retained_and_a_lost_agent_leaves_its_will(
    paired: Device, broker: Any, fleet_client: Any, until: UNTIL, tmp_path: Path
) -> None:
    config = tmp_path / "device.toml"
    config.write_text(
        f'role = "evaluator"\ndata_dir = "{paired.directory}"\n[fleet]\nurl = "{paired.config.fleet.url}"\n'
        "[journal]\nops_budget_mb = 4\n[agent]\nkeepalive_s = 5\n"
    )
    process = subprocess.Popen([sys.executable, "-m", "runtime.cli", "run", "--config", str(config)])
    until(lambda: any(presence.online for presence in presences(fleet_client)), "the device is online", 30)
    process.kill()
    process.wait(10)
    until(lambda: not presences(fleet_client)[-1].online, "the will has arrived", 20)
    will, birth = presences(fleet_client)[-1], next(each for each in presences(fleet_client) if each.online)
    assert will.reason == "lost"
    assert will.connection == birth.connection
    late = type(fleet_client)(broker, fleet_client.fleet)
    until(lambda: late.arrived.get("presence"), "a later subscriber is told too")
    assert late.retained["presence"][0]
    late.close()


def test_clean_stop_says_stopped_and_leaves_no_will(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: any(presence.online for presence in presences(fleet_client)), "online")
    paired.stop()
    until(lambda: not presences(fleet_client)[-1].online, "offline")
    assert presences(fleet_client)[-1].reason == "stopped"


def test_each_connection_has_a_higher_number_also_after_a_restart(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    for expected in (1, 2):
        paired.start()
        until(lambda n=expected: len([each for each in presences(fleet_client) if each.online]) == n, "online")  # type: ignore[misc]
        paired.stop()
    first, second = [each.connection for each in presences(fleet_client) if each.online]
    assert second > first


def test_broker_that_forgot_everything_gets_state_and_presence_again(
    paired: Device, broker: Any, fleet_client: Any, until: UNTIL
) -> None:
    paired.start()
    until(lambda: states(fleet_client), "first state")
    broker.kill()
    fleet_client.arrived.clear()
    broker.start()
    until(lambda: states(fleet_client) and presences(fleet_client), "state and presence came again", 30)
    assert presences(fleet_client)[-1].online


def test_lost_acknowledgement_makes_the_batch_come_again_and_counts_once(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    fleet_client.is_mute = True
    paired.start()
    until(lambda: len(fleet_client.arrived.get("journal", [])) >= 2, "the batch was sent again")
    fleet_client.is_mute = False
    ops = JournalReader(paired.directory / "ops.db")
    until(lambda: fleet_client.fleet.seq(ops.journal_id) == ops.last_seq(), "in custody")
    ops.close()


def test_restored_fleet_gets_back_what_it_lost(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    journal = Journal.open(paired.directory, "evidence", identity=paired.identity, clock=paired.clock, budget_bytes=4 << 20)
    for _ in range(20):
        journal.append("ops.note", OpsNote(what="x"))
    fleet = fleet_client.fleet
    fleet_client.send_beacon()
    paired.start()
    until(lambda: fleet.seq(journal.journal_id) == 21, "in custody")
    del fleet.hashes[journal.journal_id][5:]
    for seq in range(6, 22):
        del fleet.entries[journal.journal_id, seq]
    fleet.incarnation = os.urandom(16)
    fleet_client.send_beacon()
    until(lambda: fleet.seq(journal.journal_id) == 21, "sent again after the beacon")
    journal.close()


def test_forged_acknowledgement_is_ignored_and_noted(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    fleet_client.send(paired.identity.device, "custody", b"\x93\x01\xc4\x40" + bytes(64) + b"\xc4\x01x")
    until(lambda: any(note.what == "custody.forged" for note in paired.notes()), "noted")
    until(lambda: "custody.forged" in [part.reason for part in states(fleet_client)[-1].parts], "reported")


def test_forked_journal_stops_is_shown_and_the_face_is_asked_for_a_successor(
    paired: Device, fleet_client: Any, until: UNTIL
) -> None:
    journal = Journal.open(paired.directory, "evidence", identity=paired.identity, clock=paired.clock, budget_bytes=4 << 20)
    paired.start()
    face = paired.start_face()
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == 1, "in custody")
    fleet_client.fleet.refused[journal.journal_id] = "fork"
    journal.append("ops.note", OpsNote(what="x"))
    damaged = until(lambda: paired.heard(EvidenceDamaged), "the face is asked")[0]
    until(lambda: face.view.trouble == "custody.stopped", "the face shows it")
    until(lambda: any(part.part == "custody" and part.state == "down" for part in states(fleet_client)[-1].parts), "reported")
    journal.close_damaged(damaged.reason)
    journal.append("ops.note", OpsNote(what="after"))
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == 2, "the successor is handed over")
    journal.close()


def test_face_that_starts_after_the_fork_is_asked_for_a_successor_too(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    journal = Journal.open(paired.directory, "evidence", identity=paired.identity, clock=paired.clock, budget_bytes=4 << 20)
    paired.start()
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == 1, "in custody")
    fleet_client.fleet.refused[journal.journal_id] = "fork"
    journal.append("ops.note", OpsNote(what="x"))
    until(lambda: any(note.what == "custody.stopped" for note in paired.notes()), "stopped")
    paired.stop()
    paired.start()
    paired.start_face()
    assert until(lambda: paired.heard(EvidenceDamaged), "asked")[0].journal_id == journal.journal_id
    journal.close()


def test_question_of_the_face_is_answered_by_the_fleet(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    fleet_client.answer = encode(Answer(status="ok", fields={"seen": "yes"}))
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    ask = AskRequest(id=os.urandom(16), what="help", deadline_ms=time.time_ns() // 1_000_000 + 10_000)
    face.send(ask)
    answer = until(lambda: paired.heard(AskAnswer), "answered")[0]
    assert answer.id == ask.id
    assert answer.answer is not None
    assert answer.answer.fields == {"seen": "yes"}


def test_question_nobody_answers_ends_at_its_deadline(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    fleet_client.is_mute = True
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    face.send(AskRequest(id=os.urandom(16), what="help", deadline_ms=time.time_ns() // 1_000_000 + 700))
    assert until(lambda: paired.heard(AskAnswer), "ended")[0].answer is None


def test_question_without_a_link_ends_at_once(tmp_path: Path, identity: Identity, until: UNTIL) -> None:
    device = Device(tmp_path / "device", identity, "", until)
    device.start()
    try:
        device.start_face().send(AskRequest(id=os.urandom(16), what="help", deadline_ms=2**50))
        assert until(lambda: device.heard(AskAnswer), "ended")[0].answer is None
    finally:
        device.stop()


class WrongClock(SystemClock):
    """A clock that is ten years behind and knows that nobody has set it."""

    def now(self) -> Moment:
        moment = super().now()
        return moment if moment.trust == SYNCED else moment._replace(wall_ms=moment.wall_ms - 315_360_000_000)


def test_device_without_a_clock_connects_and_learns_the_time(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.clock = WrongClock(trust=lambda _wall: UNTRUSTED)
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.true_wall_ms is not None, "the face is told the time")
    assert abs(paired.clock.now().wall_ms - time.time_ns() // 1_000_000) < 5_000
    until(lambda: states(fleet_client)[-1].clock_trust == SYNCED, "reported")
    assert any(note.what == "clock.repaired" for note in paired.notes())


class HandSetClock:
    """A computer's clock that somebody sets by hand: the kernel then says that no time service stands for it."""

    def __init__(self) -> None:
        self.off_ns = 0

    def process_clock(self) -> SystemClock:
        """As each process makes one for itself."""
        return SystemClock(
            trust=lambda _wall: UNTRUSTED if self.off_ns else SYNCED, wall_ns=lambda: max(0, time.time_ns() + self.off_ns)
        )


@pytest.mark.parametrize("years", [30, -30])
def test_clock_that_jumps_years_while_everything_runs_disorders_nothing(
    paired: Device, fleet_client: Any, until: UNTIL, years: int
) -> None:
    system = HandSetClock()
    paired.clock, face_clock = system.process_clock(), system.process_clock()
    journal = Journal.open(paired.directory, "evidence", identity=paired.identity, clock=face_clock, budget_bytes=4 << 20)
    paired.start()
    face = paired.start_face(face_clock)
    until(lambda: states(fleet_client) and states(fleet_client)[-1].face == "up", "the face is up")
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == 1, "nothing is on its way")
    true_ms, jump_ms = time.time_ns() // 1_000_000, years * 31_536_000_000
    seen = len(states(fleet_client))

    system.off_ns = jump_ms * 1_000_000
    journal.append("ops.note", OpsNote(what="jumped"))
    assert ends(fleet_client, order(fleet_client, paired, "apply_configuration"), until).state in ("done", "failed")
    until(lambda: face.beat() or face.view.true_wall_ms is not None, "the fleet has repaired both clocks")
    journal.append("ops.note", OpsNote(what="repaired"))
    until(lambda: face.beat() or fleet_client.fleet.seq(journal.journal_id) == 3, "all is in custody")

    with JournalReader(journal.path) as reader:
        headers = [row.header for row in reader.rows(0)]
    assert [header.clock_trust for header in headers] == [SYNCED, UNTRUSTED, SYNCED]
    assert abs(headers[1].wall_ms - (true_ms + jump_ms)) < 30_000
    assert abs(headers[2].wall_ms - true_ms) < 30_000
    with JournalReader(paired.directory / "ops.db") as reader:
        noted = [row.header for row in reader.rows(0)]
    for chain in (headers, noted):
        assert [header.seq for header in chain] == list(range(1, len(chain) + 1))
        monos = [header.mono_ms for header in chain]
        assert monos == sorted(monos)
        assert all(abs(header.wall_ms - true_ms) < 60_000 for header in chain if header.clock_trust == SYNCED)
    assert {state.face for state in states(fleet_client)[seen - 1 :]} == {"up"}, "a jump is no silence"
    assert [presence.online for presence in presences(fleet_client)] == [True], "the link stayed"
    journal.close()


def test_archived_mark_reaches_the_face_which_prunes(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    journal = Journal.open(paired.directory, "evidence", identity=paired.identity, clock=paired.clock, budget_bytes=4 << 20)
    for _ in range(10):
        journal.append("ops.note", OpsNote(what="x"))
    paired.start()
    face = paired.start_face()
    until(lambda: fleet_client.fleet.seq(journal.journal_id) == 11, "in custody")
    assert face.view.archived == ()
    fleet_client.fleet.archived[journal.journal_id] = 8
    fleet_client.send(paired.identity.device, "custody", fleet_client.fleet.ack(paired.identity.device, journal.journal_id))
    until(lambda: face.view.archived, "the face is told")
    assert journal.apply_archived([(each.journal_id, each.through_seq) for each in face.view.archived]) == 8
    with JournalReader(journal.path) as reader:
        assert (reader.first_held(), reader.verify().seq) == (9, 11)
    journal.close()


def test_server_of_another_fleet_is_not_talked_to_and_the_face_is_told(
    paired: Device, new_authority: Any, broker: Any, until: UNTIL
) -> None:
    other = new_authority()
    welcome = credentials.load_welcome(paired.identity)
    assert welcome is not None
    credentials.save_welcome(msgspec.structs.replace(welcome, ca_certificates=(other.der,)), paired.identity)
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.trouble == "link.not_our_fleet", "told")
    assert face.view.link == "down"


def test_device_that_reaches_the_broker_its_own_way_goes_there(paired: Device, broker: Any, until: UNTIL) -> None:
    welcome = credentials.load_welcome(paired.identity)
    assert welcome is not None
    credentials.save_welcome(msgspec.structs.replace(welcome, broker_host="nowhere.invalid"), paired.identity)
    fleet = msgspec.structs.replace(paired.config.fleet, broker=f"localhost:{broker.port}")
    paired.config = msgspec.structs.replace(paired.config, fleet=fleet)
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")


def test_revoked_device_is_told_that_it_is_refused_and_comes_back_when_it_is_not(
    paired: Device, broker: Any, authority: Any, until: UNTIL
) -> None:
    welcome = credentials.load_welcome(paired.identity)
    assert welcome is not None
    settings = broker.directory / "broker.conf"
    plain = settings.read_text()
    broker.kill()
    (broker.directory / "revoked.pem").write_text(authority.revoke(welcome.certificate))
    settings.write_text(f"{plain}crlfile {broker.directory}/revoked.pem\n")
    broker.start()
    paired.start()
    face = paired.start_face()
    until(lambda: (face.view.pairing, face.view.trouble) == ("revoked", "link.refused"), "told")
    broker.kill()
    settings.write_text(plain)
    broker.start()
    until(lambda: (face.view.pairing, face.view.link) == ("paired", "up"), "back", 30)


def test_damaged_agent_database_is_made_anew_and_nothing_is_lost(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.start()
    until(lambda: states(fleet_client), "up")
    paired.stop()
    (paired.directory / "agent.db").write_bytes(b"noise" * 4_000)
    fleet_client.arrived.clear()
    paired.start()
    until(lambda: states(fleet_client), "up again")
    until(lambda: any(note.what == "agent.store_lost" for note in paired.notes()), "and says so")
    ops = JournalReader(paired.directory / "ops.db")
    until(lambda: fleet_client.fleet.seq(ops.journal_id) == ops.last_seq(), "all in custody")
    ops.close()


def test_second_agent_on_the_same_directory_is_refused(paired: Device) -> None:
    from runtime.local import LocalError

    paired.start()
    paired.start_face()
    second = Agent(paired.config, identity=paired.identity, clock=paired.clock, software="second")
    with pytest.raises(LocalError, match="another agent"):
        second.run()


def test_agent_tells_the_face_to_restart_before_it_terminates(paired: Device, fleet_client: Any, until: UNTIL) -> None:
    paired.config = msgspec.structs.replace(
        paired.config, agent=msgspec.structs.replace(paired.config.agent, terminate_after_s=3000.0)
    )
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.link == "up", "up")
    order(fleet_client, paired, "restart_face")
    assert until(lambda: paired.heard(RestartRequest), "told")[0].within_s == 3000


def test_trouble_recorded_for_a_while_ends_by_itself_and_lasts_while_it_goes_on() -> None:
    clock = FakeClock()
    troubles = Troubles(clock)
    began = clock.now().wall_ms
    troubles.set("messages", "message.refused", for_ms=1_000, channel="desired")
    clock.advance(0.9)
    troubles.set("messages", "message.refused", for_ms=1_000, channel="desired")
    clock.advance(0.9)
    assert [(part.reason, part.since_ms) for part in troubles.parts()] == [("message.refused", began)]
    clock.advance(0.1)
    assert troubles.parts() == ()
