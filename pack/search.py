"""Search as you type over a pack. Open this for ranking: exact before prefix before inside; name before code before alias
before department; then what is asked for most."""

import heapq
import sqlite3
from collections.abc import Container, Generator, Iterator
from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from pack.match import LETTERS, Kind, Match, Position, Query, Term, locate, locate_keys
from pack.model import LANGUAGES, Language
from pack.tokens import Syllables, expression, keys_expression

if TYPE_CHECKING:
    from pack.reader import Pack

Field = Literal["name", "code", "alias", "department"]
Group = Literal["zh", "ko", "en", "alias"]
MAX_LIMIT = 200
# A tier of a common query ends early; this bounds the rare long query whose first grams match very much.
_TIER_ROWS = 3_000
_CODE_ROWS = 1_000
_ROWS_KEPT = 1_000
_KEY_ROWS = 400
"""Of a common digit, so many rows are looked through, those that are asked for most."""
_MOST_KEYS = 24


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


Stored = list[tuple[str, str]]
"""Texts with their readings, as `pack.match.Term` takes them."""


class _Search(Struct):
    """The column `search` of an item: names by language, full name first, and aliases."""

    zh: Stored
    ko: Stored
    en: Stored
    alias: Stored


class _Row:
    """An item as the search sees it; kept while somebody types, because the next keystroke mostly finds it again."""

    def __init__(self, id_: int, code: str, department: str, search: bytes) -> None:
        decoded = _decoder.decode(search)
        self.id = id_
        self.code = code
        self.department = department
        self.names = {name: [Term(*stored) for stored in getattr(decoded, name)] for name in LANGUAGES}
        self.aliases = [Term(*stored) for stored in decoded.alias]

    def shown(self, language: Language) -> Term:
        """The name as the screen shows it; Chinese when there is none in `language`."""
        return (self.names[language] or self.names["zh"])[0]

    def terms(self, group: Group, language: Language) -> list[Term]:
        """The texts that count as `group` while the screen is in `language`."""
        if group != "alias":
            return self.names[group]
        others = [term for name in LANGUAGES if name not in ("zh", language) for term in self.names[name]]
        return [*self.aliases, *others]


Found = Generator[tuple[_Row, Match, str], None, None]
"""Rows of one tier, best first: each with its match and the text that the match lies in."""

_decoder = msgspec.json.Decoder(_Search)
_stored_decoder = msgspec.json.Decoder(Stored)


