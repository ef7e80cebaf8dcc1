"""What the fleet wants of this device: verified, kept on the disk, and applied without a network too."""

from pathlib import Path

import structlog
from nacl.signing import VerifyKey

from runtime.identity import write_private
from runtime.store import AgentStore
from wire.codec import Malformed, WireError, decode
from wire.messages import Desired, SignedDesired
from wire.signing import verify

log = structlog.get_logger("runtime.desired")
FILE = "desired.msgpack"


def read_desired(data: bytes, fleet_key: VerifyKey, *, device: str) -> Desired:
    """Check the fleet's signature and the addressee. Raises WireError of the kind that fits."""
    outer = decode(data, SignedDesired)
    verify(fleet_key, "desired", outer.signed, outer.signature)
    desired = decode(outer.signed, Desired)
    if desired.device != device:
        raise Malformed(f"configuration for {desired.device} reached {device}")
    return desired


class DesiredKeeper:
    """The configuration that applies now. `current` is None until the fleet has sent one."""

    def __init__(self, data_dir: Path, *, device: str, fleet_key: VerifyKey, store: AgentStore) -> None:
        self._path = data_dir / FILE
        self._device, self._fleet_key, self._store = device, fleet_key, store
        self.current: Desired | None = None
        try:
            self.current = read_desired(self._path.read_bytes(), fleet_key, device=device)
        except FileNotFoundError:
            log.info("no configuration from the fleet yet")
        except (OSError, WireError) as error:
            log.warning("the kept configuration cannot be used; the fleet sends it again", error=str(error))

    def take(self, data: bytes) -> bool:
        """Take a configuration over when it is the fleet's own and newer; whether it was taken. It is durable then.

        An older version counts only from another incarnation of the fleet: one restored from a backup starts behind.

        Raises WireError for one that is not the fleet's, OSError when it cannot be kept.
        """
        desired = read_desired(data, self._fleet_key, device=self._device)
        incarnation = self._store.get("incarnation") or b""
        if self.current is not None:
            is_same_fleet = self._store.get("desired_incarnation") in (None, b"", incarnation)
            if desired == self.current or (is_same_fleet and desired.version <= self.current.version):
                return False
        write_private(self._path, data)
        self._store.put("desired_incarnation", incarnation)
        self.current = desired
        return True
