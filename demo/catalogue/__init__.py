"""The demonstration catalogue of the invented Yunxi County hall. Open this to read it as `pack.model` records."""

from pathlib import Path
from typing import TypeVar

import msgspec

from pack.model import Content, Department, Hall, Item, Scenario

FOLDER = Path(__file__).parent
RecordType = TypeVar("RecordType", Department, Item, Scenario)


def read_catalogue(folder: Path = FOLDER) -> Content:
    """The whole catalogue as one `Content`; items come in order of popularity, most asked first.

    Raises:
        ValueError: a line is not a valid record; the message names the file and the line.
        OSError: a file is missing or cannot be read.
    """
    items = [item for path in sorted(folder.glob("items-*.jsonl")) for item in read_lines(path, Item)]
    return Content(
        hall=msgspec.json.decode((folder / "hall.json").read_bytes(), type=Hall),
        departments=tuple(read_lines(folder / "departments.jsonl", Department)),
        items=tuple(sorted(items, key=lambda item: item.popularity or len(items) + 1)),
        scenarios=tuple(read_lines(folder / "scenarios.jsonl", Scenario)),
    )


def read_lines(path: Path, kind: type[RecordType]) -> list[RecordType]:
    """Every record of one JSON Lines file, decoded strictly. Raises ValueError naming the file and the line."""
    decoder = msgspec.json.Decoder(kind)
    records = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            records.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise ValueError(f"{path.name} line {number} is not a valid {kind.__name__}: {error}; correct it") from error
    return records
