"""Pairing, renewing and fetching over real HTTPS: what a device believes of a server, and what it refuses."""

import datetime
import hashlib
import itertools
import os
import queue
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import credentials
from runtime.clock import FakeClock
from runtime.door import ContentRefused, Door, DoorError, Pairing, content_file, fetch_content
from runtime.enrolment import PairingNews, Renewed, RenewFailed, keep_certificate_fresh, pair
from runtime.identity import Identity, IdentityError, certificate_request
from runtime.link import backoff_s
from wire.codec import Malformed
from wire.entry import SYNCED, UNTRUSTED
from wire.messages import ContentRef

ONE_DAY = datetime.timedelta(days=1)


def attempt(identity: Identity, url: str, clock: FakeClock) -> Pairing:
    return Pairing(Door(url, clock=clock, timeout_s=5), identity, role="terminal", software="test", model="Pi 5")


def test_both_screens_show_the_same_code(identity: Identity, lone_door: Any, clock: FakeClock) -> None:
    pairing = attempt(identity, lone_door.url, clock)
    assert pairing.begin() == "waiting"
    assert pairing.code == lone_door.code
    assert len(pairing.code) == 7


def test_second_attempt_shows_another_code(identity: Identity, lone_door: Any, clock: FakeClock) -> None:
    codes = set()
    for _ in range(3):
        pairing = attempt(identity, lone_door.url, clock)
        pairing.begin()
        codes.add(pairing.code)
    assert len(codes) == 3


def test_device_reveals_nothing_to_a_server_that_is_not_under_the_ca_it_showed(
    identity: Identity, lone_door: Any, clock: FakeClock, new_authority: Any
) -> None:
    lone_door.offered_ca = new_authority().der
    with pytest.raises(DoorError, match=r"certificate|CERTIFICATE"):
        attempt(identity, lone_door.url, clock).begin()
    assert list(lone_door.asked.queue) == ["/pair/commit"]


def test_approved_device_keeps_a_certificate_for_its_own_key(identity: Identity, lone_door: Any, clock: FakeClock) -> None:
    pairing = attempt(identity, lone_door.url, clock)
    pairing.begin()
    lone_door.state = "approved"
    assert pairing.poll() == "approved"
    assert pairing.welcome is not None
    credentials.save_welcome(pairing.welcome, identity)
    assert credentials.load_welcome(identity) == pairing.welcome
    assert credentials.welcome_path(identity).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fault", ["no such ca", "foreign certificate", "no certificate", "no cas"])
def test_welcome_that_does_not_fit_is_refused(
    identity: Identity, lone_door: Any, clock: FakeClock, tmp_path: Path, new_authority: Any, fault: str
) -> None:
    from runtime.identity import ensure

    other = lone_door.authority.issue_request(certificate_request(ensure(tmp_path / "other")))
    changes: dict[str, dict[str, Any]] = {
        "no such ca": {"ca_certificates": (new_authority().der,)},
        "foreign certificate": {"certificate": other},
        "no certificate": {"certificate": b"noise"},
        "no cas": {"ca_certificates": ()},
    }
    lone_door.welcome_changes = changes[fault]
    pairing = attempt(identity, lone_door.url, clock)
    pairing.begin()
    lone_door.state = "approved"
    with pytest.raises(Malformed):
        pairing.poll()


def test_damaged_welcome_on_the_disk_is_explained(identity: Identity) -> None:
    assert credentials.load_welcome(identity) is None
    credentials.welcome_path(identity).write_bytes(b"noise")
    with pytest.raises(IdentityError, match="pair the device again"):
        credentials.load_welcome(identity)


def pairing_events(identity: Identity, url: str, clock: FakeClock) -> tuple["queue.Queue[Any]", threading.Event, threading.Thread]:
    events: queue.Queue[Any] = queue.Queue()
    stop = threading.Event()
    arguments: dict[str, Any] = {"role": "terminal", "software": "t", "model": "", "on_event": events.put, "stop": stop}
    arguments |= {"poll_s": 0.02, "backoff_max_s": 1.0}
    thread = threading.Thread(target=pair, args=(Door(url, clock=clock), identity), kwargs=arguments, daemon=True)
    thread.start()
    return events, stop, thread


