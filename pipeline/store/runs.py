"""Runs, the codebooks they used, and the suggestions they made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from ..records import Because, Codebook, Exemplar, Kind, SegmentId, Suggestion, Theme, TranscriptId
from .carried import load_carried
from .connect import Store, insert_missing
from .corpus import portions
from .schema import codebooks, decisions, runs, segments, suggestions, transcripts

REFRESHED = "refreshed"  # the count that runs have which were made while people decided: of transcripts
AT_ONCE = 500  # rows that are deleted in one transaction

# Columns that hold a suggestion's field as it is.
_TOLD = (
    *("segment", "rank", "theme", "score", "probability", "suggested", "exemplar", "exemplar_source"),
    *("runner_up", "runner_up_probability"),
    *("near_accepted", "near_rejected", "nearest_accepted", "nearest_rejected"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution over a study. Its id follows from what it works on, so a resumed run keeps it."""

    id: str
    ranking: str  # digest of all that suggestions for given words depend on
    encoder: str
    codebook_revision: str
    settings: str
    counts: Mapping[str, int]
    started_at: datetime
    ended_at: datetime | None = None


def start_run(store: Store, run: Run, codebook: Codebook) -> None:
    """Write down that a run begins, with the codebook it uses. A run that was cut off goes on under its id."""
    row = {
        "id": run.id,
        "ranking": run.ranking,
        "encoder": run.encoder,
        "codebook_revision": run.codebook_revision,
        "settings": run.settings,
        "counts": dict(run.counts),
        "started_at": run.started_at.isoformat(),
        "ended_at": None,
    }
    with store.writing() as connection:
        insert_missing(connection, codebooks, [{"revision": codebook.revision, "themes": plain_themes(codebook)}])
        insert_missing(connection, runs, [row])


def end_run(store: Store, run: str, counts: Mapping[str, int]) -> None:
    """Write down that a run is complete, and what it did."""
    with store.writing() as connection:
        done = sa.update(runs).where(runs.c.id == run)
        connection.execute(done.values(ended_at=datetime.now(UTC).isoformat(), counts=dict(counts)))


def list_runs(store: Store) -> list[Run]:
    """Return all runs, oldest first."""
    with store.reading() as connection:
        return [_run(row) for row in connection.execute(sa.select(runs).order_by(runs.c.started_at, runs.c.id))]


def _run(row: sa.Row[tuple[object, ...]]) -> Run:
    names = ("id", "ranking", "encoder", "codebook_revision", "settings", "counts")
    told = {name: getattr(row, name) for name in names}
    ended = row.ended_at
    return Run(
        **told,
        started_at=datetime.fromisoformat(row.started_at),
        ended_at=datetime.fromisoformat(ended) if ended else None,
    )


def put_suggestions(store: Store, run: str, ranked: Mapping[TranscriptId, Sequence[Suggestion]]) -> None:
    """Keep the suggestions of whole transcripts as the present ones, in one transaction."""
    rows = [_row(run, suggestion) for made in ranked.values() for suggestion in made]
    with store.writing() as connection:
        # A run that goes on after it was cut off makes the same suggestions again.
        insert_missing(connection, suggestions, rows)
        present = sa.update(transcripts).where(transcripts.c.id == sa.bindparam("key")).values(run=run)
        if ranked:
            connection.execute(present, [{"key": transcript} for transcript in ranked])


def _row(run: str, suggestion: Suggestion) -> dict[str, object]:
    told = {name: getattr(suggestion, name) for name in _TOLD}
    lists = {"parts": suggestion.parts, "because": suggestion.because}
    return {"run": run, **told, **lists, "because_kind": suggestion.because_kind.value}


