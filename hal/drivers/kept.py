"""A small file that outlives the program: always whole on disk, the old state or the new one, whenever the power goes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

log = structlog.get_logger("hal")

State = TypeVar("State", bound=msgspec.Struct)


class KeptFile:
    """One Struct as JSON. One program and thread writes it. With `path` None nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._failed = False

    def read(self, empty: State, damaged: State) -> State:
        """What was written last, of the type of `empty`; `empty` when there is no file, `damaged` when it cannot be read."""
        if self._path is None:
            return empty
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=type(empty))
        except FileNotFoundError:
            return empty
        except (OSError, msgspec.DecodeError) as error:
            log.error("what a driver had kept is lost", path=str(self._path), error=str(error))
            return damaged

    def write(self, state: msgspec.Struct) -> None:
        """On disk when this returns. A disk that refuses is logged once, and the work goes on: it has its own alarm."""
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(new, "wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path)
            _sync_folder(self._path.parent)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.error("what a driver must know after a restart is not kept", path=str(self._path), error=str(error))
            self._failed = True


def _sync_folder(folder: Path) -> None:
    """So that the renaming itself outlives a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(file)
    finally:
        os.close(file)
