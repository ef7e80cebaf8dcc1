"""The API's answers, made of what the services give."""

from typing import Any

import msgspec

from fleet.api import bodies
from fleet.ratings.figures import Group
from fleet.ratings.rules import LEVELS, Tally
from fleet.watch.ability import services_of
from fleet.watch.messages import words
from fleet.watch.model import Known


def figures(group: Group) -> bodies.Figures:
    """A group as the API gives it."""
    tally: Tally = group.tally
    return bodies.Figures(
        value=group.value,
        hall=group.hall,
        first_day=group.first,
        last_day=group.last,
        n=tally.rated,
        shown=tally.shown,
        services=tally.services,
        levels={str(level): tally.levels.get(level, 0) for level in LEVELS},
        satisfaction=tally.satisfaction,
        interval=tally.interval,
        negative_rate=tally.negative_rate,
        excluded=tally.excluded,
        satisfaction_without=tally.satisfaction_without,
        participation=tally.participation,
        not_rated=tally.not_rated,
        uninvited=tally.uninvited,
    )


def device_out(known: Known) -> bodies.DeviceOut:
    """A device as the API gives it."""
    return bodies.DeviceOut(
        name=known.device,
        role=known.role,
        hall=known.hall,
        window=known.window,
        label=known.label.get("zh", ""),
        seen=known.seen,
        since_ms=known.since_ms,
        heard_ms=known.heard_ms,
        out_of_service={service: reason for service, (able, reason) in services_of(known).items() if not able},
        software=known.state.software if known.state else "",
        waiting_entries=known.state.waiting_entries if known.state else None,
    )


def incident_out(incident: Any) -> bodies.IncidentOut:
    """An incident as the API gives it, with words for systems that show it."""
    fields = {name: getattr(incident, name) for name in bodies.IncidentOut.model_fields if hasattr(incident, name)}
    return bodies.IncidentOut(
        **msgspec.to_builtins(fields),
        reason_zh=words(incident.reason, incident.args, language="zh"),
        reason_en=words(incident.reason, incident.args, language="en"),
        next_step_zh=words(incident.next_step, language="zh"),
        next_step_en=words(incident.next_step, language="en"),
    )
