"""What an answer was sent as, so that sent again it counts once; and when suggestions were opened to a coder."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("request", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "reveals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("coder", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.id"], name=op.f("fk_reveals_segment_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reveals_coder_segment", "reveals", ["coder", "segment"])
