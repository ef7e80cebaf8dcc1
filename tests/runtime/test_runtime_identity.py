"""Keys, clock, kept files: made once, private, and honest about what cannot be believed or read."""

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from nacl.signing import SigningKey

from runtime.clock import FakeClock, SystemClock, kernel_is_synchronized, read_boot_id, system_trust
from runtime.desired import DesiredKeeper, read_desired
from runtime.identity import Identity, IdentityError, certificate_request, device_name, ensure, signing_key
from runtime.store import AgentStore, Mark, StoreError, read_mark
from wire.codec import WireError
from wire.entry import FROM_RTC, SYNCED, UNTRUSTED


def test_device_name_is_fixed_by_the_key_and_fits_a_topic() -> None:
    assert device_name(bytes(32)) == "nwmzuhvlpymk6xo3ep"
    assert len(device_name(os.urandom(32))) == 18


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = ensure(tmp_path)
    assert ensure(tmp_path) == first
    for name in ("signing.key", "tls.key"):
        assert (first.directory / name).stat().st_mode & 0o777 == 0o600
    assert first.directory.stat().st_mode & 0o777 == 0o700
    assert bytes(signing_key(first.directory).verify_key) == first.signing_key


def _ensure(path: Path, found: Any) -> None:
    found.put(ensure(path))


def test_processes_that_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    processes = [context.Process(target=_ensure, args=(tmp_path, found)) for _ in range(3)]
    for process in processes:
        process.start()
    names = {found.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(10)
    assert len(names) == 1


def test_damaged_key_is_explained_and_not_replaced(tmp_path: Path) -> None:
    directory = ensure(tmp_path).directory
    (directory / "signing.key").write_bytes(b"short")
    with pytest.raises(IdentityError, match="has 5 bytes"):
        ensure(tmp_path)
    assert (directory / "signing.key").read_bytes() == b"short"


def test_damaged_tls_key_is_explained(tmp_path: Path) -> None:
    identity = ensure(tmp_path)
    (identity.directory / "tls.key").write_text("noise")
    with pytest.raises(IdentityError, match="not a usable key"):
        certificate_request(identity)


def test_certificate_request_names_the_device_and_is_signed_by_its_key(identity: Identity) -> None:
    request = x509.load_der_x509_csr(certificate_request(identity))
    assert request.is_signature_valid
    assert [each.value for each in request.subject] == [identity.device]


def test_unwritable_place_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="cannot be used"):
        ensure(tmp_path / "file")


@pytest.mark.parametrize(
    ("wall_ms", "is_synced", "has_rtc", "trust"),
    [
        (0, True, True, UNTRUSTED),
        (5_000_000_000_000, True, True, UNTRUSTED),
        (1_800_000_000_000, True, False, SYNCED),
        (1_800_000_000_000, False, True, FROM_RTC),
        (1_800_000_000_000, False, False, UNTRUSTED),
    ],
)
def test_clock_is_believed_only_as_far_as_it_was_set(
    tmp_path: Path, wall_ms: int, is_synced: bool, has_rtc: bool, trust: int
) -> None:
    rtc = tmp_path / "rtc0"
    if has_rtc:
        rtc.touch()
    assert system_trust(wall_ms, is_synchronized=lambda: is_synced, rtc=rtc) == trust


def test_kernel_is_asked_whether_a_time_service_has_set_it() -> None:
    assert kernel_is_synchronized() in (True, False)


def test_repaired_clock_is_synced_and_runs_on_with_the_monotonic_one() -> None:
    clock = SystemClock(trust=lambda _wall: UNTRUSTED)
    before = clock.now()
    assert before.trust == UNTRUSTED
    assert before.boot_id == read_boot_id()
    clock.repair(1_900_000_000_000, before.mono_ms)
    after = clock.now()
    assert after.trust == SYNCED
    assert after.wall_ms - 1_900_000_000_000 == after.mono_ms - before.mono_ms


