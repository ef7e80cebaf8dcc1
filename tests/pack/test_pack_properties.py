"""What must hold for any content: the index finds exactly what the definition of a match says, in the promised order."""

import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pack.build import build
from pack.fold import fold
from pack.match import Position, Query, Term, locate
from pack.model import Content, Department, Hall, Item, Text
from pack.reader import Pack, open_pack
from pack.readings import readings

# Few characters make many near misses; heteronyms, rare Hanzi, brackets, wide and narrow letters are among them.
HANZI = "身份证重行长乐绿女率单位西安先进区𠮷龘〇"
ALPHABET = HANZI + "（）、· aAＡb1２" + "주민등" + "éü"
NAMES = (
    st.text(ALPHABET, min_size=1, max_size=12).map(lambda text: unicodedata.normalize("NFC", text)).filter(lambda t: fold(t).text)
)
ENGLISH = st.lists(st.sampled_from(["id", "card", "new", "car", "a", "ab", "abc", "re-issue"]), max_size=4).map(" ".join)
SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DEPARTMENTS = ("县公安局", "民政局长", "ab")


@st.composite
def contents(draw: st.DrawFn) -> Content:
    names = draw(st.lists(NAMES, min_size=1, max_size=12))
    items = tuple(
        Item(
            code=f"{draw(st.sampled_from(['a', 'A1', '1b', 'x']))}{number}",
            name=Text(zh=name, en=draw(ENGLISH)),
            department=f"d{draw(st.integers(0, len(DEPARTMENTS) - 1))}",
            aliases=tuple(draw(st.lists(NAMES, max_size=2))),
            popularity=draw(st.one_of(st.none(), st.integers(1, 5))),
        )
        for number, name in enumerate(names)
    )
    departments = tuple(
        Department(code=f"d{n}", name=Text(zh=name), short_name=Text(zh=name)) for n, name in enumerate(DEPARTMENTS)
    )
    none = Text(zh="无")
    hall = Hall(code="h", name=none, area_code="9", zones=(), windows=(), hours=none, phone="", complaint_phone="")
    return Content(hall=hall, departments=departments, items=items)


@contextmanager
def packed(content: Content) -> Iterator[Pack]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p"
        build(content, path, built_at=datetime(2026, 1, 1, tzinfo=UTC), signer=bytes(32))
        with open_pack(path, verify_key=None) as pack:
            yield pack


def position_in(query: Query, *texts: str) -> int:
    """The best position of a match among texts, 9 for none, by the definition alone."""
    found = [
        match.position
        for text in texts
        if text and (match := locate(query, Term(text, "|".join(" ".join(v) for v in readings(fold(text).text)))))
    ]
    return min(found, default=9)


def slow_search(content: Content, typed: str) -> list[str]:
    """What a search must give, worked out item by item without any index."""
    query = Query(typed)
    ranked = []
    names = {department.code: department.name.zh for department in content.departments}
    for item in content.items:
        code = fold(item.code).text
        in_code = (
            9 if not query.text or not code.startswith(query.text) else Position.EXACT if code == query.text else Position.PREFIX
        )
        tiers = (
            position_in(query, item.name.zh),
            in_code,
            position_in(query, item.name.en, *item.aliases),
            position_in(query, names[item.department]),
        )
        best = min((position, field) for field, position in enumerate(tiers))
        if best[0] < 9:
            ranked.append((best, item.popularity or 1 << 40, item.code))
    return [code for _, _, code in sorted(ranked)]


@given(contents())
@SETTINGS
def test_content_survives_the_round_trip(content):
    with packed(content) as pack:
        assert {item.code: item for item in pack.items(limit=100)} == {item.code: item for item in content.items}
        assert msgspec.json.encode(pack.hall) == msgspec.json.encode(content.hall)


@given(contents(), st.data())
@SETTINGS
def test_the_index_finds_exactly_what_the_definition_says_in_its_order(content, data):
    with packed(content) as pack:
        for _ in range(6):
            typed = data.draw(_typed(content))
            assert [hit.code for hit in pack.search(typed, limit=200)] == slow_search(content, typed), typed


def _typed(content: Content) -> st.SearchStrategy[str]:
    """Something somebody might type on the way to a name, or something else altogether."""
    letters = [letter for item in content.items for spoken in readings(fold(item.name.zh).text) for letter in ["".join(spoken)]]
    initials = ["".join(s[0] for s in spoken) for item in content.items for spoken in readings(fold(item.name.zh).text)]
    sources = [item.name.zh for item in content.items] + letters + initials + [*DEPARTMENTS, "gonganju", "a1", "id card new"]
    cut = st.sampled_from(sources).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(lambda ends: text[min(ends) : max(ends)])
    )
    return st.one_of(cut, st.text(ALPHABET + "nuvlxshengza", max_size=5))


@given(contents(), st.data())
@SETTINGS
def test_any_part_of_a_name_finds_it(content, data):
    item = data.draw(st.sampled_from(content.items))
    name = item.name.zh
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    with packed(content) as pack:
        hits = [hit for hit in pack.search(part, limit=200) if hit.code == item.code]
        if not fold(part).text:
            assert hits == []
        else:
            assert len(hits) == 1
            assert all(0 <= begin < end <= len(hits[0].name) for begin, end in hits[0].spans)


@given(st.text(max_size=40), st.data())
def test_the_fold_of_a_part_is_a_part_of_the_fold(text, data):
    text = unicodedata.normalize("NFC", text)
    start = data.draw(st.integers(0, len(text)))
    part = text[start : data.draw(st.integers(start, len(text)))]
    assert fold(part).text in fold(text).text


@given(st.text(max_size=60))
def test_folding_keeps_track_of_every_character(text):
    folded = fold(text)
    assert len(folded.starts) == len(folded.ends) == len(folded.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert "".join(folded.word_texts()) == folded.text


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_query_can_be_searched(text):
    query = Query(text)
    assert query.latin.isascii()
    locate(query, Term("居民身份证", "ju min shen fen zheng"))
