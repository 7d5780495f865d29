"""The audit trail: whatever is done to a decision behind the program's back shows."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.records import Answer, Coding, Decision, Mode, SegmentId
from pipeline.store import Store, connect, decisions, open_store, schema
from pipeline.store.trail import BEGINNING, Head, head, load_hashes, verify

from .reviewing import fill, transcript

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TOLD = ", ".join(column.name for column in schema.decisions.columns if column.name != "id")


def made(number: int, **told: object) -> Decision:
    segment = transcript()[1][number % 5].id
    usual: dict[str, object] = {"coder": "Ada", "theme": "T", "answer": Answer.ACCEPT, "seconds": 1.5}
    return Decision(segment=segment, decided_at=NOW + timedelta(seconds=number), **usual | told)  # type: ignore[arg-type]


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store with twelve decisions."""
    fill(store)
    for at in range(0, 12, 3):
        decisions.add_decisions(store, [made(at), made(at + 1, chance=0.9), made(at + 2, rank=2, probability=0.5)])
    return store


def tamper(store: Store, *statements: str) -> None:
    """Change decisions as somebody would who has the file and no scruples."""
    with closing(sqlite3.connect(store.place)) as plain, plain:
        for change in ("update", "delete"):
            plain.execute(f"DROP TRIGGER IF EXISTS decisions_refuse_{change}")
        for statement in statements:
            plain.execute(statement)


def test_an_untouched_trail_is_whole(filled: Store) -> None:
    told = verify(filled)
    assert (told.whole, told.broken, told.head) == (True, None, head(filled))
    assert told.head.count == 12
    assert load_hashes(filled)[-1] == told.head.hash
    assert len(set(load_hashes(filled))) == 12


def test_a_trail_without_decisions_is_whole(store: Store) -> None:
    assert verify(store).head == head(store) == Head(count=0, hash=BEGINNING)
    assert verify(store, Head()).whole


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE decisions SET theme = 'U' WHERE id = 5", 5),
        ("UPDATE decisions SET answer = 'reject' WHERE id = 1", 1),
        ("UPDATE decisions SET coder = 'ada' WHERE id = 12", 12),
        ("UPDATE decisions SET seconds = 1.6 WHERE id = 7", 7),
        ("UPDATE decisions SET shown = 1 WHERE id = 7", 7),
        ("UPDATE decisions SET mode = 'anchor' WHERE id = 7", 7),
        ("UPDATE decisions SET chance = NULL WHERE id = 2", 2),
        ("UPDATE decisions SET decided_at = '2026-03-02T09:30:04.000001+00:00' WHERE id = 5", 5),
        ("UPDATE decisions SET hash = '' WHERE id = 4", 4),
        ("DELETE FROM decisions WHERE id = 1", 1),
        ("DELETE FROM decisions WHERE id = 6", 6),
        ("DELETE FROM decisions WHERE id < 12", 1),
        ("UPDATE decisions SET id = 100 WHERE id = 6", 6),
        (f"INSERT INTO decisions SELECT 13, * FROM (SELECT {TOLD} FROM decisions WHERE id = 12)", 13),
    ],
)
def test_a_row_altered_removed_moved_or_put_in_shows_where_it_is(filled: Store, change: str, broken: int) -> None:
    tamper(filled, change)
    told = verify(filled)
    assert (told.whole, told.broken) == (False, broken)
    assert told.why


def test_two_rows_that_changed_places_show(filled: Store) -> None:
    tamper(
        filled,
        "UPDATE decisions SET id = 100 WHERE id = 6",
        "UPDATE decisions SET id = 6 WHERE id = 7",
        "UPDATE decisions SET id = 7 WHERE id = 100",
    )
    assert verify(filled).broken == 6


def test_a_cut_off_end_shows_to_who_knows_an_earlier_head(filled: Store) -> None:
    known = head(filled)
    tamper(filled, "DELETE FROM decisions WHERE id > 9")
    assert verify(filled).whole, "nothing in the rows tells"
    told = verify(filled, known)
    assert (told.broken, told.why) == (10, "3 decisions are missing at the end")


