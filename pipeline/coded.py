"""What people have coded so far, in the shape that learning and evaluation need."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .context import Context, around
from .evaluate import Material, Reader
from .rank import Labelled
from .records import (
    BLIND,
    Codebook,
    Coding,
    Decision,
    Digest,
    Mode,
    Segment,
    SegmentId,
    Transcript,
    TranscriptId,
    digest,
    present,
)
from .store import Store, corpus, decisions
from .store.carried import load_carried

Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Coded:
    """Every segment that somebody decided on, with the coding of each coder who did."""

    segments: tuple[Segment, ...]
    codings: Mapping[SegmentId, tuple[Coding, ...]]
    places: Mapping[TranscriptId, tuple[str, str]]  # site and name of transcripts, with earlier versions of them

    @property
    def texts(self) -> list[str]:
        """The segments' words, in the order of the segments."""
        return [segment.text for segment in self.segments]

    @cached_property
    def digest(self) -> Digest:
        """Hash of all that can be learned from the coding: not of when it was done."""
        said = sorted(
            (coding.segment, coding.coder, coding.themes, coding.rejected, coding.adjudicated)
            for codings in self.codings.values()
            for coding in (*own(codings), *counting(codings))
        )
        return digest("coded", said)


def coded_segments(store: Store, learn_from: Literal["all", "blind"] = "all", *, now: bool = False) -> Coded:
    """Return what people have decided at present. Only people's decisions are in the store, never the machine's.

    Where words have another segment since their transcript changed, it is the segment they were first decided on,
    among what was said around it then: so an edit elsewhere in a transcript changes nothing that is learned. With
    ``now`` it is the one they have now. With ``learn_from="blind"`` only decisions that no suggestion can have swayed
    count.
    """
    moved = load_carried(store)
    made = decisions.load_as_made(store)
    given = [decision for decision in made if learn_from == "all" or _blind(decision)]
    first: dict[SegmentId, SegmentId] = {}
    for decision in given:
        first.setdefault(moved.get(decision.segment, decision.segment), decision.segment)
    by_segment: dict[SegmentId, list[Coding]] = {}
    for coding in present(replace(d, segment=moved.get(d.segment, d.segment)) for d in given):
        segment = coding.segment if now else first[coding.segment]
        by_segment.setdefault(segment, []).append(replace(coding, segment=segment))
    segments = corpus.load_segments(store, ids=by_segment) if by_segment else []
    return Coded(
        segments=tuple(segments),
        codings={key: tuple(codings) for key, codings in by_segment.items()},
        places=_places(store, segments, moved),
    )


def _places(
    store: Store, segments: Sequence[Segment], moved: Mapping[SegmentId, SegmentId]
) -> dict[TranscriptId, tuple[str, str]]:
    """Return site and name of every transcript there ever was; one with another name now goes by that."""
    places = corpus.load_places(store)
    later = {piece.id: moved[piece.id] for piece in segments if piece.id in moved}
    if later:
        where = {piece.id: piece.transcript for piece in corpus.load_segments(store, ids=set(later.values()))}
        places |= {s.transcript: places[where[later[s.id]]] for s in segments if s.id in later}
    return places


def _blind(decision: Decision) -> bool:
    return decision.mode in BLIND or (decision.mode is Mode.ROUTINE and not decision.shown)


def own(codings: Sequence[Coding]) -> tuple[Coding, ...]:
    """Return what each coder made of a segment."""
    return tuple(coding for coding in codings if not coding.adjudicated)


def counting(codings: Sequence[Coding]) -> tuple[Coding, ...]:
    """Return the codings that say what a segment shows: where a disagreement was settled, what settled it alone."""
    settled = [coding for coding in codings if coding.adjudicated]
    return (max(settled, key=lambda coding: coding.coded_at),) if settled else tuple(codings)


def still_there(coded: Coded, current: Collection[TranscriptId]) -> Coded:
    """Return what was coded in transcripts that the study still has, in the words they have now."""
    return replace(coded, segments=tuple(segment for segment in coded.segments if segment.transcript in current))


def parked(coded: Coded, codebook: Codebook) -> dict[str, int]:
    """Return the themes that people gave or rejected and the codebook does not have, each with its segments.

    These decisions stay in the store, and count again as soon as a theme has that name or says it had it formerly.
    """
    known = codebook.current
    found: dict[str, set[SegmentId]] = {}
    for segment, codings in coded.codings.items():
        for theme in {theme for coding in codings for theme in (*coding.themes, *coding.rejected)}:
            if theme not in known:
                found.setdefault(theme, set()).add(segment)
    return {theme: len(segments) for theme, segments in sorted(found.items())}


