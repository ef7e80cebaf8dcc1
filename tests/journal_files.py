"""What tests read out of a device's journal files, and scribble into them."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from runtime.journal import Journal, JournalReader
from wire.codec import decode
from wire.kinds import JournalOpened, OpsNote

Opener = Callable[..., Journal]


def note(text: str = "x") -> OpsNote:
    return OpsNote(what="test", args={"text": text})


def bodies(path: Path) -> list[str]:
    with JournalReader(path) as reader:
        reader.verify()
        return [decode(row.entry.body, OpsNote).args["text"] for row in reader.rows(1)]


def opening(path: Path) -> JournalOpened:
    with JournalReader(path) as reader:
        return decode(next(reader.rows(0)).entry.body, JournalOpened)


def scribble(path: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(sql, values)
    connection.close()


def flip(path: Path, seq: int) -> None:
    scribble(path, "UPDATE entries SET body = x'00' || substr(body, 2) WHERE seq = ?", seq)
