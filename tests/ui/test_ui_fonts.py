"""Glyphs are Simplified Chinese ones, and no character of anybody's name disappears."""

import os
import threading

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont

from ui import fonts
from ui.boxfont import box_font

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def prepared(cache):
    return fonts.prepare(cache)


def _outline(font, char):
    pen = RecordingPen()
    glyphs = font.getGlyphSet()
    glyphs[font.getBestCmap()[ord(char)]].draw(pen)
    return pen.value


@pytest.mark.parametrize("char", "直骨复")
def test_shapes_are_simplified_chinese_and_not_japanese(prepared, char):
    collection = fonts.NOTO / "NotoSansCJK-Regular.ttc"
    japanese, chinese = TTFont(collection, fontNumber=0, lazy=True), TTFont(collection, fontNumber=2, lazy=True)
    ours = TTFont(prepared.chinese.path, lazy=True)
    assert _outline(ours, char) == _outline(chinese, char)
    assert _outline(ours, char) != _outline(japanese, char)


def test_hangul_is_in_the_korean_face(prepared):
    assert all(prepared.korean.has(char) for char in "한국어평가")
    assert prepared.face("ko", bold=True) is prepared.korean_bold


def test_a_rare_character_comes_from_hanazono(prepared):
    runs = list(prepared.runs("王\U00020bb7丽", prepared.chinese))
    assert "".join(text for _, text in runs) == "王\U00020bb7丽"
    rare = "\U0002a6d6"
    assert not prepared.chinese.has(rare)
    ((path, _),) = prepared.runs(rare, prepared.chinese)
    assert path.name.startswith("HanaMin")


def test_a_character_no_font_has_becomes_a_box_with_its_code(prepared):
    ((path, text),) = prepared.runs("\uf8f0", prepared.chinese)
    assert text == "\uf8f0"
    assert path.name == "box-0F8F0.ttf"
    assert _outline(TTFont(path), "\uf8f0")


def test_boxes_of_different_characters_differ(tmp_path):
    one, other = (TTFont(box_font(char, tmp_path)) for char in "\uf8f0\uf8f1")
    assert _outline(one, "\uf8f0") != _outline(other, "\uf8f1")


def test_preparing_again_writes_nothing(prepared, cache):
    before = {path: path.stat().st_mtime_ns for path in (cache / "fonts").iterdir()}
    fonts.prepare(cache)
    assert {path: path.stat().st_mtime_ns for path in (cache / "fonts").iterdir()} == before


def test_two_processes_preparing_at_once_both_get_whole_fonts(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(fonts.prepare(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert all(TTFont(each.chinese.path, lazy=True).getBestCmap() for each in found)
    assert not [name for name in os.listdir(tmp_path / "fonts") if name.startswith("tmp")]


def test_a_missing_font_package_is_named(tmp_path):
    with pytest.raises(fonts.FontsMissing, match="install the Debian package fonts-hanazono"):
        fonts._installed(tmp_path / "HanaMinA.ttf", "fonts-hanazono")
