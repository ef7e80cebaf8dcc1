"""Mosquitto's private configuration, written into `<data>/broker`: TLS, identity by certificate, access by identity, revocation.

The fleet writes it and never starts the broker: systemd or the demo runs `mosquitto -c <data>/broker/mosquitto.conf`.
Works with Mosquitto 2.0.11 (Debian 12) and 2.0.21 (Debian 13).
"""

import getpass
import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path

from fleet.config import Config
from fleet.keys import write_private
from wire.codec import MAX_PICTURE_BYTES
from wire.topics import BEACON_TOPIC, FROM_DEVICE, TO_DEVICE

INGEST, SERVE, ADMIN = "fleet-ingest", "fleet-serve", "fleet-admin"
"""Certificate names, and so client ids, of the fleet's own processes and commands; device names begin with `nw`."""
OWN_CLIENTS = (INGEST, SERVE, ADMIN)
MAX_PACKET_BYTES = MAX_PICTURE_BYTES + 65_536
MAX_INFLIGHT = 2_000
MAX_QUEUED = 20_000
MAX_QUEUED_BYTES = 256 * 1024 * 1024
CONTROL_TOPIC = "$CONTROL/dynamic-security/v1"
_PLUGIN = "mosquitto_dynamic_security.so"
_PLUGIN_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib")


class BrokerError(Exception):
    """Mosquitto, its plugin or its process is not where it should be."""


def write_configuration(folder: Path, config: Config, *, roots_pem: bytes, revocation_list: bytes) -> Path:
    """Write everything Mosquitto reads but its certificate; gives the path of mosquitto.conf.

    An existing dynamic-security.json is left alone, because the running broker owns it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "ca.pem").write_bytes(roots_pem)
    write_revocation_list(folder, revocation_list)
    (folder / "acl").write_text(_access(), encoding="utf-8")
    os.chmod(folder / "acl", 0o600)
    dynamic = folder / "data" / "dynamic-security.json"
    if not dynamic.exists():
        write_private(dynamic, json.dumps(_DYNAMIC_SECURITY).encode())
    path = folder / "mosquitto.conf"
    path.write_text(_configuration(folder.absolute(), config), encoding="utf-8")
    return path


def write_revocation_list(folder: Path, revocation_list: bytes) -> None:
    """Replace the list of revoked certificates; the broker reads it when told to (`reload`)."""
    draft = folder / "revoked.pem.new"
    draft.write_bytes(revocation_list)
    draft.replace(folder / "revoked.pem")


def reload(folder: Path) -> bool:
    """Let the running broker read certificates and revocations again. False when none runs from this folder.

    Raises BrokerError when this process may not signal it.
    """
    try:
        pid = int((folder / "data" / "mosquitto.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError):
        return False
    if b"mosquitto" not in command:
        return False
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise BrokerError(f"process {pid} (Mosquitto) belongs to another user; run the fleet as the same user") from error
    return True


def kick_commands(device: str) -> bytes:
    """The dynamic-security commands that close a device's connection at once; publish on CONTROL_TOPIC.

    Mosquitto would let the certificate in again: that is what the revocation list is for (docs/decisions/0010-…).
    """
    # The last command leaves nothing behind that could stand in the way when the device is paired again.
    steps = ("createClient", "disableClient", "deleteClient")
    return json.dumps({"commands": [{"command": step, "username": device} for step in steps]}).encode()


def plugin_path(folders: Iterable[str] = _PLUGIN_FOLDERS) -> Path:
    """Where Debian put the dynamic-security plugin. Raises BrokerError when Mosquitto is not installed."""
    for folder in folders:
        found = [*Path(folder).glob(_PLUGIN), *Path(folder).glob(f"*/{_PLUGIN}")]
        if found:
            return found[0]
    raise BrokerError(f"{_PLUGIN} is not in {', '.join(folders)}; install Debian's package mosquitto")


def _configuration(folder: Path, config: Config) -> str:
    address = f"listener {config.broker.port} {config.broker.bind}"
    return f"""# Written by `nw-fleet init` from fleet.toml; changes are overwritten.
{address}
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server.key
crlfile {folder}/revoked.pem
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
user {getpass.getuser()}
acl_file {folder}/acl
plugin {plugin_path()}
plugin_opt_config_file {folder}/data/dynamic-security.json
pid_file {folder}/data/mosquitto.pid
persistence true
persistence_location {folder}/data/
autosave_interval 60
max_packet_size {MAX_PACKET_BYTES}
max_inflight_messages {MAX_INFLIGHT}
max_queued_messages {MAX_QUEUED}
max_queued_bytes {MAX_QUEUED_BYTES}
max_keepalive 600
persistent_client_expiration 7d
set_tcp_nodelay true
log_dest stderr
log_dest topic
log_type error
log_type warning
log_type notice
connection_messages true
"""


def _access() -> str:
    lines = [
        "# A device speaks and listens below its own name only; %u is its certificate's name.",
        "# Whether the tenant in the topic is the device's own is checked by the fleet, which knows it.",
        f"pattern read {BEACON_TOPIC}",
        *(f"pattern write nw/1/+/%u/{channel}" for channel in FROM_DEVICE),
        *(f"pattern read nw/1/+/%u/{channel}" for channel in TO_DEVICE),
    ]
    for name in OWN_CLIENTS:
        lines += ["", f"user {name}", f"topic readwrite {'$CONTROL' if name == ADMIN else 'nw/1'}/#"]
        if name == SERVE:
            lines.append("topic read $SYS/broker/log/#")
    return "\n".join(lines) + "\n"


_DYNAMIC_SECURITY = {
    "defaultACLAccess": {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True},
    "clients": [],
    "groups": [],
    "roles": [],
}
"""Used to close connections only: what a client may do is in the acl file, who it is in its certificate."""
