"""The protocol as an AsyncAPI 3 document, made from the message types: `python -m wire.asyncapi > docs/asyncapi.json`."""

import inspect
import json
from typing import Any

import msgspec

from wire import custody, kinds, messages
from wire.topics import BEACON_TOPIC, FROM_DEVICE, RETAINED, TO_DEVICE, Channel

PAYLOADS: dict[Channel, tuple[type[msgspec.Struct], str]] = {
    "journal": (custody.BatchMessage, "Contiguous entries of one journal, signed by the device."),
    "hello": (custody.Hello, "Where the device's journals stand; sent on every connection."),
    "custody": (custody.Signed, "A signed Ack or Nack: what the fleet has committed."),
    "presence": (messages.Presence, "Whether the device is there; also its last will."),
    "state": (messages.DeviceState, "What the device reports of itself."),
    "desired": (messages.SignedDesired, "What the fleet wants of the device: a signed Desired."),
    "command": (messages.Command, "An order with an expiry."),
    "report": (messages.Report, "What became of a command."),
    "picture": (messages.Picture, "The masked picture of a screen that a command asked for."),
    "ask": (messages.Ask, "A question with a deadline; response topic and correlation data as in MQTT 5."),
    "answer": (messages.Answer, "The answer to an Ask, only on the asking device's own channel."),
}
_INNER = (
    custody.BatchSigned,
    custody.Ack,
    custody.Nack,
    messages.Desired,
    messages.Beacon,
    kinds.PressSecret,
    kinds.CloseSecret,
    *dict.fromkeys(kinds.KINDS.values()),
)


def document() -> dict[str, Any]:
    """The whole AsyncAPI 3.0 document as plain values."""
    types = [payload for payload, _ in PAYLOADS.values()]
    _, schemas = msgspec.json.schema_components([*types, *_INNER], ref_template="#/components/schemas/{name}")
    for schema in schemas.values():
        # Python 3.13 takes the indent out of docstrings, 3.11 leaves it in; the document is the same from both.
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    channels: dict[str, Any] = {name: _channel(name) for name in PAYLOADS}
    channels["beacon"] = {
        "address": BEACON_TOPIC,
        "description": "Retained: a signed Beacon.",
        "messages": {"beacon": {"$ref": "#/components/messages/custody"}},
    }
    operations = {f"send_{name}": _operation(name, "send") for name in FROM_DEVICE}
    operations |= {f"receive_{name}": _operation(name, "receive") for name in TO_DEVICE}
    operations["receive_beacon"] = {"action": "receive", "channel": {"$ref": "#/channels/beacon"}}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Nightwindow device protocol",
            "version": "1",
            "description": (
                "Seen from a device. Payloads are MessagePack; byte strings are shown as base64. "
                "Structs that the schemas show as arrays travel as arrays. docs/wire.md explains them, with test vectors."
            ),
        },
        "defaultContentType": "application/msgpack",
        "channels": channels,
        "operations": operations,
        "components": {"messages": {name: _message(name) for name in PAYLOADS}, "schemas": schemas},
    }


def _channel(name: Channel) -> dict[str, Any]:
    bindings = {"mqtt": {"bindingVersion": "0.2.0"}}
    return {
        "address": f"nw/1/{{tenant}}/{{device}}/{name}",
        "description": PAYLOADS[name][1] + (" Retained." if name in RETAINED else ""),
        "parameters": {
            "tenant": {"description": "Who runs the hall."},
            "device": {"description": "The device's name, which is its certificate's and its MQTT client id."},
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": bindings,
    }


def _operation(name: Channel, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "bindings": {"mqtt": {"qos": 1, "retain": name in RETAINED, "bindingVersion": "0.2.0"}},
    }


def _message(name: Channel) -> dict[str, Any]:
    kind = PAYLOADS[name][0]
    return {"name": kind.__name__, "summary": PAYLOADS[name][1], "payload": {"$ref": f"#/components/schemas/{kind.__name__}"}}


if __name__ == "__main__":
    print(json.dumps(document(), ensure_ascii=False, indent=1))
