"""The paper language: what fits on a line, what the printer's font has, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.paper import Columns, Cut, Feed, Qr, Raster, Rule, Text, clean, columns_of, fit, in_rom, problems, wrap


@given(st.text(), st.integers(2, 60))
def test_no_wrapped_line_is_wider_than_the_paper(text, columns):
    assert all(columns_of(line) <= columns for line in wrap(text, columns))


@given(st.text(alphabet="ab 中文한,.", max_size=80), st.integers(2, 40))
def test_wrapping_loses_nothing_but_spaces(text, columns):
    assert "".join(wrap(text, columns)).replace(" ", "") == text.replace(" ", "")


def test_latin_words_are_not_split_and_hanzi_may_be():
    assert wrap("请携带 identity card 原件到窗口", 14) == ["请携带", "identity card", "原件到窗口"]
    assert wrap("一二三四五", 6) == ["一二三", "四五"]


@given(st.text())
def test_cleaned_text_can_not_become_a_printer_command(text):
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in clean(text))


@pytest.mark.parametrize(("text", "has"), [("身份证 No.1 —·①", True), ("한국어", False), ("龘", False), ("☐", False), ("é", True)])
def test_the_printers_font_has_gb2312_and_nothing_else(text, has):
    assert in_rom(text) is has


@given(st.text(max_size=5), st.integers(20, 40), st.sampled_from(["left", "centre", "right"]))
def test_a_fitted_cell_has_exactly_its_width(text, columns, align):
    assert columns_of(fit(clean(text), columns, align)) == max(columns, columns_of(clean(text)))


@pytest.mark.parametrize(
    "block",
    [
        Text("x", size=5),
        Rule("一"),
        Columns(("a", "b"), (1,)),
        Columns((), ()),
        Columns(("a",), (-1,)),
        Raster(9, 1, b"\0"),
        Raster(0, 1, b""),
        Qr(""),
        Qr("x" * 1001),
        Qr("x", module=1),
        Feed(0),
    ],
)
def test_impossible_blocks_are_named_with_their_place(block):
    assert [problem.startswith("block 1 ") for problem in problems((Cut(), block))] == [True]


def test_an_empty_job_is_refused():
    assert problems(()) == ["the job has 0 blocks; print 1 to 2000"]
