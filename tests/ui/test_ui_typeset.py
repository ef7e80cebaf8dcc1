"""Lines break where readers of Chinese, Korean and English expect it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.typeset import balanced, break_lines, units


def wide(text: str) -> float:
    """Hanzi and Hangul are 2 wide, everything else 1."""
    return sum(2 if char >= "\u2e80" else 1 for char in text)


def test_no_line_begins_with_closing_punctuation():
    lines, _ = break_lines("具有本县户籍，或居住证。", 12, wide)
    assert all(line[0] not in "，。" for line in lines)


def test_no_line_ends_with_an_opening_bracket():
    lines, _ = break_lines("身份证原件（正反面）", 12, wide)
    assert all(not line.endswith("（") for line in lines)


@pytest.mark.parametrize("width", range(6, 30))
def test_a_dot_between_spaces_stays_with_what_stands_before_it(width):
    text = "二楼 · 公安区 · 5号窗口 · Window 5"
    lines, _ = break_lines(text, width, wide)
    assert not any(line.startswith("·") for line in lines)
    assert " ".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_text_may_still_begin_with_a_dot():
    assert break_lines("· 一", 20, wide)[0] == ["· 一"]


def test_english_words_stay_whole():
    lines, fits = break_lines("Please rate this service", 10, wide)
    assert lines == ["Please", "rate this", "service"]
    assert fits


def test_korean_breaks_at_spaces():
    lines, _ = break_lines("이번 서비스를 평가해 주세요", 14, wide)
    assert " ".join(lines) == "이번 서비스를 평가해 주세요"
    assert len(lines) > 1


def test_numbers_and_codes_stay_whole():
    assert "7K3M-P0XW-9" in units("回执 7K3M-P0XW-9 请保存")


def test_a_word_wider_than_the_line_is_reported():
    _, fits = break_lines("dissatisfied", 5, wide)
    assert not fits


def test_line_ends_in_the_text_are_kept():
    assert break_lines("一\n\n二", 20, wide)[0] == ["一", "", "二"]


def test_no_single_character_is_left_alone_on_the_last_line():
    lines, _ = break_lines("没有提供材料样本清单吗", 20, wide)
    assert len(lines[-1]) > 1


def test_a_space_at_a_break_is_not_lost_when_words_move_down():
    lines, _ = break_lines("goes on as usual every single day it", 34, wide)
    assert " ".join(lines) == "goes on as usual every single day it"


def test_centred_lines_are_about_equally_long():
    lines, _ = balanced("同样内容的证明材料被要求多次提交", 26, wide)
    assert len(lines) == 2
    assert abs(wide(lines[0]) - wide(lines[1])) <= 6


@given(st.text(alphabet="政务服务，。（）abc 12가나 ", max_size=60), st.integers(min_value=2, max_value=40))
def test_nothing_is_lost_or_added(text, width):
    for breaker in (break_lines, balanced):
        lines, _ = breaker(text, width, wide)
        assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(alphabet="政务服务，abc ", max_size=60), st.integers(min_value=4, max_value=40))
def test_lines_are_never_wider_than_allowed_when_everything_fits(text, width):
    lines, fits = break_lines(text, width, wide)
    assert not fits or all(wide(line) <= width for line in lines)


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_empty_texts_are_lines_too(text):
    assert break_lines(text, 10, wide)[1]