def test_refused_pairing_is_told_and_begun_again_with_a_new_code(identity: Identity, lone_door: Any, clock: FakeClock) -> None:
    events, stop, thread = pairing_events(identity, lone_door.url, clock)
    first = events.get(timeout=10)
    assert first.state == "waiting"
    lone_door.state = "refused"
    while (news := events.get(timeout=10)).state == "waiting":
        pass
    assert news.state == "refused"
    lone_door.state = "waiting"
    while (news := events.get(timeout=10)).state != "waiting":
        pass
    assert news.code != first.code
    lone_door.state = "approved"
    while isinstance(events.get(timeout=10), PairingNews):
        pass
    thread.join(10)
    assert not stop.is_set()
    assert credentials.load_welcome(identity) is not None


def test_unreachable_door_is_told_and_tried_again(identity: Identity, clock: FakeClock) -> None:
    events, stop, thread = pairing_events(identity, "https://localhost:1", clock)
    assert [events.get(timeout=10).state for _ in range(2)] == ["unreachable", "unreachable"]
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def approved(identity: Identity, door: Any, clock: FakeClock) -> Any:
    pairing = attempt(identity, door.url, clock)
    pairing.begin()
    door.state = "approved"
    pairing.poll()
    return pairing.welcome


def test_certificate_is_renewed_in_its_last_third_and_not_before(
    identity: Identity, lone_door: Any, clock: FakeClock, until: Callable[..., Any]
) -> None:
    welcome = approved(identity, lone_door, clock)
    certificate = credentials.certificate_of(welcome)
    life_ms = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() * 1_000
    begins_ms = certificate.not_valid_before_utc.timestamp() * 1_000
    assert not credentials.renewal_is_due(certificate, int(begins_ms + life_ms * 0.6))
    assert credentials.renewal_is_due(certificate, int(begins_ms + life_ms * 0.7))
    events: queue.Queue[Any] = queue.Queue()
    stop = threading.Event()
    clock.wall_ms = int(begins_ms + life_ms * 0.7)
    clock.trust = UNTRUSTED
    arguments: dict[str, Any] = {"clock": clock, "on_event": events.put, "stop": stop, "look_every_s": 0.02}
    door = Door(lone_door.url, clock=clock)
    thread = threading.Thread(target=keep_certificate_fresh, args=(door, identity, welcome), kwargs=arguments, daemon=True)
    thread.start()
    assert lone_door.renewals == 0, "with an unknown time nothing is due"
    clock.trust = SYNCED
    renewed = events.get(timeout=10)
    stop.set()
    thread.join(10)
    assert isinstance(renewed, Renewed)
    assert renewed.welcome.certificate != welcome.certificate
    assert credentials.load_welcome(identity) == renewed.welcome


def test_clock_years_ahead_renews_once_and_not_again_and_again(
    identity: Identity, lone_door: Any, clock: FakeClock, until: Callable[..., Any]
) -> None:
    looked: list[int] = []

    class Ahead(FakeClock):
        def now(self) -> Any:
            looked.append(1)
            return super().now()

    welcome = approved(identity, lone_door, clock)
    ahead = Ahead(3_000_000_000_000)
    events: queue.Queue[Any] = queue.Queue()
    stop = threading.Event()

    def keep(pause_s: float) -> threading.Thread:
        arguments = {"clock": ahead, "on_event": events.put, "stop": stop, "look_every_s": 0.01, "pause_s": pause_s}
        places = (Door(lone_door.url, clock=clock), identity, welcome)
        thread = threading.Thread(target=keep_certificate_fresh, args=places, kwargs=arguments, daemon=True)
        thread.start()
        return thread

    thread = keep(3_600.0)
    assert isinstance(events.get(timeout=10), Renewed)
    with pytest.raises(queue.Empty):
        events.get(timeout=0.3)
    assert (lone_door.renewals, len(looked)) == (1, 1)
    stop.set()
    thread.join(10)
    stop.clear()
    thread = keep(0.01)
    until(lambda: lone_door.renewals >= 4, "without the pause it never ends")
    stop.set()
    thread.join(10)


