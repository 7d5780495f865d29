"""The audit trail: every decision carries a hash of itself and of the one before.

So a row that was altered, taken out or put in between shows, because from there on the hashes do not fit. Rows that
were cut off at the end show to whoever knows an earlier head: its count and hash stand in every report. The hashes hold
no secret: who may write to the database can make the whole chain anew, but not make it fit a report.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from .connect import Store
from .schema import decisions

BEGINNING = "0" * 64  # stands before the first decision
LATEST = decisions.c.id.desc()
AT_ONCE = 5000  # rows read from the database at a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """How many decisions there are, and the hash of the last: it stands for all of them."""

    count: int = 0
    hash: str = BEGINNING


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether the trail is whole, and if not, at which decision it first does not fit."""

    head: Head  # as found
    broken: int | None = None  # the first decision that does not fit, from 1 in their order
    why: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing was altered, taken out or put in."""
        return self.broken is None


def link(before: str, row: Mapping[str, Any] | sa.RowMapping) -> str:
    """Return the hash of a decision's row that follows one with the hash ``before``.

    What counts is every column that says something, by its name: a column that a later version adds changes nothing
    for rows that leave it empty. The row's number is no part of it; the order is in ``before``.
    """
    told = {str(name): value for name, value in row.items() if name not in ("id", "hash") and value not in (None, "")}
    text = json.dumps([before, told], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def head(store: Store) -> Head:
    """Return the trail's present head, to be written into a report."""
    count = sa.select(sa.func.count()).select_from(decisions).scalar_subquery()
    with store.reading() as connection:  # in one statement: others may append between two
        row = connection.execute(sa.select(count.label("many"), decisions.c.hash).order_by(LATEST).limit(1)).first()
    return Head(count=row.many, hash=row.hash) if row else Head()


def last_hash(connection: sa.Connection) -> str:
    """Return the hash of the latest decision."""
    found = connection.execute(sa.select(decisions.c.hash).order_by(LATEST).limit(1)).scalar()
    return BEGINNING if found is None else found


def verify(store: Store, known: Head | None = None) -> Verdict:
    """Tell whether every decision is as it was written, in its place, and none is missing.

    That none is missing at the end shows only with a ``known`` head, as an earlier report says it.
    """
    before, count = BEGINNING, 0
    with store.reading() as connection:
        for count, row in enumerate(_rows(connection), 1):
            expected = link(before, row)
            if row["hash"] != expected:
                return _broken(store, count, "it was altered, or one before it was taken out or put in")
            before = expected
            if known is not None and count == known.count and before != known.hash:
                return _broken(store, count, "up to here the decisions are not those that the known hash stands for")
    if known is not None and count < known.count:
        return _broken(store, count + 1, f"{known.count - count} decisions are missing at the end")
    return Verdict(head=Head(count=count, hash=before))


def _broken(store: Store, at: int, why: str) -> Verdict:
    return Verdict(head=head(store), broken=at, why=why)


def _rows(connection: sa.Connection) -> Iterator[sa.RowMapping]:
    query = sa.select(decisions).order_by(decisions.c.id)
    for row in connection.execution_options(yield_per=AT_ONCE).execute(query):
        yield row._mapping


def hash_at(store: Store, place: int) -> str:
    """Return the hash of a decision by its place in their order, from 0."""
    with store.reading() as connection:
        query = sa.select(decisions.c.hash).order_by(decisions.c.id).offset(place).limit(1)
        return str(connection.execute(query).scalar_one())


def load_hashes(store: Store) -> list[str]:
    """Return the hash of every decision, in the order in which they were made."""
    with store.reading() as connection:
        return list(connection.execute(sa.select(decisions.c.hash).order_by(decisions.c.id)).scalars())
