"""What is suggested and what is not: how much of it is right, and how much is right of what could be."""

from collections.abc import Sequence

import numpy as np

from .intervals import Draws, share_span
from .metrics import Gold, Matrix
from .outcome import Found, Operating, Target

THRESHOLDS = tuple(round(at / 40, 3) for at in range(40))
TARGETS = (0.5, 0.6, 0.7, 0.8, 0.9)


def operating(passed: Gold, gold: Gold, draws: Draws | None, threshold: float) -> Operating:
    """Return what comes of suggesting ``passed``."""
    rows = np.ones(len(gold))
    uncoded = ~gold.any(axis=1)
    right, anything = (passed & gold).sum(axis=1), passed.any(axis=1)
    parts = {
        "precision": (right, passed.sum(axis=1)),
        "coverage": (anything, rows),
        "found": (right, gold.sum(axis=1)),
        "wrongly": (anything & uncoded, uncoded),
    }
    values = {name: float(a.sum() / b.sum()) if b.sum() else None for name, (a, b) in parts.items()}
    spans = {name: share_span(draws, a, b) for name, (a, b) in parts.items()}
    return Operating(threshold=threshold, found=Found(values=values, spans=spans))


def tradeoff(chance: Matrix, gold: Gold, draws: Draws | None, best: Gold) -> tuple[Operating, ...]:
    """Return what would come of suggesting everything from each of ``THRESHOLDS`` on, while there is anything.

    ``best`` says which themes can be suggested at all: the best few of each segment, none that is muted.
    """
    passing = [(threshold, best & (chance >= threshold)) for threshold in THRESHOLDS]
    return tuple(operating(passed, gold, draws, threshold) for threshold, passed in passing if passed.any())


def targets(points: Sequence[Operating]) -> tuple[Target, ...]:
    """Return, for each precision one may want, the lowest threshold that gave it on these documents.

    It was chosen on what it is measured on, so that other documents may give a little less.
    """
    found = []
    for wanted in TARGETS:
        good = [point for point in points if (point.found.values["precision"] or 0) >= wanted]
        first = good[0] if good else None
        found.append(
            Target(
                precision=wanted,
                threshold=first.threshold if first else None,
                coverage=first.found.values["coverage"] if first else None,
                found=first.found.values["found"] if first else None,
            )
        )
    return tuple(found)
