"""Did the error rise, and when? Change point and slow trend, both by permutation of whole documents or single checks.

One engine serves one coder and all coders together: units of checks in order of time, whose residuals (errors less
expected errors) are added up. Units are exchanged only inside their stratum (one wording of the theme, one coder), so
what differs between strata is no change.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

SIDE, SIDE_SHARE = 10, 0.10  # checks and share of checks on each side of a split
FEW = 199  # permutations that are enough to see that there is nothing
NOTHING = 0.20
AT_ONCE = 2_000_000  # numbers in a block of permutations
SPLIT_95 = 7.35  # twice the log likelihood that the true split may lack: (1 - exp(-x/2))^2 = .95 (Hansen 2000, table I)
GAIN = 1.5
TINY = 1e-9
POWER_80 = 0.8416212335729143
LOWEST_BAR = 2.5  # where hardly any error was made, permutations have no quantile


@dataclass(frozen=True, slots=True)
class Units:
    """What is exchanged, in order of time: one entry per document, or per check if checks were shuffled."""

    errors: Numbers
    trials: Numbers
    residual: Values  # errors less what is expected of segments as hard
    stratum: Numbers  # 0 .. s-1
    spread: Values  # s: the variance of one check in each stratum


@dataclass(frozen=True, slots=True)
class Found:
    """Where the error most likely rose, and how likely that is by chance."""

    p_step: float
    p_trend: float
    split: int  # the first unit after
    low: int  # first units after the splits in the 95 % interval
    high: int
    rise: float

    @property
    def p(self) -> float:
        """The smaller of both, doubled for having looked twice."""
        return min(1.0, 2 * min(self.p_step, self.p_trend))


def units(errors: Numbers, trials: Numbers, expected: Values, stratum: Numbers) -> Units:
    """Return units from their sums of errors, checks and expected errors; strata are numbered anew."""
    _, numbered = np.unique(stratum, return_inverse=True)
    count = np.bincount(numbered, weights=trials)
    total = np.bincount(numbered, weights=errors)
    share = np.divide(total, count, out=np.zeros(len(count)), where=count > 0)
    return Units(errors, trials, errors - expected, numbered.astype(np.intp), share * (1 - share))


def rose(made: Units, permutations: int, seed: int) -> Found | None:
    """Return whether the error rose at some unit, or None with too few checks on either side of every split.

    The step is the largest standardised rise over all splits (with at least 10 checks and 10 % of them on each side),
    the trend is the score test of a line in time (Cochran 1954; Armitage 1955); both ask for a rise only. P-values
    count permutations that do at least as well, the data themselves being one (Phipson & Smyth 2010). After 199 of
    them without any sign (p > .2) no more are made.
    """
    if made.trials.sum() < 2 * SIDE:
        return None
    residual, trials = made.residual[None], made.trials[None]
    rise, weight, step = _splits(residual, trials, made.stratum, made.spread)
    if not np.isfinite(step).any():
        return None
    key = _key(made)
    p_step, p_trend = _p(step.max(), _trend(residual), _null(key, min(FEW, permutations), seed))
    if min(p_step, p_trend) <= NOTHING and permutations > FEW:
        p_step, p_trend = _p(step.max(), _trend(residual), _null(key, permutations, seed))
    support = _support(made, step[0])
    split = int(np.argmax(support))
    inside = np.flatnonzero(support >= support[split] - SPLIT_95 / 2)
    return Found(
        p_step, p_trend, split + 1, int(inside[0]) + 1, int(inside[-1]) + 1, float(rise[0, split] / weight[0, split])
    )


def smallest_rise(made: Units, permutations: int, seed: int) -> float | None:
    """Return the rise in the middle of the checks that the step finds (p_step <= .025) with 80 % power.

    That of a test of two shares (Fleiss, Levin & Paik 2003, eq. 4.14), with the permutations' own 97.5 % quantile and
    spread in place of a normal one's, so that unlike documents make it larger, and less what the best split gains over
    the true one: 1.5 of log likelihood in the mean (the larger of two exponential maxima; Siegmund 1988, 2.1). None if
    it would have to be more than is possible, or there are too few checks.
    """
    if made.trials.sum() < 2 * SIDE:
        return None
    _, _, step = _splits(made.residual[None], made.trials[None], made.stratum, made.spread)
    allowed = np.flatnonzero(np.isfinite(step[0]))
    if not len(allowed):
        return None
    steps, _, middle = _null(_key(made), min(FEW, permutations), seed)
    bar, spread = max(float(np.quantile(steps, 0.975)), LOWEST_BAR), max(middle, 1.0)
    bar = np.sqrt((bar + POWER_80) ** 2 - 2 * GAIN) - POWER_80
    checks = int(made.trials.sum())
    first = int(made.trials[: allowed[len(allowed) // 2] + 1].sum())
    error = (made.errors.sum() + 0.5) / (checks + 1)
    rise = np.arange(0.001, 1 - error, 0.001)
    mixed, later = error + rise * (checks - first) / checks, error + rise
    by_chance = np.sqrt(mixed * (1 - mixed) * (1 / first + 1 / (checks - first)))
    apart = np.sqrt(error * (1 - error) / first + later * (1 - later) / (checks - first))
    found = rise >= bar * by_chance + POWER_80 * spread * apart
    return float(rise[found.argmax()]) if found.any() else None


def _splits(residual: Values, trials: Numbers, stratum: Numbers, spread: Values) -> tuple[Values, Values, Values]:
    """Return for each split (after the first unit, the second, ...) the excess, the weight, and their ratio in sds.

    Excess over weight is the Mantel-Haenszel difference of the two sides' errors (Mantel & Haenszel 1959, weights
    n1 n2 / N). Arrays are permutations x splits; the ratio is -inf where a side is too small.
    """
    before = np.cumsum(trials, axis=1)[:, :-1]
    after = trials.sum(axis=1, keepdims=True) - before
    least = max(SIDE, SIDE_SHARE * int(trials[0].sum()))
    excess = -np.cumsum(residual, axis=1)[:, :-1]
    weight, variance = np.zeros(before.shape), np.zeros(before.shape)
    for number, each in enumerate(spread):
        inside = trials * (stratum == number) if len(spread) > 1 else trials
        first = np.cumsum(inside, axis=1)[:, :-1]
        whole = max(int(inside[0].sum()), 1)
        both = first * (whole - first) / whole
        weight += both
        variance += each * both
    allowed = (before >= least) & (after >= least) & (weight > 0)
    rise = excess / np.sqrt(np.where(variance > 0, variance, np.inf))
    return excess, np.maximum(weight, 1e-12), np.where(allowed, rise, -np.inf)


def _trend(residual: Values) -> Values:
    """Return the score of a line in time: the sum of each unit's residual times its place."""
    return np.asarray(residual @ np.arange(residual.shape[1]))


