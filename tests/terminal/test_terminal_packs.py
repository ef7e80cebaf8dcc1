"""Which pack a terminal shows: the fleet's own, verified on the device each time it is opened, or the file a technician named."""

import queue
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from demo.catalogue import read_catalogue
from pack.build import build
from runtime.local import DeviceView
from terminal.content import PackContent
from terminal.packs import PackOpener, wanted

FLEET, STRANGER = SigningKey(b"f" * 32), SigningKey(b"s" * 32)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same content signed by the fleet and by a stranger, who can make a pack whose own hash is right."""
    folder = tmp_path_factory.mktemp("packs")
    for name, key in (("fleet", FLEET), ("stranger", STRANGER)):
        build(read_catalogue(), folder / name, built_at=datetime.now(UTC), signer=bytes(key))
    return {name: folder / name for name in ("fleet", "stranger")}


class Face:
    """The thread that news comes to, and what came."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Callable[[], object]] = queue.Queue()
        self.shown: list[PackContent] = []
        self.refusals = 0
        self.now_ms = 1_000
        self.opener = PackOpener(post=self.calls.put, now_ms=lambda: self.now_ms, came=self.shown.append, refused=self._refused)

    def _refused(self) -> None:
        self.refusals += 1

    def open(self, path: Path) -> None:
        """Want a pack of the fleet, and wait for what comes of it."""
        self.opener.want(str(path), bytes(FLEET.verify_key))
        self.calls.get(timeout=30)()

    def is_idle(self) -> bool:
        return self.calls.empty()


def test_the_fleets_own_pack_is_shown(packs: dict[str, Path]) -> None:
    face = Face()
    face.open(packs["fleet"])
    assert face.shown[0].hall.name.zh
    assert face.opener.trouble is None


def test_a_kept_pack_that_was_exchanged_for_a_strangers_is_not_shown_and_reported(packs: dict[str, Path], tmp_path: Path) -> None:
    face, kept = Face(), tmp_path / "kept.pack"
    shutil.copy(packs["stranger"], kept)
    face.open(kept)
    assert (face.shown, face.refusals) == ([], 1)
    trouble = face.opener.trouble
    assert trouble is not None
    assert (trouble.part, trouble.state, trouble.reason) == ("content", "down", "content.not_shown")
    assert "sign" in trouble.args["error"]


def test_a_refused_pack_is_looked_at_again_and_shown_once_it_is_the_fleets(packs: dict[str, Path], tmp_path: Path) -> None:
    face, kept = Face(), tmp_path / "kept.pack"
    shutil.copy(packs["stranger"], kept)
    face.open(kept)
    face.now_ms = 61_000
    face.opener.retry()
    face.open(kept)
    assert face.opener.trouble is not None
    assert face.opener.trouble.since_ms == 1_000, "it is the same trouble as before"
    shutil.copy(packs["fleet"], kept)
    face.opener.retry()
    face.open(kept)
    assert (len(face.shown), face.opener.trouble) == (1, None)


def test_a_pack_that_is_open_or_refused_is_not_opened_at_every_event(packs: dict[str, Path]) -> None:
    face = Face()
    face.open(packs["fleet"])
    face.opener.retry()
    face.opener.want(str(packs["fleet"]), bytes(FLEET.verify_key))
    face.open(packs["stranger"])
    face.opener.want(str(packs["stranger"]), bytes(FLEET.verify_key))
    assert (len(face.shown), face.refusals, face.is_idle()) == (1, 1, True)


def test_the_fleets_pack_is_wanted_only_with_the_fleets_key() -> None:
    key = bytes(FLEET.verify_key)
    assert wanted(DeviceView(device="nw1", content_path="/kept", fleet_key=key), "/by-hand") == ("/kept", key)
    assert wanted(DeviceView(device="nw1", content_path="/kept"), "/by-hand") == ("/by-hand", None)
    assert wanted(DeviceView(device="nw1", fleet_key=key), "/by-hand") == ("/by-hand", None)
    assert wanted(DeviceView(device="nw1", content_path="/kept"), "") == ("", None)
