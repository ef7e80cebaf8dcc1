"""Figures for Prometheus. They are read from the services at the moment of asking; nothing is counted twice."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from fleet.services import Fleet
from fleet.store.tables import journals


def metrics_text(fleet: Fleet) -> str:
    """The exposition text."""
    registry = CollectorRegistry()
    devices = fleet.watch.devices()
    _gauge(registry, "nightwindow_broker_up", "1 while the fleet is connected to its broker", float(fleet.watch.broker_up))
    seen = Gauge("nightwindow_devices", "Devices by what is known of them", ["role", "seen"], registry=registry)
    for role in ("terminal", "evaluator"):
        for state in ("online", "offline", "unknown"):
            seen.labels(role, state).set(sum(known.role == role and known.seen == state for known in devices))
    able = Gauge(
        "nightwindow_service_able_devices", "Devices of a hall that can give a service", ["hall", "service"], registry=registry
    )
    total = Gauge(
        "nightwindow_service_devices", "Devices of a hall that should give a service", ["hall", "service"], registry=registry
    )
    for each in fleet.watch.abilities():
        able.labels(each.hall, each.service).set(each.able)
        total.labels(each.hall, each.service).set(each.total)
    incidents = Gauge("nightwindow_open_incidents", "Open incidents", ["severity"], registry=registry)
    opened = fleet.watch.incidents.list()
    for severity in ("bad", "warn", "note"):
        incidents.labels(severity).set(sum(each.severity == severity for each in opened))
    waiting = sum(known.state.waiting_entries for known in devices if known.state)
    _gauge(registry, "nightwindow_waiting_entries", "Entries that devices say are waiting to be sent", waiting)
    with fleet.store.read() as connection:
        query = select(
            func.count(), func.coalesce(func.sum(journals.c.seq), 0), func.count().filter(journals.c.state == "quarantined")
        )
        count, entries, quarantined = connection.execute(query.select_from(journals)).one()
    _gauge(registry, "nightwindow_journals", "Journals in custody", count)
    _gauge(registry, "nightwindow_entries", "Entries in custody", entries)
    _gauge(registry, "nightwindow_journals_quarantined", "Journals that forked", quarantined)
    today = fleet.ratings.today()
    tally = fleet.ratings.total(today, today, supervised=False)
    _gauge(registry, "nightwindow_ratings_today", "Ratings of today that count", tally.rated)
    _gauge(registry, "nightwindow_services_today", "Services given today", tally.services)
    return generate_latest(registry).decode()


def _gauge(registry: CollectorRegistry, name: str, text: str, value: float) -> None:
    Gauge(name, text, registry=registry).set(value)
