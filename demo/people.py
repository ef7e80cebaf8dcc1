"""Simulated people: clerks who finish services through the API; citizens who touch glass, press buttons, take paper.

They know of the devices what people know: what the screen shows and where, what comes out of the printer.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from demo.clerk_pc import ClerkPc
from demo.device import LEVEL_BUTTONS, Closing, Device, NotFound
from hal.sim.control import ControlError

if TYPE_CHECKING:
    from demo.hall import Hall

LEVELS, WEIGHTS = (5, 4, 3, 2, 1), (62, 22, 8, 5, 3)
"""How the demonstration's citizens rate, in percent: mostly content, as halls report, and not always."""


@dataclass
class Tally:
    """What people saw and did. `pressed` counts occasions on which a citizen pressed a level and was thanked."""

    pressed: Counter[int] = field(default_factory=Counter)
    unsure: int = 0
    """Pressed, but the screen went away before it could thank: whether it counts, nobody in the hall can know."""
    skipped: int = 0
    refused: int = 0
    services: int = 0
    visits: int = 0
    papers: int = 0
    cards: int = 0
    puzzled: list[str] = field(default_factory=list)
    """What people looked for in vain: each is a defect, or the consequence of a fault that was made on purpose."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, change: Callable[[Tally], object]) -> None:
        """Change it from any thread."""
        with self._lock:
            change(self)

    def puzzle(self, text: str) -> None:
        """Somebody did not find what should be there."""
        self.note(lambda tally: tally.puzzled.append(text))


class Clerks:
    """The hall's business system: tells the fleet of finished services, as any hall's own software would."""

    def __init__(self, base_url: str, api_key: str, hall: str, *, pcs: Mapping[str, ClerkPc] | None = None) -> None:
        """`pcs`: the clerks' PCs that are connected to their evaluators, by window; there the PC invites."""
        self._pcs = dict(pcs or {})
        self._http = httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=10)
        self._hall = hall
        self._serial = 0
        self._lock = threading.Lock()

    def sign_in(self, window: str, clerk: str) -> None:
        """A clerk sits down at a window and opens it. Raises httpx.HTTPError when the fleet does not take it."""
        self._post(f"/windows/{window}/clerk?hall={self._hall}", {"clerk": clerk})
        self._post(f"/windows/{window}/state?hall={self._hall}", {"state": "serving"})
        if pc := self._pcs.get(window):
            pc.say("sign-in", clerk)

    def finish(self, window: str, *, item: str, invite: bool = True) -> dict[str, Any]:
        """A service is finished at `window`.

        Raises httpx.HTTPError when the fleet does not take it, NotFound when the evaluator does not answer the clerk's PC.
        """
        with self._lock:
            self._serial += 1
            serial = self._serial
        if invite and (pc := self._pcs.get(window)):
            return {"invitation": pc.say("invite", "--next", "--case", f"demo-{serial:04}", "--item", item)["words"]}
        body = {"hall": self._hall, "window": window, "item_code": item, "case_tail": f"{serial:04}", "stage": "finish"}
        return self._post("/services", body | {"invite": invite})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = self._http.post(f"/api/v1{path}", json=body)
        if reply.is_error:
            raise httpx.HTTPStatusError(f"{path}: {reply.status_code} {reply.text[:300]}", request=reply.request, response=reply)
        answer: dict[str, Any] = reply.json()
        return answer

    def close(self) -> None:
        """Hang up."""
        self._http.close()
        for pc in self._pcs.values():
            pc.close()