def test_a_chain_made_anew_does_not_fit_a_known_head(filled: Store, tmp_path: Path) -> None:
    known = head(filled)
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    fill(other)
    decisions.add_decisions(other, [made(at, theme="U") for at in range(20)])
    assert verify(other).whole
    assert verify(other, known).broken == 12
    other.close()


def test_more_decisions_fit_an_earlier_head(filled: Store) -> None:
    known = head(filled)
    decisions.add_decisions(filled, [made(20)])
    assert verify(filled, known).whole
    assert head(filled).count == 13


def test_imported_coding_is_in_the_trail(filled: Store) -> None:
    segment = transcript()[1][0].id
    count = decisions.add_coding(filled, [Coding(segment=segment, coder="Ben", themes=("A", "B"), coded_at=NOW)], "r")
    assert (count, verify(filled).head.count, verify(filled).whole) == (2, 14, True)


def test_a_zero_with_a_sign_is_a_zero(store: Store) -> None:
    fill(store)
    decisions.add_decisions(store, [made(0, score=-0.0, probability=-0.0)])
    assert verify(store).whole


def test_what_fails_half_way_leaves_the_trail_whole(filled: Store) -> None:
    lost = Decision(segment=SegmentId("nowhere"), coder="A", theme="T", answer=Answer.ADD, decided_at=NOW)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        decisions.add_decisions(filled, [made(30), lost])
    decisions.add_decisions(filled, [made(31)])
    assert (verify(filled).whole, verify(filled).head.count) == (True, 13)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBER = st.none() | st.floats(allow_nan=True, allow_infinity=False) | st.integers(0, 5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "coder": TEXT,
                "theme": TEXT,
                "exemplar": TEXT,
                "score": NUMBER,
                "probability": NUMBER,
                "seconds": NUMBER,
                "rank": st.none() | st.integers(1, 9),
                "shown": st.booleans(),
                "mode": st.sampled_from(list(Mode)),
                "answer": st.sampled_from(list(Answer)),
            }
        ),
        max_size=4,
    )
)
def test_whatever_is_written_reads_back_as_it_was_hashed(store: Store, rows: Sequence[dict[str, object]]) -> None:
    if not decisions.load_decisions(store):
        fill(store)
    decisions.add_decisions(store, [made(at, **row) for at, row in enumerate(rows)])
    assert verify(store).whole


def test_a_store_from_before_the_trail_gets_one(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    old = sa.create_engine(f"sqlite:///{file}")
    with old.begin() as connection:
        config = connect._alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO transcripts VALUES ('t', 'S', 'a', 'a', 'en', 0, 'One.', 1, NULL)")
        connection.exec_driver_sql("INSERT INTO segments VALUES ('s', 't', 's1', 0, 0, 4, 'machine', 1)")
        for at in range(1, 6):
            row = (
                at,
                "s",
                "Ada",
                "T",
                "accept",
                1,
                0.5,
                None,
                "",
                at % 2,
                "routine",
                2.0,
                NOW.isoformat(),
                "",
                "r",
                "",
            )
            connection.exec_driver_sql(f"INSERT INTO decisions VALUES ({', '.join('?' * 16)}, '')", row)
    old.dispose()
    upgraded = open_store(f"sqlite:///{file}")
    assert (verify(upgraded).whole, head(upgraded).count) == (True, 5)
    written = decisions.load_decisions(upgraded)
    decisions.add_decisions(upgraded, written)
    assert (verify(upgraded).whole, head(upgraded).count) == (True, 10)
    with closing(sqlite3.connect(file)) as plain, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        plain.execute("UPDATE decisions SET theme = 'U'")
    tamper(upgraded, "UPDATE decisions SET theme = 'U' WHERE id = 3")
    assert verify(upgraded).broken == 3
    upgraded.close()
