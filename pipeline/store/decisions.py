"""Decisions in the store: appended, never changed, each chained to the one before (see ``trail``)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from math import isnan
from typing import Any

import sqlalchemy as sa

from ..records import Answer, Coding, Decision, Mode, SegmentId, TranscriptId, present
from .carried import is_among, now_of
from .connect import Store
from .schema import decisions, segments
from .trail import last_hash, link

# What is read of every decision: there may be half a million.
_OTHERS = tuple(column for column in decisions.columns if column.name not in ("id", "hash", "segment", "cut_from"))
_TOLD = ("segment", "cut_from", *(column.name for column in _OTHERS))
_ANSWERS, _MODES = {one.value: one for one in Answer}, {one.value: one for one in Mode}


def add_decisions(store: Store, made: Sequence[Decision]) -> None:
    """Append decisions, all or none; they are on disk when this returns."""
    if made:
        with appending(store) as append:
            append(made)


@contextmanager
def appending(store: Store) -> Iterator[Callable[[Sequence[Decision]], None]]:
    """Give a function that appends decisions; until the block ends nobody else writes.

    So what is read within the block still holds when the decisions that follow from it are appended, also where
    several programs work with the store. All are on disk when the block ends, or none if it fails.
    """
    with store.writing() as connection:
        yield lambda made: _append(connection, made)


def _append(connection: sa.Connection, made: Sequence[Decision]) -> None:
    """Append decisions with their hashes; nobody else may append meanwhile."""
    rows = []
    before = last_hash(connection) if made else ""
    for decision in made:
        row = _row(decision)
        before = link(before, row)
        rows.append(row | {"hash": before})
    if rows:
        connection.execute(sa.insert(decisions), rows)


def add_coding(store: Store, codings: Collection[Coding], codebook_revision: str) -> int:
    """Append what it takes for coders' present codings to be the given ones.

    Returns how many decisions that took: none if everything was there already.
    """
    with store.writing() as connection:
        found = connection.execute(_where_now())
        codings_now = present([_decision(row) for row in found])
        have = {(c.segment, c.coder): c for c in codings_now if not c.adjudicated}
        made = [
            decision
            for coding in codings
            for decision in _towards(coding, have.get((coding.segment, coding.coder)), codebook_revision)
        ]
        _append(connection, made)
    return len(made)


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


def load_decisions(
    store: Store,
    *,
    transcript: TranscriptId | None = None,
    coder: str | None = None,
    among: Sequence[SegmentId] | None = None,
    at: datetime | None = None,
) -> list[Decision]:
    """Return decisions in the order they were made: all, or those in one transcript, by one coder, on some segments.

    A decision is on the segment that has now, or had ``at`` a moment, the words that it was made on.
    """
    query = _where_now(at)
    if transcript is not None:
        there = sa.select(segments.c.id).where(segments.c.transcript == transcript)
        query = query.where(is_among(decisions.c.segment, there))
    if coder is not None:
        query = query.where(decisions.c.coder == coder)
    if among is not None:
        query = query.where(is_among(decisions.c.segment, among))
    with store.reading() as connection:
        return [_decision(row) for row in connection.execute(query)]


def load_as_made(store: Store) -> list[Decision]:
    """Return all decisions in the order they were made, each on the segment that it was made on."""
    as_made = sa.select(decisions.c.segment, decisions.c.cut_from, *_OTHERS).order_by(decisions.c.id)
    with store.reading() as connection:
        return [_decision(row) for row in connection.execute(as_made)]


def _where_now(at: datetime | None = None) -> sa.Select[Any]:
    source = decisions.c.cut_from
    cut_from = sa.case((source == "", ""), else_=now_of(source, at)).label("cut_from")  # hardly any has one
    return sa.select(now_of(decisions.c.segment, at).label("segment"), cut_from, *_OTHERS).order_by(decisions.c.id)


def _row(decision: Decision) -> dict[str, object]:
    """Return a decision as the database gives it back, to the letter: it is hashed before it is written."""
    told = asdict(decision)
    for name in ("score", "probability", "seconds", "chance"):
        number = told[name]
        told[name] = None if number is None or isnan(number) else float(number) + 0.0  # SQLite keeps no -0.0
    moment = decision.decided_at.astimezone(UTC).isoformat()
    return told | {"answer": decision.answer.value, "mode": decision.mode.value, "decided_at": moment}


def _decision(row: sa.Row[Any]) -> Decision:
    told = dict(zip(_TOLD, row._tuple(), strict=True))
    told["answer"], told["mode"] = _ANSWERS[told["answer"]], _MODES[told["mode"]]
    told["decided_at"] = datetime.fromisoformat(told["decided_at"])
    return Decision(**told)
