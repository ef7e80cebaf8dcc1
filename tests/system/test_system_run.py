"""`./run` itself: it lists its verbs, says what is wrong, is quick when nothing is missing, and survives two at once."""

import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("demo", "test", "check", "bench", "shots", "faults", "install")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "run"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_run_alone_lists_every_verb_with_its_purpose() -> None:
    done = run()
    assert done.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^  {verb} +\w+", done.stdout, re.MULTILINE), verb


def test_an_unknown_verb_names_the_known_ones() -> None:
    done = run("fly")
    assert done.returncode == 2
    assert "no verb 'fly'" in done.stderr
    assert "demo, test" in done.stderr


def test_nothing_missing_takes_under_three_seconds() -> None:
    """The quickest of three: a busy test machine may hold up one, hardly all of them."""
    took = []
    for _ in range(3):
        started = time.monotonic()
        done = run("install")
        took.append(time.monotonic() - started)
        assert done.returncode == 0, done.stderr
    assert min(took) < 3


def test_two_at_once_both_succeed() -> None:
    command = [sys.executable, str(ROOT / "run"), "install"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    for process in both:
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == 0, printed


def test_a_path_is_meant_from_where_the_person_stands(tmp_path: Path) -> None:
    (tmp_path / "hall.csv").write_text("no,such,list\n")
    command = [sys.executable, str(ROOT / "run"), "demo", "--headless", "--seconds", "1", "--items", "hall.csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode != 0
    assert "gave no item" in done.stdout + done.stderr


def test_a_users_path_without_sbin_is_enough_for_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    found = runpy.run_path(str(ROOT / "run"))["environment"]()
    assert shutil.which("mosquitto", path=found["PATH"])
    assert found["PATH"].startswith(str(ROOT / ".venv" / "bin"))


def test_a_bench_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("demo", "--bench-port", str(port), "--console-port", "0", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stdout
    assert "--bench-port" in done.stdout
    assert "fleet:" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_another_system_is_named(tmp_path: Path) -> None:
    done = run("install", PATH=str(tmp_path))
    assert done.returncode == 3
    assert "Debian 12 and 13" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being root; others would be asked for a sudo password")
def test_missing_packages_without_root_or_sudo_tell_what_to_type() -> None:
    with tempfile.TemporaryDirectory(prefix="nightwindow-run-") as name:
        place = Path(name)
        for file in ("run", "debian-packages.txt", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
            shutil.copy(ROOT / file, place)
        query = place / "dpkg-query"
        query.write_text("#!/bin/sh\nexit 1\n")
        query.chmod(0o755)
        place.chmod(0o777)
        command = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", str(place / "run")]
        done = subprocess.run([*command, "install"], capture_output=True, text=True, timeout=60, env={"PATH": name})
    assert done.returncode == 3, done.stdout + done.stderr
    assert "needs root" in done.stderr
    assert "apt-get install" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being root")
def test_somebody_elses_folder_is_explained() -> None:
    with tempfile.TemporaryDirectory(prefix="nightwindow-run-") as name:
        place = Path(name)
        shutil.copy(ROOT / "run", place)
        place.chmod(0o755)
        command = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", str(place / "run")]
        done = subprocess.run([*command, "install"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "cannot be written" in done.stderr
    assert "owner" in done.stderr


def test_lock_files_name_no_index_and_hash_everything() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "index-url" not in text
        pins, hashes = re.findall(r"^[\w.\-]+==", text, re.MULTILINE), text.count("--hash=sha256:")
        assert hashes >= len(pins) > 50


@pytest.mark.parametrize("verb", ["demo", "check", "bench", "shots", "faults"])
def test_each_verb_knows_help(verb: str) -> None:
    done = run(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
