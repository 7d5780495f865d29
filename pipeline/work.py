"""Suggesting over a store: ask it what is missing, call a stage, keep the result.

Every step may be cut off at any moment and run again: what is kept is whole, and what is kept is not done again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np

from . import carry, embed, rank, store
from .coded import Coded, Vectors, coded_segments, folds, labelled, parked, understood
from .context import Context, around, contexts
from .intake import ALL, Part, Progress, Session, Tally, ingest, no_progress, splitter, unread
from .manifest import manifest
from .records import Digest, Segment, SegmentId, Suggestion, TranscriptId, digest
from .store import corpus, manifests, runs, vectors

RANKS = 8  # raised when ranking the same material gives something else than before
BLOCK = 20_000  # segments that are looked at together, at least: of their texts those without a vector are encoded
TOGETHER = 200  # transcripts whose suggestions are kept in one transaction
FOLDS = 5  # models fitted to keep what coders said of a transcript out of its own suggestions


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What a study's store does not have yet."""

    unread: frozenset[str]  # sources that are new, changed, or were cut under other settings
    sources: tuple[str, ...]  # those with transcripts that lack suggestions, in the order of the study; holds `unread`
    gone: tuple[str, ...]  # files the store knows and the study has no more
    fresh: frozenset[str] = frozenset()  # those of `sources` that are unread, or never had suggestions

    @property
    def nothing(self) -> bool:
        """Whether everything was done already."""
        return not (self.sources or self.gone)


def look(session: Session, part: Part = ALL) -> Pending:
    """Find out what is new or changed in a part of the study. Raises ``Faults`` if files cannot be told apart."""
    if not store.has_store(session.study.store_url):
        here = [source for source, file in session.files.items() if part.may_hold(file)]
        return Pending(unread=frozenset(here), sources=tuple(here), gone=(), fresh=frozenset(here))
    due = frozenset(source for source in unread(session) if part.may_hold(session.files[source]))
    gone = (
        sorted(corpus.known_sources(session.store).keys() - session.files.keys()) if part.whole and part.forgets else []
    )
    waiting = set(_unranked(session, ranking(session, learned_from(session)), part))
    entries = [entry for entry in corpus.list_transcripts(session.store) if entry.id in waiting]
    behind = {entry.source for entry in entries} | due
    fresh = due | {entry.source for entry in entries if entry.run is None}
    return Pending(unread=due, sources=tuple(s for s in session.files if s in behind), gone=tuple(gone), fresh=fresh)


def by_site(session: Session, pending: Pending) -> dict[str, list[str]]:
    """Return the pending sources by site, in the order of the study."""
    found: dict[str, list[str]] = {}
    for source in pending.sources:
        found.setdefault(session.files[source].site.name, []).append(source)
    return found


def arrived(session: Session, pending: Pending) -> list[str]:
    """Return the sites that something came in from, in the order of the study."""
    return list(dict.fromkeys(session.files[source].site.name for source in pending.sources if source in pending.fresh))


def forget(session: Session, pending: Pending) -> None:
    """Take files that the study no longer has out of the present state."""
    if pending.gone:
        corpus.forget_sources(session.store, pending.gone)


def read(session: Session, source: str, pending: Pending, tally: Tally) -> None:
    """Read, cut and keep one file if that is due."""
    if source in pending.unread:
        ingest(session, session.files[source], tally)


def blocks(session: Session, sources: Sequence[str]) -> Iterator[list[str]]:
    """Yield the texts that files' segments need, of whole transcripts together, for ``BLOCK`` segments or more.

    Which texts are together depends on the files alone, not on what was embedded before: so a run that was cut off
    goes on with the very same blocks. Only one block is in memory at a time.
    """
    order = {source: at for at, source in enumerate(sources)}
    mine = [entry for entry in corpus.list_transcripts(session.store) if entry.source in order]
    block: list[TranscriptId] = []
    texts = 0
    for entry in sorted(mine, key=lambda entry: (order[entry.source], entry.site, entry.name)):
        block.append(entry.id)
        texts += entry.segments
        if texts >= BLOCK:
            yield texts_of(session, corpus.load_segments(session.store, within=block))
            block, texts = [], 0
    if block:
        yield texts_of(session, corpus.load_segments(session.store, within=block))


def texts_of(session: Session, segments: Sequence[Segment]) -> list[str]:
    """Return every text that the ranking of segments needs a vector of: their own words and those around them."""
    known = around_segments(session, segments)
    return [text for piece in segments for text in (piece.text, *known[piece.id].texts)]


def around_segments(session: Session, segments: Sequence[Segment]) -> dict[SegmentId, Context]:
    """Return what is around segments, in the words that their transcripts had."""
    within = {piece.transcript for piece in segments}
    read = corpus.load_transcripts(session.store, within) if within else {}
    among = corpus.load_segments(session.store, within=within) if within else []
    return contexts(segments, among, read, splitter)


