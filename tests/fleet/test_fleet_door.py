"""Pairing, renewal and content over the door, as a device and as a stranger would use it; every step against real HTTPS or ASGI."""

import asyncio
import datetime as dt
import hashlib
import os
import ssl
import threading
import urllib.request

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi.testclient import TestClient
from fleet_model import NOW_MS, ModelDevice
from nacl.signing import SigningKey
from private_servers import wait_for

from fleet import serve
from fleet.access.limits import Limiter
from fleet.app import meeting, open_fleet
from fleet.config import Config, load_config
from fleet.keys import load_keys, make_keys
from fleet.registry.authority import DEVICE_DAYS, OVERLAP, ROOT_YEARS, Authority, make_root
from fleet.registry.door import MAX_REQUEST_BYTES, make_door
from fleet.registry.pairing import EXPIRES_MS, KEPT_MS, MAX_OPEN, Pairings, TooMany
from fleet.registry.records import Hall, NotKnown, Refused, Tenant, Window
from fleet.registry.service import Registry
from fleet.setup import revoked_serials
from fleet.store import open_store
from wire.codec import decode, encode
from wire.custody import Signed
from wire.pairing import Challenge, Commit, Offer, PairingState, Renewed, Welcome, commitment, make_reveal, pairing_code
from wire.signing import sign

LABEL = {"zh": "1号机"}


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.ms = NOW_MS

    def __call__(self):
        return self.ms


class Rig:
    """A registry with one hall, its door, and a device in front of it."""

    def __init__(self, location, tmp_path):
        self.clock = Clock()
        self.store = open_store(location, writes="fleet")
        make_keys(tmp_path / "keys")
        self.keys = load_keys(tmp_path / "keys")
        make_root(tmp_path / "ca", tenant="county", now=self.now)
        self.authority = Authority.open(tmp_path / "ca")
        self.registry = Registry(self.store, clock=self.clock)
        self.registry.put(Tenant(name="county", title={"zh": "云溪县"}))
        self.registry.put(Hall(code="h", tenant="county", title={"zh": "大厅"}))
        self.registry.put(Window(hall="h", number="3", business={"zh": "社保"}, place={"zh": "一楼"}))
        self.pairings = Pairings(
            self.store, self.authority, meeting(Config(), self.keys), desired_for=lambda name: name.encode(), clock=self.clock
        )
        self.content = tmp_path / "content"
        self.content.mkdir()
        self.web = TestClient(
            make_door(self.pairings, content=self.content, limiter=Limiter(per_minute=600, burst=200, clock=lambda: 0.0))
        )
        self.device = ModelDevice()

    @property
    def now(self):
        return dt.datetime.fromtimestamp(self.clock.ms / 1000, dt.UTC)

    def offer(self, **changes):
        made = Offer(
            device=self.device.name,
            role="evaluator",
            signing_key=bytes(self.device.key.verify_key),
            certificate_request=self.device.request(),
            software="1",
            model="Pi",
            nonce=os.urandom(32),
        )
        return encode(msgspec.structs.replace(made, **changes))

    def commit(self, offer):
        return self.pairings.commit(Commit(commitment=commitment(offer)), peer="test")

    def reveal(self, pairing, offer, *, key=None):
        return make_reveal(pairing, offer, key or self.device.key)

    def begin(self, offer=None):
        """Commit and reveal; gives the Reveal to ask again with."""
        offer = offer or self.offer()
        reveal = self.reveal(self.commit(offer).pairing, offer)
        assert self.pairings.reveal(reveal).state == "waiting"
        return reveal

    def approve(self, reveal):
        return self.pairings.approve(reveal.pairing, hall="h", window="3", label=LABEL, by="op")


@pytest.fixture
def rig(made_store, tmp_path):
    return Rig(made_store, tmp_path)


def test_pairing_over_the_door_ends_with_a_welcome(rig):
    offer = rig.offer()
    answer = rig.web.post("/pair/commit", content=encode(Commit(commitment=commitment(offer))))
    challenge = decode(answer.content, Challenge)
    reveal = rig.reveal(challenge.pairing, offer)
    assert decode(rig.web.post("/pair/reveal", content=encode(reveal)).content, PairingState).state == "waiting"
    (waiting,) = rig.pairings.all(state="waiting")
    assert waiting.code == pairing_code(offer, challenge)
    assert (waiting.device, waiting.role, waiting.model, waiting.peer) == (rig.device.name, "evaluator", "Pi", "testclient")
    rig.approve(reveal)
    state = decode(rig.web.post("/pair/state", content=encode(reveal)).content, PairingState)
    welcome = decode(state.welcome, Welcome)
    assert (state.state, welcome.tenant, welcome.desired) == ("approved", "county", rig.device.name.encode())
    assert welcome.fleet_key == bytes(rig.keys.signing.verify_key)
    assert welcome.ca_certificates == (challenge.ca_certificate,)
    assert welcome.content_url == "https://localhost:8443/content"


