"""Control: composes and signs what is wanted of each device, keeps what windows are doing; `orders` holds commands."""

import hashlib
import time
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct
from nacl.public import PublicKey
from nacl.signing import SigningKey
from sqlalchemy import Connection, insert, select, update

from fleet.access import audit
from fleet.control.orders import ControlError, Orders, Publisher
from fleet.control.packs import Packs
from fleet.control.settings import Value, read_notice, read_settings
from fleet.control.tables import desired, device_settings, window_states
from fleet.registry.records import NotKnown
from fleet.registry.service import Registry
from fleet.store import Store
from wire.codec import decode, encode
from wire.messages import Clerk, Desired, Placement, SignedDesired, WindowCard, Words
from wire.signing import sign
from wire.topics import Channel

RETAINED: tuple[Channel, ...] = ("desired", "state", "presence")
"""The topics of a device that hold a retained message."""
SETTLED_MS = 60_000
"""So long after a revocation the device's connection is closed, and its will is published."""


class WindowState(Struct, frozen=True, kw_only=True):
    """What a window is doing. `clerk` is a staff number or empty."""

    hall: str
    number: str
    state: str = "closed"
    clerk: str = ""
    ticket: str = ""
    changed_ms: int = 0
    changed_by: str = ""


class Control:
    """What is wanted. `seal` is the public key that devices seal rating contents to; `on_change` hears of what pages show."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        packs: Packs,
        *,
        signing: SigningKey,
        seal: PublicKey,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._registry = registry
        self.packs = packs
        self._signing = signing
        self._seal = bytes(seal)
        self._clock_ms = clock_ms
        self._on_change = on_change
        self._wanted: dict[str, tuple[int, str, int]] = {}
        self._cleared: set[tuple[str, int | None]] = set()
        self.orders = Orders(store, registry, clock_ms=clock_ms, on_change=on_change)

    def attach(self, publisher: Publisher) -> None:
        """Give control the link to publish through."""
        self.orders.publisher = publisher

    # Desired configuration

    def compose(self, device: str) -> Desired | None:
        """What is wanted of a device now, with version 1; None when it stands nowhere."""
        placing = self._registry.placement(device)
        if placing is None:
            return None
        hall = self._registry.hall(placing.hall)
        settings, notice = self.settings(device)
        return Desired(
            version=1,
            device=device,
            placement=Placement(
                hall=hall.code,
                hall_name=hall.title,
                label=placing.label,
                window=placing.window,
                demonstration=hall.demonstration,
            ),
            window=self.card(placing.hall, placing.window) if placing.window else None,
            content=self.packs.current(placing.hall),
            settings=settings,
            seal_key=self._seal,
            notice=notice,
        )

    def card(self, hall: str, number: str) -> WindowCard | None:
        """What an evaluator at this window shows, or None when the window is not registered."""
        try:
            window = self._registry.window(hall, number)
        except NotKnown:
            return None
        state = self.window_state(hall, number)
        clerk = None
        if state.clerk:
            person = self._registry.person(hall, state.clerk)
            clerk = Clerk(number=person.number, name=person.name, post=person.post, photo=person.photo)
        return WindowCard(
            number=window.number,
            business=window.business,
            place=window.place,
            state=state.state,  # type: ignore[arg-type]
            clerk=clerk,
            ticket=state.ticket,
        )

    def refresh(self, device: str) -> bytes | None:
        """Compose, sign and publish what is wanted of a device if it differs from before; gives the SignedDesired's bytes.

        None when the device stands nowhere. Also what a pairing approval puts into the Welcome.
        """
        wanted = self.compose(device)
        if wanted is None:
            return None
        digest = hashlib.sha256(encode(wanted)).digest()
        with self._store.write() as connection:
            row = connection.execute(select(desired).where(desired.c.device == device)).first()
            content = wanted.content.version if wanted.content else ""
            if row is not None and bytes(row.content_digest) == digest:
                self._wanted[device] = (row.version, content, row.made_ms)
                return bytes(row.signed)
            version = row.version + 1 if row else 1
            data = encode(msgspec.structs.replace(wanted, version=version))
            signed = encode(SignedDesired(1, sign(self._signing, "desired", data), data))
            made_ms = self._clock_ms()
            values = {"version": version, "signed": signed, "content_digest": digest, "made_ms": made_ms}
            if row is None:
                connection.execute(insert(desired).values(device=device, **values))
            else:
                connection.execute(update(desired).where(desired.c.device == device).values(**values))
        self._wanted[device] = (version, content, made_ms)
        self._publish_desired(device, signed)
        self._on_change()
        return signed

    def refresh_all(self) -> None:
        """Refresh every placed device: after a start, and whenever registry or content changed elsewhere (a command line)."""
        for placing in self._registry.placed_now():
            self.refresh(placing.device)
        self._clear_revoked()

    def republish(self) -> None:
        """Publish everything wanted and every live command again: a broker that lost its state has neither."""
        with self._store.read() as connection:
            rows = connection.execute(select(desired.c.device, desired.c.signed)).all()
        placed = {placing.device for placing in self._registry.placed_now()}
        for row in rows:
            if row.device in placed:
                self._publish_desired(row.device, bytes(row.signed))
        self._cleared.clear()
        self._clear_revoked()
        self.orders.send_queued()

    def _clear_revoked(self) -> None:
        """Take what the broker retains of revoked devices out of it: a clerk's card, and what the device said of itself.

        Again until a revocation is settled, since the broker still publishes the device's will when its connection is closed.
        """
        publisher = self.orders.publisher
        for device in self._registry.devices() if publisher is not None else ():
            revocation = (device.name, device.revoked_ms)
            if device.revoked_ms is None or revocation in self._cleared:
                continue
            done = [publisher.publish(device.tenant, device.name, each, b"", retain=True) for each in RETAINED]  # type: ignore[union-attr]
            if all(done) and self._clock_ms() - device.revoked_ms > SETTLED_MS:
                self._cleared.add(revocation)

    def _publish_desired(self, device: str, signed: bytes) -> None:
        if (publisher := self.orders.publisher) is not None:
            publisher.publish(self._registry.device(device).tenant, device, "desired", signed, retain=True)

    def wanted(self, device: str) -> tuple[Desired, int] | None:
        """What was last published for a device, with the time it was made."""
        with self._store.read() as connection:
            row = connection.execute(select(desired).where(desired.c.device == device)).first()
        if row is None:
            return None
        return decode(decode(bytes(row.signed), SignedDesired).signed, Desired), row.made_ms

    def wanted_versions(self) -> dict[str, tuple[int, str, int]]:
        """(configuration version, content version, made_ms) by device, as of the last `refresh` of each: what watch compares
        reports with. From memory, because cards carry photographs and this is asked for with every page."""
        return dict(self._wanted)

    def settings(self, device: str) -> tuple[dict[str, Value], Words | None]:
        """What the fleet overrides on a device, by dotted name, and the notice it is to show."""
        with self._store.read() as connection:
            row = connection.execute(select(device_settings).where(device_settings.c.device == device)).first()
        return (dict(row.settings), row.notice) if row else ({}, None)

    def set_settings(
        self, device: str, settings: Mapping[str, Value], *, by: str, notice: Mapping[str, str] | None = None, address: str = ""
    ) -> None:
        """Override settings of a device's own file, by dotted name, and show a notice on it, in place of all that was before.

        Raises NotKnown for an unknown device, SettingRefused with every mistake (fleet.control.settings has the limits).
        """
        checked = read_settings(settings, role=self._registry.device(device).role)
        words = read_notice(notice or {})
        with self._store.write() as connection:
            values = {"settings": checked, "notice": words}
            if connection.execute(update(device_settings).where(device_settings.c.device == device).values(**values)).rowcount == 0:
                connection.execute(insert(device_settings).values(device=device, **values))
            said = ", ".join(f"{key}={value}" for key, value in (checked | {"notice": words["zh"]} if words else checked).items())
            self._note(connection, by, "device.settings", device, said, address=address)
        self.refresh(device)

    # Windows

    def window_state(self, hall: str, number: str) -> WindowState:
        """What a window is doing; closed until somebody says otherwise."""
        found = self.window_states(hall).get(number)
        return found or WindowState(hall=hall, number=number)

    def window_states(self, hall: str) -> dict[str, WindowState]:
        """The known states of a hall's windows, by number."""
        with self._store.read() as connection:
            rows = connection.execute(select(window_states).where(window_states.c.hall == hall)).mappings()
            return {row["number"]: WindowState(**row) for row in rows}

    def set_window(
        self, hall: str, number: str, *, by: str, state: str | None = None, clerk: str | None = None, ticket: str | None = None
    ) -> WindowState:
        """Change what a window is doing (None leaves as it is; an empty clerk signs out) and tell its evaluators.

        Raises NotKnown for an unknown window or staff number, ControlError for an impossible state.
        """
        self._registry.window(hall, number)
        if state is not None and state not in ("serving", "paused", "closed"):
            raise ControlError(
                f"没有状态“{state[:40]}”；可选 serving、paused、closed",
                f"the state is {state[:40]!r}; a window is serving, paused or closed",
            )
        if clerk:
            self._registry.person(hall, clerk)
        old = self.window_state(hall, number)
        values = {
            "state": old.state if state is None else state,
            "clerk": old.clerk if clerk is None else clerk,
            "ticket": old.ticket if ticket is None else ticket,
            "changed_ms": self._clock_ms(),
            "changed_by": by,
        }
        table = window_states
        with self._store.write() as connection:
            here = (table.c.hall == hall) & (table.c.number == number)
            if connection.execute(update(table).where(here).values(**values)).rowcount == 0:
                connection.execute(insert(table).values(hall=hall, number=number, **values))
            said = f"{values['state']} clerk={values['clerk'] or '-'}"
            self._note(connection, by, "window.change", f"{hall}/{number}", said)
        for device in self.evaluators(hall, number):
            self.refresh(device)
        self._on_change()
        return WindowState(hall=hall, number=number, **values)  # type: ignore[arg-type]

    def evaluators(self, hall: str, number: str) -> list[str]:
        """The evaluators that stand at a window now."""
        return [
            placing.device
            for placing in self._registry.placed_now()
            if placing.hall == hall and placing.window == number and number
        ]

    def _note(self, connection: Connection, by: str, action: str, subject: str, detail: str = "", *, address: str = "") -> None:
        audit.append(connection, at_ms=self._clock_ms(), actor=by, action=action, subject=subject, detail=detail, address=address)
