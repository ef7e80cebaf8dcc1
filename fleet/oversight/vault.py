"""How raters can be reached, and attachments: encrypted at rest under a key beside the database, opened for one person at a time.

XSalsa20-Poly1305 (PyNaCl's SecretBox) with a random nonce; what is sealed names its place, so no row can be put in another's.
"""

from typing import TypeVar

import msgspec
from msgspec import Struct
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from fleet.access.errors import Explained

T = TypeVar("T")
MOST_NAME, MOST_REACH, MOST_WORDS = 40, 60, 500


class VaultError(Explained):
    """What was sealed cannot be opened: the key is another one, or somebody changed the row."""


class ContactRefused(Explained):
    """Contact data that cannot be kept; it says why."""


class Contact(Struct, frozen=True, kw_only=True):
    """How a rater wants to be reached, and what they added in private."""

    name: str
    reach: str
    """A telephone number or an address."""
    words: str = ""


class _Sealed(Struct, frozen=True):
    place: str
    data: bytes


class Vault:
    """Seals and opens. `key` is 32 bytes from a file that only the fleet's user can read."""

    def __init__(self, key: bytes) -> None:
        self._box = SecretBox(key)

    def seal(self, place: str, data: bytes) -> bytes:
        """Encrypt `data` for one place ("contact/3/ab…", "file/7/2")."""
        return bytes(self._box.encrypt(msgspec.msgpack.encode(_Sealed(place, data))))

    def open(self, place: str, sealed: bytes) -> bytes:
        """The data again. Raises VaultError."""
        try:
            found = msgspec.msgpack.decode(self._box.decrypt(sealed), type=_Sealed)
        except (CryptoError, ValueError, msgspec.DecodeError) as error:
            raise VaultError(
                "无法解密：密钥不符或记录被改动", "it cannot be decrypted: another key, or the row was changed"
            ) from error
        if found.place != place:
            raise VaultError("记录被放到了别处", "the row was put in another's place")
        return found.data


def read_contact(name: str, reach: str, words: str = "") -> Contact:
    """Contact data as somebody typed it. Raises ContactRefused."""
    name, reach, words = name.strip(), reach.strip(), words.strip()
    for text, most, zh, en in (
        (name, MOST_NAME, "姓名", "the name"),
        (reach, MOST_REACH, "联系方式", "how to reach them"),
        (words, MOST_WORDS, "补充说明", "the words"),
    ):
        if len(text) > most or not text.replace("\n", " ").isprintable():
            raise ContactRefused(f"{zh}有 {len(text)} 个字，最多 {most} 个", f"{en}: {len(text)} characters; at most {most}")
    if not reach:
        raise ContactRefused("请填写电话或其他联系方式", "give a telephone number or another way to reach them")
    return Contact(name=name, reach=reach, words=words)
