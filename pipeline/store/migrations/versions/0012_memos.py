"""Memos on segments, themes and transcripts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "memos",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("coder", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.id"], name=op.f("fk_memos_segment_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memos")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_memos_segment"), "memos", ["segment"])
    op.create_index("ix_memos_coder_segment", "memos", ["coder", "segment"])
    refuse_change()


def refuse_change() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER memos_refuse_{change.lower()} BEFORE {change} ON memos "
                "BEGIN SELECT RAISE(ABORT, 'memos are appended, never changed'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% are appended, never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for when, how in (("UPDATE OR DELETE", "FOR EACH ROW"), ("TRUNCATE", "FOR EACH STATEMENT")):
        name = when.split()[-1].lower() if when == "TRUNCATE" else "change"
        op.execute(
            f"CREATE TRIGGER memos_refuse_{name} BEFORE {when} ON memos {how} EXECUTE FUNCTION refuse_change()"
        )
