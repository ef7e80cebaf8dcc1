"""Attachments of work orders: small documents and pictures, encrypted at rest, given to those who may see the order."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select

from fleet.access.errors import Explained
from fleet.oversight.tables import work_order_files
from fleet.oversight.vault import Vault

MOST_BYTES = 5_242_880
MOST_FILES = 20
"""Attachments of one order."""
MOST_NAME = 100
KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
"""What may be attached, by its first bytes and not by its name."""


class FileRefused(Explained):
    """An attachment that cannot be taken; it says why and what can."""


class Attachment(Struct, frozen=True):
    """A file as it comes and goes."""

    name: str
    data: bytes


class Kept(Struct, frozen=True, kw_only=True):
    """What is told of an attachment without opening it."""

    no: int
    place: int
    name: str
    media: str
    size: int


def media_of(file: Attachment) -> str:
    """The media type of an attachment that may be kept. Raises FileRefused."""
    if len(file.data) > MOST_BYTES:
        most = MOST_BYTES // 1_048_576
        raise FileRefused(f"附件超过 {most} MB", f"the attachment has {len(file.data):,} bytes; at most {most} MB")
    for head, media in KINDS:
        if file.data.startswith(head):
            return media
    raise FileRefused("附件只能是 PDF、PNG 或 JPEG", "an attachment is a PDF, PNG or JPEG; save it as one of these")


def keep_files(connection: Connection, vault: Vault, order_no: int, place: int, files: Sequence[Attachment]) -> None:
    """Encrypt and store the attachments of one step. Raises FileRefused before anything is written."""
    if not files:
        return
    table = work_order_files
    media = [media_of(file) for file in files]
    there = connection.execute(select(func.count()).where(table.c.order_no == order_no)).scalar_one()
    if there + len(files) > MOST_FILES:
        raise FileRefused(f"一个工单最多 {MOST_FILES} 个附件", f"an order has at most {MOST_FILES} attachments; it has {there}")
    for file, kind in zip(files, media, strict=True):
        name = "".join(letter for letter in file.name.replace("\\", "/").rpartition("/")[2] if letter.isprintable())[-MOST_NAME:]
        values = {"order_no": order_no, "place": place, "name": name or "file", "media": kind, "size": len(file.data)}
        connection.execute(insert(table).values(**values, sealed=vault.seal(f"file/{order_no}", file.data)))


def read_files(connection: Connection, order_no: int) -> list[Kept]:
    """What is attached to an order."""
    columns = [work_order_files.c[name] for name in Kept.__struct_fields__]
    query = select(*columns).where(work_order_files.c.order_no == order_no).order_by(work_order_files.c.no)
    return [Kept(**row) for row in connection.execute(query).mappings()]


def open_file(connection: Connection, vault: Vault, order_no: int, file_no: int) -> tuple[Attachment, str]:
    """An attachment and its media type. Raises FileRefused when the order has none with that number, VaultError."""
    table = work_order_files
    row = connection.execute(select(table).where(table.c.no == file_no, table.c.order_no == order_no)).first()
    if row is None:
        raise FileRefused("没有这个附件", f"order {order_no} has no attachment {file_no}")
    return Attachment(row.name, vault.open(f"file/{order_no}", bytes(row.sealed))), row.media
