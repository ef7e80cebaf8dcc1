"""Search by the digits of a telephone's keys: it finds what the letters find, and what it finds the letters find."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from pack.match import LETTERS
from pack.model import Item, Text

KEY_OF = {letter: digit for digit, letters in LETTERS.items() for letter in letters}


@pytest.fixture
def hall(opened, make_content):
    return opened(
        make_content(
            Item(code="id", name=Text(zh="居民身份证换领、补领"), department="d", popularity=1, aliases=("lost ID card",)),
            Item(code="tmp", name=Text(zh="临时居民身份证申领"), department="d", popularity=2),
            Item(code="c1", name=Text(zh="机动车驾驶证 C1 换证"), department="d", popularity=3),
            Item(
                code="pass",
                name=Text(zh="普通护照签发", ko="일반려권 발급", en="Ordinary passport"),
                short_name=Text(zh="护照", ko="려권", en="Passport"),
                department="d",
                popularity=4,
            ),
        )
    )


def codes(pack, digits, **options):
    return [hit.code for hit in pack.search_keys(digits, **options)]


@pytest.mark.parametrize(
    ("digits", "found"),
    [
        ("739", ["id", "tmp"]),  # sfz
        ("49", ["pass", "c1"]),  # hz is the whole of 护照, and stands inside 换证
        ("56", ["id"]),  # jm begins 居民, lost begins the alias
        ("5678", ["id"]),  # lost
        ("52721", []),
        ("99999999", []),
    ],
)
def test_initials_are_found_by_their_keys(hall, digits, found):
    assert codes(hall, digits)[: len(found) or None] == found


def test_exact_comes_before_the_beginning_and_that_before_the_inside(hall):
    hits = hall.search_keys("49")
    assert [hit.why.position for hit in hits] == sorted((hit.why.position for hit in hits), key=["exact", "prefix", "inside"].index)
    assert (hits[0].code, hits[0].why.position, hits[0].why.text) == ("pass", "exact", "护照")


def test_what_matched_is_marked_in_the_name_that_is_shown(hall):
    (hit, *_) = hall.search_keys("739")
    assert [hit.name[start:end] for start, end in hit.spans] == ["身份证"]


def test_english_words_are_found_by_their_beginning(hall):
    (hit,) = hall.search_keys("7277", language="en")
    assert (hit.code, hit.name) == ("pass", "Ordinary passport")
    assert codes(hall, "6734", language="en") == ["pass"], "ordi"


def test_only_keys_with_letters_count_and_nothing_finds_nothing(hall):
    assert codes(hall, "7-3 9") == codes(hall, "739")
    for empty in ("", "0", "1*#", "abc"):
        assert codes(hall, empty) == []


def test_no_more_than_asked_for(hall):
    assert len(hall.search_keys("4", limit=2)) == 2


def _initials(name):
    """The first letter of every character, as the most common reading has it; empty where a name holds anything else."""
    plain = "".join(char for char in name if char.isalnum())
    return "".join(reading[0] for reading in lazy_pinyin(plain)) if not any(char.isascii() for char in plain) else ""


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_keys_find_whatever_the_initials_find(catalogue_pack, data):
    item = data.draw(st.sampled_from(catalogue_pack.items(limit=150)))
    initials = _initials(item.name.zh)
    start = data.draw(st.integers(0, max(0, len(initials) - 3)))
    letters = initials[start : start + data.draw(st.integers(3, 6))]
    digits = "".join(KEY_OF.get(letter, "") for letter in letters)
    if len(digits) == len(letters) >= 3:
        assert item.code in codes(catalogue_pack, digits, limit=200)


def test_every_letter_is_on_one_key():
    assert sorted("".join(LETTERS.values())) == sorted("abcdefghijklmnopqrstuvwxyz")
    assert all(set(one).isdisjoint(other) for one, other in product(LETTERS.values(), repeat=2) if one != other)
