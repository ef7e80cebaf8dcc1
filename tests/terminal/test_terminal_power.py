"""A power cut at the terminal: nobody begins, the visit is on the disk before the device goes off; what is heard."""

import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from terminal_booth import Booth, HandClock, Recorder

from runtime.clock import FakeClock
from runtime.identity import ensure
from runtime.journal import Journal, JournalReader
from runtime.outage import PowerWatch
from terminal.content import PackContent
from terminal.diary import JournalDiary, new_id
from terminal.flow.session import Card
from terminal.flow.status import Status, abilities, troubles
from terminal.flow.visit import Visit
from terminal.sound import Sound
from wire.kinds import PowerChanged, read_body


class SwitchedUps:
    """A UPS whose only interest is when the device is switched off, and what was on the disk by then."""

    name = "ups"

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self.found: list[list[tuple[str, Any]]] = []

    def shut_down(self) -> None:
        self.found.append(entries(self._journal))


def entries(journal: Path) -> list[tuple[str, Any]]:
    with JournalReader(journal) as reader:
        return [(row.header.kind, read_body(row.header.kind, row.header.kind_version, row.entry.body)) for row in reader.rows(0)]


class Room:
    """A visit with a real journal and a power cut made by hand."""

    def __init__(self, content: PackContent, folder: Path, watch: type[PowerWatch] = PowerWatch) -> None:
        self.posts: queue.Queue[Callable[[], object]] = queue.Queue()
        journal = Journal.open(folder, "evidence", identity=ensure(folder), clock=FakeClock(), budget_bytes=4 << 20)
        key = bytes(PrivateKey(b"\x05" * 32).public_key)
        self.diary = JournalDiary(
            journal, seal_key=lambda: key, post=self.posts.put, name_of=lambda _: {"zh": "护照"}, codes_of=lambda _: ["a.1"],
            now_ms=lambda: 1_000,
        )  # fmt: skip
        others = Recorder()
        self.visit = Visit(
            clock=HandClock(), diary=self.diary, paper=others, help_port=others, new_id=new_id, content=content  # type: ignore[arg-type]
        )  # fmt: skip
        self.ups = SwitchedUps(journal.path)
        self.later: list[Callable[[], object]] = []
        self.watch = watch(
            [self.ups], self.diary, later=lambda _, call: self.later.append(call), on_stage=self._stage
        )  # fmt: skip
        self.diary.start()

    def _stage(self) -> None:
        self.visit.status_changed(replace(self.visit.status, power=self.watch.stage))

    def settle(self) -> None:
        """Everything handed to the disk is written, and what follows from it done."""
        over: list[float] = []
        self.diary.measure(over.append)
        while not over:
            self.posts.get(timeout=10)()


@pytest.fixture
def room(content: PackContent, tmp_path: Path) -> Any:
    made = Room(content, tmp_path)
    yield made
    made.diary.stop()


def test_a_low_battery_ends_the_visit_and_its_record_is_written_before_the_device_goes_off(room: Room) -> None:
    room.visit.touch()
    room.visit.card_present(Card("张*"))
    room.watch.take("battery", runtime_s=900, charge=60)
    assert room.visit.session is not None, "who is there may finish"
    room.watch.take("low", runtime_s=50, charge=8)
    assert room.visit.session is None
    assert (room.visit.phase, room.visit.ended_by) == ("goodbye", "power")
    assert room.ups.found == [], "not before everything is written"
    room.settle()
    (found,) = room.ups.found
    assert [kind for kind, _ in found][-4:] == ["session.opened", "power.changed", "power.changed", "session.closed"]
    assert found[-1][1].how == "power"
    assert found[-2][1] == PowerChanged(state="low", charge=8, runtime_s=50)
    assert "张" not in str(found)


class HastyWatch(PowerWatch):
    """Switches off as soon as the visit has ended, without waiting for the disk."""

    def _changed(self, stage: Any) -> None:
        self._tell()
        if stage == "ending":
            self._switch_off()


