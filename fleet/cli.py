"""`nw-fleet`: every verb of the fleet server. Each opens what it needs, says what it did, and explains what is wrong."""

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from fleet.cli_access import key, user
from fleet.cli_calendar import calendar
from fleet.cli_content import items, pack
from fleet.cli_ledger import ledger
from fleet.cli_options import DATA
from fleet.cli_staff import staff


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """The Nightwindow fleet server: one per county. `nw-fleet init` makes its data directory; docs/server.md tells the rest."""


@cli.command()
@DATA
def init(data: Path) -> None:
    """Make the data directory: database, keys, certificates, the broker's configuration.

    Run it again after changing fleet.toml or installing another release: it migrates and renews, and replaces no key.
    """
    from fleet.setup import prepare

    for line in prepare(data, now=dt.datetime.now(dt.UTC)):
        click.echo(line)


@cli.command()
@DATA
def serve(data: Path) -> None:
    """Run console, API and door until SIGTERM. The broker and `nw-fleet ingest` run beside it."""
    from fleet.logs import set_up_log
    from fleet.serve import run

    set_up_log()
    run(data)


@cli.command()
@DATA
def ingest(data: Path) -> None:
    """Take devices' journals into custody until SIGTERM: a process of its own, the only writer of entries."""
    from fleet.ingest.process import run
    from fleet.logs import set_up_log

    set_up_log()
    run(data)


@cli.command()
@DATA
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder for the backup.")
def backup(data: Path, out: Path) -> None:
    """Copy the running fleet into a new folder, verify the copy, and let it count as archive.

    The folder holds private keys: keep it where only you can read it. Devices may prune what a verified backup holds.
    """
    from fleet.backup import back_up

    made = back_up(data, out)
    click.echo(
        f"{made.folder}: {made.journals} journals, {made.entries} entries verified, {made.bytes} bytes; it counts as archive"
    )


@cli.command()
@DATA
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(data: Path, folder: Path) -> None:
    """Make the fleet of the backup FOLDER in a new data directory; devices then hand over again what it lacks."""
    from fleet.backup import restore as work

    made = work(folder, data)
    click.echo(
        f"{data}: {made.journals} journals, {made.entries} entries verified; a new incarnation. Now: nw-fleet init --data {data}"
    )


@cli.command()
@DATA
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def verify(data: Path, as_json: bool) -> None:
    """Recompute every signature, chain and body from the signed bytes; exit status 1 when one does not fit."""
    from fleet.commands import print_verification

    sys.exit(0 if print_verification(data, as_json=as_json) else 1)


@cli.group()
def device() -> None:
    """List devices, decide pairings, revoke."""


@device.command("list")
@DATA
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of a table.")
def device_list(data: Path, as_json: bool) -> None:
    """Paired devices with their places, and pairings that wait with the code to compare."""
    from fleet.app import open_fleet
    from fleet.commands import print_devices

    print_devices(open_fleet(data), as_json=as_json)


@device.command("approve")
@DATA
@click.argument("code")
@click.option("--hall", required=True, help="Code of the hall the device stands in.")
@click.option("--window", default="", help="Number of its window; leave out for a terminal.")
@click.option("--label", required=True, help="How the device is called on its screen, in Chinese.")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def device_approve(data: Path, code: str, hall: str, window: str, label: str, by: str) -> None:
    """Approve the waiting device whose screen shows CODE, and place it."""
    from fleet.app import open_fleet
    from fleet.commands import waiting

    fleet = open_fleet(data)
    name = fleet.pairings.approve(waiting(fleet, code).id, hall=hall, window=window, label={"zh": label}, by=by)
    click.echo(f"{name} is paired: hall {hall}{f', window {window}' if window else ''}")


@device.command("refuse")
@DATA
@click.argument("code")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def device_refuse(data: Path, code: str, by: str) -> None:
    """Refuse the waiting device whose screen shows CODE."""
    from fleet.app import open_fleet
    from fleet.commands import waiting

    fleet = open_fleet(data)
    fleet.pairings.refuse(waiting(fleet, code).id, by=by)
    click.echo(f"{code} is refused")


@device.command("revoke")
@DATA
@click.argument("name")
@click.option("--why", required=True, help="The reason, for the record.")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def device_revoke(data: Path, name: str, why: str, by: str) -> None:
    """Refuse the device NAME from now on; what it handed over stays."""
    from fleet.app import open_fleet

    open_fleet(data).registry.revoke(name, by=by, why=why)
    click.echo(f"{name} is revoked")


@cli.command()
@DATA
def rebuild(data: Path) -> None:
    """Derive ratings and figures again from the entries, for example after an upgrade that knows more kinds."""
    from fleet.app import open_fleet

    fleet = open_fleet(data)
    click.echo(f"{fleet.projection.rebuild()} entries read again")
    fleet.close()


cli.add_command(items)
cli.add_command(calendar)
cli.add_command(pack)
cli.add_command(ledger)
cli.add_command(staff)
cli.add_command(user)
cli.add_command(key)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `nw-fleet`: what a person can mend ends with one clear line and status 2, not with a traceback."""
    try:
        cli(arguments, prog_name="nw-fleet")
    except Exception as error:
        from fleet.commands import explained

        said = explained(error)
        if not said:
            raise
        click.echo(f"nw-fleet: {said}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
