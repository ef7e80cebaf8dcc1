"""A running hall with its operations desk and the books that have to balance, for tests that do it harm."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from hall_watch import counted, eventually, finish, invite, rows

from demo import account
from demo.device import LEVEL_BUTTONS, Device
from demo.hall import Hall
from fleet.app import open_fleet
from fleet.services import Fleet


class Desk:
    """The operations desk: what the API tells of incidents."""

    def __init__(self, hall: Hall) -> None:
        key = hall.nw_fleet("key", "add", "bad input").strip()
        self._http = httpx.Client(base_url=f"{hall.console_url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=20)

    def get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def open(self, reason: str, device: str = "") -> list[dict[str, Any]]:
        try:
            found = self.get("/incidents", limit=500)
        except httpx.HTTPError:
            return []  # The fleet itself is being restarted.
        return [each for each in found if each["reason"] == reason and (not device or device in each["devices"])]

    def told(self, reason: str, device: str = "", *, within_s: float = 30.0) -> dict[str, Any]:
        """The open incident, once it is there, with words in both languages."""
        incident: dict[str, Any] = eventually(lambda: self.open(reason, device), within_s=within_s)[0]
        texts = [incident[f"{name}_{language}"] for name in ("reason", "next_step") for language in ("zh", "en")]
        assert all(texts), incident
        assert not any(text.startswith(("未知代码", "Unknown code")) for text in texts), texts
        return incident

    def close(self) -> None:
        self._http.close()


@dataclass
class Place:
    """The hall with its desk, the fleet's own services beside the running ones, and what belongs to the hall's disks."""

    hall: Hall
    desk: Desk
    small_disk: bool
    cards: Path
    """Copies of cards that tests put aside: what they hold was written by a device of the hall too."""

    def fleet(self) -> Fleet:
        return open_fleet(self.hall.fleet_data)

    def name(self, device: Device) -> str:
        """The device's name at the fleet."""
        [found] = [each for each in self.desk.get("/devices") if each["label"] == device.label]
        return str(found["name"])


def thank(place: Place, device: Device) -> None:
    """One rating, thanked for, and counted once."""
    before = counted(place.hall)
    invite(place.hall, device)
    device.press(LEVEL_BUTTONS[5])
    device.wait_screen("reasons", within_s=10)
    finish(device)
    eventually(lambda: counted(place.hall) == before + 1, within_s=60)


def books(place: Place) -> account.Count:
    """What the hall's devices hold against what the fleet holds of them; of a forked journal both sides hold their own."""
    hall = place.hall
    states = rows(hall, "SELECT journal_id, state FROM journals", file="entries.db")
    here = account.pruned(hall.data_dirs)
    others = [journal_id for journal_id, state in states if state != "open" or journal_id not in here]
    return account.count(hall.data_dirs, hall.fleet_data, leave_out=others)


def evidence_of(card: Path) -> set[bytes]:
    """The journals with ratings on a card."""
    found = set()
    for path in card.glob("evidence*.db"):
        with sqlite3.connect(path) as connection:
            found |= {bytes(journal_id) for (journal_id,) in connection.execute("SELECT journal_id FROM journal")}
    return found
