"""What is wrong now, grouped by cause: one uplink down is one incident and not forty. Pure rules over `Known` devices."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fleet.watch.ability import device_blocker
from fleet.watch.model import Cause, Known, Severity, by_fleet_clock
from fleet.watch.part_names import place_of, service_of
from wire.messages import DeviceState, PartHealth

SETTLE_MS = 20_000
"""A device may be away this long (a restart, a new connection) before anybody is told: no floods of false alarms."""
APPLY_MS = 300_000
"""How long a connected device may take to apply what the fleet wants of it."""
BACKLOG = 500
"""Entries waiting in a connected device that are more than a normal delay."""
LOW_EVIDENCE = 0.1
PAPER_SOON_MS = 2 * 86_400_000
LOW_DISK_MB = 200
HOT_C = 80


def causes(devices: Iterable[Known], *, now_ms: int, broker_up: bool, broker_since_ms: int) -> list[Cause]:
    """Everything that is wrong now, worst first, one `Cause` for all devices that share it.

    Without a broker the fleet is blind: that is one cause, and no device is blamed for it.
    """
    known = list(devices)
    if not broker_up:
        return [_make("broker", "broker.down", "bad", "", known, broker_since_ms, "next.start_broker")]
    found = _silent(known, now_ms) + _grouped(known, now_ms)
    order = {"bad": 0, "warn": 1, "note": 2}
    return sorted(found, key=lambda cause: (order[cause.severity], cause.since_ms, cause.key))


def _grouped(devices: Iterable[Known], now_ms: int) -> list[Cause]:
    """What connected devices report, one cause for all devices of a hall that have it and lose the same service by it."""
    groups: dict[str, list[Cause]] = {}
    for known in devices:
        if known.seen == "online" and known.state is not None:
            for cause in _of_device(known, now_ms):
                key = f"{cause.reason}@{cause.hall}" + (f"/{cause.service}" if cause.service else "")
                # Two printers of one device are two matters; printers of many devices that are called alike are one.
                part = cause.args.get("part", "")
                key += f"#{part}" if place_of(part) else ""
                groups.setdefault(key, []).append(cause)
    return [
        msgspec.structs.replace(
            min(alike, key=lambda cause: cause.since_ms),
            key=key,
            devices=tuple(sorted({cause.devices[0] for cause in alike})),
        )
        for key, alike in groups.items()
    ]


def _make(kind: str, reason: str, severity: Severity, hall: str, members: Sequence[Known], since_ms: int, next_step: str) -> Cause:
    return Cause(
        key=f"{reason}@{hall}",
        kind=kind,
        severity=severity,
        hall=hall,
        devices=tuple(sorted(each.device for each in members)),
        reason=reason,
        next_step=next_step,
        since_ms=since_ms,
    )


def _silent(known: Sequence[Known], now_ms: int) -> list[Cause]:
    """Devices that are away, one cause a hall: the whole hall at once means its uplink, not its devices."""
    halls: dict[str, list[Known]] = {}
    for each in known:
        halls.setdefault(each.hall, []).append(each)
    found = []
    for hall, members in halls.items():
        away = [
            each for each in members if each.seen != "online" and each.heard_ms is not None and now_ms - each.since_ms >= SETTLE_MS
        ]
        never = [each for each in members if each.heard_ms is None and now_ms - each.since_ms >= SETTLE_MS]
        if never:
            found.append(
                _make(
                    "offline", "device.never_heard", "warn", hall, never, min(e.since_ms for e in never), "next.check_power_network"
                )
            )
        if not away:
            continue
        since = min(each.since_ms for each in away)
        if len(away) == len(members) >= 2:
            found.append(_make("uplink", "hall.unreachable", "bad", hall, away, since, "next.check_uplink"))
            continue
        for seen, reason in (("offline", "device.offline"), ("unknown", "device.silent")):
            if group := [each for each in away if each.seen == seen]:
                found.append(
                    _make("offline", reason, "bad", hall, group, min(e.since_ms for e in group), "next.check_power_network")
                )
    return found


def _of_device(known: Known, now_ms: int) -> Iterator[Cause]:
    """The causes one connected device reports, each as if it were alone."""
    state = known.state
    assert state is not None
    yield from _of_face(known, state, now_ms)
    yield from _of_parts(known, state, now_ms)
    yield from _of_records(known, state)
    yield from _of_wishes(known, state, now_ms)
    yield from _of_supplies(known, state, now_ms)


def _cause(
    known: Known, kind: str, reason: str, severity: Severity, since_ms: int, next_step: str, /, *, service: str = "", **args: str
) -> Cause:
    return Cause(
        key=f"{reason}@{known.device}",
        kind=kind,
        severity=severity,
        hall=known.hall,
        devices=(known.device,),
        reason=reason,
        next_step=next_step,
        since_ms=since_ms,
        args=args,
        service=service,
    )


def _of_face(known: Known, state: DeviceState, now_ms: int) -> Iterator[Cause]:
    """A face that restarts is away for some seconds; a hung one was waited for by the agent already."""
    since_ms = by_fleet_clock(known, state.face_since_ms, now_ms)
    settles = state.face in ("starting", "down") and now_ms - since_ms < SETTLE_MS
    if (blocker := device_blocker(known)) and not settles:
        service = "rating" if known.role == "evaluator" else "query"
        yield _cause(known, "face", blocker, "bad", since_ms, "next.restart_face", service=service)


def _of_parts(known: Known, state: DeviceState, now_ms: int) -> Iterator[Cause]:
    for part in state.parts:
        if part.state in ("down", "degraded"):
            reason, step = part.reason or f"part.{part.state}", part.next_step or "next.look"
            since_ms = by_fleet_clock(known, part.since_ms, now_ms)
            yield _cause(known, "part", reason, "bad" if part.state == "down" else "warn", since_ms, step, **_part(part))


def _of_records(known: Known, state: DeviceState) -> Iterator[Cause]:
    since_ms = known.state_ms
    if state.evidence_free <= 0:
        yield _cause(known, "evidence", "evidence.full", "bad", since_ms, "next.check_archive", service="rating")
    elif state.evidence_free < LOW_EVIDENCE:
        free = f"{state.evidence_free:.0%}"
        yield _cause(known, "evidence", "evidence.low", "warn", since_ms, "next.check_archive", free=free)
    if state.clock_trust == 0:
        yield _cause(known, "clock", "clock.untrusted", "warn", since_ms, "next.clock_repairs")
    for reason, count, most in (
        ("custody.backlog", state.waiting_entries, BACKLOG),
        ("custody.dropped", state.dropped_entries, 0),
    ):
        if count > most:
            yield _cause(known, "custody", reason, "warn", since_ms, "next.check_ingest", entries=str(count))


def _of_wishes(known: Known, state: DeviceState, now_ms: int) -> Iterator[Cause]:
    since_ms, content = known.wanted_since_ms, known.wanted_content
    if now_ms - since_ms < APPLY_MS:
        return
    if known.wanted_configuration > state.configuration_version:
        yield _cause(known, "configuration", "configuration.pending", "warn", since_ms, "next.apply_configuration")
    if content and content != state.content_version:
        yield _cause(known, "content", "content.pending", "warn", since_ms, "next.pull_content", version=content)


def _of_supplies(known: Known, state: DeviceState, now_ms: int) -> Iterator[Cause]:
    since_ms = known.state_ms
    if known.paper_empty_ms is not None and known.paper_empty_ms - now_ms < PAPER_SOON_MS:
        yield _cause(known, "paper", "paper.soon", "note", since_ms, "next.bring_paper", service="print")
    if (disk := state.levels.get("disk_free_mb")) is not None and disk < LOW_DISK_MB:
        yield _cause(known, "disk", "disk.low", "warn", since_ms, "next.free_disk", free=f"{disk:.0f} MB")
    if (heat := state.levels.get("cpu_temperature_c")) is not None and heat > HOT_C:
        yield _cause(known, "heat", "cpu.hot", "warn", since_ms, "next.cool", temperature=f"{heat:.0f} °C")


def _part(part: PartHealth) -> dict[str, str]:
    """Arguments of a part's cause; what a device sent may not shadow the names that are the fleet's own."""
    args = {key: value for key, value in part.args.items() if key not in ("service", "part")}
    return args | {"service": service_of(part.part), "part": part.part}
