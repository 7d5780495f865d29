"""The stages joined with the store: ask it what is missing, call a stage, keep the result.

Every step may be cut off at any moment and run again: what is kept is whole, and what is kept is not done again.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from . import embed, rank, store, transcripts
from .codebook import read_codebook
from .coded import Coded, Vectors, coded_segments, folds, labelled
from .config import Study, load_study
from .errors import Fault, Faults, TranscriptFault, raise_all
from .records import Codebook, Digest, Segment, Suggestion, Transcript, TranscriptId, digest
from .segment import load_splitter, segment, trained_models
from .store import corpus, runs, vectors

READS = 1  # raised when reading or cutting files gives something else than before
RANKS = 1  # raised when ranking the same material gives something else than before
TOGETHER = 200  # transcripts whose suggestions are kept in one transaction
FOLDS = 5  # models fitted to keep what coders said of a transcript out of its own suggestions

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # stage, how many are done, out of how many


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass
class Tally:
    """What a run did, and how long its stages took. The one record that changes: it is filled while work goes on."""

    files: int = 0
    transcripts: int = 0
    segments: int = 0
    embedded: int = 0
    ranked: int = 0
    suggested: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began

    @property
    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        names = ("files", "transcripts", "segments", "embedded", "ranked", "suggested")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class Session:
    """A study with everything that work on it needs; the store and the encoder are opened when first asked for."""

    study: Study
    codebook: Codebook
    located: embed.Located

    @cached_property
    def store(self) -> store.Store:
        """The study's store, made if there is none."""
        return store.open_store(self.study.store_url)

    @cached_property
    def files(self) -> dict[str, transcripts.File]:
        """The study's transcript files by source. Raises ``Faults`` if they cannot be told apart."""
        files, faults = transcripts.find(self.study)
        raise_all([*faults, *_of_one_name(files)])
        return {file.source: file for file in files}

    @cached_property
    def encoder(self) -> embed.Encoder:
        """The study's encoder, loaded."""
        return embed.load(self.located)


def open_session(path: Path) -> Session:
    """Read the study, its codebook and find its encoder; nothing is written and nothing heavy loaded.

    Raises ``Faults`` with everything that is wrong with the three.
    """
    study = load_study(path)
    faults: list[Fault] = []
    codebook = gathered(faults, lambda: read_codebook(study.codebook_file))
    located = gathered(faults, lambda: embed.locate(study.embed, study.folder))
    raise_all(faults)
    assert codebook is not None
    assert located is not None
    return Session(study=study, codebook=codebook, located=located)


def _of_one_name(files: Sequence[transcripts.File]) -> Iterator[TranscriptFault]:
    """Tell of files that would be transcripts of one name; tables may hold several, whose names are theirs."""
    first: dict[tuple[str, str], transcripts.File] = {}
    for file in files:
        if file.path.suffix.lower() not in (".csv", ".xlsx"):
            other = first.setdefault((file.site.name, file.path.stem), file)
            if other is not file:
                problem = f"is the second transcript called {file.path.stem} in {file.site.name}, after {other.source}"
                yield TranscriptFault(file.source, problem, "rename one of the two")


def gathered(faults: list[Fault], reading: Callable[[], T]) -> T | None:
    """Return what ``reading`` returns, or nothing when it finds faults, which are added to the list."""
    try:
        return reading()
    except Fault as fault:
        faults.append(fault)
    except Faults as group:
        faults.extend(group.exceptions)  # type: ignore[arg-type]  # readers raise flat groups
    return None


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
    here = {source: file for source, file in session.files.items() if site in (None, file.site.name)}
    if not store.has_store(session.study.store_url):
        return Pending(unread=frozenset(here), sources=tuple(here), gone=())
    known = corpus.known_sources(session.store)
    unread = frozenset(source for source, file in here.items() if not _is_known(session.study, file, known))
    gone = sorted(known.keys() - session.files.keys()) if site is None else []
    waiting = set(runs.unranked(session.store, ranking(session, coded_segments(session.store))))
    behind = {entry.source for entry in corpus.list_transcripts(session.store) if entry.id in waiting} | unread
    return Pending(unread=unread, sources=tuple(source for source in here if source in behind), gone=tuple(gone))


