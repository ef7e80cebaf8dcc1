"""Watch on a real store: presence and state kept, incidents opened, taken, closed; calls for help; findings of ingest."""

import pytest
from fleet_seeded import NOW_MS, blank, clock, fleet, place_device
from sqlalchemy import insert, update

from demo.seed.device import part, state_of
from fleet.store import open_store
from fleet.store.tables import findings
from fleet.watch.incidents import WatchError
from fleet.watch.presence import SILENT_AFTER_MS
from fleet.watch.service import NOTED_KEPT_MS, Watch
from wire.messages import Ask, Presence

__all__ = ["blank", "clock", "fleet"]


@pytest.fixture
def watch(fleet):
    fleet.watch.set_broker(True)
    return fleet.watch


@pytest.fixture
def terminal(fleet, watch):
    """A terminal that is online and well."""
    device = place_device(fleet, 1, role="terminal")
    watch.take_presence(device.name, Presence(online=True, connection=1, since_ms=NOW_MS))
    watch.take_state(device.name, state_of("terminal", NOW_MS))
    return device.name


def paper_out():
    return state_of(
        "terminal", NOW_MS, parts=(part("printer", NOW_MS, "down", "printer.paper_out", "next.load_paper"), part("id_card", NOW_MS))
    )


def finding(fleet, **changes):
    row = {"kind": "fork", "tenant": "county", "device": "nwx", "journal_id": b"", "seq": 1, "detail": "d", "sample": b""}
    row |= {"first_ms": NOW_MS, "last_ms": NOW_MS, "count": 1} | changes
    store = open_store(fleet.data, writes="journal")
    with store.write() as connection:
        if connection.execute(update(findings).where(findings.c.kind == row["kind"]).values(**row)).rowcount == 0:
            connection.execute(insert(findings).values(**row))
    store.close()


def reasons(watch):
    return [each.reason for each in watch.incidents.list()]


def test_an_incident_opens_with_its_cause_and_closes_when_the_cause_is_gone(watch, terminal, clock):
    watch.take_state(terminal, paper_out())
    watch.review()
    (incident,) = watch.incidents.list()
    assert (incident.reason, incident.devices, incident.next_step, incident.service) == (
        "printer.paper_out",
        (terminal,),
        "next.load_paper",
        "print",
    )
    clock.on(seconds=10)
    watch.take_state(terminal, state_of("terminal", NOW_MS))
    watch.review()
    assert watch.incidents.list() == []
    assert watch.incidents.get(incident.no).closed_by is None


def test_a_cause_that_lasts_is_one_incident_however_often_it_is_reviewed(watch, terminal):
    watch.take_state(terminal, paper_out())
    for _ in range(5):
        watch.review()
    assert len(watch.incidents.list(is_open=None)) == 1


def test_taking_says_who_and_a_second_person_is_told(watch, terminal):
    watch.take_state(terminal, paper_out())
    watch.review()
    (incident,) = watch.incidents.list()
    watch.incidents.take(incident.no, by="anna")
    with pytest.raises(WatchError, match="anna has taken"):
        watch.incidents.take(incident.no, by="bert")
    watch.incidents.release(incident.no, by="anna")
    watch.incidents.take(incident.no, by="bert")
    assert watch.incidents.get(incident.no).taken_by == "bert"


def test_an_incident_with_a_live_cause_cannot_be_closed_by_hand(watch, terminal):
    watch.take_state(terminal, paper_out())
    watch.review()
    with pytest.raises(WatchError, match="closes by itself"):
        watch.incidents.close(watch.incidents.list()[0].no, by="anna")


def test_nothing_is_closed_while_the_fleet_itself_is_blind(watch, terminal):
    watch.take_state(terminal, paper_out())
    watch.review()
    watch.set_broker(False)
    watch.review()
    assert set(reasons(watch)) == {"broker.down", "printer.paper_out"}
    watch.set_broker(True)
    watch.review()
    assert reasons(watch) == ["printer.paper_out"]


def test_a_device_that_falls_silent_becomes_unknown_and_then_an_incident(watch, terminal, clock):
    clock.on(seconds=SILENT_AFTER_MS / 1000 + 1)
    assert watch.device(terminal).seen == "unknown"
    clock.on(seconds=30)
    watch.review()
    assert reasons(watch) == ["device.silent"]


def test_retained_messages_of_an_earlier_life_do_not_make_a_device_online(fleet, watch, clock):
    device = place_device(fleet, 3, role="terminal").name
    watch.take_presence(device, Presence(online=True, connection=1, since_ms=1))
    clock.on(days=1)
    watch.take_state(device, state_of("terminal", 1), retained=True)
    watch.take_presence(device, Presence(online=True, connection=1, since_ms=1), retained=True)
    assert watch.device(device).seen == "unknown"


def test_an_old_will_that_arrives_late_changes_nothing(watch, terminal):
    watch.take_presence(terminal, Presence(online=True, connection=2, since_ms=NOW_MS))
    assert not watch.take_presence(terminal, Presence(online=False, connection=1, since_ms=NOW_MS))
    assert watch.device(terminal).seen == "online"


def test_a_device_is_away_since_the_same_time_after_a_restart_of_the_fleet(fleet, watch, terminal, clock):
    gone = Presence(online=False, connection=1, since_ms=0)
    watch.take_presence(terminal, gone)
    watch.flush()
    since_ms = watch.device(terminal).since_ms
    clock.on(seconds=600)
    again = Watch(fleet.store, fleet.registry, clock_ms=clock)
    again.set_broker(True)
    again.take_presence(terminal, gone, retained=True)
    assert (again.device(terminal).seen, again.device(terminal).since_ms) == ("offline", since_ms)


