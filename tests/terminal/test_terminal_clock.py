"""A clock that was never set: the terminal shows no time, prints no date and calls no card expired by it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hal.api import CardPresent, Health, Outcome, PrinterStatus
from hal.paper import Text
from runtime.clock import NOT_AFTER_MS, NOT_BEFORE_MS, FakeClock, is_set
from terminal.content import PackContent
from terminal.flow.clock import DeviceClock
from terminal.flow.ports import Sheet, Subject
from terminal.hardware import Printing, Senses, has_expired
from terminal.wording import Wording

PASSPORT = "11999999MB0000027M4000102002000"
NOON = 1_795_320_000_000
NEVER_SET = 86_400_000
"""The second of January 1970, as a board without a battery shows it a day after its start."""


@pytest.mark.parametrize(
    ("wall_ms", "known"),
    [(0, False), (NEVER_SET, False), (NOT_BEFORE_MS - 1, False), (NOT_BEFORE_MS, True), (NOON, True), (NOT_AFTER_MS + 1, False)],
)
def test_the_time_is_known_from_the_first_day_the_product_can_have_been_set_on(wall_ms: int, known: bool) -> None:
    assert is_set(wall_ms) is known
    assert (DeviceClock(FakeClock(wall_ms)).known() is not None) is known


def test_the_time_is_known_as_soon_as_the_fleet_has_repaired_the_clock() -> None:
    clock = FakeClock(NEVER_SET)
    shown = DeviceClock(clock)
    assert shown.known() is None
    clock.repair(NOON, clock.mono_ms)
    assert shown.known() == datetime.fromtimestamp(NOON / 1000, tz=UTC)


class Printer:
    """Takes sheets and prints them at once."""

    columns, width_dots = 48, 576

    def __init__(self) -> None:
        self.lines: list[str] = []

    def health(self) -> Health:
        return Health("ok", "hal.ok", "next.nothing", 0)

    def submit(self, job: Any, done: Any) -> None:
        self.lines = [block.line for block in job.blocks if isinstance(block, Text)]
        known = PrinterStatus(answered=True, online=True, paper="ok")
        done(Outcome(job.id, "printed", "", known, known, cut=True))


@pytest.mark.parametrize(("wall_ms", "dated"), [(NEVER_SET, False), (NOON, True)])
@pytest.mark.parametrize("merged", [False, True])
def test_a_notice_bears_a_date_only_when_the_clock_was_set(
    content: PackContent, wording: Wording, wall_ms: int, dated: bool, merged: bool
) -> None:
    printer, outcomes = Printer(), []
    printing = Printing(
        SimpleNamespace(every=lambda kind: [printer]), post=lambda call: bool(call()) or True, wording=wording,  # type: ignore[arg-type]
        clock=DeviceClock(FakeClock(wall_ms)), content=lambda: content,
    )  # fmt: skip
    scenario = content.scenarios()[0]
    subject = Subject(scenario=scenario.code, situation=scenario.situations[0].id) if merged else Subject(code=PASSPORT)
    printing.send(
        Sheet(job_id="0" * 32, subject=subject, language="zh", ticked=frozenset()), lambda *told: outcomes.append(told[1])
    )
    assert outcomes == ["printed"]
    assert any(line.startswith("出具日期") for line in printer.lines) is dated
    assert not any("1970" in line for line in printer.lines)


@pytest.mark.parametrize(
    ("valid_to", "now", "expired"),
    [
        ("20261122", datetime(2026, 11, 22, 23, 59, tzinfo=UTC), False),
        ("20261121", datetime(2026, 11, 22, 0, 0, tzinfo=UTC), True),
        ("long", datetime(2026, 11, 22, tzinfo=UTC), False),
        ("20000101", None, False),
        ("long", None, False),
    ],
)
def test_a_card_is_called_expired_only_by_a_clock_that_was_set(valid_to: str, now: datetime | None, expired: bool) -> None:
    assert has_expired(valid_to, now) is expired


@pytest.mark.parametrize(("wall_ms", "expired"), [(NEVER_SET, False), (NOON, True)])
def test_an_old_card_is_welcome_while_nobody_knows_the_day(wall_ms: int, expired: bool) -> None:
    told: list[bool] = []
    visit = SimpleNamespace(card_present=lambda card, reader: told.append(card.expired))
    senses = Senses(
        visit,
        post=lambda call: bool(call()) or True,
        clock=DeviceClock(FakeClock(wall_ms)),
        on_health=lambda: None,
        power=SimpleNamespace(),  # type: ignore[arg-type]
    )
    senses.event("id_card", CardPresent(card=SimpleNamespace(name="张三", valid_to="20200101")))  # type: ignore[call-arg, arg-type]
    assert told == [expired]
