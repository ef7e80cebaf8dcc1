"""Fonts with correct Simplified Chinese and Korean glyphs, taken once out of Debian's Noto collection into the device's cache.

Debian's `NotoSansCJK-*.ttc` opens as its face 0, which is Japanese: 直 骨 复 look wrong. So the SC and KR faces are copied into
files of their own. Beside each lies a bit map of the characters it has, which tells quickly who draws a rare character.
"""

import hashlib
import os
import subprocess
import sys
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


_FACES = {
    "chinese": ("NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"),
    "chinese_bold": ("NotoSansCJK-Bold.ttc", "Noto Sans CJK SC Bold"),
    "korean": ("NotoSansCJK-Regular.ttc", "Noto Sans CJK KR"),
    "korean_bold": ("NotoSansCJK-Bold.ttc", "Noto Sans CJK KR Bold"),
}
_RARE = ("HanaMinA.ttf", "HanaMinB.ttf")


def prepare(cache: Path) -> Fonts:
    """Open the fonts, extracting faces into `cache` the first time (some seconds; afterwards a few milliseconds).

    Safe when two processes do it at once: files appear whole or not at all. A newer font package makes new files.

    Raises FontsMissing when Debian's font packages are not installed, or a face cannot be taken out of them.
    """
    folder = cache / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    icons = _installed(ICONS, "fonts-material-design-icons-iconfont")
    if not all(path.is_file() for path in _wanted(folder)):
        _extract_apart(folder)
    faces = {role: Face(_face_file(role, folder), _coverage(_face_file(role, folder)).read_bytes()) for role in _FACES}
    rare = tuple(Face(HANAZONO / name, _rare_coverage(HANAZONO / name, folder).read_bytes()) for name in _RARE)
    return Fonts(**faces, icons=icons, rare=rare, cache=folder)


def _wanted(folder: Path) -> list[Path]:
    faces = [_face_file(role, folder) for role in _FACES]
    rare = [_rare_coverage(_installed(HANAZONO / name, "fonts-hanazono"), folder) for name in _RARE]
    return faces + [_coverage(path) for path in faces] + rare


def _face_file(role: str, folder: Path) -> Path:
    collection, name = _FACES[role]
    return folder / f"{name.replace(' ', '')}-{_stamp(_installed(NOTO / collection, 'fonts-noto-cjk'))}.otf"


def _coverage(face_file: Path) -> Path:
    return face_file.with_suffix(".chars")


def _rare_coverage(path: Path, folder: Path) -> Path:
    return folder / f"{path.stem}-{_stamp(path)}.chars"


def _extract_apart(folder: Path) -> None:
    # In a process of its own: what fontTools holds of four Chinese fonts would stay in this one's memory as long as it lives.
    done = subprocess.run([sys.executable, "-m", "ui.fonts", str(folder)], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise FontsMissing(f"the fonts could not be prepared in {folder}: {said[-1] if said else 'no reason given'}")


def _installed(path: Path, package: str) -> Path:
    if not path.is_file():
        raise FontsMissing(f"font file {path} is missing; install the Debian package {package}")
    return path


def _stamp(path: Path) -> str:
    status = path.stat()
    return hashlib.sha256(f"{path}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()[:12]


def extract(folder: Path) -> None:
    """Write whatever of the faces and their coverage is not in `folder` yet."""
    from fontTools.ttLib import TTFont  # Only the first start of a device needs it.

    for role, (collection, name) in _FACES.items():
        target = _face_file(role, folder)
        if not (target.is_file() and _coverage(target).is_file()):
            _extract(NOTO / collection, name, target)
    for name in _RARE:
        coverage = _rare_coverage(HANAZONO / name, folder)
        if not coverage.is_file():
            with TTFont(HANAZONO / name, lazy=True) as font:
                _write_whole(coverage, _bits(font.getBestCmap()))


def _extract(collection: Path, name: str, target: Path) -> None:
    from fontTools.ttLib import TTCollection, TTFont

    with TTCollection(str(collection), lazy=True) as faces:
        names = [face["name"].getDebugName(4) for face in faces]
    if name not in names:
        raise FontsMissing(f"{collection} has no face {name}, only {', '.join(names)}; install fonts-noto-cjk again")
    font = TTFont(collection, fontNumber=names.index(name), lazy=True, recalcBBoxes=False, recalcTimestamp=False)
    with font:
        _write_whole(_coverage(target), _bits(font.getBestCmap()))
        # Vertical setting, kerning and other languages' glyph forms are never used on these screens, and every size of a
        # font that is open holds these tables in memory.
        for table in ("vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS", "GDEF"):
            if table in font:
                del font[table]
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as part:
            font.save(part.name, reorderTables=False)
        os.replace(part.name, target)


def _bits(characters: dict[int, str]) -> bytes:
    bits = bytearray(_COVERAGE_BYTES)
    for code in characters:
        bits[code >> 3] |= 1 << (code & 7)
    return bytes(bits)


def _write_whole(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
        part.write(data)
    os.replace(part.name, path)


if __name__ == "__main__":
    extract(Path(sys.argv[1]))
