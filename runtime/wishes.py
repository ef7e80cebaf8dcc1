"""What the fleet wants of this device, carried out: configuration applied, content fetched, and both reported truly."""

from collections.abc import Callable
from typing import Protocol

import structlog

from runtime.config import DeviceConfig, with_overrides
from runtime.desired import DesiredKeeper
from runtime.enrolment import ContentFailed, ContentKeeper, ContentReady
from runtime.health import Troubles
from runtime.journals import OpsJournal
from runtime.orders import State
from runtime.view import ViewKeeper
from wire.pairing import Welcome

log = structlog.get_logger("runtime.wishes")


class Finish(Protocol):
    """Reports a state of a command (runtime.orders.Orders.finish)."""

    def __call__(self, command: bytes, state: State, detail: str | None = None, args: dict[str, str] | None = None, /) -> None:
        """See the class."""
        ...


class Wishes:
    """Applies the configuration at hand. Belongs to the agent's thread."""

    def __init__(
        self,
        config: DeviceConfig,
        keeper: DesiredKeeper,
        *,
        content: ContentKeeper,
        welcome: Callable[[], Welcome],
        troubles: Troubles,
        view: ViewKeeper,
        ops: OpsJournal,
        finish: Finish,
    ) -> None:
        self._config, self._keeper, self._content, self._welcome = config, keeper, content, welcome
        self._troubles, self._view, self._ops, self._finish = troubles, view, ops, finish
        self._pulls: list[bytes] = []

    def take(self, data: bytes) -> None:
        """Take and apply a configuration. Raises WireError for one that is not the fleet's, OSError when it cannot be kept."""
        if self._keeper.take(data) and self._keeper.current is not None:
            self._ops.note("configuration.taken", version=self._keeper.current.version)
            self.apply()

    def apply(self) -> None:
        """Put the kept configuration into effect: tell the face, and fetch its content."""
        desired = self._keeper.current
        if desired is None:
            return
        _, problems = with_overrides(self._config, desired.settings)
        reason = "configuration.partly" if problems else None
        self._troubles.set("configuration", reason, next_step="next.look", problems="; ".join(problems)[:200])
        self._ops.note_placement(desired.placement)
        self._view.change(desired=desired)
        if desired.content is not None:
            self._content.want(desired.content, self._welcome())
        else:
            self._troubles.set("content", None)

    def apply_ordered(self, command: bytes) -> None:
        """The command apply_configuration: done once the present configuration is in effect."""
        desired = self._keeper.current
        if desired is None:
            self._finish(command, "failed", "configuration.none")
            return
        self.apply()
        self._finish(command, "done", None, {"version": str(desired.version)})

    def pull_ordered(self, command: bytes) -> None:
        """The command pull_content: done once the wanted pack is verified and opened."""
        desired = self._keeper.current
        if desired is None or desired.content is None:
            self._finish(command, "failed", "content.none")
            return
        self._pulls.append(command)
        self._content.want(desired.content, self._welcome())

    def content_came(self, news: ContentReady | ContentFailed) -> None:
        """A fetch ended. Of a pack that is not wanted any more nothing is said."""
        desired = self._keeper.current
        if desired is None or desired.content != news.ref:
            return
        pulls, self._pulls = self._pulls, []
        if isinstance(news, ContentFailed):
            log.warning("no content", reason=news.reason, detail=news.detail)
            next_step = "next.publish_again" if news.reason == "content.forged" else "next.pull_content"
            self._troubles.set("content", news.reason, next_step=next_step, error=news.detail)
            for command in pulls:
                self._finish(command, "failed", news.reason, {"error": news.detail})
            return
        self._troubles.set("content", None)
        if (self._view.view.content_path, self._view.view.content_version) != (str(news.path), news.ref.version):
            self._ops.note("content.ready", version=news.ref.version)
        self._view.change(content_path=str(news.path), content_version=news.ref.version)
        for command in pulls:
            self._finish(command, "done", None, {"version": news.ref.version})
