"""Segments that no theme explains, in clusters of like ones: candidates for new themes.

Cosines are taken after what all segments have in common was taken out. Two clusters become one while the mean cosine
between their segments is above what chance would give (average linkage, Sokal and Michener 1958), so no number of
clusters has to be known, and most segments stay alone: talk is full of what nobody says twice.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records import SegmentId
from .evidence import Matrix, unit
from .order import Waiting

FAR = 0.3  # a segment is far from every theme if none is as probable as this; the review page calls such unlikely
MOST = 2000  # segments that are clustered, the farthest ones: work grows with the square of their number
FEWEST = 4  # fewer segments are no candidate for a theme,
PLACES = 2  # nor are segments of fewer documents, where the study has so many
MOST_ALIKE = 0.9  # from here on they always do
APART = 2.5  # standard deviations above the usual pair at which segments belong together
ONE_ABOVE = 84.13  # percentile that lies one standard deviation above the middle, where values are normally distributed
WORDS = 4  # that name a cluster
SHARE = 0.25  # of its segments that must have such a word,
LIFT = 2.0  # and how many times as often as in the rest of the talk
BESIDE = 5000  # segments of the study that the words are compared with
SAMPLE = 1000  # segments of the study whose pairs say what is usual
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """All segments of a study: what is usual in it."""

    segments: Sequence[SegmentId]
    texts: Sequence[str]
    documents: Sequence[str]
    vectors: NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Segments that resemble each other and no theme."""

    words: tuple[str, ...]  # those that tell it from the rest of the talk, the most telling first
    segments: tuple[SegmentId, ...]  # the most central first
    documents: int  # in how many they are


def far(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return the segments that are far from every theme, the farthest first; none of the withheld ones."""
    found = [one for one in waiting if not (one.withheld or one.shown) and _best(one) < FAR]
    return sorted(found, key=_best)


def _best(one: Waiting) -> float:
    return max((probability for _, probability in one.chances), default=0.0)


def clustered(away: Sequence[SegmentId], talk: Talk) -> list[Cluster]:
    """Return the clusters among some segments, those of most documents and segments first."""
    place = {segment: at for at, segment in enumerate(talk.segments)}
    some = [place[segment] for segment in away[:MOST]]
    if len(some) < FEWEST:
        return []
    mean = talk.vectors.mean(axis=0)
    rows = unit(talk.vectors[some] - mean)
    different = np.array(list({text: at for at, text in enumerate(talk.texts)}.values()))  # in a survey many say "No."
    numbers = _numbers(rows, _usual(unit(talk.vectors[different[_evenly(len(different), SAMPLE)]] - mean)))
    needed = min(PLACES, len(set(talk.documents)))
    told = _spoken(talk.texts)
    found = []
    for group in (np.flatnonzero(numbers == which) for which in range(int(numbers.max()) + 1)):
        inside = [some[at] for at in group]
        places = len({talk.documents[at] for at in inside})
        if len(group) < FEWEST or places < needed:
            continue
        central = np.argsort(-np.round(rows[group] @ rows[group].mean(axis=0), 6), kind="stable")
        found.append(
            Cluster(
                words=_telling([talk.texts[at] for at in inside], told),
                segments=tuple(talk.segments[inside[at]] for at in central),
                documents=places,
            )
        )
    return sorted(found, key=lambda one: (-one.documents, -len(one.segments), one.segments))


def _evenly(count: int, most: int) -> NDArray[np.intp]:
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.intp)


def _usual(rows: Matrix) -> float:
    """Return the cosine from which on two segments belong together, given any segments of the study."""
    if len(rows) < 2:
        return 1.0
    pairs = np.round(rows @ rows.T, 6)[np.triu_indices(len(rows), 1)]
    middle, upper = np.percentile(pairs, [50, ONE_ABOVE])  # like pairs are too few to move either
    return min(float(middle + APART * (upper - middle)), MOST_ALIKE)


def _numbers(rows: Matrix, least: float) -> NDArray[np.intp]:
    """Return the number of each row's cluster."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.clip(np.round(rows @ rows.T, 6), -1, 1)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return np.asarray(fcluster(tree, 1 - least, criterion="distance") - 1, dtype=np.intp)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _spoken(texts: Sequence[str]) -> dict[str, float]:
    """Return in how many segments of the study each word is, as a share of them."""
    pick = _evenly(len(texts), BESIDE)
    count = Counter(word for at in pick for word in _words(texts[at]))
    return {word: times / len(pick) for word, times in count.items()}


def _telling(texts: Sequence[str], told: Mapping[str, float]) -> tuple[str, ...]:
    """Return the words that a cluster has most beyond the rest of the talk, in nats of information per segment."""
    count = Counter(word for text in texts for word in _words(text))
    needed = max(2, SHARE * len(texts))

    def lift(word: str) -> float:
        return count[word] / len(texts) / max(told.get(word, 0.0), 1 / BESIDE)

    def tells(word: str) -> float:
        return count[word] / len(texts) * float(np.log(lift(word)))

    usable = [word for word in count if count[word] >= needed and lift(word) >= LIFT]
    return tuple(sorted(usable, key=lambda word: (-round(tells(word), 9), word))[:WORDS])
