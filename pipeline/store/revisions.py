"""The codebook's revisions with who made them, when and why; and changes that coders propose.

A revision is written down before the codebook file says it, and marked once the file does: whoever is cut off between
the two leaves a row that tells what was to be done. Rows are never changed otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..records import Codebook
from .connect import Store, insert_missing
from .runs import plain_themes
from .schema import codebooks, proposals, revisions

Turn = sa.Connection  # at writing: nobody else writes meanwhile


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One state of the codebook, and how it came about."""

    revision: str
    before: str  # the revision that it was made of; "" for the first that is known
    by: str  # who changed it; "" where the file was changed outside this program
    at: datetime
    why: str = ""
    edit: Mapping[str, Any] | None = None
    written: bool = True  # whether the codebook file says it
    id: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A change that a coder proposes, and what became of it."""

    edit: Mapping[str, Any]
    by: str
    at: datetime
    why: str = ""
    accepted: bool | None = None  # nothing while it waits
    answered_by: str = ""
    answer: str = ""
    id: int = 0


def note(turn: Turn, made: Revision, codebook: Codebook) -> int:
    """Write a revision down, within a turn at writing (``Store.writing``); return its number."""
    insert_missing(turn, codebooks, [{"revision": codebook.revision, "themes": plain_themes(codebook)}])
    row = {"revision": made.revision, "before": made.before, "by": made.by, "why": made.why, "written": made.written}
    told = row | {"at": _moment(made.at), "edit": made.edit and dict(made.edit)}
    return int(turn.execute(sa.insert(revisions).values(**told).returning(revisions.c.id)).scalar_one())


def latest(turn: Turn) -> Revision | None:
    """Return the revision that was written down last."""
    row = turn.execute(sa.select(revisions).order_by(revisions.c.id.desc()).limit(1)).first()
    return _revision(row) if row else None


def mark_written(turn: Turn, made: Revision) -> None:
    """Write down that the codebook file says a revision."""
    turn.execute(sa.update(revisions).where(revisions.c.id == made.id).values(written=True))


def drop(turn: Turn, made: Revision) -> None:
    """Take a revision back that the file never came to say."""
    turn.execute(sa.delete(revisions).where(revisions.c.id == made.id, revisions.c.written.is_(False)))


def was_written(store: Store, number: int) -> bool:
    """Tell whether the codebook file came to say a revision."""
    query = sa.select(revisions.c.id).where(revisions.c.id == number, revisions.c.written.is_(True))
    with store.reading() as connection:
        return connection.execute(query).first() is not None


def list_revisions(store: Store) -> list[Revision]:
    """Return the revisions that the codebook file said, oldest first."""
    query = sa.select(revisions).where(revisions.c.written.is_(True)).order_by(revisions.c.id)
    with store.reading() as connection:
        return [_revision(row) for row in connection.execute(query)]


def propose(store: Store, made: Proposal) -> None:
    """Keep a proposal."""
    row = {"edit": dict(made.edit), "by": made.by, "at": _moment(made.at), "why": made.why}
    with store.writing() as connection:
        connection.execute(sa.insert(proposals), [row | {"accepted": None, "answered_by": "", "answer": ""}])


def list_proposals(store: Store, by: str | None = None) -> list[Proposal]:
    """Return all proposals, or those of one coder, oldest first."""
    query = sa.select(proposals).order_by(proposals.c.id)
    if by is not None:
        query = query.where(proposals.c.by == by)
    with store.reading() as connection:
        return [
            Proposal(**dict(row._mapping) | {"at": datetime.fromisoformat(row.at)}) for row in connection.execute(query)
        ]


def answer(store: Store, proposal: Proposal, *, accepted: bool, by: str, why: str) -> bool:
    """Write down what became of a proposal; tells whether it still waited."""
    waiting = sa.update(proposals).where(proposals.c.id == proposal.id, proposals.c.accepted.is_(None))
    with store.writing() as connection:
        done = connection.execute(waiting.values(accepted=accepted, answered_by=by, answer=why))
        return bool(done.rowcount)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _revision(row: sa.Row[tuple[object, ...]]) -> Revision:
    return Revision(**dict(row._mapping) | {"at": datetime.fromisoformat(row.at)})
