"""Why a suggestion was made, and in which order a coder worked when deciding."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("because", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("because_kind", sa.Text, nullable=False, server_default=""),
        sa.Column("runner_up", sa.Text, nullable=False, server_default=""),
        sa.Column("runner_up_probability", sa.Float, nullable=True),
        sa.Column("near_accepted", sa.Integer, nullable=False, server_default="0"),
        sa.Column("near_rejected", sa.Integer, nullable=False, server_default="0"),
        sa.Column("nearest_accepted", sa.Text, nullable=True),
        sa.Column("nearest_rejected", sa.Text, nullable=True),
    ):
        op.add_column("suggestions", column)
    op.add_column("decisions", sa.Column("queue", sa.Text, nullable=False, server_default=""))
