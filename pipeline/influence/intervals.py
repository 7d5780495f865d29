"""How far a figure may be off: documents are the units that chance drew, not segments."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sums = NDArray[np.float64]
FEWEST = 5  # documents; with fewer no interval is told
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where there is nothing to tell it from."""

    value: float | None
    low: float | None = None
    high: float | None = None
    documents: int = 0  # that have a part in it
    count: int = 0  # judgements, readings or actions in it


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A share of ``of`` things with its exact 95 % interval, as if they were independent of each other."""

    hits: int
    of: int
    low: float
    high: float
    at_most: float  # one-sided: with 95 % confidence the share is not above this
    at_least: float

    @property
    def value(self) -> float | None:
        """The share itself, None of nothing."""
        return self.hits / self.of if self.of else None


def jackknife(sums: Sums, figure: Callable[[Sums], Sums], *, count: int = 0) -> Estimate:
    """Return a figure of sums over documents with its delete-one-document jackknife-t interval.

    ``sums`` has one row per document; ``figure`` makes the figure of the last axis of summed rows, and nan where it is
    not defined. Rows of zeros are documents without a part in it. No interval below ``FEWEST`` documents, or where
    leaving one document out leaves the figure undefined. Efron & Tibshirani (1993), eq. 11.5, with t of D - 1.
    """
    from scipy.stats import t

    rows = sums[np.any(sums != 0, axis=1)]
    total = rows.sum(axis=0)
    value = float(figure(total)) if len(rows) else np.nan
    if not np.isfinite(value):
        return Estimate(value=None, documents=len(rows), count=count)
    if len(rows) < FEWEST:
        return Estimate(value=value, documents=len(rows), count=count)
    without = figure(total - rows)
    spread = (len(rows) - 1) / len(rows) * float(np.sum((without - without.mean()) ** 2))
    if not np.isfinite(spread):
        return Estimate(value=value, documents=len(rows), count=count)
    reach = float(t.ppf((1 + LEVEL) / 2, len(rows) - 1)) * spread**0.5
    return Estimate(value=value, low=value - reach, high=value + reach, documents=len(rows), count=count)


def share(hits: int, of: int) -> Share:
    """Return a share with its limits (Clopper & Pearson 1934); of nothing, anything is possible."""
    from scipy.stats import beta

    def lower(tail: float) -> float:
        return float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0

    def upper(tail: float) -> float:
        return float(beta.ppf(1 - tail, hits + 1, of - hits)) if hits < of else 1.0

    both, one = (1 - LEVEL) / 2, 1 - LEVEL
    return Share(hits=hits, of=of, low=lower(both), high=upper(both), at_most=upper(one), at_least=lower(one))


def ratio(above: Sums, below: Sums) -> Sums:
    """Return ``above / below``, nan where there is nothing below."""
    made: Sums = np.divide(above, below, out=np.full(np.shape(below), np.nan), where=np.asarray(below) > 0)
    return made


def by_document(document: NDArray[np.int64], cell: NDArray[np.int64], weight: Sums, cells: int) -> Sums:
    """Return the sums of weights in each cell, one row for each document that occurs."""
    _, place = np.unique(document, return_inverse=True)
    place = place.reshape(-1)
    documents = int(place.max()) + 1 if len(place) else 0
    sums = np.bincount(place * cells + cell, weights=weight, minlength=documents * cells)
    return sums.astype(np.float64).reshape(documents, cells)