def read_pending(session: Session, progress: Progress = no_progress) -> None:
    """Read and keep the files that are new or changed, without embedding anything."""
    known = corpus.known_sources(session.store)
    unread = [file for file in session.files.values() if not _is_known(session.study, file, known)]
    for done, file in enumerate(unread, 1):
        ingest(session, file, Tally())
        progress("transcripts", done, len(unread))


def try_first(session: Session) -> None:
    """Before a store is made: read files until one is whole.

    So that input of which nothing can be used leaves nothing behind. Raises ``Faults`` with what is wrong.
    """
    faults: list[Fault] = []
    for file in session.files.values():
        if gathered(faults, lambda file=file: read_and_cut(session.study, file)) is not None:  # type: ignore[misc]
            return
    raise_all(faults)


def quarantined(session: Session, site: str | None = None) -> list[corpus.Source]:
    """Return the files that are set aside with their reasons, in the order of the study."""
    known = corpus.known_sources(session.store)
    found = [known[source] for source in session.files if source in known]
    return [source for source in found if source.quarantine and site in (None, source.site)]


def _is_known(study: Study, file: transcripts.File, known: Mapping[str, corpus.Source]) -> bool:
    have = known.get(file.source)
    return have is not None and have.settings == _reading(study, file) and have.sha256 == file_hash(file.path)


def _reading(study: Study, file: transcripts.File) -> Digest:
    """Digest of all but the file's bytes that reading and cutting it depends on."""
    sites = [site.name for site in study.site]
    return digest(
        READS, _trained_models(), study.segment.digest, file.site.name, file.site.language, file.site.moderators, sites
    )


_trained_models = cache(trained_models)  # they may set other boundaries; looking for them takes a moment


def file_hash(path: Path) -> str:
    """Return a file's sha256, or "" if it cannot be read: reading it will say why."""
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""


@cache
def _splitter(language: str) -> Callable[[str], list[tuple[int, int]]]:
    return load_splitter(language)


def read_and_cut(study: Study, file: transcripts.File) -> list[tuple[Transcript, list[Segment]]]:
    """Read a file and cut its transcripts into segments. Raises ``Faults`` about the file."""
    read = transcripts.read(file, study)
    raise_all(transcripts.clashes(read))
    return [(t, segment(t, _splitter(t.language), study.segment)) for t in read]


def forget(session: Session, pending: Pending) -> None:
    """Take files that the study no longer has out of the present state."""
    if pending.gone:
        corpus.forget_sources(session.store, pending.gone)


def reach(session: Session, source: str) -> None:
    """Raise ``OSError`` if a file cannot be opened now: on a network drive that may pass."""
    with session.files[source].path.open("rb"):
        pass


def process(session: Session, source: str, pending: Pending, tally: Tally, progress: Progress = no_progress) -> None:
    """Read one file if that is due, and give all its segments vectors."""
    if source in pending.unread:
        ingest(session, session.files[source], tally)
    with tally.timing("store"):
        here = [entry.id for entry in corpus.list_transcripts(session.store) if entry.source == source]
        texts = [piece.text for piece in corpus.load_segments(session.store, within=here)]
    embed_texts(session, texts, tally, progress)


def ingest(session: Session, file: transcripts.File, tally: Tally) -> None:
    """Read, cut and keep one file; a broken one is set aside in the store with its reason."""
    source = corpus.Source(
        path=file.source, site=file.site.name, sha256=file_hash(file.path), settings=_reading(session.study, file)
    )
    try:
        with tally.timing("read and segment"):
            cut = read_and_cut(session.study, file)
            raise_all(_taken(session, file, [transcript for transcript, _ in cut]))
    except Faults as faults:
        told = "\n".join(str(fault) for fault in faults.exceptions)
        corpus.put_source(session.store, replace(source, quarantine=told), [])
        return
    with tally.timing("store"):
        corpus.put_source(session.store, source, cut)
    tally.files += 1
    tally.transcripts += len(cut)
    tally.segments += sum(len(pieces) for _, pieces in cut)


