"""A server's store sorts names as SQLite does, and refuses to change decisions with the same kind of error."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _as_sqlite_does()


def _as_sqlite_does() -> None:
    for column in ("site", "name"):
        op.execute(f'ALTER TABLE transcripts ALTER COLUMN {column} TYPE TEXT COLLATE "C"')
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'decisions are appended, never changed' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER decisions_refuse_truncate BEFORE TRUNCATE ON decisions EXECUTE FUNCTION refuse_change()"
    )
