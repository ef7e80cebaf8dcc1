"""Ratings: figures for pages and API, services given, single ratings for supervision, receipts, and who may see what."""

import hashlib
import secrets
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, insert, select

from fleet.ratings.blocks import live_exclusions, shown_exclusions, shown_levels, shown_ratings
from fleet.ratings.figures import Dimension, Group, RatingRow
from fleet.ratings.rules import LEVELS, Tally
from fleet.ratings.tables import idempotency, prints, rating_findings, ratings, services, visits
from fleet.registry.service import Registry
from fleet.store import Store
from fleet.watch.model import Cause
from wire.leaf import read_receipt_code

KEPT_MS = 60_000
"""Blocks are cut from all ratings there are, so what was found is given again for a minute."""
MOST_KEPT = 500


class Conflict(ValueError):
    """An idempotency key was used before with another request."""


class Ratings:
    """Figures and services given. Days are local dates of the hall, both ends included."""

    def __init__(
        self, store: Store, registry: Registry, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock_ms = clock_ms
        self._public: dict[Any, tuple[int, dict[str, Any]]] = {}

    def today(self, hall: str = "") -> date:
        """Today's date where the hall is."""
        zones = {each.code: each.timezone for each in self._registry.halls()}
        zone = zones.get(hall) or next(iter(zones.values()), "Asia/Shanghai")
        return datetime.fromtimestamp(self._clock_ms() / 1000, ZoneInfo(zone)).date()

    # Figures

    def total(self, first: date, last: date, *, hall: str = "", supervised: bool) -> Tally:
        """The figures of a hall (or of all). Counts are live; what depends on levels is so for supervision alone."""
        return self._seen(None, first, last, hall, supervised=supervised).get("", Tally(levels={}))

    def by(self, dimension: Dimension, first: date, last: date, *, hall: str = "", supervised: bool) -> list[Group]:
        """Figures a value of one dimension, by value.

        Counts are live. What depends on levels is live for supervision alone; for others it is of whole blocks of five
        ratings (fleet.ratings.blocks), so that nobody can tell what a visitor has just pressed.
        """
        if not hall and dimension in ("window", "clerk", "item"):
            return [
                msgspec.structs.replace(group, hall=each.code)
                for each in self._registry.halls()
                for group in self.by(dimension, first, last, hall=each.code, supervised=supervised)
            ]
        found = self._seen(dimension, first, last, hall, supervised=supervised)
        days = (str(first), str(last))
        return [Group(value=value, tally=each, first=days[0], last=days[1], hall=hall) for value, each in sorted(found.items())]

    def _seen(self, dimension: str | None, first: date, last: date, hall: str, *, supervised: bool) -> dict[str, Tally]:
        live = self._tallies(dimension, first, last, hall)
        if supervised:
            return live
        query = shown_exclusions(dimension, first, last, hall=hall, today=self.today(hall))
        excluded = self._kept(("excluded", dimension, first, last, hall), lambda: self._excluded(dimension, query))
        shown = self._kept((dimension, first, last, hall), lambda: self._shown(dimension, first, last, hall))
        return {value: _hold_back(tally, shown.get(value, {}), excluded.get(value, 0)) for value, tally in live.items()}

    def _excluded(self, dimension: str | None, query: Select[Any]) -> dict[str, int]:
        """How many ratings a value upheld appeals exclude."""
        found: dict[str, int] = {}
        with self._store.read() as connection:
            for value, n in connection.execute(query):
                found[_key(dimension, value)] = found.get(_key(dimension, value), 0) + n
        return found

    def _kept(self, key: Any, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        until_ms, found = self._public.get(key, (0, {}))
        if self._clock_ms() >= until_ms:
            found = find()
            if len(self._public) >= MOST_KEPT:
                self._public.clear()
            self._public[key] = (self._clock_ms() + KEPT_MS, found)
        return found

    def _shown(self, dimension: str | None, first: date, last: date, hall: str) -> dict[str, dict[int, int]]:
        """Ratings a level of every value, in whole blocks."""
        query = shown_levels(dimension, first, last, hall=hall, today=self.today(hall))
        found: dict[str, dict[int, int]] = {}
        with self._store.read() as connection:
            for value, *counts in connection.execute(query):
                levels = found.setdefault(_key(dimension, value), dict.fromkeys(LEVELS, 0))
                for level, n in zip(LEVELS, counts, strict=True):
                    levels[level] += int(n)
        return found

    def _tallies(self, dimension: str | None, first: date, last: date, hall: str) -> dict[str, Tally]:
        def scope(table: Any) -> list[ColumnElement[bool]]:
            where = [table.c.day.between(first.isoformat(), last.isoformat())]
            if hall:
                where.append(table.c.hall == hall)
            return where

        def key(row: Any) -> str:
            return "" if dimension is None else _key(dimension, row.value)

        counts: dict[str, dict[str, Any]] = {}
        rated = [ratings.c.level, ratings.c.standing_of, func.count().label("n")]
        given = [func.count().label("n")]
        group: list[Any] = []
        if dimension is not None:
            rated.append(ratings.c[dimension].label("value"))
            group = [ratings.c[dimension]]
        with self._store.read() as connection:
            query = select(*rated).where(*scope(ratings)).group_by(ratings.c.level, ratings.c.standing_of, *group)
            for row in connection.execute(query):
                each = counts.setdefault(key(row), {"levels": {}})
                _count(each, row.level, row.standing_of, row.n)
            # Level and channel are properties of a rating, so services given cannot be divided by them.
            if dimension in (None, "window", "clerk", "item", "hour", "day", "stage"):
                column = [] if dimension is None else [services.c[dimension]]
                given += [services.c[dimension].label("value")] if dimension is not None else []
                counted = and_(services.c.source != "asked", *scope(services))
                for row in connection.execute(select(*given).where(counted).group_by(*column)):
                    counts.setdefault(key(row), {"levels": {}})["services"] = row.n
        for value, n in self._excluded(dimension, live_exclusions(dimension, scope(ratings))).items():
            counts.setdefault(value, {"levels": {}})["excluded"] = n
        return {value: Tally(**each) for value, each in counts.items() if value or dimension is None}

    def reasons(self, first: date, last: date, *, hall: str = "", supervised: bool) -> dict[str, int]:
        """How often each reason was chosen, most often first. They tell levels: outside supervision they are of whole blocks."""
        if supervised:
            return self._reasons(self._counted_reasons(first, last, hall))
        query = shown_ratings(None, first, last, hall=hall, today=self.today(hall))
        return self._kept(("reasons", first, last, hall), lambda: self._reasons(query))

    def _counted_reasons(self, first: date, last: date, hall: str) -> Select[Any]:
        where = [ratings.c.day.between(first.isoformat(), last.isoformat()), ratings.c.standing_of == "counted"]
        return select(ratings.c.reasons).where(*where, *([ratings.c.hall == hall] if hall else []))

    def _reasons(self, query: Select[Any]) -> dict[str, int]:
        counts: dict[str, int] = {}
        with self._store.read() as connection:
            for row in connection.execute(query):
                for reason in row.reasons:
                    counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def listing(
        self,
        first: date,
        last: date,
        *,
        hall: str = "",
        level: int | None = None,
        window: str = "",
        limit: int = 50,
        offset: int = 0,
    ) -> list[RatingRow]:
        """Single ratings, newest first: for supervision alone, the caller checks who asks."""
        where: list[ColumnElement[bool]] = [ratings.c.day.between(first.isoformat(), last.isoformat())]
        where += [ratings.c.hall == hall] if hall else []
        where += [ratings.c.level == level] if level is not None else []
        where += [ratings.c.window == window] if window else []
        columns = [ratings.c[field] for field in RatingRow.__struct_fields__]
        query = select(*columns).where(*where).order_by(ratings.c.at_ms.desc(), ratings.c.no.desc()).limit(limit).offset(offset)
        with self._store.read() as connection:
            return [RatingRow(**row) for row in connection.execute(query).mappings()]

    def outcomes(self, first: date, last: date, *, hall: str = "") -> dict[str, dict[str, int]]:
        """Print jobs by outcome and visits by how they ended: {"prints": {...}, "visits": {...}}."""
        found: dict[str, dict[str, int]] = {}
        with self._store.read() as connection:
            for name, table, column in (("prints", prints, prints.c.outcome), ("visits", visits, visits.c.how)):
                query = select(column, func.count()).where(table.c.day.between(first.isoformat(), last.isoformat()))
                if hall:
                    query = query.where(table.c.hall == hall)
                found[name] = {value or "open": count for value, count in connection.execute(query.group_by(column))}
        return found

    def causes(self) -> list[Cause]:
        """Entries of the last day whose content did not fit: one cause a device and kind."""
        found = rating_findings
        query = select(found.c.device, found.c.kind, func.count().label("n"), func.min(found.c.found_ms).label("since_ms"))
        query = query.where(found.c.found_ms > self._clock_ms() - 86_400_000).group_by(found.c.device, found.c.kind)
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return [
            Cause(
                key=f"{row.kind}@{row.device}",
                kind="content",
                severity="warn",
                hall=placing.hall if (placing := self._registry.placement(row.device)) else "",
                devices=(row.device,),
                reason=row.kind,
                next_step="next.report_supplier",
                since_ms=row.since_ms,
                args={"count": str(row.n)},
            )
            for row in rows
        ]

    # Receipts

    def receipt(self, code: str) -> dict[str, str] | None:
        """Whether the rating behind a receipt was counted, and on which day; never its level. None when it is not known (yet).

        Raises Malformed for a code that cannot be one.
        """
        written = read_receipt_code(code)
        with self._store.read() as connection:
            row = connection.execute(select(ratings.c.day, ratings.c.standing_of).where(ratings.c.receipt == written)).first()
        return {"code": written, "day": row.day, "counted": row.standing_of} if row else None

    # Services given

    def give_service(
        self,
        *,
        hall: str,
        window: str,
        clerk: str,
        item: str,
        stage: str,
        actor: str,
        key: str = "",
        request: bytes = b"",
        invited: bool = False,
    ) -> tuple[bytes, bool]:
        """Record one service given; gives its occasion and whether it is new (False: the idempotency key was seen before).

        Raises NotKnown for an unknown window, Conflict when the key came with another request.
        """
        self._registry.window(hall, window)
        now = self._clock_ms()
        local = datetime.fromtimestamp(now / 1000, ZoneInfo(self._registry.hall(hall).timezone))
        occasion, digest = secrets.token_bytes(16), hashlib.sha256(request).digest()
        with self._store.write() as connection:
            if key:
                same = and_(idempotency.c.key == key, idempotency.c.actor == actor)
                old = connection.execute(select(idempotency).where(same)).first()
                if old is not None and bytes(old.digest) != digest:
                    raise Conflict(f"the Idempotency-Key {key!r} came before with another request; use a new key for a new service")
                if old is not None:
                    return bytes(old.occasion), False
                connection.execute(insert(idempotency).values(key=key, actor=actor, digest=digest, occasion=occasion, at_ms=now))
            values = {"hall": hall, "window": window, "clerk": clerk, "item": item, "stage": stage, "invited": invited}
            when = {"at_ms": now, "day": local.date().isoformat(), "hour": local.hour}
            connection.execute(insert(services).values(occasion=occasion, source="api", **values, **when))
        return occasion, True


def _count(into: dict[str, Any], level: int | None, standing: str, n: int) -> None:
    """Add one group of equal rows to the fields of a Tally."""
    if standing == "counted" and level in LEVELS:
        into["levels"][level] = into["levels"].get(level, 0) + n
    elif standing == "none":
        into["not_rated"] = into.get("not_rated", 0) + n
    elif standing in ("uninvited", "repeated"):
        into[standing] = into.get(standing, 0) + n


def _key(dimension: str | None, value: Any) -> str:
    if dimension is None:
        return ""
    return f"{value:02d}" if dimension == "hour" else str(value)


def _hold_back(tally: Tally, shown: dict[int, int], excluded: int) -> Tally:
    """The tally with the levels that are shown; the counts stay."""
    # What is shown may be a moment older or newer than the counts.
    return msgspec.structs.replace(tally, levels=shown, excluded=excluded, held_back=max(0, tally.rated - sum(shown.values())))
