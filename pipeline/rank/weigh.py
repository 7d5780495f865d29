"""How much each part of the score counts in this study, chosen by what its own passages say, left out in turn.

Every pair of a passage and a theme is a case of logistic regression on the parts: people gave the theme or not. The
usual weights are where the search starts and what a Gaussian prior holds it to: with a handful of exemplars they rule,
with hundreds of decisions the study does. What related themes say counts only as far as the study's own passages are
told better with it: it helps themes that have little of their own beside related ones that have much, and blurs
others. So does nearness to near misses, which the learned part knows of anyway. What was learned from is scored as if
its document had never been seen, so that no part is believed because it remembers.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .combine import FITTED, rivals
from .evidence import Matrix

USUAL = dict.fromkeys(FITTED, 1.0) | {"family": 0.0, "near miss": 0.0}  # as multiples of the defaults
REACH = 0.25  # standard deviation of a weight around the usual one
SLOPE, SLOPES = 0.5, 0.25  # of the log-odds with the score, and how far a study may be from it
CONSTANT = -4.0  # of the log-odds, where the search starts
MOST = 1000  # passages that are looked at, taken at equal distances
STEPS = 40
ALIKE = 0.1  # correlation of what passages of one document say of the weights: two documents do not speak for a study


def choose(parts: Mapping[str, Matrix], gold: Matrix, counts: NDArray[np.float64]) -> dict[str, float]:
    """Return how much each part counts, as a multiple of its default; ``counts`` says how much each passage does.

    ``parts`` are those of passages that were left out, each n x k; ``gold`` is the share of people who gave a theme.
    """
    if not len(gold) or gold.shape[1] < 2:
        return USUAL
    pick = np.linspace(0, len(gold) - 1, min(MOST, len(gold))).round().astype(int)
    names = [name for name in FITTED if parts[name][pick].any()]
    x = np.stack([parts[name][pick] for name in names], axis=-1)  # n x k x parts
    fixed = np.sum([parts[name][pick] for name in parts if name not in names], axis=0) + np.zeros(x.shape[:2])
    usual = np.array([USUAL[name] for name in names])
    fixed = fixed + rivals(x @ usual + fixed)
    return USUAL | dict(zip(names, _fit(x, fixed, gold[pick], counts[pick], usual).tolist(), strict=True))


def independent(groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how many independent passages each one is worth, given the others of its document (Kish 1965).

    >>> independent(np.array([0, 1, 1])).round(2).tolist()
    [1.0, 0.91, 0.91]
    """
    return np.asarray(1 / (1 + ALIKE * (np.bincount(groups)[groups] - 1)))


def logistic(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of log-odds ``z``, and ln(1 + exp(z)): with one exponential, and none too large.

    >>> [values.round(3).tolist() for values in logistic(np.array([0.0, 2.0, -800.0]))]
    [[0.5, 0.881, 0.0], [0.693, 2.127, 0.0]]
    """
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small), np.maximum(z, 0) + np.log1p(small)


def _fit(
    x: Matrix, fixed: Matrix, gold: Matrix, counts: NDArray[np.float64], usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of least loss near the usual ones, none below 0."""
    from scipy.optimize import minimize

    flat, each = x.reshape(-1, x.shape[-1]), counts.repeat(gold.shape[1])
    fixed, gold = fixed.ravel(), gold.ravel()

    def loss(guess: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        constant, slope, weights = guess[0], guess[1], guess[2:]
        score = flat @ weights + fixed
        z = constant + slope * score
        off, steep = (weights - usual) / REACH, (slope - SLOPE) / SLOPES
        chance, cost = logistic(z)
        error = each * (chance - gold)
        value = each @ (cost - gold * z) + 0.5 * (off @ off + steep**2)
        gradient = [error.sum(), error @ score + steep / SLOPES, *(slope * (error @ flat) + off / REACH)]
        return float(value), np.array(gradient)

    start = np.array([CONSTANT, SLOPE, *usual])
    bounds = [(None, None), (0.05, 3), *[(0, None)] * flat.shape[1]]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    return np.asarray(found.x[2:], dtype=np.float64)