def _p(step: float, trend: Values, null: tuple[Values, Values, float]) -> tuple[float, float]:
    """Return the share of permutations, the data among them, that rise as much."""
    steps, trends = np.count_nonzero(null[0] >= step - TINY), np.count_nonzero(null[1] >= trend[0] - TINY)
    return float((1 + steps) / (1 + len(null[0]))), float((1 + trends) / (1 + len(null[1])))


def _key(made: Units) -> tuple[bytes, bytes, bytes, bytes]:
    """Return what the permutations depend on: cells with the same counts share them."""
    order = np.lexsort((made.residual.round(12), made.trials, made.stratum))
    residual = np.empty_like(made.residual)
    trials = np.empty_like(made.trials)
    places = np.argsort(made.stratum, kind="stable")
    residual[places], trials[places] = made.residual[order].round(12), made.trials[order]
    return residual.tobytes(), trials.tobytes(), made.stratum.tobytes(), made.spread.tobytes()


@lru_cache(maxsize=2048)
def _null(key: tuple[bytes, bytes, bytes, bytes], permutations: int, seed: int) -> tuple[Values, Values, float]:
    """Return the steps and trends of permutations, and how much the ratio at the middle split varies."""
    rest, each = np.frombuffer(key[0]), np.frombuffer(key[3])
    checks, strata = np.frombuffer(key[1], dtype=np.intp), np.frombuffer(key[2], dtype=np.intp)
    alike = len(np.unique([strata, checks], axis=1).T) == len(each)  # then no order changes who has how many checks
    rng = np.random.default_rng([seed, len(rest)])
    block = max(1, AT_ONCE // len(rest))
    steps, trends, middle = [], [], []
    for begin in range(0, permutations, block):
        order = _orders(min(block, permutations - begin), strata, rng)
        _, _, ratio = _splits(rest[order], checks[None] if alike else checks[order], strata, each)
        steps.append(ratio.max(axis=1))
        trends.append(_trend(rest[order]))
        middle.append(ratio[:, ratio.shape[1] // 2])
    centre = np.concatenate(middle)
    centre = centre[np.isfinite(centre)]
    return np.concatenate(steps), np.concatenate(trends), float(centre.std()) if len(centre) else 1.0


def _orders(count: int, stratum: Numbers, rng: np.random.Generator) -> Numbers:
    """Return random orders of units that keep every unit in a place of its stratum."""
    order = np.empty((count, len(stratum)), dtype=np.intp)
    for one in np.unique(stratum):
        places = np.flatnonzero(stratum == one)
        order[:, places] = rng.permuted(np.tile(places, (count, 1)), axis=1)
    return order


def _support(made: Units, ratio: Values) -> Values:
    """Return the log likelihood of each split, less that of none; -inf where the error does not rise.

    With one stratum of equally hard segments it is binomial, else that of the standardised rise. It is divided by how
    much more units differ than checks would (McCullagh & Nelder 1989, 4.5), if they hold several.
    """
    risen = ratio > TINY if (ratio > TINY).any() else np.isfinite(ratio)
    if len(made.spread) == 1 and np.allclose(
        made.residual, made.errors - made.trials * made.errors.sum() / max(made.trials.sum(), 1)
    ):
        first, n1 = np.cumsum(made.errors)[:-1], np.cumsum(made.trials)[:-1]
        second, n2 = made.errors.sum() - first, made.trials.sum() - n1
        gain = _binomial(first, n1) + _binomial(second, n2)
        gain = gain - _binomial(made.errors.sum()[None], made.trials.sum()[None])
    else:
        gain = np.where(np.isfinite(ratio), ratio, 0.0) ** 2 / 2
    variance = made.trials * made.spread[made.stratum]
    pearson = np.divide(made.residual**2, variance, out=np.zeros(len(variance)), where=variance > 0)
    more = max(1.0, float(pearson.sum() / max(np.count_nonzero(variance) - 1, 1))) if made.trials.max() > 1 else 1.0
    return np.where(risen, gain / more, -np.inf)


def _binomial(errors: Numbers, trials: Numbers) -> Values:
    """Return the largest log likelihood of some errors among trials."""
    from scipy.special import xlogy

    share = np.divide(errors, trials, out=np.zeros(len(errors)), where=trials > 0)
    return np.asarray(xlogy(errors, share) + xlogy(trials - errors, 1 - share))