def understood(coded: Coded, codebook: Codebook) -> Coded:
    """Return what was coded without what a coder said of a segment in parked themes alone.

    Which of the present themes fit there is not known. Taken for "nothing fits", it would be held against the very
    themes that a parked one was renamed to or divided into.
    """
    known = codebook.current.keys()

    def tells(coding: Coding) -> bool:
        return not coding.themes or not known.isdisjoint(coding.themes)

    codings = {
        segment: tuple(coding for coding in given if tells(coding))
        for segment, given in coded.codings.items()
        if any(tells(coding) for coding in counting(given))
    }
    return replace(coded, segments=tuple(piece for piece in coded.segments if piece.id in codings), codings=codings)


def _shares(coded: Coded, codebook: Codebook) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return, per segment and theme, the share of its coders who gave the theme, and whether anybody rejected it."""
    place = {name: at for at, name in enumerate(codebook.names)}
    column = {name: place[now] for name, now in codebook.current.items()}
    given = np.zeros((len(coded.segments), len(place)))
    rejected = np.zeros(given.shape, dtype=bool)
    for row, segment in enumerate(coded.segments):
        codings = counting(coded.codings[segment.id])
        for coding in codings:
            themes = {column[theme] for theme in coding.themes if theme in column}  # two names of one theme are one
            given[row, list(themes)] += 1 / len(codings)
            rejected[row, [column[theme] for theme in coding.rejected if theme in column]] = True
    return given, rejected


def labelled(
    coded: Coded,
    codebook: Codebook,
    vectors: Vectors,
    keep: Callable[[Segment], bool] = lambda _segment: True,
    known: Mapping[SegmentId, Context] | None = None,
) -> Labelled | None:
    """Return what a ranker learns from the coded segments that ``keep`` says; nothing if there are none.

    ``known`` holds what is around the segments, where that is to count.
    """
    rows = [row for row, segment in enumerate(coded.segments) if keep(segment)]
    if not rows:
        return None
    given, rejected = _shares(coded, codebook)
    segments = [coded.segments[row] for row in rows]
    texts = [segment.text for segment in segments]
    return Labelled(
        texts=tuple(texts),
        vectors=np.stack([vectors[text] for text in texts]),
        gold=given[rows].astype(np.float32),
        rejected=rejected[rows],
        documents=tuple("/".join(coded.places[segment.transcript]) for segment in segments),
        around=around(segments, known, vectors) if known is not None else None,
    )


def material(
    coded: Coded,
    codebook: Codebook,
    vectors: Vectors,
    read: Mapping[TranscriptId, Transcript],
    known: Mapping[SegmentId, Context] | None = None,
) -> Material:
    """Return what an evaluation is made on. A theme counts where at least half of a segment's coders gave it.

    ``known`` holds what is around the segments, where that is to count.
    """
    given, _ = _shares(coded, codebook)
    places = [read[segment.transcript] for segment in coded.segments]
    return Material(
        texts=tuple(coded.texts),
        vectors=np.stack([vectors[text] for text in coded.texts]),
        gold=given >= 0.5 - 1e-9,  # seven times 1/14 is a little less than a half
        documents=tuple(place.name for place in places),
        sites=tuple(place.site for place in places),
        codebook=codebook,
        codebook_vectors=dict(vectors),
        around=around(coded.segments, known, vectors) if known is not None else None,
        readers=_readers(coded, codebook),
    )


def _readers(coded: Coded, codebook: Codebook) -> tuple[Reader, ...]:
    """Return what each coder read and gave, by name."""
    place = {name: at for at, name in enumerate(codebook.names)}
    column = {name: place[now] for name, now in codebook.current.items()}
    names = sorted({coding.coder for segment in coded.segments for coding in own(coded.codings[segment.id])})
    size = len(coded.segments)
    found = {
        name: Reader(name=name, read=np.zeros(size, dtype=bool), gave=np.zeros((size, len(column)), dtype=bool))
        for name in names
    }
    for row, segment in enumerate(coded.segments):
        for coding in own(coded.codings[segment.id]):
            reader = found[coding.coder]
            reader.read[row] = True
            reader.gave[row, [column[theme] for theme in coding.themes if theme in column]] = True
    return tuple(found.values())


def folds(coded: Coded, count: int) -> dict[tuple[str, str], int]:
    """Deal the places (site and name) of coded transcripts out to ``count`` groups, the same way every time.

    Versions of one transcript are together: after a small edit the old words must not tell of the new.
    """
    ordered = dict.fromkeys(coded.places[segment.transcript] for segment in coded.segments)
    return {place: at % count for at, place in enumerate(ordered)}
