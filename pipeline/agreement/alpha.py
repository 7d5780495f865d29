"""Krippendorff's alpha for any distance between values, and for sets of themes.

Source: Krippendorff, Content Analysis (4th ed. 2019), ch. 12; Computing Krippendorff's alpha-reliability (2011).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .ratings import Floats, Ratings, Rows, summed, value_counts

Metric = Callable[[Floats, Floats], Floats]  # values (q), their counts (... x q) -> squared distances (... x q x q)
SetMetric = Callable[[Floats, Floats, Floats], Floats]  # sizes of the intersection and of the two sets -> distances
AT_ONCE = 512  # sets whose distances to all others are held at the same time
UNITS_AT_ONCE = 20_000


def nominal(values: Floats, _counts: Floats) -> Floats:
    """Return 0 for the same value and 1 for another."""
    return 1.0 - np.eye(len(values))


def interval(values: Floats, _counts: Floats) -> Floats:
    """Return the squared difference of two values."""
    return np.square(values[:, None] - values)


def ratio(values: Floats, _counts: Floats) -> Floats:
    """Return the squared difference of two values in proportion to their sum."""
    total = values[:, None] + values
    return np.square(np.divide(values[:, None] - values, total, out=np.zeros_like(total), where=total != 0))


def ordinal(_values: Floats, counts: Floats) -> Floats:
    """Return the squared number of ranks between two values; how often values occur says how far they are apart."""
    rank = np.cumsum(counts, axis=-1) - counts / 2
    return np.square(rank[..., :, None] - rank[..., None, :])


def distances(delta: Floats) -> Metric:
    """Return the metric of a table of squared distances, q x q."""
    return lambda _values, _counts: delta


def jaccard(both: Floats, one: Floats, other: Floats) -> Floats:
    """Return 1 less the share of two sets' themes that are in both; two empty sets are the same."""
    union = one + other - both
    return 1.0 - np.divide(both, union, out=np.ones_like(union), where=union > 0)


def masi(both: Floats, one: Floats, other: Floats) -> Floats:
    """Return 1 less Jaccard's share weighted 1 for equal sets, 2/3 for a subset, 1/3 for others (Passonneau 2006)."""
    subset = np.where(both == np.minimum(one, other), 2 / 3, 1 / 3)
    return 1.0 - (1.0 - jaccard(both, one, other)) * np.where((both == one) & (both == other), 1.0, subset)


def same_set(both: Floats, one: Floats, other: Floats) -> Floats:
    """Return 0 for equal sets and 1 for all others."""
    return np.where((both == one) & (both == other), 0.0, 1.0)


def coincidences(counts: Floats) -> Floats:
    """Return how often two values meet in each unit, ... x q x q, from how many coders gave each value, ... x q.

    Every ordered pair of coders counts 1/(readers - 1), so that a unit counts as often as it was read; units with
    fewer than two readers count nothing.
    """
    readers = counts.sum(axis=-1, keepdims=True)
    weighted = counts * np.divide(1.0, readers - 1, out=np.zeros_like(readers), where=readers > 1)
    met = weighted[..., :, None] * counts[..., None, :]
    return np.asarray(met - weighted[..., None] * np.eye(counts.shape[-1]))


def coincidences_by(counts: Floats, place: Rows, places: int) -> Floats:
    """Return the coincidences of the units of each document. ``place`` is each unit's document, never decreasing."""
    q = counts.shape[-1]
    total = np.zeros((places, *counts.shape[1:], q))
    for at in range(0, len(counts), UNITS_AT_ONCE):
        some = slice(at, at + UNITS_AT_ONCE)
        total += summed(coincidences(counts[some]), place[some], places)
    return total


def alpha_of(met: Floats, values: Floats, metric: Metric = nominal) -> Floats:
    """Return alpha from coincidences ... x q x q: NaN where all values are the same, or none met."""
    often = met.sum(axis=-1)
    delta = metric(values, often)
    n = often.sum(axis=-1)
    observed = (met * delta).sum(axis=(-2, -1))
    expected = np.einsum("...c,...ck,...k->...", often, np.broadcast_to(delta, met.shape), often)
    return one_less(observed * (n - 1), expected)


def alpha(table: Floats, metric: Metric = nominal) -> float:
    """Return alpha of a table of units x coders, NaN where not read; NaN where there is nothing to compare."""
    values, counts = value_counts(table)
    return float(alpha_of(coincidences(counts).sum(axis=0), values, metric))


def agreement_on(met: Floats, value: int) -> Floats:
    """Return in how many of a value's coincidences the other coder gave it, too: 2a/(2a+b+c) for two coders."""
    return one_less(met[..., value, :].sum(axis=-1) - met[..., value, value], met[..., value, :].sum(axis=-1))


def one_less(part: Floats, whole: Floats) -> Floats:
    """Return 1 - part/whole, NaN where whole is 0."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.asarray(1.0 - np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0))


def alpha_of_sets(given: Ratings, metric: SetMetric) -> Callable[[Floats], Floats]:
    """Return a function that gives alpha of code sets for weights of documents (w x documents): w x 1 values.

    Every unit must have two readers or more (``Ratings.paired``). All that alpha needs is kept by document: what was
    observed, how many values there are, and the distances between all values of one document and all of another.
    """
    place = given.place[given.unit]
    distinct, code = _distinct(given.given)
    documents = len(given.documents)
    observed = _observed(given.unit, place, distinct, code, metric, documents)
    values = np.bincount(place, minlength=documents).astype(np.float64)
    held = sparse.coo_array((np.ones(len(code)), (place, code)), shape=(documents, len(distinct))).tocsr()
    between = _between(held, distinct, metric)

    def of(weights: Floats) -> Floats:
        n = weights @ values
        return one_less((weights @ observed) * (n - 1), np.einsum("wd,wd->w", weights @ between, weights))[:, None]

    return of


def _distinct(given: NDArray[np.bool_]) -> tuple[Floats, Rows]:
    """Return the distinct sets as rows of 0 and 1, and which of them each row is."""
    packed = np.packbits(given, axis=1)
    _, first, code = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return given[first].astype(np.float64), code.reshape(-1)


def _observed(unit: Rows, place: Rows, distinct: Floats, code: Rows, metric: SetMetric, documents: int) -> Floats:
    """Return the distances of all ordered pairs within units, by document; each counts 1/(readers - 1)."""
    weight = 1.0 / (np.bincount(unit)[unit] - 1) if len(unit) else np.zeros(0)
    total, size = np.zeros(documents), distinct.sum(axis=1)
    lag = 1
    while len(first := np.flatnonzero(unit[lag:] == unit[:-lag])):
        one, other = code[first], code[first + lag]
        apart = metric((distinct[one] * distinct[other]).sum(axis=1), size[one], size[other])
        total += np.bincount(place[first], weights=2 * apart * weight[first], minlength=documents)
        lag += 1
    return total


def _between(held: sparse.csr_array, distinct: Floats, metric: SetMetric) -> Floats:
    """Return the sum of distances between the values of every two documents: documents x documents."""
    size, total = distinct.sum(axis=1), np.zeros((held.shape[0], held.shape[0]))
    columns = held.tocsc()
    for at in range(0, len(distinct), AT_ONCE):
        some = slice(at, at + AT_ONCE)
        delta = metric(distinct @ distinct[some].T, size[:, None], size[None, some])
        total += (columns[:, some] @ (held @ delta).T).T
    return total
