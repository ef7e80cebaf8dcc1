"""Revisits by sample: drawings of cases to call, what each call gave, and the ledger of it."""

import csv
import io
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from sqlalchemy import func, insert, select, update

from fleet.access import audit
from fleet.access.service import Actor
from fleet.oversight.sampling import Case, DrawRefused, digest, draw
from fleet.oversight.tables import revisit_draws, revisits
from fleet.registry.service import Registry
from fleet.store import Store

RESULTS: dict[str, tuple[str, str]] = {
    "satisfied": ("满意", "Satisfied"),
    "basically": ("基本满意", "Basically satisfied"),
    "dissatisfied": ("不满意", "Dissatisfied"),
    "unreachable": ("未接通", "Not reached"),
    "refused": ("拒绝受访", "Refused"),
    "wrong_number": ("号码有误", "Wrong number"),
}
"""Result codes: (Chinese, English). `unreachable` may be tried again."""
SCRIPT = (
    "您好，这里是{hall}。您近期办理过“{item}”，想占用您一分钟做个回访，可以吗？\n"
    "1. 您的事情办成了吗？\n2. 材料和流程是不是一次说清楚的？\n3. 工作人员的态度怎么样？\n"
    "4. 总的来说您满意、基本满意，还是不满意？\n5. 您还有什么意见或建议？\n谢谢您，再见。"
)
"""The usual call script; a drawing keeps its own."""
MOST_LIST_BYTES = 8_000_000
_HEADS = {
    "ref": ("ref", "办件编号", "case"),
    "item": ("item", "事项"),
    "window": ("window", "窗口"),
    "day": ("day", "办结日期", "date"),
}
_REF = re.compile(r"[0-9A-Za-z._\-]{1,64}")


class Drawing(Struct, frozen=True, kw_only=True):
    """One drawing. `drawn` cases of `population`, `called` of them have a result that stands."""

    no: int
    hall: str
    title: str
    seed: str
    quota: float
    population: int
    digest: str
    script: str
    made_ms: int
    made_by: str
    drawn: int
    called: int


class Revisit(Struct, frozen=True, kw_only=True):
    """One case drawn, and what its call gave; `result` is empty before."""

    place: int
    ref: str
    item: str
    window: str
    day: str
    result: str
    note: str
    calls: int
    by: str
    at_ms: int | None


