"""`nw-hal list` and `nw-hal test` as a technician meets them, for every driver: it says what to do, hands do it."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import segno
from hal_contract import SECTIONS, Bench
from PIL import Image

from demo.settings import toml
from evaluator import desk_tool
from hal.registry import KINDS
from hal.selftest.bench import Bench as SelfTest
from hal.sim.control import ControlError, send
from hal.words import words

ROOT = Path(__file__).parents[2]
JUDGED = {"light", "backlight"}
"""Kinds of which only eyes can say whether they work."""


class Hands:
    """What a technician can reach: the simulator, the pins, and a folder of the case."""

    def __init__(self, bench):
        self.bench = bench
        self.pins = str(bench.folder / "pins.sock")

    def sim(self, what, **options):
        return self.bench.sim.do(what, **options)

    def pin(self, name, value):
        send(self.pins, {"set": name, "value": value})


def press(hands, said):
    button = said.split()[1].rstrip(";")
    if hands.bench.sim:
        hands.sim("press", button=button)
    else:
        send(hands.pins, {"press": button, "ms": 30})


def type_key(hands, said):
    send(hands.pins, {"key": said.split()[1].rstrip("."), "ms": 40})


def lay_id(hands, said):
    hands.sim("insert" if said.startswith("Lay") else "remove")


def hold_up(hands, said):
    hands.sim("scan", text="A001")


def move(pin, opens):
    return lambda hands, said: hands.pin(pin, 1 if said.startswith(opens) else 0)


def show_phone(hands, said):
    size = (640, 480)
    picture, code = Image.new("L", size, 90), hands.bench.folder / "code.png"
    segno.make("2026-AB-000123").save(str(code), scale=6, border=4)
    picture.paste(Image.open(code).convert("L"), (200, 120))
    new = hands.bench.folder / "scene.new"
    new.write_bytes(b"P5\n%d %d\n255\n" % size + picture.tobytes())
    os.replace(new, hands.bench.folder / "scene.pgm")


def run_nw_desk(hands, said):
    command = [sys.executable, desk_tool.__file__, *said.partition("nw-desk ")[2].split()]
    subprocess.run(command, env={**os.environ, "NW_DESK_PORT": f"{hands.bench.sim.port}.pc"}, check=True, capture_output=True)


def pull_mains(hands, said):
    hands.sim("mains", on=not said.startswith("Pull"))


def lay_smart(hands, said):
    send(str(hands.bench.folder / "cards.sock"), {"do": "insert" if said.startswith("Lay") else "remove"})


def nothing(hands, said):
    """Looks and listens."""


TECHNICIANS = {
    "buttons": press, "keypad": type_key, "id_card": lay_id, "scanner": hold_up, "desk": run_nw_desk, "ups": pull_mains,
    "door": move("door", "Please open"), "tamper": move("tamper", "Open"), "presence": move("presence", "Step before"),
    "camera": show_phone, "smart_card": lay_smart,
}  # fmt: skip


@pytest.fixture
def cards(tmp_path, request):
    """The process that lays chip cards on the virtual reader, where the case has one."""

    def start():
        from private_pcscd import PrivatePcscd

        port = PrivatePcscd.shared().port
        command = [sys.executable, "-m", "hal.sim.smartcard", "--vpcd", f"127.0.0.1:{port}"]
        process = subprocess.Popen([*command, "--control", str(tmp_path / "cards.sock")], stdout=subprocess.PIPE, cwd=ROOT)
        request.addfinalizer(lambda: (process.terminate(), process.wait(5), process.stdout.close()))
        assert process.stdout.readline() == b"ready\n"

    return start


@pytest.fixture(params=SECTIONS, ids=lambda key: f"{key[0]}-{key[1]}")
def configured(request, tmp_path, start_sim, closing, cards):
    """A configuration of one driver with its simulator: kind, its file, and hands."""
    kind, driver = request.param
    bench = Bench(tmp_path, start_sim, closing)
    section = SECTIONS[kind, driver](bench)
    if kind == "presence":
        section |= {"hold_s": 0.2}
    if kind == "smart_card":
        cards()
    path = tmp_path / "hal.toml"
    path.write_text(toml({"hal": {"gpio": {"driver": "socket", "socket": str(tmp_path / "pins.sock")}, kind: section}}))
    return kind, path, Hands(bench)


def nw_hal(*arguments):
    return [sys.executable, "-m", "hal.cli", *map(str, arguments)]


def test_list_finds_what_is_there(configured):
    kind, path, _ = configured
    done = subprocess.run(nw_hal("list", "--config", path, "--json"), capture_output=True, text=True, cwd=ROOT, timeout=30)
    (row,) = json.loads(done.stdout)["peripherals"]
    assert (row["kind"], row["state"], done.returncode) == (kind, "found", 0)
    assert row["where"]


def test_the_guided_test_passes_when_it_is_obeyed(configured):
    kind, path, hands = configured
    wait_s = "1" if kind in JUDGED else "8"
    command = nw_hal("test", kind, "--config", path, "--lang", "en", "--json", "--wait-s", wait_s)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True, cwd=ROOT) as run:
        obey = threading.Thread(target=follow, args=(run.stderr, TECHNICIANS.get(kind, nothing), hands))
        obey.start()
        answer = json.loads(run.stdout.read())
        obey.join(20)
    assert answer["ok"], answer
    assert (answer["name"], run.returncode) == (kind, 0)
    assert len(answer["steps"]) > 1
    assert_in_words(answer["steps"])


def follow(orders, obey, hands):
    for said in orders:
        # After the last order the test may be over, and its pins gone, before the hand is back.
        with contextlib.suppress(ControlError):
            obey(hands, said)


def assert_in_words(steps):
    """Each step is told without a message id in either language."""
    for step in steps:
        for lang in ("zh", "en"):
            told = words(step["what"], step["args"], lang) + words(step["seen"], step["args"], lang)
            assert "step." not in told
            assert "seen." not in told
            assert "…" not in told


def test_every_kind_has_a_guided_test():
    for kind in KINDS:
        assert (ROOT / "hal/selftest" / f"{kind}.py").exists(), f"write hal/selftest/{kind}.py"
    assert {path.stem for path in (ROOT / "hal/selftest").glob("*.py")} == {*KINDS, "bench", "__init__"}


@pytest.mark.parametrize(("answer", "ok", "seen"), [(True, True, "seen.yes"), (False, False, "seen.no"), (None, True, "seen.look")])
def test_what_only_eyes_can_judge_is_as_the_technician_says(tmp_path, make_config, answer, ok, seen):
    config = make_config({"gpio": {"driver": "socket", "socket": str(tmp_path / "pins.sock")}, "light": {"driver": "gpio"}})
    told = []
    steps = SelfTest(config, say=told.append, wait_s=0.05, confirm=lambda: answer).run("light")
    assert [(step.ok, step.seen) for step in steps[1:]] == [(ok, seen)] * 3
    assert [said.args["glow"] for said in told] == ["on", "breathe", "off"]
