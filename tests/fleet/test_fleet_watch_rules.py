"""Presence, service ability, causes of trouble, forecasts and words: the rules behind every red mark in the console."""

import re
import string
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.seed.device import part, state_of
from fleet.console import labels
from fleet.watch import part_names
from fleet.watch.ability import abilities, services_of
from fleet.watch.causes import APPLY_MS, BACKLOG, SETTLE_MS, causes
from fleet.watch.forecast import DAY_MS, forecast
from fleet.watch.incidents import FINDING_STEPS
from fleet.watch.messages import MESSAGES, words
from fleet.watch.model import Known
from fleet.watch.presence import SILENT_AFTER_MS, replaces, seen
from hal import registry
from hal.health import NEXT_STEPS, REASONS
from runtime.config import AgentConfig
from runtime.health import MESSAGES as AGENT_MESSAGES
from wire.messages import Presence

NOW = 1_795_320_000_000


def presence(online: bool, connection: int) -> Presence:
    return Presence(online=online, connection=connection, since_ms=NOW)


def known(name: str, **changes) -> Known:
    role = changes.pop("role", "terminal")
    hall = changes.pop("hall", "h")
    return Known(
        device=name,
        role=role,
        hall=hall,
        hall_name={"zh": "大厅"},
        label={"zh": name},
        seen=changes.pop("seen", "online"),
        since_ms=changes.pop("since_ms", NOW - 3_600_000),
        heard_ms=changes.pop("heard_ms", NOW),
        state=changes.pop("state", state_of(role, NOW)),
        state_ms=changes.pop("state_ms", NOW),
        **changes,
    )


def found(*devices: Known, broker_up: bool = True) -> dict[str, tuple[str, ...]]:
    """Reason → devices."""
    return {each.reason: each.devices for each in causes(devices, now_ms=NOW, broker_up=broker_up, broker_since_ms=NOW - DAY_MS)}


def test_an_old_will_cannot_overrule_a_newer_connection():
    assert not replaces(presence(False, 3), presence(True, 4))
    assert replaces(presence(False, 4), presence(True, 4))
    assert replaces(presence(True, 5), presence(False, 4))


def test_an_ended_connection_does_not_come_back_without_a_new_number():
    assert not replaces(presence(True, 4), presence(False, 4))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_order_of_arrival_does_not_matter(messages):
    def settle(order):
        last = None
        for online, connection in order:
            new = presence(online, connection)
            if replaces(new, last):
                last = new
        return last

    end = settle(messages)
    assert end == settle(list(reversed(messages)))
    newest = max(connection for _, connection in messages)
    assert end.connection == newest
    assert end.online == all(online for online, connection in messages if connection == newest)


def test_silence_is_unknown_and_never_online():
    up = presence(True, 1)
    assert seen(up, heard_ms=NOW - SILENT_AFTER_MS, now_ms=NOW, broker_up=True) == "online"
    assert seen(up, heard_ms=NOW - SILENT_AFTER_MS - 1, now_ms=NOW, broker_up=True) == "unknown"
    assert seen(up, heard_ms=None, now_ms=NOW, broker_up=True) == "unknown"


def test_no_device_can_be_set_so_slow_that_the_fleet_takes_it_for_silent():
    slowest = next(f for f in msgspec.structs.fields(AgentConfig) if f.name == "state_every_s").type.__metadata__[0].le
    assert slowest * 1_000 <= SILENT_AFTER_MS - 60_000


def test_a_fleet_without_a_broker_knows_nothing_of_any_device():
    assert seen(presence(True, 1), heard_ms=NOW, now_ms=NOW, broker_up=False) == "unknown"
    assert seen(presence(False, 1), heard_ms=NOW, now_ms=NOW, broker_up=False) == "unknown"
    assert list(found(known("a"), known("b", seen="unknown"), broker_up=False)) == ["broker.down"]


def test_one_uplink_down_is_one_incident_and_not_forty():
    hall = [known(f"d{n}", seen="offline") for n in range(40)]
    assert found(*hall) == {"hall.unreachable": tuple(sorted(each.device for each in hall))}


def test_some_devices_away_are_one_incident_of_their_hall():
    away = found(known("a", seen="offline"), known("b", seen="offline"), known("c"))
    assert away == {"device.offline": ("a", "b")}


def test_a_device_away_for_a_moment_alarms_nobody():
    assert found(known("a", seen="offline", since_ms=NOW - SETTLE_MS + 1), known("b")) == {}


