"""Options that several verbs of `nw-fleet` share."""

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