class Person(threading.Thread):
    """Repeats one errand until told to stop; is puzzled, not broken, when the screen is not what it should be."""

    def __init__(
        self, name: str, errand: Callable[[], None], *, tally: Tally, stop: threading.Event, pause: Callable[[], float]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._errand, self._tally, self._stop_all, self._pause = errand, tally, stop, pause

    def run(self) -> None:
        """Do the errand again and again."""
        while not self._stop_all.is_set():
            try:
                self._errand()
            except Closing:
                return
            except (NotFound, ControlError, httpx.HTTPError) as trouble:
                self._tally.puzzle(f"{self.name}: {trouble}")
                self._stop_all.wait(1.0)
            self._stop_all.wait(self._pause())


def rate_at_window(
    device: Device, clerks: Clerks, tally: Tally, chance: random.Random, items: list[str], closing: threading.Event
) -> None:
    """A clerk finishes a service; the citizen rates it by touch or by button, corrects, gives reasons, or does not rate."""
    device.wait_screen("idle", within_s=30, unless=closing)
    clerks.finish(device.window, item=chance.choice(items))
    tally.note(lambda t: setattr(t, "services", t.services + 1))
    device.wait_screen("ask", within_s=10)
    if chance.random() < 0.08:
        device.touch("skip")
        tally.note(lambda t: setattr(t, "skipped", t.skipped + 1))
        device.wait_screen("idle", within_s=10)
        return
    level = chance.choices(LEVELS, WEIGHTS)[0]
    seen = _press(device, tally, level, by_button=chance.random() < 0.5)
    if seen["screen"] == "failed":
        tally.note(lambda t: setattr(t, "refused", t.refused + 1))
        device.wait_screen("idle", within_s=20)
        return
    tally.note(lambda t: t.pressed.update([level]))
    if chance.random() < 0.15 and any(target["name"] == "correct" for target in seen["targets"]):
        level = _correct(device, tally, level, chance)
    if chance.random() < 0.5:
        device.touch(f"lv{level}.*")
    device.touch("done")
    device.wait_screen("receipt", within_s=10)
    device.touch("done")
    device.wait_screen("idle", within_s=15)


def _correct(device: Device, tally: Tally, level: int, chance: random.Random) -> int:
    """Think again within the five seconds; gives the level that stands then. It is the same occasion."""
    device.touch("correct")
    device.wait_screen("ask", within_s=5)
    second = chance.choice(LEVELS)
    _press(device, tally, second, by_button=chance.random() < 0.5)
    tally.note(lambda t: (t.pressed.subtract([level]), t.pressed.update([second])))
    return second


def _press(device: Device, tally: Tally, level: int, *, by_button: bool) -> dict[str, Any]:
    """Press a level and look for the thanks; gives the screen that came."""
    try:
        if by_button:
            device.press(LEVEL_BUTTONS[level], bounce_ms=8)
        else:
            device.touch(f"level {level}")
        return device.wait_screen("reasons", "failed", "parting", within_s=10)
    except (NotFound, ControlError):
        tally.note(lambda t: setattr(t, "unsure", t.unsure + 1))
        raise


def visit_terminal(device: Device, tally: Tally, chance: random.Random, queries: list[str], closing: threading.Event) -> None:
    """Wake the screen, search by initials, read a guide, print the notice, take the paper, rate or skip, leave."""
    seen = device.wait_screen("attract", "home", within_s=90, unless=closing)
    if seen["screen"] == "attract":
        device.touch_at(0.5, 0.5)
        device.wait_screen("home", within_s=10)
    tally.note(lambda t: setattr(t, "visits", t.visits + 1))
    with_card = chance.random() < 0.4
    if with_card:
        device.reader({"do": "insert", "kind": "resident"})
        tally.note(lambda t: setattr(t, "cards", t.cards + 1))
    try:
        _read_and_print(device, tally, chance, queries)
    finally:
        if with_card:
            device.reader({"do": "remove"})
        device.printer({"do": "take_paper"})


def _read_and_print(device: Device, tally: Tally, chance: random.Random, queries: list[str]) -> None:
    device.touch("search")
    device.wait_screen("search", within_s=5)
    for letter in chance.choice(queries):
        device.touch(f"key {letter}")
    device.touch("item *")
    device.wait_screen("guide", within_s=5)
    device.touch("print")
    device.wait_screen("paper", within_s=5)
    tally.note(lambda t: setattr(t, "papers", t.papers + 1))
    device.touch("done", within_s=30)
    _rate_the_terminal(device, tally, chance)
    device.touch("end")
    device.wait_screen("attract", "goodbye", within_s=10)


def _rate_the_terminal(device: Device, tally: Tally, chance: random.Random) -> None:
    """A finished matter is asked about once; then comes the parting."""
    seen = device.wait_screen("rate", "parting", within_s=10)
    if seen["screen"] == "parting":
        return
    if chance.random() < 0.3:
        device.touch("skip")
        tally.note(lambda t: setattr(t, "skipped", t.skipped + 1))
    else:
        level = chance.choices(LEVELS, WEIGHTS)[0]
        seen = _press(device, tally, level, by_button=False)
        if seen["screen"] == "parting":
            tally.note(lambda t: setattr(t, "refused", t.refused + 1))
            return
        tally.note(lambda t: t.pressed.update([level]))
        device.touch("rating done")
    device.wait_screen("parting", within_s=10)


def crowd(hall: Hall, tally: Tally, closing: threading.Event, *, is_busy: bool, seed: int) -> list[Person]:
    """Everybody who comes into the hall, each a thread of their own, already started. `is_busy`: no time between visitors."""
    assert hall.clerks is not None
    clerks, items, people = hall.clerks, hall.item_codes, []
    for number, device in enumerate(hall.devices.values()):
        chance = random.Random(seed + number)
        errand: Callable[[], None]
        if device.role == "terminal":
            errand = partial(visit_terminal, device, tally, chance, hall.queries, closing)
        else:
            errand = partial(rate_at_window, device, clerks, tally, chance, items, closing)
        pause = partial(chance.uniform, 0.1, 0.5) if is_busy else partial(chance.uniform, 5, 20)
        people.append(Person(f"people at {device.name}", errand, tally=tally, stop=closing, pause=pause))
    for person in people:
        person.start()
    return people
