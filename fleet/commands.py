"""What the command line does beyond calling one service: finding, printing, and which errors it explains."""

import json

import click

from fleet.app import Fleet
from fleet.broker import BrokerError
from fleet.config import ConfigError
from fleet.keys import KeysError
from fleet.registry.records import Device, NotKnown, Pairing, RegistryError
from fleet.serve import ServeError
from fleet.store import StoreError

EXPLAINED = (BrokerError, ConfigError, KeysError, RegistryError, ServeError, StoreError)


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
        rows.append({**_BLANK, "device": pairing.device, "role": pairing.role, "state": "waiting", "code": pairing.code})
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values() if value))
    if not rows:
        click.echo("no device is paired and none waits")


_BLANK = {"device": "", "role": "", "state": "", "hall": "", "window": "", "label": "", "code": ""}


def _row(fleet: Fleet, device: Device) -> dict[str, str]:
    row = {**_BLANK, "device": device.name, "role": device.role, "state": "revoked" if device.is_revoked else "paired"}
    placing = fleet.registry.placement(device.name)
    if placing is not None:
        row.update(hall=placing.hall, window=placing.window, label=placing.label.get("zh", ""))
    return row
