"""MQTT clients for tests of the fleet: a device with its certificate, or one of the fleet's own, on a private broker."""

import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from fleet_model import ModelDevice
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from private_servers import wait_for


class Client:
    """A connected MQTT 5 client; `messages` holds (topic, payload) as they come. `is_up` and `reasons` tell how the link is."""

    def __init__(
        self,
        port: int,
        *,
        ca: Path,
        certificate: Path | None,
        key: Path | None,
        client_id: str = "",
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.reasons: list[str] = []
        self.acknowledged: dict[int, str] = {}
        self._lock = threading.Lock()
        context = ssl.create_default_context(cafile=str(ca))
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        self.mqtt.tls_set_context(context)
        self.mqtt.on_message = lambda _c, _d, message: self.messages.append((message.topic, message.payload))
        self.mqtt.on_disconnect = lambda _c, _d, _f, reason, _p: self.reasons.append(str(reason))
        self.mqtt.on_publish = lambda _c, _d, mid, reason, _p: self.acknowledged.__setitem__(mid, str(reason))
        self._granted: dict[int, list[str]] = {}
        self.mqtt.on_subscribe = lambda _c, _d, mid, reasons, _p: self._granted.__setitem__(mid, [str(r) for r in reasons])
        self.mqtt.connect("localhost", port, 30, clean_start=True)
        self.mqtt.loop_start()

    @property
    def is_up(self) -> bool:
        return self.mqtt.is_connected()

    def wait_up(self) -> "Client":
        """Wait for the connection; AssertionError with the reasons when it does not come."""
        wait_for(lambda: self.is_up or self.reasons, what="the connection")
        assert self.is_up, self.reasons
        return self

    def subscribe(self, *topics: str) -> None:
        """Subscribe and wait for the broker's answer."""
        _, mid = self.mqtt.subscribe([(topic, mqtt.SubscribeOptions(qos=1)) for topic in topics])
        wait_for(lambda: mid in self._granted, what="the subscription")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> str:
        """Publish and give the broker's answer, for example Success or Not authorized."""
        info = self.mqtt.publish(topic, payload, qos=1, retain=retain)
        wait_for(lambda: info.mid in self.acknowledged or self.reasons, what="the PUBACK")
        return self.acknowledged.get(info.mid, "disconnected")

    def received(self, topic: str) -> list[bytes]:
        """Payloads that came on a topic."""
        return [payload for name, payload in list(self.messages) if name == topic]

    def close(self) -> None:
        """Disconnect and end the thread."""
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


def device_client(data: Path, port: int, device: ModelDevice, certificate: bytes, *, client_id: str = "") -> Client:
    """A client with a device's own certificate (DER)."""
    folder = data.parent / "devices"
    folder.mkdir(exist_ok=True)
    key, pem = folder / f"{device.name}.key", folder / f"{device.name}.pem"
    key.write_bytes(device.tls_key_pem())
    pem.write_bytes(x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM))
    return Client(port, ca=data / "broker" / "ca.pem", certificate=pem, key=key, client_id=client_id)


def fleet_client(data: Path, port: int, name: str = "fleet-serve") -> Client:
    """A client with one of the fleet's own certificates."""
    folder = data / "broker"
    return Client(port, ca=folder / "ca.pem", certificate=folder / f"{name}.pem", key=folder / f"{name}.key", client_id=name)
