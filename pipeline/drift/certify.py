"""Is a coder good enough to be watched, and how does a coder compare with the others? Levels, which are no drift."""

import numpy as np
from numpy.typing import NDArray

from .rates import Counts, Values, chance_above, team_prior, wilson
from .records import Certification, Described, Error, Level, Plan, Rate
from .team import Part, Team, counted, needed, parts, phases

LEAST_SENSITIVITY, LEAST_SPECIFICITY = 0.70, 0.90
TWICE, SURE = 2.0, 0.90


def certified(team: Team, plan: Plan) -> tuple[Certification, ...]:
    """Return whether each coder's first checks, over all priority themes, are good enough.

    They are with a sensitivity of at least .70, a specificity of at least .90, and a posterior probability below .90
    that either error is more than twice the other coders'. Fewer than the planned first checks say nothing.
    """
    _, first = phases(team, plan)
    checks = np.bincount(team.coder[first], minlength=len(team.coders))
    found = {error: counted(team, parts(team)[0], error, first) for error in Error}
    chance = {error: twice(*found[error])[1] for error in Error}
    return tuple(
        _paper(
            coder,
            (int(checks[at]), needed(plan, coder)),
            {error: wilson(int(found[error][0][at]), int(found[error][1][at])) for error in Error},
            {error: _told(chance[error][at]) for error in Error},
        )
        for at, coder in enumerate(team.coders)
    )


def _paper(
    coder: str, checks: tuple[int, int], rates: dict[Error, Rate], likely: dict[Error, float | None]
) -> Certification:
    """Return one coder's certification, given how many first checks there are and how many there should be."""
    misses, alarms = rates[Error.MISS], rates[Error.FALSE_ALARM]
    few = checks[0] < checks[1] or not misses.trials or not alarms.trials
    reason = f"{checks[0]} of {checks[1]} first checks, {misses.trials} of their themes gold positive"
    if not few:
        reason = "; ".join(_reasons(misses.rate or 0.0, alarms.rate or 0.0, likely))
    return Certification(
        coder=coder,
        checks=checks[0],
        misses=misses,
        false_alarms=alarms,
        chance_misses=likely[Error.MISS],
        chance_false_alarms=likely[Error.FALSE_ALARM],
        passed=None if few else not reason,
        reason=reason,
    )


def _reasons(misses: float, alarms: float, likely: dict[Error, float | None]) -> list[str]:
    reasons = []
    if 1 - misses < LEAST_SENSITIVITY - 1e-9:
        reasons.append(f"sensitivity {1 - misses:.2f} is below {LEAST_SENSITIVITY:.2f}")
    if 1 - alarms < LEAST_SPECIFICITY - 1e-9:
        reasons.append(f"specificity {1 - alarms:.2f} is below {LEAST_SPECIFICITY:.2f}")
    many = {Error.MISS: "misses", Error.FALSE_ALARM: "false alarms"}
    much = [many[error] for error, chance in likely.items() if chance is not None and chance >= SURE]
    return [*reasons, *([f"more than twice the others' {' and '.join(much)}"] if much else [])]


def twice(wrong: Counts, trials: Counts, others: Values | None = None) -> tuple[Values, Values]:
    """Return the others' error, and how likely each coder's is more than twice that; NaN without others.

    Arrays are (.., coders). ``others`` is by default their pooled share, half an error and half a right answer added.
    """
    rest = trials.sum(axis=-1, keepdims=True) - trials
    if others is None:
        others = (wrong.sum(axis=-1, keepdims=True) - wrong + 0.5) / (rest + 1)
    above = chance_above(team_prior(wrong, trials), wrong, trials, TWICE * others)
    return np.where(rest > 0, others, np.nan), np.where(rest > 0, above, np.nan)


def levels(team: Team, part: Part, error: Error) -> tuple[Level, ...]:
    """Return how each coder's error over the whole time compares with the other coders' on segments as hard."""
    wrong, trials = _by_band(team, part, error)
    own, checks = wrong.sum(axis=1), trials.sum(axis=1)
    rest_wrong, rest = wrong.sum(axis=0) - wrong, trials.sum(axis=0) - trials
    each = (rest_wrong + 0.5) / (rest + 1)  # coders x bands: the others' error
    mixed = np.divide((each * trials).sum(axis=1), checks, out=np.full(len(own), 0.5), where=checks > 0)
    others, chance = twice(own, checks, mixed)
    return tuple(
        Level(
            own=wilson(int(own[at]), int(checks[at])),
            others=_told(others[at]),
            chance=_told(chance[at]),
            different=bool(chance[at] >= SURE),
        )
        for at in range(len(own))
    )


def _by_band(team: Team, part: Part, error: Error) -> tuple[Counts, Counts]:
    """Return errors and checks by coder and by how hard the segments are."""
    there = team.present(error)[:, part.columns]
    wrong = there & team.wrong[:, part.columns]
    bands = 3
    place = team.coder[:, None] * bands + team.band[:, part.columns]
    shape = (len(team.coders), bands)
    sums = [
        np.bincount(place[flags], minlength=shape[0] * bands).reshape(shape).astype(np.intp) for flags in (wrong, there)
    ]
    return sums[0], sums[1]


def described(team: Team) -> tuple[Described, ...]:
    """Return the errors on themes without priority, in the earlier and the later half of each coder's checks."""
    later = _later(team)
    out = []
    for column in range(team.watched, len(team.themes)):
        part = Part(team.themes[column], np.array([column], dtype=np.intp))
        for error in Error:
            before, after = (counted(team, part, error, half) for half in (~later, later))
            out += [
                Described(
                    coder=coder,
                    theme=part.theme,
                    error=error,
                    before=wilson(int(before[0][at]), int(before[1][at])),
                    after=wilson(int(after[0][at]), int(after[1][at])),
                )
                for at, coder in enumerate(team.coders)
            ]
    return tuple(sorted(out, key=lambda one: one.coder))


def _later(team: Team) -> NDArray[np.bool_]:
    """Return which rows are in the later half of their coder's."""
    begin = np.searchsorted(team.coder, np.arange(len(team.coders)))
    count = np.bincount(team.coder, minlength=len(team.coders))
    return np.asarray(np.arange(len(team.coder)) - begin[team.coder] >= count[team.coder] / 2)


def _told(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
