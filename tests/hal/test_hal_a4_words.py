"""What CUPS says in IPP's words, in hal's reasons and outcomes: every keyword, and anything a strange server may say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.drivers.cups_words import JobSeen, is_confirming, job_seen, printer_reason, result_of
from hal.health import REASONS


@pytest.mark.parametrize(
    ("reasons", "health"),
    [
        (["none"], "hal.ok"),
        ([], "hal.ok"),
        ("none", "hal.ok"),
        (["media-empty-error"], "a4.paper_out"),
        (["media-needed"], "a4.paper_out"),
        (["media-empty-report"], "a4.paper_low"),
        (["media-jam-report"], "hal.ok"),
        (["media-low-warning"], "a4.paper_low"),
        (["media-jam-error", "media-empty-error"], "a4.paper_out"),
        (["toner-low-report"], "a4.toner_low"),
        (["marker-supply-low-warning"], "a4.toner_low"),
        (["marker-supply-empty-error", "media-low"], "a4.toner_out"),
        (["door-open"], "a4.door_open"),
        (["offline-report"], "a4.offline"),
        (["connecting-to-device"], "a4.offline"),
        (["other-warning"], "hal.ok"),
        (["other-error"], "a4.fault"),
        (["a-vendors-own-word"], "hal.ok"),
    ],
)
def test_a_printers_reasons_become_a_health_reason(reasons, health):
    assert printer_reason({"printer-state": 3, "printer-state-reasons": reasons}) == health
    assert health in REASONS


def test_a_stopped_queue_without_a_cause_is_paused_and_with_one_tells_the_cause():
    assert printer_reason({"printer-state": 5, "printer-state-reasons": ["none"]}) == "a4.paused"
    assert printer_reason({"printer-state": 5, "printer-state-reasons": ["media-jam-error"]}) == "a4.jam"


@pytest.mark.parametrize(
    ("seen", "confirms", "result"),
    [
        (JobSeen(9, 1, True), True, "printed"),
        (JobSeen(9, 0, True), False, "unknown"),
        (JobSeen(8, 0, True), True, "not_printed"),
        (JobSeen(8, 0, True), False, "unknown"),
        (JobSeen(8, 1, True), True, "unknown"),
        (JobSeen(7, 0, False), True, "not_printed"),
        (JobSeen(7, 0, False), False, "not_printed"),
        (JobSeen(7, 0, True), True, "unknown"),
        (JobSeen(7, 2, True), True, "unknown"),
    ],
)
def test_a_job_that_is_over_is_told_as_what_is_known_of_its_paper(seen, confirms, result):
    assert result_of(seen, confirms=confirms) == result


@pytest.mark.parametrize(
    ("uri", "confirms"),
    [
        ("ipp://printer.local/ipp/print", True),
        ("ipps://192.0.2.7:631/ipp/print", True),
        ("dnssd://Office._ipp._tcp.local/?uuid=1", True),
        ("dnssd://Office._pdl-datastream._tcp.local/", False),
        ("usb://HP/LaserJet?serial=1", False),
        ("socket://192.0.2.7:9100", False),
        ("", False),
    ],
)
def test_only_queues_that_speak_ipp_know_the_end_of_a_job(uri, confirms):
    assert is_confirming(uri) is confirms


ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text() | st.integers() | st.none())
NAMES = ["printer-state", "printer-state-reasons", "job-state", "job-media-sheets-completed", "time-at-processing"]


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_whatever_a_server_says_becomes_a_known_reason_and_result(attributes):
    assert printer_reason(attributes) in REASONS
    assert result_of(job_seen(attributes), confirms=True) in ("printed", "not_printed", "unknown")