def learned_from(session: Session) -> Coded:
    """Return the decisions that the study learns from."""
    return coded_segments(session.store, session.study.rank.learn_from)


def embed_texts(session: Session, texts: Sequence[str], tally: Tally, progress: Progress = no_progress) -> None:
    """Give every text a vector in the store; texts that have one are not encoded again."""
    with tally.timing("store"):
        missing = vectors.without_vector(session.store, session.located.fingerprint, texts)
    done = 0
    portions = embed.in_portions(missing)
    made = session.encoded(portions)
    for portion in portions:
        if len(portions) > 1:  # one is over before it can be looked at
            progress("embed", done, len(missing))
        with tally.timing("embed"):
            rows = next(made)
        with tally.timing("store"):
            vectors.put_vectors(session.store, session.located.fingerprint, portion, rows)
        done += len(portion)
        tally.add(embedded=len(portion))
    if len(portions) > 1:
        progress("embed", done, done)


def ranking(session: Session, coded: Coded) -> Digest:
    """Digest of all that the suggestions for given words depend on."""
    study = session.study
    return digest(RANKS, session.located.fingerprint, session.codebook.revision, study.rank.digest, coded.digest)


def _unranked(session: Session, key: Digest, part: Part) -> list[TranscriptId]:
    waiting = runs.unranked(session.store, key)
    if part == ALL:
        return waiting
    here = {entry.id for entry in corpus.list_transcripts(session.store, site=part.site) if part.holds(entry)}
    return [transcript for transcript in waiting if transcript in here]


def prepare(session: Session, tally: Tally, progress: Progress = no_progress) -> None:
    """Find what people decided on in changed transcripts; embed it and the codebook, to measure suggestions against."""
    tally.add(carried=carry.carry_over(session.store))
    coded = coded_segments(session.store)
    texts = [*rank.codebook_texts(session.codebook), *texts_of(session, coded.segments)]
    embed_texts(session, texts, tally, progress)


def begin_run(session: Session, run: Digest, key: Digest, counts: Mapping[str, int] | None = None) -> None:
    """Keep that a run of suggestions begins now, whose ranking is ``key``, and what is known of it already."""
    started = runs.Run(
        id=run,
        ranking=key,
        encoder=session.located.fingerprint,
        codebook_revision=session.codebook.revision,
        settings=session.study.digest,
        counts=counts or {},
        started_at=datetime.now(UTC),
    )
    runs.start_run(session.store, started, session.codebook)


def rank_missing(session: Session, part: Part, tally: Tally, progress: Progress = no_progress) -> str:
    """Make suggestions for every transcript that lacks those of the present ranking; return the run's id."""
    coded = learned_from(session)
    key = ranking(session, coded)
    waiting = _unranked(session, key, part)
    present = [entry.id for entry in corpus.list_transcripts(session.store)]
    run = digest("run", key, session.study.segment.digest, sorted(present))
    begin_run(session, run, key)
    manifests.put_manifest(session.store, run, manifest(session, coded, RANKS))
    tally.parked = parked(coded, session.codebook)

    def sentences(texts: Sequence[str]) -> Vectors:
        embed_texts(session, texts, tally, progress)
        with tally.timing("store"):
            return vectors.load_vectors(session.store, session.located.fingerprint, texts)

    suggest = suggester(session, coded, tally, sentences)
    for at in range(0, len(waiting), TOGETHER):
        some = waiting[at : at + TOGETHER]
        with tally.timing("store"):
            segments = corpus.load_segments(session.store, within=some)
        made = {transcript: list[Suggestion]() for transcript in some} | suggest(segments)
        with tally.timing("store"):
            runs.put_suggestions(session.store, run, made)
        found = sum(s.suggested and s.rank == 1 for given in made.values() for s in given)
        tally.add(ranked=len(segments), suggested=found)
        progress("rank", min(at + TOGETHER, len(waiting)), len(waiting))
    runs.end_run(session.store, run, tally.counts)
    return run


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taught:
    """What suggestions for some transcripts are made from.

    What coders said of a transcript has no part in that transcript's own suggestions: otherwise the machine would
    tell a second coder what the first one answered.
    """

    ranker: rank.Ranker
    decided: rank.Decided | None


