"""Small files of the evaluator beside its journal, written so that a power cut leaves the old one or the new one."""

import json
import os
from pathlib import Path
from typing import Any


def store(path: Path, value: Any) -> None:
    """Write `value` as JSON; on the disk when this returns. Raises OSError."""
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
