"""A small run of the print jobs under scripted faults, and that its judge would catch a driver that lies."""

import pytest
from faults.hal_printing import judged, run

from hal.api import Outcome, PrinterStatus

STATUS = PrinterStatus(answered=True)
WHOLE = (["begin a", "end a"], True)
HANGING = (["begin a", "end a"], False)
HALF = (["begin a"], False)


def told(result, reason="printer.paper_out", **more):
    return Outcome("a", result, reason, STATUS, STATUS, **more)


def test_forty_jobs_under_faults_agree_with_the_paper():
    account = run(40, 7)
    assert account.disagreements == []
    assert sum(account.results.values()) == 40
    assert min(account.results[result] for result in ("printed", "not_printed", "unknown")) > 2


@pytest.mark.parametrize(
    ("outcome", "fault", "pieces"),
    [
        (told("printed", cut=True), "none", []),
        (told("printed", cut=True), "none", [HALF]),
        (told("printed", cut=True), "jam", [HANGING]),
        (told("printed", cut=True), "none", [WHOLE, WHOLE]),
        (told("printed", cut=True), "none", [(["begin b", "begin a", "end a"], True)]),
        (told("not_printed"), "paper out", [WHOLE]),
        (told("not_printed"), "paper out", [HALF]),
        (told("not_printed", "printer.silent"), "paper out", []),
        (told("unknown"), "none", [WHOLE]),
        (told("unknown"), "jam", [HANGING]),
    ],
)
def test_an_outcome_that_disagrees_with_the_paper_is_caught(outcome, fault, pieces):
    assert judged(outcome, fault, "a", pieces)


@pytest.mark.parametrize(
    ("outcome", "fault", "pieces"),
    [
        (told("printed", cut=True), "none", [WHOLE]),
        (told("printed"), "jam", [HANGING]),
        (told("not_printed", partial=True), "paper out", [HALF]),
        (told("not_printed"), "already out", []),
        (told("unknown"), "silent", [HALF]),
    ],
)
def test_an_outcome_that_agrees_with_the_paper_is_accepted(outcome, fault, pieces):
    assert judged(outcome, fault, "a", pieces) == ""
