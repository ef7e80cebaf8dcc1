"""The socket between face and agent: framing under hostile bytes, a face without an agent, heartbeat, replacing, ending a face."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from runtime.clock import FakeClock
from runtime.facehub import FaceCame, FaceHub, FaceSaid, FaceWent
from runtime.facelink import FaceLink
from runtime.local import (
    MAX_MESSAGE_BYTES,
    VIEW_FILE,
    AskRequest,
    CommandReply,
    DeviceView,
    FaceHello,
    FaceState,
    FromAgent,
    FromFace,
    Identify,
    LocalError,
    PictureReply,
    Unframer,
    read_view,
    send_message,
)
from wire.codec import Malformed, TooLarge, WireError, encode

UNTIL = Callable[..., Any]


def frame(message: Any) -> bytes:
    data = encode(message)
    return struct.pack(">I", len(data)) + data


MESSAGES = [
    FaceHello(role="terminal", pid=1, software="x"),
    FaceState(screen="home", levels={"paper_m": 3.0}),
    CommandReply(command=bytes(16), state="done"),
    AskRequest(id=bytes(16), what="help", deadline_ms=5),
    PictureReply(command=bytes(16), screen="home", png=bytes(100_000)),
]


@given(st.lists(st.sampled_from(MESSAGES), max_size=6), st.integers(1, 4_000))
def test_messages_come_out_whole_however_the_bytes_are_cut(messages: list[Any], step: int) -> None:
    data = b"".join(frame(message) for message in messages)
    unframer, found = Unframer(FromFace), []
    for start in range(0, len(data), step):
        found += unframer.feed(data[start : start + step])
    assert found == messages


@given(st.binary(max_size=200))
def test_noise_is_an_error_of_this_package_or_nothing(noise: bytes) -> None:
    try:
        Unframer(FromFace).feed(noise)
    except WireError:
        return


def test_length_beyond_the_limit_is_refused_before_its_bytes_are_kept() -> None:
    with pytest.raises(TooLarge, match="claims"):
        Unframer(FromFace).feed(struct.pack(">I", MAX_MESSAGE_BYTES + 1))


def test_message_of_the_other_direction_is_malformed() -> None:
    with pytest.raises(Malformed):
        Unframer(FromFace).feed(frame(Identify(command=bytes(16))))


def test_out_of_range_fields_are_malformed() -> None:
    with pytest.raises(Malformed):
        Unframer(FromFace).feed(frame(FaceState(screen="x" * 201)))


class Hub:
    """A hub whose events are taken in this thread, as the agent does."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.events: list[Any] = []
        self.said: list[Any] = []
        self.lock = threading.Lock()
        self.hub = FaceHub(path, on_event=self.events.append, hung_after_ms=15_000)
        self.hub.start()

    def pump(self) -> None:
        while self.events:
            event = self.events.pop(0)
            if self.hub.take(event, self.clock.mono_ms):
                self.said.append(event)

    def saw(self, kind: type, number: int = 1) -> bool:
        self.pump()
        return len([event for event in self.said if isinstance(event, kind)]) >= number


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path / "agent.sock")
    yield hub
    hub.hub.stop()


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Callable[..., FaceLink]]:
    made: list[FaceLink] = []

    def make(**more: Any) -> FaceLink:
        arguments: dict[str, Any] = {
            "data_dir": tmp_path,
            "role": "terminal",
            "software": "face",
            "device": "nwdevice",
            "clock": FakeClock(),
            "on_message": lambda _message: None,
            "retry_s": 0.02,
        }
        made.append(FaceLink(tmp_path / "agent.sock", **(arguments | more)))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


Linker = Callable[..., FaceLink]


