"""Scores -> probabilities: one logistic curve for all themes (Platt 1999), rising with the score and with its lead.

Before people have decided anything, the only passages of known theme are exemplars, and every exemplar fits some theme.
Talk that fits none is imitated by taking an exemplar's own themes out of the codebook: what then comes out on top is
wrong, however good it looks. This is provisional, and takes one passage in four to fit nothing. Once there are
decisions, they say how often suggestions are right, and exemplars only steady the curve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .combine import rivals
from .evidence import Matrix

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """Log-odds that a theme fits = constant + score x slope + lead x slope; the slopes are never negative."""

    weights: NDArray[np.float64]
    provisional: bool  # whether it rests on the codebook more than on decisions


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Scores of passages whose themes are known, from a ranker that had not seen their document."""

    scores: Matrix
    gold: Matrix
    decided: NDArray[np.bool_]  # which of them people decided on; the others are exemplars


def fit_curve(known: Known, without_rivals: Matrix) -> Curve:
    """Return the curve for scores like these; ``without_rivals`` is the same scores before that part was added."""
    alone = known.scores.shape[1] == 1
    if alone:  # exemplars of a single theme show no suggestion that would be wrong
        without_rivals = without_rivals[known.decided]
        known = _only_decided(known)
    usual = ALONE if alone else USUAL if len(known.scores) else USUAL - CAUTION
    quotes = ~known.decided
    decided = int(known.decided.sum())
    weight = min(1.0, STEADYING / max(int(quotes.sum()), 1)) if decided else 1.0
    x_known, y_known = _pairs(known.scores, known.gold)
    each = np.where(known.decided, 1.0, weight).repeat(len(y_known) // max(len(quotes), 1))
    x_nothing = _nothing(without_rivals[quotes], known.gold[quotes] > 0)
    x = np.vstack([x_known, x_nothing])
    y = np.concatenate([y_known, np.zeros(len(x_nothing))])
    weights = np.concatenate([each, np.full(len(x_nothing), weight * NOTHING)])
    return Curve(weights=_logistic(x, y, weights, usual), provisional=decided < ENOUGH)


def apply_curve(curve: Curve, scores: Matrix) -> Matrix:
    """Return the probability that each theme fits each passage."""
    return np.asarray(1 / (1 + np.exp(-(_features(scores) @ curve.weights))))


def _only_decided(known: Known) -> Known:
    keep = known.decided
    return Known(scores=known.scores[keep], gold=known.gold[keep], decided=known.decided[keep])


def _features(scores: Matrix) -> Matrix:
    """Return 1, the score and its lead over the best other theme: n x k x 3."""
    if scores.shape[1] < 2:
        lead = np.zeros_like(scores)
    else:
        second, first = np.partition(scores, -2, axis=1)[:, -2:].T[..., None]
        lead = scores - np.where(scores >= first, second, first)
    return np.stack([np.ones_like(scores), scores, lead], axis=-1)


def _pairs(scores: Matrix, gold: Matrix) -> tuple[Matrix, Matrix]:
    """Return features and truth of the best few themes of each passage."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    x = np.take_along_axis(_features(scores), best[..., None], axis=1).reshape(-1, 3)
    return x, np.take_along_axis(gold, best, axis=1).ravel()


def _nothing(scores: Matrix, own: NDArray[np.bool_]) -> Matrix:
    """Return features of the best few of the other themes, as if a passage's own were not in the codebook."""
    imitated = []
    for row, mine in zip(scores, own, strict=True):
        others = row[None, ~mine]
        if others.shape[1]:
            others = others + rivals(others)
            imitated.append(_pairs(others, np.zeros_like(others))[0])
    return np.vstack(imitated) if imitated else np.zeros((0, 3))


def _logistic(x: Matrix, y: Matrix, weights: Matrix, usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients of least loss near the usual ones: a Gaussian prior, slopes bounded below by 0."""
    from scipy.optimize import minimize

    def loss(beta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = x @ beta
        off = (beta - usual) / REACH
        value = float(weights @ (np.logaddexp(0, z) - y * z)) + 0.5 * float(off @ off)
        return value, x.T @ (weights * (1 / (1 + np.exp(-z)) - y)) + off / REACH

    found = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None), (0, None)])
    return np.asarray(found.x, dtype=np.float64)