def test_the_certificate_is_for_the_devices_own_key_and_from_the_shown_authority(rig):
    reveal = rig.begin()
    rig.approve(reveal)
    welcome = decode(rig.pairings.reveal(reveal).welcome, Welcome)
    certificate = x509.load_der_x509_certificate(welcome.certificate)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(welcome.ca_certificates[0]))
    assert certificate.public_key() == rig.device.tls_key.public_key()
    assert certificate.subject.rfc4514_string() == f"CN={rig.device.name}"
    assert certificate.not_valid_after_utc - rig.now == dt.timedelta(days=DEVICE_DAYS)


def test_an_approved_device_is_registered_and_placed(rig):
    rig.approve(rig.begin())
    device = rig.registry.device(rig.device.name)
    placing = rig.registry.placement(device.name)
    assert (device.tenant, device.role, device.paired_by, device.is_revoked) == ("county", "evaluator", "op", False)
    assert (placing.hall, placing.window, placing.label, placing.from_ms) == ("h", "3", LABEL, NOW_MS)


def test_another_offer_than_the_committed_one_is_refused(rig):
    challenge = rig.commit(rig.offer())
    answer = rig.web.post("/pair/reveal", content=encode(rig.reveal(challenge.pairing, rig.offer())))
    assert answer.status_code == 409
    assert "not the one the device committed to" in decode(answer.content, dict)["error"]


def test_an_offer_cannot_be_exchanged_after_it_was_revealed(rig):
    reveal = rig.begin()
    with pytest.raises(Refused, match="not the one"):
        rig.pairings.reveal(rig.reveal(reveal.pairing, rig.offer()))


def test_an_unknown_pairing_is_told(rig):
    answer = rig.web.post("/pair/state", content=encode(rig.reveal(bytes(16), b"")))
    assert answer.status_code == 404


@pytest.mark.parametrize("make", ["name", "request_name", "rsa", "noise", "foreign_signature"])
def test_an_offer_that_contradicts_itself_is_refused(rig, make):
    device = rig.device
    changes = {
        "name": {"device": "nwsomebody"},
        "request_name": {"certificate_request": device.request("nwsomebody")},
        "rsa": {"certificate_request": device.request(key=rsa.generate_private_key(65537, 2048))},
        "noise": {"certificate_request": os.urandom(50)},
        "foreign_signature": {"signing_key": bytes(SigningKey.generate().verify_key)},
    }[make]
    offer = rig.offer(**changes)
    with pytest.raises(Refused):
        rig.pairings.reveal(rig.reveal(rig.commit(offer).pairing, offer))
    assert rig.pairings.all() == []


def test_a_request_with_a_weaker_curve_is_refused(rig):
    offer = rig.offer(certificate_request=rig.device.request(key=ec.generate_private_key(ec.SECP224R1())))
    with pytest.raises(Refused, match="not EC P-256"):
        rig.pairings.reveal(rig.reveal(rig.commit(offer).pairing, offer))


@pytest.mark.parametrize("fault", ["another key", "another purpose", "nothing", "too short"])
def test_nobody_is_paired_under_the_name_of_a_device_whose_key_they_do_not_hold(rig, fault):
    offer = rig.offer()
    challenge = rig.commit(offer)
    signature = {
        "another key": sign(SigningKey.generate(), "pair", offer),
        "another purpose": sign(rig.device.key, "batch", offer),
        "nothing": bytes(64),
        "too short": b"",
    }[fault]
    posted = {"pairing": challenge.pairing, "offer": offer, "signature": signature}
    answer = rig.web.post("/pair/reveal", content=msgspec.msgpack.encode(posted))
    assert answer.status_code == (400 if fault == "too short" else 409)
    assert fault == "too short" or "only the device that holds that key can be paired" in decode(answer.content, dict)["error"]
    assert rig.pairings.all() == []
    assert rig.pairings.reveal(rig.reveal(challenge.pairing, offer)).state == "waiting", "the device itself still can"


def test_a_reveal_without_a_signature_is_refused(rig):
    offer = rig.offer()
    posted = {"pairing": rig.commit(offer).pairing, "offer": offer}
    assert rig.web.post("/pair/reveal", content=msgspec.msgpack.encode(posted)).status_code == 400
    assert rig.pairings.all() == []


def test_a_pairing_expires_after_a_quarter_of_an_hour(rig):
    reveal = rig.begin()
    rig.clock.ms += EXPIRES_MS + 1
    assert rig.pairings.reveal(reveal).state == "expired"
    with pytest.raises(Refused, match="is expired, not waiting"):
        rig.approve(reveal)
    assert rig.registry.devices() == []


