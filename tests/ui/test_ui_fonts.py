"""Glyphs are Simplified Chinese ones, and no character of anybody's name disappears."""

import fcntl
import struct
import subprocess
import sys
import threading
import time

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ui import fonts
from ui.boxfont import box_font
from ui.sfnt import Broken, SfntFile

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


def _whole(folder):
    """Wait until the disk has the fonts; whoever takes the lock after that finds the mark."""
    with (folder / "fonts" / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    return list((folder / "fonts").glob("*.whole"))


def _written(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "fonts").iterdir() if path.name != "lock"}


def test_preparing_again_writes_nothing(prepared, cache):
    assert _whole(cache)
    before = _written(cache)
    fonts.prepare(cache)
    assert _written(cache) == before


def test_every_face_and_rare_font_has_the_characters_that_fonttools_finds(prepared):
    for face in (prepared.chinese, prepared.chinese_bold, prepared.korean, prepared.korean_bold, *prepared.rare):
        with TTFont(face.path, lazy=True) as font:
            known = set(font.getBestCmap())
        assert {code for code in range(0x110000) if face.has(chr(code))} == known


@pytest.mark.parametrize("role", ["chinese", "chinese_bold", "korean", "korean_bold"])
def test_tables_are_copied_byte_for_byte_and_those_of_no_use_are_left_out(prepared, role):
    collection, name = fonts._FACES[role]
    number = next(n for n in range(10) if TTFont(fonts.NOTO / collection, fontNumber=n, lazy=True)["name"].getDebugName(4) == name)
    source = TTFont(fonts.NOTO / collection, fontNumber=number, lazy=True).reader
    ours = TTFont(getattr(prepared, role).path, lazy=True, checkChecksums=2).reader
    assert set(source.tables) - set(ours.tables) == {"vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS", "GDEF"}
    assert all(ours[tag] == source[tag] for tag in ours.tables if tag != "head")


def test_two_threads_preparing_at_once_both_get_whole_fonts(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(fonts.prepare(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert all(TTFont(each.chinese.path, lazy=True).getBestCmap() for each in found)
    assert _whole(tmp_path)
    assert not list((tmp_path / "fonts").glob("*.part"))


def test_two_processes_preparing_at_once_take_the_faces_out_once(tmp_path):
    both = [subprocess.Popen([sys.executable, "-m", "ui.fonts", str(tmp_path / "fonts")]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    before = _written(tmp_path)
    fonts.prepare(tmp_path)
    assert _written(tmp_path) == before


@pytest.mark.parametrize("files", [1, 2, 3, 5, 8, 10])
def test_a_start_that_was_killed_in_the_middle_leaves_nothing_that_is_believed(tmp_path, files):
    # Whatever a cut leaves, a file is only read when a mark says that all of them were on the disk.
    first = subprocess.Popen([sys.executable, "-m", "ui.fonts", str(tmp_path / "fonts")])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and first.poll() is None:
        if (tmp_path / "fonts").is_dir() and len(list((tmp_path / "fonts").iterdir())) >= files:
            break
    first.kill()
    first.wait(10)
    prepared = fonts.prepare(tmp_path)
    assert _whole(tmp_path)
    assert not list((tmp_path / "fonts").glob("*.part"))
    assert all(TTFont(face.path, lazy=True).getBestCmap() for face in (prepared.chinese, prepared.korean_bold))


def test_a_file_that_a_power_cut_left_empty_under_its_right_name_is_made_again(tmp_path):
    made = fonts.prepare(tmp_path).chinese.path
    (mark,) = _whole(tmp_path)
    # What a disk may hold after a cut: the name, the length 0, and no mark, which is written after everything else.
    mark.unlink()
    made.write_bytes(b"")
    made.with_suffix(".chars").write_bytes(b"")
    again = fonts.prepare(tmp_path)
    assert again.chinese.path == made
    assert again.chinese.has("骨")
    assert made.stat().st_size > 15_000_000


def test_a_newer_font_package_makes_new_files(prepared, cache, tmp_path):
    old = fonts._sources()
    newer = tmp_path / "NotoSansCJK-Bold.ttc"
    newer.write_bytes(b"newer")
    sources = old | {"NotoSansCJK-Bold.ttc": newer}
    assert fonts._mark(sources, cache) != fonts._mark(old, cache)
    names = {role: path.name for role, path in fonts._face_files(sources, cache).items()}
    assert names["chinese"] == prepared.chinese.path.name
    assert names["chinese_bold"] != prepared.chinese_bold.path.name


@pytest.mark.parametrize("length", [0, 3, 11, 40, 3000, 1_000_000, 16_560_000, 19_484_000])
def test_a_collection_that_was_cut_short_is_called_broken(tmp_path, length):
    damaged = tmp_path / "cut.ttc"
    damaged.write_bytes((fonts.NOTO / "NotoSansCJK-Regular.ttc").read_bytes()[:length])
    with pytest.raises((Broken, struct.error)):
        _take_all(damaged, tmp_path / "out")


def _take_all(collection, target):
    with SfntFile(collection) as font, target.open("wb") as out:
        for face in font.faces().values():
            list(font.characters(face))
            font.copy_face(face, out)


@given(noise=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_told_and_never_taken_for_endless_tables(tmp_path, noise):
    damaged = tmp_path / "damaged.ttc"
    data = bytearray((fonts.NOTO / "NotoSansCJK-Regular.ttc").read_bytes()[:40_000])
    for at, value in noise:
        data[at] = value
    damaged.write_bytes(data)
    with pytest.raises((Broken, struct.error)):
        _take_all(damaged, tmp_path / "out")


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path):
    (tmp_path / "fonts").write_text("a file where the folder should be")
    with pytest.raises(fonts.FontsMissing, match=r"could not be prepared .* look whether the disk is full"):
        fonts.prepare(tmp_path)


def test_a_missing_font_package_is_named(tmp_path):
    with pytest.raises(fonts.FontsMissing, match="install the Debian package fonts-hanazono"):
        fonts._installed(tmp_path / "HanaMinA.ttf", "fonts-hanazono")
