"""The audit: gold segments, segments woven into coders' work, and decisions chained by hashes."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("chance", sa.Float(), nullable=True))
    op.add_column("decisions", sa.Column("hash", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_decisions_coder_segment", "decisions", ["coder", "segment"])
    op.create_table(
        "anchors",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("themes", sa.JSON(), nullable=False),
        sa.Column("uncertain", sa.JSON(), nullable=False),
        sa.Column("codebook_revision", sa.Text(), nullable=False),
        sa.Column("adjudicated_by", sa.Text(), nullable=False),
        sa.Column("adjudicated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.id"], name=op.f("fk_anchors_segment_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchors")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_anchors_segment"), "anchors", ["segment"])
    op.create_table(
        "slots",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("coder", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.id"], name=op.f("fk_slots_segment_segments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
        sa.UniqueConstraint("coder", "position", name=op.f("uq_slots_coder_position")),
        sqlite_autoincrement=True,
    )
    chain()
    for table in ("anchors", "slots"):
        refuse_change(table)


def chain() -> None:
    """Give the decisions there are their hashes; for that their triggers step aside."""
    let_change()
    bind = op.get_bind()
    table = sa.Table("decisions", sa.MetaData(), autoload_with=bind)
    renew = sa.update(table).where(table.c.id == sa.bindparam("key")).values(hash=sa.bindparam("made"))
    before, made = "0" * 64, []
    for row in bind.execute(sa.select(table).order_by(table.c.id)):
        before = link(before, row._mapping)
        made.append({"key": row.id, "made": before})
    if made:
        bind.execute(renew, made)
    if bind.dialect.name == "sqlite":
        refuse_change("decisions")
    else:
        op.execute("ALTER TABLE decisions ENABLE TRIGGER decisions_refuse_change")


def link(before: str, row: sa.RowMapping) -> str:
    """As ``store.trail.link`` had it when this was written."""
    told = {str(name): value for name, value in row.items() if name not in ("id", "hash") and value not in (None, "")}
    text = json.dumps([before, told], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def let_change() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER decisions_refuse_update")
        op.execute("DROP TRIGGER decisions_refuse_delete")
    else:
        op.execute("ALTER TABLE decisions DISABLE TRIGGER decisions_refuse_change")


def refuse_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} are appended, never changed'); END"
            )
    else:
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% are appended, never changed', TG_TABLE_NAME; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
