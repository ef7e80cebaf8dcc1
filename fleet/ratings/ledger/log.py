"""The log on the store: entries, the tree as tiles, signed heads, proofs. The caller owns the transaction."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import asdict
from nacl.signing import SigningKey
from sqlalchemy import Connection, delete, insert, select

from fleet.access.errors import Explained
from fleet.ratings.ledger.entries import Entry
from fleet.ratings.ledger.tables import ledger_cosignatures, ledger_entries, ledger_heads, ledger_tiles
from wire.note import Checkpoint, sign_note
from wire.tree import HASH_BYTES, Node, consistency_proof, fold, inclusion_proof, node_hash, root

TILE = 256
KEPT_TILES = 512
"""Tiles whose inner hashes stay in memory: about 16 MB."""

Tiles = dict[tuple[int, int], list[Sequence[bytes]]]
"""By level and number: a tile's hashes and those of the complete subtrees inside it."""


class LedgerError(Explained):
    """The ledger cannot do that now; the message says why and what to do."""


class Head(Struct, frozen=True, kw_only=True):
    """A signed head. `note` has the fleet's signature, and cosignatures once there are any."""

    size: int
    label: str
    root: bytes
    note: str
    made_ms: int


class Log:
    """Appends and proves. `origin` is the log's name in its notes; `key` signs them."""

    def __init__(self, origin: str, key: SigningKey) -> None:
        self.origin = origin
        self._key = key
        self._inner: Tiles = {}
        self._edge: Tiles = {}
        self._edge_size = 0

    def head(self, connection: Connection, size: int | None = None) -> Head | None:
        """The newest head, or the one of that size; None when there is none."""
        query = select(ledger_heads).order_by(ledger_heads.c.size.desc()).limit(1)
        if size is not None:
            query = query.where(ledger_heads.c.size == size)
        row = connection.execute(query).first()
        if row is None:
            return None
        ours = select(ledger_cosignatures.c.line).where(ledger_cosignatures.c.size == row.size)
        lines = connection.execute(ours.order_by(ledger_cosignatures.c.name)).scalars()
        note = row.note + "".join(lines)
        return Head(size=row.size, label=row.label, root=bytes(row.root), note=note, made_ms=row.made_ms)

    def append(self, connection: Connection, label: str, entries: Iterable[Entry], *, now_ms: int) -> Head:
        """Add a batch, sorted by hash, and sign the head after it. All or nothing with the caller's transaction."""
        before = self.head(connection)
        size = before.size if before else 0
        batch = sorted(((entry.hash, entry) for entry in entries), key=itemgetter(0))
        rows = [asdict(entry) | {"position": position, "opened_in": None} for position, (_, entry) in enumerate(batch, size)]
        connection.execute(insert(ledger_entries), rows)
        self._extend(connection, size, [found for found, _ in batch])
        checkpoint = Checkpoint(self.origin, size + len(batch), root(size + len(batch), self.node(connection, size + len(batch))))
        note = sign_note(checkpoint.text, self.origin, self._key)
        made = {"size": checkpoint.size, "label": label, "root": checkpoint.root, "note": note, "made_ms": now_ms}
        connection.execute(insert(ledger_heads).values(**made))
        return Head(**made)

    def forget(self) -> None:
        """Drop what is kept in memory: after a transaction that was rolled back it may never have been."""
        self._inner.clear()
        self._edge, self._edge_size = {}, 0

    def _extend(self, connection: Connection, size: int, hashes: Sequence[bytes]) -> None:
        self._edge, self._edge_size = {}, 0
        level, start, new = 0, size, hashes
        while new:
            first, used = divmod(start, TILE)
            old = self._tile(connection, level, first)[:used] if used else []
            row = [*old, *new]
            tiles = {first + at // TILE: row[at : at + TILE] for at in range(0, len(row), TILE)}
            if used:
                connection.execute(delete(ledger_tiles).where(ledger_tiles.c.level == level, ledger_tiles.c.number == first))
            values = [{"level": level, "number": number, "hashes": b"".join(tile)} for number, tile in tiles.items()]
            connection.execute(insert(ledger_tiles), values)
            level, start, new = level + 1, first, [fold(tile) for tile in tiles.values() if len(tile) == TILE]

    def tile(self, connection: Connection, level: int, number: int) -> bytes | None:
        """The hashes of one tile, as others fetch it; None when there is none."""
        at = (ledger_tiles.c.level == level, ledger_tiles.c.number == number)
        found = connection.execute(select(ledger_tiles.c.hashes).where(*at)).scalar()
        return bytes(found) if found is not None else None

    def _tile(self, connection: Connection, level: int, number: int) -> list[bytes]:
        raw = self.tile(connection, level, number)
        if raw is None:
            raise LedgerError(
                f"账本第 {level} 层第 {number} 块缺失，请恢复最新备份",
                f"the ledger's tile {number} of level {level} is missing; restore the newest backup",
            )
        return [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]

    def node(self, connection: Connection, size: int) -> Node:
        """The hashes of complete subtrees of the first `size` entries, read through this connection."""
        if size > self._edge_size:
            # The tiles at the edge that are kept lack what was appended since, by whatever process.
            self._edge, self._edge_size = {}, size
        # Who asks about an older size may read through an older transaction: what it reads is of no use to others.
        edge = self._edge if size == self._edge_size else {}

        def node(height: int, index: int) -> bytes:
            level, inside = divmod(height, 8)
            number, offset = divmod(index << inside, TILE)
            return self._rows(connection, edge, level, number)[inside][offset >> inside]

        return node

    def _rows(self, connection: Connection, edge: Tiles, level: int, number: int) -> list[Sequence[bytes]]:
        """A tile's hashes and all complete subtrees inside it, by height. Full tiles never change; those at the edge grow."""
        known = self._inner.get((level, number)) or edge.get((level, number))
        if known is not None:
            return known
        rows: list[Sequence[bytes]] = [self._tile(connection, level, number)]
        while len(rows[-1]) > 1:
            row = rows[-1]
            rows.append([node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])
        if len(rows[0]) == TILE:
            if len(self._inner) >= KEPT_TILES:
                self._inner.pop(next(iter(self._inner)), None)
            self._inner[level, number] = rows
        else:
            edge[level, number] = rows
        return rows

    def inclusion(self, connection: Connection, position: int, size: int) -> list[bytes]:
        """The proof that an entry is in the tree of that size."""
        return inclusion_proof(position, size, self.node(connection, size))

    def consistency(self, connection: Connection, first: int, second: int) -> list[bytes]:
        """The proof that the tree of `second` entries begins with that of `first`."""
        return consistency_proof(first, second, self.node(connection, second))
