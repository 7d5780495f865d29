"""Charts of all coders at once: what is still normal of each, and when the chart of each alarms.

Everything has leading dimensions for many projects at once, so that the benchmark measures the very code that runs in
a study. A stream is one coder's checks of one kind.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import charts
from .rates import posterior_mean, posterior_quantile, team_prior

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

BUDGET = 0.05  # of false alarms per coder and project, if what is taken as normal is the truth
LONG, LONG_SEVERAL = 150, 250  # planned checks of one coder, with one theme and with several
TEAM = 5  # coders whose first checks tell well what is normal


def guards(themes: int, planned: int, coders: int) -> tuple[float, float]:
    """Return the posterior quantiles that WATCH and ACTION take as still normal.

    For one theme in a team .75 and .90. More where there are more chances to be wrong about what is normal: in long
    projects, with several themes, which have a chart each, and in small teams, whose other coders tell less. That
    keeps the false alarms (benchmarks/drift.md has them).
    """
    small, pair = coders < TEAM, coders < 3
    if themes > 1:
        strains = small + pair + (planned > LONG_SEVERAL)
        return ((0.88, 0.95), (0.91, 0.96), (0.95, 0.98))[min(strains, 2)]
    if planned > LONG:
        return 0.85, 0.92
    return (0.80, 0.92) if small else (0.75, 0.90)


def chances(themes: int) -> tuple[float, float]:
    """Return the error budget of each chart over all themes together, and of each chart of one theme.

    Half of the budget is for the pair over all themes, half is divided by the charts of single themes (Bonferroni);
    with one theme there is one pair.
    """
    return (BUDGET / 2, BUDGET / 2) if themes == 1 else (BUDGET / 4, BUDGET / (4 * themes))


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """Charts of streams, flattened over all leading dimensions: s streams, a checks."""

    baseline: Values  # s
    watch: charts.Tuned
    action: charts.Tuned
    planned: Numbers  # s
    watch_sums: Numbers  # s x a, in units
    action_sums: Numbers
    watch_at: Numbers  # s: the check that alarmed first since the last restart, -1 for none
    action_at: Numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Checks in order of time: (.., coders, checks)."""

    errors: Flags
    present: Flags  # of the kind that the chart is about
    first: Flags  # among the coder's first checks
    restart: Flags | None = None  # the chart begins anew with this check


def watch(given: Answers, planned: Numbers, chance: float, levels: tuple[float, float]) -> Watched:
    """Return the charts of the checks after the first ones, with baselines from the first ones of the whole team.

    ``planned`` is how many checks of this kind a coder will answer after the first ones (.., coders); ``chance`` the
    error budget of each chart, ``levels`` the two guards.
    """
    before = given.present & given.first
    wrong, trials = (given.errors & before).sum(axis=-1), before.sum(axis=-1)
    prior = team_prior(wrong, trials)
    flat = (-1, given.errors.shape[-1])
    live, faults = (given.present & ~given.first).reshape(flat), given.errors.reshape(flat)
    again = None if given.restart is None else given.restart.reshape(flat)
    count = _rounded(np.maximum(planned.reshape(-1), live.sum(axis=1)))
    made = []
    for guard in levels:
        tuned = charts.tuned(posterior_quantile(prior, wrong, trials, guard).reshape(-1), count, chance)
        sums = charts.paths(faults, live, tuned, again)
        made.append((tuned, sums, charts.first_alarm(_current(sums, again), tuned.limit)))
    return Watched(
        baseline=posterior_mean(prior, wrong, trials).reshape(-1),
        planned=count,
        watch=made[0][0],
        watch_sums=made[0][1],
        watch_at=made[0][2],
        action=made[1][0],
        action_sums=made[1][1],
        action_at=made[1][2],
    )


def _rounded(steps: Numbers) -> Numbers:
    """Return planned checks rounded up by at most a twentieth, so that few limits need computing."""
    fine = np.maximum(steps // 20, 1)
    return np.maximum(-(-steps // fine) * fine, 1)


def _current(sums: Numbers, restart: Flags | None) -> Numbers:
    """Return the sums since the last restart, 0 before."""
    if restart is None:
        return sums
    left = np.cumsum(restart[:, ::-1], axis=1)[:, ::-1]  # restarts from here on
    return np.where((left - restart) > 0, 0, sums)
