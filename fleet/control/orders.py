"""Orders to devices: commands with their true state, and the pictures they bring."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from sqlalchemy import insert, select, update

from fleet.access import audit
from fleet.access.errors import Explained
from fleet.control.rules import LIVE, Transition, transition
from fleet.control.tables import commands, pictures
from fleet.registry.service import Registry
from fleet.store import Store
from wire.codec import encode
from wire.messages import Command, Invitation, Picture, Report

COMMAND_TTL_MS = 120_000


class ControlError(Explained):
    """An order that cannot be given; it says why and what to do."""


class Publisher(Protocol):
    """What control needs of the link (fleet.watch.link.Link)."""

    def publish(
        self,
        tenant: str,
        device: str,
        channel: Any,
        payload: bytes,
        *,
        retain: bool = False,
        expires_s: int | None = None,
        on_sent: Callable[[], object] | None = None,
    ) -> bool:
        """Publish at QoS 1; False when that is not possible now."""
        ...


class Order(Struct, frozen=True, kw_only=True):
    """A command with its true state: queued, sent, received, running, done, failed, refused or expired."""

    id: bytes
    device: str
    verb: str
    state: str
    issued_ms: int
    expires_ms: int
    changed_ms: int
    detail: str | None
    args: dict[str, str]
    by: str

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in LIVE


class Shot(Struct, frozen=True, kw_only=True):
    """The last picture of a device's screen. `received_ms` is the fleet's clock, `at_ms` the device's."""

    device: str
    command: bytes
    at_ms: int
    received_ms: int
    screen: str
    png: bytes


