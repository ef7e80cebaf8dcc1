"""Who signed in at this window, kept over a restart until the end of a working day."""

import json
from pathlib import Path

import structlog

from evaluator.flow.ports import Seat
from evaluator.stored import store

HOLDS_MS = 16 * 3_600_000
"""A clerk who forgot to sign out does not sit here tomorrow."""

log = structlog.get_logger("evaluator.seat")


def keep(path: Path, seat: Seat, *, now_ms: int) -> None:
    """Store a seat. A disk that fails costs only the memory over a restart, which the log says."""
    try:
        store(path, {"clerk": seat.clerk, "window": seat.window, "at_ms": now_ms})
    except OSError as error:
        log.error("who sits at the window could not be stored", error=str(error))


def kept(path: Path, *, now_ms: int) -> Seat | None:
    """The seat that was stored, unless it is too old or cannot be read."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        seat = Seat(str(said["clerk"])[:16], said["window"])
        is_fresh = 0 <= now_ms - int(said["at_ms"]) < HOLDS_MS
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("who sat at the window cannot be read", error=str(error))
        return None
    return seat if is_fresh and seat.window in ("serving", "paused", "closed") else None
