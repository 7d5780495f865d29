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


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """Suggestions of similar probability: how probable they were said to be, and how many were right."""

    probability: float  # mean
    right: float  # share
    count: int


def in_order(scores: Matrix) -> NDArray[np.intp]:
    """Return each row's themes, best first; of equals, the first in the codebook."""
    return np.argsort(-scores, axis=1, kind="stable")


def ranking(scores: Matrix, gold: Gold) -> dict[str, float | None]:
    """Return hit@k, recall@k, mrr and map over the segments with at least one theme; None where there is none."""
    coded = gold.any(axis=1)
    scores, gold = scores[coded], gold[coded]
    names = [*(f"hit@{k}" for k in CUTS), *(f"recall@{k}" for k in CUTS), "mrr"]
    if not len(gold):
        return {**dict.fromkeys(names), "map": None}
    right = np.take_along_axis(gold, in_order(scores), axis=1)
    true = gold.sum(axis=1)
    hit = [right[:, :k].any(axis=1).mean() for k in CUTS]
    recall = [(right[:, :k].sum(axis=1) / np.minimum(true, k)).mean() for k in CUTS]
    mrr = (1 / (right.argmax(axis=1) + 1)).mean()
    found = dict(zip(names, map(float, [*hit, *recall, mrr]), strict=True))
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


def abstention(chance: Matrix, gold: Gold, *, threshold: float, top_k: int) -> tuple[float | None, float]:
    """Return the share of passed suggestions that are right (None if none passed), and of segments that have one."""
    passed = np.zeros(gold.shape, dtype=bool)
    np.put_along_axis(passed, in_order(chance)[:, :top_k], True, axis=1)
    passed &= chance >= threshold
    return float(gold[passed].mean()) if passed.any() else None, float(passed.any(axis=1).mean())


def reliability(chance: Matrix, gold: Gold) -> tuple[Bin, ...]:
    """Return ``BINS`` bins of equal mass over the probabilities of every segment's ``BEST`` best suggestions."""
    best = in_order(chance)[:, :BEST]
    said = np.take_along_axis(chance, best, axis=1).ravel()
    true = np.take_along_axis(gold, best, axis=1).ravel()
    parts = np.array_split(np.argsort(said, kind="stable"), BINS)
    return tuple(
        Bin(probability=float(said[part].mean()), right=float(true[part].mean()), count=len(part))
        for part in parts
        if len(part)
    )


def expected_calibration_error(bins: tuple[Bin, ...]) -> float:
    """Return the mean distance between what was said and what was right, each bin by its size (Naeini et al. 2015)."""
    return sum(b.count * abs(b.probability - b.right) for b in bins) / sum(b.count for b in bins)
