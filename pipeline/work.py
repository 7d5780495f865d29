"""Suggesting over a store: ask it what is missing, call a stage, keep the result.

Every step may be cut off at any moment and run again: what is kept is whole, and what is kept is not done again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np

from . import embed, rank, store
from .coded import Coded, Vectors, coded_segments, folds, labelled
from .intake import Progress, Session, Tally, ingest, may_hold, no_progress, splitter, unread
from .records import Digest, Segment, SegmentId, Suggestion, TranscriptId, digest
from .store import corpus, runs, vectors

RANKS = 2  # raised when ranking the same material gives something else than before
TOGETHER = 200  # transcripts whose suggestions are kept in one transaction
FOLDS = 5  # models fitted to keep what coders said of a transcript out of its own suggestions


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What a study's store does not have yet."""

    unread: frozenset[str]  # sources that are new, changed, or were cut under other settings
    sources: tuple[str, ...]  # those with transcripts that lack suggestions, in the order of the study; holds `unread`
    gone: tuple[str, ...]  # files the store knows and the study has no more

    @property
    def nothing(self) -> bool:
        """Whether everything was done already."""
        return not (self.sources or self.gone)


def look(session: Session, site: str | None = None) -> Pending:
    """Find out what is new or changed, in one site or all. Raises ``Faults`` if files cannot be told apart."""
    if not store.has_store(session.study.store_url):
        here = [source for source, file in session.files.items() if may_hold(file, site)]
        return Pending(unread=frozenset(here), sources=tuple(here), gone=())
    due = frozenset(source for source in unread(session) if may_hold(session.files[source], site))
    gone = sorted(corpus.known_sources(session.store).keys() - session.files.keys()) if site is None else []
    waiting = set(_unranked(session, ranking(session, coded_segments(session.store)), site))
    behind = {entry.source for entry in corpus.list_transcripts(session.store) if entry.id in waiting} | due
    return Pending(unread=due, sources=tuple(s for s in session.files if s in behind), gone=tuple(gone))


def forget(session: Session, pending: Pending) -> None:
    """Take files that the study no longer has out of the present state."""
    if pending.gone:
        corpus.forget_sources(session.store, pending.gone)


def process(session: Session, source: str, pending: Pending, tally: Tally, progress: Progress = no_progress) -> None:
    """Read one file if that is due, and give all its segments vectors."""
    if source in pending.unread:
        ingest(session, session.files[source], tally)
    with tally.timing("store"):
        here = [entry.id for entry in corpus.list_transcripts(session.store) if entry.source == source]
        texts = [piece.text for piece in corpus.load_segments(session.store, within=here)]
    embed_texts(session, texts, tally, progress)


def embed_texts(session: Session, texts: Sequence[str], tally: Tally, progress: Progress = no_progress) -> None:
    """Give every text a vector in the store; texts that have one are not encoded again."""
    with tally.timing("store"):
        missing = vectors.without_vector(session.store, session.located.fingerprint, texts)
    done = 0
    portions = embed.in_portions(missing)
    for portion in portions:
        if len(portions) > 1:  # one is over before it can be looked at
            progress("embed", done, len(missing))
        encoder = session.encoder
        with tally.timing("embed"):
            rows = encoder.encode(portion)
        with tally.timing("store"):
            vectors.put_vectors(session.store, session.located.fingerprint, portion, rows)
        done += len(portion)
        tally.embedded += len(portion)
    if len(portions) > 1:
        progress("embed", done, done)


def ranking(session: Session, coded: Coded) -> Digest:
    """Digest of all that the suggestions for given words depend on."""
    study = session.study
    return digest(RANKS, session.located.fingerprint, session.codebook.revision, study.rank.digest, coded.digest)


def _unranked(session: Session, key: Digest, site: str | None) -> list[TranscriptId]:
    waiting = runs.unranked(session.store, key)
    if site is None:
        return waiting
    here = {entry.id for entry in corpus.list_transcripts(session.store, site=site)}
    return [transcript for transcript in waiting if transcript in here]


def prepare(session: Session, tally: Tally, progress: Progress = no_progress) -> None:
    """Embed what suggestions are measured against: the codebook and what people have coded."""
    coded = coded_segments(session.store)
    embed_texts(session, [*rank.codebook_texts(session.codebook), *coded.texts], tally, progress)


