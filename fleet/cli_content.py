"""`nw-fleet items …` and `nw-fleet pack …`: a hall's content from the command line."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli_options import DATA

if TYPE_CHECKING:
    from fleet.hall.importer import ImportPlan

SHOWN_PROBLEMS = 20
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
HALL = click.option("--hall", required=True, help="Code of the hall.")


@click.group()
def items() -> None:
    """Import item lists of a hall."""


@items.command("import")
@DATA
@HALL
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=FILE)
@click.option("--dry-run", is_flag=True, help="Report only; write nothing.")
@click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML: headers and values of this hall."
)
@click.option("--partial", is_flag=True, help="The files do not hold all items of the hall: withdraw none.")
@click.option("--confirm-withdrawals", is_flag=True, help="Yes, more than half of the items are gone.")
@click.option("--by", default="nw-fleet", show_default=True, help="Who imports, for the record.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
def import_items(
    data: Path,
    hall: str,
    files: tuple[Path, ...],
    dry_run: bool,
    mapping: Path | None,
    partial: bool,
    confirm_withdrawals: bool,
    by: str,
    as_json: bool,
) -> None:
    """Import FILE (.xlsx, .csv, JSON, JSON lines): all or nothing; importing it again changes nothing.

    Several files count as one list. docs/items.md tells the formats and the mapping file.
    """
    from fleet.app import open_fleet
    from fleet.hall.importer import load_mapping
    from fleet.hall.importing import Wish, apply_import, plan_import

    fleet = open_fleet(data)
    wish = Wish(hall=hall, tenant=fleet.config.tenant, by=by, is_partial=partial, may_withdraw_many=confirm_withdrawals)
    plan = plan_import(fleet.items, files, load_mapping(mapping) if mapping else None, wish)
    changed = 0 if dry_run else apply_import(fleet.items, fleet.registry, plan, wish)
    print_report(plan, changed=changed, dry_run=dry_run, as_json=as_json)


@click.group()
def pack() -> None:
    """Build content packs for devices."""


@pack.command("build")
@DATA
@HALL
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--publish", is_flag=True, help="Also make it what the hall's devices show.")
@click.option("--by", default="nw-fleet", show_default=True, help="Who publishes, for the record.")
def build(data: Path, hall: str, out: Path, publish: bool, by: str) -> None:
    """Build a signed pack from the hall's content."""
    import msgspec

    from fleet.app import open_fleet
    from fleet.hall.packs import build_pack

    fleet = open_fleet(data)
    info = build_pack(fleet.items.content(hall), out, bytes(fleet.keys.signing))
    click.echo(f"{out}: version {info.manifest.version}, {info.items} items, {info.scenarios} scenarios, {info.file_size} bytes")
    if publish:
        fleet.control.packs.publish(
            hall,
            out,
            version=info.manifest.version,
            manifest=msgspec.msgpack.encode(info.manifest),
            built_ms=info.manifest.built_at_ms,
            by=by,
        )
        click.echo(f"published for hall {hall}; devices fetch it within a minute")


def print_report(plan: "ImportPlan", *, changed: int, dry_run: bool, as_json: bool) -> None:
    """The import's report for a person, or as JSON for a program."""
    import msgspec

    if as_json:
        report = msgspec.to_builtins(plan.report) | {"records_written": changed, "dry_run": dry_run}
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return
    serious = [problem for problem in plan.report.problems if problem.severity != "note"]
    for problem in serious[:SHOWN_PROBLEMS]:
        where = f"{problem.file}:{problem.row}" + (f" {problem.column}" if problem.column else "")
        value = f" ({problem.value})" if problem.value else ""
        click.echo(f"{problem.severity}: {where}{value}: {problem.reason}")
    if len(serious) > SHOWN_PROBLEMS:
        click.echo(f"and {len(serious) - SHOWN_PROBLEMS} more; --json shows all")
    click.echo(plan.report.summary())
    click.echo("dry run: nothing was written" if dry_run else f"{changed} records written")