def test_face_without_an_agent_works_and_shows_what_was_kept(tmp_path: Path, link: Linker) -> None:
    (tmp_path / VIEW_FILE).write_bytes(encode(DeviceView(device="nwdevice", pairing="paired", link="up", content_path="/pack")))
    face = link()
    face.beat()
    face.report(FaceState(screen="home"))
    assert not face.send(AskRequest(id=bytes(16), what="help", deadline_ms=5))
    assert (face.view.pairing, face.view.link, face.view.content_path) == ("paired", "unknown", "/pack")


def test_kept_view_of_another_device_is_not_believed(tmp_path: Path, link: Linker) -> None:
    (tmp_path / VIEW_FILE).write_bytes(encode(DeviceView(device="nwother", pairing="paired")))
    assert link().view == DeviceView(device="nwdevice")


def test_damaged_kept_view_is_no_view(tmp_path: Path) -> None:
    (tmp_path / VIEW_FILE).write_bytes(b"\xff\x00noise")
    assert read_view(tmp_path) is None


def test_face_reaches_an_agent_that_starts_later_and_one_that_restarts(tmp_path: Path, link: Linker, until: UNTIL) -> None:
    face = link()
    face.report(FaceState(screen="home"))
    for _ in range(2):
        hub = Hub(tmp_path / "agent.sock")
        until(lambda: hub.saw(FaceCame) and hub.saw(FaceSaid), "the face came and told its state")  # noqa: B023
        assert hub.said[1].message == FaceState(screen="home")
        hub.hub.stop()
        until(lambda: not face.is_connected, "the face noticed")
    assert face.view.link == "unknown"


def test_view_repairs_the_faces_clock_before_it_is_handed_over(hub: Hub, link: Linker, until: UNTIL) -> None:
    clock = FakeClock(5, trust=0)
    seen: list[int] = []
    link(clock=clock, on_message=lambda message: seen.append(clock.now().wall_ms))
    until(lambda: hub.saw(FaceCame), "came")
    hub.hub.send(DeviceView(device="nwdevice", true_wall_ms=1_900_000_000_000, true_mono_ms=clock.mono_ms))
    until(lambda: seen, "the view arrived")
    assert seen == [1_900_000_000_000]
    assert clock.trust == 2


def test_mistake_in_a_screen_does_not_cut_the_link(hub: Hub, link: Linker, until: UNTIL) -> None:
    calls: list[Any] = []

    def falls_over(message: FromAgent) -> None:
        calls.append(message)
        raise ValueError("a screen fell over")

    link(on_message=falls_over)
    until(lambda: hub.saw(FaceCame), "came")
    for _ in range(2):
        hub.hub.send(Identify(command=bytes(16)))
    until(lambda: len(calls) == 2, "both messages arrived")
    assert not hub.saw(FaceWent)


def test_face_with_a_heartbeat_is_up_and_without_one_it_is_hung(hub: Hub, link: Linker, until: UNTIL) -> None:
    face = link()
    until(lambda: hub.saw(FaceCame), "came")
    assert hub.hub.condition(hub.clock.mono_ms) == "starting"
    face.report(FaceState(screen="home"))
    until(lambda: hub.saw(FaceSaid), "told its state")
    assert hub.hub.condition(hub.clock.mono_ms) == "up"
    hub.clock.advance(16)
    assert hub.hub.condition(hub.clock.mono_ms) == "hung"
    face.beat()
    until(lambda: hub.saw(FaceSaid, 2), "beat")
    assert hub.hub.condition(hub.clock.mono_ms) == "up"


def test_state_alone_is_no_heartbeat(hub: Hub, link: Linker, until: UNTIL) -> None:
    face = link()
    until(lambda: hub.saw(FaceCame), "came")
    hub.clock.advance(16)
    face.report(FaceState(screen="home"))
    until(lambda: hub.saw(FaceSaid), "told its state")
    assert hub.hub.condition(hub.clock.mono_ms) == "hung"


def test_nobody_is_down(hub: Hub) -> None:
    assert hub.hub.condition(0) == "down"
    assert not hub.hub.send(Identify(command=bytes(16)))
    assert not hub.hub.end_face(by_force=True)


