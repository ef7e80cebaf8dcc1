"""`nw-fleet`: every verb of the fleet server. Each opens what it needs, says what it did, and explains what is wrong."""

import sys
from pathlib import Path

import click

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("fleet-data"),
    show_default=True,
    envvar="NW_FLEET_DATA",
    help="The fleet's data directory (also: NW_FLEET_DATA).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """The Nightwindow fleet server: one per county. `nw-fleet init` makes its data directory; docs/server.md tells the rest."""


@cli.command()
@DATA
def init(data: Path) -> None:
    """Make the data directory: database, keys. Run again to migrate; it never overwrites a key."""
    from fleet.config import load_config
    from fleet.keys import make_keys
    from fleet.store import create_store

    data.mkdir(parents=True, exist_ok=True)
    config = load_config(data)
    create_store(config.database or data)
    make_keys(data / "keys")
    click.echo(f"{data} is ready")


def main() -> None:
    """Entry point of `nw-fleet`: faults of configuration, keys and store end with one clear line, not a traceback."""
    from fleet.config import ConfigError
    from fleet.keys import KeysError
    from fleet.registry.records import RegistryError
    from fleet.store import StoreError

    try:
        cli(prog_name="nw-fleet")
    except (ConfigError, KeysError, RegistryError, StoreError) as error:
        click.echo(f"nw-fleet: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
