"""Pictures for operations tell nothing personal: two visitors who differ only in that give the same picture, to the pixel."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from private_display import private_display

ROOT = Path(__file__).parents[2]
LOOK = """
import hashlib, json, sys
from pathlib import Path
from ui import shots as studio
from demo.shots import terminal as shots
studio.open_studio(Path(sys.argv[1]), locale_folders=shots.LOCALES)
from terminal.flow import places
from terminal.flow.session import Card
from terminal.flow.status import Status
from terminal.screens.frame import TerminalStage
from terminal.screens.rules import load_screens
from ui import picture
from ui.theme import theme
from ui.tokens import TERMINAL_21
load_screens()
theme.use(TERMINAL_21, kind="kiosk")

def receipt(scene, leaf):
    scene.quiet.leaf = leaf
    shots.STATES["parting"](scene)

def search(scene, query):
    scene.visit.go(places.Search())
    scene.visit.type(query)

def name(scene, name):
    scene.visit.card_present(Card(name))

def look(lead, secret):
    scene = shots.Scene(content=shots.catalogue(), status=Status())
    scene.visit.touch()
    lead(scene, secret)
    stage = TerminalStage(scene.visit)
    stage.minute(scene.clock.now())
    studio.settle(stage, frames=shots.FRAMES)
    digest = lambda raster: hashlib.sha256(raster.rgb).hexdigest()
    return {"window": digest(picture.render(stage)), "picture": digest(picture.take(stage))}

secrets = {
    "card": (name, "张*", "欧*"),
    "receipt": (receipt, b"1" * 32, b"2" * 32),
    "typed": (search, "qqqxq", "wwwzwzwww"),
}
print(json.dumps({key: [look(lead, one), look(lead, other)] for key, (lead, one, other) in secrets.items()}))
"""


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, str]]]:
    with private_display() as display:
        done = subprocess.run(
            [sys.executable, "-c", LOOK, str(tmp_path_factory.mktemp("cache"))],
            env=os.environ | {"DISPLAY": display, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.window
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["card", "receipt", "typed"])
def test_the_window_shows_it_and_the_picture_does_not(what: str, looks: dict[str, list[dict[str, str]]]) -> None:
    one, other = looks[what]
    assert one["window"] != other["window"], "the two visitors look the same: this test would prove nothing"
    assert one["picture"] == other["picture"]
