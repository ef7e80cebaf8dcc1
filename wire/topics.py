"""Names of MQTT topics, `nw/1/<tenant>/<device>/<channel>`. Hall and window are never in a topic: they are dated placements."""

import re
from typing import Literal, NamedTuple, get_args

from wire.codec import Malformed

Channel = Literal["journal", "hello", "custody", "presence", "state", "desired", "command", "report", "picture", "ask", "answer"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
FROM_DEVICE: tuple[Channel, ...] = ("journal", "hello", "presence", "state", "report", "picture", "ask")
TO_DEVICE: tuple[Channel, ...] = ("custody", "desired", "command", "answer")
RETAINED: tuple[Channel, ...] = ("presence", "state", "desired")
BEACON_TOPIC = "nw/1/fleet"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""Tenants and devices: lower-case letters, digits and hyphens, so that no MQTT wildcard or level can hide in them."""


class Topic(NamedTuple):
    """A parsed topic."""

    tenant: str
    device: str
    channel: Channel


def topic(tenant: str, device: str, channel: Channel) -> str:
    """The topic of one channel of one device. Raises Malformed for a name that `NAME` does not match."""
    for name in (tenant, device):
        if not NAME.fullmatch(name):
            raise Malformed(f"{name!r} cannot stand in a topic; use 1–63 lower-case letters, digits and hyphens")
    return f"nw/1/{tenant}/{device}/{channel}"


def parse(text: str) -> Topic:
    """The parts of a topic. Raises Malformed for anything that `topic` would not make."""
    parts = text.split("/")
    if len(parts) != 5 or parts[:2] != ["nw", "1"] or parts[4] not in CHANNELS:
        raise Malformed(f"{text[:120]!r} is not a topic of this protocol (nw/1/<tenant>/<device>/<channel>)")
    if not (NAME.fullmatch(parts[2]) and NAME.fullmatch(parts[3])):
        raise Malformed(f"{text[:120]!r} names a tenant or device with characters that are not allowed")
    return Topic(parts[2], parts[3], parts[4])


def every_device(channel: Channel) -> str:
    """The subscription for one channel of every device of every tenant (the fleet's)."""
    return f"nw/1/+/+/{channel}"
