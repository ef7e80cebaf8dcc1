"""What the broker refuses by itself, read from its own log: connections without a good certificate, packets beyond the limit.

Such bytes never reach ingest or serve, so the broker's log (published on `$SYS/broker/log/…`) is the only place that knows.
"""

import re

from msgspec import Struct

LOG_TOPICS = ("$SYS/broker/log/N", "$SYS/broker/log/E")
"""Notices and errors of Mosquitto 2.0 (`log_dest topic`)."""

_OVERSIZED = re.compile(r"Client (nw[a-z0-9-]{1,61}) disconnected.* oversize packet")
_REFUSED = re.compile(r"Client connection from (\S{1,64}) failed: .*certificate verify failed")
_REFUSED_LATER = re.compile(r"OpenSSL Error.*certificate verify failed")
"""The same during a handshake that takes several reads; Mosquitto then does not say from where."""


class Refused(Struct, frozen=True):
    """One refusal. `device` is empty when the broker does not know it, `address` when it does not say it."""

    reason: str
    device: str = ""
    address: str = ""


def read_log(line: bytes) -> Refused | None:
    """What a line of the broker's log refuses, or None for all others."""
    text = line[:1_000].decode(errors="replace")
    if found := _OVERSIZED.search(text):
        return Refused("broker.oversized", device=found[1])
    if found := _REFUSED.search(text):
        return Refused("broker.refused", address=found[1])
    return Refused("broker.refused") if _REFUSED_LATER.search(text) else None
