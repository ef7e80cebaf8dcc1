"""A camera that is not there: takes the arguments of `v4l2-ctl` and shows a picture from a file, noise and troubles included."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

FRAME_S = 0.04
STEPS = {"GREY": (1, 0), "YUYV": (2, 0), "UYVY": (2, 1), "NV12": (1, 0)}


def scene(path: Path) -> tuple[int, int, bytes]:
    """Width, height and brightness of a binary PGM picture (P5, 255 levels)."""
    head, size, depth, rest = path.read_bytes().split(b"\n", 3)
    if head != b"P5" or depth != b"255":
        raise ValueError(f"{path} is no binary PGM picture with 255 levels, without comments")
    width, height = (int(part) for part in size.split())
    return width, height, rest[: width * height]


def fitted(width: int, height: int, path: Path) -> bytearray:
    """The scene in the middle of a white picture of that size."""
    shown = bytearray(b"\xff" * (width * height))
    wide, high, data = scene(path)
    left, top = max(0, (width - wide) // 2), max(0, (height - high) // 2)
    for row in range(min(high, height)):
        part = data[row * wide : row * wide + min(wide, width)]
        start = (top + row) * width + left
        shown[start : start + len(part)] = part
    return shown


def frame(pixels: str, width: int, height: int, shown: bytearray) -> bytes:
    """A picture as a camera of that format sends it."""
    step, first = STEPS[pixels]
    data = bytearray(b"\x80" * (width * height * step))
    data[first::step] = shown
    return bytes(data) + (b"\x80" * (width * height // 2) if pixels == "NV12" else b"")


def stream(stage: Path, width: int, height: int, script: dict[str, Any]) -> None:
    """Write pictures to standard output until nobody reads them, or as the script says."""
    left = int(script.get("frames", -1))
    while left:
        left -= 1
        if script.get("hang"):
            time.sleep(60)
            continue
        data = frame(script.get("format", "YUYV"), width, height, fitted(width, height, stage / "scene.pgm"))
        try:
            sys.stdout.buffer.write(data[: int(script.get("cut", len(data)))])
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            sys.stderr.close()
            return
        if "cut" in script:
            return
        time.sleep(FRAME_S)


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--stage", required=True, type=click.Path(path_type=Path), help="Folder with scene.pgm and script.json.")
@click.option("--device", required=True)
@click.option("--set-fmt-video", "wanted", default="")
@click.option("--get-fmt-video", "tells", is_flag=True)
@click.option("--stream-mmap", default=0)
@click.option("--stream-to", default="")
def main(stage: Path, device: str, wanted: str, tells: bool, stream_mmap: int, stream_to: str) -> None:
    """Stand in for v4l2-ctl; docs/drivers.md tells what the script may hold."""
    script = json.loads(path.read_text()) if (path := stage / "script.json").exists() else {}
    agreed = stage / "agreed"
    if "refuse" in script or not Path(device).exists():
        click.echo(f"Cannot open device {device}, exiting. {script.get('refuse', '')}".strip(), err=True)
        sys.exit(1)
    if wanted:
        asked = dict(part.split("=") for part in wanted.split(","))
        agreed.write_text(f"{script.get('width', asked['width'])} {script.get('height', asked['height'])}")
    width, height = (int(part) for part in agreed.read_text().split())
    if tells:
        pixels = script.get("format", "YUYV")
        step, _ = STEPS.get(pixels, (2, 0))
        size = width * height * step * (3 if pixels == "NV12" else 2) // 2
        click.echo("Format Video Capture:")
        click.echo(
            f"\tWidth/Height      : {width}/{height}\n\tPixel Format      : '{pixels}' ({pixels})\n\tField             : None"
        )
        click.echo(f"\tBytes per Line    : {width * step}\n\tSize Image        : {size}\n\tColorspace        : sRGB")
    if stream_mmap and stream_to == "-":
        (stage / "looks").open("a").write("look\n")
        stream(stage, width, height, script)


if __name__ == "__main__":
    main()
