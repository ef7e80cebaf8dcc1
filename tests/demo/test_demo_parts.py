"""The demonstration's own parts: it ends what it started and nothing else, reports crashes, pulls cables, counts honestly."""

import contextlib
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from demo import account, settings
from demo.hall import Hall, HallError
from demo.network import Cable
from demo.processes import FLAP, Processes
from runtime.clock import SystemClock
from runtime.identity import ensure
from runtime.journal import Journal
from wire.kinds import OpsNote

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def processes(tmp_path: Path, said: list[str]) -> Iterator[Processes]:
    made = Processes(tmp_path, say=said.append)
    yield made
    made.end_all()


def opened_with(items: str, folder: Path, said: list[str]) -> str:
    """Open a hall with its own item list until its content is in; gives why it went no further."""
    stop = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        if "items imported" in text:
            stop.set()

    (folder / "own.csv").write_text(items, encoding="utf-8")
    hall = Hall(folder / "hall", say=say, items=folder / "own.csv")
    try:
        with pytest.raises(HallError) as told:
            hall.open(stop)
    finally:
        hall.close()
    return str(told.value)


def test_what_is_wrong_with_a_halls_own_list_is_told_with_its_place(tmp_path: Path, said: list[str]) -> None:
    opened_with("事项名称,编码,实施主体,承诺时限\n换领身份证,A1,公安局,很快\n,A2,公安局,5个工作日\n", tmp_path, said)
    assert any(line.startswith("content: warning: own.csv:2:承诺时限: ") for line in said), said
    assert any(line.startswith("content: error: own.csv:3:事项名称: no name") for line in said), said
    assert any(line.startswith("content: 1 items imported") for line in said), said


def test_a_list_without_a_single_item_opens_no_hall_and_says_why(tmp_path: Path, said: list[str]) -> None:
    why = opened_with("甲,乙\n1,2\n", tmp_path, said)
    assert "own.csv gave no item" in why
    assert any("no row under recognisable headers" in line for line in said), said


def test_everything_started_is_ended_and_nothing_else(processes: Processes) -> None:
    import subprocess

    with subprocess.Popen(SLEEPER) as stranger:
        part = processes.start("sleeper", SLEEPER)
        pid = part.pid
        processes.end_all()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert stranger.poll() is None
        stranger.kill()


def test_children_of_a_part_end_with_it(processes: Processes, tmp_path: Path) -> None:
    note = tmp_path / "child.pid"
    parent = f"import subprocess,sys,time;p=subprocess.Popen({SLEEPER!r});open({str(note)!r},'w').write(str(p.pid));time.sleep(600)"
    processes.start("parent", [sys.executable, "-c", parent])
    until(lambda: note.exists() and note.read_text())
    child = int(note.read_text())
    processes.end_all()
    until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2])


def test_a_crash_is_reported_with_last_words_and_restarted(processes: Processes, said: list[str]) -> None:
    part = processes.start("sleeper", SLEEPER)
    first = part.pid
    os.kill(first, signal.SIGSEGV)
    until(lambda: part.is_up and part.pid != first)
    assert len(processes.errors) == 1
    assert "sleeper ended by itself" in processes.errors[0]
    assert any("started again" in line for line in said)


def test_a_part_that_keeps_dying_stays_down_and_says_so(processes: Processes, said: list[str]) -> None:
    processes.start("broken", [sys.executable, "-c", "raise SystemExit('no disk')"])
    until(lambda: any("stays down" in line for line in said), timeout_s=30)
    assert len(processes.errors) == FLAP
    assert any("no disk" in line for line in said)


def test_a_power_cut_is_no_crash_and_power_comes_back(processes: Processes) -> None:
    part = processes.start("sleeper", SLEEPER)
    processes.power_off("sleeper")
    assert not part.is_up
    processes.power_on("sleeper")
    assert part.is_up
    assert processes.errors == []


def test_a_cut_part_comes_back_and_nobody_is_blamed(processes: Processes) -> None:
    part = processes.start("sleeper", SLEEPER)
    first = part.pid
    processes.cut("sleeper")
    until(lambda: part.is_up and part.pid != first)
    assert processes.errors == []


def test_a_program_that_is_not_there_is_explained(processes: Processes) -> None:
    with pytest.raises(RuntimeError, match=r"nobody cannot start.*\./run install"):
        processes.start("nobody", ["/nonexistent/program"])


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError):
            while data := connection.recv(100):
                connection.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_a_cable_passes_cuts_hangs_and_mends(echo: int) -> None:
    cable = Cable("127.0.0.1", echo)
    try:
        with socket.create_connection(("127.0.0.1", cable.port), timeout=5) as link:
            link.sendall(b"one")
            assert link.recv(10) == b"one"
            cable.set("silent")
            link.sendall(b"two")
            link.settimeout(0.3)
            with pytest.raises(TimeoutError):
                link.recv(10)
            link.settimeout(5)
            cable.set("whole")
            assert link.recv(10) == b"two"
            cable.set("cut")
            with pytest.raises(ConnectionResetError):
                link.recv(10)
    finally:
        cable.close()


