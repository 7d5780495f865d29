"""Decisions in the store: appended, never changed."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

import sqlalchemy as sa

from ..records import Answer, Coding, Decision, Mode, TranscriptId, present
from .connect import Store
from .schema import decisions, segments


def add_decisions(store: Store, made: Sequence[Decision]) -> None:
    """Append decisions, all or none; they are on disk when this returns."""
    if made:
        with store.writing() as connection:
            connection.execute(sa.insert(decisions), [_row(decision) for decision in made])


@contextmanager
def appending(store: Store) -> Iterator[Callable[[Sequence[Decision]], None]]:
    """Give a function that appends decisions; until the block ends nobody else writes.

    So what is read within the block still holds when the decisions that follow from it are appended, also where
    several programs work with the store. All are on disk when the block ends, or none if it fails.
    """
    with store.writing() as connection:
        if connection.dialect.name == "postgresql":  # there, a writing transaction alone keeps nobody out
            connection.exec_driver_sql(f"LOCK TABLE {decisions.name} IN SHARE ROW EXCLUSIVE MODE")

        def append(made: Sequence[Decision]) -> None:
            if made:
                connection.execute(sa.insert(decisions), [_row(decision) for decision in made])

        yield append


def add_coding(store: Store, codings: Collection[Coding], codebook_revision: str) -> int:
    """Append what it takes for coders' present codings to be the given ones.

    Returns how many decisions that took: none if everything was there already.
    """
    with store.writing() as connection:
        found = connection.execute(sa.select(decisions).order_by(decisions.c.id))
        codings_now = present([_decision(row) for row in found])
        have = {(c.segment, c.coder): c for c in codings_now if not c.adjudicated}
        rows = [
            _row(decision)
            for coding in codings
            for decision in _towards(coding, have.get((coding.segment, coding.coder)), codebook_revision)
        ]
        if rows:
            connection.execute(sa.insert(decisions), rows)
    return len(rows)


def _towards(coding: Coding, have: Coding | None, revision: str) -> list[Decision]:
    wanted, standing = set(coding.themes), set(have.themes if have else ())
    if have is not None and wanted == standing:
        return []
    answers = [(theme, Answer.ADD) for theme in sorted(wanted - standing)]
    answers += [(theme, Answer.UNDO) for theme in sorted(standing - wanted)]
    if not wanted:
        answers.append(("", Answer.NOTHING))
    return [
        Decision(
            segment=coding.segment,
            coder=coding.coder,
            theme=theme,
            answer=answer,
            decided_at=coding.coded_at,
            codebook_revision=revision,
        )
        for theme, answer in answers
    ]


def load_decisions(store: Store, *, transcript: TranscriptId | None = None, coder: str | None = None) -> list[Decision]:
    """Return decisions in the order they were made: all, or those in one transcript, or by one coder."""
    query = sa.select(decisions).order_by(decisions.c.id)
    if transcript is not None:
        query = query.join(segments, segments.c.id == decisions.c.segment).where(segments.c.transcript == transcript)
    if coder is not None:
        query = query.where(decisions.c.coder == coder)
    with store.reading() as connection:
        return [_decision(row) for row in connection.execute(query)]


def _row(decision: Decision) -> dict[str, object]:
    told = asdict(decision)
    moment = decision.decided_at.astimezone(UTC).isoformat()
    return told | {"answer": decision.answer.value, "mode": decision.mode.value, "decided_at": moment}


def _decision(row: sa.Row[tuple[object, ...]]) -> Decision:
    told = {name: value for name, value in row._mapping.items() if name != "id"}
    return Decision(
        **told
        | {
            "answer": Answer(row.answer),
            "mode": Mode(row.mode),
            "decided_at": datetime.fromisoformat(row.decided_at),
        }
    )
