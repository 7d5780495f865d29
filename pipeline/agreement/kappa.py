"""The other coefficients: Cohen, Scott, Fleiss, Conger, Brennan and Prediger, Gwet, and pooled kappa.

Two coders are compared by a confusion table (... x q x q, the first coder's values down), any number of coders by
``pair_sums``. NaN stands for what does not exist: no units to compare, or no variation.
"""

import numpy as np
from numpy.typing import NDArray

from .alpha import one_less
from .ratings import Floats


def confusion(one: Floats, other: Floats, values: int) -> Floats:
    """Return how often two coders gave each pair of values (0 to ``values`` - 1), units that one did not read left out.

    ``one`` and ``other`` are units long, NaN where not read.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    pairs = one[both].astype(np.intp) * values + other[both].astype(np.intp)
    return np.bincount(pairs, minlength=values * values).reshape(values, values).astype(np.float64)


def percent(table: Floats) -> Floats:
    """Return the share of units that two coders gave the same value."""
    return one_less(_apart(table), _total(table))


def cohen(table: Floats, delta: Floats | None = None) -> Floats:
    """Return Cohen's kappa (1960), weighted by distances q x q if there are any (Cohen 1968)."""
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    return _corrected(table, rows[..., :, None] * columns[..., None, :], delta)


def kappa_max(table: Floats) -> Floats:
    """Return the largest kappa that the coders' own totals allow (Cohen 1960)."""
    rows, columns, n = table.sum(axis=-1), table.sum(axis=-2), _total(table)
    expected = (rows * columns).sum(axis=-1) / n
    return one_less(n - np.minimum(rows, columns).sum(axis=-1), n - expected)


def scott(table: Floats) -> Floats:
    """Return Scott's pi (1955): chance from the two coders' mean totals."""
    mean = (table.sum(axis=-1) + table.sum(axis=-2)) / 2
    return _corrected(table, mean[..., :, None] * mean[..., None, :], None)


def pooled(tables: Floats) -> Floats:
    """Return pooled kappa of several themes, ... x themes x q x q (de Vries et al. 2008).

    Observed and expected agreement are averaged over the themes before chance is taken out: the mean of kappas would
    give rare themes the same weight with far more noise.
    """
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    n = _total(tables)
    expected = np.divide((rows * columns).sum(axis=-1), n * n, out=np.full(n.shape, np.nan), where=n > 0)
    return one_less((1 - percent(tables)).mean(axis=-1), (1 - expected).mean(axis=-1))


def _total(table: Floats) -> Floats:
    return np.asarray(table.sum(axis=(-2, -1)))


def _apart(table: Floats) -> Floats:
    return np.asarray(_total(table) - np.trace(table, axis1=-2, axis2=-1))


def _corrected(table: Floats, chance: Floats, delta: Floats | None) -> Floats:
    """Return 1 - observed/expected disagreement; ``chance`` holds products of totals."""
    apart = 1.0 - np.eye(table.shape[-1]) if delta is None else delta
    observed, expected = (table * apart).sum(axis=(-2, -1)), (chance * apart).sum(axis=(-2, -1))
    return one_less(observed * _total(table), expected)


def pair_sums(counts: Floats, weights: Floats | None = None) -> Floats:
    """Return, per unit, what the coefficients for any number of coders are made of: ... x (q + 3).

    ``counts`` holds how many coders gave each value, ... x q; ``weights`` what a pair of values counts as agreement
    (1 on the diagonal). Added up over units they stay what they are: the agreement of the unit's pairs, whether it has
    pairs, each value's share of the unit's readers, and whether it has any.
    """
    readers = counts.sum(axis=-1, keepdims=True)
    near = counts if weights is None else counts @ weights
    pairs = readers * (readers - 1)
    agree = (counts * (near - 1)).sum(axis=-1, keepdims=True)
    agreement = np.divide(agree, pairs, out=np.zeros_like(readers), where=pairs > 0)
    share = np.divide(counts, readers, out=np.zeros_like(counts), where=readers > 0)
    return np.concatenate([agreement, pairs > 0, share, readers > 0], axis=-1)


def mean_agreement(sums: Floats) -> Floats:
    """Return the mean over units of the share of pairs of coders who agree: percent agreement."""
    return one_less(sums[..., 1] - sums[..., 0], sums[..., 1])


def fleiss(sums: Floats, weights: Floats | None = None) -> Floats:
    """Return Fleiss' kappa (1971), for missing readings as generalised by Gwet (2014)."""
    share = _shares(sums)
    near = share if weights is None else share @ weights
    return _beyond(sums, (share * near).sum(axis=-1), share)


def brennan_prediger(sums: Floats, weights: Floats | None = None) -> Floats:
    """Return Brennan and Prediger's kappa (1981): chance is 1/q. For two values it is PABAK (Byrt et al. 1993)."""
    share = _shares(sums)
    q = share.shape[-1]
    total = q if weights is None else weights.sum()
    return _beyond(sums, np.full(share.shape[:-1], total / q**2), share)


def gwet(sums: Floats, weights: Floats | None = None) -> Floats:
    """Return Gwet's AC1 (2008), or AC2 with weights."""
    share = _shares(sums)
    q = share.shape[-1]
    total = q if weights is None else weights.sum()
    return _beyond(sums, total * (share * (1 - share)).sum(axis=-1) / (q * (q - 1)), share)


def conger(table: Floats, values: Floats) -> float:
    """Return Conger's kappa (1980) of a table of units x coders, NaN where not read: Cohen's for many coders."""
    given = np.stack([table == value for value in values], axis=-1)
    read = (~np.isnan(table)).sum(axis=0)
    own = (given.sum(axis=0) / np.maximum(read, 1)[:, None])[read > 0]
    share = own.mean(axis=0)
    expected = (share**2 - own.var(axis=0, ddof=1) / len(own)).sum()
    sums = pair_sums(given.sum(axis=1).astype(np.float64)).sum(axis=0)
    return float(_beyond(sums, np.asarray(expected), share))


def _shares(sums: Floats) -> Floats:
    n = sums[..., -1:]
    shares = sums[..., 2:-1]
    return np.asarray(np.divide(shares, n, out=np.full(shares.shape, np.nan), where=n > 0))


def _beyond(sums: Floats, chance: Floats, share: Floats) -> Floats:
    """Return agreement beyond chance; NaN where only one value was given, whatever chance is taken to be."""
    varied = (share > 0).sum(axis=-1) > 1
    return np.where(varied, one_less(1 - mean_agreement(sums), 1 - chance), np.nan)


def quadratic(values: NDArray[np.float64]) -> Floats:
    """Return weights that fall with the square of the distance."""
    return np.asarray(1.0 - np.square(values[:, None] - values) / (values.max() - values.min()) ** 2)


def linear(values: NDArray[np.float64]) -> Floats:
    """Return weights that fall with the distance."""
    return np.asarray(1.0 - np.abs(values[:, None] - values) / (values.max() - values.min()))


def ordinal_weights(values: NDArray[np.float64]) -> Floats:
    """Return Gwet's ordinal weights: one less the pairs of ranks between two values, in proportion to the most."""
    rank = np.arange(len(values))
    between = np.abs(rank[:, None] - rank) + 1
    apart = between * (between - 1) / 2
    return np.asarray(1.0 - apart / apart.max())