def test_a_port_in_use_tells_which_option_to_take() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(settings.PortTaken, match="--console-port"):
        settings.free_port(taken.getsockname()[1], option="--console-port")


@pytest.mark.parametrize("value", [{"a": 'quo"te', "b": {"c": True, "d": [1, 2]}, "e": {"f": {"g": 1.5}}}])
def test_settings_are_written_as_toml_that_reads_back(value: dict[str, object]) -> None:
    import tomllib

    assert tomllib.loads(settings.toml(value)) == value


@pytest.fixture
def books(tmp_path: Path) -> tuple[Path, Path]:
    """A device with five entries, and a fleet that holds exactly them."""
    device, fleet = tmp_path / "device", tmp_path / "fleet"
    device.mkdir(), fleet.mkdir()
    journal = Journal.open(device, "evidence", identity=ensure(device), clock=SystemClock(), budget_bytes=4 << 20)
    while len(account.device_entries([device])) < 5:
        journal.append("ops.note", OpsNote(what="agent.started"))
    with sqlite3.connect(fleet / "entries.db") as connection:
        connection.execute(
            "CREATE TABLE journals (no INTEGER PRIMARY KEY, journal_id, predecessor_id, predecessor_seq, predecessor_hash)"
        )
        connection.execute("CREATE TABLE entries (journal_no INTEGER, seq INTEGER, hash BLOB)")
        rows = sorted(account.device_entries([device]), key=lambda row: row[1])  # type: ignore[arg-type, return-value]
        connection.execute("INSERT INTO journals (no, journal_id) VALUES (1, ?)", (rows[0][0],))
        connection.executemany("INSERT INTO entries VALUES (1, ?, ?)", [(seq, digest) for _, seq, digest in rows])
    return device, fleet


def change(fleet: Path, statement: str) -> None:
    with sqlite3.connect(fleet / "entries.db") as connection:
        connection.execute(statement)


def test_equal_books_are_whole(books: tuple[Path, Path]) -> None:
    device, fleet = books
    assert account.count([device], fleet) == account.Count(appended=5, in_custody=5, lost=0, duplicated=0, strange=0)


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("DELETE FROM entries WHERE seq = 3", "lost"),
        ("INSERT INTO entries SELECT * FROM entries WHERE seq = 2", "duplicated"),
        ("INSERT INTO entries SELECT 1, 99, hash FROM entries WHERE seq = 2", "duplicated"),
        ("INSERT INTO entries VALUES (1, 99, x'00')", "strange"),
        ("UPDATE entries SET hash = x'00' WHERE seq = 4", "lost"),
    ],
)
def test_every_way_of_being_wrong_is_counted(books: tuple[Path, Path], statement: str, field: str) -> None:
    device, fleet = books
    change(fleet, statement)
    found = account.count([device], fleet)
    assert not found.is_whole
    assert getattr(found, field) == 1


def test_what_a_device_pruned_the_fleet_must_hold(books: tuple[Path, Path]) -> None:
    device, fleet = books
    with sqlite3.connect(device / "evidence.db") as connection:
        connection.execute("DELETE FROM entries WHERE seq <= 2")
        connection.execute("UPDATE journal SET pruned_through = 2")
    assert account.count([device], fleet) == account.Count(appended=5, in_custody=5, lost=0, duplicated=0, strange=0)
    change(fleet, "DELETE FROM entries WHERE seq = 1")
    assert account.count([device], fleet).lost == 1


def deleted_before(fleet: Path, *, held: int) -> None:
    """The fleet knows the journal's predecessor of three entries and holds some of them; the device has no file of it."""
    rows = [(2, seq, bytes([seq])) for seq in range(1, held + 1)]
    with sqlite3.connect(fleet / "entries.db") as connection:
        connection.execute("INSERT INTO journals (no, journal_id) VALUES (2, x'AA')")
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
        connection.execute("UPDATE journals SET predecessor_id = x'AA', predecessor_seq = 3, predecessor_hash = x'03' WHERE no = 1")


def test_a_journal_deleted_after_it_was_archived_is_known_by_its_successor(books: tuple[Path, Path]) -> None:
    device, fleet = books
    deleted_before(fleet, held=3)
    assert account.count([device], fleet) == account.Count(appended=8, in_custody=8, lost=0, duplicated=0, strange=0)
    change(fleet, "UPDATE entries SET hash = x'00' WHERE journal_no = 2 AND seq = 3")
    assert account.count([device], fleet).lost == 1


def test_what_is_missing_of_a_deleted_journal_is_lost(books: tuple[Path, Path]) -> None:
    device, fleet = books
    deleted_before(fleet, held=1)
    assert account.count([device], fleet).lost == 2


def test_a_journal_that_no_device_wrote_is_strange(books: tuple[Path, Path]) -> None:
    device, fleet = books
    deleted_before(fleet, held=3)
    change(fleet, "UPDATE journals SET predecessor_id = NULL")
    assert account.count([device], fleet).strange == 3
    assert account.count([device], fleet, leave_out=[b"\xaa"]).strange == 0
