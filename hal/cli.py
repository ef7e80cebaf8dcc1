"""`nw-hal`: what hardware is configured, what is plugged in, and whether each part works; in Chinese or English."""

from __future__ import annotations

import select
import sys
from pathlib import Path

import click
import msgspec
import structlog

from hal import listing, registry
from hal.config import ConfigError, HalConfig, load
from hal.selftest.bench import Bench, Said, Step
from hal.words import Lang, padded, words

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="NW_HAL_CONFIG",
    help="TOML file with the table [hal], or with its sections at the top. Also from the environment: NW_HAL_CONFIG.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object on standard output, without words.")
lang_option = click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default="zh",
    envvar="NW_HAL_LANG",
    show_default=True,
    help="Language of prompts and results; also from NW_HAL_LANG.",
)


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
@lang_option
def list_command(path: Path | None, as_json: bool, lang: Lang) -> None:
    """Show what is configured and whether it is there: its port, chip, program or service. Opens nothing."""
    config = _config(path)
    rows = listing.rows(config)
    absent = [kind for kind in registry.KINDS if not any(row.kind == kind for row in rows)]
    if as_json:
        click.echo(msgspec.json.encode({"peripherals": rows, "absent": absent}))
    elif not rows:
        click.echo(words("list.none", {"kinds": ", ".join(registry.KINDS)}, lang))
    else:
        for row in rows:
            shown = ((row.name, 16), (words(f"kind.{row.kind}", {}, lang), 18), (row.driver, 10), (_state(row, lang), 10))
            click.echo("".join(padded(text, columns) for text, columns in shown) + row.where)
        named = ", ".join(f"{words(f'kind.{kind}', {}, lang)} {kind}" if lang == "zh" else kind for kind in absent)
        click.echo(words("list.absent", {"kinds": named or "nothing"}, lang))
        click.echo(words("list.hint", {}, lang))
    sys.exit(any(row.state == "missing" for row in rows))


def _state(row: listing.Row, lang: Lang) -> str:
    return words(f"state.{row.state}", {}, lang)


@main.command()
@config_option
@json_option
@lang_option
@click.option("--root", type=click.Path(path_type=Path), default="/", hidden=True, help="Where /sys, /dev, /proc are; for tests.")
@click.argument("ports", nargs=-1)
def probe(path: Path | None, as_json: bool, lang: Lang, root: Path, ports: tuple[str, ...]) -> None:
    """Name what is plugged in, and write the section to paste for what is not configured yet.

    Asks whatever is on PORTS who it is; without PORTS, on every serial port and USB printer, and shows what else there is:
    keypads and scanners that type, smart-card readers, cameras, print queues, temperature sensors, sound, backlight, UPSes.
    Prints nothing on paper and reads no card. Takes a few seconds.
    """
    # pyserial is loaded only here, so that --help and list answer at once.
    from hal import probe as probing

    found = probing.look(_config(path) if path else None, list(ports), root=root)
    if as_json:
        click.echo(msgspec.json.encode({"ports": found}))
    elif not found:
        click.echo(words("probe.none", {}, lang))
    for one in [] if as_json else found:
        click.echo(f"{one.port}\n    " + "\n    ".join(listing.told(one, lang)))
    sys.exit(not any(one.kind != "nothing" for one in found))


@main.command()
@config_option
@json_option
@lang_option
@click.option("--wait-s", default=30.0, show_default=True, type=click.FloatRange(1, 600), help="Time for each step.")
@click.argument("name")
def test(path: Path | None, as_json: bool, lang: Lang, wait_s: float, name: str) -> None:
    """Test the peripheral NAME, as its section is called, step by step: press each button, print a page, read a card."""

    def say(said: Said) -> None:
        click.echo(words(said.message, said.args, lang), err=True)

    config = _config(path)
    try:
        bench = Bench(config, say=say, wait_s=wait_s, confirm=lambda: _confirmed(wait_s, lang))
    except ConfigError as error:
        _refuse(error)
    steps = bench.run(name)
    passed = all(step.ok for step in steps)
    if as_json:
        click.echo(msgspec.json.encode({"name": name, "ok": passed, "steps": steps}))
    else:
        for step in steps:
            click.echo(_line(step, lang))
        click.echo(words("verdict.all" if passed else "verdict.not_all", {"name": name}, lang))
    sys.exit(not passed)


def _line(step: Step, lang: Lang) -> str:
    verdict = padded(words("verdict.ok" if step.ok else "verdict.failed", {}, lang), 7)
    line = f"{verdict}{words(step.what, step.args, lang)}: {words(step.seen, step.args, lang).strip()}"
    if not step.next_step:
        return line
    return f"{line}\n       {words('verdict.next', {'step': words(step.next_step, step.args, lang)}, lang)}"


def _confirmed(wait_s: float, lang: Lang) -> bool | None:
    """What the technician answers at the keyboard; None where there is none, or no answer within `wait_s`."""
    if not sys.stdin.isatty():
        return None
    click.echo(words("ask.right", {}, lang), err=True)
    if not select.select([sys.stdin], [], [], wait_s)[0]:
        return None
    return not sys.stdin.readline().strip().casefold().startswith(("n", "不", "否"))


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


if __name__ == "__main__":
    main()
