"""Press buttons and read lamps of a running device from the shell: `python -m hal.sim.pins --socket PATH '{"press": …}'`."""

from __future__ import annotations

import json

import click

from hal.sim.control import ControlError, send


@click.command()
@click.option("--socket", "path", required=True, help="The device's pin socket (gpio.socket in its configuration).")
@click.argument("commands", nargs=-1, required=True)
def main(path: str, commands: tuple[str, ...]) -> None:
    """Send COMMANDS (JSON objects, see docs/drivers.md) one after the other and print each answer."""
    for command in commands:
        try:
            answer = send(path, json.loads(command), timeout_s=70)
        except (ControlError, json.JSONDecodeError) as error:
            raise click.ClickException(f"{command}: {error}") from error
        click.echo(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
