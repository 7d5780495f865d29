"""Reading segments in the machine's order: how much need not be read, and what is found by when."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

RECALL = 0.95


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Recall after reading so many segments, beside reading at random and beside reading what is relevant first."""

    read: NDArray[np.int64]  # 0 to all
    recall: NDArray[np.float64]
    random: NDArray[np.float64]
    best: NDArray[np.float64]


def read_for(relevant: ArrayLike, recall: float = RECALL) -> int | None:
    """Return how many segments, in this order, are read until ``recall`` is reached; None if nothing is relevant."""
    found = np.cumsum(np.asarray(relevant, dtype=bool))
    if not len(found) or not found[-1]:
        return None
    wanted = ceil(round(recall * int(found[-1]), 9))  # .95 x 100 is a little more than 95
    return int(np.searchsorted(found, max(wanted, 1))) + 1


def wss(relevant: ArrayLike, recall: float = RECALL) -> float | None:
    """Return the work saved over sampling: (TN + FN) / N - (1 - recall), Cohen et al. 2006.

    Its largest value depends on how much is relevant: themes cannot be compared by it.
    """
    read = read_for(relevant, recall)
    return None if read is None else 1 - read / np.size(relevant) - (1 - recall)


def tnr(relevant: ArrayLike, recall: float = RECALL) -> float | None:
    """Return the share of irrelevant segments that are never read (Kusa et al. 2023), which themes can be compared by.

    None if nothing is relevant, or everything is.
    """
    truth = np.asarray(relevant, dtype=bool)
    read = read_for(truth, recall)
    irrelevant = int((~truth).sum())
    return None if read is None or not irrelevant else float((~truth[read:]).sum() / irrelevant)


def recall_at(relevant: ArrayLike, budgets: Sequence[int]) -> list[float | None]:
    """Return the recall after reading so many segments, for each budget; None if nothing is relevant."""
    found = np.cumsum(np.asarray(relevant, dtype=bool))
    if not len(found) or not found[-1]:
        return [None] * len(budgets)
    return [float(found[min(budget, len(found)) - 1] / found[-1]) if budget > 0 else 0.0 for budget in budgets]


def curve(relevant: ArrayLike) -> Curve | None:
    """Return the recall after every segment; None if nothing is relevant."""
    truth = np.asarray(relevant, dtype=bool)
    if not truth.any():
        return None
    read = np.arange(len(truth) + 1)
    found = np.concatenate([[0], np.cumsum(truth)])
    return Curve(
        read=read, recall=found / found[-1], random=read / len(truth), best=np.minimum(read, found[-1]) / found[-1]
    )
