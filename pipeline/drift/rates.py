"""Shares of errors: their intervals, what the team makes likely of a coder, and many tests at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .records import Rate

Values = NDArray[np.float64]
Counts = NDArray[np.intp]
NORMAL_95 = 1.959963984540054
LIGHTEST, HEAVIEST = 10.0, 60.0  # checks that the team's experience may count for


def wilson(errors: int, trials: int) -> Rate:
    """Return a share with its 95 % interval (Wilson 1927; Newcombe 1998, method 3)."""
    if not trials:
        return Rate(errors=0, trials=0, rate=None, low=None, high=None)
    share, z2 = errors / trials, NORMAL_95**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = NORMAL_95 * np.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    low = 0.0 if errors == 0 else float(middle - half)
    high = 1.0 if errors == trials else float(middle + half)
    return Rate(errors=errors, trials=trials, rate=share, low=low, high=high)


def benjamini_hochberg(p: Values) -> Values:
    """Return the smallest false discovery rate at which each of some tests is rejected (Benjamini & Hochberg 1995).

    The last axis holds the tests of one audit; NaN marks a test that was not made, and stays.
    """
    made = np.isfinite(p).sum(axis=-1, keepdims=True)
    order = np.argsort(p, axis=-1)  # NaN last
    rank = np.arange(1, p.shape[-1] + 1)
    raw = np.take_along_axis(p, order, axis=-1) * made / rank
    raw[np.isnan(raw)] = np.inf
    least = np.minimum(np.minimum.accumulate(raw[..., ::-1], axis=-1)[..., ::-1], 1.0)
    q = np.empty_like(p)
    np.put_along_axis(q, order, least, axis=-1)
    q[np.isnan(p)] = np.nan
    return q


@dataclass(frozen=True, kw_only=True, slots=True)
class Prior:
    """What is likely of a coder's error before the coder's own checks: Beta(errors, right)."""

    errors: Values
    right: Values


def team_prior(errors: Counts, trials: Counts) -> Prior:
    """Return, for each coder of a team (last axis), what the other coders make likely of the error.

    The mean is the others' pooled share (half an error and half a right answer added, so that it is never 0). The
    weight follows by the method of moments from how much more their shares differ than by chance (Kleinman 1973, JASA
    68:46), plus how uncertain their mean is, and is at least 10 and at most 60 checks. With one other coder nobody
    knows how much coders differ: 10. A coder alone has no team: Beta(.5, .5).
    """
    coders = errors.shape[-1]
    if not coders:
        return Prior(errors=np.zeros(errors.shape), right=np.zeros(errors.shape))
    apart = [_others(np.delete(errors, one, axis=-1), np.delete(trials, one, axis=-1)) for one in range(coders)]
    mean, worth = (np.stack(part, axis=-1) for part in zip(*apart, strict=True))
    alone = (trials.sum(axis=-1, keepdims=True) - trials) == 0
    return Prior(errors=np.where(alone, 0.5, mean * worth), right=np.where(alone, 0.5, (1 - mean) * worth))


def _others(errors: Counts, trials: Counts) -> tuple[Values, Values]:
    """Return the mean and the weight that some coders' errors give the prior of another one."""
    total = trials.sum(axis=-1)
    mean = (errors.sum(axis=-1) + 0.5) / (total + 1)
    share = np.divide(errors, trials, out=np.zeros(trials.shape), where=trials > 0)
    weight = trials / np.maximum(total, 1)[..., None]
    spread = (weight * (share - mean[..., None]) ** 2).sum(axis=-1)
    each = np.divide(weight, trials, out=np.zeros(trials.shape), where=trials > 0)
    by_chance = (each * (1 - weight)).sum(axis=-1)
    variance = mean * (1 - mean)
    room = variance * ((weight * (1 - weight)).sum(axis=-1) - by_chance)
    alike = np.divide(spread - variance * by_chance, room, out=np.ones(room.shape), where=room > 1e-12)
    alike = np.clip(alike, 1 / (HEAVIEST + 1), 1 / (LIGHTEST + 1))
    unsure = (weight**2 * alike[..., None] + each * weight * (1 - alike)[..., None]).sum(axis=-1)
    return mean, np.clip(1 / (alike + unsure) - 1, LIGHTEST, HEAVIEST)


def posterior_mean(prior: Prior, errors: Counts, trials: Counts) -> Values:
    """Return the error that is likely after own checks."""
    return np.asarray((prior.errors + errors) / (prior.errors + prior.right + trials))


def posterior_quantile(prior: Prior, errors: Counts, trials: Counts, at: float) -> Values:
    """Return the error that lies above the true one with probability ``at``, after own checks."""
    from scipy.special import betaincinv

    return np.asarray(betaincinv(prior.errors + errors, prior.right + trials - errors, at))


def chance_above(prior: Prior, errors: Counts, trials: Counts, bound: Values) -> Values:
    """Return the posterior probability that the true error lies above ``bound``."""
    from scipy.special import betainc

    return np.asarray(1 - betainc(prior.errors + errors, prior.right + trials - errors, np.minimum(bound, 1.0)))
