"""The systems that are compared: themescout and what a reader would try instead, each given the same material."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import RankSettings
from ..rank import Around, Labelled, definition_text, fit, passes, probabilities, score
from ..records import Codebook, Kind
from .metrics import best_of

Matrix = NDArray[np.float64]
Similarity = Callable[[Sequence[str], Sequence[str]], Matrix]
HALF = 0.5 - 1e-9
BASELINES = ("cosine", "definition", "lexical", "frequency")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """What may be learned from before the segments of some documents are ranked."""

    codebook: Codebook
    vectors: Mapping[str, NDArray[np.float32]]
    labelled: Labelled | None
    settings: RankSettings


System = Callable[[Lesson, Sequence[str], NDArray[np.float32]], Matrix]


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggested:
    """What this program says of some segments, n x k each."""

    scores: Matrix
    chance: Matrix
    passed: NDArray[np.bool_]  # what it suggests
    muted: NDArray[np.bool_]  # k: themes it suggests nothing for


def themescout(
    lesson: Lesson, texts: Sequence[str], vectors: NDArray[np.float32], around: Around | None = None
) -> Suggested:
    """Return this program's scores, probabilities and suggestions."""
    ranker = fit(lesson.codebook, lesson.vectors, lesson.labelled, lesson.settings)
    scores = score(ranker, texts, vectors, around)
    chance = probabilities(ranker, scores)
    passed = best_of(scores.total, lesson.settings.top_k) & passes(ranker, chance)
    muted = np.array([theme in ranker.muted for theme in ranker.themes], dtype=bool)
    return Suggested(scores=scores.total, chance=chance, passed=passed, muted=muted)


def baselines(similarity: Similarity) -> dict[str, System]:
    """Return the simple systems by name; ``similarity`` is that of ``tfidf``."""
    return {
        "cosine": lambda lesson, _texts, vectors: cosine(lesson, vectors),
        "definition": lambda lesson, _texts, vectors: definition(lesson, vectors),
        "lexical": lambda lesson, texts, _vectors: lexical(lesson, texts, similarity),
        "frequency": lambda lesson, texts, _vectors: frequency(lesson, len(texts)),
    }


def cosine(lesson: Lesson, vectors: NDArray[np.float32]) -> Matrix:
    """Return the cosine with the nearest passage that shows a theme, 0 where there is none."""
    shown, known, of = shows(lesson)
    rows = np.array([lesson.vectors[text] for text in shown]).reshape(-1, vectors.shape[1])
    if lesson.labelled is not None:
        rows = np.vstack([rows, lesson.labelled.vectors[known]])
    return nearest(vectors.astype(np.float64) @ rows.T.astype(np.float64), of)


def definition(lesson: Lesson, vectors: NDArray[np.float32]) -> Matrix:
    """Return the cosine with a theme's definition."""
    rows = np.stack([lesson.vectors[definition_text(theme)] for theme in lesson.codebook.themes])
    return np.asarray(vectors.astype(np.float64) @ rows.T.astype(np.float64))


def lexical(lesson: Lesson, texts: Sequence[str], similarity: Similarity) -> Matrix:
    """Return the TF-IDF similarity with the nearest passage that shows a theme, 0 where there is none."""
    shown, known, of = shows(lesson)
    others = [lesson.labelled.texts[row] for row in known] if lesson.labelled is not None else []
    return nearest(similarity(texts, [*shown, *others]), of)


def frequency(lesson: Lesson, count: int) -> Matrix:
    """Return, for every segment alike, how often people gave a theme, or how many exemplars it has."""
    if lesson.labelled is not None and lesson.labelled.gold.any():
        often = lesson.labelled.gold.sum(axis=0)
    else:
        often = shows(lesson)[2].sum(axis=0)
    return np.tile(often.astype(np.float64), (count, 1))


def shows(lesson: Lesson) -> tuple[list[str], list[int], NDArray[np.bool_]]:
    """Return the exemplars' texts, the rows of decided segments with a theme, and which themes each of both shows."""
    pairs = [
        (exemplar.text, column)
        for column, theme in enumerate(lesson.codebook.themes)
        for exemplar in theme.exemplars
        if exemplar.kind is not Kind.NEAR_MISS
    ]
    of = np.zeros((len(pairs), len(lesson.codebook.themes)), dtype=bool)
    of[range(len(pairs)), [column for _, column in pairs]] = True
    known: list[int] = []
    if lesson.labelled is not None:
        given = lesson.labelled.gold >= HALF
        known = np.flatnonzero(given.any(axis=1)).tolist()
        of = np.vstack([of, given[known]])
    return [text for text, _ in pairs], known, of


def nearest(similar: Matrix, of: NDArray[np.bool_]) -> Matrix:
    """Return the largest similarity with the rows of each theme, 0 for a theme without any."""
    out = np.zeros((len(similar), of.shape[1]))
    for theme in np.flatnonzero(of.any(axis=0)):
        out[:, theme] = similar[:, of[:, theme]].max(axis=1)
    return out


def tfidf(texts: Sequence[str]) -> Similarity:
    """Return the cosine of TF-IDF weighted words and word pairs, with weights from all of ``texts``."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    words.fit([*texts, "words"])  # it would raise if there were none

    def similarity(left: Sequence[str], right: Sequence[str]) -> Matrix:
        if not (left and right):
            return np.zeros((len(left), len(right)))
        return np.asarray((words.transform(left) @ words.transform(right).T).toarray())

    return similarity
