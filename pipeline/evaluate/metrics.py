"""How good scores and probabilities are, given what people coded. Definitions as in the evaluation's contract."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Gold = NDArray[np.bool_]
CUTS = (1, 3, 5)
ENOUGH = 5  # positives a theme needs to count in the mean average precision
BEST = 3  # suggestions of each segment whose probabilities are checked
BINS = 10
ROW_MEASURES = (*(f"hit@{k}" for k in CUTS), *(f"recall@{k}" for k in CUTS), "mrr")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """Suggestions of similar probability: how probable they were said to be, and how many were right."""

    probability: float  # mean
    right: float  # share
    count: int


def in_order(scores: Matrix) -> NDArray[np.intp]:
    """Return each row's themes, best first; of equals, the first in the codebook."""
    return np.argsort(-scores, axis=1, kind="stable")


def by_row(scores: Matrix, gold: Gold) -> dict[str, Matrix]:
    """Return hit@k, recall@k and the reciprocal rank of each segment; every one must have at least one theme."""
    right = np.take_along_axis(gold, in_order(scores), axis=1)
    true = gold.sum(axis=1)
    hit = [right[:, :k].any(axis=1).astype(np.float64) for k in CUTS]
    recall = [right[:, :k].sum(axis=1) / np.minimum(true, k) for k in CUTS]
    return dict(zip(ROW_MEASURES, [*hit, *recall, 1 / (right.argmax(axis=1) + 1)], strict=True))


def ranking(scores: Matrix, gold: Gold) -> dict[str, float | None]:
    """Return hit@k, recall@k, mrr and map over the segments with at least one theme; None where there is none."""
    coded = gold.any(axis=1)
    if not coded.any():
        return {**dict.fromkeys(ROW_MEASURES), "map": None}
    scores, gold = scores[coded], gold[coded]
    found = {name: float(values.mean()) for name, values in by_row(scores, gold).items()}
    return {**found, "map": mean_average_precision(scores, gold)}


def mean_average_precision(scores: Matrix, gold: Gold, enough: int = ENOUGH) -> float | None:
    """Return the mean over themes with ``enough`` positives of average precision, None if there is no such theme."""
    each = [average_precision(scores[:, t], gold[:, t]) for t in range(gold.shape[1]) if gold[:, t].sum() >= enough]
    return float(np.mean(each)) if each else None


def average_precision(scores: Matrix, gold: Gold) -> float:
    """Return the sum over distinct scores of precision times the gain in recall; equal scores count as one step."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true = np.cumsum(gold[order])[ends]
    return float(np.sum(np.diff(true, prepend=0) * true / (ends + 1)) / true[-1])


def best_of(scores: Matrix, top_k: int) -> Gold:
    """Return which themes are among the ``top_k`` best ones of their segment."""
    best = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(best, in_order(scores)[:, :top_k], True, axis=1)
    return best


def abstention(passed: Gold, gold: Gold) -> tuple[float | None, float]:
    """Return the share of passed suggestions that are right (None if none passed), and of segments that have one."""
    return float(gold[passed].mean()) if passed.any() else None, float(passed.any(axis=1).mean())


def in_bins(chance: Matrix, gold: Gold, scores: Matrix | None = None) -> list[tuple[NDArray[np.intp], Matrix, Gold]]:
    """Return ``BINS`` bins of equal mass over every segment's ``BEST`` best suggestions: rows, probabilities, truth.

    The best are those of the best ``scores``; without scores, the most probable.
    """
    best = in_order(chance if scores is None else scores)[:, :BEST]
    said = np.take_along_axis(chance, best, axis=1).ravel()
    true = np.take_along_axis(gold, best, axis=1).ravel()
    rows = np.repeat(np.arange(len(chance)), best.shape[1])
    parts = np.array_split(np.argsort(said, kind="stable"), BINS)
    return [(rows[part], said[part], true[part]) for part in parts if len(part)]


def reliability(chance: Matrix, gold: Gold, scores: Matrix | None = None) -> tuple[Bin, ...]:
    """Return how probable the suggestions in each of ``in_bins`` were said to be, and how many were right."""
    return tuple(
        Bin(probability=float(said.mean()), right=float(true.mean()), count=len(said))
        for _, said, true in in_bins(chance, gold, scores)
    )


def expected_calibration_error(bins: tuple[Bin, ...]) -> float:
    """Return the mean distance between what was said and what was right, each bin by its size (Naeini et al. 2015)."""
    return sum(b.count * abs(b.probability - b.right) for b in bins) / sum(b.count for b in bins)
