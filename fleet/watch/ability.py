"""Which services a hall can give now ("三楼不能打印"), from the health of devices and their parts. Pure rules.

A service is counted a device that should give it; a part a device does not have is no service of it. What has not been
heard from cannot be called able.
"""

from collections.abc import Iterable

from fleet.watch.model import Ability, Known
from fleet.watch.part_names import service_of
from wire.messages import PartHealth

SERVICES = ("query", "print", "id_card", "rating")
"""查询 · 打印 · 读证 · 评价, in the order in which pages show them."""
_PART_SERVICES = ("print", "id_card")
_ROLE_SERVICE = {"terminal": "query", "evaluator": "rating"}


def services_of(known: Known) -> dict[str, tuple[bool, str]]:
    """Whether a device can do each of its services now, with the message id of the reason if it cannot.

    A terminal gives `query` and what its parts allow; an evaluator gives `rating`, by touch even with broken buttons.
    """
    blocker = device_blocker(known)
    found = {_ROLE_SERVICE[known.role]: (not blocker, blocker)}
    if known.role == "evaluator" and not blocker and known.state and known.state.evidence_free <= 0:
        found["rating"] = (False, "evidence.full")
    for part in known.state.parts if known.state else ():
        service = service_of(part.part)
        if service in _PART_SERVICES and part.state != "absent":
            reason = blocker or _part_blocker(part)
            # With two printers one that works is enough.
            if reason == "" or service not in found:
                found[service] = (not reason, reason)
    return found


def device_blocker(known: Known) -> str:
    """Why nothing of this device can be used, as a message id; empty when its face is up and it is heard from."""
    if known.seen == "offline":
        return "device.offline"
    if known.seen == "unknown" or known.state is None:
        return "device.silent"
    return "" if known.state.face == "up" else f"face.{known.state.face}"


def _part_blocker(part: PartHealth) -> str:
    return "" if part.state in ("ok", "degraded") else (part.reason or f"part.{part.state}")


def abilities(devices: Iterable[Known]) -> list[Ability]:
    """The services of every hall, halls by key and services in their fixed order."""
    groups: dict[tuple[str, int], list[tuple[Known, bool, str]]] = {}
    for known in devices:
        for service, (able, reason) in services_of(known).items():
            groups.setdefault((known.hall, SERVICES.index(service)), []).append((known, able, reason))
    return [
        Ability(
            hall=hall,
            hall_name=members[0][0].hall_name,
            service=SERVICES[order],
            able=sum(able for _, able, _ in members),
            unknown=sum(reason == "device.silent" for _, _, reason in members),
            total=len(members),
            reasons=tuple(sorted({reason for _, _, reason in members if reason})),
        )
        for (hall, order), members in sorted(groups.items(), key=lambda item: item[0])
    ]
