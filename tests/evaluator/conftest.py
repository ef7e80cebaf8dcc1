"""A desk with a clock that is moved by hand, a book that commits when told, and lamps that remember."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from private_display import private_display

from evaluator.flow import tags
from evaluator.flow.admission import Reply
from evaluator.flow.desk import Desk
from evaluator.flow.occasion import Times
from evaluator.flow.ports import Close, Stands, Via
from evaluator.flow.scene import Scene
from evaluator.shown import TAGS_FILE
from wire.kinds import BoxPress
from wire.leaf import leaf
from wire.messages import Desired, Invitation, Placement, WindowCard

WALL_MS = 1_800_000_000_000


class HandClock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def mono_s(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return WALL_MS + round((self.seconds - 1000.0) * 1000)


@dataclass
class HeldBook:
    """A Book whose commits wait while `hold` is True, or fail with `broken`; `entries` is what was committed, in order."""

    hold: bool = False
    broken: str | None = None
    entries: list[tuple[object, ...]] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def invited(self, invitation: Invitation, done: Callable[[str | None], object]) -> None:
        self._put(("invited", invitation.occasion), lambda _seq: done(None), done)

    def pressed(
        self,
        rating: bytes,
        occasion: bytes | None,
        level: int,
        via: Via,
        *,
        amends: bool,
        box: BoxPress | None = None,
        done: Callable[[Stands | str], object],
    ) -> None:
        kind = "amended" if amends else "pressed"
        point = leaf(level, bytes([level]) * 32)
        self._put((kind, rating, occasion, level, via), lambda seq: done(Stands(seq, point)), done)

    def closed(self, close: Close, done: Callable[[str | None], object]) -> None:
        self._put(("closed", close), lambda _seq: done(None), done)

    def cabinet(self, contact: str, opened: bool) -> None:
        self._put(("cabinet", contact, opened), lambda _seq: None, lambda _reason: None)

    def commit(self) -> None:
        """Let everything that waits reach the disk."""
        while self.waiting:
            self.waiting.pop(0)()

    def kinds(self) -> list[str]:
        return [str(entry[0]) for entry in self.entries]

    def closes(self) -> list[Close]:
        return [entry[1] for entry in self.entries if entry[0] == "closed"]  # type: ignore[misc]

    def _put(self, entry: tuple[object, ...], done: Callable[[int], object], failed: Callable[[str], object]) -> None:
        def write() -> None:
            if self.broken is not None:
                failed(self.broken)
                return
            self.entries.append(entry)
            done(len(self.entries))

        self.waiting.append(write)
        if not self.hold:
            self.commit()


class Lamps:
    """Remembers what lamps and tone were told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def inviting(self) -> None:
        self.told.append("inviting")

    def noted(self) -> None:
        self.told.append("noted")

    def quiet(self) -> None:
        self.told.append("quiet")


class Hall:
    """A desk and all that surrounds it."""

    def __init__(self, *, paired: bool = True) -> None:
        self.clock, self.book, self.lamps = HandClock(), HeldBook(), Lamps()
        self.scenes: list[Scene] = []
        self.replies: list[Reply] = []
        self.desk = Desk(
            book=self.book,
            clock=self.clock,
            signals=self.lamps,
            tags=tags.load(TAGS_FILE),
            times=Times(),
            device="nwtest",
            language="zh",
            on_scene=self.scenes.append,
        )
        if paired:
            self.pair()

    def pair(self, *, offline: bool = False) -> None:
        self.desk.view(pairing="paired", code="", offline=offline, desired=desired(), can_seal=True)

    def invite(self, number: int = 1, *, expires_in_s: float = 60.0) -> None:
        self.desk.invite(invitation(number, WALL_MS + round(expires_in_s * 1000)), self.replies.append)

    def wait(self, seconds: float) -> None:
        """Let time pass in steps of a quarter second, as the face does."""
        for _ in range(round(seconds * 4)):
            self.clock.seconds += 0.25
            self.desk.tick()

    @property
    def shows(self) -> str:
        return self.desk.scene.name


def desired() -> Desired:
    words = {"zh": "桃源县政务服务中心"}
    card = WindowCard(number="12", business={"zh": "不动产登记"}, place={"zh": "二楼"})
    place = Placement(hall="taoyuan", hall_name=words, label={"zh": "12号窗口"}, window="12")
    return Desired(version=1, device="nwtest", placement=place, window=card, seal_key=bytes(32))


def invitation(number: int = 1, expires_ms: int = WALL_MS + 60_000) -> Invitation:
    return Invitation(
        occasion=bytes([number]) * 16,
        stage="finish",
        item_name={"zh": "转移登记"},
        case_tail="0417",
        expires_ms=expires_ms,
    )


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def new_hall() -> type[Hall]:
    """For tests that compare several halls."""
    return Hall


@pytest.fixture
def unpaired_hall() -> Hall:
    return Hall(paired=False)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with private_display() as name:
        yield name


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")
