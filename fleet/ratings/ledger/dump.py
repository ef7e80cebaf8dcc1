"""A month of the ledger as one text that the stand-alone verifier reads: a line of JSON, then the entries, one a line.

Entries are JSON without line breaks, so a line is an entry's exact bytes.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from fleet.ratings.ledger.cells import statement
from fleet.ratings.ledger.log import LedgerError
from fleet.ratings.ledger.service import Ledger
from fleet.ratings.ledger.tables import ledger_entries, ledger_heads, ledger_statements
from wire.tree import frontier

FORMAT = "nightwindow/1/ledger-dump"
CHUNK = 5_000


def dump_lines(ledger: Ledger, month: str) -> Iterator[str]:
    """The dump of a published month, from where the month before ended to the head that holds this month's cells.

    Raises LedgerError when the month is not published.
    """
    with ledger.store.read() as connection:
        head = _header(connection, ledger, month)
    yield json.dumps(head, ensure_ascii=False, separators=(",", ":")) + "\n"
    start, end, of = head["from"], head["size"], ledger_entries.c
    while start < end:
        query = select(of.data).where(of.position >= start, of.position < min(end, start + CHUNK)).order_by(of.position)
        # A transaction a chunk: on SQLite a reader that waits for a slow line would keep everybody from writing.
        with ledger.store.read() as connection:
            rows = [bytes(data).decode() for data in connection.execute(query).scalars()]
        if not rows:
            return
        yield "\n".join(rows) + "\n"
        start += len(rows)


def _header(connection: Connection, ledger: Ledger, month: str) -> dict[str, Any]:
    body = connection.execute(select(ledger_statements.c.body).where(ledger_statements.c.month == month)).scalar()
    if body is None:
        raise LedgerError(f"{month} 尚未公布", f"{month} is not published; `nw-fleet ledger publish` publishes finished months")
    first = json.loads(bytes(body))["from"]
    size = connection.execute(select(ledger_heads.c.size).where(ledger_heads.c.label == f"cells {month}")).scalar_one()
    where = (ledger_heads.c.size >= first, ledger_heads.c.size <= size)
    sizes = connection.execute(select(ledger_heads.c.size).where(*where).order_by(ledger_heads.c.size)).scalars().all()
    heads = [head for each in sizes if (head := ledger.log.head(connection, each))]
    return {
        "format": FORMAT,
        "origin": ledger.origin,
        "key": ledger.verifier_key,
        "month": month,
        "from": first,
        "size": size,
        "frontier": [each.hex() for each in frontier(first, ledger.log.node(connection, first))],
        "heads": [{"label": head.label, "note": head.note} for head in heads],
        "statement": bytes(body).decode(),
        "carried": _carried(connection, ledger, month, first),
    }


def _carried(connection: Connection, ledger: Ledger, month: str, first: int) -> list[dict[str, Any]]:
    """Entries of earlier months that no statement before this one opened, each with its proof to the size `first`."""
    query = select(ledger_statements.c.month).where(ledger_statements.c.month < month).order_by(ledger_statements.c.month.desc())
    last = connection.execute(query.limit(1)).scalar()
    if last is None:
        return []
    of = ledger_entries.c
    before = statement(connection, last)
    waiting = (of.opened_in.is_(None)) | (of.opened_in >= month)
    apart = select(of.position).where(of.standing == "apart", of.position < first, waiting)
    positions = [*before["carried"], *(connection.execute(apart).scalars() if before["apart_waiting"] else [])]
    found = []
    for position in sorted(positions):
        data = bytes(connection.execute(select(of.data).where(of.position == position)).scalar_one())
        proof = ledger.log.inclusion(connection, position, first)
        found.append({"position": position, "entry": data.decode(), "proof": [step.hex() for step in proof]})
    return found