def unranked(store: Store, ranking: str) -> list[TranscriptId]:
    """Return the current transcripts without suggestions of this ranking, by site and name."""
    query = (
        sa.select(transcripts.c.id)
        .outerjoin(runs, runs.c.id == transcripts.c.run)
        .where(transcripts.c.current.is_(True), sa.or_(runs.c.ranking.is_(None), runs.c.ranking != ranking))
        .order_by(transcripts.c.site, transcripts.c.name)
    )
    with store.reading() as connection:
        return list(connection.execute(query).scalars())


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A present suggestion and the run that made it."""

    suggestion: Suggestion
    run: str


def load_suggestions(store: Store, transcript: TranscriptId | None = None) -> dict[SegmentId, list[Made]]:
    """Return the present suggestions of every segment in the order of their rank, of the study or one transcript."""
    query = (
        sa.select(suggestions)
        .join(segments, segments.c.id == suggestions.c.segment)
        .join(transcripts, transcripts.c.id == segments.c.transcript)
        .where(transcripts.c.current.is_(True), segments.c.current.is_(True), suggestions.c.run == transcripts.c.run)
        .order_by(transcripts.c.site, transcripts.c.name, segments.c.start, suggestions.c.rank)
    )
    if transcript is not None:
        query = query.where(transcripts.c.id == transcript)
    made: dict[SegmentId, list[Made]] = {}
    with store.reading() as connection:
        for row in connection.execute(query):
            made.setdefault(row.segment, []).append(Made(suggestion=_suggestion(row), run=row.run))
    return made


def suggested(store: Store, segment: SegmentId, run: str = "") -> tuple[str, str, list[Suggestion]]:
    """Return a run, its encoder and what it suggested for a segment, best first.

    It is the run asked for, if that suggested anything here, else the one whose suggestions are present; its name is
    empty where nothing was suggested yet.
    """
    present = (
        sa.select(transcripts.c.run)
        .join(segments, segments.c.transcript == transcripts.c.id)
        .where(segments.c.id == segment, segments.c.current.is_(True), transcripts.c.current.is_(True))
    )
    query = (
        sa.select(suggestions, runs.c.encoder)
        .join(runs, runs.c.id == suggestions.c.run)
        .where(suggestions.c.segment == segment)
        .order_by(suggestions.c.rank)
    )
    with store.reading() as connection:
        asked = query.where(suggestions.c.run == (run or present.scalar_subquery()))
        rows = connection.execute(asked).all()
        if run and not rows:
            rows = connection.execute(query.where(suggestions.c.run == present.scalar_subquery())).all()
    return (rows[0].run, rows[0].encoder, [_suggestion(row) for row in rows]) if rows else ("", "", [])


def present_runs(store: Store) -> list[str]:
    """Return the ids of the runs that made present suggestions."""
    query = (
        sa.select(transcripts.c.run).distinct().where(transcripts.c.current.is_(True), transcripts.c.run.is_not(None))
    )
    with store.reading() as connection:
        return sorted(connection.execute(query).scalars())


def drop_superseded(store: Store, moment: datetime) -> int:
    """Delete suggestions that were made while people decided, before a moment, and are of no use any more.

    Kept are the present ones and those of a run that a decision on their segment names. Returns how many were deleted.
    """
    old = [run.id for run in list_runs(store) if REFRESHED in run.counts and run.started_at < moment]
    s = suggestions.c
    shown = sa.exists().where(decisions.c.segment == s.segment, decisions.c.run == s.run)
    present = sa.exists().where(
        segments.c.id == s.segment, transcripts.c.id == segments.c.transcript, transcripts.c.run == s.run
    )
    done = 0
    for run in old:
        with store.reading() as connection:
            unseen = sa.select(s.segment, s.rank).where(s.run == run, ~shown, ~present)
            keys = [{"a": segment, "b": run, "c": rank} for segment, rank in connection.execute(unseen)]
        this = sa.delete(suggestions).where(
            s.segment == sa.bindparam("a"), s.run == sa.bindparam("b"), s.rank == sa.bindparam("c")
        )
        for at in range(0, len(keys), AT_ONCE):  # a few at a time: people write meanwhile
            with store.writing() as connection:
                connection.execute(this, keys[at : at + AT_ONCE])
        done += len(keys)
    return done


class Chance(NamedTuple):
    """How probable a present suggestion is, without its reasons: there may be half a million."""

    theme: str
    probability: float
    suggested: bool


def load_chances(store: Store, *, within: Collection[TranscriptId] | None = None) -> dict[SegmentId, list[Chance]]:
    """Return how probable the present suggestions of segments are, in the order of their rank: of all, or ``within``
    some transcripts.
    """
    s = suggestions.c
    query = (
        sa.select(s.segment, s.theme, s.probability, s.suggested)
        .join(segments, segments.c.id == s.segment)
        .join(transcripts, transcripts.c.id == segments.c.transcript)
        .where(transcripts.c.current.is_(True), segments.c.current.is_(True), s.run == transcripts.c.run)
        .order_by(s.segment, s.rank)
    )
    queries = (
        [query] if within is None else [query.where(transcripts.c.id.in_(some)) for some in portions(list(within))]
    )
    found: dict[SegmentId, list[Chance]] = {}
    with store.reading() as connection:
        for one in queries:
            for segment, *told in connection.execute(one):
                found.setdefault(segment, []).append(Chance(*told))
    return found


class Tally(NamedTuple):
    """How often a theme is suggested in a transcript; every segment that ranking looked at is counted once as such."""

    transcript: TranscriptId
    theme: str
    suggested: int  # segments that it is suggested for
    first: int  # segments with a suggestion that it is the likeliest theme of
    unsure: int  # segments without any suggestion that it is the likeliest theme of


def tallies(store: Store, *, site: str | None = None) -> list[Tally]:
    """Return how often every theme is suggested in every current transcript, of all or of a site.

    The database counts: there may be millions of suggestions.
    """
    s, t = suggestions.c, transcripts.c
    yes = sa.case((s.suggested.is_(True), 1), else_=0)
    each = (
        sa.select(t.id, s.theme, s.rank, yes.label("yes"), sa.func.max(yes).over(partition_by=s.segment).label("any"))
        .join(segments, segments.c.id == s.segment)
        .join(transcripts, t.id == segments.c.transcript)
        .where(t.current.is_(True), segments.c.current.is_(True), segments.c.origin == "machine", s.run == t.run)
    )
    e = (each if site is None else each.where(t.site == site)).subquery().c
    unsure = sa.case((sa.and_(e.rank == 1, e.any == 0), 1), else_=0)
    first = sa.case((sa.and_(e.rank == 1, e.any == 1), 1), else_=0)
    counts = (sa.func.sum(e.yes), sa.func.sum(first), sa.func.sum(unsure))
    query = sa.select(e.id, e.theme, *counts).group_by(e.id, e.theme).order_by(e.id, e.theme)
    with store.reading() as connection:
        return [Tally(TranscriptId(key), theme, *map(int, told)) for key, theme, *told in connection.execute(query)]


def suggestions_until(store: Store, moment: datetime | None) -> dict[tuple[SegmentId, str], list[Suggestion]]:
    """Return what the runs that had begun at a moment suggested, by segment and run, in the order of the runs.

    All runs if there is no moment. Of those that were made while people decided, only what a decision names that had
    been made then: the rest is deleted in time, and what is told of a moment must not depend on when it is asked.
    Without the exemplars and what scores are made of, which are large. What was suggested for words that are another
    segment's now, or were at that moment, is told of that one, too.
    """
    s = suggestions.c
    beside = [run.id for run in list_runs(store) if REFRESHED in run.counts]
    named = (decisions.c.segment == s.segment) & (decisions.c.run == s.run)
    names = ("segment", "rank", "theme", "score", "probability", "suggested")
    query = (
        sa.select(suggestions.c.run, *(suggestions.c[name] for name in names))
        .join(runs, runs.c.id == suggestions.c.run)
        .order_by(runs.c.started_at, runs.c.id, suggestions.c.segment, suggestions.c.rank)
    )
    if moment is not None:
        then = moment.astimezone(UTC).isoformat()
        query = query.where(runs.c.started_at <= then)
        named &= decisions.c.decided_at <= then
    if beside:
        query = query.where(s.run.not_in(beside) | sa.exists().where(named))
    made: dict[tuple[SegmentId, str], list[Suggestion]] = {}
    moved = load_carried(store, moment)
    with store.reading() as connection:
        for row in connection.execute(query):
            told = {name: getattr(row, name) for name in names}
            light = Suggestion(**told, exemplar="", exemplar_source="", parts=())
            for segment in {row.segment, moved.get(row.segment, row.segment)}:
                made.setdefault((segment, row.run), []).append(light)
    return made


def suggested_transcripts(store: Store) -> list[TranscriptId]:
    """Return the transcript of every segment that has a present suggestion above the threshold, once per segment."""
    query = (
        sa.select(transcripts.c.id)
        .select_from(suggestions)
        .join(segments, segments.c.id == suggestions.c.segment)
        .join(transcripts, transcripts.c.id == segments.c.transcript)
        .where(transcripts.c.current.is_(True), segments.c.current.is_(True), suggestions.c.run == transcripts.c.run)
        .where(suggestions.c.suggested.is_(True))
        .group_by(segments.c.id, transcripts.c.id)
    )
    with store.reading() as connection:
        return list(connection.execute(query).scalars())


def _suggestion(row: sa.Row[tuple[object, ...]]) -> Suggestion:
    return Suggestion(
        **{name: getattr(row, name) for name in _TOLD},
        parts=tuple((name, value) for name, value in row.parts),
        because=tuple((start, end) for start, end in row.because),
        because_kind=Because(row.because_kind),
    )


def load_codebooks(store: Store) -> dict[str, Codebook]:
    """Return every codebook that a run used, by revision."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(codebooks).order_by(codebooks.c.revision)).all()
    return {row.revision: Codebook(themes=tuple(_theme(theme) for theme in row.themes)) for row in rows}


