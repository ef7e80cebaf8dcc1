"""Enrolment and renewal: commit → challenge → reveal → an operator compares the code and approves (wire.pairing)."""

import base64
import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from fleet.access import audit
from fleet.registry import tables
from fleet.registry.authority import Authority, Issued, request_key
from fleet.registry.records import NotKnown, Pairing, Refused
from fleet.registry.service import now_ms, place
from fleet.store import Store
from wire.codec import Malformed, decode, encode
from wire.custody import Signed
from wire.messages import Words
from wire.pairing import Challenge, Commit, Offer, PairingState, Renewed, Reveal, Welcome, commitment, pairing_code, read_offer
from wire.signing import BadSignature, verify, verify_key

EXPIRES_MS = 15 * 60 * 1000
KEPT_MS = 24 * 3600 * 1000
"""An approved device may fetch its Welcome again for a day: it may lose power right after the approval."""
MAX_OPEN = 200
"""Enrolments open at once; anybody in the network can begin one."""
_table = tables.pairings


class Meeting(Struct, frozen=True, kw_only=True):
    """What every approved device is told of this fleet, apart from its certificate and its desired configuration."""

    tenant: str
    fleet_key: bytes
    broker_host: str
    broker_port: int
    content_url: str


class TooMany(Refused):
    """Too many enrolments are open."""


def device_name(signing_key: bytes) -> str:
    """The name of the device that holds a signing key: `nw` and 16 letters or digits."""
    return "nw" + base64.b32encode(hashlib.sha256(signing_key).digest()[:10]).decode().lower()


