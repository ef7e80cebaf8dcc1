"""Fonts with correct Simplified Chinese and Korean glyphs, taken once out of Debian's Noto collection into the device's cache.

Debian's `NotoSansCJK-*.ttc` opens as its face 0, which is Japanese: 直 骨 复 look wrong. So the SC and KR faces are copied into
files of their own. Beside each lies a bit map of the characters it has, which tells quickly who draws a rare character.
"""

import fcntl
import hashlib
import os
import struct
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ui.sfnt import Broken, SfntFile

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
_UNUSED = frozenset({b"vhea", b"vmtx", b"VORG", b"BASE", b"GSUB", b"GPOS", b"GDEF"})
"""Vertical setting, kerning and other languages' glyph forms are never used on these screens, and every size of a font that is open
holds these tables in memory."""
_LAYOUT = 2
"""Count it up when the files in the cache are to be made differently."""


def prepare(cache: Path) -> Fonts:
    """Open the fonts, copying faces into `cache` the first time (a tenth of a second; afterwards a few milliseconds).

    Safe when two processes do it at once, and when the power fails in the middle: a start trusts only files of which a mark says
    that they were on the disk, whole, before it. A newer font package makes new files.

    Raises FontsMissing when Debian's font packages are not installed, or a face cannot be taken out of them.
    """
    folder = cache / "fonts"
    icons = _installed(ICONS, "fonts-material-design-icons-iconfont")
    sources = _sources()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _marks(sources, folder):
            extract(folder)
        faces = {role: Face(file, _coverage(file).read_bytes()) for role, file in _face_files(sources, folder).items()}
        rare = tuple(Face(sources[name], _rare_coverage(sources[name], folder).read_bytes()) for name in _RARE)
    except (OSError, Broken, struct.error) as error:
        why = f"the fonts could not be prepared in {folder}: {error}"
        raise FontsMissing(f"{why}; look whether the disk is full, and install fonts-noto-cjk and fonts-hanazono again") from error
    return Fonts(**faces, icons=icons, rare=rare, cache=folder)


def extract(folder: Path, *, wait: bool = False) -> None:
    """Write the faces and their coverage into `folder`; return as soon as they can be read, or with `wait` when the disk has them.

    Until the disk has them a thread waits for it, for seconds on a slow card: a screen need not.
    """
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = _sources()
        if _marks(sources, folder):
            lock.close()
            return
        for left in folder.glob("*.part"):
            left.unlink()
        made = [*_take_faces(sources, folder), *_take_rare(sources, folder)]
    except BaseException:
        lock.close()
        raise
    settle = threading.Thread(target=_settle, args=(made, _mark(sources, folder), lock), name="fonts", daemon=True)
    settle.start()
    if wait:
        settle.join()


def _settle(made: list[Path], mark: Path, lock: BinaryIO) -> None:
    # Whoever starts meanwhile waits at the lock and finds the mark. Without a mark the next start takes the faces out again.
    with lock:
        try:
            for path in [*made, mark.parent]:
                _sync(path)
            mark.touch()
        except OSError as error:
            print(f"fonts: {mark.parent} could not be written to the disk: {error}", file=sys.stderr)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sources() -> dict[str, Path]:
    noto = {name: _installed(NOTO / name, "fonts-noto-cjk") for name, _ in _FACES.values()}
    return noto | {name: _installed(HANAZONO / name, "fonts-hanazono") for name in _RARE}


def _mark(sources: dict[str, Path], folder: Path) -> Path:
    """Stands when everything taken out of exactly these sources is on the disk."""
    identity = "|".join(_stamp(path) for _, path in sorted(sources.items()))
    return folder / f"{hashlib.sha256(f'{_LAYOUT}|{identity}'.encode()).hexdigest()[:16]}.whole"


def _marks(sources: dict[str, Path], folder: Path) -> bool:
    return _mark(sources, folder).is_file()


def _face_files(sources: dict[str, Path], folder: Path) -> dict[str, Path]:
    return {
        role: folder / f"{name.replace(' ', '')}-{_stamp(sources[collection])}.otf" for role, (collection, name) in _FACES.items()
    }


def _coverage(face_file: Path) -> Path:
    return face_file.with_suffix(".chars")


def _rare_coverage(path: Path, folder: Path) -> Path:
    return folder / f"{path.stem}-{_stamp(path)}.chars"


def _installed(path: Path, package: str) -> Path:
    if not path.is_file():
        raise FontsMissing(f"font file {path} is missing; install the Debian package {package}")
    return path


def _stamp(path: Path) -> str:
    status = path.stat()
    return hashlib.sha256(f"{path}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()[:12]


def _take_faces(sources: dict[str, Path], folder: Path) -> Iterator[Path]:
    files = _face_files(sources, folder)
    for role, (collection, name) in _FACES.items():
        with SfntFile(sources[collection]) as font:
            faces = font.faces()
            if name not in faces:
                has = ", ".join(faces)
                raise FontsMissing(f"{sources[collection]} has no face {name}, only {has}; install fonts-noto-cjk again")
            face = faces[name]
            with _whole(_coverage(files[role])) as part:
                part.write(_bits(font.characters(face)))
            with _whole(files[role]) as part:
                font.copy_face(face, part, without=_UNUSED)
        yield from (_coverage(files[role]), files[role])


def _take_rare(sources: dict[str, Path], folder: Path) -> Iterator[Path]:
    for name in _RARE:
        coverage = _rare_coverage(sources[name], folder)
        with SfntFile(sources[name]) as font, _whole(coverage) as part:
            part.write(_bits(font.characters(0)))
        yield coverage


def _bits(characters: Iterable[tuple[int, int]]) -> bytes:
    bits = bytearray(_COVERAGE_BYTES)
    for first, last in characters:
        for code in range(first, last + 1):
            bits[code >> 3] |= 1 << (code & 7)
    return bytes(bits)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which gets its name when all of it is written."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        yield part
    os.replace(part.name, path)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    extract(Path(sys.argv[1]), wait=True)
