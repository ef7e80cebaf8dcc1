"""first tables."""

import sqlalchemy as sa
from alembic import op

revision = "fleet_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "archives",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("backup", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.LargeBinary(), nullable=False),
        sa.Column("through_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_archives")),
        sa.UniqueConstraint("backup", "journal_id", name=op.f("uq_archives_backup_journal_id")),
        schema="fleet",
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_certificates")),
        schema="fleet",
    )
    op.create_index(op.f("ix_certificates_subject"), "certificates", ["subject"], unique=False, schema="fleet")
    op.create_table(
        "pairings",
        sa.Column("pairing", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offer", sa.LargeBinary(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("pairing", name=op.f("pk_pairings")),
        schema="fleet",
    )
    op.create_table(
        "tenants",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tenants")),
        schema="fleet",
    )
    op.create_table(
        "areas",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["fleet.tenants.name"], name=op.f("fk_areas_tenant")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_areas")),
        schema="fleet",
    )
    op.create_table(
        "devices",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("paired_ms", sa.BigInteger(), nullable=False),
        sa.Column("paired_by", sa.Text(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["fleet.tenants.name"], name=op.f("fk_devices_tenant")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_devices")),
        sa.UniqueConstraint("signing_key", name=op.f("uq_devices_signing_key")),
        schema="fleet",
    )
    op.create_table(
        "halls",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("timezone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("demonstration", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["area"], ["fleet.areas.code"], name=op.f("fk_halls_area")),
        sa.ForeignKeyConstraint(["tenant"], ["fleet.tenants.name"], name=op.f("fk_halls_tenant")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_halls")),
        schema="fleet",
    )
    op.create_table(
        "content",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hall"], ["fleet.halls.code"], name=op.f("fk_content_hall")),
        sa.PrimaryKeyConstraint("hall", "part", "code", name=op.f("pk_content")),
        schema="fleet",
    )
    op.create_table(
        "placements",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), server_default="", nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["fleet.devices.name"], name=op.f("fk_placements_device")),
        sa.ForeignKeyConstraint(["hall"], ["fleet.halls.code"], name=op.f("fk_placements_hall")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_placements")),
        schema="fleet",
    )
    op.create_index("ix_placements_device_from_ms", "placements", ["device", "from_ms"], unique=False, schema="fleet")
    op.create_table(
        "staff",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("post", sa.JSON(), nullable=True),
        sa.Column("photo", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["hall"], ["fleet.halls.code"], name=op.f("fk_staff_hall")),
        sa.PrimaryKeyConstraint("hall", "number", name=op.f("pk_staff")),
        schema="fleet",
    )
    op.create_table(
        "windows",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("business", sa.JSON(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("department", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["hall"], ["fleet.halls.code"], name=op.f("fk_windows_hall")),
        sa.PrimaryKeyConstraint("hall", "number", name=op.f("pk_windows")),
        schema="fleet",
    )
