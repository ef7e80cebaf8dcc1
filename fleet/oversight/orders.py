"""Work orders: they open by themselves, people take steps, and who may see how much of them.

Outside supervision an order exists only from the working day after its rating lies in a whole block of five of its window
(docs/decisions/0012), or when supervision hands it over earlier with a reason; then without the day, item and clerk.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select

from fleet.access import audit
from fleet.access.rules import may
from fleet.access.service import Actor, User
from fleet.oversight import rules
from fleet.oversight.calendars_kept import Calendars
from fleet.oversight.files import Attachment, keep_files, open_file, read_files
from fleet.oversight.limits_kept import LimitBook
from fleet.oversight.notices import Notices
from fleet.oversight.order_log import append_step, day_of, read_steps
from fleet.oversight.order_view import Order, make_order, masked
from fleet.oversight.rules import DONE, OrderRefused, Standing, Step
from fleet.oversight.tables import contacts, work_orders
from fleet.oversight.vault import Vault
from fleet.ratings.tables import rating_exclusions
from fleet.registry.service import Registry
from fleet.store import Store

MOST_NOTE = 2_000


class Orders:
    """All work orders. `people` gives everybody with a login: the handlers among them can be given orders."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        *,
        calendars: Calendars,
        limits: LimitBook,
        vault: Vault,
        notices: Notices,
        people: Callable[[], Sequence[User]],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._registry = registry
        self._calendars = calendars
        self._limits = limits
        self._vault = vault
        self._notices = notices
        self._clock_ms = clock_ms
        self._people = people

    # What people do

    def act(
        self,
        order_no: int,
        deed: str,
        actor: Actor,
        *,
        note: str = "",
        args: dict[str, str] | None = None,
        files: Sequence[Attachment] = (),
    ) -> Standing:
        """One person's step, with its note and attachments, in one transaction with its audit row; gives the new standing.

        Raises OrderRefused with the reason, FileRefused for an attachment.
        """
        if len(note) > MOST_NOTE:
            zh, en = f"说明有 {len(note)} 个字，最多 {MOST_NOTE} 个", f"the note has {len(note)} characters; at most {MOST_NOTE}"
            raise OrderRefused(zh, en)
        given = {key: str(value)[:100] for key, value in (args or {}).items()}
        with self._store.write() as connection:
            row, steps, named = self._load(connection, order_no, actor)
            standing = rules.replay(steps)
            rules.check(standing, deed, actor=actor.name, supervises=actor.may("supervise"), named=named, note=note, args=given)
            given = self._complete(deed, given, row, steps, standing)
            zone = self._zone(row.hall)
            how = {"at_ms": self._clock_ms(), "zone": zone, "actor": actor.name, "note": note, "args": given}
            made = append_step(connection, order_no, steps, deed, **how)  # type: ignore[arg-type]
            keep_files(connection, self._vault, order_no, len(steps) + 1, files)
            self._consequences(connection, row, deed, standing, made, place=len(steps) + 1, note=note)
            # The log says what was noted; the audit tells who did which step and not what the order is about.
            how = {"at_ms": self._clock_ms(), "actor": actor.name, "address": actor.address}
            audit.append(connection, **how, action=f"order.{deed}", subject=str(order_no), detail=made.state)  # type: ignore[arg-type]
        return made

    def _complete(self, deed: str, args: dict[str, str], row: Any, steps: list[Step], standing: Standing) -> dict[str, str]:
        """What a step says beside what was chosen; refuses what the rules alone cannot know."""
        if deed == "assign":
            return {"to": self._assignable(args.get("to", ""), row)}
        if deed == "contact":
            tried = any(step.deed == "contact" and step.place > standing.since for step in steps)
            return {"result": args["result"]} | ({} if tried or args["result"] != "unreachable" else {"again": "1"})
        if deed == "release":
            if standing.released_day:
                raise OrderRefused("工单已经交办", "the order was handed over already")
            return {"how": "supervision"}
        if deed == "appeal":
            return self._in_time(row, standing)
        if deed == "withdraw_card":
            order = self._view(row, steps, named=True)
            if args.get("card") not in {card.key for card in order.cards if not card.withdrawn_by}:
                raise OrderRefused("没有这张可以撤销的牌", "there is no such card to withdraw")
            return {"card": args["card"]}
        kept = rules.CHOICES.get(deed)
        return {kept[0]: args[kept[0]]} if kept else {}

    def _in_time(self, row: Any, standing: Standing) -> dict[str, str]:
        """An appeal may be filed within its days after the order was handed over."""
        begins = date.fromisoformat(standing.released_day or standing.cycle_day)
        last = self._calendars.of(row.hall).due(begins, self._limits.of(row.hall).appeal_days).day
        if self.today(row.hall) > last:
            raise OrderRefused(f"申诉期限已于 {last} 届满", f"an appeal could be filed until {last}")
        return {}

    def _assignable(self, name: str, row: Any) -> str:
        person = next((each for each in self._people() if each.name == name and not each.disabled), None)
        if person is None or not may(person.role, "handle"):
            raise OrderRefused("请选择承办人（角色为承办或监督的在用账号）", "choose a person whose role is handler or supervisor")
        clerks = {each.number: each.name for each in self._registry.staff(row.hall)}
        # Clerks have no logins of their own, so a person is told by name; two of one name are kept apart by hand.
        if row.clerk and (person.name == row.clerk or person.display == clerks.get(row.clerk)):
            raise OrderRefused("不能交给被评价的工作人员本人办理", "an order cannot be handled by the clerk it is about")
        return name

    def _consequences(
        self, connection: Connection, row: Any, deed: str, before: Standing, made: Standing, *, place: int, note: str
    ) -> None:
        """What follows from a step: an exclusion, and who is told."""
        if deed in ("assign", "release"):
            self._notices.assigned(connection, row, made, place=place, zone=self._zone(row.hall))
        if deed in ("appeal", "reply"):
            self._notices.put(
                connection, "supervision", deed, f"{row.no}.{place}", zone=self._zone(row.hall), quiet_day=row.day, order=row.no
            )
        if made.state == "upheld" != before.state:
            values = {"journal_no": row.journal_no, "rating": row.rating, "order_no": row.no, "why": note[:500]}
            by = ", ".join(who for who, verdict in made.verdicts if verdict == "upheld")
            connection.execute(insert(rating_exclusions).values(**values, decided_ms=self._clock_ms(), decided_by=by))

    def note(self, order_no: int, text: str, actor: Actor, *, files: Sequence[Attachment] = ()) -> Standing:
        """Add words or attachments without moving the order."""
        if not text.strip() and not files:
            raise OrderRefused("请写说明或添加附件", "write a note or attach a file")
        return self.act(order_no, "note", actor, note=text, files=files)

    def tell_of_cards(self) -> None:
        """Put a notice for every active card: to supervision, and to the person who has the step."""
        with self._store.read() as connection:
            rows = connection.execute(select(work_orders).where(work_orders.c.state.not_in(DONE))).all()
            logs = read_steps(connection, [row.no for row in rows])
            named = self._named(connection, rows)
        for row, order in zip(rows, self._views(rows, logs, named), strict=True):
            for card in (card for card in order.cards if card.is_active):
                with self._store.write() as connection:
                    for audience in filter(None, ("supervision", card.staff if row.released_day else "")):
                        how = {"zone": self._zone(row.hall), "quiet_day": row.day, "order": row.no}
                        self._notices.put(connection, audience, "card", f"{row.no}.{card.key}", **how)  # type: ignore[arg-type]

    # What people see

    def get(self, order_no: int, actor: Actor) -> Order:
        """One order as this person may see it. Raises OrderRefused when they may not, in the words for one that is not there."""
        with self._store.read() as connection:
            row, steps, named = self._load(connection, order_no, actor)
            files = read_files(connection, order_no)
        order = self._view(row, steps, named=named, files=files)
        return order if actor.may("supervise") else masked(order)

    def file(self, order_no: int, file_no: int, actor: Actor) -> tuple[Attachment, str]:
        """An attachment and its media type. Raises OrderRefused, VaultError."""
        with self._store.read() as connection:
            self._load(connection, order_no, actor)
            return open_file(connection, self._vault, order_no, file_no)

    def listing(self, actor: Actor, *, hall: str = "", show: str = "open", limit: int = 500) -> list[Order]:
        """The orders this person may see: open ones, those done, or all, newest first."""
        query = select(work_orders).where(*([work_orders.c.hall == hall] if hall else []))
        if show != "all":
            query = query.where(work_orders.c.state.in_(DONE) if show == "done" else work_orders.c.state.not_in(DONE))
        if not actor.may("supervise"):
            query = query.where(work_orders.c.assigned_to == actor.name, work_orders.c.released_day.is_not(None))
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(work_orders.c.no.desc()).limit(limit)).all()
            logs = read_steps(connection, [row.no for row in rows])
            named = self._named(connection, rows)
        found = self._views(rows, logs, named)
        return found if actor.may("supervise") else [masked(order) for order in found]

    def handed_over(self, first: date, last: date, *, hall: str = "") -> list[Order]:
        """Orders that were handed over from `first` to `last`, for figures: nothing else of them may be told to anybody."""
        released = work_orders.c.released_day.between(first.isoformat(), last.isoformat())
        query = select(work_orders).where(released, *([work_orders.c.hall == hall] if hall else []))
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(work_orders.c.no)).all()
            logs = read_steps(connection, [row.no for row in rows])
            named = self._named(connection, rows)
        return self._views(rows, logs, named)

    def _named(self, connection: Connection, rows: Sequence[Any]) -> set[int]:
        keys = {(row.journal_no, bytes(row.rating)): row.no for row in rows}
        journals = {journal_no for journal_no, _ in keys}
        query = select(contacts.c.journal_no, contacts.c.rating).where(contacts.c.journal_no.in_(journals))
        return {keys[key] for each in connection.execute(query) if (key := (each[0], bytes(each[1]))) in keys}

    def _load(self, connection: Connection, order_no: int, actor: Actor) -> tuple[Any, list[Step], bool]:
        row = connection.execute(select(work_orders).where(work_orders.c.no == order_no)).first()
        sees = row is not None and (actor.may("supervise") or (row.assigned_to == actor.name and row.released_day is not None))
        if row is None or not sees or not actor.may("handle"):
            raise OrderRefused(f"没有您可以查看的工单 {order_no}", f"there is no order {order_no} that you may see")
        return row, read_steps(connection, [order_no])[order_no], bool(self._named(connection, [row]))

    def _view(self, row: Any, steps: Sequence[Step], *, named: bool, files: Sequence[Any] = ()) -> Order:
        return make_order(row, steps, named=named, files=files, **self._setting(row.hall))

    def _views(self, rows: Sequence[Any], logs: dict[int, list[Step]], named: set[int]) -> list[Order]:
        settings = {hall: self._setting(hall) for hall in {row.hall for row in rows}}
        return [make_order(row, logs[row.no], named=row.no in named, files=(), **settings[row.hall]) for row in rows]

    def _setting(self, hall: str) -> dict[str, Any]:
        """What deadlines of a hall depend on beside the log."""
        return {"limits": self._limits.of(hall), "calendar": self._calendars.of(hall), "today": self.today(hall)}

    def today(self, hall: str) -> date:
        """Today's date where the hall is."""
        return date.fromisoformat(day_of(self._clock_ms(), self._zone(hall)))

    def _zone(self, hall: str) -> str:
        return next((each.timezone for each in self._registry.halls() if each.code == hall), "Asia/Shanghai")