def test_a_refused_device_is_told_so(rig):
    reveal = rig.begin()
    rig.pairings.refuse(reveal.pairing, by="op")
    assert rig.pairings.reveal(reveal).state == "refused"
    with pytest.raises(Refused, match="is refused, not waiting"):
        rig.approve(reveal)


def test_a_pairing_is_decided_once(rig):
    reveal = rig.begin()
    rig.approve(reveal)
    with pytest.raises(Refused, match="is approved, not waiting"):
        rig.approve(reveal)


def test_a_device_that_lost_power_right_after_the_approval_fetches_its_welcome_again(rig):
    reveal = rig.begin()
    rig.approve(reveal)
    rig.clock.ms += KEPT_MS - EXPIRES_MS
    assert rig.pairings.reveal(reveal).welcome == rig.pairings.reveal(reveal).welcome


def test_approving_into_an_unknown_hall_or_window_changes_nothing(rig):
    reveal = rig.begin()
    for hall, window in (("nowhere", ""), ("h", "99")):
        with pytest.raises(NotKnown, match="add it first"):
            rig.pairings.approve(reveal.pairing, hall=hall, window=window, label=LABEL, by="op")
    assert rig.registry.devices() == []
    assert rig.pairings.get(reveal.pairing).state == "waiting"


def test_pairing_again_ends_a_revocation_but_not_that_of_the_old_certificate(rig):
    rig.approve(rig.begin())
    rig.registry.revoke(rig.device.name, by="op", why="lost")
    assert rig.pairings.is_known(rig.device.name)
    rig.approve(rig.begin())
    assert not rig.registry.device(rig.device.name).is_revoked
    assert len(revoked_serials(rig.store)) == 1


def test_only_so_many_enrolments_are_open_at_once(rig):
    for _ in range(MAX_OPEN):
        rig.commit(b"x")
    with pytest.raises(TooMany, match=str(MAX_OPEN)):
        rig.commit(b"x")
    assert rig.web.post("/pair/commit", content=encode(Commit(commitment=bytes(32)))).status_code == 429
    rig.clock.ms += EXPIRES_MS + 1
    rig.commit(b"x")


def renewal(rig, **how):
    request = rig.device.request(how.get("name"), key=how.get("key"))
    return encode(Signed(1, sign(how.get("signer", rig.device.key), how.get("domain", "pair"), request), request))


def test_a_device_renews_its_certificate_with_its_signing_key(rig):
    rig.approve(rig.begin())
    fresh = ec.generate_private_key(ec.SECP256R1())
    rig.clock.ms += 200 * 86_400_000
    answer = rig.web.post("/renew", content=renewal(rig, key=fresh))
    renewed = decode(answer.content, Renewed)
    certificate = x509.load_der_x509_certificate(renewed.certificate)
    assert renewed.ca_certificates == rig.authority.roots_der()
    assert certificate.public_key() == fresh.public_key()
    assert certificate.not_valid_after_utc - rig.now == dt.timedelta(days=DEVICE_DAYS)


def test_a_renewal_brings_a_root_that_was_made_since(rig, tmp_path):
    rig.approve(rig.begin())
    before = rig.authority.roots_der()
    make_root(tmp_path / "ca", tenant="county", now=rig.now, another=True)
    pairings = Pairings(
        rig.store, Authority.open(tmp_path / "ca"), meeting(Config(), rig.keys), desired_for=lambda _: b"", clock=rig.clock
    )
    web = TestClient(make_door(pairings, content=rig.content))
    renewed = decode(web.post("/renew", content=renewal(rig)).content, Renewed)
    newest, *others = renewed.ca_certificates
    assert (len(renewed.ca_certificates), tuple(others)) == (2, before)
    certificate = x509.load_der_x509_certificate(renewed.certificate)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(newest))


def test_a_renewal_signed_by_another_key_is_refused(rig):
    rig.approve(rig.begin())
    assert rig.web.post("/renew", content=renewal(rig, signer=SigningKey.generate())).status_code == 400


def test_a_renewal_signed_for_another_purpose_is_refused(rig):
    rig.approve(rig.begin())
    assert rig.web.post("/renew", content=renewal(rig, domain="batch")).status_code == 400


def test_a_renewal_of_a_stranger_or_a_revoked_device_is_refused(rig):
    assert rig.web.post("/renew", content=renewal(rig)).status_code == 404
    rig.approve(rig.begin())
    rig.registry.revoke(rig.device.name, by="op", why="stolen")
    answer = rig.web.post("/renew", content=renewal(rig))
    assert (answer.status_code, b"was revoked" in answer.content) == (409, True)


def test_a_renewal_that_is_no_request_is_refused(rig):
    noise = os.urandom(60)
    body = encode(Signed(1, sign(rig.device.key, "pair", noise), noise))
    assert rig.web.post("/renew", content=body).status_code == 400


