"""What the command line does beyond calling one service: finding, printing, and which errors it explains."""

import json
from pathlib import Path

import click
import msgspec

from fleet.access.errors import Explained
from fleet.backup import BackupError
from fleet.broker import BrokerError
from fleet.config import ConfigError, load_config
from fleet.hall.importer import MappingInvalid
from fleet.hall.importing import ImportRefused
from fleet.hall.items import ContentMissing
from fleet.ingest.chains import verify_chains
from fleet.keys import KeysError
from fleet.ports import PortTaken
from fleet.registry.records import Device, NotKnown, Pairing, RegistryError
from fleet.services import Fleet
from fleet.store import StoreError, open_store
from pack.errors import PackError

EXPLAINED = (
    BackupError,
    BrokerError,
    ConfigError,
    ContentMissing,
    Explained,
    ImportRefused,
    KeysError,
    MappingInvalid,
    PackError,
    PortTaken,
    RegistryError,
    StoreError,
)


def explained(error: Exception) -> str:
    """The line that tells a person what to mend; empty for an error that is a defect of ours."""
    if isinstance(error, EXPLAINED):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}; name a place that exists and that you may write to"
    return ""


def print_verification(data: Path, *, as_json: bool) -> bool:
    """Recompute all chains and tell; gives whether everything fits."""
    store = open_store(load_config(data).database or data, writes="fleet")
    report = verify_chains(store)
    store.close()
    if as_json:
        told = {"journals": report.journals, "verified": report.verified, "entries": report.entries}
        click.echo(json.dumps(told | {"faults": msgspec.to_builtins(report.faults)}, ensure_ascii=False))
        return not report.faults
    for fault in report.faults:
        click.echo(f"journal {fault.journal_id} of {fault.device}, entry {fault.seq}: {fault.what}")
    click.echo(f"{report.verified} of {report.journals} journals verified, {report.entries} entries")
    return not report.faults


def waiting(fleet: Fleet, code: str) -> Pairing:
    """The waiting pairing with a code, however it was typed. Raises NotKnown, naming the codes that do wait."""
    wanted = code.upper().replace("-", "").replace(" ", "")
    found = fleet.pairings.all(state="waiting")
    for pairing in found:
        if pairing.code.replace("-", "") == wanted:
            return pairing
    codes = ", ".join(pairing.code for pairing in found) or "none"
    raise NotKnown(f"no device with code {code} waits; waiting now: {codes}")


def print_devices(fleet: Fleet, *, as_json: bool) -> None:
    """Devices and waiting pairings, as a table or as JSON."""
    rows = [_row(fleet, device) for device in fleet.registry.devices()]
    for pairing in fleet.pairings.all(state="waiting"):
        known = "registered already, approving replaces that" if fleet.pairings.is_known(pairing.device) else ""
        waits = {"device": pairing.device, "role": pairing.role, "state": "waiting", "code": pairing.code, "known": known}
        rows.append({**_BLANK, **waits})
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values() if value))
    if not rows:
        click.echo("no device is paired and none waits")


_BLANK = {"device": "", "role": "", "state": "", "hall": "", "window": "", "label": "", "code": "", "known": ""}


def _row(fleet: Fleet, device: Device) -> dict[str, str]:
    row = {**_BLANK, "device": device.name, "role": device.role, "state": "revoked" if device.is_revoked else "paired"}
    placing = fleet.registry.placement(device.name)
    if placing is not None:
        row.update(hall=placing.hall, window=placing.window, label=placing.label.get("zh", ""))
    return row
