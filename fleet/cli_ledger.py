"""`nw-fleet ledger …`: the public ledger from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import click

from fleet.cli_options import DATA

DUMP = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def ledger() -> None:
    """The public ledger of ratings: append, prove, check. docs/ledger.md tells what it proves."""


@ledger.command("publish")
@DATA
def publish(data: Path) -> None:
    """Append every finished day and publish every finished month now; serve does the same every night."""
    from fleet.app import open_fleet

    fleet = open_fleet(data)
    fleet.projection.catch_up()
    made = fleet.ledger.keep_up()
    for head in made:
        click.echo(f"{head.label}: {head.size} entries, root {head.root.hex()}")
    if not made:
        click.echo("nothing is due: a day is appended half an hour after it ended")
    fleet.close()


@ledger.command("head")
@DATA
@click.option("--size", type=click.IntRange(min=0), help="The head of this size instead of the newest.")
def head(data: Path, size: int | None) -> None:
    """Print a signed head with its cosignatures, and on the last line the key that checks it."""
    from fleet.app import open_fleet
    from fleet.registry.records import NotKnown

    fleet = open_fleet(data)
    found = fleet.ledger.head(size)
    fleet.close()
    if found is None:
        raise NotKnown("the ledger has no such head yet; `nw-fleet ledger publish` appends finished days")
    click.echo(found.note, nl=False)
    click.echo(f"\nkey: {fleet.ledger.verifier_key}")


@ledger.command("proof")
@DATA
@click.argument("receipt")
def proof(data: Path, receipt: str) -> None:
    """Print the proof of the rating behind RECEIPT as JSON: entry, position, path and head."""
    from fleet.app import open_fleet
    from fleet.ratings.ledger.service import as_json
    from fleet.registry.records import NotKnown

    fleet = open_fleet(data)
    found = fleet.ledger.receipt(receipt)
    fleet.close()
    if not found:
        raise NotKnown(f"the ledger has no rating with receipt {receipt}; ratings enter it in the night after they arrive")
    click.echo(json.dumps([as_json(each) for each in found], ensure_ascii=False, indent=1))
    sys.exit(0 if all(each.sound for each in found) else 1)


@ledger.command("dump")
@DATA
@click.argument("month")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
def dump(data: Path, month: str, out: Path) -> None:
    """Write the published MONTH (2026-11) as the file that the stand-alone verifier reads."""
    from fleet.app import open_fleet
    from fleet.ratings.ledger.dump import dump_lines

    fleet = open_fleet(data)
    lines = dump_lines(fleet.ledger, month)
    first = next(lines)
    with out.open("w", encoding="utf-8", newline="\n") as file:
        file.write(first)
        file.writelines(lines)
    fleet.close()
    click.echo(f"{out}: {out.stat().st_size} bytes")


@ledger.command("verify")
@DATA
@click.option("--no-openings", is_flag=True, help="Do not open the leaves, which takes most of the time.")
@click.option("--dump", "file", type=DUMP, help="Check this dump with the stand-alone verifier instead of the store.")
@click.option("--before", type=DUMP, help="With --dump: the dump of the month before.")
def verify(data: Path, no_openings: bool, file: Path | None, before: Path | None) -> None:
    """Recompute the whole ledger from its rows and name every one that does not fit; exit status 1 when there is one."""
    from fleet.app import open_fleet
    from fleet.ratings.ledger import ledger_verify
    from fleet.ratings.ledger.audit import audit

    if file is not None:
        more = ["--before", str(before)] if before else []
        sys.exit(subprocess.run([sys.executable, str(ledger_verify.__file__), str(file), *more]).returncode)
    fleet = open_fleet(data)
    found = audit(fleet.ledger, openings=not no_openings)
    fleet.close()
    for fault in found.faults:
        click.echo(fault)
    told = "everything fits" if not found.faults else f"{len(found.faults)} faults"
    click.echo(f"{found.entries} entries, {found.ratings} ratings, {found.heads} heads: {told}")
    sys.exit(1 if found.faults else 0)


@ledger.command("witness")
@DATA
@click.argument("key")
@click.option("--by", default="nw-fleet", show_default=True, help="Who decides, for the record.")
def witness(data: Path, key: str, by: str) -> None:
    """Let the witness with this KEY (name+hash+base64) cosign heads at /ledger/cosignature."""
    from fleet.app import open_fleet

    fleet = open_fleet(data)
    name = fleet.ledger.add_witness(key, by=by)
    fleet.audit.note(by, "ledger.witness", subject=name, detail=key)
    fleet.close()
    click.echo(f"{name} may cosign")
