"""When to stop reading what the machine ranks: a random sample of the rest must have no hit.

Callaghan & Mueller-Hansen 2020, Systematic Reviews 9:273. The null hypothesis is that more is missed than the wished
recall allows; as many random segments without a hit reject it.
"""

from math import floor

RECALL = 0.9
SURE = 0.95


def chance_of_missing(rest: int, found: int, *, sampled: int, hits: int = 0, recall: float = RECALL) -> float:
    """Return how likely so few hits in a random sample would be if recall were below ``recall``.

    ``rest`` segments were left when ranked reading stopped and ``found`` were found by then; ``sampled`` of the rest
    were read at random, with ``hits`` among them. Below 1 - confidence one may stop.
    """
    from scipy.stats import hypergeom

    missed = _too_many(found, hits, recall)
    return float(hypergeom.cdf(hits, rest, missed, sampled)) if missed <= rest else 0.0


def enough(rest: int, found: int, *, recall: float = RECALL, sure: float = SURE) -> int:
    """Return how many random segments of the rest without a hit make it ``sure`` that recall is at least ``recall``."""
    low, high = 0, rest
    while low < high:
        middle = (low + high) // 2
        if round(chance_of_missing(rest, found, sampled=middle, recall=recall), 12) < round(1 - sure, 12):
            high = middle
        else:
            low = middle + 1
    return low


def _too_many(found: int, hits: int, recall: float) -> int:
    """Return the least number of relevant segments in the rest with which recall would be below the wished one."""
    return floor(round((found + hits) / recall - found + 1, 9))
