"""`./run bench [NAME] --json FILE`: measure, compare with a peer or a limit in the same run, print a table and write JSON.

Each `bench_NAME.py` beside this file has `run() -> dict` with `name`, `conditions` and `figures`
(`name`, `value`, `unit`, `limit` as text, `ok`).
"""

import importlib.util
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def load(name: str) -> Any:
    """The module of one benchmark."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", HERE / f"bench_{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@click.command(help=f"Run one benchmark or all. Names: {', '.join(NAMES)}.")
@click.argument("name", required=False, type=click.Choice(NAMES))
@click.option("--json", "json_file", type=click.Path(dir_okay=False), help="Write every figure with its conditions to this file.")
def main(name: str | None, json_file: str | None) -> None:
    """Run, print, write; exit status 1 when a figure misses its limit."""
    started, results = time.monotonic(), []
    for each in [name] if name else NAMES:
        click.echo(f"{each} …")
        result = load(each).run()
        results.append(result)
        for figure in result["figures"]:
            mark = {True: "ok  ", False: "MISS", None: "    "}[figure.get("ok")]
            value = figure["value"]
            shown = f"{value:,.3f}" if isinstance(value, float) and abs(value) < 100 else f"{value:,.0f}"
            click.echo(f"  {mark} {figure['name']:58} {shown:>14} {figure['unit']:14} {figure.get('limit') or ''}")
    figures = [figure for result in results for figure in result["figures"]]
    missed = [figure["name"] for figure in figures if figure.get("ok") is False]
    if json_file:
        machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        Path(json_file).write_text(json.dumps({"machine": machine, "results": results}, ensure_ascii=False, indent=1) + "\n")
    limited = sum(figure.get("ok") is not None for figure in figures)
    click.echo(
        f"bench: {limited - len(missed)} of {limited} limits held, {len(figures)} figures, {time.monotonic() - started:.0f} s"
        + (f"; missed: {'; '.join(missed)}" if missed else "")
    )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main(prog_name="./run bench")
