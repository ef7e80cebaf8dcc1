"""How ingest says that it is: a retained message of the fleet's own, published by ingest and read by watch."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

INGEST_STATUS_TOPIC = "nw/1/fleet/ingest"
STATUS_EVERY_S = 15.0


class IngestStatus(Struct, frozen=True, kw_only=True):
    """MessagePack, retained. `detail` says why ingest does not take entries, in the database's words.

    `at_ms` is refreshed every 15 s; an old one means unknown. Times are UTC milliseconds; 0 in the last will.
    """

    state: Literal["taking", "store_refuses", "stopped"]
    since_ms: Annotated[int, Meta(ge=0)]
    at_ms: Annotated[int, Meta(ge=0)]
    detail: Annotated[str, Meta(max_length=500)] = ""
    messages: Annotated[int, Meta(ge=0)] = 0
    """Taken since this process began."""
