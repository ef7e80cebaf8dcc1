"""Ledger leaves: a commitment to one rating level, r·G + H_level on the prime-order subgroup of Ed25519.

A leaf tells nothing of its level (r is random) and cannot be opened as another (that would need the discrete logarithm of an
H). Sums of leaves open as sums, so counts can be proved without opening a single rating.
"""

import hashlib
import secrets
from collections.abc import Iterable

from nacl import bindings as sodium
from nacl.public import PrivateKey, PublicKey, SealedBox

from wire.codec import Malformed, decode, encode
from wire.kinds import CloseSecret, PressSecret

LEVELS = (5, 4, 3, 2, 1)
CLOSE_STEP = 256
"""Longer than what anybody chooses on a screen, and the padding below it has a length prefix of one size."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that a code survives being read aloud and typed by hand."""


def _level_point(level: int) -> bytes:
    digest = hashlib.sha512(b"nightwindow/1/level\0" + bytes([level])).digest()
    return bytes(sodium.crypto_core_ed25519_from_uniform(digest[:32]))


LEVEL_POINTS: dict[int, bytes] = {level: _level_point(level) for level in LEVELS}


def new_secret() -> bytes:
    """32 random bytes for one leaf."""
    return secrets.token_bytes(32)


def scalar(secret: bytes) -> bytes:
    """The scalar r that a secret stands for, uniform modulo the group order."""
    return bytes(sodium.crypto_core_ed25519_scalar_reduce(hashlib.sha512(b"nightwindow/1/leaf\0" + secret).digest()))


def leaf(level: int, secret: bytes) -> bytes:
    """The 32-byte leaf of one press. Raises Malformed for a level outside 1–5."""
    if level not in LEVEL_POINTS:
        raise Malformed(f"level {level} is not one of 1–5")
    blind = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar(secret))
    return bytes(sodium.crypto_core_ed25519_add(blind, LEVEL_POINTS[level]))


def opens(leaves: Iterable[bytes], counts: dict[int, int], scalars: Iterable[bytes]) -> bool:
    """Whether the sum of `leaves` is exactly `counts` ratings of each level, given the scalars behind them (or their sum alone)."""
    left: bytes | None = None
    for point in leaves:
        if not sodium.crypto_core_ed25519_is_valid_point(point):
            return False
        left = point if left is None else bytes(sodium.crypto_core_ed25519_add(left, point))
    total = bytes(32)
    for each in scalars:
        total = bytes(sodium.crypto_core_ed25519_scalar_add(total, each))
    right: bytes | None = bytes(sodium.crypto_scalarmult_ed25519_base_noclamp(total)) if any(total) else None
    for level, count in counts.items():
        if level not in LEVEL_POINTS or count < 0:
            return False
        if count:
            share = sodium.crypto_scalarmult_ed25519_noclamp(count.to_bytes(32, "little"), LEVEL_POINTS[level])
            right = bytes(share) if right is None else bytes(sodium.crypto_core_ed25519_add(right, bytes(share)))
    return left == right


class _PaddedClose(CloseSecret, frozen=True, kw_only=True):
    """A CloseSecret as it is sealed. Readers pass over the member that they do not know."""

    padding: bytes


def seal(content: PressSecret | CloseSecret, fleet_key: bytes) -> bytes:
    """Seal to the fleet: nobody else opens it, the sealing device included.

    A box is as long as what it holds, so its length must tell nothing: all press secrets have one size, whatever the level, and
    reasons, whose ids are of different length for each level, are filled up to a multiple of CLOSE_STEP bytes.
    """
    if isinstance(content, CloseSecret):
        bare = len(encode(_PaddedClose(reasons=content.reasons, padding=b"")))
        content = _PaddedClose(reasons=content.reasons, padding=bytes(-bare % CLOSE_STEP))
    return SealedBox(PublicKey(fleet_key)).encrypt(encode(content))


def unseal(sealed: bytes, key: PrivateKey, kind: type[PressSecret] | type[CloseSecret]) -> PressSecret | CloseSecret:
    """Open what a device sealed. Raises Malformed when it was not sealed to this key or holds something else."""
    try:
        data = SealedBox(key).decrypt(sealed)
    except Exception as error:
        raise Malformed("a sealed body does not open with this fleet's key; it was changed, or sealed to another fleet") from error
    return decode(data, kind)


def receipt_code(leaf_bytes: bytes) -> str:
    """The code a citizen takes home, for example `7K3M-P0XW-9`: 40 bits of the leaf's hash and a check character."""
    number = int.from_bytes(hashlib.sha256(b"nightwindow/1/receipt\0" + leaf_bytes).digest()[:5], "big")
    text = "".join(_ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{text[:4]}-{text[4:]}-{_check(text)}"


def read_receipt_code(text: str) -> str:
    """A code as people type it, brought into its written form.

    Raises Malformed when it has another length, an impossible character, or a wrong check character; the message says which.
    """
    plain = "".join(text.upper().split()).replace("-", "").translate(str.maketrans("OIL", "011"))
    if len(plain) != 9:
        raise Malformed(f"a receipt code has 9 characters, this one {len(plain)}")
    if strange := [c for c in plain if c not in _ALPHABET]:
        raise Malformed(f"a receipt code never has the character {strange[0]!r}; compare it with the paper")
    if _check(plain[:8]) != plain[8]:
        raise Malformed("the receipt code has a mistake in it: its last character does not fit; compare it with the paper")
    return f"{plain[:4]}-{plain[4:8]}-{plain[8]}"


def _check(text: str) -> str:
    """A check character over GF(32), x⁵+x²+1: any one wrong character, and any two exchanged, give another."""
    total = 0
    for character in text:
        total = _double(total) ^ _ALPHABET.index(character)
    return _ALPHABET[_double(total)]


def _double(value: int) -> int:
    return value << 1 ^ (0b100101 if value & 16 else 0)
