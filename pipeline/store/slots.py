"""Segments that chance wove into coders' work: appended, never changed. And what chance draws them from."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..records import Answer, Mode, SegmentId, TranscriptId
from .carried import is_among, now_of
from .connect import Store
from .corpus import portions
from .schema import decisions, segments, slots, suggestions, transcripts

_DECIDED = now_of(decisions.c.segment)  # the segment that has the words of a decision now


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A segment that comes next in a coder's work because chance drew it."""

    coder: str
    position: int  # after so many segments of the coder's work
    segment: SegmentId
    mode: Mode  # routine: the coder's own work, only taken ahead
    chance: float  # with which this segment was drawn in this mode at this position
    after: SegmentId  # where the coder came from, to go on from there
    drawn_at: datetime


@contextmanager
def drawing(store: Store) -> Iterator[Callable[[Slot], None]]:
    """Give a function that keeps a slot; until the block ends nobody else draws any. It is on disk then."""
    with store.writing() as connection:

        def keep(slot: Slot) -> None:
            row = asdict(slot) | {"mode": slot.mode.value, "drawn_at": slot.drawn_at.astimezone(UTC).isoformat()}
            connection.execute(sa.insert(slots), [row])

        yield keep


def load_slots(store: Store, coder: str | None = None) -> list[Slot]:
    """Return all slots, or those of one coder, in the order in which they were drawn."""
    query = _where_now().order_by(slots.c.id)
    if coder is not None:
        query = query.where(slots.c.coder == coder)
    with store.reading() as connection:
        return [_slot(row) for row in connection.execute(query)]


def last_slot(store: Store, coder: str) -> Slot | None:
    """Return the slot that was last drawn for a coder."""
    query = _where_now().where(slots.c.coder == coder).order_by(slots.c.position.desc()).limit(1)
    with store.reading() as connection:
        row = connection.execute(query).first()
    return _slot(row) if row else None


def slots_at(store: Store, coder: str, segment: SegmentId) -> list[Slot]:
    """Return the slots in which a coder was led to a segment, in the order in which they were drawn."""
    mine = _where_now().where(slots.c.coder == coder, is_among(slots.c.segment, [segment]))
    query = mine.order_by(slots.c.position)
    with store.reading() as connection:
        return [_slot(row) for row in connection.execute(query)]


def _where_now() -> sa.Select[Any]:
    """Return a query of slots, each on the segment that has now the words of the one it was drawn for."""
    others = [column for column in slots.c if column.name not in ("segment", "after")]
    now = [now_of(column).label(column.name) for column in (slots.c.segment, slots.c.after)]
    return sa.select(*now, *others)


def _slot(row: sa.Row[tuple[object, ...]]) -> Slot:
    told = {name: value for name, value in row._mapping.items() if name != "id"}
    return Slot(**told | {"mode": Mode(row.mode), "drawn_at": datetime.fromisoformat(row.drawn_at)})


def position(store: Store, coder: str) -> int:
    """Return how many segments a coder has worked on; one that came again counts again."""
    touched = sa.select(sa.func.count(sa.distinct(decisions.c.segment))).where(decisions.c.coder == coder)
    again = sa.select(sa.func.count()).where(slots.c.coder == coder, slots.c.mode == Mode.DUPLICATE.value)
    with store.reading() as connection:
        return int(connection.execute(touched).scalar_one() + connection.execute(again).scalar_one())


def last_answered(store: Store, coder: str) -> tuple[SegmentId, Mode] | None:
    """Return the segment of a coder's latest decision, and its mode; a span stands for what it was cut from."""
    made_on = sa.case((decisions.c.cut_from != "", decisions.c.cut_from), else_=decisions.c.segment)
    query = sa.select(now_of(made_on).label("segment"), decisions.c.mode).where(decisions.c.coder == coder)
    with store.reading() as connection:
        row = connection.execute(query.order_by(decisions.c.id.desc()).limit(1)).first()
    return (SegmentId(row.segment), Mode(row.mode)) if row else None