def suggester(
    session: Session,
    coded: Coded,
    tally: Tally,
    sentences: Callable[[Sequence[str]], Vectors],
    counted: rank.Counted | None = None,
) -> Callable[[Sequence[Segment]], dict[TranscriptId, list[Suggestion]]]:
    """Return a function that makes suggestions for segments, with their reasons.

    ``sentences`` gives the vectors of sentences that may have carried a suggestion, or of those that have one;
    ``counted`` remembers the n-grams of what is learned from, for whoever asks again after more decisions.
    """
    coded = understood(coded, session.codebook)
    fold_of, place_of = folds(coded, FOLDS), coded.places
    remembered = counted or rank.Counted()
    with tally.timing("rank"):
        near, known = nearby(session, coded.segments)

    @cache
    def taught(fold: int | None) -> _Taught:
        def keep(piece: Segment) -> bool:
            return fold is None or fold_of[place_of[piece.transcript]] != fold

        said = labelled(coded, session.codebook, known, keep, near)
        kept = tuple(piece.id for piece in coded.segments if keep(piece))
        return _Taught(
            ranker=rank.fit(session.codebook, known, said, session.study.rank, remembered),
            decided=rank.Decided(segments=kept, said=said) if said else None,
        )

    def suggest(segments: Sequence[Segment]) -> dict[TranscriptId, list[Suggestion]]:
        by_fold: dict[int | None, list[Segment]] = {}
        for piece in segments:
            by_fold.setdefault(fold_of.get(place_of[piece.transcript]), []).append(piece)
        where = {piece.id: piece.transcript for piece in segments}
        made: dict[TranscriptId, list[Suggestion]] = {}
        for fold, pieces in by_fold.items():
            with tally.timing("rank"):
                one = taught(fold)
                tally.provisional |= one.ranker.provisional
                tally.muted |= one.ranker.muted
                suggestions, passages = _suggestions(session, one, pieces)
            inside = [
                p.text[start:end] for p in passages.values() if len(p.sentences) > 1 for start, end in p.sentences
            ]
            known = sentences(inside)
            with tally.timing("rank"):
                for suggestion in rank.with_reasons(one.ranker, suggestions, passages, known, one.decided):
                    made.setdefault(where[suggestion.segment], []).append(suggestion)
        return made

    return suggest


def _suggestions(
    session: Session, taught: _Taught, pieces: Sequence[Segment]
) -> tuple[list[Suggestion], dict[SegmentId, rank.Passage]]:
    """Return suggestions without reasons, and what these are looked for in: sentences where something is suggested."""
    here, known = nearby(session, pieces)
    texts = [piece.text for piece in pieces]
    rows = np.stack([known[text] for text in texts])
    ids = [piece.id for piece in pieces]
    made = rank.suggest(taught.ranker, ids, texts, rows, session.study.rank, around(pieces, here, known))
    language = {entry.id: entry.language for entry in corpus.list_transcripts(session.store)}
    suggested = {suggestion.segment for suggestion in made if suggestion.suggested}
    passages = {
        piece.id: rank.Passage(
            text=piece.text,
            vector=row,
            sentences=tuple(splitter(language[piece.transcript])(piece.text)) if piece.id in suggested else (),
        )
        for piece, row in zip(pieces, rows, strict=True)
    }
    return made, passages


def set_apart(session: Session) -> tuple[dict[str, str], dict[str, int]]:
    """Return the themes that are muted, with the reason, and those decided on that the codebook lacks, with segments.

    Without a vector for everything that is learned from, nothing is said to be muted: nothing was suggested yet.
    """
    coded = learned_from(session)
    apart = parked(coded, session.codebook)
    coded = understood(coded, session.codebook)
    texts = [*rank.codebook_texts(session.codebook), *texts_of(session, coded.segments)]
    if not coded.segments or vectors.without_vector(session.store, session.located.fingerprint, texts):
        return {}, apart
    near, known = nearby(session, coded.segments)
    learned = labelled(coded, session.codebook, known, known=near)
    return rank.fit(session.codebook, known, learned, session.study.rank).muted, apart


def nearby(session: Session, segments: Sequence[Segment]) -> tuple[dict[SegmentId, Context], Vectors]:
    """Return what is around segments, and the vectors of all texts that ranking them needs."""
    known = around_segments(session, segments)
    texts = [text for piece in segments for text in (piece.text, *known[piece.id].texts)]
    texts += rank.codebook_texts(session.codebook)
    return known, vectors.load_vectors(session.store, session.located.fingerprint, texts)


def run_direct(session: Session, pending: Pending, part: Part, progress: Progress) -> Tally:
    """Do everything that is pending, without Prefect."""
    tally = Tally()
    forget(session, pending)
    done = 0
    for sources in by_site(session, pending).values():
        for source in sources:
            progress("transcripts", done, len(pending.sources))
            read(session, source, pending, tally)
            done += 1
        for texts in blocks(session, sources):
            embed_texts(session, texts, tally, progress)
    progress("transcripts", len(pending.sources), len(pending.sources))
    prepare(session, tally, progress)
    rank_missing(session, part, tally, progress)
    return tally
