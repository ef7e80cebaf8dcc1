"""The device's HTTPS talk with the fleet's door: pairing, certificate renewal, fetching content. Blocking calls with deadlines."""

import hashlib
import http.client
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pack.errors import PackForged
from runtime import credentials
from runtime.clock import Clock
from runtime.identity import Identity, certificate_request, signing_key
from wire.codec import Malformed, WireError, decode, encode
from wire.custody import Signed
from wire.messages import ContentRef
from wire.pairing import Challenge, Commit, Offer, PairingState, Renewed, Welcome, commitment, make_reveal, pairing_code
from wire.signing import sign

TIMEOUT_S = 10.0
MAX_REPLY_BYTES = 262_144
DISK_RESERVE_BYTES = 16 << 20
"""What a fetched pack leaves free for everything else."""
_BLOCK = 65_536


class DoorError(Exception):
    """The fleet's door could not be reached or said no. `status` is HTTP's, 0 when there was no answer."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Door:
    """One fleet's door at `url` (https://host:port). Each call opens a connection of its own."""

    def __init__(self, url: str, *, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._base = parts.hostname or "", parts.port or 443, parts.path.rstrip("/")
        self._clock, self._timeout_s = clock, timeout_s

    def post(self, path: str, body: bytes, *, cas: tuple[bytes, ...] | None) -> bytes:
        """POST MessagePack and give the reply's bytes. `cas` None trusts any server: only for the very first contact.

        Raises DoorError.
        """
        connection = self._connect(cas)
        try:
            connection.request("POST", self._base + path, body, {"content-type": "application/msgpack"})
            reply = connection.getresponse()
            data = reply.read(MAX_REPLY_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise DoorError(f"{self._host}:{self._port} cannot be reached: {error}") from error
        finally:
            connection.close()
        if reply.status != 200:
            raise DoorError(f"{path} was answered with {reply.status} {data[:300].decode(errors='replace')}", status=reply.status)
        if len(data) > MAX_REPLY_BYTES:
            raise DoorError(f"{path} was answered with more than {MAX_REPLY_BYTES} bytes")
        return data

    def fetch(
        self, path: str, file: Path, *, size: int, sha256: bytes, cas: tuple[bytes, ...], is_stopped: Callable[[], bool]
    ) -> None:
        """GET into `file` (durable when this returns), refusing any other size or hash. Raises DoorError, OSError."""
        connection = self._connect(cas)
        try:
            connection.request("GET", self._base + path)
            reply = connection.getresponse()
            if reply.status != 200:
                raise DoorError(f"{path} was answered with {reply.status}", status=reply.status)
            with open(file, "wb") as target:
                digest, got = hashlib.sha256(), 0
                while block := reply.read(_BLOCK):
                    got += len(block)
                    if got > size or is_stopped():
                        raise DoorError(f"{path} is longer than the {size} bytes announced" if got > size else "stopped")
                    digest.update(block)
                    target.write(block)
                if got != size or digest.digest() != sha256:
                    raise DoorError(f"{path} gave {got} bytes of {size} with another hash than announced: refused")
                target.flush()
                os.fsync(target.fileno())
        except http.client.HTTPException as error:
            raise DoorError(f"{self._host}:{self._port} broke off: {error}") from error
        finally:
            connection.close()

    def renew(self, identity: Identity, welcome: Welcome) -> Welcome:
        """Ask for a new certificate; give the welcome with it and the fleet's present CA roots. Raises DoorError, Malformed."""
        request = certificate_request(identity)
        body = encode(Signed(1, sign(signing_key(identity.directory), "pair", request), request))
        reply = decode(self.post("/renew", body, cas=welcome.ca_certificates), Renewed)
        return credentials.renewed(welcome, reply, identity)

    def _connect(self, cas: tuple[bytes, ...] | None) -> http.client.HTTPSConnection:
        if cas is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = credentials.server_context(cas, clock=self._clock, system_wall_ms=time.time_ns() // 1_000_000)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)


Outcome = Literal["waiting", "approved", "refused", "expired"]


class Pairing:
    """One attempt to pair: `begin` once, then `poll` until it is no longer waiting."""

    def __init__(
        self, door: Door, identity: Identity, *, role: Literal["terminal", "evaluator"], software: str, model: str
    ) -> None:
        self._door, self._identity = door, identity
        self._offer = encode(
            Offer(
                device=identity.device,
                role=role,
                signing_key=identity.signing_key,
                certificate_request=certificate_request(identity),
                software=software,
                model=model,
                nonce=os.urandom(32),
            )
        )
        self._challenge: Challenge | None = None
        self.code = ""
        self.expires_ms = 0
        self.welcome: Welcome | None = None

    def begin(self) -> Outcome:
        """Commit, take the challenge, reveal. From the reveal on, the server has to be under the challenge's CA.

        Sets `code`. Raises DoorError, Malformed.
        """
        reply = self._door.post("/pair/commit", encode(Commit(commitment=commitment(self._offer))), cas=None)
        self._challenge = decode(reply, Challenge)
        self.code = pairing_code(self._offer, self._challenge)
        return self._take("/pair/reveal")

    def poll(self) -> Outcome:
        """Ask how the pairing stands. Sets `welcome` once approved. Raises DoorError, Malformed."""
        return self._take("/pair/state")

    def _take(self, path: str) -> Outcome:
        assert self._challenge is not None, "begin() comes first"
        ca = self._challenge.ca_certificate
        body = encode(make_reveal(self._challenge.pairing, self._offer, signing_key(self._identity.directory)))
        state = decode(self._door.post(path, body, cas=(ca,)), PairingState)
        self.expires_ms = state.expires_ms
        if state.state == "approved":
            if state.welcome is None:
                raise Malformed("the pairing was approved without a welcome")
            self.welcome = credentials.checked_welcome(state.welcome, self._identity, ca=ca)
        return state.state


class ContentRefused(Exception):
    """A content pack could not be fetched or is not the one that was ordered. `reason` is a message id."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def content_file(directory: Path, ref: ContentRef) -> Path:
    """Where the pack of that hash lies once it is whole."""
    return directory / f"{ref.sha256.hex()}.pack"


def free_bytes_at(directory: Path) -> int:
    """Free disk at a directory."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize


def fetch_content(
    ref: ContentRef, directory: Path, *, door: Door, cas: tuple[bytes, ...], open_pack: Callable[[Path], None],
    is_stopped: Callable[[], bool] = lambda: False, free_bytes: Callable[[Path], int] = free_bytes_at,
) -> Path:  # fmt: skip
    """Fetch, verify and open-check a pack, then put it in place; older packs but the newest other one are removed.

    `open_pack` raises PackForged for a pack that the fleet did not sign. A pack that does not open is not kept, and the one
    before it stays.

    Raises ContentRefused.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = content_file(directory, ref)
    draft = path.with_suffix(".new")
    try:
        if not path.exists():
            if free_bytes(directory) < ref.size + DISK_RESERVE_BYTES:
                raise ContentRefused("content.no_room", f"the pack has {ref.size} bytes, which the disk has no room for")
            door.fetch(f"/{ref.sha256.hex()}", draft, size=ref.size, sha256=ref.sha256, cas=cas, is_stopped=is_stopped)
            _check(open_pack, draft)
            draft.replace(path)
        else:
            _check(open_pack, path)
    except (DoorError, WireError) as error:
        raise ContentRefused("content.not_fetched", str(error)) from error
    except OSError as error:
        raise ContentRefused("content.not_fetched", f"the pack cannot be fetched or stored: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    os.utime(path)
    for old in sorted(directory.glob("*.pack"), key=lambda each: each.stat().st_mtime)[:-2]:
        old.unlink(missing_ok=True)
    return path


def _check(open_pack: Callable[[Path], None], path: Path) -> None:
    try:
        open_pack(path)
    except Exception as error:
        # Whatever a pack does when it is opened, the device goes on with the one it has.
        if path.suffix == ".pack":
            path.unlink(missing_ok=True)
        reason = "content.forged" if isinstance(error, PackForged) else "content.does_not_open"
        raise ContentRefused(reason, str(error)) from error
