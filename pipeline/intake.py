"""A study's files -> the store: which are new or changed, read and cut them, set broken ones aside."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from . import embed, store, transcripts
from .carry import carry_over
from .codebook import read_codebook
from .config import Study, load_study
from .errors import Fault, Faults, StudyFault, TranscriptFault, raise_all
from .records import Codebook, Digest, Segment, Transcript, digest
from .segment import load_splitter, segment, trained_models
from .store import corpus

TABLES = (".csv", ".xlsx")  # files that may say of each row of which site it is
READS = 1  # raised when reading or cutting files gives something else than before

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # stage, how many are done, out of how many


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What part of a study is worked on: all of it, a site, or a transcript."""

    site: str | None = None
    transcript: str | None = None
    leave: frozenset[str] = frozenset()  # files that are not touched now, as they are still being copied
    forgets: bool = True  # whether files that are gone are; not while the folder they were in is away

    @property
    def whole(self) -> bool:
        """Whether neither a site nor a transcript was asked for."""
        return self.site is None and self.transcript is None

    def may_hold(self, file: transcripts.File) -> bool:
        """Tell whether a file may have transcripts of this part; a table may have several, of several sites."""
        if file.source in self.leave:
            return False
        if file.path.suffix.lower() in TABLES:
            return True
        return self.site in (None, file.site.name) and self.transcript in (None, file.path.stem)

    def holds(self, entry: corpus.Entry) -> bool:
        """Tell whether a transcript of the store belongs to this part."""
        here = self.site in (None, entry.site) and self.transcript in (None, entry.name)
        return here and entry.source not in self.leave


ALL = Part()


@dataclass
class Tally:
    """What a run did, and how long its stages took. The one record that changes: it is filled while work goes on."""

    files: int = 0
    transcripts: int = 0
    segments: int = 0
    embedded: int = 0
    ranked: int = 0
    suggested: int = 0
    carried: int = 0  # segments with decisions whose words have another segment since their transcript changed
    provisional: bool = False  # whether probabilities rest on the codebook more than on decisions
    muted: dict[str, str] = field(default_factory=dict)  # themes that are not suggested, with the reason
    parked: dict[str, int] = field(default_factory=dict)  # themes decided on that the codebook lacks, with segments
    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)  # several threads may fill it

    def add(self, **counts: int) -> None:
        """Add to the numbers."""
        with self._lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began

    @property
    def counts(self) -> dict[str, int]:
        """The numbers alone."""
        names = ("files", "transcripts", "segments", "embedded", "ranked", "suggested", "carried")
        return {name: getattr(self, name) for name in names}


Encode = Callable[[Sequence[Sequence[str]]], Iterator[NDArray[np.float32]]]


@dataclass
class Hands:
    """Who encodes texts: this process, unless others are asked to."""

    encode: Encode | None = None  # portions of texts -> their vectors, in that order


@dataclass(frozen=True, kw_only=True)
class Session:
    """A study with everything that work on it needs; the store and the encoder are opened when first asked for."""

    study: Study
    codebook: Codebook
    located: embed.Located
    hands: Hands = field(default_factory=Hands, compare=False, repr=False)

    @cached_property
    def store(self) -> store.Store:
        """The study's store, made if there is none."""
        return store.open_store(self.study.store_url)

    @cached_property
    def found(self) -> tuple[list[transcripts.File], list[Fault]]:
        """The study's transcript files, and what is wrong with others and with its sites."""
        return transcripts.find(self.study)

    @cached_property
    def files(self) -> dict[str, transcripts.File]:
        """The study's transcript files by source. Raises ``Faults`` if there are none, or two of one name."""
        files, faults = self.found
        raise_all([*([] if files else faults), *_of_one_name(self.study, files)])
        return {file.source: file for file in files}

    @cached_property
    def encoder(self) -> embed.Encoder:
        """The study's encoder, loaded."""
        return embed.load(self.located)

    def encoded(self, portions: Sequence[Sequence[str]]) -> Iterator[NDArray[np.float32]]:
        """Return the vectors of portions of texts, in that order, each when it is asked for."""
        if self.hands.encode is not None:
            return self.hands.encode(portions)
        return (self.encoder.encode(some) for some in portions)


