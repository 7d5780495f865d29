"""Where the words of decided segments are now, and what each run worked on and with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "carried",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("now", sa.Text(), nullable=False),
        sa.Column("carried_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.id"], name=op.f("fk_carried_segment_segments")),
        sa.ForeignKeyConstraint(["now"], ["segments.id"], name=op.f("fk_carried_now_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carried")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_carried_segment"), "carried", ["segment"])
    op.create_index(op.f("ix_carried_now"), "carried", ["now"])
    op.create_table(
        "manifests",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name=op.f("fk_manifests_run_runs")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_manifests")),
    )
