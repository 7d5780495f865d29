"""Gold codings in the store: appended, never changed; the latest of a segment counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from ..records import SegmentId
from .carried import now_of
from .connect import Store
from .schema import anchors


@dataclass(frozen=True, kw_only=True, slots=True)
class Gold:
    """What a segment's themes are, as those who adjudicated it say."""

    segment: SegmentId
    themes: frozenset[str]
    uncertain: frozenset[str] = frozenset()  # themes on which they were split: kept, and out of every chart
    codebook_revision: str
    adjudicated_by: str
    adjudicated_at: datetime

    def says(self, theme: str) -> bool | None:
        """Tell whether the theme is right, None where that is not certain."""
        return None if theme in self.uncertain else theme in self.themes


def add_gold(store: Store, made: Sequence[Gold]) -> int:
    """Append gold codings, all or none; returns how many say something new about their segment."""
    known = load_gold(store)
    new = [one for one in made if one.segment not in known or _told(one) != _told(known[one.segment])]
    if new:
        with store.writing() as connection:
            connection.execute(sa.insert(anchors), [_row(one) for one in new])
    return len(new)


def _told(gold: Gold) -> tuple[frozenset[str], frozenset[str], str]:
    return gold.themes, gold.uncertain, gold.codebook_revision


def load_gold(store: Store, until: datetime | None = None) -> dict[SegmentId, Gold]:
    """Return the gold coding of every segment that has one, as it was at a moment or is now.

    It is that of the segment that has the words it was made on, now or at that moment.
    """
    others = [column for column in anchors.c if column.name != "segment"]
    query = sa.select(now_of(anchors.c.segment, until).label("segment"), *others).order_by(anchors.c.id)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    read = [_gold(row) for row in rows]
    return {gold.segment: gold for gold in read if until is None or gold.adjudicated_at <= until}


def _row(gold: Gold) -> dict[str, object]:
    return {
        "segment": gold.segment,
        "themes": sorted(gold.themes),
        "uncertain": sorted(gold.uncertain),
        "codebook_revision": gold.codebook_revision,
        "adjudicated_by": gold.adjudicated_by,
        "adjudicated_at": gold.adjudicated_at.astimezone(UTC).isoformat(),
    }


def _gold(row: sa.Row[tuple[object, ...]]) -> Gold:
    return Gold(
        segment=row.segment,
        themes=frozenset(row.themes),
        uncertain=frozenset(row.uncertain),
        codebook_revision=row.codebook_revision,
        adjudicated_by=row.adjudicated_by,
        adjudicated_at=datetime.fromisoformat(row.adjudicated_at),
    )
