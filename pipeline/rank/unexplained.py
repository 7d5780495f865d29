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
APART = 3.0  # standard deviations above the usual pair at which segments belong together
ONE_ABOVE = 84.13  # percentile that lies one standard deviation above the middle, where values are normally distributed
WORDS = 4  # that name a cluster
SHARE = 0.25  # of its segments that must have such a word,
LIFT = 2.0  # and how many times as often as in the rest of the talk
BESIDE = 5000  # other segments that the words are compared with
_WORD = re.compile(r"[^\W\d_]{3,}")


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


def clustered(
    segments: Sequence[SegmentId],
    texts: Mapping[SegmentId, str],
    vectors: NDArray[np.floating],
    documents: Mapping[SegmentId, str],
) -> list[Cluster]:
    """Return the clusters among segments, those of most documents and segments first.

    ``vectors`` holds a row for each of ``segments``. ``texts`` and ``documents`` hold all segments of the study: words
    are telling beside all that is said.
    """
    some = list(segments[:MOST])
    if len(some) < FEWEST:
        return []
    rows = unit(vectors[: len(some)] - vectors[: len(some)].mean(axis=0))
    groups = [np.flatnonzero(number == which) for number in [_numbers(rows)] for which in range(int(number.max()) + 1)]
    needed = min(PLACES, len(set(documents.values())))
    told = _spoken(texts)
    found = []
    for group in groups:
        inside = [some[at] for at in group]
        places = len({documents[segment] for segment in inside})
        if len(group) < FEWEST or places < needed:
            continue
        central = np.argsort(-np.round(rows[group] @ rows[group].mean(axis=0), 6), kind="stable")
        found.append(
            Cluster(
                words=_telling([texts[segment] for segment in inside], told),
                segments=tuple(inside[at] for at in central),
                documents=places,
            )
        )
    return sorted(found, key=lambda one: (-one.documents, -len(one.segments), one.segments))


def _numbers(rows: Matrix) -> NDArray[np.intp]:
    """Return the number of each row's cluster."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    cosine = np.clip(np.round(rows @ rows.T, 6), -1, 1)
    pairs = cosine[np.triu_indices(len(rows), 1)]
    middle, upper = np.percentile(pairs, [50, ONE_ABOVE])  # like pairs are too few to move either
    least = float(middle + APART * (upper - middle))
    distance = 1 - cosine
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return np.asarray(fcluster(tree, 1 - least, criterion="distance") - 1, dtype=np.intp)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _spoken(texts: Mapping[SegmentId, str]) -> Counter[str]:
    """Return in how many segments of the study each word is, as a share of them."""
    every = list(texts.values())
    pick = np.linspace(0, len(every) - 1, min(BESIDE, len(every))).round().astype(int)
    count = Counter(word for at in pick for word in _words(every[at]))
    return Counter({word: times / len(pick) for word, times in count.items()})


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