def _taken(session: Session, file: transcripts.File, read: Sequence[Transcript]) -> list[TranscriptFault]:
    """Tell which transcripts another file of the study has already given."""
    present = session.files.keys() - {file.source}
    others = [entry for entry in corpus.list_transcripts(session.store) if entry.source in present]
    words = {entry.id: entry for entry in others}
    names = {(entry.site, entry.name): entry for entry in others}
    faults = []
    for transcript in read:
        if other := words.get(transcript.id):
            remedy = "remove one of the two, or its words count twice"
            faults.append(TranscriptFault(file.source, f"has the same words as {other.source}", remedy))
        elif other := names.get((transcript.site, transcript.name)):
            problem = f"is the second transcript called {transcript.name} in {transcript.site}, after {other.source}"
            faults.append(TranscriptFault(file.source, problem, "rename one of the two"))
    return faults


def embed_texts(session: Session, texts: Sequence[str], tally: Tally, progress: Progress = no_progress) -> None:
    """Give every text a vector in the store; texts that have one are not encoded again."""
    with tally.timing("store"):
        missing = vectors.without_vector(session.store, session.located.fingerprint, texts)
    done = 0
    for portion in embed.in_portions(missing):
        encoder = session.encoder
        with tally.timing("embed"):
            rows = encoder.encode(portion)
        with tally.timing("store"):
            vectors.put_vectors(session.store, session.located.fingerprint, portion, rows)
        done += len(portion)
        tally.embedded += len(portion)
        progress("embed", done, len(missing))


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
    suggest = _suggester(session, coded)
    for at in range(0, len(waiting), TOGETHER):
        some = waiting[at : at + TOGETHER]
        with tally.timing("store"):
            segments = corpus.load_segments(session.store, within=some)
            known = vectors.load_vectors(session.store, session.located.fingerprint, [s.text for s in segments])
        with tally.timing("rank"):
            made = {transcript: list[Suggestion]() for transcript in some} | suggest(segments, known)
        with tally.timing("store"):
            runs.put_suggestions(session.store, run, made)
        tally.ranked += len(segments)
        tally.suggested += sum(s.suggested and s.rank == 1 for given in made.values() for s in given)
        progress("rank", min(at + TOGETHER, len(waiting)), len(waiting))
    runs.end_run(session.store, run, tally.counts)
    return run


def _suggester(
    session: Session, coded: Coded
) -> Callable[[Sequence[Segment], Vectors], dict[TranscriptId, list[Suggestion]]]:
    """Return a function that makes suggestions for segments.

    What coders said of a transcript has no part in that transcript's own suggestions: otherwise the machine would
    tell a second coder what the first one answered.
    """
    fold_of = folds(coded, FOLDS)
    texts = [*rank.codebook_texts(session.codebook), *coded.texts]
    known = vectors.load_vectors(session.store, session.located.fingerprint, texts)

    @cache
    def ranker(fold: int | None) -> rank.Ranker:
        others = labelled(coded, session.codebook, known, lambda s: fold is None or fold_of[s.transcript] != fold)
        return rank.fit(session.codebook, known, others, session.study.rank)

    def suggest(segments: Sequence[Segment], given: Vectors) -> dict[TranscriptId, list[Suggestion]]:
        made: dict[TranscriptId, list[Suggestion]] = {}
        by_fold: dict[int | None, list[Segment]] = {}
        for piece in segments:
            by_fold.setdefault(fold_of.get(piece.transcript), []).append(piece)
        for fold, pieces in by_fold.items():
            words = [piece.text for piece in pieces]
            rows = np.stack([given[text] for text in words])
            where = {piece.id: piece.transcript for piece in pieces}
            for suggestion in rank.suggest(ranker(fold), [p.id for p in pieces], words, rows, session.study.rank):
                made.setdefault(where[suggestion.segment], []).append(suggestion)
        return made

    return suggest


def run_direct(session: Session, pending: Pending, site: str | None, progress: Progress) -> Tally:
    """Do everything that is pending, without Prefect."""
    tally = Tally()
    forget(session, pending)
    for done, source in enumerate(pending.sources, 1):
        process(session, source, pending, tally, progress)
        progress("transcripts", done, len(pending.sources))
    prepare(session, tally, progress)
    rank_missing(session, site, tally, progress)
    return tally
