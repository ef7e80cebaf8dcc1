"""The DeviceView: what the face is told, and what it finds on the disk when no agent is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from runtime.clock import Clock
from runtime.health import Troubles
from runtime.identity import write_private
from runtime.local import VIEW_FILE, DeviceView, FromAgent, read_view
from wire.codec import encode

log = structlog.get_logger("runtime.view")


class ViewKeeper:
    """Holds the present view; a change goes to the face and to the disk at once."""

    def __init__(self, data_dir: Path, *, device: str, clock: Clock, troubles: Troubles, send: Callable[[FromAgent], bool]) -> None:
        self._path, self._troubles, self._send = data_dir / VIEW_FILE, troubles, send
        self.view = DeviceView(device=device, link="down", link_since_ms=clock.now().wall_ms)
        kept = read_view(data_dir)
        if kept is not None and kept.device == device:
            # A pack that was verified once is shown until a newer one is; the face verifies the file again.
            self.view = msgspec.structs.replace(
                self.view, content_path=kept.content_path, content_version=kept.content_version, fleet_key=kept.fleet_key
            )

    def change(self, **changes: Any) -> None:
        """Replace fields of the view; `trouble` always follows what the agent noticed."""
        view = msgspec.structs.replace(self.view, trouble=self._troubles.worst(), **changes)
        if view == self.view and self._path.exists():
            return
        self.view = view
        self._send(view)
        try:
            write_private(self._path, encode(view))
        except OSError as error:
            log.warning("the view cannot be kept", error=str(error))
