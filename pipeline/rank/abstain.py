"""When to say nothing: thresholds for each theme, and themes that are not suggested at all.

Both rest on the study's own decisions, each scored as if its document had not been seen. `precision` is the share of a
theme's suggestions that shall be right. Nothing below that probability is suggested; where suggestions of a theme were
right less often than that, its threshold rises until they were right often enough. A theme whose scores tell the
segments people gave it from the others no better than chance is muted (compare Chew et al. 2023, who test codes against
guessing before they trust a machine with them).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .evidence import Matrix

FEW = 10  # suggestions of a theme below which its threshold stays what the study says
STEADYING = 10  # suggestions that the stated probabilities weigh as much as, against what people said
TESTED = 10  # decided segments with a theme, and without it, from which it is tested against chance
NEVER = 20  # decided segments a theme would be suggested for, and was never given, before it is muted
DOUBT = 0.05  # false discovery rate of "better than chance" among the themes tested
NOBODY = 1.01  # a threshold that no probability reaches


@dataclass(frozen=True, kw_only=True, slots=True)
class Abstention:
    """What keeps a theme from being suggested."""

    thresholds: NDArray[np.float64]  # k: the least probability at which each theme is suggested
    muted: dict[int, str]  # themes that are not suggested, with the reason in plain words


def abstain(chance: Matrix, scores: Matrix, gold: Matrix, precision: float) -> Abstention:
    """Return thresholds and muted themes from decided segments, n x k, that were left out."""
    given = gold >= 0.5 - 1e-9
    thresholds = np.full(gold.shape[1], precision)
    for theme in range(gold.shape[1]):
        thresholds[theme] = _threshold(chance[:, theme], given[:, theme], precision)
    return Abstention(thresholds=thresholds, muted=_muted(chance, scores, given, precision))


def _threshold(chance: NDArray[np.float64], given: NDArray[np.bool_], precision: float) -> float:
    """Return the least probability, at least ``precision``, from which on suggestions were right often enough.

    How often they were right is steadied by how probable they were said to be.

    >>> said = np.linspace(0.98, 0.6, 20)  # 0.98, 0.96, 0.94 ...
    >>> _threshold(said, np.arange(20) < 15, 0.6), round(_threshold(said, np.arange(20) < 5, 0.6), 2)
    (0.6, 0.76)
    """
    order = np.flatnonzero(chance >= precision)
    if len(order) < FEW:
        return precision
    order = order[np.argsort(-chance[order], kind="stable")]
    many = np.arange(1, len(order) + 1)
    right = np.cumsum(given[order])
    steady = (right + STEADYING * np.cumsum(chance[order]) / many) / (many + STEADYING)
    enough = np.flatnonzero(steady >= precision)
    if not enough.size:
        return NOBODY
    last = enough[-1]
    return precision if last == len(order) - 1 else float(chance[order[last]])


def _muted(chance: Matrix, scores: Matrix, given: NDArray[np.bool_], precision: float) -> dict[int, str]:
    rows, reasons = len(given), {}
    positives = given.sum(axis=0)
    tested = np.flatnonzero((positives >= TESTED) & (rows - positives >= TESTED))
    doubtful = [_by_chance(scores[:, theme], given[:, theme]) for theme in tested]
    for theme, better in zip(tested.tolist(), _discoveries(np.array(doubtful)), strict=True):
        if not better:
            reasons[theme] = (
                f"its scores told the {positives[theme]} decided segments with this theme from the "
                f"{rows - positives[theme]} without it no better than chance"
            )
    would = np.count_nonzero(chance >= precision, axis=0)
    for theme in np.flatnonzero((positives == 0) & (would >= NEVER)).tolist():
        reasons[theme] = f"people gave it to none of the {would[theme]} decided segments it would be suggested for"
    return reasons


def _by_chance(scores: NDArray[np.float64], given: NDArray[np.bool_]) -> float:
    """Return the chance of ranks as good as these if the theme had nothing to do with its scores.

    One-sided Mann-Whitney test with the normal approximation, corrected for continuity and for ties.
    """
    values, which, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(ties) - (ties - 1) / 2
    many, few = len(scores), np.count_nonzero(given)
    above = ranks[which][given].sum() - few * (few + 1) / 2
    spread = few * (many - few) / 12 * (many + 1 - (ties**3 - ties).sum() / (many * (many - 1)))
    if len(values) < 2:
        return 1.0
    return 0.5 * math.erfc((above - few * (many - few) / 2 - 0.5) / math.sqrt(2 * spread))


def _discoveries(doubts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of several tests hold when so many are made (Benjamini and Hochberg 1995).

    >>> _discoveries(np.array([0.001, 0.04, 0.03, 0.6])).tolist()
    [True, False, False, False]
    """
    order = np.argsort(doubts, kind="stable")
    passed = np.flatnonzero(doubts[order] <= DOUBT * np.arange(1, len(doubts) + 1) / max(len(doubts), 1))
    held = np.zeros(len(doubts), dtype=bool)
    held[order[: passed[-1] + 1 if passed.size else 0]] = True
    return held
