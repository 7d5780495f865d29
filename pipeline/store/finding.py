"""Segments that fit conditions, found by the database: by place, speaker, suggestion and what a coder answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..records import POSITIVE, Answer, Mode, SegmentId, TranscriptId
from .connect import Store
from .corpus import portions
from .schema import decisions, segments, suggestions, transcripts, turns

# What stands of a coder's answers, as a number: the greatest says how the segment stands.
WEIGHT = {Answer.UNSURE: 1, Answer.REJECT: 2, Answer.NOTHING: 3, Answer.ADD: 4, Answer.ACCEPT: 4, Answer.CUT: 5}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """Which suggestions count: those of some themes that passed the threshold, within a probability."""

    themes: Collection[str]  # by all their names
    least: float = 0.0
    below: float = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What a coder answered."""

    coder: str
    again: Collection[SegmentId] = ()  # read a second time just now: only what was said then counts
    states: Collection[int] = ()  # how the segment stands: 0 for open, or see ``WEIGHT``; any if empty
    given: Collection[str] = ()  # the names of a theme that was given; any if empty


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Conditions that segments have to fit, all of them; one that is not given fits everything."""

    site: str = ""
    transcript: str = ""
    within: Collection[TranscriptId] | None = None
    speakers: Collection[str] | None = None
    shown: Shown | None = None
    optional: bool = False  # tell in ``Found.shown`` whether such a suggestion is there, but do not ask for it
    answered: Answered = field(default_factory=lambda: Answered(coder=""))


class Found(NamedTuple):
    """A segment that fits: where it is."""

    id: SegmentId
    transcript: TranscriptId
    start: int
    end: int
    shown: bool  # whether a suggestion that was asked for is there, hidden from the coder or not


def find(store: Store, wanted: Wanted) -> list[Found]:
    """Return the machine's segments that fit all conditions, by site, transcript and position."""
    s, t = segments.c, transcripts.c
    there = _suggested(wanted.shown) if wanted.shown is not None else sa.false()
    query = (
        sa.select(s.id, s.transcript, s.start, s.end, there.label("shown"))
        .join(transcripts, t.id == s.transcript)
        .where(s.current.is_(True), t.current.is_(True), s.origin == "machine")
        .order_by(t.site, t.name, s.transcript, s.start, s.end)
    )
    for condition in _places(wanted):
        query = query.where(condition)
    if wanted.shown is not None and not wanted.optional:
        query = query.where(there)
    query = _by_answers(query, wanted.answered)
    with store.reading() as connection:
        return [Found(*row) for row in connection.execute(query)]


def _places(wanted: Wanted) -> list[Any]:
    s, t = segments.c, transcripts.c
    told: list[Any] = []
    if wanted.site:
        told.append(t.site == wanted.site)
    if wanted.transcript:
        told.append(t.id == wanted.transcript)
    if wanted.within is not None:
        told.append(t.id.in_(sorted(wanted.within)))
    if wanted.speakers is not None:
        said = sa.select(sa.literal(1)).where(turns.c.transcript == s.transcript, turns.c.position == s.turn)
        told.append(said.where(turns.c.speaker.in_(sorted(wanted.speakers))).correlate(segments).exists())
    return told


def _suggested(shown: Shown) -> Any:  # noqa: ANN401  # SQLAlchemy's condition
    g = suggestions.c
    told = [g.segment == segments.c.id, g.run == transcripts.c.run, g.suggested.is_(True)]
    told.append(g.theme.in_(sorted(shown.themes)))
    if shown.least <= 0 and shown.below > 1:
        return sa.select(sa.literal(1)).where(*told).correlate(segments, transcripts).exists()
    # Where several themes passed, a segment is as probable as its best.
    best = sa.select(sa.func.max(g.probability)).where(*told).correlate(segments, transcripts).scalar_subquery()
    return sa.and_(best >= shown.least, best < shown.below)


def _by_answers(query: sa.Select[Any], answered: Answered) -> sa.Select[Any]:
    if not (answered.states or answered.given):
        return query
    s, stands = segments.c, _standing(answered)
    if answered.given:
        mine = sa.select(stands.c.segment).where(
            stands.c.theme.in_(sorted(answered.given)), stands.c.answer.in_([answer.value for answer in POSITIVE])
        )
        query = query.where(s.id.in_(mine))
    if answered.states:
        weight = sa.case({answer.value: number for answer, number in WEIGHT.items()}, value=stands.c.answer, else_=0)
        by_segment = sa.select(stands.c.segment, sa.func.max(weight).label("state")).group_by(stands.c.segment)
        state = by_segment.subquery()
        query = query.outerjoin(state, state.c.segment == s.id)
        query = query.where(sa.func.coalesce(state.c.state, 0).in_(sorted(answered.states)))
    return query


def _standing(answered: Answered) -> sa.Subquery:
    """Return the latest answer of a coder to every segment and theme, without those taken back."""
    d = decisions.c
    again, duplicate = sorted(answered.again), d.mode == Mode.DUPLICATE.value
    counts = sa.and_(d.mode.not_in([Mode.DUPLICATE.value, Mode.ADJUDICATION.value]), d.segment.not_in(again))
    latest = sa.func.row_number().over(partition_by=(d.segment, d.theme), order_by=d.id.desc()).label("at")
    told = sa.select(d.segment, d.theme, d.answer, latest).where(
        d.coder == answered.coder, sa.or_(counts, sa.and_(duplicate, d.segment.in_(again)))
    )
    every = told.subquery()
    kept = sa.select(every.c.segment, every.c.theme, every.c.answer)
    return kept.where(every.c.at == 1, every.c.answer != Answer.UNDO.value).subquery()


def holding(store: Store, found: Sequence[Found], words: Sequence[str]) -> list[Found]:
    """Return the segments whose text holds every one of some words or phrases, whatever their case."""
    sought = [word.lower() for word in words]
    ids = list(dict.fromkeys(one.transcript for one in found))
    texts: dict[str, str] = {}
    with store.reading() as connection:
        for some in portions(ids):
            rows = connection.execute(sa.select(transcripts.c.id, transcripts.c.text).where(transcripts.c.id.in_(some)))
            texts.update(rows.tuples().all())
    # Lower case can be longer than upper case: then the places in the text are others, and it is cut first.
    lower = {key: small if len(small := text.lower()) == len(text) else "" for key, text in texts.items()}
    kept = []
    for one in found:
        small = lower[one.transcript][one.start : one.end] or texts[one.transcript][one.start : one.end].lower()
        if all(word in small for word in sought):
            kept.append(one)
    return kept


def list_speakers(store: Store) -> list[str]:
    """Return the labels of all speakers of the present transcripts who say something that is coded."""
    t, u = transcripts.c, turns.c
    said = sa.select(segments.c.transcript, segments.c.turn).distinct().where(segments.c.current.is_(True)).subquery()
    query = (
        sa.select(u.speaker)
        .distinct()
        .join(transcripts, t.id == u.transcript)
        .join(said, sa.and_(said.c.transcript == u.transcript, said.c.turn == u.position))
        .where(t.current.is_(True))
    )
    with store.reading() as connection:
        return sorted(connection.execute(query).scalars())


def list_coders(store: Store) -> list[str]:
    """Return the names of all who decided something."""
    with store.reading() as connection:
        return sorted(connection.execute(sa.select(decisions.c.coder).distinct()).scalars())