def answered(store: Store, slot: Slot) -> bool:
    """Tell whether the coder has answered a slot, whatever became of the answer; or it cannot be answered any more."""
    here = is_among(decisions.c.segment, [slot.segment])
    given = sa.select(decisions.c.id).where(decisions.c.coder == slot.coder, here)
    if slot.mode is Mode.DUPLICATE:
        given = given.where(decisions.c.mode == slot.mode.value)
    there = _current(sa.select(segments.c.id)).where(segments.c.id == slot.segment)
    with store.reading() as connection:
        return connection.execute(given.limit(1)).first() is not None or connection.execute(there).first() is None


def untouched(
    store: Store, coder: str, *, among: Collection[TranscriptId] | None = None, but: TranscriptId | None = None
) -> list[SegmentId]:
    """Return the segments that a coder has not answered, by their ids: of all or some transcripts, but not of one."""
    mine = sa.select(_DECIDED).where(decisions.c.coder == coder)
    query = _current(sa.select(segments.c.id)).where(segments.c.origin == "machine", segments.c.id.not_in(mine))
    if but is not None:
        query = query.where(segments.c.transcript != but)
    if among is not None:
        query = query.where(segments.c.transcript.in_(among))
    return _ids(store, query)


def untouched_of(store: Store, coder: str, wanted: Collection[SegmentId]) -> list[SegmentId]:
    """Return those of some segments that a coder has not answered and the study has, by their ids."""
    mine = sa.select(_DECIDED).where(decisions.c.coder == coder)
    query = _current(sa.select(segments.c.id)).where(segments.c.origin == "machine", segments.c.id.not_in(mine))
    some = [_ids(store, query.where(segments.c.id.in_(part))) for part in portions(sorted(wanted))]
    return [segment for part in some for segment in part]


def of_others(store: Store, coder: str) -> list[SegmentId]:
    """Return the segments that other coders have answered and this one has not, by their ids.

    Not the spans that others marked: a coder who was led to one would see where another one cut.
    """
    mine = sa.select(_DECIDED).where(decisions.c.coder == coder)
    others = sa.select(_DECIDED).where(decisions.c.coder != coder)
    query = _current(sa.select(segments.c.id)).where(segments.c.id.in_(others), segments.c.id.not_in(mine))
    query = query.where(segments.c.origin == "machine")
    return _ids(store, query)


def touched(store: Store, coder: str) -> list[SegmentId]:
    """Return the segments that a coder has answered and the study still has, in the order of the first answers.

    Neither the coder's own spans nor what they were cut from: neither could come again without being known.
    """
    cut = sa.select(_DECIDED).where(decisions.c.coder == coder, decisions.c.answer == Answer.CUT.value)
    query = (
        _current(sa.select(segments.c.id))
        .join(decisions, segments.c.id == _DECIDED)
        .where(decisions.c.coder == coder, segments.c.origin == "machine", segments.c.id.not_in(cut))
        .group_by(segments.c.id)
        .order_by(sa.func.min(decisions.c.id))
    )
    with store.reading() as connection:
        return [SegmentId(segment) for segment in connection.execute(query).scalars()]


def best_chances(store: Store) -> dict[SegmentId, float]:
    """Return how probable the most probable present suggestion of every segment is."""
    query = (
        _current(sa.select(segments.c.id, sa.func.max(suggestions.c.probability)))
        .join(suggestions, (suggestions.c.segment == segments.c.id) & (suggestions.c.run == transcripts.c.run))
        .group_by(segments.c.id)
    )
    with store.reading() as connection:
        return {SegmentId(segment): float(best) for segment, best in connection.execute(query).tuples()}


def _current(query: sa.Select[Any]) -> sa.Select[Any]:
    joined = query.join(transcripts, transcripts.c.id == segments.c.transcript)
    return joined.where(segments.c.current.is_(True), transcripts.c.current.is_(True))


def _ids(store: Store, query: sa.Select[Any]) -> list[SegmentId]:
    with store.reading() as connection:
        return [SegmentId(segment) for segment in connection.execute(query.order_by(segments.c.id)).scalars()]
