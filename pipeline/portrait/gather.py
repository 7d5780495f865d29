"""What the store knows of a site and, to compare it with, of the others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .. import check, rank
from ..intake import Session
from ..records import Coding, Decision, Kind, Segment, SegmentId, Transcript, TranscriptId, present
from ..report.arrived import Document, Voice
from ..segment import words
from ..store import corpus, decisions, runs, vectors
from .talk import Quotes, Talk

MOST = 20_000  # segments of the site, and of all others, whose words and vectors are compared
AT_ONCE = 200  # transcripts that are held in memory


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The transcripts of a study, and what ranking made of them, for the report of one site."""

    session: Session
    site: str
    entries: tuple[corpus.Entry, ...]  # the study's transcripts, those of the site among them
    tallies: Mapping[TranscriptId, Sequence[runs.Tally]]
    decisions: Sequence[Decision]  # of the study, in their order

    @cached_property
    def codings(self) -> list[Coding]:
        """What stands of the decisions."""
        return present(self.decisions)

    @cached_property
    def entry_of(self) -> dict[TranscriptId, corpus.Entry]:
        """The transcripts by id."""
        return {entry.id: entry for entry in self.entries}

    @cached_property
    def mine(self) -> list[corpus.Entry]:
        """The transcripts of the site."""
        return [entry for entry in self.entries if entry.site == self.site]

    @cached_property
    def ranked(self) -> list[corpus.Entry]:
        """The transcripts, of all sites, that suggestions were made for."""
        return [entry for entry in self.entries if entry.run is not None]

    def suggested(self, entry: corpus.Entry) -> int:
        """Return how many of a transcript's segments have a suggestion."""
        return sum(tally.first for tally in self.tallies.get(entry.id, ()))


def gather(session: Session, site: str) -> Gathered:
    """Return what the store knows."""
    by_transcript: dict[TranscriptId, list[runs.Tally]] = {}
    for tally in runs.tallies(session.store):
        by_transcript.setdefault(tally.transcript, []).append(tally)
    entries = tuple(corpus.list_transcripts(session.store))
    given = decisions.load_decisions(session.store)
    return Gathered(session=session, site=site, entries=entries, tallies=by_transcript, decisions=given)


@dataclass
class Read:
    """What going through the site's transcripts finds, a few at a time: of their words nothing is kept."""

    counted: check.SiteCheck
    documents: list[Document] = field(default_factory=list)
    segments: set[SegmentId] = field(default_factory=set)
    turns: Counter[tuple[str, str]] = field(default_factory=Counter)  # by label and role
    said: Counter[tuple[str, str]] = field(default_factory=Counter)  # words
    places: Counter[tuple[str, str]] = field(default_factory=Counter)  # transcripts

    def voices(self) -> tuple[Voice, ...]:
        """Return the speakers' labels, those with most words first."""
        return tuple(
            Voice(label=who[0], role=who[1], transcripts=self.places[who], turns=count, words=self.said[who])
            for who, count in sorted(self.turns.items(), key=lambda item: (-self.said[item[0]], item[0]))
        )


def read_through(found: Gathered, language: str) -> Read:
    """Return what the site's transcripts consist of."""
    read = Read(counted=check.SiteCheck(found.site, language))
    for at in range(0, len(found.mine), AT_ONCE):
        some = [entry.id for entry in found.mine[at : at + AT_ONCE]]
        texts = corpus.load_transcripts(found.session.store, some)
        pieces: dict[TranscriptId, list[Segment]] = {}
        for piece in corpus.load_segments(found.session.store, within=some):
            pieces.setdefault(piece.transcript, []).append(piece)
        for key in some:
            _add(read, found, texts[key], pieces.get(key, []))
    return read


def _add(read: Read, found: Gathered, transcript: Transcript, pieces: Sequence[Segment]) -> None:
    before = read.counted.words
    read.counted.add(transcript, pieces, most=check.most_words(found.session.located))
    entry = found.entry_of[transcript.id]
    read.documents.append(
        Document(
            name=transcript.name,
            source=transcript.source,
            turns=len(transcript.turns),
            words=read.counted.words - before,
            minutes=transcript.minutes,
            segments=len(pieces),
            suggested=None if entry.run is None else found.suggested(entry),
        )
    )
    read.segments.update(piece.id for piece in pieces)
    there = set()
    for turn in transcript.turns:
        who = (turn.speaker, turn.role.value)
        there.add(who)
        read.turns[who] += 1
        read.said[who] += words(transcript.text[turn.start : turn.end])
    read.places.update(there)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Segments of all sites that are compared with each other."""

    pieces: tuple[Segment, ...]
    talk: Talk
    rows: NDArray[np.float32]  # their vectors; nan for segments that have none yet


def look_at(found: Gathered) -> Looked:
    """Return the segments that are compared: all, or of whole transcripts as many as are enough."""
    others = [entry for entry in found.entries if entry.site != found.site]
    some = [entry.id for entry in (*evenly(found.mine, MOST), *evenly(others, MOST))]
    pieces = tuple(corpus.load_segments(found.session.store, within=some))
    at = [found.entry_of[piece.transcript] for piece in pieces]
    talk = Talk(
        sites=[entry.site for entry in at],
        documents=[entry.name for entry in at],
        texts=[piece.text for piece in pieces],
    )
    return Looked(pieces=pieces, talk=talk, rows=_rows(found.session, talk.texts))


def _rows(session: Session, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of the study's encoder, nan for texts that have none."""
    fingerprint = session.located.fingerprint
    missing = set(vectors.without_vector(session.store, fingerprint, texts))
    have = vectors.load_vectors(session.store, fingerprint, (text for text in texts if text not in missing))
    width = len(next(iter(have.values()), ()))
    rows = np.full((len(texts), width), np.nan, dtype=np.float32)
    for at, text in enumerate(texts):
        if text in have:
            rows[at] = have[text]
    return rows


def known(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which vectors there are."""
    if not rows.size:
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(np.isfinite(rows).all(axis=1))


def evenly(entries: Sequence[corpus.Entry], most: int) -> list[corpus.Entry]:
    """Return transcripts, spread evenly, that have about ``most`` segments together; all that have so many at most."""
    total = sum(entry.segments for entry in entries)
    take = len(entries) if total <= most else max(1, len(entries) * most // total)
    return [entries[at] for at in np.linspace(0, len(entries) - 1, take).round().astype(int)] if entries else []


def quotes(found: Gathered) -> Quotes:
    """Return the exemplars that show themes, and the definitions of themes without any, as far as they have vectors."""
    told: dict[str, str] = {}
    for theme in found.session.codebook.themes:
        shows = [one for one in theme.exemplars if one.kind is not Kind.NEAR_MISS]
        for one in shows:
            told.setdefault(one.text, rank.source_document(one.source))
        if not shows:
            told.setdefault(rank.definition_text(theme), "")
    rows = _rows(found.session, list(told))
    there = np.flatnonzero(known(rows))
    texts = [list(told)[at] for at in there]
    return Quotes(texts=texts, documents=[told[text] for text in texts], rows=rows[there])