def test_what_was_heard_survives_a_restart_of_the_fleet(fleet, watch, terminal, clock):
    watch.flush()
    again = Watch(fleet.store, fleet.registry, clock_ms=clock)
    again.set_broker(True)
    assert again.device(terminal).seen == "online"
    assert again.device(terminal).state == state_of("terminal", NOW_MS)
    assert again.take_presence(terminal, Presence(online=False, connection=0, since_ms=0)) is False


def test_flush_writes_only_what_changed(watch, terminal):
    assert watch.flush() == 1
    assert watch.flush() == 0


def test_the_worst_incident_stands_first_even_when_few_are_asked_for(watch, terminal):
    watch.take_state(terminal, paper_out())
    watch.review()
    near = (part("printer", NOW_MS, "degraded", "printer.paper_near_end"), part("id_card", NOW_MS, "down", "id_card.silent"))
    watch.take_state(terminal, state_of("terminal", NOW_MS, parts=near, levels={"disk_free_mb": 1.0}))
    watch.review()
    assert [each.severity for each in watch.incidents.list()] == ["bad", "warn", "warn"]
    assert watch.incidents.list(limit=1)[0].severity == "bad"


@pytest.fixture
def operator(fleet):
    """Somebody who has just logged in."""
    fleet.access.add_user("anna", display="安娜", role="operator", password="a long enough pass", by="test")
    return fleet.access.log_in("anna", "a long enough pass")


def test_a_call_for_help_is_seen_by_the_visitor_once_somebody_takes_it(watch, terminal, operator):
    ask = Ask(what="help", args={"call": "7", "where": "一楼"}, deadline_ms=NOW_MS)
    assert watch.help.answer(terminal, ask).fields == {"state": "waiting"}
    watch.review()
    (incident,) = watch.incidents.list()
    assert (incident.kind, incident.args["where"]) == ("help", "一楼")
    later = Ask(what="help_state", args={"call": "7"}, deadline_ms=NOW_MS)
    assert watch.help.answer(terminal, later).fields == {"state": "waiting"}
    watch.incidents.take(incident.no, by="anna")
    assert watch.help.answer(terminal, later).fields == {"state": "seen"}
    watch.incidents.close(incident.no, by="anna")
    watch.review()
    assert watch.incidents.list() == []


def test_a_call_while_nobody_is_there_says_so_is_kept_and_waits_once_somebody_logs_in(fleet, watch, terminal):
    ask = Ask(what="help", args={"call": "7", "where": "一楼"}, deadline_ms=NOW_MS)
    later = Ask(what="help_state", args={"call": "7"}, deadline_ms=NOW_MS)
    assert watch.help.answer(terminal, ask).fields == {"state": "nobody"}
    assert watch.help.answer(terminal, later).fields == {"state": "nobody"}
    watch.review()
    assert [each.kind for each in watch.incidents.list()] == ["help"]
    fleet.access.add_user("anna", display="安娜", role="operator", password="a long enough pass", by="test")
    fleet.access.log_in("anna", "a long enough pass")
    assert watch.help.answer(terminal, later).fields == {"state": "waiting"}


def test_a_withdrawn_call_closes_its_incident_and_another_device_s_call_is_not_touched(fleet, watch, terminal):
    other = place_device(fleet, 4, role="terminal").name
    for device in (terminal, other):
        watch.help.answer(device, Ask(what="help", args={"call": "7"}, deadline_ms=NOW_MS))
    watch.help.answer(terminal, Ask(what="help", args={"call": "7", "end": "1"}, deadline_ms=NOW_MS))
    watch.review()
    assert [each.devices for each in watch.incidents.list() if each.kind == "help"] == [(other,)]


def test_the_state_of_a_call_nobody_made_is_unknown(watch, terminal):
    assert watch.help.answer(terminal, Ask(what="help_state", args={"call": "x"}, deadline_ms=NOW_MS)).status == "unknown"


def test_a_finding_of_ingest_opens_an_incident_that_a_person_closes(fleet, watch):
    finding(fleet)
    watch.review()
    (incident,) = watch.incidents.list()
    assert (incident.reason, incident.severity, incident.args["detail"]) == ("finding.fork", "bad", "d")
    watch.incidents.close(incident.no, by="anna")
    watch.review()
    assert watch.incidents.list() == []


def test_a_finding_that_goes_on_after_it_was_closed_opens_another_incident(fleet, watch):
    finding(fleet)
    watch.review()
    watch.incidents.close(watch.incidents.list()[0].no, by="anna")
    finding(fleet, count=2, last_ms=NOW_MS + 1)
    watch.review()
    (incident,) = watch.incidents.list()
    assert incident.args["count"] == "2"


def test_malformed_messages_are_one_incident_a_device_for_an_hour(watch, terminal, clock):
    for _ in range(3):
        watch.note_malformed(terminal, "state: not a valid DeviceState")
    watch.review()
    (incident,) = watch.incidents.list()
    assert (incident.reason, incident.args["count"]) == ("message.malformed", "3")
    clock.on(seconds=NOTED_KEPT_MS / 1000 + 1)
    watch.touch(terminal)
    watch.review()
    assert watch.incidents.list() == []


def test_paper_is_forecast_from_what_the_printer_reported_by_the_hour(watch, terminal, clock):
    for left in (30.0, 29.0, 28.0):
        watch.take_state(terminal, state_of("terminal", NOW_MS, levels={"paper_m": left}))
        watch.review()
        clock.on(seconds=3_600)
    watch.touch(terminal)
    assert watch.gauges.papers()[terminal].per_day == pytest.approx(24, abs=0.1)
    watch.review()
    assert "paper.soon" in reasons(watch)
