"""A device that makes signed entries as a real one would, and what such a device says of itself."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
from nacl.signing import SigningKey

from fleet.ingest.intake import Message
from fleet.registry.pairing import device_name
from wire.custody import make_batch
from wire.entry import NO_HASH, SYNCED, Entry, make_entry
from wire.kinds import CloseSecret, JournalOpened, PressSecret, RatingClosed, RatingInvited, RatingPressed, encode_body
from wire.leaf import leaf, new_secret, seal
from wire.messages import DeviceState, Invitation, PartHealth
from wire.topics import topic

DAY_MS = 86_400_000
REASONS = {
    5: ("lv5.one_window", "lv5.warm", "lv5.nearby"),
    4: ("lv4.one_list", "lv4.good"),
    3: ("lv3.average",),
    2: ("lv2.three_trips", "lv2.no_list"),
    1: ("lv1.many_windows",),
}


class SeedDevice:
    """A device that makes entries as a real one would."""

    def __init__(self, name_seed: int, *, role: str, hall: str, window: str, label: str) -> None:
        self.key = SigningKey(name_seed.to_bytes(32, "big"))
        self.name = device_name(bytes(self.key.verify_key))
        self.role, self.hall, self.window, self.label = role, hall, window, label
        self.journal_id = name_seed.to_bytes(16, "big")
        self.seq, self.hash = 0, NO_HASH
        self.waiting: list[Entry] = []

    def append(self, kind: str, body: Any, *, at_ms: int, trust: int = SYNCED) -> None:
        """Add one entry to the journal."""
        if self.seq == 0 and kind != "journal.opened":
            opened = JournalOpened(device=self.name, stream="evidence", signing_key=bytes(self.key.verify_key))
            self.append("journal.opened", opened, at_ms=at_ms)
        self.seq += 1
        entry = make_entry(
            journal_id=self.journal_id,
            seq=self.seq,
            kind=kind,
            kind_version=1,
            wall_ms=at_ms,
            clock_trust=trust,
            boot_id=bytes(16),
            mono_ms=0,
            prev_hash=self.hash,
            salt=random.Random(self.seq).randbytes(16),
            body=encode_body(kind, body),
        )
        self.hash = entry.hash
        self.waiting.append(entry)

    def batches(self, tenant: str) -> Iterator[Message]:
        """Everything appended since the last call, as signed messages."""
        first = self.seq - len(self.waiting) + 1
        for start in range(0, len(self.waiting), 100):
            part = self.waiting[start : start + 100]
            payload = make_batch(part, device=self.name, journal_id=self.journal_id, first_seq=first + start, key=self.key)
            yield Message(topic(tenant, self.name, "journal"), payload)
        self.waiting = []

    def rate(
        self,
        level: int | None,
        *,
        at_ms: int,
        seal_key: bytes,
        dice: random.Random,
        stage: str = "finish",
        clerk: str = "",
        item: str = "",
        invited: bool = True,
    ) -> bytes:
        """One rating occasion from invitation to close; `level` None means nobody pressed."""
        rating, occasion = dice.randbytes(16), dice.randbytes(16) if invited else None
        if occasion is not None:
            invitation = Invitation(occasion=occasion, stage=stage, clerk_number=clerk, item_code=item, expires_ms=at_ms + 60_000)  # type: ignore[arg-type]
            self.append("rating.invited", RatingInvited(invitation=invitation), at_ms=at_ms)
        made, standing = None, None
        if level is not None:
            secret = new_secret()
            made = leaf(level, secret)
            sealed = seal(PressSecret(level=level, secret=secret), seal_key)
            press = RatingPressed(rating=rating, occasion=occasion, via=dice.choice(("touch", "button")), leaf=made, sealed=sealed)
            self.append("rating.pressed", press, at_ms=at_ms + 4_000)
            standing = self.seq
        reasons = (dice.choice(REASONS[level]),) if level and dice.random() < 0.6 else ()
        outcome = "not_rated" if level is None else "rated" if occasion else "uninvited"
        closed = RatingClosed(
            rating=rating,
            occasion=occasion,
            outcome=outcome,  # type: ignore[arg-type]
            how="timeout" if level is None else "done",
            standing=standing,
            leaf=made,
            tag_set="1",
            sealed=seal(CloseSecret(reasons=reasons), seal_key) if level else None,
            duration_ms=9_000,
        )
        self.append("rating.closed", closed, at_ms=at_ms + 9_000)
        return rating


def part(name: str, now_ms: int, state: str = "ok", reason: str = "hal.ok", step: str = "next.nothing", **args: str) -> PartHealth:
    """The health of one part since 18 minutes."""
    return PartHealth(part=name, state=state, reason=reason, next_step=step, args=args, since_ms=now_ms - 18 * 60_000)  # type: ignore[arg-type]


def state_of(role: str, now_ms: int, **changes: Any) -> DeviceState:
    """A healthy device's state, with changes."""
    parts = (
        (part("printer", now_ms), part("id_card", now_ms))
        if role == "terminal"
        else (part("buttons", now_ms), part("lamps", now_ms))
    )
    good = DeviceState(
        role=role,  # type: ignore[arg-type]
        at_ms=now_ms,
        boot_id=bytes(16),
        clock_trust=2,
        software="0.1.0",
        face="up",
        face_since_ms=now_ms - 6 * DAY_MS,
        screen="attract" if role == "terminal" else "idle",
        parts=parts,
        configuration_version=1,
        evidence_free=0.93,
        levels={"cpu_temperature_c": 51.0, "disk_free_mb": 18_240.0} | ({"paper_m": 38.0} if role == "terminal" else {}),
    )
    return msgspec.structs.replace(good, **changes)
