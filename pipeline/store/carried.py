"""Where the words are now that people worked on: a transcript that changes gets new segments.

Decisions, memos, gold codings and slots stay on the segment they were made on, and are looked up through this.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..records import SegmentId, TranscriptId
from .connect import Store
from .corpus import portions
from .schema import anchors, carried, decisions, memos, segments, slots, transcripts


def now_of(segment: sa.ColumnElement[Any], until: datetime | None = None) -> sa.ColumnElement[Any]:
    """Return an expression: the segment that has the words of the one in a column now, or had them at a moment."""
    found = sa.select(carried.c.now).where(carried.c.segment == segment)
    if until is not None:
        found = found.where(carried.c.carried_at <= until.astimezone(UTC).isoformat())
    latest = found.order_by(carried.c.id.desc()).limit(1).correlate_except(carried).scalar_subquery()
    return sa.func.coalesce(latest, segment)


def is_among(segment: sa.ColumnElement[Any], wanted: sa.Select[Any] | Collection[str]) -> sa.ColumnElement[bool]:
    """Return a condition: the words of the segment in a column are now those of one of these."""
    were = sa.select(carried.c.segment).where(carried.c.now.in_(wanted))
    # The second half says nothing new: it lets the database find the rows by their index.
    return now_of(segment).in_(wanted) & (segment.in_(wanted) | segment.in_(were))


def load_carried(store: Store, until: datetime | None = None) -> dict[SegmentId, SegmentId]:
    """Return the segments whose words are another one's now, or were at a moment, with that one."""
    query = sa.select(carried.c.segment, carried.c.now).order_by(carried.c.id)
    if until is not None:
        query = query.where(carried.c.carried_at <= until.astimezone(UTC).isoformat())
    with store.reading() as connection:
        found = {SegmentId(old): SegmentId(now) for old, now in connection.execute(query).tuples()}
    return {old: now for old, now in found.items() if old != now}


def put_carried(store: Store, moved: Mapping[SegmentId, SegmentId]) -> None:
    """Write down where the words of segments are now, in one transaction."""
    at = datetime.now(UTC).isoformat()
    if moved:
        with store.writing() as connection:
            rows = [{"segment": old, "now": now, "carried_at": at} for old, now in moved.items()]
            connection.execute(sa.insert(carried), rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stray:
    """A segment that people worked on and the study does not have as it was."""

    segment: SegmentId
    returned: bool  # whether the study has it again, and its words were taken to be elsewhere meanwhile
    last: SegmentId  # where its words were last
    transcript: TranscriptId  # of that
    site: str
    name: str
    current: bool  # whether the study has this transcript, but cuts it otherwise


def strays(store: Store) -> list[Stray]:
    """Return segments with decisions, memos, gold codings or slots whose words no present segment has, in order."""
    attached = sa.union(
        *(
            sa.select(column)
            for column in (decisions.c.segment, memos.c.segment, anchors.c.segment, slots.c.segment, slots.c.after)
        )
    )
    here, last = segments.alias(), segments.alias()
    home, place = transcripts.alias(), transcripts.alias()
    returned = here.c.current & home.c.current & (last.c.id != here.c.id)
    query = (
        sa.select(
            here.c.id.label("segment"),
            returned.label("returned"),
            last.c.id.label("last"),
            *(last.c.transcript, place.c.site, place.c.name, place.c.current),
        )
        .join(home, home.c.id == here.c.transcript)
        .join(last, last.c.id == now_of(here.c.id))
        .join(place, place.c.id == last.c.transcript)
        .where(here.c.id.in_(attached), returned | ~(last.c.current & place.c.current))
        .order_by(place.c.site, place.c.name, last.c.start, here.c.id)
    )
    with store.reading() as connection:
        return [Stray(**dict(row._mapping) | {"returned": bool(row.returned)}) for row in connection.execute(query)]


def every_segment(store: Store, transcript: TranscriptId) -> list[SegmentId]:
    """Return the ids of all segments that a transcript ever had, however it was cut."""
    query = sa.select(segments.c.id).where(segments.c.transcript == transcript)
    with store.reading() as connection:
        return list(connection.execute(query).scalars())


def cut_by_people(store: Store, some: Collection[SegmentId]) -> set[SegmentId]:
    """Return which of these segments are spans that a coder cut."""
    query = sa.select(segments.c.id).where(segments.c.origin == "person")
    with store.reading() as connection:
        return {
            SegmentId(found)
            for few in portions(sorted(some))
            for found in connection.execute(query.where(segments.c.id.in_(few))).scalars()
        }


def saying(store: Store, site: str, words: str) -> list[TranscriptId]:
    """Return the present transcripts of a site in whose text some words stand; one of a table is not among them."""
    t = transcripts.c
    query = sa.select(t.id).where(t.current.is_(True), t.site == site, t.among.is_(False))
    with store.reading() as connection:
        return list(connection.execute(query.where(t.text.contains(words, autoescape=True)).order_by(t.name)).scalars())