class Orders:
    """Commands and pictures. `publisher` is set once the link exists; without it commands stay queued."""

    def __init__(self, store: Store, registry: Registry, *, clock_ms: Callable[[], int], on_change: Callable[[], None]) -> None:
        self._store = store
        self._registry = registry
        self._clock_ms = clock_ms
        self._on_change = on_change
        self.publisher: Publisher | None = None

    def send_queued(self) -> None:
        """Send again what the broker never had."""
        with self._store.read() as connection:
            waiting = connection.execute(select(commands).where(commands.c.state == "queued")).all()
        for row in waiting:
            self._send(row.device, bytes(row.id), bytes(row.message), row.expires_ms)

    def give(
        self,
        device: str,
        verb: str,
        *,
        by: str,
        ttl_ms: int = COMMAND_TTL_MS,
        invitation: Invitation | None = None,
        occasion: bytes | None = None,
        address: str = "",
    ) -> bytes:
        """Give an order; gives its id. It is queued until the broker has it, and dies after `ttl_ms`.

        Raises ControlError for a revoked device or an unknown verb.
        """
        record = self._registry.device(device)
        if record.is_revoked:
            raise ControlError("设备已吊销，不接受命令", f"device {device} is revoked and takes no orders")
        now = self._clock_ms()
        message = _command(verb, now, now + ttl_ms, invitation, occasion)
        data = encode(message)
        row = {
            "id": message.id,
            "device": device,
            "verb": verb,
            "message": data,
            "state": "queued",
            "issued_ms": now,
            "expires_ms": message.expires_ms,
            "changed_ms": now,
            "args": {},
            "by": by,
        }
        with self._store.write() as connection:
            connection.execute(insert(commands).values(**row))
            audit.append(connection, at_ms=now, actor=by, action=f"command.{verb}", subject=device, address=address)
        self._send(device, message.id, data, message.expires_ms)
        self._on_change()
        return message.id

    def _send(self, device: str, command: bytes, data: bytes, expires_ms: int) -> None:
        left_ms = expires_ms - self._clock_ms()
        if self.publisher is not None and left_ms > 0:
            tenant = self._registry.device(device).tenant
            self.publisher.publish(
                tenant, device, "command", data, expires_s=left_ms // 1000, on_sent=lambda: self._advance(command, device, "sent")
            )

    def take_report(self, device: str, report: Report) -> bool:
        """Take what a device says of a command; False when the command is not its own or is over already."""
        return self._advance(report.command, device, report.state, report.detail, report.args)

    def _advance(
        self, command: bytes, device: str, state: str, detail: str | None = None, args: Mapping[str, str] | None = None
    ) -> bool:
        with self._store.write() as connection:
            row = connection.execute(select(commands.c.state).where(commands.c.id == command, commands.c.device == device)).first()
            if row is None or transition(row.state, state) is not Transition.TAKE:
                return False
            values = {"state": state, "changed_ms": self._clock_ms(), "detail": detail, "args": dict(args or {})}
            connection.execute(update(commands).where(commands.c.id == command).values(**values))
        self._on_change()
        return True

    def expire(self) -> int:
        """Mark commands whose time is over and of which no end was heard; gives their number."""
        now = self._clock_ms()
        old = commands.c.state.in_(LIVE) & (commands.c.expires_ms < now)
        with self._store.read() as connection:
            if connection.execute(select(commands.c.id).where(old).limit(1)).first() is None:
                return 0
        with self._store.write() as connection:
            count = connection.execute(update(commands).where(old).values(state="expired", changed_ms=now)).rowcount
        self._on_change()
        return count

    def of_device(self, device: str, *, verbs: Sequence[str] = (), limit: int = 20) -> list[Order]:
        """The last commands to a device, newest first; only those with one of `verbs` unless that is empty."""
        columns = [commands.c[field] for field in Order.__struct_fields__]
        query = select(*columns).where(commands.c.device == device)
        if verbs:
            query = query.where(commands.c.verb.in_(verbs))
        query = query.order_by(commands.c.issued_ms.desc(), commands.c.id).limit(limit)
        with self._store.read() as connection:
            return [Order(**row) for row in connection.execute(query).mappings()]

    def get(self, command: bytes) -> Order | None:
        """One command by its id, or None."""
        columns = [commands.c[field] for field in Order.__struct_fields__]
        with self._store.read() as connection:
            row = connection.execute(select(*columns).where(commands.c.id == command)).mappings().first()
        return Order(**row) if row else None

    def take_picture(self, device: str, picture: Picture) -> bool:
        """Keep the picture a command asked for; False when no such command went to this device or it is no PNG."""
        order = self.get(picture.command)
        if order is None or order.device != device or order.verb != "picture" or not picture.png.startswith(b"\x89PNG\r\n\x1a\n"):
            return False
        values = {
            "command": picture.command,
            "at_ms": picture.at_ms,
            "received_ms": self._clock_ms(),
            "screen": picture.screen,
            "png": picture.png,
        }
        with self._store.write() as connection:
            if connection.execute(update(pictures).where(pictures.c.device == device).values(**values)).rowcount == 0:
                connection.execute(insert(pictures).values(device=device, **values))
        self._on_change()
        return True

    def picture(self, device: str) -> Shot | None:
        """The last picture of a device's screen, or None."""
        with self._store.read() as connection:
            row = connection.execute(select(pictures).where(pictures.c.device == device)).mappings().first()
        return Shot(**row) if row else None


def _command(verb: str, issued_ms: int, expires_ms: int, invitation: Invitation | None, occasion: bytes | None) -> Command:
    try:
        fields = {"id": secrets.token_bytes(16), "verb": verb, "issued_ms": issued_ms, "expires_ms": expires_ms}
        message = msgspec.convert(fields, Command, strict=True)
    except msgspec.ValidationError as error:
        raise ControlError(f"没有命令“{verb[:40]}”", f"there is no order {verb[:40]!r}: {error}") from error
    if invitation is not None:
        # An invitation ends with its order, by the fleet's clock.
        invitation = msgspec.structs.replace(invitation, expires_ms=expires_ms)
    return msgspec.structs.replace(message, invitation=invitation, occasion=occasion)