@pytest.mark.parametrize("years", [30, -30, -80])
def test_system_clock_that_jumps_years_is_told_as_it_is_and_moves_no_repaired_time(years: int) -> None:
    off_ns = 0
    clock = SystemClock(
        trust=lambda wall_ms: system_trust(wall_ms, is_synchronized=lambda: off_ns == 0), wall_ns=lambda: time.time_ns() + off_ns
    )
    before = clock.now()
    assert before.trust == SYNCED
    off_ns = years * 31_536_000 * 10**9
    jumped = clock.now()
    assert jumped.trust != SYNCED
    assert abs(jumped.wall_ms - max(0, before.wall_ms + off_ns // 10**6)) < 5_000
    assert jumped.mono_ms >= before.mono_ms
    clock.repair(before.wall_ms, before.mono_ms)
    off_ns = -off_ns
    repaired = clock.now()
    assert (repaired.trust, repaired.wall_ms - before.wall_ms) == (SYNCED, repaired.mono_ms - before.mono_ms)


def test_fake_clock_stands_still_until_told() -> None:
    clock = FakeClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(1.5)
    assert clock.now().mono_ms - before.mono_ms == 1_500


def test_store_keeps_marks_numbers_and_commands(tmp_path: Path) -> None:
    store = AgentStore(tmp_path / "agent.db")
    store.set_mark(bytes(16), Mark(5, b"h" * 32, 3, "fork"))
    assert store.add("connection", 1) == 1
    store.set_command_state(b"c", "running")
    store.close()
    store = AgentStore(tmp_path / "agent.db")
    assert store.mark(bytes(16)) == Mark(5, b"h" * 32, 3, "fork")
    assert read_mark(tmp_path / "agent.db", bytes(16)).archived == 3
    assert (store.number("connection"), store.command_state(b"c"), store.unfinished_commands()) == (1, "running", [b"c"])
    store.close()


def test_store_forgets_the_oldest_commands_only(tmp_path: Path) -> None:
    store = AgentStore(tmp_path / "agent.db")
    for n in range(1_020):
        store._connection.execute("INSERT INTO commands (id, state) VALUES (?, 'done')", (n.to_bytes(4, "big"),))
    store.set_command_state(b"new!", "done")
    assert store.command_state((0).to_bytes(4, "big")) is None
    assert store.command_state(b"new!") == "done"
    assert store.command_state((1_019).to_bytes(4, "big")) == "done"
    store.close()


def test_unreadable_store_is_put_aside_and_made_anew(tmp_path: Path) -> None:
    (tmp_path / "agent.db").write_bytes(os.urandom(8_192))
    store = AgentStore(tmp_path / "agent.db")
    assert store.was_unreadable
    assert store.mark(bytes(16)) == Mark()
    assert (tmp_path / "agent.db.unreadable").exists()
    store.close()


def test_store_without_a_place_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        AgentStore(tmp_path / "nowhere" / "agent.db")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = AgentStore(tmp_path / "agent.db")
    yield store
    store.close()


def keeper(tmp_path: Path, identity: Identity, fleet: Any, store: AgentStore) -> DesiredKeeper:
    return DesiredKeeper(tmp_path, device=identity.device, fleet_key=fleet.key.verify_key, store=store)


def test_configuration_is_kept_and_read_back_verified(
    tmp_path: Path, identity: Identity, model_fleet: Any, store: AgentStore
) -> None:
    assert keeper(tmp_path, identity, model_fleet, store).take(model_fleet.desired(identity.device, 3))
    found = keeper(tmp_path, identity, model_fleet, store).current
    assert found is not None
    assert found.version == 3
    (tmp_path / "desired.msgpack").write_bytes(b"changed by somebody")
    assert keeper(tmp_path, identity, model_fleet, store).current is None


def test_older_configuration_counts_only_from_a_restored_fleet(
    tmp_path: Path, identity: Identity, model_fleet: Any, store: AgentStore
) -> None:
    kept = keeper(tmp_path, identity, model_fleet, store)
    store.put("incarnation", b"one")
    assert kept.take(model_fleet.desired(identity.device, 5))
    assert not kept.take(model_fleet.desired(identity.device, 4))
    store.put("incarnation", b"two")
    assert kept.take(model_fleet.desired(identity.device, 4))


def test_configuration_of_another_fleet_or_device_is_refused(identity: Identity, model_fleet: Any) -> None:
    data = model_fleet.desired(identity.device)
    with pytest.raises(WireError):
        read_desired(data, SigningKey.generate().verify_key, device=identity.device)
    with pytest.raises(WireError, match="reached"):
        read_desired(data, model_fleet.key.verify_key, device="nwother")
