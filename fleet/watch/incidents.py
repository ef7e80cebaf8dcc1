"""Incidents: opened, updated and closed as causes come and go; taken and closed by people."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, and_, case, func, insert, select, update

from fleet.access import audit
from fleet.access.errors import Explained
from fleet.store import Store
from fleet.store.tables import findings
from fleet.watch.model import Cause, Severity
from fleet.watch.tables import incidents

FINDING_STEPS: dict[str, tuple[Severity, str]] = {
    "unknown_device": ("warn", "next.find_device"),
    "revoked_device": ("warn", "next.find_device"),
    "wrong_identity": ("bad", "next.secure_device"),
    "bad_signature": ("bad", "next.secure_device"),
    "fork": ("bad", "next.secure_device"),
    "shelved": ("note", "next.upgrade_fleet"),
    "clock": ("warn", "next.clock_repairs"),
    "gap": ("note", "next.wait"),
    "rewound": ("note", "next.wait"),
}
"""Severity and next step of ingest's findings; all others are warnings for the supplier."""


class WatchError(Explained):
    """A change of an incident that cannot be made; it says why."""


class Incident(Struct, frozen=True, kw_only=True):
    """One incident as pages and API show it."""

    no: int
    key: str
    kind: str
    severity: Severity
    hall: str
    devices: tuple[str, ...]
    reason: str
    next_step: str
    args: dict[str, str]
    service: str
    since_ms: int
    opened_ms: int
    updated_ms: int
    closed_ms: int | None
    closed_by: str | None
    taken_by: str | None
    taken_ms: int | None
    finding_no: int | None = None


