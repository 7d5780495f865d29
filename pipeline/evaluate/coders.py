"""How alike people code the same segments, and how alike the machine and each of them: nobody can expect more of it.

Alike is the share of the themes given by two coders that both gave: 2 x both / (one + other), the positive specific
agreement (Fleiss 1975), which is also F1 with one coder as the truth for the other. It is pooled over all pairs of
people, or over all people for the machine, and over the segments that at least two people have read.
"""

from itertools import combinations

import numpy as np

from .intervals import Draws, Span, share_span
from .metrics import ENOUGH, Gold, Matrix
from .outcome import Alike
from .protocol import Reader
from .ranked import Ranked


def agreement(
    readers: tuple[Reader, ...], ranked: Ranked, names: tuple[str, ...], draws: Draws | None
) -> tuple[Alike, ...]:
    """Return agreement on all themes together and on each that was given often enough; nothing without two readers.

    Themes with less than ``ENOUGH`` segments that anybody gave them to are left out.
    """
    if not readers:
        return ()
    passed, readers = ranked.passed, tuple(_under_test(reader, ranked) for reader in readers)
    twice = np.sum([reader.read for reader in readers], axis=0) >= 2
    if not twice.any():
        return ()
    people, machine = _pairs(readers, twice), _beside(readers, passed, twice)
    anybody = np.any([reader.gave & twice[:, None] for reader in readers], axis=0)
    often = [theme for theme in range(len(names)) if anybody[:, theme].sum() >= ENOUGH]
    chosen = [("", slice(None)), *((names[theme], slice(theme, theme + 1)) for theme in often)]
    made = []
    for name, columns in chosen:
        ours, ours_span = _alike(people, columns, draws)
        its, its_span = _alike(machine, columns, draws)
        made.append(
            Alike(
                theme=name,
                segments=int(anybody[:, columns].any(axis=1).sum()) if name else int(twice.sum()),
                people=ours,
                people_span=ours_span,
                machine=its,
                machine_span=its_span,
            )
        )
    return tuple(made)


def _under_test(reader: Reader, ranked: Ranked) -> Reader:
    return Reader(name=reader.name, read=reader.read[ranked.rows], gave=reader.gave[ranked.rows])


Counts = tuple[Matrix, Matrix]  # twice what both gave, and what one and the other gave: n x k each


def _pairs(readers: tuple[Reader, ...], twice: Gold) -> Counts:
    both = np.zeros(readers[0].gave.shape)
    given = np.zeros(readers[0].gave.shape)
    for one, other in combinations(readers, 2):
        here = (one.read & other.read & twice)[:, None]
        both += 2.0 * (one.gave & other.gave & here)
        given += (one.gave & here).astype(float) + (other.gave & here)
    return both, given


def _beside(readers: tuple[Reader, ...], passed: Gold, twice: Gold) -> Counts:
    both = np.zeros(passed.shape)
    given = np.zeros(passed.shape)
    for one in readers:
        here = (one.read & twice)[:, None]
        both += 2.0 * (one.gave & passed & here)
        given += (one.gave & here).astype(float) + (passed & here)
    return both, given


def _alike(counts: Counts, columns: slice, draws: Draws | None) -> tuple[float | None, Span | None]:
    both, given = (part[:, columns].sum(axis=1) for part in counts)
    if not given.sum():
        return None, None
    return float(both.sum() / given.sum()), share_span(draws, both, given)
