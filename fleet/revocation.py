"""Revoking a device at the broker: its connection is closed at once, and its certificates open no other."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

from paho.mqtt import client as mqtt

from fleet import broker, link, setup
from fleet.config import Config
from fleet.registry.authority import Authority
from fleet.store import Store

KICK_DEADLINE_S = 5.0


class Revocation:
    """Brings the broker in line with the registry's revoked certificates. `clock` gives the time for the list."""

    def __init__(
        self, data: Path, config: Config, store: Store, authority: Authority, *, clock: Callable[[], dt.datetime] | None = None
    ) -> None:
        self._data, self._config, self._store, self._authority = data, config, store, authority
        self._clock = clock or (lambda: dt.datetime.now(dt.UTC))

    def apply(self, device: str) -> None:
        """Write the revocation list, let the broker read it, close the device's connection.

        When no broker runs, the list alone is written: it will read it at its start. Raises BrokerError when a running broker
        could not be told; the registry's own refusal of the device holds in any case.
        """
        serials = setup.revoked_serials(self._store)
        folder = self._data / "broker"
        broker.write_revocation_list(folder, self._authority.revocation_list(serials, now=self._clock()))
        broker.reload(folder)
        self._kick(device)

    def _kick(self, device: str) -> None:
        client = link.make_client(self._data, broker.ADMIN, manual_ack=False)
        answered: list[bytes] = []
        client.on_connect = lambda c, *_: c.subscribe(f"{broker.CONTROL_TOPIC}/response", qos=1)
        client.on_subscribe = lambda c, *_: c.publish(broker.CONTROL_TOPIC, broker.kick_commands(device), qos=1)
        client.on_message = lambda _c, _d, message: answered.append(bytes(message.payload))
        try:
            link.connect(client, self._config)
        except ConnectionRefusedError:
            return  # No broker, no connection to close.
        except OSError as error:
            raise broker.BrokerError(f"the broker does not answer ({error}); restart Mosquitto to close {device}") from error
        _loop_until(client, lambda: bool(answered))
        client.disconnect()
        if not answered:
            raise broker.BrokerError(
                f"the broker did not confirm closing {device} within {KICK_DEADLINE_S:.0f} s; restart Mosquitto"
            )


def _loop_until(client: mqtt.Client, is_done: Callable[[], bool]) -> None:
    until = time.monotonic() + KICK_DEADLINE_S
    while not is_done() and time.monotonic() < until:
        client.loop(0.1)