def test_the_same_cause_at_several_devices_is_one_incident():
    out = state_of("terminal", NOW, parts=(part("printer", NOW, "down", "printer.paper_out", "next.load_paper"),))
    assert found(known("a", state=out), known("b", state=out), known("c")) == {"printer.paper_out": ("a", "b")}


def test_one_cause_that_takes_two_services_is_two_incidents_so_that_each_names_its_own():
    down = {"face": "down", "face_since_ms": NOW - SETTLE_MS}
    devices = [known(name, role=role, state=state_of(role, NOW, **down)) for name, role in (("t", "terminal"), ("e", "evaluator"))]
    made = causes(devices, now_ms=NOW, broker_up=True, broker_since_ms=0)
    assert {(each.service, each.devices) for each in made} == {("query", ("t",)), ("rating", ("e",))}
    assert len({each.key for each in made}) == 2


@pytest.mark.parametrize("face", ["down", "starting"])
def test_a_screen_program_that_restarts_alarms_nobody(face):
    away = state_of("terminal", NOW, face=face, face_since_ms=NOW - SETTLE_MS + 1)
    assert found(known("a", state=away)) == {}
    gone = state_of("terminal", NOW, face=face, face_since_ms=NOW - SETTLE_MS)
    assert found(known("a", state=gone)) == {f"face.{face}": ("a",)}


@pytest.mark.parametrize("off_ms", [-400 * DAY_MS, 400 * DAY_MS])
def test_a_device_whose_clock_is_years_off_alarms_at_the_right_time(off_ms):
    theirs = NOW + off_ms
    state = state_of("terminal", theirs, face="down", face_since_ms=theirs - 60_000)
    (made,) = causes([known("a", state=state)], now_ms=NOW, broker_up=True, broker_since_ms=0)
    assert (made.reason, made.since_ms) == ("face.down", NOW - 60_000)


def test_the_same_cause_in_two_halls_is_two_incidents():
    out = state_of("terminal", NOW, parts=(part("printer", NOW, "down", "printer.paper_out"),))
    made = causes([known("a", state=out), known("b", state=out, hall="g")], now_ms=NOW, broker_up=True, broker_since_ms=0)
    assert [each.hall for each in made] == ["h", "g"] or [each.hall for each in made] == ["g", "h"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"face": "hung", "face_since_ms": NOW - 60_000}, "face.hung"),
        ({"face": "down", "face_since_ms": NOW - 60_000}, "face.down"),
        ({"evidence_free": 0.0}, "evidence.full"),
        ({"evidence_free": 0.05}, "evidence.low"),
        ({"clock_trust": 0}, "clock.untrusted"),
        ({"waiting_entries": BACKLOG + 1}, "custody.backlog"),
        ({"dropped_entries": 1}, "custody.dropped"),
        ({"levels": {"disk_free_mb": 12.0}}, "disk.low"),
        ({"levels": {"cpu_temperature_c": 91.0}}, "cpu.hot"),
    ],
)
def test_what_a_device_reports_becomes_its_cause(changes, reason):
    assert found(known("a", role="evaluator", state=state_of("evaluator", NOW, **changes)), known("b")) == {reason: ("a",)}


def test_a_configuration_not_applied_is_told_only_after_its_time():
    late = {"wanted_configuration": 3, "wanted_since_ms": NOW - APPLY_MS}
    assert "configuration.pending" in found(known("a", **late))
    assert found(known("a", **(late | {"wanted_since_ms": NOW - APPLY_MS + 1}))) == {}


def test_a_hostile_argument_name_of_a_part_harms_nobody():
    strange = msgspec.structs.replace(
        part("printer", NOW, "down", "port.failed"),
        args={"severity": "note", "reason": "hal.ok", "service": "x", "port": "/dev/tty"},
    )
    (cause,) = causes(
        [known("a", state=state_of("terminal", NOW, parts=(strange,)))], now_ms=NOW, broker_up=True, broker_since_ms=0
    )
    assert (cause.severity, cause.reason, cause.service) == ("bad", "port.failed", "print")


def test_two_parts_of_a_kind_are_two_incidents_and_each_names_its_own():
    out = [part(name, NOW, "down", "printer.paper_out") for name in ("printer", "printer_left")]
    seen = causes([known("a", state=state_of("terminal", NOW, parts=tuple(out)))], now_ms=NOW, broker_up=True, broker_since_ms=0)
    assert [(cause.args["part"], cause.service) for cause in seen] == [("printer", "print"), ("printer_left", "print")]
    assert len({cause.key for cause in seen}) == 2


