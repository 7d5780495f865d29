"""When suggestions were opened to coders who decide first: appended, never changed."""

from datetime import UTC, datetime

import sqlalchemy as sa

from ..records import SegmentId
from .connect import Store
from .schema import reveals


def reveal(store: Store, coder: str, segment: SegmentId, run: str) -> None:
    """Write down that a coder now sees what a run suggests for a segment; once is enough."""
    with store.writing() as connection:
        if connection.execute(_of(coder, segment)).first() is None:
            row = {"coder": coder, "segment": segment, "run": run, "at": datetime.now(UTC).isoformat()}
            connection.execute(sa.insert(reveals), [row])


def revealed(store: Store, coder: str, segment: SegmentId) -> bool:
    """Tell whether a coder has seen what is suggested for a segment."""
    with store.reading() as connection:
        return connection.execute(_of(coder, segment)).first() is not None


def revealed_to(store: Store, coder: str) -> set[SegmentId]:
    """Return the segments for which a coder has seen what is suggested."""
    with store.reading() as connection:
        return set(connection.execute(sa.select(reveals.c.segment).where(reveals.c.coder == coder)).scalars())


def _of(coder: str, segment: SegmentId) -> sa.Select[tuple[int]]:
    return sa.select(reveals.c.id).where(reveals.c.coder == coder, reveals.c.segment == segment).limit(1)