def test_renewed_device_keeps_the_new_root_beside_the_old_and_trusts_servers_under_either(
    identity: Identity, lone_door: Any, clock: FakeClock, new_authority: Any, tmp_path: Path
) -> None:
    welcome = approved(identity, lone_door, clock)
    lone_door.renews_with = newer = new_authority("test CA 2")
    renewed = Door(lone_door.url, clock=clock).renew(identity, welcome)
    credentials.save_welcome(renewed, identity)
    kept = credentials.load_welcome(identity)
    assert kept is not None
    assert kept.ca_certificates == (newer.der, lone_door.authority.der)
    credentials.certificate_of(kept).verify_directly_issued_by(newer.certificate)

    def context(cas: tuple[bytes, ...]) -> ssl.SSLContext:
        return credentials.server_context(cas, clock=clock, system_wall_ms=clock.wall_ms + 10**9)

    for number, authority in enumerate((lone_door.authority, newer)):
        (tmp_path / str(number)).mkdir()
        pair_of_files = authority.write_pair(tmp_path / str(number), "server", server=True)
        shake_hands(context(kept.ca_certificates), *pair_of_files)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context(welcome.ca_certificates), *pair_of_files)
    assert Door(lone_door.url, clock=clock).renew(identity, kept).ca_certificates == kept.ca_certificates


@pytest.mark.parametrize("fault", ["no roots", "noise for a root", "roots of somebody else"])
def test_renewal_whose_roots_do_not_fit_changes_nothing(
    identity: Identity, lone_door: Any, clock: FakeClock, new_authority: Any, fault: str
) -> None:
    welcome = approved(identity, lone_door, clock)
    credentials.save_welcome(welcome, identity)
    lone_door.renewed_roots = {
        "no roots": (),
        "noise for a root": (b"noise", lone_door.authority.der),
        "roots of somebody else": (new_authority().der,),
    }[fault]
    with pytest.raises(Malformed):
        Door(lone_door.url, clock=clock).renew(identity, welcome)
    assert credentials.load_welcome(identity) == welcome


def test_failed_renewal_is_told(identity: Identity, lone_door: Any, clock: FakeClock) -> None:
    welcome = approved(identity, lone_door, clock)
    clock.wall_ms = int(credentials.certificate_of(welcome).not_valid_after_utc.timestamp() * 1_000)
    events: queue.Queue[Any] = queue.Queue()
    stop = threading.Event()
    arguments: dict[str, Any] = {"clock": clock, "on_event": events.put, "stop": stop, "look_every_s": 0.02}
    door = Door("https://localhost:1", clock=clock)
    thread = threading.Thread(target=keep_certificate_fresh, args=(door, identity, welcome), kwargs=arguments, daemon=True)
    thread.start()
    assert isinstance(events.get(timeout=10), RenewFailed)
    stop.set()
    thread.join(10)


