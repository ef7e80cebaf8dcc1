"""The demonstration stays out of what is installed at a hall: not in the distribution, and nothing there reads its files."""

import tomllib
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).resolve().parents[2]
CHECK = Path("ui/locale_check.py")
"""A check of `./run check` that reads the whole source, the demonstration's too."""


def distributed() -> list[str]:
    """Top-level rooms of the distribution."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]["find"]
    return sorted({name.partition(".")[0] for name in find_packages(str(ROOT), include=settings["include"])})


def test_the_distribution_holds_the_product_and_nothing_else() -> None:
    assert distributed() == ["evaluator", "fleet", "hal", "pack", "runtime", "terminal", "ui", "wire"]


def test_no_room_of_the_product_names_a_place_in_the_demonstration() -> None:
    named = [
        path.relative_to(ROOT)
        for room in distributed()
        for path in (ROOT / room).rglob("*.py")
        if any(mark in path.read_text(encoding="utf-8") for mark in ('"demo"', "demo/", "demo.", "seed_demo"))
    ]
    assert named == [CHECK]