def open_session(path: Path, progress: Progress = no_progress) -> Session:
    """Read the study, its codebook and find its encoder; nothing of the study is written and nothing heavy loaded.

    Only a static encoder that is not on this machine yet is made, which takes minutes.

    Raises ``Faults`` with everything that is wrong with the three.
    """
    study = load_study(path)
    faults: list[Fault] = []
    codebook = gathered(faults, lambda: read_codebook(study.codebook_file))
    located = gathered(faults, lambda: embed.locate(study.embed, study.folder))
    raise_all(faults)
    assert codebook is not None
    assert located is not None
    return Session(study=study, codebook=codebook, located=embed.ready(located, progress))


def _of_one_name(study: Study, files: Sequence[transcripts.File]) -> list[TranscriptFault]:
    """Tell of files whose transcripts have one name; only those of one name themselves are read for it."""
    alike: dict[tuple[str, str], list[transcripts.File]] = {}
    for file in files:
        alike.setdefault((file.site.name, file.path.stem), []).append(file)
    faults: list[Fault] = []
    named: list[Transcript] = []
    for some in alike.values():
        for file in some if len(some) > 1 else ():
            # One that cannot be read is told of when its turn comes.
            named += gathered(faults, lambda file=file: transcripts.read(file, study)) or ()  # type: ignore[misc]
    return [fault for fault in transcripts.clashes(named) if "is called" in fault.problem]


def gathered(faults: list[Fault], reading: Callable[[], T]) -> T | None:
    """Return what ``reading`` returns, or nothing when it finds faults, which are added to the list."""
    try:
        return reading()
    except Fault as fault:
        faults.append(fault)
    except Faults as group:
        faults.extend(group.exceptions)  # type: ignore[arg-type]  # readers raise flat groups
    return None


def try_first(session: Session) -> None:
    """Before a store is made: read files until one is whole.

    So that input of which nothing can be used leaves nothing behind. Raises ``Faults`` with what is wrong.
    """
    faults: list[Fault] = []
    for file in session.files.values():
        if gathered(faults, lambda file=file: read_and_cut(session.study, file)) is not None:  # type: ignore[misc]
            return
    raise_all(faults)


def read_and_cut(study: Study, file: transcripts.File) -> list[tuple[Transcript, list[Segment]]]:
    """Read a file and cut its transcripts into segments. Raises ``Faults`` about the file."""
    read = transcripts.read(file, study)
    raise_all(transcripts.clashes(read))
    return [(t, segment(t, splitter(t.language), study.segment)) for t in read]


@cache
def splitter(language: str) -> Callable[[str], list[tuple[int, int]]]:
    """Return what cuts texts of a language into sentences, loaded once."""
    return load_splitter(language)


def unread(session: Session) -> list[str]:
    """Return the sources that are new, changed, under changed settings, or set aside for a reason that has passed."""
    known = corpus.known_sources(session.store)
    return [source for source, file in session.files.items() if _is_due(session, file, known)]


def _is_due(session: Session, file: transcripts.File, known: Mapping[str, corpus.Source]) -> bool:
    if not is_known(session.study, file, known):
        return True
    if not known[file.source].quarantine:
        return False
    # A file may have been set aside because of another one, which may be gone by now.
    faults: list[Fault] = []
    read = gathered(faults, lambda: transcripts.read(file, session.study))
    return read is not None and not transcripts.clashes(read) and not _taken(session, file, read)


def is_known(study: Study, file: transcripts.File, known: Mapping[str, corpus.Source]) -> bool:
    """Tell whether a file was read as it is now, under the settings of now, given what the store knows."""
    have = known.get(file.source)
    return have is not None and have.settings == _reading(study, file) and have.sha256 == file_hash(file.path)


