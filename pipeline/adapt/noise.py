"""How much better an adapted encoder is on what was left out, and whether that is more than noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of the interval. Whether to keep an encoder is a question of one direction: the true gain is below the interval in at
# most five of a hundred studies, so an encoder that is no better is kept in no more than these.
LEVEL = 0.90
PATIENCE = 2  # rounds without a better one until training stops


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain:
    """The mean of paired differences with its 90 % interval; passages of one document are not independent."""

    mean: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether it is better by more than its noise."""
        return self.low > 0


def gain(before: NDArray[np.float64], after: NDArray[np.float64], documents: Sequence[str]) -> Gain:
    """Return the gain over passages, with a Student interval whose error is robust to documents.

    The variance is that of sums over documents (Liang and Zeger 1986), with G / (G - 1) for G documents and G - 1
    degrees of freedom. With a single document nothing is known of the noise, and the interval is without end.
    """
    from scipy.stats import t

    differences = after - before
    mean = float(differences.mean())
    names, of = np.unique(np.array(documents), return_inverse=True)
    if len(names) < 2:
        return Gain(mean=mean, low=-np.inf, high=np.inf)
    sums = np.bincount(of, weights=differences - mean)
    error = np.sqrt(len(names) / (len(names) - 1) * (sums**2).sum()) / len(differences)
    half = float(t.ppf((1 + LEVEL) / 2, len(names) - 1) * error)
    return Gain(mean=mean, low=mean - half, high=mean + half)


def stalled(curve: Sequence[float]) -> bool:
    """Tell whether the last rounds brought nothing; the first entry is that of the encoder as it was."""
    return len(curve) - 1 - int(np.argmax(curve)) >= PATIENCE


def chosen_apart(curve: NDArray[np.float64], parts: Mapping[int, Sequence[int]]) -> NDArray[np.intp]:
    """Return for each passage how many rounds are best for the passages of the *other* parts.

    ``curve`` is (1 + rounds) x passages. The number is chosen without the passages that it is judged on: the best of
    many rounds looks good on whatever it was chosen on.
    """
    found = np.zeros(curve.shape[1], dtype=np.intp)
    for part, rows in parts.items():
        others = [row for other, some in parts.items() if other != part for row in some]
        found[list(rows)] = np.argmax(curve[:, others].mean(axis=1))
    return found
