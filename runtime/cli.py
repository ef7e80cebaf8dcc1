"""`nw-agent`: run the agent, ask how the device is, read and verify a journal, check a configuration."""

import json
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import structlog

from runtime import config as configuration
from runtime.clock import SystemClock
from runtime.config import ConfigError, DeviceConfig
from runtime.journalfile import JournalError, JournalReader, Row, files
from runtime.process import set_up_log, software_name
from wire.codec import WireError
from wire.kinds import JournalOpened, OpsNote, PlacementChanged, read_body
from wire.messages import Placement

CONFIG = click.option(
    "--config", "config_path", required=True, type=click.Path(path_type=Path), help="The device's configuration, device.toml."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
TRUST = ("untrusted", "battery", "synced")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The agent of a Nightwindow device: it owns the network, the face owns screen and hardware.

    Exit status: 0 all is well, 1 something is wrong (said on standard error), 2 wrong use.
    """


@main.command()
@CONFIG
def run(config_path: Path) -> None:
    """Run the agent until SIGTERM or Ctrl-C.

    Works without a network: it pairs as soon as the fleet can be reached and hands over whatever has been recorded.
    """
    from runtime.agent import Agent
    from runtime.identity import IdentityError, ensure
    from runtime.local import LocalError
    from runtime.store import StoreError

    config = _load(config_path)
    set_up_log(config.log.level)
    try:
        identity = ensure(config.data_path)
        agent = Agent(config, identity=identity, clock=SystemClock(), software=software_name())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: agent.stop())
        structlog.get_logger("runtime.cli").info("agent runs", device=identity.device, data_dir=config.data_dir)
        agent.run()
    except (IdentityError, StoreError, LocalError) as error:
        _fail([str(error)])


@main.command()
@CONFIG
@AS_JSON
def check(config_path: Path, as_json: bool) -> None:
    """Check a configuration and print what is in effect; every mistake is explained at once.

    The [hal] table is checked by `nw-hal list`.
    """
    settings = configuration.dotted(_load(config_path))
    if as_json:
        click.echo(json.dumps(settings, ensure_ascii=False, indent=2))
        return
    for name, value in settings.items():
        click.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    click.echo(f"{config_path}: {len(settings)} settings, no mistakes")


@main.command()
@CONFIG
@AS_JSON
def status(config_path: Path, as_json: bool) -> None:
    """Tell how this device stands: pairing, link, journals and what waits. Reads the disk only; changes nothing."""
    found = device_status(_load(config_path))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    click.echo(f"device     {found['device'] or 'no keys yet'}")
    click.echo(f"agent      {'runs' if found['agent_runs'] else 'does not run'}")
    click.echo(f"pairing    {found['pairing']}{'  code ' + found['pairing_code'] if found['pairing_code'] else ''}")
    click.echo(f"link       {found['link']} since {found['link_since'] or 'unknown'}")
    click.echo(f"config     version {found['configuration_version']}")
    click.echo(f"content    {found['content_version'] or 'none'}")
    for journal in found["journals"]:
        click.echo(_journal_line(journal))


def _journal_line(journal: dict[str, Any]) -> str:
    if "error" in journal:
        return f"journal    {journal['file']}: {journal['error']}"
    stopped = f", STOPPED: {journal['stopped']}" if journal["stopped"] else ""
    return (
        f"journal    {journal['file']}: entries {journal['first_held']}–{journal['last_seq']}, in custody through "
        f"{journal['in_custody']}, archived through {journal['archived']}{stopped}"
    )


def device_status(config: DeviceConfig) -> dict[str, Any]:
    """What `nw-agent status` prints."""
    from runtime.facehub import is_answered
    from runtime.local import DeviceView, read_view

    runs = config.socket_path.exists() and is_answered(config.socket_path)
    view = read_view(config.data_path) or DeviceView(device="")
    return {
        "device": view.device,
        "agent_runs": runs,
        "pairing": view.pairing,
        "pairing_code": view.pairing_code if runs else "",
        "link": view.link if runs else "unknown",
        "link_since": _time(view.link_since_ms) if view.link_since_ms else "",
        "trouble": view.trouble,
        "configuration_version": view.desired.version if view.desired else 0,
        "content_version": view.content_version,
        "content_path": view.content_path,
        "journals": [_journal_status(config, path) for stream in ("evidence", "ops") for path in files(config.data_path, stream)],
    }


def _journal_status(config: DeviceConfig, path: Path) -> dict[str, Any]:
    from runtime.store import read_mark

    try:
        with JournalReader(path) as reader:
            mark = read_mark(config.data_path / "agent.db", reader.journal_id)
            return {
                "file": path.name,
                "journal_id": reader.journal_id.hex(),
                "first_held": reader.first_held(),
                "last_seq": reader.last_seq(),
                "in_custody": mark.in_custody,
                "archived": mark.archived,
                "stopped": mark.stopped,
            }
    except JournalError as error:
        return {"file": path.name, "error": str(error)}


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--verify", is_flag=True, help="Check every entry's place, chain and body; exit status 1 at the first bad one.")
@click.option("--last", type=click.IntRange(min=0), default=20, show_default=True, help="How many entries to print; 0 for all.")
@AS_JSON
def journal(file: Path, verify: bool, last: int, as_json: bool) -> None:
    """Print the entries of a journal FILE, for example evidence.db, and verify its chain.

    Prints headers. Bodies are printed of journal.opened and ops.note only, never of ratings. The file is not changed.
    """
    try:
        with JournalReader(file) as reader:
            end = reader.verify().seq if verify else reader.last_seq()
            after = max(reader.first_held() - 1, end - last if last else 0)
            rows = list(reader.rows(after))
            head = {
                "file": str(file),
                "journal_id": reader.journal_id.hex(),
                "stream": reader.stream,
                "device": reader.device,
                "first_held": reader.first_held(),
                "last_seq": end,
                "verified": end - reader.first_held() + 1 if verify else None,
            }
    except JournalError as error:
        _fail([str(error)])
        return
    if as_json:
        click.echo(json.dumps(head | {"entries": [_row(row) for row in rows]}, ensure_ascii=False, indent=2))
        return
    click.echo(f"journal {head['journal_id']}, {head['stream']} of {head['device']}, entries {head['first_held']}–{end}")
    for row in rows:
        shown = _row(row)
        body = json.dumps(shown["body"], ensure_ascii=False) if shown["body"] else ""
        click.echo(
            f"{shown['seq']:>8}  {shown['at']} {shown['clock']:<9}  {shown['kind']:<18} {shown['hash'][:16]}  {body}".rstrip()
        )
    if verify:
        click.echo(f"verified: {head['verified']} entries, one unbroken chain")


def _row(row: Row) -> dict[str, Any]:
    header = row.header
    return {
        "seq": header.seq,
        "at": _time(header.wall_ms),
        "clock": TRUST[header.clock_trust] if header.clock_trust < len(TRUST) else str(header.clock_trust),
        "kind": header.kind,
        "kind_version": header.kind_version,
        "hash": row.hash.hex(),
        "erased": row.entry.is_erased,
        "body": None if row.entry.is_erased else _shown_body(header.kind, header.kind_version, row.entry.body),
    }


def _shown_body(kind: str, kind_version: int, body: bytes) -> dict[str, Any] | None:
    with suppress(WireError):
        found = read_body(kind, kind_version, body)
        if isinstance(found, OpsNote):
            return {"what": found.what, **found.args}
        if isinstance(found, JournalOpened):
            before = found.predecessor
            gap = {"predecessor": before.journal_id.hex(), "through": before.last_seq, "gap": before.gap} if before else {}
            return {"device": found.device, "signing_key": found.signing_key.hex(), **_place(found.placement), **gap}
        if isinstance(found, PlacementChanged):
            return _place(found.placement)
    return None


def _place(placement: Placement | None) -> dict[str, Any]:
    return {"hall": placement.hall, "window": placement.window, "label": placement.label.get("zh", "")} if placement else {}


def _time(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"


def _load(path: Path) -> DeviceConfig:
    try:
        return configuration.load(path)
    except ConfigError as error:
        _fail([f"{path}:", *error.problems])
        raise AssertionError from error


def _fail(lines: list[str]) -> None:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
