"""What is wrong now, grouped by cause: one uplink down is one incident and not forty. Pure rules over `Known` devices."""

from collections.abc import Iterable, Sequence

from fleet.watch.ability import device_blocker
from fleet.watch.model import Cause, Known, Severity
from wire.messages import PartHealth

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

_PART_SERVICE = {"printer": "print", "id_card": "id_card", "buttons": "rating"}


def causes(devices: Iterable[Known], *, now_ms: int, broker_up: bool, broker_since_ms: int) -> list[Cause]:
    """Everything that is wrong now, worst first, one `Cause` for all devices that share it.

    Without a broker the fleet is blind: that is one cause, and no device is blamed for it.
    """
    known = list(devices)
    if not broker_up:
        return [_make("broker", "broker.down", "bad", "", known, broker_since_ms, "next.start_broker")]
    found = _silent(known, now_ms)
    grouped: dict[tuple[str, str], tuple[Cause, list[str]]] = {}
    for each in known:
        if each.seen != "online" or each.state is None:
            continue
        for cause in _of_device(each, now_ms):
            first, members = grouped.setdefault((cause.hall, cause.reason), (cause, []))
            members.append(each.device)
            if cause.since_ms < first.since_ms:
                grouped[cause.hall, cause.reason] = (cause, members)
    for (hall, reason), (cause, members) in grouped.items():
        found.append(
            Cause(
                key=f"{reason}@{hall}",
                kind=cause.kind,
                severity=cause.severity,
                hall=hall,
                devices=tuple(sorted(set(members))),
                reason=reason,
                next_step=cause.next_step,
                since_ms=cause.since_ms,
                args=cause.args,
                service=cause.service,
            )
        )
    order = {"bad": 0, "warn": 1, "note": 2}
    return sorted(found, key=lambda cause: (order[cause.severity], cause.since_ms, cause.key))


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


def _of_device(known: Known, now_ms: int) -> list[Cause]:
    """The causes one connected device reports, each as if it were alone."""
    state = known.state
    assert state is not None
    found: list[Cause] = []

    def add(kind: str, reason: str, severity: Severity, since_ms: int, next_step: str, *, service: str = "", **args: str) -> None:
        key = f"{reason}@{known.device}"
        found.append(
            Cause(
                key=key,
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
        )

    service = "rating" if known.role == "evaluator" else "query"
    if (blocker := device_blocker(known)) and (state.face != "starting" or now_ms - state.face_since_ms >= SETTLE_MS):
        add("face", blocker, "bad", state.face_since_ms, "next.restart_face", service=service)
    for part in state.parts:
        if part.state in ("down", "degraded"):
            add(
                "part",
                part.reason or f"part.{part.state}",
                _part_severity(part),
                part.since_ms,
                part.next_step or "next.look",
                **_part(part),
            )
    if state.evidence_free <= 0:
        add("evidence", "evidence.full", "bad", state.at_ms, "next.check_archive", service="rating")
    elif state.evidence_free < LOW_EVIDENCE:
        add("evidence", "evidence.low", "warn", state.at_ms, "next.check_archive", free=f"{state.evidence_free:.0%}")
    if state.clock_trust == 0:
        add("clock", "clock.untrusted", "warn", state.at_ms, "next.clock_repairs")
    if state.waiting_entries > BACKLOG:
        add("custody", "custody.backlog", "warn", state.at_ms, "next.check_ingest", entries=str(state.waiting_entries))
    if state.dropped_entries:
        add("custody", "custody.dropped", "warn", state.at_ms, "next.check_ingest", entries=str(state.dropped_entries))
    if now_ms - known.wanted_since_ms >= APPLY_MS:
        if known.wanted_configuration > state.configuration_version:
            add("configuration", "configuration.pending", "warn", known.wanted_since_ms, "next.apply_configuration")
        if known.wanted_content and known.wanted_content != state.content_version:
            add("content", "content.pending", "warn", known.wanted_since_ms, "next.pull_content", version=known.wanted_content)
    if known.paper_empty_ms is not None and known.paper_empty_ms - now_ms < PAPER_SOON_MS:
        add("paper", "paper.soon", "note", state.at_ms, "next.bring_paper", service="print")
    if (disk := state.levels.get("disk_free_mb")) is not None and disk < LOW_DISK_MB:
        add("disk", "disk.low", "warn", state.at_ms, "next.free_disk", free=f"{disk:.0f} MB")
    if (heat := state.levels.get("cpu_temperature_c")) is not None and heat > HOT_C:
        add("heat", "cpu.hot", "warn", state.at_ms, "next.cool", temperature=f"{heat:.0f} °C")
    return found


def _part_severity(part: PartHealth) -> Severity:
    return "bad" if part.state == "down" else "warn"


def _part(part: PartHealth) -> dict[str, str]:
    """Arguments of a part's cause; what a device sent may not shadow the names that are the fleet's own."""
    own = {"kind", "reason", "severity", "since_ms", "next_step"}
    return {"service": _PART_SERVICE.get(part.part, ""), "part": part.part} | {
        key: value for key, value in part.args.items() if key not in own | {"service", "part"}
    }