@pytest.mark.parametrize(("watch", "kept"), [(PowerWatch, True), (HastyWatch, False)])
def test_waiting_for_the_disk_is_what_keeps_the_record(content: PackContent, tmp_path: Path, watch: Any, kept: bool) -> None:
    """The control: a device that goes off at once loses the end of the visit, so the test above can fail."""
    room = Room(content, tmp_path, watch)
    room.settle()
    room.visit.touch()
    room.settle()
    # The disk stands still while everything happens at once.
    free = threading.Event()
    room.diary.write(free.wait, lambda _: None, lambda _: None)
    room.watch.take("low", charge=8, runtime_s=50)
    found_at_once = list(room.ups.found)
    free.set()
    room.settle()
    (found,) = room.ups.found
    assert (found_at_once == []) is kept
    assert (found[-1][0] == "session.closed") is kept
    room.diary.stop()


def test_without_a_visitor_the_device_goes_off_too(room: Room) -> None:
    room.watch.take("low", charge=None, runtime_s=None)
    room.settle()
    assert [kind for kind, _ in room.ups.found[0]][-1] == "power.changed"


def test_mains_that_come_back_in_the_last_moment_keep_the_device_on(room: Room) -> None:
    room.watch.take("low", charge=None, runtime_s=None)
    room.watch.take("mains", charge=None, runtime_s=None)
    room.settle()
    assert room.ups.found == []
    assert room.visit.status.power == "none"
    room.visit.touch()
    assert room.visit.session is not None


@pytest.mark.parametrize("power", ["resting", "ending"])
def test_nobody_begins_on_a_battery(booth: Booth, power: Any) -> None:
    booth.visit.status_changed(Status(power=power))
    assert booth.visit.touch() is False
    booth.visit.card_present(Card("张*"))
    booth.visit.set_language("en")
    assert booth.visit.session is None
    assert booth.log.kinds() == []
    assert abilities(booth.visit.status) == []
    booth.visit.card_removed()
    booth.visit.status_changed(Status())
    booth.visit.touch()
    assert booth.visit.session is not None


def test_help_can_be_called_on_a_battery_but_not_at_its_end(booth: Booth) -> None:
    booth.visit.status_changed(Status(power="ending"))
    booth.visit.call_help()
    assert booth.log.calls == []
    booth.visit.status_changed(Status(power="resting"))
    booth.visit.call_help()
    assert len(booth.log.calls) == 1


@pytest.mark.parametrize("power", ["warned", "resting", "ending"])
def test_a_power_cut_is_the_first_thing_that_visitors_read(power: Any) -> None:
    assert troubles(Status(power=power, network=False))[0].id == "trouble.power"
    assert not any(trouble.id == "trouble.power" for trouble in troubles(Status()))


class Ear:
    """Voice and loudspeaker that keep what was asked of them."""

    name = "ear"
    steps = 4

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def read(self, text: str) -> None:
        self.asked.append(("read", text))

    def hush(self) -> None:
        self.asked.append(("hush",))

    def reset(self) -> None:
        self.asked.append(("reset",))


def test_voice_and_volume_end_with_the_visitor(booth: Booth) -> None:
    ear = Ear()
    sound = Sound(booth.visit, voice=ear, speakers=[ear])  # type: ignore[list-item]
    booth.visit.changed = sound.follow
    booth.visit.touch()
    assert ear.asked == [("hush",), ("reset",)], "whoever begins finds the normal volume"
    booth.visit.home()
    assert len(ear.asked) == 2, "within a visit nothing is reset"
    booth.visit.end()
    assert ear.asked[2:] == [("hush",), ("reset",)]


def test_headlines_are_read_out_in_the_elder_profile_and_to_a_visitor_only(booth: Booth) -> None:
    ear = Ear()
    sound = Sound(booth.visit, voice=ear, speakers=[])  # type: ignore[list-item]
    sound.headline("您好")
    booth.visit.touch()
    sound.headline("您好")
    assert ear.asked == []
    booth.visit.next_profile()
    sound.headline("请取走纸张")
    sound.headline("")
    assert booth.visit.profile == "elder"
    assert ear.asked == [("read", "请取走纸张"), ("hush",)]
