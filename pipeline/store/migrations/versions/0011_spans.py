"""Spans that coders mark at the review page: what each is coded in place of."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("cut_from", sa.Text(), nullable=False, server_default=""))
