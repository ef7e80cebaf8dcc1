"""A door over real HTTPS that keeps the pairing protocol, for tests of devices; with it a device joins the model fleet."""

import http.server
import os
import queue
import ssl
import threading
from pathlib import Path
from typing import Any

from agent_broker import Authority
from model_fleet import TENANT, ModelFleet

from runtime.identity import Identity
from wire.codec import decode, encode
from wire.custody import Signed
from wire.pairing import Challenge, Commit, PairingState, Renewed, Reveal, Welcome, commitment, pairing_code, read_offer
from wire.signing import verify


def make_welcome(authority: Authority, identity: Identity, fleet: ModelFleet, *, port: int, request: bytes, **more: Any) -> Welcome:
    values = {
        "tenant": TENANT,
        "certificate": authority.issue_request(request),
        "ca_certificates": (authority.der,),
        "fleet_key": bytes(fleet.key.verify_key),
        "broker_host": "localhost",
        "broker_port": port,
        "content_url": "https://localhost:1/content",
        "desired": fleet.desired(identity.device),
    }
    return Welcome(**(values | more))


class DoorServer:
    """A door over real HTTPS that keeps the pairing protocol; approves when told."""

    def __init__(self, authority: Authority, directory: Path, fleet: ModelFleet, broker_port: int = 1) -> None:
        self.authority, self.fleet, self.broker_port = authority, fleet, broker_port
        self.state = "waiting"
        self.code = ""
        self.packs: dict[str, bytes] = {}
        self.renewals = 0
        self.renews_with: Authority | None = None
        self.renewed_roots: tuple[bytes, ...] | None = None
        self.welcome_changes: dict[str, Any] = {}
        self.offered_ca = authority.der
        self.asked: queue.Queue[str] = queue.Queue()
        self._commit: Commit | None = None
        self._challenge: Challenge | None = None
        directory.mkdir(exist_ok=True)
        certificate, key = authority.write_pair(directory, "door", server=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._give(*door.post(self.path, self.rfile.read(int(self.headers["content-length"]))))

            def do_GET(self) -> None:
                data = door.packs.get(self.path.rpartition("/")[2])
                self._give(404 if data is None else 200, data or b"")

            def _give(self, status: int, data: bytes) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.asked.put(path)
        if path == "/pair/commit":
            self._commit = decode(body, Commit)
            self._challenge = Challenge(pairing=os.urandom(16), nonce=os.urandom(32), ca_certificate=self.offered_ca)
            return 200, encode(self._challenge)
        if path in ("/pair/reveal", "/pair/state"):
            return self._pairing(decode(body, Reveal))
        if path == "/renew":
            outer = decode(body, Signed)
            verify(self.fleet.device_key, "pair", outer.signed, outer.signature)
            self.renewals += 1
            issuer = self.renews_with or self.authority
            roots = (issuer.der, self.authority.der) if self.renewed_roots is None else self.renewed_roots
            return 200, encode(Renewed(certificate=issuer.issue_request(outer.signed), ca_certificates=roots))
        return 404, b"no such page"

    def _pairing(self, reveal: Reveal) -> tuple[int, bytes]:
        assert self._commit is not None
        assert self._challenge is not None
        if commitment(reveal.offer) != self._commit.commitment:
            return 403, b"the offer is not the one that was committed to"
        self.code = pairing_code(reveal.offer, self._challenge)
        offer = read_offer(reveal)
        welcome = None
        if self.state == "approved":
            identity = Identity(offer.device, offer.signing_key, Path())
            welcome = encode(
                make_welcome(
                    self.authority,
                    identity,
                    self.fleet,
                    port=self.broker_port,
                    request=offer.certificate_request,
                    **({"content_url": f"{self.url}/content"} | self.welcome_changes),
                )
            )
        return 200, encode(PairingState(state=self.state, expires_ms=2**50, welcome=welcome))  # type: ignore[arg-type]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
