"""`nw-hal`: what hardware is configured, what is on the ports, and whether each part works."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
import structlog

from hal import registry
from hal.config import ConfigError, HalConfig, Section, load
from hal.selftest.bench import Bench

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="NW_HAL_CONFIG",
    help="TOML file with the table [hal], or with its sections at the top. Also from the environment: NW_HAL_CONFIG.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object on standard output.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look at and test the hardware of this device.

    A port belongs to one program: stop the terminal or evaluator before `probe` and `test`.
    Exit status: 0 all well, 1 something is missing or failed, 2 the configuration or the command line is wrong.
    """
    # Standard output carries the answer only. Tracebacks never show values of variables: they may be personal.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@main.command("list")
@config_option
@json_option
def list_command(path: Path | None, as_json: bool) -> None:
    """Show what is configured and whether its port, chip or socket is there. Opens nothing."""
    rows = _rows(_config(path))
    if as_json:
        click.echo(msgspec.json.encode({"peripherals": rows}))
    elif not rows:
        click.echo(f"No peripheral is configured; the kinds are {', '.join(registry.KINDS)}.")
    for row in [] if as_json else rows:
        click.echo(f"{row['name']:<14} {row['driver']:<10} {row['state']:<9} {row['where']}")
    sys.exit(any(row["state"] == "missing" for row in rows))


@main.command()
@config_option
@json_option
@click.argument("ports", nargs=-1)
def probe(path: Path | None, as_json: bool, ports: tuple[str, ...]) -> None:
    """Ask whatever is on PORTS who it is; without PORTS, on every serial port and every configured one.

    Prints nothing on paper and reads no card. Takes up to four seconds a port.
    """
    # pyserial is loaded only here, so that --help and list answer at once.
    from hal import probe as probing

    names = list(ports) or probing.ports(_config(path) if path else None)
    found = [probing.probe(name) for name in names]
    if as_json:
        click.echo(msgspec.json.encode({"ports": found}))
    elif not found:
        click.echo("No serial port on this computer; plug the device in, or name a port.")
    for one in [] if as_json else found:
        who = f"{one.kind} ({one.driver}) at {one.baud} baud" if one.driver else one.kind
        click.echo(f"{one.port}\n    {who}: {one.detail}")
    sys.exit(not any(one.kind != "nothing" for one in found))


@main.command()
@config_option
@json_option
@click.option("--wait-s", default=30.0, show_default=True, type=click.FloatRange(1, 600), help="Time for each step.")
@click.argument("name")
def test(path: Path | None, as_json: bool, wait_s: float, name: str) -> None:
    """Test the peripheral NAME, as its section is called, step by step: press each button, print a page, read a card."""
    config = _config(path)
    try:
        bench = Bench(config, say=lambda text: click.echo(text, err=True), wait_s=wait_s)
    except ConfigError as error:
        _refuse(error)
    steps = bench.run(name)
    passed = all(step.ok for step in steps)
    if as_json:
        click.echo(msgspec.json.encode({"name": name, "ok": passed, "steps": steps}))
    for step in [] if as_json else steps:
        click.echo(f"{'ok    ' if step.ok else 'FAILED'} {step.what}: {step.seen}")
    sys.exit(not passed)


def _config(path: Path | None) -> HalConfig:
    if path is None:
        raise click.UsageError("name the configuration with --config FILE or NW_HAL_CONFIG")
    try:
        return load(path)
    except ConfigError as error:
        _refuse(error)
        raise AssertionError("not reached") from error


def _refuse(error: ConfigError) -> None:
    for problem in error.problems:
        click.echo(f"configuration: {problem}", err=True)
    sys.exit(2)


def _rows(config: HalConfig) -> list[dict[str, Any]]:
    """One row a section: name, kind, driver, where, and `found`, `missing` or, for `port = "auto"`, `searched`."""
    rows = []
    for one in config.sections:
        pins = one.pins()
        where = _gpio_place(config) if pins else one.port
        if hasattr(one.module, "where"):
            where = one.module.where(one.settings)
        row: dict[str, Any] = {"name": one.name, "kind": one.kind, "driver": one.driver, "where": where}
        rows.append(row | {"state": _state(config, one, where)} | ({"pins": pins} if pins else {}))
    return rows


def _state(config: HalConfig, one: Section, where: str) -> str:
    if hasattr(one.module, "is_there"):
        return "found" if one.module.is_there(one.settings) else "missing"
    if where == "auto":
        return "searched"
    # The device itself makes the socket of its pins, so its folder is what must be there.
    needed = os.path.dirname(where) or "." if one.pins() and config.gpio.driver == "socket" else where
    return "found" if os.path.exists(needed) else "missing"


def _gpio_place(config: HalConfig) -> str:
    return {"none": "", "socket": config.gpio.socket, "rpigpio": "/dev/gpiochip0", "lgpio": "/dev/gpiochip0"}[config.gpio.driver]


if __name__ == "__main__":
    main()
