"""`./run faults hal`: what devices send, print, read and press under faults, counted against what really was.

Every parser is fuzzed, print jobs are compared with the paper that came out, card reads with the cards that lay there, and
bouncing presses with those that were made. Numbers grow with `size`: 1,000 means 10,000,000 bytes for each parser, 1,000 print
jobs, 1,000 card reads, 10,000 presses.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import click
import hal_cards
import hal_fuzz
import hal_presses
import hal_printing
from hal_targets import TARGETS

MOST_S_PER_MEGABYTE = 120.0
AT_ONCE = 2


class Verdict(NamedTuple):
    """One part of the run: whether it held, and the figures in words."""

    held: bool
    told: str


def run(size: int, seed: int) -> list[Verdict]:
    """All parts, one after the other; what does not hold is printed as it is found."""
    return [part(size, seed) for part in (parsers, paper, cards, presses)]


def parsers(size: int, _: int) -> Verdict:
    """Fuzzing: at least `size` times 10,000 bytes for each parser, and every branch."""
    total = size * 10_000
    most_s = max(60.0, total / 1e6 * MOST_S_PER_MEGABYTE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda name: hal_fuzz.fuzz(name, total_bytes=total, most_s=most_s), TARGETS))
    for one in found:
        click.echo(f"  {one['name']}: {one['bytes']:,} bytes in {one['runs']:,} inputs, {one['seconds']:.0f} s")
        _explain(one["name"], [one["failure"]] if one["failure"] else [f"never reached: {each}" for each in one["unreached"]])
    failed = [one["name"] for one in found if one["failure"] or one["unreached"] or one["bytes"] < total]
    fed = sum(one["bytes"] for one in found)
    return Verdict(not failed, f"{len(found)} parsers took {fed:,} bytes, {_broken(failed) or 'every branch reached'}")


def paper(size: int, seed: int) -> Verdict:
    """Print jobs under faults: the outcome told agrees with the paper."""
    account = hal_printing.run(size, seed)
    _explain("paper", account.disagreements)
    results = ", ".join(f"{count} {result}" for result, count in account.results.most_common())
    return Verdict(not account.disagreements, f"{account.jobs} print jobs ({results}), {len(account.disagreements)} told wrongly")


def cards(size: int, seed: int) -> Verdict:
    """Card reads under noise: right data or a clear error."""
    account = hal_cards.run(size, seed)
    told = f"{account.right} right, {account.errors} clear errors, {account.unseen} unseen, {account.wrong} wrong"
    return Verdict(account.holds, f"{account.reads} card reads: {told}")


def presses(size: int, seed: int) -> Verdict:
    """Bouncing presses: all counted once; a debouncer that is too quick is the control that must miscount."""
    account = hal_presses.run(size * 10, seed)
    _explain("presses", account.wrong)
    control = hal_presses.run(200, seed, settle_ms=1.0)
    made, counted = sum(account.made.values()), sum(account.counted.values())
    told = (
        f"{made:,} bouncing presses, {counted:,} counted; the control that settles too soon miscounted {len(control.wrong)} buttons"
    )
    return Verdict(not account.wrong and bool(control.wrong), told)


def _explain(what: str, wrong: list[str]) -> None:
    for line in wrong[:20]:
        click.echo(f"  {what}: {line}")


def _broken(names: list[str]) -> str:
    return f"FAILED: {', '.join(names)}" if names else ""