class Pairings:
    """Enrolments and certificates of devices. `desired_for` composes the first SignedDesired of an approved device.

    `on_approve` is called with the device's name after the approval was committed.
    """

    def __init__(
        self,
        store: Store,
        authority: Authority,
        meeting: Meeting,
        *,
        desired_for: Callable[[str], bytes],
        clock: Callable[[], int] = now_ms,
        on_approve: Callable[[str], None] | None = None,
    ) -> None:
        self._store, self._authority, self._meeting = store, authority, meeting
        self.desired_for = desired_for
        self._clock = clock
        self.on_approve = on_approve
        self._shown_root = authority.roots_der()[0]

    def stand_behind(self, certificate_pem: bytes) -> None:
        """Tell which certificate the door shows: devices that pair are given the root above it. Raises Refused."""
        self._shown_root = self._authority.root_of(x509.load_pem_x509_certificate(certificate_pem))

    # The device's side

    def commit(self, message: Commit, *, peer: str) -> Challenge:
        """Begin an enrolment. Raises TooMany when 200 are open."""
        now = self._clock()
        challenge = Challenge(pairing=secrets.token_bytes(16), nonce=secrets.token_bytes(32), ca_certificate=self._shown_root)
        with self._store.write() as connection:
            connection.execute(delete(_table).where(_table.c.expires_ms < now - KEPT_MS))
            connection.execute(delete(_table).where(_table.c.state == "committed", _table.c.expires_ms < now))
            undecided = (_table.c.expires_ms >= now, _table.c.state.in_(("committed", "waiting")))
            if connection.execute(select(func.count()).select_from(_table).where(*undecided)).scalar_one() >= MAX_OPEN:
                raise TooMany(f"{MAX_OPEN} enrolments are open, which is the limit; decide or let expire some, then try again")
            values = {"pairing": challenge.pairing, "commitment": message.commitment, "challenge": encode(challenge), "peer": peer}
            connection.execute(insert(_table).values(**values, state="committed", made_ms=now, expires_ms=now + EXPIRES_MS))
        return challenge

    def reveal(self, message: Reveal) -> PairingState:
        """Take the offer that was committed to and tell how the enrolment stands; may be asked again and again.

        Raises NotKnown for another pairing, Refused for another offer, one that contradicts itself or one that the key it names
        did not sign, Malformed.
        """
        now = self._clock()
        with self._store.write() as connection:
            row = self._row(connection, message.pairing)
            if commitment(message.offer) != row["commitment"]:
                raise Refused("the offer is not the one the device committed to; begin again")
            if row["state"] == "committed":
                offer = _checked_offer(message)
                code = pairing_code(message.offer, decode(row["challenge"], Challenge))
                change = {"state": "waiting", "offer": message.offer, "device": offer.device, "code": code}
                connection.execute(update(_table).where(_table.c.pairing == message.pairing).values(change))
                row = {**row, **change}
        state = _standing(row, now)
        if state != "approved":
            return PairingState(state=state, expires_ms=row["expires_ms"])
        return PairingState(state="approved", expires_ms=row["expires_ms"], welcome=self._welcome(row))

    def renew(self, message: Signed) -> Renewed:
        """A fresh certificate for a PKCS#10 request signed by the device's signing key, and all present CA roots.

        Raises NotKnown, Refused (revoked; bad request), or wire errors when the signature does not fit.
        """
        device = _named(message.signed)
        row = self._device(device)
        verify(verify_key(row["signing_key"]), "pair", message.signed, message.signature)
        if row["revoked_ms"] is not None:
            raise Refused(f"device {device} was revoked; pair it again")
        issued = self._authority.issue_device(message.signed, device=device, now=self._now())
        with self._store.write() as connection:
            record_certificate(connection, issued)
        return Renewed(certificate=issued.der, ca_certificates=self._authority.roots_der())

    # The operator's side

    def all(self, *, state: str | None = None) -> list[Pairing]:
        """Enrolments whose offer is known, newest first; with `state`, those that stand so now."""
        now = self._clock()
        query = select(_table).where(_table.c.offer.is_not(None)).order_by(_table.c.made_ms.desc())
        with self._store.read() as connection:
            found = [_pairing(dict(row), now) for row in connection.execute(query).mappings()]
        return [pairing for pairing in found if state is None or pairing.state == state]

    def get(self, pairing: bytes) -> Pairing:
        """One enrolment. Raises NotKnown."""
        with self._store.read() as connection:
            row = self._row(connection, pairing)
        if row["offer"] is None:
            raise NotKnown("this enrolment has not shown its offer yet")
        return _pairing(row, self._clock())

    def is_known(self, device: str) -> bool:
        """Whether a device of that name is registered already: then approving replaces what it was paired with before."""
        with self._store.read() as connection:
            return connection.execute(select(tables.devices.c.name).where(tables.devices.c.name == device)).first() is not None

    def approve(self, pairing: bytes, *, hall: str, window: str = "", label: Words, by: str, address: str = "") -> str:
        """Register the device, place it, issue its certificate; gives its name. Ends an earlier revocation of it.

        Writes to the audit log.

        Raises NotKnown (pairing, hall, window) or Refused when the enrolment does not wait any more.
        """
        now = self._clock()
        with self._store.write() as connection:
            row = self._row(connection, pairing)
            if (state := _standing(row, now)) != "waiting":
                raise Refused(f"this enrolment is {state}, not waiting; let the device begin again")
            offer = decode(row["offer"], Offer)
            issued = self._authority.issue_device(offer.certificate_request, device=offer.device, now=self._now())
            _register(connection, offer, tenant=self._meeting.tenant, by=by, at_ms=now)
            place(connection, offer.device, hall=hall, window=window, label=label, by=by, at_ms=now)
            record_certificate(connection, issued)
            decided = {"state": "approved", "decided_by": by, "decided_ms": now, "certificate": issued.der}
            connection.execute(update(_table).where(_table.c.pairing == pairing).values(decided))
            said = f"{hall} {window} {label['zh']} {row['code']}"
            audit.append(
                connection, at_ms=now, actor=by, action="pairing.approve", subject=offer.device, detail=said, address=address
            )
        if self.on_approve is not None:
            self.on_approve(offer.device)
        return offer.device

    def refuse(self, pairing: bytes, *, by: str, address: str = "") -> None:
        """Send the device away. Writes to the audit log. Raises NotKnown, or Refused when the enrolment does not wait any more."""
        now = self._clock()
        with self._store.write() as connection:
            row = self._row(connection, pairing)
            if (state := _standing(row, now)) != "waiting":
                raise Refused(f"this enrolment is {state}, not waiting")
            decided = {"state": "refused", "decided_by": by, "decided_ms": now}
            connection.execute(update(_table).where(_table.c.pairing == pairing).values(decided))
            who, code = row["device"], row["code"]
            audit.append(connection, at_ms=now, actor=by, action="pairing.refuse", subject=who, detail=code, address=address)

    def _welcome(self, row: dict[str, Any]) -> bytes:
        meeting = self._meeting
        welcome = Welcome(
            tenant=meeting.tenant,
            certificate=row["certificate"],
            ca_certificates=self._authority.roots_der(),
            fleet_key=meeting.fleet_key,
            broker_host=meeting.broker_host,
            broker_port=meeting.broker_port,
            content_url=meeting.content_url,
            desired=self.desired_for(row["device"]),
        )
        return encode(welcome)

    def _device(self, name: str) -> dict[str, Any]:
        with self._store.read() as connection:
            row = connection.execute(select(tables.devices).where(tables.devices.c.name == name)).mappings().first()
        if row is None:
            raise NotKnown(f"device {name} is not registered here; pair it")
        return dict(row)

    @staticmethod
    def _row(connection: Connection, pairing: bytes) -> dict[str, Any]:
        row = connection.execute(select(_table).where(_table.c.pairing == pairing)).mappings().first()
        if row is None:
            raise NotKnown("this enrolment is not known here or was cleared away; begin again")
        return dict(row)

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._clock() / 1000, dt.UTC)