def read_cases(data: bytes) -> list[Case]:
    """The list of cases from a CSV with the columns ref, item, window, day (or 办件编号, 事项, 窗口, 办结日期).

    Other columns are refused: nobody uploads names and telephone numbers by mistake. Raises DrawRefused.
    """
    if len(data) > MOST_LIST_BYTES:
        raise DrawRefused("名单超过 8 MB", f"the list has {len(data):,} bytes; at most {MOST_LIST_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    rows = csv.reader(io.StringIO(text))
    head = [cell.strip() for cell in next(rows, [])]
    names = [next((field for field, known in _HEADS.items() if cell in known), "") for cell in head]
    if "ref" not in names or "" in names or len(set(names)) != len(names):
        wanted = "、".join(known[1] for known in _HEADS.values())
        raise DrawRefused(
            f"名单的列应为：{wanted}（不要姓名、电话）", "the columns are ref, item, window, day; no names and no telephone numbers"
        )
    cases = []
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        values = {name: cell.strip()[:120] for name, cell in zip(names, cells, strict=False)}
        if not _REF.fullmatch(values.get("ref", "")):
            raise DrawRefused(
                f"第 {number} 行的办件编号不对（1–64 个字母、数字）", f"row {number} has no case number of 1–64 letters and digits"
            )
        cases.append(Case(**values))
    return cases


class Revisits:
    """Drawings and calls."""

    def __init__(
        self, store: Store, registry: Registry, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._store = store
        self._registry = registry
        self._clock_ms = clock_ms

    def draw(
        self, hall: str, title: str, cases: list[Case], quota: float, *, actor: Actor, seed: str = "", script: str = ""
    ) -> int:
        """Draw from a list; gives the drawing's number. Without a `seed` a random one is made and told.

        Raises DrawRefused, NotKnown.
        """
        self._registry.hall(hall)
        if not actor.may("supervise"):
            raise DrawRefused("只有监督人员可以抽取", "only supervision may draw")
        title, seed, script = title.strip(), seed.strip() or secrets.token_hex(8), script.strip() or SCRIPT
        if not 1 <= len(title) <= 80 or len(seed) > 64 or len(script) > 2_000:
            raise DrawRefused(
                "请写名称（80 字以内）；话术 2000 字以内", "give a title of up to 80 characters, a script of up to 2,000"
            )
        drawn = draw(cases, quota, seed=seed)
        values = {"hall": hall, "title": title, "seed": seed, "quota": quota, "population": len(cases), "digest": digest(cases)}
        with self._store.write() as connection:
            made = {"script": script, "made_ms": self._clock_ms(), "made_by": actor.name}
            number: int = connection.execute(
                insert(revisit_draws).values(**values, **made).returning(revisit_draws.c.no)
            ).scalar_one()
            rows = [
                {"draw": number, "place": place, "ref": case.ref, "item": case.item, "window": case.window, "day": case.day}
                for place, case in enumerate(drawn, 1)
            ]
            connection.execute(insert(revisits), rows)
            said = f"{len(drawn)} of {len(cases)}, seed {seed}"
            self._note(connection, actor, "revisit.draw", str(number), said)
        return number

    def record(self, number: int, place: int, result: str, note: str, *, actor: Actor) -> None:
        """What a call gave. Only one that was not reached may be called again. Raises DrawRefused."""
        if result not in RESULTS or len(note) > 500:
            raise DrawRefused("请选择结果，说明 500 字以内", "choose a result; the note has at most 500 characters")
        if not actor.may("supervise"):
            raise DrawRefused("只有监督人员可以登记回访", "only supervision may record a revisit")
        here = (revisits.c.draw == number, revisits.c.place == place)
        with self._store.write() as connection:
            old = connection.execute(select(revisits.c.result, revisits.c.calls).where(*here)).first()
            if old is None or old.result not in ("", "unreachable"):
                raise DrawRefused("这一件已登记，请刷新页面", "this case has its result already; reload the page")
            values = {"result": result, "note": note.strip(), "calls": old.calls + 1, "by": actor.name, "at_ms": self._clock_ms()}
            connection.execute(update(revisits).where(*here).values(**values))
            self._note(connection, actor, "revisit.call", f"{number}/{place}", result)

    def drawings(self) -> list[Drawing]:
        """All drawings, newest first."""
        stands = revisits.c.result.not_in(("", "unreachable"))
        counted = select(revisits.c.draw, func.count().label("drawn"), func.count().filter(stands).label("called")).group_by(
            revisits.c.draw
        )
        each = counted.subquery()
        query = select(revisit_draws, each.c.drawn, each.c.called).join_from(revisit_draws, each, each.c.draw == revisit_draws.c.no)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(revisit_draws.c.no.desc()).limit(200)).mappings().all()
        return [Drawing(**row) for row in rows]

    def drawing(self, number: int) -> Drawing | None:
        """One drawing, or None."""
        return next((each for each in self.drawings() if each.no == number), None)

    def cases(self, number: int) -> list[Revisit]:
        """The cases of a drawing in the order they were drawn."""
        columns = [revisits.c[name] for name in Revisit.__struct_fields__]
        query = select(*columns).where(revisits.c.draw == number).order_by(revisits.c.place)
        with self._store.read() as connection:
            return [Revisit(**row) for row in connection.execute(query).mappings()]

    def _note(self, connection: Any, actor: Actor, action: str, subject: str, detail: str) -> None:
        at = self._clock_ms()
        how = {"actor": actor.name, "address": actor.address}
        audit.append(connection, at_ms=at, action=action, subject=subject, detail=detail, **how)
