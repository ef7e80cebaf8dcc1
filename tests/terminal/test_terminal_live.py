"""The whole face as a citizen meets it: real window, touches through the X server, serial bytes to simulated hardware."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal_booth import PASSPORT
from terminal_machine import WITHIN_S, Terminal, wait, wait_for_reply

from hal.sim.control import ControlError, send
from runtime.identity import ensure
from runtime.journal import JournalReader
from runtime.local import DeviceView, Identify, send_message
from wire.entry import SYNCED


@pytest.fixture
def terminal(tmp_path: Path, pack_file: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, pack_file)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_citizen_finds_prints_rates_and_leaves(terminal: Terminal, pack_file: Path) -> None:
    terminal.pair(pack_file)
    terminal.start()
    terminal.wake()
    terminal.touch("search")
    for letter in "hz":
        terminal.touch(f"key {letter}")
    terminal.touch(f"item {PASSPORT}")
    terminal.touch("material 0")
    terminal.touch("print")
    terminal.touch("done")
    terminal.touch("level 4")
    terminal.touch("tag lv4.found")
    terminal.touch("rating done")
    terminal.touch("end")
    terminal.wait_screen("goodbye")
    tickets = send(f"{terminal.folder}/printer.ctl", {"do": "paper"})["tickets"]
    texts = [item.get("text", "") for item in tickets[0]["items"]]
    assert len(tickets) == 1
    assert any("普通护照签发" in text for text in texts)
    assert any(text.startswith("√") and "居民身份证" in text for text in texts)
    assert terminal.kinds()[1:] == [
        "session.opened", "print.asked", "print.finished", "rating.invited", "rating.pressed", "rating.closed", "session.closed",
    ]  # fmt: skip
    assert dict(terminal.entries())["print.finished"].outcome == "printed"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_the_journal_follows_the_clock_that_the_fleet_has_repaired(terminal: Terminal) -> None:
    terminal.data.mkdir()
    true_ms = 1_900_000_000_000
    view = DeviceView(
        device=ensure(terminal.data).device, true_wall_ms=true_ms,
        true_mono_ms=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
    )  # fmt: skip
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(f"{terminal.data}/agent.sock")
        agent.listen(1)
        terminal.start()
        agent.settimeout(WITHIN_S)
        connection, _ = agent.accept()
        with connection:
            send_message(connection, view)
            send_message(connection, Identify(command=b"i" * 16))
            wait_for_reply(connection)
            terminal.wake()
    with JournalReader(terminal.data / "evidence.db") as reader:
        header = [row.header for row in reader.rows(0)][1]
    assert header.kind == "session.opened"
    assert (header.clock_trust, 0 <= header.wall_ms - true_ms < 300_000) == (SYNCED, True)


@pytest.mark.window
@pytest.mark.timeout(600)
def test_the_very_first_touch_after_a_start_wakes_and_presses_nothing(terminal: Terminal) -> None:
    terminal.start()
    terminal.wake()
    assert terminal.kinds()[-1] == "session.opened"
    assert terminal.look()["screen"] == "home"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_paper_out_is_said_on_the_button_and_a_kill_is_owned_up_to(terminal: Terminal) -> None:
    terminal.start()
    send(f"{terminal.folder}/printer.ctl", {"do": "paper_out"})
    terminal.wake()
    terminal.touch("popular" if any(t["name"] == "popular" for t in terminal.look()["targets"]) else "hot")
    terminal.touch(f"item {PASSPORT}")
    terminal.wait_screen("guide")
    wait(lambda: not any(t["name"] == "print" for t in terminal.look()["targets"]), "print button switched off")
    terminal.kill()
    terminal.start()
    assert terminal.look()["screen"] == "attract"
    assert terminal.kinds()[-1] == "session.closed"
    assert terminal.entries()[-1][1].how == "restart"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_card_greets_and_an_opened_door_wipes(terminal: Terminal) -> None:
    terminal.start()
    send(f"{terminal.folder}/idcard.ctl", {"do": "insert"})
    terminal.wait_screen("home")

    def open_door() -> bool:
        try:
            return bool(send(f"{terminal.folder}/pins.sock", {"set": "door", "value": 1}))
        except ControlError:
            return False

    wait(open_door, "pins")
    terminal.wait_screen("secured")
    wait(lambda: "security.door" in terminal.kinds(), "door entry")
    kinds = terminal.kinds()
    assert kinds[-2:] == ["session.closed", "security.door"]
    assert terminal.entries()[-2][1].how == "door"


@pytest.mark.window
@pytest.mark.timeout(600)
def test_a_power_cut_ends_the_visit_in_time_and_nobody_begins_until_the_mains_are_back(terminal: Terminal) -> None:
    def ups(do: str, **options: object) -> None:
        send(f"{terminal.folder}/ups.ctl", {"do": do, **options})

    terminal.start()
    terminal.wake()
    ups("mains", on=False)
    wait(lambda: terminal.kinds()[-1] == "power.changed", "entry of the power cut")
    assert terminal.look()["screen"] == "home", "who is there may finish"
    ups("battery", charge=5, runtime_s=40)
    wait(lambda: terminal.kinds()[-1] == "session.closed", "end of the visit")
    assert [kind for kind, _ in terminal.entries()][-3:] == ["power.changed", "power.changed", "session.closed"]
    assert terminal.entries()[-1][1].how == "power"
    terminal.wait_screen("attract")
    terminal.hands.touch(500, 300)
    ups("battery", charge=60)
    ups("mains")
    wait(lambda: terminal.entries()[-1][1].state == "mains" if terminal.kinds()[-1] == "power.changed" else False, "mains")
    assert terminal.kinds().count("session.opened") == 1, "the touch on the battery began nothing"
    terminal.wake()
    assert terminal.kinds().count("session.opened") == 2