def load_codebook(store: Store, revision: str) -> Codebook:
    """Return the codebook of a revision. Raises ``KeyError`` if no run used it."""
    with store.reading() as connection:
        told = connection.execute(sa.select(codebooks.c.themes).where(codebooks.c.revision == revision)).scalar()
    if told is None:
        raise KeyError(revision)
    return Codebook(themes=tuple(_theme(theme) for theme in told))


def plain_themes(codebook: Codebook) -> list[dict[str, object]]:
    """Return a codebook's themes as they are kept."""
    names = ("name", "parent", "definition", "include", "exclude")
    return [
        {name: getattr(theme, name) for name in names}
        | ({"formerly": list(theme.formerly)} if theme.formerly else {})
        | {"exemplars": [{"text": e.text, "kind": e.kind.value, "source": e.source} for e in theme.exemplars]}
        for theme in codebook.themes
    ]


def _theme(told: Mapping[str, object]) -> Theme:
    quotes, former = told["exemplars"], told.get("formerly", [])
    assert isinstance(quotes, list)
    assert isinstance(former, list)
    exemplars = tuple(Exemplar(text=q["text"], kind=Kind(q["kind"]), source=q["source"]) for q in quotes)
    fields = {name: str(value) for name, value in told.items() if name not in ("exemplars", "formerly")}
    return Theme(**fields, exemplars=exemplars, formerly=tuple(former))
