"""Fonts with correct Simplified Chinese and Korean glyphs, taken once out of Debian's Noto collection into the device's cache.

Debian's `NotoSansCJK-*.ttc` opens as its face 0, which is Japanese: 直 骨 复 look wrong. So the SC and KR faces are copied into
files of their own. Beside each lies a bit map of the characters it has, which tells quickly who draws a rare character.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOTO = Path("/usr/share/fonts/opentype/noto")
HANAZONO = Path("/usr/share/fonts/truetype/hanazono")
ICONS = Path("/usr/share/fonts/truetype/material-design-icons-iconfont/MaterialIcons-Regular.ttf")
_COVERAGE_BYTES = 0x110000 // 8


class FontsMissing(RuntimeError):
    """A font package is not installed; the message names the file and the Debian package."""


class Face:
    """One font file and the characters it can draw."""

    def __init__(self, path: Path, coverage: bytes) -> None:
        self.path = path
        self._coverage = coverage

    def has(self, char: str) -> bool:
        """Whether the face draws this character."""
        code = ord(char)
        return bool(self._coverage[code >> 3] >> (code & 7) & 1)


@dataclass(frozen=True)
class Fonts:
    """The faces a screen draws with, and those it falls back to, best first."""

    chinese: Face
    chinese_bold: Face
    korean: Face
    korean_bold: Face
    icons: Path
    rare: tuple[Face, ...]
    cache: Path

    def face(self, language: str, *, bold: bool) -> Face:
        """The face for a language: Korean shapes for ko, Simplified Chinese for all others."""
        if language == "ko":
            return self.korean_bold if bold else self.korean
        return self.chinese_bold if bold else self.chinese

    def runs(self, text: str, face: Face) -> Iterator[tuple[Path, str]]:
        """Cut a text into runs, each with the font that can draw it: the face, a rare font, or boxes with the code point."""
        current: Path | None = None
        run = ""
        for char in text:
            path = self._who_draws(char, face)
            if path != current and run and current:
                yield current, run
                run = ""
            current = path
            run += char
        if run and current:
            yield current, run

    def needs_fallback(self, text: str, face: Face) -> bool:
        """Whether some character of the text is not in the face."""
        return any(char >= " " and not face.has(char) for char in text)

    def _who_draws(self, char: str, face: Face) -> Path:
        if char < " " or face.has(char):
            return face.path
        for rare in self.rare:
            if rare.has(char):
                return rare.path
        from ui.boxfont import box_font  # Needs fontTools, and hardly any device ever meets such a character.

        return box_font(char, self.cache)


def prepare(cache: Path) -> Fonts:
    """Open the fonts, extracting faces into `cache` the first time (about a second; afterwards a few milliseconds).

    Safe when two processes do it at once: files appear whole or not at all. A newer font package makes new files.

    Raises FontsMissing when Debian's font packages are not installed.
    """
    cache = cache / "fonts"
    cache.mkdir(parents=True, exist_ok=True)
    return Fonts(
        chinese=_extracted(NOTO / "NotoSansCJK-Regular.ttc", "Noto Sans CJK SC", cache),
        chinese_bold=_extracted(NOTO / "NotoSansCJK-Bold.ttc", "Noto Sans CJK SC Bold", cache),
        korean=_extracted(NOTO / "NotoSansCJK-Regular.ttc", "Noto Sans CJK KR", cache),
        korean_bold=_extracted(NOTO / "NotoSansCJK-Bold.ttc", "Noto Sans CJK KR Bold", cache),
        icons=_installed(ICONS, "fonts-material-design-icons-iconfont"),
        rare=tuple(_as_is(HANAZONO / name, cache) for name in ("HanaMinA.ttf", "HanaMinB.ttf")),
        cache=cache,
    )


def _installed(path: Path, package: str) -> Path:
    if not path.is_file():
        raise FontsMissing(f"font file {path} is missing; install the Debian package {package}")
    return path


def _stamp(path: Path) -> str:
    status = path.stat()
    return hashlib.sha256(f"{path}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()[:12]


def _extracted(collection: Path, name: str, cache: Path) -> Face:
    _installed(collection, "fonts-noto-cjk")
    target = cache / f"{name.replace(' ', '')}-{_stamp(collection)}.otf"
    coverage = target.with_suffix(".chars")
    if not (target.is_file() and coverage.is_file()):
        _extract(collection, name, target, coverage)
    return Face(target, coverage.read_bytes())


def _extract(collection: Path, name: str, target: Path, coverage: Path) -> None:
    from fontTools.ttLib import TTCollection, TTFont  # Only the first start of a device needs it.

    with TTCollection(str(collection), lazy=True) as faces:
        names = [face["name"].getDebugName(4) for face in faces]
    if name not in names:
        raise FontsMissing(f"{collection} has no face {name}, only {', '.join(names)}; install fonts-noto-cjk again")
    font = TTFont(collection, fontNumber=names.index(name), lazy=True, recalcBBoxes=False, recalcTimestamp=False)
    with font:
        _write_whole(coverage, _bits(font.getBestCmap()))
        # Vertical setting and its metrics are never used on a screen; without them the files are smaller.
        for table in ("vhea", "vmtx", "VORG", "BASE"):
            if table in font:
                del font[table]
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as part:
            font.save(part.name, reorderTables=False)
        os.replace(part.name, target)


def _as_is(path: Path, cache: Path) -> Face:
    _installed(path, "fonts-hanazono")
    coverage = cache / f"{path.stem}-{_stamp(path)}.chars"
    if not coverage.is_file():
        from fontTools.ttLib import TTFont  # Only the first start of a device needs it.

        with TTFont(path, lazy=True) as font:
            _write_whole(coverage, _bits(font.getBestCmap()))
    return Face(path, coverage.read_bytes())


def _bits(characters: dict[int, str]) -> bytes:
    bits = bytearray(_COVERAGE_BYTES)
    for code in characters:
        bits[code >> 3] |= 1 << (code & 7)
    return bytes(bits)


def _write_whole(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(data)
    os.replace(part.name, path)
