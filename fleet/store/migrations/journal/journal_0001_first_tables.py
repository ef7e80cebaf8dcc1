"""first tables."""

import sqlalchemy as sa
from alembic import op

revision = "journal_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "batches",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_batches")),
        schema="journal",
    )
    op.create_index("ix_batches_journal_no_last_seq", "batches", ["journal_no", "last_seq"], unique=False, schema="journal")
    op.create_table(
        "entries",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kind_version", sa.Integer(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("clock_trust", sa.Integer(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_entries")),
        sa.UniqueConstraint("journal_no", "seq", name=op.f("uq_entries_journal_no_seq")),
        schema="journal",
    )
    op.create_table(
        "findings",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("journal_id", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("sample", sa.LargeBinary(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_findings")),
        sa.UniqueConstraint("device", "kind", "journal_id", name=op.f("uq_findings_device_kind_journal_id")),
        schema="journal",
    )
    op.create_index(op.f("ix_findings_last_ms"), "findings", ["last_ms"], unique=False, schema="journal")
    op.create_table(
        "forks",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kept_hash", sa.LargeBinary(), nullable=False),
        sa.Column("other_hash", sa.LargeBinary(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_forks")),
        sa.UniqueConstraint("journal_no", "other_hash", name=op.f("uq_forks_journal_no_other_hash")),
        schema="journal",
    )
    op.create_index(op.f("ix_forks_journal_no"), "forks", ["journal_no"], unique=False, schema="journal")
    op.create_table(
        "incarnations",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incarnation", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_incarnations")),
        schema="journal",
    )
    op.create_table(
        "journals",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal_id", sa.LargeBinary(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), server_default="unknown", nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("predecessor_id", sa.LargeBinary(), nullable=True),
        sa.Column("predecessor_seq", sa.BigInteger(), nullable=True),
        sa.Column("predecessor_hash", sa.LargeBinary(), nullable=True),
        sa.Column("predecessor_gap", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_journals")),
        sa.UniqueConstraint("journal_id", name=op.f("uq_journals_journal_id")),
        schema="journal",
    )
    op.create_index(op.f("ix_journals_device"), "journals", ["device"], unique=False, schema="journal")
    op.create_table(
        "shelved",
        sa.Column("journal_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kind_version", sa.Integer(), nullable=False),
        sa.Column("shelved_ms", sa.BigInteger(), nullable=False),
        sa.Column("known_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("journal_no", "seq", name=op.f("pk_shelved")),
        schema="journal",
    )
