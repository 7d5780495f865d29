"""A team's checks as units for the change test, and what the test says: when, from which rate to which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import change
from .rates import wilson
from .records import Change, Error, Plan, Shared, Status
from .team import Part, Team, parts

Flags = NDArray[np.bool_]
Numbers = NDArray[np.intp]

FEW = 5  # checks on either side for a coder to count as rising or not
ALONE = 0.10  # p without the coder who contributes most, above which a change is that coder's alone


@dataclass(frozen=True, slots=True)
class Dated:
    """Units in order of time with where they come from."""

    units: change.Units
    rows: Numbers  # the first row of each unit
    coder: Numbers


def units(team: Team, part: Part, error: Error, rows: Numbers, shuffled: bool) -> Dated:
    """Return the units of some rows: single checks if they were shuffled, else whole documents.

    What is expected of a check is the coder's own error on segments as hard, under the same wording.
    """
    here = np.ix_(rows, part.columns)
    gold, known = team.gold[here], team.known[here]
    there = known & (gold if error is Error.MISS else ~gold)
    wrong = there & (gold != team.given[here])
    rows, wrong, there = rows[there.any(axis=1)], wrong[there.any(axis=1)], there[there.any(axis=1)]
    _, wording = np.unique(team.wording[rows][:, part.columns], axis=0, return_inverse=True)
    stratum = _numbered(np.stack([team.coder[rows], wording.reshape(-1)], axis=1))
    expected = _expected(wrong, there, stratum, team.band[rows][:, part.columns])
    unit = np.arange(len(rows)) if shuffled else _numbered(np.stack([stratum, team.document[rows]], axis=1))
    count = int(unit.max(initial=-1)) + 1
    first = np.full(count, len(team.coder), dtype=np.intp)
    np.minimum.at(first, unit, team.turn[rows])
    order = np.argsort(first)
    errors, trials, wished = (
        np.bincount(unit, weights=each, minlength=count)[order]
        for each in (wrong.sum(axis=1), there.sum(axis=1), expected)
    )
    began = team.in_time[first[order]]
    place = np.zeros(len(team.coder), dtype=np.intp)
    place[rows] = stratum
    made = change.units(
        errors.astype(np.intp), trials.astype(np.intp), np.asarray(wished, dtype=np.float64), place[began]
    )
    return Dated(made, began, team.coder[began])


def _numbered(rows: Numbers) -> Numbers:
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _expected(wrong: Flags, there: Flags, stratum: Numbers, band: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return how many errors each row would have, if errors were spread evenly over checks as hard in its stratum."""
    cell = stratum[:, None] * (int(band.max(initial=0)) + 1) + band
    total = np.bincount(cell[there], weights=wrong[there])
    count = np.bincount(cell[there])
    share = np.divide(total, count, out=np.zeros(len(total)), where=count > 0)
    return np.asarray(np.where(there, share[np.minimum(cell, len(share) - 1)], 0.0).sum(axis=1))


def dated(team: Team, made: Dated, found: change.Found | None) -> Change | None:
    """Return what was found in some units as dates and rates, without q-value; None with too few checks."""
    if found is None:
        return None
    errors, trials = made.units.errors, made.units.trials
    return Change(
        p=found.p,
        p_step=found.p_step,
        p_trend=found.p_trend,
        q=None,
        found=False,
        rise=found.rise,
        at=team.when[made.rows[found.split]],
        earliest=team.when[made.rows[found.low]],
        latest=team.when[made.rows[found.high]],
        before=wilson(int(errors[: found.split].sum()), int(trials[: found.split].sum())),
        after=wilson(int(errors[found.split :].sum()), int(trials[found.split :].sum())),
    )


def everybody(team: Team, plan: Plan) -> tuple[Shared, ...]:
    """Return, per priority theme, whether the error rose over all coders, each compared with the own earlier answers.

    Coders and wordings are strata: that one coder errs more than another and began later is no change.
    """
    out = []
    for part in parts(team)[-team.watched :]:
        for error in Error:
            made = units(team, part, error, np.arange(len(team.coder), dtype=np.intp), plan.shuffled)
            found = change.rose(made.units, plan.permutations, plan.seed)
            coders, rising, one = _who(made, found, plan)
            out.append(
                Shared(
                    theme=part.theme,
                    error=error,
                    change=dated(team, made, found),
                    status=Status.NONE if found else Status.INSUFFICIENT,
                    coders=coders,
                    rising=rising,
                    one_coder=one,
                    detectable=change.smallest_rise(made.units, plan.permutations, plan.seed),
                )
            )
    return tuple(out)


def _who(made: Dated, found: change.Found | None, plan: Plan) -> tuple[int, int, bool]:
    """Return how many coders have checks on both sides of the split, how many rise, and whether it is one alone."""
    if found is None:
        return 0, 0, False
    after = np.arange(len(made.coder)) >= found.split
    size = int(made.coder.max()) + 1
    n1, n2 = (
        np.bincount(made.coder[side], weights=made.units.trials[side], minlength=size) for side in (~after, after)
    )
    e1, e2 = (
        np.bincount(made.coder[side], weights=made.units.errors[side], minlength=size) for side in (~after, after)
    )
    both = (n1 >= FEW) & (n2 >= FEW)
    excess = np.bincount(made.coder[after], weights=made.units.residual[after], minlength=size)
    rest = np.flatnonzero(made.coder != int(excess.argmax()))
    kept = made.units
    without = change.Units(
        kept.errors[rest], kept.trials[rest], kept.residual[rest], *_strata(kept.stratum[rest], kept.spread)
    )
    again = change.rose(without, plan.permutations, plan.seed) if len(rest) else None
    alone = again is None or again.p > ALONE
    return int(both.sum()), int((both & (e2 * n1 > e1 * n2)).sum()), alone


def _strata(stratum: Numbers, spread: NDArray[np.float64]) -> tuple[Numbers, NDArray[np.float64]]:
    """Return strata numbered anew after some units were left out."""
    kept, numbered = np.unique(stratum, return_inverse=True)
    return numbered.astype(np.intp), spread[kept]