class Incidents:
    """Open and past incidents. `hall_of` names the hall a device stands in; `on_act` hears of a person's take or close."""

    def __init__(
        self,
        store: Store,
        *,
        hall_of: Callable[[str], str],
        clock_ms: Callable[[], int],
        on_act: Callable[[Connection, str, str, Any], None] = lambda _connection, _action, _by, _row: None,
    ) -> None:
        self._store = store
        self._hall_of = hall_of
        self._clock_ms = clock_ms
        self._on_act = on_act

    def settle(self, found: list[Cause], *, blind: bool) -> bool:
        """Bring the open incidents in line with the causes and with ingest's findings; True when any changed.

        While the fleet is blind nothing is closed: unknown is not well.
        """
        now = self._clock_ms()
        with self._store.write() as connection:
            return self._settle(connection, found, now, blind=blind) | self._settle_findings(connection, now)

    def _settle(self, connection: Connection, found: list[Cause], now: int, *, blind: bool) -> bool:
        still = and_(incidents.c.closed_ms.is_(None), incidents.c.finding_no.is_(None))
        rows = {row.key: row for row in connection.execute(select(incidents).where(still))}
        changed = False
        for cause in found:
            values = {
                "severity": cause.severity,
                "devices": list(cause.devices),
                "args": cause.args,
                "next_step": cause.next_step,
            }
            row = rows.pop(cause.key, None)
            if row is None:
                connection.execute(insert(incidents).values(**values, **_fixed(cause), opened_ms=now, updated_ms=now))
                changed = True
            elif any(getattr(row, name) != value for name, value in values.items()):
                connection.execute(update(incidents).where(incidents.c.no == row.no).values(**values, updated_ms=now))
                changed = True
        gone = [row.no for row in rows.values() if not blind or row.kind == "broker"]
        if gone:
            connection.execute(update(incidents).where(incidents.c.no.in_(gone)).values(closed_ms=now, updated_ms=now))
        return changed or bool(gone)

    def _settle_findings(self, connection: Connection, now: int) -> bool:
        """Findings of ingest become incidents that a person closes; one that goes on after that opens another."""
        changed = False
        here = select(incidents.c.finding_no).where(incidents.c.finding_no.is_not(None))
        closed = here.add_columns(func.max(incidents.c.finding_count).label("seen")).where(incidents.c.closed_ms.is_not(None))
        done = {row.finding_no: row.seen for row in connection.execute(closed.group_by(incidents.c.finding_no))}
        opened = here.add_columns(incidents.c.no, incidents.c.finding_count).where(incidents.c.closed_ms.is_(None))
        live = {row.finding_no: row for row in connection.execute(opened)}
        # A row has a method named count, so the column goes by another name.
        for row in connection.execute(select(findings, findings.c.count.label("seen")).order_by(findings.c.no)):
            if (known := live.get(row.no)) is not None:
                if known.finding_count != row.seen:
                    values = {"finding_count": row.seen, "updated_ms": now, "args": _finding_args(row)}
                    connection.execute(update(incidents).where(incidents.c.no == known.no).values(**values))
                    changed = True
            elif row.seen > done.get(row.no, 0):
                self._open_finding(connection, row, now)
                changed = True
        return changed

    def _open_finding(self, connection: Connection, row: Any, now: int) -> None:
        severity, step = FINDING_STEPS.get(row.kind, ("warn", "next.report_supplier"))
        connection.execute(
            insert(incidents).values(
                key=f"finding.{row.no}",
                kind="finding",
                severity=severity,
                hall=self._hall_of(row.device),
                devices=[row.device],
                reason=f"finding.{row.kind}",
                next_step=step,
                args=_finding_args(row),
                service="",
                since_ms=row.first_ms,
                opened_ms=now,
                updated_ms=now,
                finding_no=row.no,
                finding_count=row.seen,
            )
        )

    def list(self, *, is_open: bool | None = True, limit: int = 200) -> list[Incident]:
        """Incidents, open ones worst first and then newest first; with `is_open` None, closed ones too."""
        query = select(*(incidents.c[field] for field in Incident.__struct_fields__))
        if is_open is not None:
            query = query.where(incidents.c.closed_ms.is_(None) if is_open else incidents.c.closed_ms.is_not(None))
        worst = case({"bad": 0, "warn": 1, "note": 2}, value=incidents.c.severity, else_=3)
        order = (incidents.c.closed_ms.is_not(None), case((incidents.c.closed_ms.is_(None), worst), else_=0), incidents.c.no.desc())
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(*order).limit(limit)).mappings().all()
        return [Incident(**(dict(row) | {"devices": tuple(row["devices"])})) for row in rows]

    def get(self, no: int) -> Incident | None:
        """One incident by its number, or None."""
        query = select(*(incidents.c[field] for field in Incident.__struct_fields__)).where(incidents.c.no == no)
        with self._store.read() as connection:
            row = connection.execute(query).mappings().first()
        return Incident(**(dict(row) | {"devices": tuple(row["devices"])})) if row else None

    def take(self, no: int, *, by: str, address: str = "") -> None:
        """Somebody takes an incident on; a call for help then tells its visitor. Raises WatchError when it is closed or taken."""
        self._act(no, by=by, address=address, action="incident.take", values={"taken_by": by, "taken_ms": self._clock_ms()})

    def release(self, no: int, *, by: str, address: str = "") -> None:
        """Give an incident back."""
        self._act(no, by=by, address=address, action="incident.release", values={"taken_by": None, "taken_ms": None})

    def close(self, no: int, *, by: str, address: str = "") -> None:
        """Close an incident that does not go away by itself (a finding, a call for help). Raises WatchError for the others."""
        incident = self.get(no)
        if incident is not None and incident.kind not in ("finding", "help"):
            raise WatchError("原因消除后此告警会自动关闭", "this incident closes by itself when its cause is gone")
        self._act(no, by=by, address=address, action="incident.close", values={"closed_by": by, "closed_ms": self._clock_ms()})

    def _act(self, no: int, *, by: str, address: str, action: str, values: dict[str, Any]) -> None:
        with self._store.write() as connection:
            row = connection.execute(select(incidents).where(incidents.c.no == no)).first()
            if row is None or row.closed_ms is not None:
                raise WatchError(f"告警 {no} 已经关闭，请刷新页面", f"incident {no} is closed already; reload the page")
            if action == "incident.take" and row.taken_by not in (None, by):
                raise WatchError(f"{row.taken_by} 已接单", f"{row.taken_by} has taken incident {no} already")
            connection.execute(update(incidents).where(incidents.c.no == no).values(**values, updated_ms=self._clock_ms()))
            self._on_act(connection, action, by, row)
            audit.append(
                connection, at_ms=self._clock_ms(), actor=by, action=action, subject=str(no), detail=row.reason, address=address
            )


def _fixed(cause: Cause) -> dict[str, Any]:
    return {name: getattr(cause, name) for name in ("key", "kind", "hall", "reason", "service", "since_ms")}


def _finding_args(row: Any) -> dict[str, str]:
    journal = bytes(row.journal_id).hex()
    where = f"journal {journal}" + (f", entry {row.seq}: " if row.seq else ": ") if journal else ""
    return {"detail": where + row.detail[:300], "count": str(row.seen), "device": row.device}