@pytest.mark.parametrize("path", ["/pair/commit", "/pair/reveal", "/pair/state", "/renew"])
def test_noise_and_too_much_are_refused_before_they_are_read(rig, path):
    assert rig.web.post(path, content=os.urandom(100)).status_code == 400
    assert rig.web.post(path, content=b"").status_code == 400
    answer = rig.web.post(path, content=bytes(MAX_REQUEST_BYTES + 1))
    assert (answer.status_code, str(MAX_REQUEST_BYTES) in decode(answer.content, dict)["error"]) == (413, True)


def test_content_is_served_by_its_hash_and_nothing_else_is(rig):
    digest = hashlib.sha256(b"pack").hexdigest()
    (rig.content / digest).write_bytes(b"pack")
    (rig.content.parent / "secret").write_text("secret")
    assert rig.web.get(f"/content/{digest}").content == b"pack"
    for path in ("/content/" + "0" * 64, "/content/..%2fsecret", "/content/../secret", "/content/secret", "/keys/signing.key"):
        assert rig.web.get(path).status_code == 404


def test_a_limited_request_says_when_to_come_back(rig):
    limiter = Limiter(per_minute=60, burst=1, clock=lambda: 0.0)
    web = TestClient(make_door(rig.pairings, content=rig.content, limiter=limiter))
    web.get("/content/x")
    answer = web.get("/content/x")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


def test_the_door_answers_over_tls_under_the_shown_authority(data):
    fleet = open_fleet(data)
    server = serve.door_server(fleet)
    thread = threading.Thread(target=lambda: asyncio.run(server._serve()))
    thread.start()
    try:
        wait_for(lambda: server.started, what="the door")
        context = ssl.create_default_context(cafile=str(data / "ca" / "root-1.pem"))
        request = urllib.request.Request(
            f"https://localhost:{load_config(data).door.port}/pair/commit", data=encode(Commit(commitment=bytes(32))), method="POST"
        )
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            challenge = decode(answer.read(), Challenge)
    finally:
        server.should_exit = True
        thread.join(10)
    assert challenge.ca_certificate == Authority.open(data / "ca").roots_der()[0]


def test_servers_keep_the_root_that_devices_know_until_it_would_end_before_them(tmp_path):
    now = dt.datetime.now(dt.UTC)
    make_root(tmp_path / "ca", tenant="t", now=now)
    first = Authority.open(tmp_path / "ca")
    later = now + dt.timedelta(days=ROOT_YEARS * 365) - OVERLAP
    assert not make_root(tmp_path / "ca", tenant="t", now=later - dt.timedelta(days=2))
    assert make_root(tmp_path / "ca", tenant="t", now=later), "the next root is made by itself"
    assert not make_root(tmp_path / "ca", tenant="t", now=later)
    both = Authority.open(tmp_path / "ca")
    both.issue_own(tmp_path, "server", server_names=["localhost"], now=later)
    shown = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    assert both.root_of(shown) == first.roots_der()[0]
    both.issue_own(tmp_path, "server", server_names=["localhost"], now=later + dt.timedelta(days=DEVICE_DAYS + 2))
    shown = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    assert both.root_of(shown) == both.roots_der()[0]
    with pytest.raises(Refused, match="run nw-fleet init again"):
        first.root_of(shown)


def test_a_device_that_pairs_while_roots_overlap_is_shown_the_root_above_the_door(rig, tmp_path):
    rig.authority.issue_own(tmp_path, "server", server_names=["localhost"], now=rig.now)
    make_root(tmp_path / "ca", tenant="county", now=rig.now, another=True)
    both = Authority.open(tmp_path / "ca")
    pairings = Pairings(rig.store, both, meeting(Config(), rig.keys), desired_for=lambda _: b"", clock=rig.clock)
    pairings.stand_behind((tmp_path / "server.pem").read_bytes())
    assert pairings.commit(Commit(commitment=bytes(32)), peer="test").ca_certificate == rig.authority.roots_der()[0]


def test_roots_overlap_and_the_newest_signs(tmp_path):
    now = dt.datetime.now(dt.UTC)
    assert make_root(tmp_path, tenant="t", now=now)
    assert not make_root(tmp_path, tenant="t", now=now)
    old = Authority.open(tmp_path)
    assert make_root(tmp_path, tenant="t", now=now, another=True)
    both = Authority.open(tmp_path)
    assert both.roots_der()[1:] == old.roots_der()
    device = ModelDevice()
    issued = both.issue_device(device.request(), device=device.name, now=now)
    x509.load_der_x509_certificate(issued.der).verify_directly_issued_by(x509.load_der_x509_certificate(both.roots_der()[0]))
    assert both.revocation_list([], now=now).count(b"BEGIN X509 CRL") == 2