def test_with_two_printers_one_that_works_is_enough():
    for broken in ("printer", "printer_left"):
        two = [part(name, NOW, *(["down", "printer.paper_out"] if name == broken else [])) for name in ("printer", "printer_left")]
        assert services_of(known("a", state=state_of("terminal", NOW, parts=tuple(two))))["print"] == (True, "")


def test_parts_of_a_kind_are_told_apart_by_their_names():
    assert labels.part("printer_left", "zh") == "凭条打印机（left）"
    assert labels.part("light_card", "en") == "Guiding light (card)"
    assert labels.part("a4_printer", "zh") == "A4 打印机"
    assert labels.part("something_new", "zh") == "something_new"


def test_every_kind_that_a_device_may_have_has_a_name():
    assert set(part_names.KINDS) == set(registry.KINDS)
    assert all(kind in labels.PARTS for kind in part_names.KINDS)


def test_a_terminal_without_paper_still_answers_questions():
    out = state_of("terminal", NOW, parts=(part("printer", NOW, "down", "printer.paper_out"), part("id_card", NOW)))
    services = services_of(known("a", state=out))
    assert services == {"query": (True, ""), "print": (False, "printer.paper_out"), "id_card": (True, "")}


def test_a_silent_device_is_able_to_nothing_whatever_it_said_last():
    assert not any(able for able, _ in services_of(known("a", seen="unknown")).values())


def test_a_hall_s_service_is_limited_while_one_device_can_and_down_when_none():
    out = state_of("terminal", NOW, parts=(part("printer", NOW, "down", "printer.paper_out"),))
    state = {each.service: each.state for each in abilities([known("a"), known("b", state=out)])}
    assert (state["query"], state["print"]) == ("ok", "limited")
    assert {each.service: each.state for each in abilities([known("b", state=out)])}["print"] == "down"


def test_a_hall_never_heard_from_is_unknown_and_not_down():
    assert {each.state for each in abilities([known("a", seen="unknown", state=None)])} == {"unknown"}


def test_paper_that_falls_a_metre_an_hour_ends_when_it_is_gone():
    samples = [(NOW + hour * 3_600_000, 30.0 - hour) for hour in range(11)]
    made = forecast(samples)
    assert made.per_day == pytest.approx(24)
    assert made.empty_ms == pytest.approx(samples[-1][0] + 20 / 24 * DAY_MS, abs=1_000)


def test_a_refill_is_no_use_and_a_standing_level_no_forecast():
    refilled = [(NOW, 5.0), (NOW + 3_600_000, 4.0), (NOW + 7_200_000, 50.0)]
    assert forecast(refilled).left == 50.0
    assert forecast([(NOW, 5.0), (NOW + DAY_MS, 5.0)]) is None
    assert forecast([(NOW, 5.0)]) is None


def test_every_reason_and_next_step_of_the_hardware_has_words():
    """The fleet imports no device code; only a test can hold the two lists together."""
    assert {*REASONS, *NEXT_STEPS} - set(MESSAGES) == set()


def test_every_message_of_the_agent_has_words():
    assert set(AGENT_MESSAGES) - set(MESSAGES) == set()


@pytest.mark.parametrize("folder", ["evaluator", "terminal"])
def test_every_detail_a_face_answers_an_order_with_has_words(folder):
    root = Path(__file__).parents[2] / folder
    found = {
        name for path in root.rglob("*.py") for name in re.findall(r'"((?:rating|picture|invite)\.[a-z_]+)"', path.read_text())
    }
    kinds = {"rating.invited", "rating.pressed", "rating.amended", "rating.closed"}
    assert found - kinds - set(MESSAGES) == set()


def test_every_finding_of_ingest_with_a_step_has_words():
    for kind, (_, step) in FINDING_STEPS.items():
        assert f"finding.{kind}" in MESSAGES
        assert step in MESSAGES


def test_every_message_has_both_languages_and_the_same_arguments():
    for name, (zh, en) in MESSAGES.items():
        fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (zh, en)]
        assert zh, name
        assert en, name
        assert fields[0] == fields[1], name


def test_an_unknown_message_and_a_missing_argument_are_shown_and_do_not_fail():
    assert words("new.reason") == "未知代码 new.reason"
    assert "…" in words("port.busy", {})
    assert words(None) == ""