def rank_missing(session: Session, site: str | None, tally: Tally, progress: Progress = no_progress) -> str:
    """Make suggestions for every transcript that lacks those of the present ranking; return the run's id."""
    coded = coded_segments(session.store)
    key = ranking(session, coded)
    waiting = _unranked(session, key, site)
    present = [entry.id for entry in corpus.list_transcripts(session.store)]
    run = digest("run", key, session.study.segment.digest, sorted(present))
    started = runs.Run(
        id=run,
        ranking=key,
        encoder=session.located.fingerprint,
        codebook_revision=session.codebook.revision,
        settings=session.study.digest,
        counts={},
        started_at=datetime.now(UTC),
    )
    runs.start_run(session.store, started, session.codebook)
    teacher = _teacher(session, coded)
    for at in range(0, len(waiting), TOGETHER):
        some = waiting[at : at + TOGETHER]
        with tally.timing("store"):
            segments = corpus.load_segments(session.store, within=some)
            known = vectors.load_vectors(session.store, session.located.fingerprint, [s.text for s in segments])
        made = {transcript: list[Suggestion]() for transcript in some}
        where = {piece.id: piece.transcript for piece in segments}
        for taught, pieces in _grouped(segments, teacher):
            for suggestion in _suggest(session, taught, pieces, known, tally, progress):
                made[where[suggestion.segment]].append(suggestion)
        with tally.timing("store"):
            runs.put_suggestions(session.store, run, made)
        tally.ranked += len(segments)
        tally.suggested += sum(s.suggested and s.rank == 1 for given in made.values() for s in given)
        progress("rank", min(at + TOGETHER, len(waiting)), len(waiting))
    runs.end_run(session.store, run, tally.counts)
    return run


@dataclass(frozen=True, kw_only=True, eq=False)
class _Taught:
    """What suggestions for some transcripts are made from, without what coders said of those transcripts.

    Otherwise the machine would tell a second coder what the first one answered.
    """

    ranker: rank.Ranker
    decided: rank.Decided | None


def _teacher(session: Session, coded: Coded) -> Callable[[Segment], _Taught]:
    """Return a function that tells what the suggestions for a segment are made from."""
    fold_of, place_of = folds(coded, FOLDS), coded.places
    texts = [*rank.codebook_texts(session.codebook), *coded.texts]
    known = vectors.load_vectors(session.store, session.located.fingerprint, texts)

    @cache
    def taught(fold: int | None) -> _Taught:
        def keep(piece: Segment) -> bool:
            return fold is None or fold_of[place_of[piece.transcript]] != fold

        said = labelled(coded, session.codebook, known, keep)
        kept = tuple(piece.id for piece in coded.segments if keep(piece))
        return _Taught(
            ranker=rank.fit(session.codebook, known, said, session.study.rank),
            decided=rank.Decided(segments=kept, said=said) if said else None,
        )

    return lambda piece: taught(fold_of.get(place_of[piece.transcript]))


def _grouped(segments: Sequence[Segment], teacher: Callable[[Segment], _Taught]) -> list[tuple[_Taught, list[Segment]]]:
    groups: dict[_Taught, list[Segment]] = {}
    for piece in segments:
        groups.setdefault(teacher(piece), []).append(piece)
    return list(groups.items())


def _suggest(
    session: Session, taught: _Taught, pieces: Sequence[Segment], known: Vectors, tally: Tally, progress: Progress
) -> list[Suggestion]:
    """Return the suggestions for segments, with their reasons: sentences of those that have one are embedded."""
    with tally.timing("rank"):
        texts = [piece.text for piece in pieces]
        rows = np.stack([known[text] for text in texts])
        made = rank.suggest(taught.ranker, [piece.id for piece in pieces], texts, rows, session.study.rank)
        tally.provisional |= taught.ranker.provisional
        passages = _cut(session, pieces, known, {s.segment for s in made if s.suggested})
    sentences = [p.text[a:b] for p in passages.values() if len(p.sentences) > 1 for a, b in p.sentences]
    embed_texts(session, sentences, tally, progress)
    with tally.timing("store"):
        parts = vectors.load_vectors(session.store, session.located.fingerprint, sentences)
    with tally.timing("rank"):
        return rank.with_reasons(taught.ranker, made, passages, parts, taught.decided)


def _cut(
    session: Session, pieces: Sequence[Segment], known: Vectors, suggested: Collection[SegmentId]
) -> dict[SegmentId, rank.Passage]:
    """Return segments as ranking explains them: those with a suggestion with their sentences."""
    language = {entry.id: entry.language for entry in corpus.list_transcripts(session.store)}
    return {
        piece.id: rank.Passage(
            text=piece.text,
            vector=known[piece.text],
            sentences=tuple(splitter(language[piece.transcript])(piece.text)) if piece.id in suggested else (),
        )
        for piece in pieces
    }


def run_direct(session: Session, pending: Pending, site: str | None, progress: Progress) -> Tally:
    """Do everything that is pending, without Prefect."""
    tally = Tally()
    forget(session, pending)
    for done, source in enumerate(pending.sources):
        progress("transcripts", done, len(pending.sources))
        process(session, source, pending, tally, progress)
    progress("transcripts", len(pending.sources), len(pending.sources))
    prepare(session, tally, progress)
    rank_missing(session, site, tally, progress)
    return tally
