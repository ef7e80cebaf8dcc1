"""The fleet's own keys: made once by `nw-fleet init`, kept in `<data>/keys` readable by their owner alone.

`signing` signs acknowledgements, desired configuration, content packs and the beacon, each with a domain of its own (wire.signing);
`seal` opens what devices seal; `contacts` encrypts
how raters can be reached. The certificate authority's key is apart, in `fleet.registry.authority`.
"""

import os
from pathlib import Path

from msgspec import Struct
from nacl.public import PrivateKey
from nacl.signing import SigningKey

NAMES = ("signing", "seal", "contacts")
KEY_BYTES = 32


class KeysError(Exception):
    """The fleet's keys are missing, unreadable or readable by others."""


class Keys(Struct, frozen=True):
    """The private keys of one fleet. Public halves: `signing.verify_key`, `seal.public_key`."""

    signing: SigningKey
    seal: PrivateKey
    contacts: bytes


def make_keys(folder: Path) -> None:
    """Make the keys that are not there yet; existing ones are never touched."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in NAMES:
        if not _path(folder, name).exists():
            write_private(_path(folder, name), os.urandom(KEY_BYTES))


def load_keys(folder: Path) -> Keys:
    """Read the keys. Raises KeysError for a missing key, a wrong length, or a file that others may read."""
    signing, seal, contacts = (read_private(_path(folder, name), size=KEY_BYTES) for name in NAMES)
    return Keys(SigningKey(signing), PrivateKey(seal), contacts)


def write_private(path: Path, data: bytes) -> None:
    """Put a secret into a new file that only its owner reads; it is complete on the disk or not there at all."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def read_private(path: Path, *, size: int | None = None) -> bytes:
    """Read a secret. Raises KeysError as `load_keys` does."""
    try:
        mode = path.stat().st_mode & 0o077
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise KeysError(
            f"{path} is missing; run `nw-fleet init`, or restore it from a backup: devices trust only the old keys"
        ) from error
    except OSError as error:
        raise KeysError(f"{path} cannot be read: {error.strerror}. Run the fleet as its data directory's owner") from error
    if mode:
        raise KeysError(f"{path} may be read by others (mode {mode:03o} beyond its owner); run: chmod 600 {path}")
    if size is not None and len(data) != size:
        raise KeysError(f"{path} has {len(data)} bytes instead of {size}; restore it from a backup")
    return data


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.key"
