"""Scores -> probabilities: one logistic curve (Platt 1999), rising with score and lead, that moves for each theme.

Before people have decided anything, the only passages of known theme are exemplars, and every exemplar fits some theme.
Talk that fits none is imitated by taking an exemplar's own themes out of the codebook: what then comes out on top is
wrong, however good it looks. This is provisional, and takes one passage in four to fit nothing. Once there are
decisions, they say how often suggestions are right, and exemplars only steady the curve.

One curve serves all themes; decisions move it up or down for each theme, by as much as they outweigh a Gaussian prior
around no move at all, so that a theme with few decisions keeps the common curve (a random intercept: Gelman and Hill
2007, chapter 12).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .combine import rivals
from .evidence import Matrix
from .weigh import logistic

NOTHING = 1 / 3  # imitated passages without a theme, for every exemplar
TOP = 5  # the curve is fitted where suggestions are made
ENOUGH = 50  # decided segments from which the curve is theirs
STEADYING = 30  # how many decided segments the exemplars together weigh as much as
# Constant, weight of the score, weight of its lead: what the three public data sets gave, and how far a study may go
# from it: about as far as they differ from each other.
USUAL = np.array([-3.0, 0.36, 0.05])
REACH = np.array([0.7, 0.1, 0.1])
CAUTION = np.array([0.7, 0.0, 0.0])  # taken off without a single passage: definitions do not show how people talk
# A single theme has no others to stand out from: its score is 0 for a passage that is as like it as its exemplars are.
ALONE = np.array([-0.3, 0.6, 0.0])
MOVE = 0.4  # standard deviation of how far the curves of themes are from the common one


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """Log-odds that a theme fits = constant + score x slope + lead x slope + its move; no slope is negative."""

    weights: NDArray[np.float64]
    moves: NDArray[np.float64]  # of each theme
    provisional: bool  # whether it rests on the codebook more than on decisions


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Scores of passages whose themes are known, from a ranker that had not seen their document."""

    scores: Matrix
    gold: Matrix
    decided: NDArray[np.bool_]  # which of them people decided on; the others are exemplars
    counts: NDArray[np.float64]  # how much each of them counts

    def only(self, keep: NDArray[np.bool_]) -> "Known":
        """Return some of the passages."""
        return Known(
            scores=self.scores[keep], gold=self.gold[keep], decided=self.decided[keep], counts=self.counts[keep]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cases:
    """Pairs of a passage and a theme that a curve is fitted to."""

    x: Matrix  # constant, score and lead of each
    theme: NDArray[np.intp]
    y: Matrix  # whether the theme fits, or how much
    counts: Matrix  # how much each case counts


def steadied(decided: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how much each passage counts: once there are decisions, all exemplars as much as ``STEADYING`` of them.

    >>> steadied(np.array([False] * 60 + [True])).tolist()[-2:]
    [0.5, 1.0]
    """
    quotes = int(np.count_nonzero(~decided))
    share = STEADYING / quotes if decided.any() and quotes > STEADYING else 1.0
    return np.where(decided, 1.0, share)


def fit_curve(known: Known, without_rivals: Matrix) -> Curve:
    """Return the curve for scores like these; ``without_rivals`` is the same scores before that part was added."""
    themes, decided = known.scores.shape[1], int(known.decided.sum())
    if themes == 1:  # exemplars of a single theme show no suggestion that would be wrong
        without_rivals, known = without_rivals[known.decided], known.only(known.decided)
    usual = ALONE if themes == 1 else USUAL if len(known.scores) else USUAL - CAUTION
    quotes = known.only(~known.decided)
    parts = [
        _cases(known.only(known.decided)),
        _cases(quotes),
        _nothing(quotes, without_rivals[~known.decided]),
    ]
    weights, moves = _logistic(parts, usual, themes)
    return Curve(weights=weights, moves=moves, provisional=decided < ENOUGH)


def apply_curve(curve: Curve, scores: Matrix) -> Matrix:
    """Return the probability that each theme fits each passage."""
    return np.asarray(1 / (1 + np.exp(-(_features(scores) @ curve.weights + curve.moves))))


def _features(scores: Matrix) -> Matrix:
    """Return 1, the score and its lead over the best other theme: n x k x 3."""
    lead = np.zeros_like(scores)
    if scores.shape[1] > 1:
        second, first = np.partition(scores, -2, axis=1)[:, -2:].T[..., None]
        rival = np.where(scores >= first, second, first)
        lead = np.where(np.isneginf(rival), 0, scores - np.where(np.isneginf(rival), 0, rival))
    return np.stack([np.ones_like(scores), scores, lead], axis=-1)


def _cases(known: Known) -> _Cases:
    """Return the best few themes of each passage."""
    best = np.argsort(-known.scores, axis=1, kind="stable")[:, :TOP]
    x = np.take_along_axis(_features(known.scores), best[..., None], axis=1).reshape(-1, 3)
    there = np.isfinite(x[:, 1])
    return _Cases(
        x=x[there],
        theme=best.ravel()[there],
        y=np.take_along_axis(known.gold, best, axis=1).ravel()[there],
        counts=known.counts.repeat(best.shape[1])[there],
    )


def _nothing(quotes: Known, without_rivals: Matrix) -> _Cases:
    """Return the best few of the other themes, as if a passage's own were not in the codebook."""
    own = quotes.gold > 0
    some = ~own.all(axis=1)
    others = np.where(own, -np.inf, without_rivals)[some]
    return _cases(
        Known(
            scores=others + rivals(others),
            gold=np.zeros_like(others),
            decided=quotes.decided[some],
            counts=quotes.counts[some] * NOTHING,
        )
    )


def _logistic(
    parts: list[_Cases], usual: NDArray[np.float64], themes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weights and moves of least loss, held near the usual ones; slopes are bounded below by 0.

    Only decisions, the first of ``parts``, move a theme: exemplars are chosen and say nothing of how often it comes up.
    """
    from scipy.optimize import minimize

    x, y, counts = (np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y", "counts"))
    decided = len(parts[0].y)
    theme = parts[0].theme

    def loss(guess: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        beta, moves = guess[:3], guess[3:]
        z = x @ beta
        z[:decided] += moves[theme]
        off = (beta - usual) / REACH
        chance, cost = logistic(z)
        value = float(counts @ (cost - y * z)) + 0.5 * float(off @ off + moves @ moves / MOVE**2)
        error = counts * (chance - y)
        moved = np.bincount(theme, error[:decided], minlength=themes) + moves / MOVE**2
        return value, np.concatenate([x.T @ error + off / REACH, moved])

    start = np.concatenate([usual, np.zeros(themes)])
    bounds = [(None, None), (0, None), (0, None), *[(None, None)] * themes]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:3], dtype=np.float64), np.asarray(found.x[3:], dtype=np.float64)
