"""What stands before the simulated camera: a picture in a file, and the stand-in for v4l2-ctl that shows it."""

import json
import os
import sys
from pathlib import Path

from PIL import Image


class Stage:
    """What stands before the simulated camera, and how that misbehaves."""

    def __init__(self, folder):
        self.folder = folder
        self.device = folder / "video0"
        self.device.touch()
        self.tool = folder / "v4l2-ctl"
        root = Path(__file__).parents[1]
        self.tool.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m hal.sim.camera --stage {folder} "$@"\n')
        self.tool.chmod(0o755)
        self.show(Image.new("L", (640, 480), 90))

    def show(self, picture):
        new = self.folder / "scene.new"
        new.write_bytes(b"P5\n%d %d\n255\n" % picture.size + picture.tobytes())
        os.replace(new, self.folder / "scene.pgm")

    def script(self, **script):
        (self.folder / "script.json").write_text(json.dumps(script))

    def looks(self):
        looks = self.folder / "looks"
        return len(looks.read_text().splitlines()) if looks.exists() else 0
