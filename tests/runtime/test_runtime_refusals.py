"""When a device may call itself revoked: only on the broker's own word or a TLS alert, never because something cut the line."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from agent_device import UNTIL, Device

ACCEPTED = b"\x20\x03\x00\x00\x00"
NOT_AUTHORIZED, SERVER_BUSY = b"\x20\x03\x00\x87\x00", b"\x20\x03\x00\x89\x00"


def cut(line: ssl.SSLSocket) -> None:
    """End the connection with a reset, as firewalls do."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def packet(line: ssl.SSLSocket) -> bytes:
    """One MQTT packet that the device sent."""
    data = line.recv(65_536)
    assert data, "the device hung up"
    return data


class Impostor:
    """Something at the broker's address that speaks TLS with the right certificate and then does what a test says."""

    def __init__(
        self, directory: Path, authority: Any, act: Callable[[ssl.SSLSocket], None], *, client_ca: bytes | None = None
    ) -> None:
        directory.mkdir()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*authority.write_pair(directory, "broker", server=True))
        if client_ca is not None:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(client_ca))
        self.met = 0
        self._act = act
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(10)
            try:
                with self.context.wrap_socket(plain, server_side=True) as line:
                    self._act(line)
            except (OSError, AssertionError):
                # A device that is turned down hangs up in the middle of things; that is what is tried here.
                pass
            self.met += 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)


@pytest.fixture
def impostor(tmp_path: Path, authority: Any, paired: Device) -> Iterator[Callable[..., Impostor]]:
    """Puts an impostor between the paired device and its broker."""
    made: list[Impostor] = []

    def put(act: Callable[[ssl.SSLSocket], None], **more: Any) -> Impostor:
        made.append(Impostor(tmp_path / "impostor", authority, act, **more))
        fleet = msgspec.structs.replace(paired.config.fleet, broker=f"localhost:{made[0].port}")
        paired.config = msgspec.structs.replace(paired.config, fleet=fleet)
        return made[0]

    yield put
    paired.stop()
    for each in made:
        each.close()


def answers(*packets: bytes) -> Callable[[ssl.SSLSocket], None]:
    """Answers each packet of the device with one of these, then hangs up."""

    def act(line: ssl.SSLSocket) -> None:
        for each in packets:
            packet(line)
            line.sendall(each)

    return act


def refuse_topics(line: ssl.SSLSocket) -> None:
    """Accept the device and grant it none of the topics it asks for."""
    packet(line)
    line.sendall(ACCEPTED)
    asked = packet(line)
    topics = asked.count(b"nw/1/")
    line.sendall(bytes([0x90, 3 + topics]) + asked[2:4] + b"\x00" + b"\x87" * topics)
    line.recv(1)


@pytest.mark.parametrize(
    ("act", "reason"),
    [(cut, "link.cut"), (lambda line: None, "link.cut"), (answers(SERVER_BUSY), "link.unavailable")],
    ids=["reset after the handshake", "closed after the handshake", "a broker that is busy"],
)
def test_a_line_that_is_cut_or_a_broker_that_is_busy_is_not_a_revocation(
    paired: Device, impostor: Callable[..., Impostor], until: UNTIL, act: Callable[[ssl.SSLSocket], None], reason: str
) -> None:
    middle = impostor(act)
    paired.start()
    face = paired.start_face()
    until(lambda: middle.met >= 4, "some attempts", 30)
    until(lambda: face.view.trouble == reason, f"the face is told of {reason}")
    assert face.view.pairing == "paired"


@pytest.mark.parametrize("act", [answers(NOT_AUTHORIZED), refuse_topics], ids=["CONNACK", "SUBACK"])
def test_a_broker_that_says_no_to_this_device_twice_is_believed(
    paired: Device, impostor: Callable[..., Impostor], until: UNTIL, act: Callable[[ssl.SSLSocket], None]
) -> None:
    middle = impostor(act)
    paired.start()
    face = paired.start_face()
    until(lambda: (face.view.pairing, face.view.trouble) == ("revoked", "link.refused"), "told", 30)
    assert middle.met >= 2, "once is not enough: a broker that has just started may not know its devices yet"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_tls_alert_against_the_devices_certificate_is_believed(
    paired: Device, impostor: Callable[..., Impostor], new_authority: Any, until: UNTIL, version: ssl.TLSVersion
) -> None:
    strict = impostor(lambda line: None, client_ca=new_authority("another CA").der)
    strict.context.maximum_version = version
    paired.start()
    face = paired.start_face()
    until(lambda: (face.view.pairing, face.view.trouble) == ("revoked", "link.refused"), "told", 30)


def test_cuts_between_two_refusals_do_not_hide_them(paired: Device, impostor: Callable[..., Impostor], until: UNTIL) -> None:
    turn = iter([answers(NOT_AUTHORIZED), cut, answers(NOT_AUTHORIZED)] + [cut] * 20)
    impostor(lambda line: next(turn)(line))
    paired.start()
    face = paired.start_face()
    until(lambda: face.view.pairing == "revoked", "told", 30)