class Index:
    """The search over one open pack."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._syllables = Syllables([text for (text,) in connection.execute("SELECT text FROM syllable")])
        self._departments: dict[str, dict[str, str]] = {}
        for code, name in connection.execute("SELECT code, json_extract(body, '$.name') FROM department"):
            self._departments[code] = msgspec.json.decode(name, type=dict[str, str])
        self._row = lru_cache(maxsize=_ROWS_KEPT)(self._read_row)

    def _read_row(self, id_: int) -> _Row:
        sql = "SELECT id, code, department, search FROM item WHERE id = ?"
        return _Row(*self._connection.execute(sql, (id_,)).fetchone())

    def search(self, raw: str, *, limit: int = 20, language: Language = "zh") -> list[Hit]:
        """At most `limit` (1–200) items that match what was typed so far, best first.

        Found are: any part of a Chinese or Korean text, the beginning of any English word or phrase, full pinyin from
        any syllable on (the last may be unfinished; ü as ü, v or u), pinyin initials from any character on, and the
        beginning of a code. The name in the screen's language comes first, then the Chinese one; names in the third
        language count as aliases. Width, case, spaces and punctuation do not count. An empty query finds nothing.
        """
        query = Query(raw)
        limit = max(1, min(limit, MAX_LIMIT))
        hits: dict[int, Hit] = {}
        if not (query.text or query.latin):
            return []
        for position in Position:
            for field, rows in self._tiers(query, position, language, hits):
                with closing(rows):
                    for row, match, text in rows:
                        hits[row.id] = self._hit(query, row, field, match, text, language)
                        if len(hits) == limit:
                            return list(hits.values())
        return list(hits.values())

    def search_keys(self, raw: str, *, limit: int = 20, language: Language = "zh") -> list[Hit]:
        """At most `limit` items for the digits 2 to 9 of a telephone's keys, each of which stands for three or four letters.

        Found are pinyin initials from any character of a Chinese name or alias on, and the beginning of any word of an English
        one: `49` is hz, 护照. Exact matches come first, then beginnings; among equals what is asked for most. Other
        characters do not count; an empty query finds nothing.
        """
        digits = "".join(char for char in raw if char in LETTERS)[:_MOST_KEYS]
        if not digits:
            return []
        words = keys_expression(digits)
        found: dict[int, tuple[tuple[int, int, int], Field, Match, str]] = {}
        tiers: list[tuple[Field, Group]] = [("name", "zh"), ("alias", "alias")]
        if language != "zh":
            tiers.insert(0, ("name", language))
        for order, (field, group) in enumerate(tiers):
            sql = f"SELECT rowid FROM {group}_terms WHERE tokens MATCH ? ORDER BY rowid LIMIT {_KEY_ROWS}"
            for (id_,) in self._connection.execute(sql, (words,)).fetchall():
                for term in self._row(id_).terms(group, language):
                    match = locate_keys(digits, term)
                    if match is not None:
                        rank = (int(match.position), order, id_)
                        if id_ not in found or rank < found[id_][0]:
                            found[id_] = rank, field, match, term.text
        best = heapq.nsmallest(max(1, min(limit, MAX_LIMIT)), found.items(), key=lambda entry: entry[1][0])
        return [self._key_hit(self._row(id_), field, match, text, language) for id_, (_, field, match, text) in best]

    def _key_hit(self, row: _Row, field: Field, match: Match, text: str, language: Language) -> Hit:
        shown = row.shown(language)
        spans = ((match.start, match.end),) if text == shown.text else ()
        names = self._departments.get(row.department, {})
        why = Why(field, match.position.name.lower(), match.kind, text)  # type: ignore[arg-type]
        return Hit(row.code, shown.text, names.get(language) or names.get("zh", ""), spans, why)

    def _tiers(self, query: Query, position: Position, language: Language, seen: Container[int]) -> Iterator[tuple[Field, Found]]:
        words = expression(query, position, self._syllables)
        for group in dict.fromkeys((language, "zh")):
            yield "name", self._in_terms(query, position, group, language, words, seen)
        if query.text.isascii() and position is not Position.INSIDE:
            yield "code", self._in_codes(query, position, seen)
        yield "alias", self._in_terms(query, position, "alias", language, words, seen)
        yield "department", self._in_departments(query, position, words, seen)

    def _in_terms(
        self, query: Query, position: Position, group: Group, language: Language, words: str, seen: Container[int]
    ) -> Found:
        sql = f"SELECT rowid FROM {group}_terms WHERE tokens MATCH ? ORDER BY rowid LIMIT {_TIER_ROWS}"
        with closing(self._connection.execute(sql, (words,))) as found:
            for (id_,) in found:
                if id_ in seen:
                    continue
                row = self._row(id_)
                best = _best(query, row.terms(group, language))
                if best is not None and best[0].position == position:
                    yield row, *best

    def _in_codes(self, query: Query, position: Position, seen: Container[int]) -> Found:
        if position is Position.EXACT:
            sql, arguments = "SELECT id FROM item WHERE fold = ? ORDER BY id", [query.text]
        else:
            sql, arguments = self._code_prefix(query.text)
        with closing(self._connection.execute(sql, arguments)) as found:
            for (id_,) in found:
                if id_ not in seen:
                    row = self._row(id_)
                    yield row, Match(position, "code", 0, len(row.code)), row.code

    def _code_prefix(self, text: str) -> tuple[str, list[str]]:
        """Codes lie in their own order, not by rank: sort when they are few, walk by rank when they are many."""
        bounds = [text, text + "\U0010ffff"]
        few = "SELECT count(*) FROM (SELECT 1 FROM item WHERE fold >= ? AND fold < ? LIMIT ?)"
        (count,) = self._connection.execute(few, (*bounds, _CODE_ROWS)).fetchone()
        index = "item_by_fold" if count < _CODE_ROWS else "item_by_rank"
        # Twice the largest limit, because the names already found may be among them.
        rows = f"FROM item INDEXED BY {index} WHERE fold >= ? AND fold < ? ORDER BY id LIMIT {2 * MAX_LIMIT}"
        return f"SELECT id {rows}", bounds

    def _in_departments(self, query: Query, position: Position, words: str, seen: Container[int]) -> Found:
        sql = (
            "SELECT department.code, department.search FROM department_terms "
            "CROSS JOIN department ON department.id = department_terms.rowid WHERE department_terms MATCH ?"
        )
        matches: dict[str, tuple[Match, str]] = {}
        for code, search in self._connection.execute(sql, (words,)).fetchall():
            best = _best(query, [Term(*stored) for stored in _stored_decoder.decode(search)])
            if best is not None and best[0].position == position:
                matches[code] = best
        items = "SELECT id, department FROM item WHERE department = ? ORDER BY id"
        cursors = [self._connection.execute(items, (code,)) for code in matches]
        try:
            for id_, department in heapq.merge(*cursors):
                if id_ not in seen:
                    yield self._row(id_), *matches[department]
        finally:
            for cursor in cursors:
                cursor.close()

    def _hit(self, query: Query, row: _Row, field: Field, match: Match, text: str, language: Language) -> Hit:
        shown = row.shown(language)
        spans: tuple[tuple[int, int], ...] = ()
        if text == shown.text:
            spans = ((match.start, match.end),)
        elif field != "code" and (inside := locate(query, shown)):
            spans = ((inside.start, inside.end),)
        names = self._departments.get(row.department, {})
        why = Why(field, match.position.name.lower(), match.kind, text)  # type: ignore[arg-type]
        return Hit(row.code, shown.text, names.get(language) or names.get("zh", ""), spans, why)


def _best(query: Query, terms: list[Term]) -> tuple[Match, str] | None:
    """The best match among a row's texts, the earlier text on a tie."""
    best: tuple[Match, str] | None = None
    for term in terms:
        match = locate(query, term)
        if match is not None and (best is None or match.position < best[0].position):
            best = match, term.text
    return best


def answer(pack: "Pack", query: str, limit: int = 20, language: Language = "zh") -> list[dict[str, object]]:
    """What a screen would show for `query`, as plain JSON-able values: the output of a search command."""
    hits = pack.search(query, limit=limit, language=language)
    return [msgspec.to_builtins(hit) for hit in hits]
