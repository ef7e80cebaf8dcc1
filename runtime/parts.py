"""What an agent is made of, joined with each other; what they do together is decided in runtime.agent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nacl.signing import VerifyKey

from runtime.clock import Clock
from runtime.config import DeviceConfig
from runtime.connection import Connection
from runtime.custody import Custody
from runtime.desired import DesiredKeeper
from runtime.enrolment import ContentKeeper
from runtime.facehub import FaceHub
from runtime.handover import Handover
from runtime.health import Troubles
from runtime.identity import Identity, signing_key
from runtime.journals import OpsJournal, Readers
from runtime.outbox import Questions, Reports
from runtime.reporting import Reporter
from runtime.store import AgentStore
from runtime.view import ViewKeeper
from runtime.wishes import Finish, Wishes
from wire.pairing import Welcome


class Bond(NamedTuple):
    """What exists once this device belongs to a fleet."""

    handover: Handover
    wishes: Wishes


class Parts:
    """Opens what is on the disk; touches no network and starts no thread. `on_event` is given events from other threads.

    Raises StoreError.
    """

    def __init__(
        self,
        config: DeviceConfig,
        *,
        identity: Identity,
        clock: Clock,
        software: str,
        on_event: Callable[[Any], None],
        content_check: Callable[[Path, bytes], None] | None,
    ) -> None:
        self._config, self._identity, self._clock = config, identity, clock
        data = config.data_path
        self.troubles = Troubles(clock)
        self.store = AgentStore(data / "agent.db")
        self.readers = Readers(data, identity)
        self.ops = OpsJournal(
            data, identity=identity, clock=clock, store=self.store, readers=self.readers,
            budget_bytes=config.journal.ops_budget_mb << 20,
        )  # fmt: skip
        self.hub = FaceHub(config.socket_path, on_event=on_event, hung_after_ms=round(config.agent.hung_after_s * 1_000))
        self.view = ViewKeeper(data, device=identity.device, clock=clock, troubles=self.troubles, send=self.hub.send)
        self.content = ContentKeeper(data / "content", clock=clock, on_event=on_event, open_check=content_check)
        self.connection = Connection(
            config, identity, clock=clock, store=self.store, troubles=self.troubles, view=self.view, ops=self.ops,
            on_event=on_event,
        )  # fmt: skip
        self.reports = Reports(self.connection.publish)
        self.questions = Questions(self.connection.publish, send=self.hub.send, clock=clock)
        self.reporter = Reporter(
            config, software=software, clock=clock, hub=self.hub, readers=self.readers, ops=self.ops,
            troubles=self.troubles, view=self.view, publish=self.connection.publish,
        )  # fmt: skip

    def bond(self, fleet_key: VerifyKey, *, welcome: Callable[[], Welcome], finish: Finish) -> Bond:
        """What hands over to the fleet of this key, and carries out what it wants. `welcome` gives the present one."""
        return Bond(self._handover(fleet_key), self._wishes(fleet_key, welcome, finish))

    def _handover(self, fleet_key: VerifyKey) -> Handover:
        custody = Custody(
            device=self._identity.device,
            key=signing_key(self._identity.directory),
            fleet_key=fleet_key,
            store=self.store,
            readers=self.readers.all,
            resend_after_ms=round(self._config.agent.resend_after_s * 1_000),
        )
        return Handover(
            custody, fleet_key=fleet_key, store=self.store, readers=self.readers, ops=self.ops, troubles=self.troubles,
            view=self.view, clock=self._clock, publish=self.connection.publish, send=self.hub.send,
        )  # fmt: skip

    def _wishes(self, fleet_key: VerifyKey, welcome: Callable[[], Welcome], finish: Finish) -> Wishes:
        keeper = DesiredKeeper(self._config.data_path, device=self._identity.device, fleet_key=fleet_key, store=self.store)
        return Wishes(
            self._config, keeper, content=self.content, welcome=welcome, troubles=self.troubles, view=self.view, ops=self.ops,
            finish=finish,
        )  # fmt: skip
