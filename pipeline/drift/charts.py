"""The Bernoulli CUSUM: scores, limits and power by an exact Markov chain, and the charts of many coders at once.

A chart adds log(p1/p0) for an error and log((1-p1)/(1-p0)) for a right answer, and never falls below 0 (Page 1954;
Reynolds & Stoumbos 1999, J. Quality Technology 31:87). As there, the scores are rounded to whole multiples of a small
unit, so that the chart is a Markov chain of few states and everything about it is computed, not simulated.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

FINE = 0.02  # a unit is at most so much log likelihood ratio
GRID = 0.0025  # expected errors are rounded up to a multiple, so that few limits need computing
LARGEST = 0.8
SETTLED = 600  # steps after which the chance of an alarm in the next step no longer changes
POWER = 0.80


@dataclass(frozen=True, slots=True)
class Scores:
    """What a chart counts up for an error and down for a right answer, in units."""

    up: int
    down: int
    unit: float  # log likelihood ratio per unit


def expected(error: Values) -> Values:
    """Return expected errors rounded up to the grid on which limits are computed."""
    steps = np.ceil(np.asarray(error) / GRID - 1e-9)
    return np.asarray(np.clip(steps * GRID, GRID, LARGEST))


def drifted(p0: float) -> float:
    """Return the error that a chart is tuned to find: twice the expected one and .05, at most .9."""
    return min(0.9, 2 * p0 + 0.05)


@lru_cache(maxsize=4096)
def scores(p0: float, p1: float | None = None) -> Scores:
    """Return the scores of a chart that expects ``p0`` and looks for ``p1``."""
    p1 = drifted(p0) if p1 is None else p1
    gain, loss = np.log(p1 / p0), np.log((1 - p0) / (1 - p1))
    down = int(np.ceil(loss / FINE))
    return Scores(up=round(gain / loss * down), down=down, unit=float(loss / down))


def step(state: Values, score: Scores, error: float) -> Values:
    """Return the distribution over a chart's states 0 .. h-1 after one more check; what is missing has alarmed."""
    moved = np.zeros_like(state)
    down = min(score.down, len(state))
    moved[: len(state) - down] = (1 - error) * state[down:]
    moved[0] += (1 - error) * state[:down].sum()
    moved[score.up :] += error * state[: max(len(state) - score.up, 0)]
    return moved


def after(state: Values, score: Scores, error: float, steps: int) -> Values:
    """Return the distribution after some more checks.

    Once its shape no longer changes, what remains without an alarm shrinks by the same factor with every check.
    """
    for _ in range(min(steps, SETTLED)):
        before, state = state, step(state, score, error)
    if steps > SETTLED and before.sum() > 0:
        state = state * (state.sum() / before.sum()) ** (steps - SETTLED)
    return state


def alarm_chance(score: Scores, limit: int, error: float, steps: int) -> float:
    """Return the probability that a chart that starts at 0 reaches ``limit`` within some checks."""
    return float(1 - after(_beginning(limit), score, error, steps).sum())


def _beginning(limit: int) -> Values:
    state = np.zeros(limit)
    state[0] = 1.0
    return state


def run_length(score: Scores, limit: int, error: float) -> float:
    """Return the mean number of checks until a chart that starts at 0 alarms (Brook & Evans 1972)."""
    at = np.arange(limit)
    stay = np.zeros((limit, limit))
    stay[at, np.maximum(at - score.down, 0)] += 1 - error
    up = at[at + score.up < limit]
    stay[up, up + score.up] += error
    return float(np.linalg.solve(np.eye(limit) - stay, np.ones(limit))[0])


@lru_cache(maxsize=65536)
def limit(p0: float, steps: int, chance: float) -> int:
    """Return the lowest limit, in units, that a chart reaches within some checks with at most this probability."""
    score = scores(p0)
    low, high = 1, score.up * max(steps, 1) + 1  # so many errors in a row cannot go beyond
    high = min(high, int(40 / score.unit))
    while low < high:
        middle = (low + high) // 2
        if alarm_chance(score, middle, p0, steps) <= chance:
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=65536)
def detectable(p0: float, true: float, steps: int, chance: float) -> float | None:
    """Return the smallest rise of the error, from half of the checks on, that alarms with 80 % probability.

    ``true`` is the error before. None if not even an error at every check would.
    """
    score, bar = scores(p0), limit(p0, steps, chance)
    start = after(_beginning(bar), score, true, steps // 2)
    low, high = true, 1.0

    def found(error: float) -> bool:
        return bool(1 - after(start, score, error, steps - steps // 2).sum() >= POWER)

    if not found(high):
        return None
    while high - low > 0.0005:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high - true


@dataclass(frozen=True, slots=True)
class Tuned:
    """What many charts at one level of caution need: one number per stream."""

    p0: Values
    up: Numbers
    down: Numbers
    limit: Numbers
    unit: Values


def paths(errors: Flags, present: Flags, tuned: Tuned, restart: Flags | None = None) -> Numbers:
    """Return the sums of many charts, in their units, after every check.

    ``errors``, ``present`` and ``restart`` are streams x checks; a check that is not present leaves its chart as it
    is; a restart sets the sum to 0 before the check counts.
    """
    total = np.zeros(len(errors), dtype=np.intp)
    out = np.zeros(errors.shape, dtype=np.intp)
    gain = np.where(errors, tuned.up[:, None], -tuned.down[:, None]) * present
    for at in range(errors.shape[1]):
        if restart is not None:
            total = np.where(restart[:, at], 0, total)
        total = np.maximum(total + gain[:, at], 0)
        out[:, at] = total
    return out


def tuned(error: Values, steps: Numbers, chance: float) -> Tuned:
    """Return the settings of charts that take these errors as still normal, for so many planned checks each."""
    p0 = expected(error)
    made = [scores(float(p)) for p in p0]
    return Tuned(
        p0=p0,
        up=np.array([s.up for s in made], dtype=np.intp),
        down=np.array([s.down for s in made], dtype=np.intp),
        limit=np.array([limit(float(p), int(n), chance) for p, n in zip(p0, steps, strict=True)], dtype=np.intp),
        unit=np.array([s.unit for s in made]),
    )


def first_alarm(path: Numbers, limit: Numbers) -> Numbers:
    """Return the check at which each chart first reaches its limit, -1 where it never does."""
    over = path >= limit[:, None]
    return np.where(over.any(axis=1), over.argmax(axis=1), -1).astype(np.intp)
