"""A team's charts: checks of one kind put on them, and what each chart says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import charts
from .records import Chart, Error, Plan
from .team import Part, Team, phases
from .watch import Answers, Watched, chances, guards, watch

Flags = NDArray[np.bool_]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Streams:
    """The charts of one kind of error in one part, for all coders; arrays are coders x entries."""

    made: Watched
    rows: Numbers  # of the team, for each entry
    shown: Flags  # on the chart
    errors: Flags
    restarts: Flags
    chance: float


def streams(team: Team, plan: Plan, part: Part, error: Error) -> Streams:
    """Return the charts. A segment has one entry per theme; a changed wording of any of the part's themes restarts."""
    rows, there = _in_rows(team)
    live, first = phases(team, plan)
    width = len(part.columns)
    present = (team.present(error) & live[:, None])[rows][..., part.columns] & there[..., None]
    errors = team.wrong[rows][..., part.columns]
    wording = team.wording[rows][..., part.columns]
    changed = np.zeros(there.shape, dtype=bool)
    changed[:, 1:] = (wording[:, 1:] != wording[:, :-1]).any(axis=-1) & there[:, 1:]
    restarts = np.zeros(present.shape, dtype=bool)
    restarts[..., 0] = changed
    flat = (len(rows), -1)
    shown, beginning = present.reshape(flat), np.repeat(first[rows] & there, width, axis=1)
    chance = chances(team.watched)[0 if len(part.columns) == team.watched else 1]
    given = Answers(errors=errors.reshape(flat), present=shown, first=beginning, restart=restarts.reshape(flat))
    levels = guards(team.watched, plan.anchors, len(team.coders))
    made = watch(given, _planned(shown, there & live[rows], plan), chance, levels)
    entries = np.repeat(rows, width, axis=1)
    return Streams(made, entries, shown & ~beginning, errors.reshape(flat), restarts.reshape(flat), chance)


def chart(team: Team, made: Streams, at: int) -> Chart:
    """Return the chart of one coder."""
    here = np.flatnonzero(made.shown[at])
    rows = made.rows[at, here]
    both = made.made
    # a restart may fall on an entry that is not on this chart: the next one that is carries its mark
    marks = np.diff(np.cumsum(made.restarts[at])[here], prepend=np.cumsum(made.restarts[at])[here[:1]]) > 0
    return Chart(
        baseline=float(both.baseline[at]),
        expected_watch=float(both.watch.p0[at]),
        expected_action=float(both.action.p0[at]),
        limit_watch=float(both.watch.limit[at] * both.watch.unit[at]),
        limit_action=float(both.action.limit[at] * both.action.unit[at]),
        chance=made.chance,
        planned=int(both.planned[at]),
        segments=tuple(team.segments[row] for row in rows),
        at=tuple(team.when[row] for row in rows),
        errors=tuple(made.errors[at, here].tolist()),
        watch=tuple((both.watch_sums[at, here] * both.watch.unit[at]).tolist()),
        action=tuple((both.action_sums[at, here] * both.action.unit[at]).tolist()),
        restarts=tuple(marks.tolist()),
        watch_at=None if both.watch_at[at] < 0 else team.when[made.rows[at, both.watch_at[at]]],
        action_at=None if both.action_at[at] < 0 else team.when[made.rows[at, both.action_at[at]]],
    )


def detectable(made: Streams, at: int) -> float | None:
    """Return the smallest rise, from the middle of the planned checks on, that the chart finds with 80 % power."""
    both = made.made
    before = round(float(both.baseline[at]) / charts.GRID) * charts.GRID or charts.GRID
    return charts.detectable(float(both.watch.p0[at]), before, int(both.planned[at]), made.chance)


def _in_rows(team: Team) -> tuple[Numbers, Flags]:
    """Return the team's rows as coders x checks, and where there is one; the rest is filled with row 0."""
    count = np.bincount(team.coder, minlength=len(team.coders))
    there = np.arange(count.max(initial=0)) < count[:, None]
    rows = np.zeros(there.shape, dtype=np.intp)
    rows[there] = np.arange(len(team.coder))  # rows are in order of coders
    return rows, there


def _planned(shown: Flags, live: Flags, plan: Plan) -> Numbers:
    """Return how many entries each chart will have, if the rest of the plan is like what was answered so far."""
    answered = np.maximum(live.sum(axis=1), 1)
    after = max(plan.anchors - plan.certifying, 1)
    return np.asarray(np.ceil(shown.sum(axis=1) / answered * after - 1e-9), dtype=np.intp)
