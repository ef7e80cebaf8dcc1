"""`nw-fleet` as an operator types it: what it does, what it prints, and how it explains what is wrong."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from fleet_model import ModelDevice, ModelJournal, register

from fleet.cli import cli, main
from fleet.ingest.directory import Directory
from fleet.ingest.intake import Intake
from fleet.keys import load_keys
from fleet.store import open_store
from fleet.store.tables import entries
from wire.codec import encode
from wire.pairing import Commit, Offer, commitment, make_reveal

CATALOGUE = Path(__file__).parents[2] / "demo" / "catalogue"


def nw_fleet(*words, data=None):
    """Run the command here; gives (exit status, output, errors)."""
    said, told = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(told), pytest.raises(SystemExit) as ended:
        main([*words, *(["--data", str(data)] if data else [])])
    return ended.value.code, said.getvalue(), told.getvalue()


def nw_fleet_process(*words, data):
    """The same in a process of its own, which verbs that run until they are stopped need."""
    command = [sys.executable, "-m", "fleet.cli", *words, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def imported(data):
    status, _, errors = nw_fleet("items", "import", *map(str, sorted(CATALOGUE.glob("*.json*"))), "--hall", "yunxi", data=data)
    assert status == 0, errors
    return data


def paired(data, device=None):
    """A device whose pairing waits; gives it with its code and the Reveal."""
    from fleet.app import open_fleet

    fleet = open_fleet(data)
    device = device or ModelDevice()
    offer = encode(
        Offer(
            device=device.name, role="terminal", signing_key=bytes(device.key.verify_key), certificate_request=device.request(),
            software="1", model="Pi", nonce=bytes(32),
        )
    )  # fmt: skip
    challenge = fleet.pairings.commit(Commit(commitment=commitment(offer)), peer="10.0.0.9")
    reveal = make_reveal(challenge.pairing, offer, device.key)
    fleet.pairings.reveal(reveal)
    (waiting,) = fleet.pairings.all(state="waiting")
    return fleet, device, waiting.code


def test_every_verb_and_option_has_help():
    stack = [("nw-fleet", cli)]
    seen = 0
    while stack:
        name, command = stack.pop()
        assert command.help, name
        for option in command.params:
            if hasattr(option, "help") and option.param_type_name == "option":
                assert option.help or option.hidden, f"{name} {option.name}"
        for child, each in getattr(command, "commands", {}).items():
            stack.append((f"{name} {child}", each))
        seen += 1
    assert seen > 12


def test_help_is_quick_and_imports_no_database():
    code = "import sys; sys.argv=['nw-fleet','--help']\ntry:\n from fleet.cli import main; main()\nexcept SystemExit: pass\n"
    done = subprocess.run([sys.executable, "-c", code + "print('sqlalchemy' in sys.modules)"], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_verb_before_init_says_what_to_run(tmp_path):
    verbs = {("verify",): nw_fleet, ("device", "list"): nw_fleet, ("backup", "--out", str(tmp_path / "b")): nw_fleet}
    for verb, run in (verbs | {("ingest",): nw_fleet_process, ("serve",): nw_fleet_process}).items():
        status, _, errors = run(*verb, data=tmp_path / "none")
        assert status == 2
        assert errors.startswith("nw-fleet: ")
        assert "nw-fleet init" in errors
        assert "Traceback" not in errors


def test_a_bad_configuration_is_explained(tmp_path):
    (tmp_path / "fleet.toml").write_text("[broker]\nport = 0\n")
    status, _, errors = nw_fleet("init", data=tmp_path)
    assert (status, "broker.port is 0" in errors) == (2, True)


@pytest.mark.parametrize("verb", [("init",), ("backup", "--out", "/proc/none/b")], ids=["init", "backup"])
def test_a_place_that_cannot_be_written_is_named(data, verb):
    status, _, errors = nw_fleet_process(*verb, data=Path("/proc/none") if verb == ("init",) else data)
    assert status == 2
    assert errors.startswith("nw-fleet: /proc/none")
    assert "you may write" in errors


def test_importing_twice_changes_nothing(imported):
    status, output, _ = nw_fleet(
        "items", "import", *map(str, CATALOGUE.glob("*.json*")), "--hall", "yunxi", "--json", data=imported
    )
    report = json.loads(output)
    assert (status, report["new"], report["changed"], report["withdrawn"], report["records_written"]) == (0, [], [], [], 0)
    assert len(report["unchanged"]) >= 150


def test_a_dry_run_writes_nothing(data):
    status, output, _ = nw_fleet("items", "import", *map(str, CATALOGUE.glob("*.json*")), "--hall", "yunxi", "--dry-run", data=data)
    assert (status, output.splitlines()[-1]) == (0, "dry run: nothing was written")
    assert nw_fleet("pack", "build", "--hall", "yunxi", "--out", str(data / "p"), data=data)[0] == 2


def test_importing_into_an_unknown_hall_says_what_is_missing(data):
    status, _, errors = nw_fleet("items", "import", str(CATALOGUE / "departments.jsonl"), "--hall", "nowhere", data=data)
    assert (status, "import its hall.json" in errors) == (2, True)


def test_a_part_of_a_list_withdraws_nothing_unless_confirmed(imported):
    part = str(CATALOGUE / "items-guide-1.jsonl")
    status, _, errors = nw_fleet("items", "import", part, "--hall", "yunxi", data=imported)
    assert (status, "--partial" in errors) == (2, True)
    status, output, _ = nw_fleet("items", "import", part, "--hall", "yunxi", "--partial", data=imported)
    assert (status, "0 withdrawn" in output) == (0, True)


def test_a_built_pack_carries_the_signature_that_devices_check(imported):
    from pack.reader import open_pack

    out = imported / "yunxi.pack"
    status, output, errors = nw_fleet("pack", "build", "--hall", "yunxi", "--out", str(out), "--publish", data=imported)
    assert status == 0, errors
    assert "published for hall yunxi" in output
    key = bytes(load_keys(imported / "keys").signing.verify_key)
    pack = open_pack(out, verify_key=key)
    assert pack.hall.code == "yunxi"
    assert len(list((imported / "content").iterdir())) == 1


def test_a_device_is_approved_by_the_code_on_its_screen(imported):
    fleet, device, code = paired(imported)
    assert code in nw_fleet("device", "list", data=imported)[1]
    typed = code.lower().replace("-", " ")
    status, output, errors = nw_fleet("device", "approve", typed, "--hall", "yunxi", "--label", "1号机", data=imported)
    assert (status, output) == (0, f"{device.name} is paired: hall yunxi\n"), errors
    (row,) = json.loads(nw_fleet("device", "list", "--json", data=imported)[1])
    assert (row["device"], row["state"], row["hall"], row["label"]) == (device.name, "paired", "yunxi", "1号机")
    assert nw_fleet("device", "revoke", device.name, "--why", "test", data=imported)[0] == 0
    assert fleet.registry.device(device.name).is_revoked


def test_a_known_device_that_asks_again_is_listed_as_known(imported):
    _, device, code = paired(imported)
    assert "registered already" not in nw_fleet("device", "list", data=imported)[1]
    nw_fleet("device", "approve", code, "--hall", "yunxi", "--label", "1号机", data=imported)
    _, _, again = paired(imported, device)
    listed = nw_fleet("device", "list", data=imported)[1].splitlines()
    assert listed[1] == f"{device.name}  terminal  waiting  {again}  registered already, approving replaces that"


def test_a_wrong_code_names_those_that_wait(imported):
    _, _, code = paired(imported)
    status, _, errors = nw_fleet("device", "approve", "AAA-AAA", "--hall", "yunxi", "--label", "x", data=imported)
    assert (status, f"waiting now: {code}" in errors) == (2, True)


def test_verify_backup_and_restore_from_the_command_line(data, tmp_path):
    store, device = open_store(data, writes="journal"), ModelDevice()
    register(open_store(data, writes="fleet"), device)
    journal = ModelJournal(device)
    journal.grow(9)
    Intake(store, Directory(store), load_keys(data / "keys").signing).take([journal.message()])
    assert nw_fleet("verify", data=data)[:2] == (0, "1 of 1 journals verified, 10 entries\n")
    assert nw_fleet("backup", "--out", str(tmp_path / "b"), data=data)[0] == 0
    assert nw_fleet("restore", str(tmp_path / "b"), data=tmp_path / "new")[0] == 0
    assert nw_fleet("init", data=tmp_path / "new")[0] == 0
    told = json.loads(nw_fleet("verify", "--json", data=tmp_path / "new")[1])
    assert told == {"journals": 1, "verified": 1, "entries": 10, "faults": []}


def test_verify_fails_and_locates_what_was_changed(data):
    store, device = open_store(data, writes="journal"), ModelDevice()
    register(open_store(data, writes="fleet"), device)
    journal = ModelJournal(device)
    Intake(store, Directory(store), load_keys(data / "keys").signing).take([journal.message()])
    with store.write() as connection:
        connection.execute(entries.update().values(wall_ms=1))
    status, output, _ = nw_fleet("verify", data=data)
    assert status == 1
    assert f"{device.name}, entry 1: a stored column is not what the device signed" in output
