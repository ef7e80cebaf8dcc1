"""What operations see of ingest itself: a full disk, a stopped or silent process, each as one incident with a next step."""

from typing import get_args

import pytest
from fleet_model import NOW_MS

from fleet.ingest.rules import FindingKind
from fleet.ingest_status import IngestStatus
from fleet.watch.ingest_health import SILENT_AFTER_MS, IngestHealth
from fleet.watch.messages import MESSAGES


class Rig:
    """Health with a clock that tests move."""

    def __init__(self):
        self.ms = NOW_MS
        self.health = IngestHealth(clock_ms=lambda: self.ms)

    def say(self, state, *, since_ms=NOW_MS, detail=""):
        self.health.take(IngestStatus(state=state, since_ms=since_ms, at_ms=self.ms, detail=detail))

    def reasons(self):
        return [cause.reason for cause in self.health.causes(broker_up=True)]


@pytest.fixture
def rig():
    return Rig()


def test_nothing_is_claimed_before_ingest_was_heard(rig):
    assert rig.reasons() == []


def test_ingest_that_takes_entries_is_no_incident(rig):
    rig.say("taking")
    assert rig.reasons() == []


def test_a_full_disk_is_an_incident_with_the_databases_words(rig):
    rig.say("store_refuses", since_ms=NOW_MS - 5, detail="database or disk is full")
    (cause,) = rig.health.causes(broker_up=True)
    assert (cause.reason, cause.severity, cause.since_ms) == ("ingest.store_refuses", "bad", NOW_MS - 5)
    assert cause.args == {"error": "database or disk is full"}


def test_recovery_ends_the_incident(rig):
    rig.say("store_refuses")
    rig.say("taking")
    assert rig.reasons() == []


def test_the_last_will_is_an_incident_from_when_it_came(rig):
    rig.say("taking")
    rig.ms += 1_000
    rig.say("stopped", since_ms=0)
    (cause,) = rig.health.causes(broker_up=True)
    assert (cause.reason, cause.since_ms) == ("ingest.stopped", NOW_MS + 1_000)


def test_a_silent_ingest_is_never_taken_for_well(rig):
    rig.say("taking")
    rig.ms += SILENT_AFTER_MS
    assert rig.reasons() == []
    rig.ms += 1
    assert rig.reasons() == ["ingest.silent"]


def test_without_a_broker_nothing_is_said_of_ingest(rig):
    rig.say("stopped")
    assert rig.health.causes(broker_up=False) == []


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_every_finding_has_words_for_people(kind):
    chinese, english = MESSAGES[f"finding.{kind}"]
    assert chinese
    assert english


@pytest.mark.parametrize("state", ["store_refuses", "stopped"])
def test_every_state_of_ingest_has_words_for_people(rig, state):
    rig.say(state)
    (cause,) = rig.health.causes(broker_up=True)
    assert MESSAGES[cause.reason]
    assert MESSAGES[cause.next_step]
