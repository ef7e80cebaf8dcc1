"""Drawing cases to call: by quota, in proportion over groups, and so that anybody with list and seed draws the same. Pure."""

import hashlib
import math
from collections.abc import Sequence

from msgspec import Struct

from fleet.access.errors import Explained

MOST_CASES = 200_000


class DrawRefused(Explained):
    """A drawing that cannot be made; it says why."""


class Case(Struct, frozen=True, kw_only=True):
    """A case that may be called: its number, and what is told of it. No personal data."""

    ref: str
    item: str = ""
    window: str = ""
    day: str = ""


def draw(cases: Sequence[Case], quota: float, *, seed: str) -> list[Case]:
    """Draw cases: `quota` below 1 is a share (rounded up), else a number. Groups are items, each drawn in proportion.

    Cases are ordered by SHA-256(seed, ref), so neither the list's order nor this program decides who is called.
    Raises DrawRefused for an empty or ambiguous list, or a quota it cannot give.
    """
    if not 1 <= len(cases) <= MOST_CASES or len({case.ref for case in cases}) != len(cases):
        raise DrawRefused(
            f"名单有 {len(cases)} 件，应为 1–{MOST_CASES} 件且编号不重复",
            f"the list has {len(cases)} cases; it needs 1–{MOST_CASES:,}, each number once",
        )
    if not (quota > 0 and math.isfinite(quota) and (quota < 1 or quota == int(quota))) or quota > len(cases):
        raise DrawRefused(
            f"抽查数量是 {quota}，应为 0–1 的比例或不超过 {len(cases)} 的整数",
            f"the quota is {quota}; give a share below 1 or a whole number up to {len(cases)}",
        )
    # 1e-9: a share typed as 0.239 is not a hair above it.
    wanted = math.ceil(quota * len(cases) - 1e-9) if quota < 1 else int(quota)
    groups: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: rank(seed, case.ref)):
        groups.setdefault(case.item, []).append(case)
    shares = apportion({name: len(group) for name, group in groups.items()}, wanted)
    drawn = [case for name, group in groups.items() for case in group[: shares[name]]]
    return sorted(drawn, key=lambda case: rank(seed, case.ref))


def rank(seed: str, ref: str) -> bytes:
    """Where a case stands in the order of drawing."""
    return hashlib.sha256(f"nightwindow/1/revisit\0{seed}\0{ref}".encode()).digest()


def apportion(sizes: dict[str, int], wanted: int) -> dict[str, int]:
    """Divide `wanted` among groups in proportion to their sizes, by largest remainders; never more than a group has."""
    whole = sum(sizes.values())
    shares = {name: wanted * size // whole for name, size in sizes.items()}
    left = wanted - sum(shares.values())
    rest = sorted(sizes, key=lambda name: (-(wanted * sizes[name] % whole), name))
    for name in rest[:left]:
        shares[name] += 1
    return shares


def digest(cases: Sequence[Case]) -> str:
    """What a list is known by: SHA-256 over its sorted case numbers."""
    return hashlib.sha256("\n".join(sorted(case.ref for case in cases)).encode()).hexdigest()