def record_certificate(connection: Connection, issued: Issued) -> None:
    """Remember an issued certificate, so that it can be revoked."""
    connection.execute(insert(tables.certificates).values(msgspec.structs.asdict(issued)))


def _checked_offer(message: Reveal) -> Offer:
    try:
        offer = read_offer(message)
    except BadSignature as error:
        raise Refused("the offer is not signed by the key it names; only the device that holds that key can be paired") from error
    if offer.device != device_name(offer.signing_key):
        raise Refused(f"the offer calls itself {offer.device}, but its signing key belongs to {device_name(offer.signing_key)}")
    request_key(offer.certificate_request, device=offer.device)
    return offer


def _register(connection: Connection, offer: Offer, *, tenant: str, by: str, at_ms: int) -> None:
    values = {
        "tenant": tenant,
        "role": offer.role,
        "signing_key": offer.signing_key,
        "model": offer.model,
        "software": offer.software,
        "paired_ms": at_ms,
        "paired_by": by,
        "revoked_ms": None,
        "revoked_by": None,
        "revoked_why": None,
    }
    changed = connection.execute(update(tables.devices).where(tables.devices.c.name == offer.device).values(values)).rowcount
    if not changed:
        connection.execute(insert(tables.devices).values(name=offer.device, **values))


def _named(request: bytes) -> str:
    """The device a certificate request names, before anything of it is believed."""
    try:
        names = x509.load_der_x509_csr(request).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as error:
        raise Malformed("the renewal holds no PKCS#10 request in DER") from error
    if len(names) != 1:
        raise Malformed(f"the certificate request has {len(names)} common names; it needs one, the device's")
    return str(names[0].value)


def _standing(row: dict[str, Any], now: int) -> Any:
    return "expired" if row["state"] in ("committed", "waiting") and row["expires_ms"] < now else row["state"]


def _pairing(row: dict[str, Any], now: int) -> Pairing:
    offer = decode(row["offer"], Offer)
    return Pairing(
        id=bytes(row["pairing"]),
        state=_standing(row, now),
        device=offer.device,
        role=offer.role,
        model=offer.model,
        software=offer.software,
        code=row["code"],
        peer=row["peer"],
        made_ms=row["made_ms"],
        expires_ms=row["expires_ms"],
        decided_by=row["decided_by"],
        decided_ms=row["decided_ms"],
    )
