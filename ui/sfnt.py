"""Takes one face out of a font collection byte for byte, and reads which characters it has. Read it with OpenType's `otff` open.

fontTools does both as well, but works out the checksum of every table in Python: four Chinese faces of 16 MB take it more than
three seconds, the very first start of a device. Copying the tables as they are takes the kernel some hundredths.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_FULL_NAME = 4
_WINDOWS_ENGLISH = (3, 1, 0x0409)
_MOST_TABLES = 64
_UNICODE = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))
"""Platform and encoding of a table of characters, the most complete first."""


class Broken(ValueError):
    """The file is no font or is damaged; the message says where."""


class Table(NamedTuple):
    """Where a table lies in the file, in bytes."""

    tag: bytes
    checksum: int
    offset: int
    length: int


class SfntFile:
    """A font file (`.otf`, `.ttf`) or collection (`.ttc`) opened for reading. Close it, or use it in a `with`.

    Raises Broken from every method when the bytes are not those of a font, and OSError when they cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")

    def __enter__(self) -> "SfntFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def faces(self) -> dict[str, int]:
        """Every face's full name, and where its table directory begins."""
        if self._read(0, 4) != b"ttcf":
            return {self.full_name(0): 0}
        (count,) = struct.unpack(">L", self._read(8, 4))
        if not 0 < count <= 256:
            raise Broken(f"{self._path} says it holds {count} faces")
        return {self.full_name(face): face for face in struct.unpack(f">{count}L", self._read(12, 4 * count))}

    def tables(self, face: int) -> dict[bytes, Table]:
        """The tables of the face whose directory begins at `face`."""
        (count,) = struct.unpack(">H", self._read(face + 4, 2))
        if not 0 < count <= _MOST_TABLES:
            raise Broken(f"{self._path} says a face has {count} tables")
        records = (Table(*fields) for fields in struct.iter_unpack(">4s3L", self._read(face + 12, 16 * count)))
        return {record.tag: record for record in records}

    def full_name(self, face: int) -> str:
        """The face's English name, for example `Noto Sans CJK SC Bold`; empty when it has none."""
        table = self._table(face, b"name")
        _, count, texts = struct.unpack_from(">3H", table)
        for record in range(min(count, (len(table) - 6) // 12)):
            *kind, name, length, at = struct.unpack_from(">6H", table, 6 + 12 * record)
            if tuple(kind) == _WINDOWS_ENGLISH and name == _FULL_NAME:
                return table[texts + at : texts + at + length].decode("utf-16-be", errors="replace")
        return ""

    def characters(self, face: int) -> Iterator[tuple[int, int]]:
        """Ranges of code points, first and last, that the face draws. Of Unicode tables it reads format 12, which covers all."""
        table = self._table(face, b"cmap")
        _, count = struct.unpack_from(">2H", table)
        found: dict[tuple[int, int], int] = {}
        for record in range(min(count, (len(table) - 4) // 8)):
            platform, encoding, at = struct.unpack_from(">2HL", table, 4 + 8 * record)
            if at + 16 <= len(table) and struct.unpack_from(">H", table, at) == (12,):
                found[platform, encoding] = at
        for kind in _UNICODE:
            if kind in found:
                return _groups(table, found[kind])
        raise Broken(f"{self._path} has no table of characters beyond 65,535 (cmap format 12)")

    def copy_face(self, face: int, target: BinaryIO, *, without: frozenset[bytes] = frozenset()) -> None:
        """Write the face as a font of its own to an empty file, leaving out tables. The tables' bytes stay as they are."""
        tables = [table for tag, table in sorted(self.tables(face).items()) if tag not in without]
        power = len(tables).bit_length() - 1
        head = [self._read(face, 4) + struct.pack(">4H", len(tables), 16 << power, power, 16 * len(tables) - (16 << power))]
        at = 12 + 16 * len(tables)
        for table in tables:
            head.append(struct.pack(">4s3L", table.tag, table.checksum, at, table.length))
            at += -(-table.length // 4) * 4
        target.write(b"".join(head))
        target.flush()
        for table in tables:
            self._copy(table, target)

    def _copy(self, table: Table, target: BinaryIO) -> None:
        at, rest = table.offset, table.length
        while rest:
            sent = os.sendfile(target.fileno(), self._file.fileno(), at, rest)
            if not sent:
                raise Broken(f"{self._path} ends before its table {table.tag.decode('ascii', 'replace')} does")
            at, rest = at + sent, rest - sent
        os.write(target.fileno(), b"\0" * (-table.length % 4))

    def _table(self, face: int, tag: bytes) -> bytes:
        table = self.tables(face).get(tag)
        if table is None or table.length < 6:
            raise Broken(f"{self._path} has no table {tag.decode()}")
        return self._read(table.offset, table.length)

    def _read(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        data = self._file.read(length)
        if len(data) != length:
            raise Broken(f"{self._path} ends at byte {at + len(data)}, {length - len(data)} bytes too early")
        return data


def _groups(table: bytes, at: int) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from(">L", table, at + 12)
    groups = table[at + 16 : at + 16 + 12 * count]
    if len(groups) != 12 * count:
        raise Broken(f"a table of characters promises {count} ranges and holds {len(groups) // 12}")
    for first, last, glyph in struct.iter_unpack(">3L", groups):
        if not first <= last < 0x110000:
            raise Broken(f"a table of characters has the range {first:#x}-{last:#x}")
        # Glyph 0 is the box that stands for what a font does not have.
        yield (first + 1 if glyph == 0 else first), last
