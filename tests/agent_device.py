"""A whole agent in a thread with a face's end of its socket, for tests; and what such a device has told its fleet."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.agent import Agent
from runtime.clock import FakeClock, SystemClock
from runtime.config import DeviceConfig, from_table
from runtime.facelink import FaceLink
from runtime.identity import Identity
from runtime.journal import JournalReader
from runtime.local import DeviceView, FaceState
from wire.codec import decode, encode
from wire.entry import SYNCED
from wire.kinds import OpsNote
from wire.messages import Command, DeviceState, Presence, Report

UNTIL = Callable[..., Any]


class Device:
    """An agent in a thread, and a face's end of its socket, that can be stopped and started again."""

    def __init__(self, directory: Path, identity: Identity, url: str, until: UNTIL) -> None:
        self.directory, self.identity, self.until = directory, identity, until
        self.clock: Any = SystemClock(trust=lambda _wall: SYNCED)
        self.said: list[Any] = []
        self.pack_opens: Callable[[Any, bytes], None] | None = lambda _path, _key: None
        self.agent: Agent | None = None
        self.face: FaceLink | None = None
        table: dict[str, Any] = {
            "role": "evaluator",
            "data_dir": str(directory),
            "fleet": {"url": url},
            "journal": {"evidence_budget_mb": 4, "ops_budget_mb": 4},
            "agent": {"hung_after_s": 3, "terminate_after_s": 1, "resend_after_s": 2, "backoff_max_s": 2, "keepalive_s": 5},
        }
        self.config: DeviceConfig = from_table(table)

    def start(self) -> None:
        agent = Agent(self.config, identity=self.identity, clock=self.clock, software="test 1", content_check=self.pack_opens)
        self.agent = agent
        self._thread = threading.Thread(target=agent.run, name="agent", daemon=True)
        self._thread.start()

    def start_face(self, clock: Any = None) -> FaceLink:
        self.face = FaceLink(
            self.config.socket_path,
            data_dir=self.directory,
            role="evaluator",
            software="face 1",
            device=self.identity.device,
            clock=clock or FakeClock(),
            on_message=self.said.append,
            retry_s=0.05,
        )
        self.face.start()
        self.until(lambda: self.face and self.face.is_connected and self.heard(DeviceView), "the face reached the agent")
        self.face.beat()
        self.face.report(FaceState(screen="idle"))
        return self.face

    def heard(self, kind: type) -> list[Any]:
        return [message for message in self.said if isinstance(message, kind)]

    def stop(self) -> None:
        if self.face is not None:
            self.face.stop()
        if self.agent is not None:
            self.agent.stop()
            self._thread.join(20)
            assert not self._thread.is_alive(), "the agent did not stop"
            self.agent = None

    def notes(self) -> list[OpsNote]:
        with JournalReader(self.directory / "ops.db") as reader:
            return [decode(row.entry.body, OpsNote) for row in reader.rows(1) if row.header.kind == "ops.note"]


def states(fleet_client: Any) -> list[DeviceState]:
    return [decode(data, DeviceState) for data in fleet_client.arrived.get("state", [])]


def presences(fleet_client: Any) -> list[Presence]:
    return [decode(data, Presence) for data in fleet_client.arrived.get("presence", [])]


def reports(fleet_client: Any, command: bytes) -> list[Report]:
    found = [decode(data, Report) for data in fleet_client.arrived.get("report", [])]
    return [report for report in found if report.command == command]


def order(fleet_client: Any, device: Device, verb: Any, *, lives_s: float = 60.0, **more: Any) -> bytes:
    now = time.time_ns() // 1_000_000
    command = Command(id=os.urandom(16), verb=verb, issued_ms=now, expires_ms=now + round(lives_s * 1_000), **more)
    fleet_client.send(device.identity.device, "command", encode(command))
    return command.id


def ends(fleet_client: Any, command: bytes, until: UNTIL) -> Report:
    final = ("done", "failed", "refused", "expired")
    return until(
        lambda: next((each for each in reports(fleet_client, command) if each.state in final), None), "the command has ended"
    )
