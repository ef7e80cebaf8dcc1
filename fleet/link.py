"""The fleet's own MQTT clients: TLS with a certificate whose name is the client id."""

import ssl
from pathlib import Path

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fleet.config import Config

KEEPALIVE_S = 30
SESSION_EXPIRY_S = 3_600


def make_client(data: Path, name: str, *, manual_ack: bool) -> mqtt.Client:
    """A client for one of `fleet.broker.OWN_CLIENTS`, not yet connected. Reads its certificate from `<data>/broker`.

    Raises FileNotFoundError before `nw-fleet init` has made the certificate.
    """
    folder = data / "broker"
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5, manual_ack=manual_ack)
    client.tls_set_context(context)
    return client


def connect(client: mqtt.Client, config: Config, *, receive_maximum: int = 1_000) -> None:
    """Connect to the broker; blocks for the TCP and TLS handshake. Raises OSError."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = receive_maximum
    client.connect(config.broker.host, config.broker.port, KEEPALIVE_S, clean_start=False, properties=properties)
