"""Documentation says what exists: every setting, command, option, metric and link is there, and nothing points nowhere."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "images/README.md"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def settings_of(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """Dotted names of every setting; those of the hardware have a page of their own."""
    for field in msgspec.structs.fields(kind):
        inner = field.type
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from settings_of(inner, f"{prefix}{field.name}.")
        elif field.name != "hal":
            yield prefix + field.name


def commands_of(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a click group with its whole name."""
    yield name, command
    if isinstance(command, click.Group):
        for sub, child in command.commands.items():
            yield from commands_of(child, f"{name} {sub}")


def test_every_device_setting_is_documented() -> None:
    from runtime.config import DeviceConfig

    page = text_of("docs/device.md")
    missing = [name for name in settings_of(DeviceConfig) if f"`{name}`" not in page]
    assert not missing, f"docs/device.md lacks {missing}"


def test_every_fleet_setting_is_documented() -> None:
    from fleet.config import Config

    page = text_of("docs/server.md")
    missing = [name for name in settings_of(Config) if f"`{name}`" not in page]
    assert not missing, f"docs/server.md lacks {missing}"


PROGRAMS = {
    "nw-agent": ("runtime.cli", "docs/device.md"),
    "nw-evaluator": ("evaluator.app", "docs/device.md"),
    "nw-terminal": ("terminal.app", "docs/terminal.md"),
    "nw-hal": ("hal.cli", "docs/hardware.md"),
    "nw-fleet": ("fleet.cli", "docs/server.md"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_explains_itself_and_is_documented(program: str) -> None:
    module, page = PROGRAMS[program]
    found = importlib.import_module(module)
    tree = getattr(found, "cli", None) or found.main
    shown = text_of(page)
    for name, command in commands_of(tree, program):
        assert command.help, f"{name} has no help text"
        assert name in shown, f"{page} does not mention {name}"
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts[0]} has no help text"


def test_every_verb_of_run_is_in_the_readme() -> None:
    verbs = re.findall(r'^    "(\w+)": \(', text_of("run"), re.MULTILINE)
    assert len(verbs) >= 6
    readme = text_of("README.md")
    assert [verb for verb in verbs if f"./run {verb}" not in readme] == []


def test_every_metric_is_documented() -> None:
    page = text_of("docs/server.md") + text_of("docs/operations.md") + text_of("docs/integration.md")
    names = set()
    for path in (ROOT / "fleet").rglob("*.py"):
        names |= set(re.findall(r'(?:Counter|Gauge|Histogram)\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
    assert names, "the fleet has metrics"
    assert sorted(name for name in names if name not in page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_every_page_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and (page.parent / target).is_file():
                waiting.append(page.parent / target)
    assert [str(page.relative_to(ROOT)) for page in PAGES if page.resolve() not in seen] == []
