"""Opens the content pack that is to be shown, off the Kivy thread, and only if it is what the fleet signed."""

import threading
from collections.abc import Callable

import structlog

from pack.errors import PackError
from pack.reader import open_pack
from runtime.local import DeviceView
from terminal.content import PackContent
from terminal.hardware import Post
from wire.messages import PartHealth

log = structlog.get_logger("terminal.packs")


def wanted(view: DeviceView, content_file: str) -> tuple[str, bytes | None]:
    """The pack to show, and the key that must have signed it.

    The fleet's pack needs the fleet's key. Without one of these the file that a technician named in the configuration is shown:
    it was laid there by hand, so its own hash is all there is to check.
    """
    if view.content_path and view.fleet_key is not None:
        return view.content_path, view.fleet_key
    return content_file, None


class PackOpener:
    """One pack at a time. `came(content)` and `refused()` are called on the thread that `post` leads to."""

    def __init__(
        self, *, post: Post, now_ms: Callable[[], int], came: Callable[[PackContent], object], refused: Callable[[], object]
    ) -> None:
        self._post, self._now_ms, self._came, self._refused = post, now_ms, came, refused
        self._path = ""
        self.trouble: PartHealth | None = None
        """Why the pack that is wanted is not shown, for the fleet; None while all is well."""

    def want(self, path: str, key: bytes | None) -> None:
        """Open this pack, unless it is the one that was opened or refused last."""
        if path and path != self._path:
            self._path = path
            threading.Thread(target=self._open, args=(path, key), name="content", daemon=True).start()

    def forget(self) -> None:
        """The next `want` opens the pack whatever was opened before."""
        self._path = ""

    def retry(self) -> None:
        """Let a refused pack be looked at again: the agent may have fetched it anew under the same name."""
        if self.trouble is not None:
            self.forget()

    def _open(self, path: str, key: bytes | None) -> None:
        try:
            content = PackContent(open_pack(path, verify_key=key))
        except (PackError, OSError) as error:
            log.error("the content cannot be shown", path=path, error=str(error))
            reason = str(error)[:200]
            self._post(lambda: self._note(reason))
        else:
            self._post(lambda: self._take(content))

    def _note(self, error: str) -> None:
        since_ms = self._now_ms() if self.trouble is None else self.trouble.since_ms
        self.trouble = PartHealth(
            part="content", state="down", reason="content.not_shown", next_step="next.pull_content", args={"error": error},
            since_ms=since_ms,
        )  # fmt: skip
        self._refused()

    def _take(self, content: PackContent) -> None:
        self.trouble = None
        self._came(content)
