"""What people have coded so far, in the shape that learning and evaluation need."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .evaluate import Material
from .rank import Labelled
from .records import Codebook, Coding, Digest, Segment, SegmentId, Transcript, TranscriptId, digest, present
from .store import Store, corpus, decisions

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
            (coding.segment, coding.coder, coding.themes, coding.rejected)
            for codings in self.codings.values()
            for coding in codings
        )
        return digest("coded", said)


def coded_segments(store: Store) -> Coded:
    """Return what people have decided at present. Only people's decisions are in the store, never the machine's.

    Where a disagreement was settled, what settled it counts alone.
    """
    by_segment: dict[SegmentId, list[Coding]] = {}
    for coding in present(decisions.load_decisions(store)):
        by_segment.setdefault(coding.segment, []).append(coding)
    for segment, given in by_segment.items():
        if settled := [coding for coding in given if coding.adjudicated]:
            by_segment[segment] = [max(settled, key=lambda coding: coding.coded_at)]
    segments = corpus.load_segments(store, ids=by_segment) if by_segment else []
    return Coded(
        segments=tuple(segments),
        codings={key: tuple(given) for key, given in by_segment.items()},
        places=corpus.load_places(store),
    )


def still_there(coded: Coded, current: Collection[TranscriptId]) -> Coded:
    """Return what was coded in transcripts that the study still has, in the words they have now."""
    return replace(coded, segments=tuple(segment for segment in coded.segments if segment.transcript in current))


def _shares(coded: Coded, codebook: Codebook) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return, per segment and theme, the share of its coders who gave the theme, and whether anybody rejected it."""
    column = {name: at for at, name in enumerate(codebook.names)}
    given = np.zeros((len(coded.segments), len(column)))
    rejected = np.zeros(given.shape, dtype=bool)
    for row, segment in enumerate(coded.segments):
        codings = coded.codings[segment.id]
        for coding in codings:
            given[row, [column[theme] for theme in coding.themes if theme in column]] += 1 / len(codings)
            rejected[row, [column[theme] for theme in coding.rejected if theme in column]] = True
    return given, rejected


def labelled(
    coded: Coded, codebook: Codebook, vectors: Vectors, keep: Callable[[Segment], bool] = lambda _segment: True
) -> Labelled | None:
    """Return what a ranker learns from the coded segments that ``keep`` says; nothing if there are none."""
    rows = [row for row, segment in enumerate(coded.segments) if keep(segment)]
    if not rows:
        return None
    given, rejected = _shares(coded, codebook)
    texts = [coded.segments[row].text for row in rows]
    return Labelled(
        texts=tuple(texts),
        vectors=np.stack([vectors[text] for text in texts]),
        gold=given[rows].astype(np.float32),
        rejected=rejected[rows],
        documents=tuple("/".join(coded.places[coded.segments[row].transcript]) for row in rows),
    )


def material(coded: Coded, codebook: Codebook, vectors: Vectors, read: Mapping[TranscriptId, Transcript]) -> Material:
    """Return what an evaluation is made on. A theme counts where at least half of a segment's coders gave it."""
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
    )


def folds(coded: Coded, count: int) -> dict[tuple[str, str], int]:
    """Deal the places (site and name) of coded transcripts out to ``count`` groups, the same way every time.

    Versions of one transcript are together: after a small edit the old words must not tell of the new.
    """
    ordered = dict.fromkeys(coded.places[segment.transcript] for segment in coded.segments)
    return {place: at % count for at, place in enumerate(ordered)}
