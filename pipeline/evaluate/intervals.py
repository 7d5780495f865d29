"""How far a figure may be off: documents are drawn again and again, with repeats, as if others had been interviewed.

Segments of one document resemble one another, so that documents are drawn and not segments (a cluster bootstrap;
Davison and Hinkley 1997, section 3.8). The plain middle 95 percent of the draws is too narrow for few documents, and
drawing with repeats makes lists purer and distances larger than they are: a little more than the middle 95 percent is
taken, as Student's t asks for (the expanded percentile interval, Hesterberg 2015), moved by the difference
between the figure and the mean of its draws. All systems are measured on the same draws: the interval of a difference
is that of paired draws. What was learned is not learned anew in each draw; intervals tell of other documents to be
read, not of another codebook.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metrics import ENOUGH, Gold, Matrix, by_row, in_bins

REPLICATES = 1000
ENOUGH_DOCUMENTS = 5  # with fewer, drawing them again says nothing
LEVEL = 0.95
SEED = 0
WILSON = 3.84  # the square of the normal quantile at 97.5 percent
BLOCK = 4_000_000  # numbers held at a time

Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """How often each document is drawn in each replicate, and which document each segment is of."""

    times: NDArray[np.float64]  # replicates x documents
    by_document: NDArray[np.float32]  # the same, documents x replicates
    of: NDArray[np.intp]

    @property
    def documents(self) -> int:
        """How many documents there are to draw from."""
        return int(self.times.shape[1])


def draw(documents: Sequence[str], replicates: int = REPLICATES) -> Draws | None:
    """Return draws of as many documents as there are, the same every time; None with too few of them."""
    names, of = np.unique(np.array(documents), return_inverse=True)
    count = len(names)
    if count < ENOUGH_DOCUMENTS:
        return None
    times = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=replicates)
    by_document = np.ascontiguousarray(times.T.astype(np.float32))
    return Draws(times=times.astype(np.float64), by_document=by_document, of=of)


def span(values: Matrix, figure: float | None, documents: int, within: Span = (0.0, 1.0)) -> Span | None:
    """Return the 95 percent interval of a figure, from its draws, as far as it can go; None if that cannot be told.

    ``documents`` are those that have a part in the figure. Where all draws are 0, or all 1, they say nothing: Wilson's
    interval (1927) is taken, as if each document had been right or wrong as a whole.
    """
    values = values[~np.isnan(values)]
    if figure is None or not len(values) or documents < ENOUGH_DOCUMENTS:
        return None
    if within == (0, 1) and figure in within and values.min() == values.max():
        least = WILSON / (documents + WILSON)
        return (0.0, least) if figure == 0 else (1 - least, 1.0)
    low, high = np.quantile(values, _ends(documents)) + figure - values.mean()
    return float(max(low, within[0])), float(min(high, within[1]))


def share_span(draws: Draws | None, part: NDArray[Any], whole: NDArray[Any]) -> Span | None:
    """Return the interval of the sum of ``part`` over that of ``whole``, a number for each segment."""
    if draws is None or not whole.any():
        return None
    part, whole = part.astype(np.float64), whole.astype(np.float64)
    figure = float(part.sum() / whole.sum())
    return span(share(draws, part, whole), figure, len(np.unique(draws.of[whole > 0])))


@cache
def _ends(documents: int) -> tuple[float, float]:
    """Return which quantiles of the draws are the ends of an interval."""
    from scipy.stats import norm, t

    wide = np.sqrt(documents / (documents - 1)) * t.ppf((1 + LEVEL) / 2, documents - 1)
    return float(norm.cdf(-wide)), float(norm.cdf(wide))


def share(draws: Draws, part: Matrix, whole: Matrix, rows: NDArray[np.intp] | None = None) -> Matrix:
    """Return the sum of ``part`` over that of ``whole`` in each draw, NaN where there is nothing to divide by.

    Both have a number for each segment, or for each of ``rows``, which may name a segment several times.
    """
    of = draws.of if rows is None else draws.of[rows]
    above = draws.times @ np.bincount(of, part, minlength=draws.documents)
    below = draws.times @ np.bincount(of, whole, minlength=draws.documents)
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def rankings(draws: Draws, scores: Matrix, gold: Gold) -> dict[str, Matrix]:
    """Return ``metrics.ranking`` in each draw. Themes with enough positives in all documents count, where drawn."""
    coded = np.flatnonzero(gold.any(axis=1))
    here = replace(draws, of=draws.of[coded])
    each = by_row(scores[coded], gold[coded])
    found = {name: share(here, values, np.ones(len(values))) for name, values in each.items()}
    return {**found, "map": mean_of(precisions(here, scores[coded], gold[coded])[:, gold.sum(axis=0) >= ENOUGH])}


def mean_of(columns: Matrix) -> Matrix:
    """Return the mean of each row over the columns that have a figure."""
    there = ~np.isnan(columns)
    count = there.sum(axis=1)
    total = np.where(there, columns, 0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


def precisions(draws: Draws, scores: Matrix, gold: Gold) -> Matrix:
    """Return the average precision of every theme in each draw, NaN where no segment of the theme was drawn."""
    found = np.full((len(draws.times), gold.shape[1]), np.nan)
    for theme in np.flatnonzero(gold.any(axis=0)):
        found[:, theme] = _precision(draws, scores[:, theme], gold[:, theme])
    return found


def _precision(draws: Draws, scores: Matrix, gold: Gold) -> Matrix:
    """Return the average precision in each draw: as in ``metrics``, with each segment as often as it was drawn."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # of steps of equal score
    right = order[gold[order]]
    step = ends[np.searchsorted(ends, np.flatnonzero(gold[order]))]
    last, first = np.unique(step, return_index=True)  # of each step that finds something; of its finds
    starts = np.append(0, last[:-1] + 1)
    of, found = draws.of[order[: last[-1] + 1]], draws.of[right]
    parts = []
    size = max(1, BLOCK // len(order))
    for at in range(0, draws.times.shape[0], size):
        times = draws.by_document[:, at : at + size]
        seen = np.cumsum(np.add.reduceat(times[of], starts, axis=0), axis=0)
        gain = np.add.reduceat(times[found], first, axis=0)
        true = np.cumsum(gain, axis=0)
        value = (gain * true / np.maximum(seen, 1)).sum(axis=0, dtype=np.float64)
        parts.append(np.divide(value, true[-1], out=np.full(len(value), np.nan), where=true[-1] > 0))
    return np.concatenate(parts)


def calibration(draws: Draws, chance: Matrix, gold: Gold, scores: Matrix | None = None) -> tuple[Matrix, list[Matrix]]:
    """Return the calibration error in each draw, and the share that is right in each bin; the bins stay the same."""
    rights, errors, sizes = [], [], []
    for rows, said, true in in_bins(chance, gold, scores):
        right = share(draws, true.astype(np.float64), np.ones(len(rows)), rows)
        expected = share(draws, said, np.ones(len(rows)), rows)
        sizes.append(draws.times @ np.bincount(draws.of[rows], minlength=draws.documents))
        errors.append(np.nan_to_num(np.abs(right - expected)) * sizes[-1])
        rights.append(right)
    return np.sum(errors, axis=0) / np.sum(sizes, axis=0), rights


def spans(found: Mapping[str, Matrix], figures: Mapping[str, float | None], documents: int) -> dict[str, Span | None]:
    """Return the interval of each figure."""
    return {name: span(values, figures[name], documents) for name, values in found.items()}