@pytest.mark.parametrize(("trust", "off_ms", "checks_time"), [(SYNCED, 0, True), (SYNCED, 10**9, False), (UNTRUSTED, 0, False)])
def test_dates_are_checked_only_while_the_clock_is_known_to_be_right(
    authority: Any, trust: int, off_ms: int, checks_time: bool
) -> None:
    clock = FakeClock(trust=trust)
    context = credentials.server_context((authority.der,), clock=clock, system_wall_ms=clock.wall_ms + off_ms)
    assert bool(context.verify_flags & credentials.NO_CHECK_TIME) is not checks_time
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def shake_hands(context: ssl.SSLContext, certificate: Path, key: Path, name: str = "localhost") -> None:
    """A TLS handshake in memory with a server of that certificate. Raises ssl.SSLError as a real one would."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_expired_server_is_accepted_without_a_clock_but_a_wrong_name_or_ca_never(
    authority: Any, new_authority: Any, tmp_path: Path
) -> None:
    expired = authority.write_pair(tmp_path, "expired", server=True, begins=-3 * ONE_DAY, ends=-2 * ONE_DAY)
    system_wall_ms = int(datetime.datetime.now(datetime.UTC).timestamp() * 1_000)
    unset, right = FakeClock(trust=UNTRUSTED), FakeClock(system_wall_ms)

    def context(clock: FakeClock, der: bytes = authority.der) -> ssl.SSLContext:
        return credentials.server_context((der,), clock=clock, system_wall_ms=system_wall_ms)

    shake_hands(context(unset), *expired)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(context(right), *expired)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname"):
        shake_hands(context(unset), *expired, name="elsewhere")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context(unset, new_authority().der), *expired)


def fetch(door: Any, pack: bytes, directory: Path, clock: FakeClock, opens: Any = lambda _path: None, **changes: Any) -> Path:
    values: dict[str, Any] = {"version": "v", "sha256": hashlib.sha256(pack).digest(), "size": len(pack), "manifest": b""}
    ref = ContentRef(**(values | changes))
    door.packs.setdefault(ref.sha256.hex(), pack)
    return fetch_content(ref, directory, door=Door(door.url + "/content", clock=clock), cas=(door.authority.der,), open_pack=opens)


def test_content_is_put_in_place_whole(lone_door: Any, tmp_path: Path, clock: FakeClock) -> None:
    pack = os.urandom(300_000)
    assert fetch(lone_door, pack, tmp_path / "content", clock).read_bytes() == pack


@pytest.mark.parametrize("changes", [{"sha256": bytes(32)}, {"size": 10}, {"size": 100_000}])
def test_content_of_another_hash_or_size_is_refused(lone_door: Any, tmp_path: Path, clock: FakeClock, changes: Any) -> None:
    with pytest.raises(ContentRefused) as failure:
        fetch(lone_door, os.urandom(50_000), tmp_path / "content", clock, **changes)
    assert failure.value.reason == "content.not_fetched"
    assert not list((tmp_path / "content").iterdir())


def test_missing_content_is_explained(lone_door: Any, tmp_path: Path, clock: FakeClock) -> None:
    lone_door.packs[hashlib.sha256(b"x").hexdigest()] = None
    with pytest.raises(ContentRefused, match="404"):
        fetch(lone_door, b"x", tmp_path / "content", clock)


def test_content_larger_than_the_disk_is_refused_before_it_is_fetched(lone_door: Any, tmp_path: Path, clock: FakeClock) -> None:
    ref = ContentRef(version="v", sha256=bytes(32), size=1_000_000, manifest=b"")
    arguments: dict[str, Any] = {"door": Door(lone_door.url, clock=clock), "cas": (lone_door.authority.der,)}
    with pytest.raises(ContentRefused, match="1000000 bytes") as failure:
        fetch_content(ref, tmp_path, open_pack=lambda _path: None, free_bytes=lambda _directory: 16 << 20, **arguments)
    assert failure.value.reason == "content.no_room"
    assert lone_door.asked.empty()


def test_two_packs_are_kept_and_the_older_ones_go(lone_door: Any, tmp_path: Path, clock: FakeClock) -> None:
    packs = [os.urandom(100) for _ in range(4)]
    for number, pack in enumerate(packs):
        path = fetch(lone_door, pack, tmp_path / "content", clock)
        os.utime(path, (number, number))
    kept = {path.read_bytes() for path in (tmp_path / "content").iterdir()}
    assert kept == set(packs[-2:])


def test_pack_damaged_on_the_disk_is_fetched_anew(lone_door: Any, tmp_path: Path, clock: FakeClock) -> None:
    def opens(path: Path) -> None:
        if path.read_bytes() != b"good":
            raise ValueError("damaged")

    path = fetch(lone_door, b"good", tmp_path / "content", clock, opens)
    path.write_bytes(b"bad!")
    with pytest.raises(ContentRefused):
        fetch(lone_door, b"good", tmp_path / "content", clock, opens)
    assert fetch(lone_door, b"good", tmp_path / "content", clock, opens).read_bytes() == b"good"
    ref = ContentRef(version="v", sha256=hashlib.sha256(b"good").digest(), size=4, manifest=b"")
    assert content_file(tmp_path / "content", ref) == path


def test_backoff_grows_to_its_limit_and_spreads_a_hall_over_all_of_it() -> None:
    limits = [backoff_s(n, most_s=60.0, draw=lambda _low, high: high) for n in range(8)]
    assert limits == [4, 8, 16, 32, 60, 60, 60, 60]
    assert backoff_s(100_000, most_s=60.0, draw=lambda low, _high: low) == 1
    draws = sorted(backoff_s(6, most_s=60.0) for _ in range(1_000))
    gaps = [later - earlier for earlier, later in itertools.pairwise(draws)]
    assert draws[0] < 4
    assert draws[-1] > 57
    assert max(gaps) < 2
