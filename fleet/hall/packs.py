"""Builds a hall's pack from its stored content, signed with the fleet's signing key."""

from datetime import UTC, datetime
from pathlib import Path

from pack.build import PackInfo, build
from pack.model import Content


def build_pack(
    content: Content, out: Path | str, signer: bytes, *, built_at: datetime | None = None, version: str = ""
) -> PackInfo:
    """Write `content` as a signed pack to `out`; `signer` is the signing key's raw 32-byte seed.

    Raises what `pack.build.build` raises; then nothing was written.
    """
    return build(content, out, built_at=built_at or datetime.now(UTC), signer=signer, version=version)
