"""Where a device's journals stand at the fleet: what is in custody, and what a backup holds."""

from msgspec import Struct
from sqlalchemy import func, select

from fleet.registry.tables import archives
from fleet.store import Store
from fleet.store.tables import journals


class JournalStanding(Struct, frozen=True, kw_only=True):
    """One journal. `seq` is the last entry in custody, `archived` the last one a verified backup holds."""

    journal_id: bytes
    stream: str
    state: str
    seq: int
    archived: int
    first_ms: int
    last_ms: int


def journals_of(store: Store, device: str) -> list[JournalStanding]:
    """A device's journals, the newest first."""
    reach = (
        select(archives.c.journal_id, func.max(archives.c.through_seq).label("through")).group_by(archives.c.journal_id).subquery()
    )
    columns = [journals.c[name] for name in ("journal_id", "stream", "state", "seq", "first_ms", "last_ms")]
    query = select(*columns, reach.c.through).join_from(journals, reach, journals.c.journal_id == reach.c.journal_id, isouter=True)
    with store.read() as connection:
        rows = connection.execute(query.where(journals.c.device == device).order_by(journals.c.no.desc())).all()
    return [
        JournalStanding(
            journal_id=bytes(row.journal_id),
            stream=row.stream,
            state=row.state,
            seq=row.seq,
            archived=row.through or 0,
            first_ms=row.first_ms,
            last_ms=row.last_ms,
        )
        for row in rows
    ]