def _reading(study: Study, file: transcripts.File) -> Digest:
    """Digest of all but the file's bytes that reading and cutting it depends on."""
    sites = [site.name for site in study.site] if file.path.suffix.lower() in TABLES else []
    return digest(
        READS, _trained_models(), study.segment.digest, file.site.name, file.site.language, file.site.moderators, sites
    )


_trained_models = cache(trained_models)  # they may set other boundaries; looking for them takes a moment


def file_hash(path: Path) -> str:
    """Return a file's sha256, or "" if it cannot be read: reading it will say why."""
    try:
        state = path.stat()
        return _hash(path, state.st_mtime_ns, state.st_size)
    except OSError:
        return ""


@cache
def _hash(path: Path, _changed: int, _size: int) -> str:
    """Hash a file once for as long as it is the same; every file of a study is asked for several times."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_pending(session: Session, progress: Progress = no_progress) -> None:
    """Read and keep the files that are due, and find what people decided on in them; nothing is embedded."""
    due = unread(session)
    for done, source in enumerate(due, 1):
        ingest(session, session.files[source], Tally())
        progress("transcripts", done, len(due))
    carry_over(session.store)


def reach(session: Session, source: str) -> None:
    """Raise ``OSError`` if a file cannot be opened now: on a network drive that may pass."""
    with session.files[source].path.open("rb"):
        pass


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
        told = "\n".join(map(_line, faults.exceptions))
        corpus.put_source(session.store, replace(source, quarantine=told), [])
        return
    with tally.timing("store"):
        corpus.put_source(session.store, source, cut)
    tally.add(files=1, transcripts=len(cut), segments=sum(len(pieces) for _, pieces in cut))


def set_aside(session: Session, source: str, problem: str, remedy: str) -> None:
    """Set a file aside that could not be read to its end; it is due again the next time."""
    file = session.files[source]
    told = _line(TranscriptFault(source, problem, remedy))
    corpus.put_source(
        session.store, corpus.Source(path=source, site=file.site.name, sha256="", settings="", quarantine=told), []
    )


def _line(fault: object) -> str:
    return " ".join(str(fault).split())


def _taken(session: Session, file: transcripts.File, read: Sequence[Transcript]) -> list[TranscriptFault]:
    """Tell which transcripts another file of the study has already given.

    What the store still has of a file that has changed since does not count: that file may hold something else now.
    """
    alike = [entry for entry in corpus.alike(session.store, read) if entry.source != file.source]
    known = corpus.known_sources(session.store) if alike else {}
    present = {
        source
        for source in {entry.source for entry in alike} & session.files.keys()
        if is_known(session.study, session.files[source], known)
    }
    others = [entry for entry in alike if entry.source in present]
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Aside:
    """What is left out of a study's work, each as a line: place, what is wrong, what to do."""

    files: tuple[str, ...]  # transcripts that could not be read, or not be told apart
    sites: tuple[str, ...]  # sites without any transcript yet


def left_out(session: Session, part: Part = ALL) -> Aside:
    """Return what is set aside, in a part of the study or all of it, in the order of the study."""
    told = [line for source in quarantined(session, part) for line in source.quarantine.splitlines()]
    found = session.found[1] if part.whole else []
    told += [_line(fault) for fault in found if not isinstance(fault, StudyFault)]
    sites = [_line(fault) for fault in found if isinstance(fault, StudyFault)]
    return Aside(files=tuple(told), sites=tuple(sites))


def quarantined(session: Session, part: Part = ALL) -> list[corpus.Source]:
    """Return the files that are set aside with their reasons, in the order of the study."""
    known = corpus.known_sources(session.store)
    found = [file for file in session.found[0] if file.source in known]
    mine = [file for file in found if part.site in (None, file.site.name) and part.may_hold(file)]
    return [known[file.source] for file in mine if known[file.source].quarantine]