def test_newest_face_replaces_the_one_before(hub: Hub, link: Linker, until: UNTIL) -> None:
    first = link(retry_s=60.0)
    until(lambda: hub.saw(FaceCame), "the first came")
    second = link(software="second")
    until(lambda: hub.saw(FaceCame, 2), "the second came")
    until(lambda: not first.is_connected, "the first was let go")
    assert second.is_connected
    assert hub.hub.hello is not None
    assert hub.hub.hello.software == "second"


def raw(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(5)
    connection.connect(str(path))
    return connection


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", frame(FaceState(screen="x")), b"\x00\x00\x00\x01\xc1"])
def test_stranger_that_speaks_nonsense_is_cut_off_and_the_face_stays(
    hub: Hub, link: Linker, until: UNTIL, data: bytes, tmp_path: Path
) -> None:
    face = link()
    until(lambda: hub.saw(FaceCame), "came")
    with raw(tmp_path / "agent.sock") as stranger:
        stranger.sendall(data)
        assert stranger.recv(1) == b""
    face.report(FaceState(screen="still here"))
    until(lambda: hub.saw(FaceSaid), "the face is still heard")


def test_face_that_does_not_read_holds_up_nobody(hub: Hub, until: UNTIL, tmp_path: Path) -> None:
    with raw(tmp_path / "agent.sock") as deaf:
        send_message(deaf, FaceHello(role="terminal", pid=os.getpid(), software="deaf"))
        until(lambda: hub.saw(FaceCame), "came")
        view = DeviceView(device="x" * 190)
        sent = 0
        while hub.hub.send(view):
            sent += 1
            assert sent < 1_000_000
        assert sent > 0


def test_socket_is_only_for_its_owner(hub: Hub, tmp_path: Path) -> None:
    assert (tmp_path / "agent.sock").stat().st_mode & 0o777 == 0o600


def test_second_agent_is_told_that_another_runs(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="another agent"):
        FaceHub(tmp_path / "agent.sock", on_event=lambda _event: None, hung_after_ms=1).start()


def test_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / "agent.sock"))
    hub = Hub(tmp_path / "agent.sock")
    hub.hub.stop()
    assert not (tmp_path / "agent.sock").exists()


STUBBORN = """
import os, signal, socket, struct, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
from runtime.local import FaceHello, send_message
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
send_message(s, FaceHello(role="terminal", pid=1, software="lies about its pid"))
signal.pause()
"""


def test_process_is_ended_by_what_the_kernel_says_not_by_what_it_claims(hub: Hub, until: UNTIL, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", STUBBORN, str(tmp_path / "agent.sock")])
    until(lambda: hub.saw(FaceCame), "came")
    assert hub.hub.pid == process.pid
    assert hub.hub.end_face(by_force=False)
    assert hub.hub.end_face(by_force=True)
    assert process.wait(10) == -9
    until(lambda: hub.saw(FaceWent), "went")
    assert not hub.hub.end_face(by_force=True), "a process that ended is never signalled again, whoever has its pid now"


def test_oversized_picture_is_not_sent(hub: Hub, link: Linker, until: UNTIL) -> None:
    face = link()
    until(lambda: hub.saw(FaceCame), "came")
    assert not face.send(PictureReply(command=bytes(16), screen="x", png=bytes(1_048_577)))
    assert face.send(PictureReply(command=bytes(16), screen="x", png=bytes(1_048_576)))
    until(lambda: hub.saw(FaceSaid), "the largest one arrives")


def test_view_survives_its_round_trip() -> None:
    view = DeviceView(device="nwdevice", pairing="waiting", pairing_code="ABC-DEF")
    (found,) = Unframer(FromAgent).feed(frame(view))
    assert found == view
    assert msgspec.structs.asdict(found)["pairing_code"] == "ABC-DEF"
