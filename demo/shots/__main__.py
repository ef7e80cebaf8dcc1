"""`./run shots DIR`: every screen in every language and profile, notices on paper, every console page, and an index of them."""

from __future__ import annotations

import html
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import click

from demo import screens
from demo.processes import Processes

FACES = ("evaluator", "terminal")
STYLE = (
    "body{font:16px/1.5 sans-serif;margin:24px;background:#F6F4EF;color:#1B2430}main{display:flex;flex-wrap:wrap;gap:16px}"
    "figure{margin:0;width:260px}img{width:100%;border:1px solid #E0DBD0}figcaption{font-size:13px;overflow-wrap:anywhere}"
)


def shoot_face(face: str, folder: Path, only: str) -> list[str]:
    """Render the screens of one face in this process, which needs a display; gives what a visitor would stumble on."""
    from ui import shots as studio

    screens_of = import_module(f"demo.shots.{face}")
    found = []
    with tempfile.TemporaryDirectory(prefix="nightwindow-shots-") as cache:
        studio.open_studio(Path(cache), locale_folders=screens_of.LOCALES)
        for shot in screens_of.shots():
            if only in shot.name:
                widget, picture = studio.shoot(shot.build)
                path = folder / f"{shot.name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(picture.png())
                found += [f"{shot.name}: {problem}" for problem in studio.problems(widget)]
    return found


def index(folder: Path) -> int:
    """Write index.html over all pictures below `folder`, grouped by place; gives how many there are."""
    groups: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.png")):
        groups[str(path.parent.relative_to(folder))].append(path)
    parts = []
    for name, paths in groups.items():
        figures = "".join(
            f'<figure><a href="{(link := html.escape(str(path.relative_to(folder))))}"><img loading="lazy" src="{link}" alt=""></a>'
            f"<figcaption>{html.escape(path.stem)}</figcaption></figure>"
            for path in paths
        )
        parts.append(f"<h2>{html.escape(name)}</h2><main>{figures}</main>")
    page = f'<!doctype html><meta charset="utf-8"><title>Nightwindow</title><style>{STYLE}</style>{"".join(parts)}'
    (folder / "index.html").write_text(page, encoding="utf-8")
    return sum(map(len, groups.values()))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", default="", help="Only screens whose name contains this, for example evaluator/800x480/ko.")
@click.option("--inside", type=click.Choice(FACES), hidden=True, help="Render this face on the display of this process.")
def main(folder: Path, only: str, inside: str | None) -> None:
    """Render everything below FOLDER and write FOLDER/index.html. Exit status 1 when a screen has a defect of layout."""
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    if inside:
        defects = shoot_face(inside, folder, only)
        click.echo("\n".join(defects))
        sys.exit(1 if defects else 0)
    processes = Processes(folder, say=click.echo)
    try:
        screen = screens.start(processes, "shots", (1280, 800), is_window=False)
        command = [sys.executable, "-m", "demo.shots", str(folder), "--only", only, "--inside"]
        environment = {**os.environ, "DISPLAY": screen.display}
        faces = max(subprocess.run([*command, face], env=environment).returncode for face in FACES)
    finally:
        processes.end_all()
        (folder / "screen-shots.log").unlink(missing_ok=True)
    console = 0
    if not only or only.startswith("console"):
        console = subprocess.run([sys.executable, "-m", "demo.shots.console", str(folder / "console")]).returncode
    if not only or only.startswith("paper"):
        from demo.shots.paper import shoot_papers

        shoot_papers(folder, only)
    click.echo(f"shots: {index(folder)} pictures in {time.monotonic() - started:.0f} s; open {folder / 'index.html'}")
    sys.exit(faces or console)


if __name__ == "__main__":
    main(prog_name="./run shots")
