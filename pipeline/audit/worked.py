"""What coding costs, what suggestions save, and when it is enough, from what was gathered."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .. import effort
from ..agreement import Ratings
from ..report import Effort, Screened
from .gather import Gathered
from .swayed import Columns

BUDGETS = (0.1, 0.2, 0.3)  # shares of all segments, read in the machine's order
FEWEST = 5  # segments with a theme, without which its screening tells nothing
POINTS = 20  # of a curve


def worked(gathered: Gathered, read: Ratings, found: Columns) -> Effort:
    """Return everything about effort; ``read`` holds people's readings."""
    made, done = found
    pace, coders = effort.paces(done)
    return Effort(
        pace=pace,
        coders=coders,
        saving=effort.saving(done),
        per_right=effort.seconds_per_right(made),
        screened=tuple(_screened(gathered, read)),
        saturation=effort.saturation(_themes_of_documents(gathered)),
    )


def _themes_of_documents(gathered: Gathered) -> list[set[str]]:
    """Return the themes that anybody gave in each document, in the order in which documents were first coded."""
    themes: dict[str, set[str]] = {}
    for coding in sorted(gathered.codings, key=lambda coding: (coding.coded_at, coding.segment)):
        themes.setdefault(gathered.document(coding.segment), set()).update(coding.themes)
    return list(themes.values())


def _screened(gathered: Gathered, read: Ratings) -> Iterator[Screened]:
    """Yield what reading in the machine's order would have found of each theme, among the segments that people read.

    A segment has a theme if at least half of its coders gave it. Segments for which the theme is not among those that
    the machine kept come last.
    """
    known = np.array([unit in gathered.machine for unit in read.units], dtype=bool)
    places = np.flatnonzero(known)
    if not len(places):
        return
    counts = read.counts[places]
    relevant = (counts[..., 1] * 2 >= counts.sum(axis=2)) & (counts[..., 1] > 0)
    chance = _chances(gathered, [read.units[at] for at in places], read.themes)
    for column, theme in enumerate(read.themes):
        truth = relevant[np.argsort(-chance[:, column], kind="stable"), column]
        if truth.sum() >= FEWEST:
            yield _of_theme(theme, truth)


def _of_theme(theme: str, truth: NDArray[np.bool_]) -> Screened:
    budgets = [int(np.ceil(share * len(truth))) for share in BUDGETS]
    found = int(truth[: budgets[-1]].sum())
    points = np.linspace(0, len(truth), POINTS + 1).round().astype(int).tolist()
    return Screened(
        theme=theme,
        segments=len(truth),
        relevant=int(truth.sum()),
        tnr=effort.tnr(truth),
        wss=effort.wss(truth),
        recall=tuple(zip(BUDGETS, effort.recall_at(truth, budgets), strict=True)),
        enough=effort.enough(len(truth) - budgets[-1], found),
        curve=tuple(value or 0.0 for value in effort.recall_at(truth, points)),
    )


def _chances(gathered: Gathered, units: Sequence[str], themes: Sequence[str]) -> NDArray[np.float64]:
    """Return the last run's probability of each theme for each segment, 0 where it was not kept."""
    column = {theme: at for at, theme in enumerate(themes)}
    row = {unit: at for at, unit in enumerate(units)}
    chance = np.zeros((len(units), len(themes)))
    for (segment, _), made in gathered.suggestions.items():  # in the order of the runs
        if segment in row:
            chance[row[segment]] = 0.0
            for one in made:
                if one.theme in column:
                    chance[row[segment], column[one.theme]] = one.probability
    return chance
