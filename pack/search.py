"""Search as you type over a pack. Open this for ranking: exact before prefix before inside; name before code before alias
before department; then what is asked for most."""

import heapq
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from pack.match import Kind, Match, Position, Query, Term, locate
from pack.model import Language
from pack.tokens import Syllables, expression

if TYPE_CHECKING:
    from pack.reader import Pack

Field = Literal["name", "code", "alias", "department"]
MAX_LIMIT = 200
# A tier of a common query ends early; this bounds the rare long query whose first grams match very much.
_TIER_ROWS = 5_000
_CODE_ROWS = 4_000


class Why(Struct, frozen=True):
    """Why an item was found: where (`field`), how much of it (`position`), how it was typed (`kind`), and in which text."""

    field: Field
    position: Literal["exact", "prefix", "inside"]
    kind: Kind
    text: str


class Hit(Struct, frozen=True):
    """One search result.

    `name` and `department` are in the asked language. `spans` are half-open character ranges of `name` to highlight,
    empty when the match lies elsewhere: then `why.text` is worth showing.
    """

    code: str
    name: str
    department: str
    spans: tuple[tuple[int, int], ...]
    why: Why


class _Search(Struct):
    """The column `search` of an item or department."""

    name: list[tuple[str, str]]
    alias: list[tuple[str, str]] = []
    shown: dict[str, str] = {}


class _Row(Struct):
    id: int
    code: str
    department: str
    search: _Search


Found = Generator[tuple[_Row, Match, str], None, None]
"""Rows of one tier, best first: each with its match and the text that the match lies in."""

_decoder = msgspec.json.Decoder(_Search)
_COLUMNS = "item.id, item.code, item.department, item.search"


class Index:
    """The search over one open pack."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._syllables = Syllables([text for (text,) in connection.execute("SELECT text FROM syllable")])
        self._departments: dict[str, dict[str, str]] = {}
        for code, name in connection.execute("SELECT code, json_extract(body, '$.name') FROM department"):
            self._departments[code] = msgspec.json.decode(name, type=dict[str, str])

    def search(self, raw: str, *, limit: int = 20, language: Language = "zh") -> list[Hit]:
        """At most `limit` (1–200) items that match what was typed so far, best first.

        Found are: any part of a Chinese or Korean text, the beginning of any English word or phrase, full pinyin from
        any syllable on (the last may be unfinished; ü as ü, v or u), pinyin initials from any character on, and the
        beginning of a code. Width, case, spaces and punctuation do not count. An empty query finds nothing.
        """
        query = Query(raw)
        limit = max(1, min(limit, MAX_LIMIT))
        hits: dict[int, Hit] = {}
        if not (query.text or query.latin):
            return []
        for position in Position:
            for field, rows in self._tiers(query, position):
                with closing(rows):
                    for row, match, text in rows:
                        if row.id not in hits:
                            hits[row.id] = self._hit(query, row, field, match, text, language)
                            if len(hits) == limit:
                                return list(hits.values())
        return list(hits.values())

    def _tiers(self, query: Query, position: Position) -> Iterator[tuple[Field, Found]]:
        words = expression(query, position, self._syllables)
        yield "name", self._in_terms(query, position, "name", words)
        if query.text.isascii() and position is not Position.INSIDE:
            yield "code", self._in_codes(query, position)
        yield "alias", self._in_terms(query, position, "alias", words)
        yield "department", self._in_departments(query, position, words)

    def _in_terms(self, query: Query, position: Position, field: Literal["name", "alias"], words: str) -> Found:
        sql = (
            f"SELECT {_COLUMNS} FROM item_terms CROSS JOIN item ON item.id = item_terms.rowid "
            f"WHERE item_terms MATCH ? ORDER BY item_terms.rowid LIMIT {_TIER_ROWS}"
        )
        with closing(self._connection.execute(sql, (f"{field} : ({words})",))) as found:
            for id_, code, department, search in found:
                row = _Row(id_, code, department, _decoder.decode(search))
                best = _best(query, row.search.name if field == "name" else row.search.alias)
                if best is not None and best[0].position == position:
                    yield row, *best

    def _in_codes(self, query: Query, position: Position) -> Found:
        if position is Position.EXACT:
            sql, arguments = f"SELECT {_COLUMNS} FROM item WHERE fold = ? ORDER BY id", [query.text]
        else:
            sql, arguments = self._code_prefix(query.text)
        with closing(self._connection.execute(sql, arguments)) as found:
            for id_, code, department, search in found:
                match = Match(position, "code", 0, len(code))
                yield _Row(id_, code, department, _decoder.decode(search)), match, code

    def _code_prefix(self, text: str) -> tuple[str, list[str]]:
        """Codes lie in their own order, not by rank: sort when they are few, walk by rank when they are many."""
        bounds = [text, text + "\U0010ffff"]
        few = "SELECT count(*) FROM (SELECT 1 FROM item WHERE fold >= ? AND fold < ? LIMIT ?)"
        (count,) = self._connection.execute(few, (*bounds, _CODE_ROWS)).fetchone()
        fold = "fold" if count < _CODE_ROWS else "+fold"
        return f"SELECT {_COLUMNS} FROM item WHERE {fold} >= ? AND {fold} < ? ORDER BY id", bounds

    def _in_departments(self, query: Query, position: Position, words: str) -> Found:
        sql = (
            "SELECT department.code, department.search FROM department_terms "
            "CROSS JOIN department ON department.id = department_terms.rowid WHERE department_terms MATCH ?"
        )
        matches: dict[str, tuple[Match, str]] = {}
        for code, search in self._connection.execute(sql, (words,)).fetchall():
            best = _best(query, _decoder.decode(search).name)
            if best is not None and best[0].position == position:
                matches[code] = best
        items = f"SELECT {_COLUMNS} FROM item WHERE department = ? ORDER BY id"
        rows = [self._connection.execute(items, (code,)) for code in matches]
        try:
            for id_, code, department, search in heapq.merge(*rows):
                yield _Row(id_, code, department, _decoder.decode(search)), *matches[department]
        finally:
            for cursor in rows:
                cursor.close()

    def _hit(self, query: Query, row: _Row, field: Field, match: Match, text: str, language: Language) -> Hit:
        shown = row.search.shown.get(language) or row.search.shown["zh"]
        if text == shown:
            spans: tuple[tuple[int, int], ...] = ((match.start, match.end),)
        else:
            readings = next((spoken for known, spoken in row.search.name if known == shown), "")
            inside = locate(query, Term(shown, readings)) if field != "code" else None
            spans = ((inside.start, inside.end),) if inside else ()
        names = self._departments.get(row.department, {})
        why = Why(field, match.position.name.lower(), match.kind, text)  # type: ignore[arg-type]
        return Hit(row.code, shown, names.get(language) or names.get("zh", ""), spans, why)


def _best(query: Query, texts: list[tuple[str, str]]) -> tuple[Match, str] | None:
    """The best match among a row's texts, the earlier text on a tie."""
    best: tuple[Match, str] | None = None
    for text, readings in texts:
        match = locate(query, Term(text, readings))
        if match is not None and (best is None or match.position < best[0].position):
            best = match, text
    return best


def answer(pack: "Pack", query: str, limit: int = 20, language: Language = "zh") -> list[dict[str, object]]:
    """What a screen would show for `query`, as plain JSON-able values: the output of a search command."""
    hits = pack.search(query, limit=limit, language=language)
    return [msgspec.to_builtins(hit) for hit in hits]
