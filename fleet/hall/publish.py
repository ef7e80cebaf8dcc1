"""Building a hall's pack from its stored content and making it what the hall's devices show, in one go."""

import tempfile
from pathlib import Path

from fleet.control.service import Control
from fleet.hall.items import Items
from fleet.hall.packs import build_pack
from wire.codec import encode
from wire.messages import ContentRef


def publish(items: Items, control: Control, hall: str, *, signer: bytes, by: str) -> ContentRef:
    """Build, keep and publish; the devices of the hall are told at once. `signer` is the signing key's seed.

    Raises ContentMissing or pack's ContentInvalid with every reason; then nothing was published.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content.nwpack"
        info = build_pack(items.content(hall), path, signer)
        manifest = info.manifest
        ref = control.packs.publish(
            hall, path, version=manifest.version, manifest=encode(manifest), built_ms=manifest.built_at_ms, by=by
        )
    control.refresh_all()
    return ref
