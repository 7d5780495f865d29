"""Places to look: signs in ordinary coding that raise how often somebody is checked, and never an alarm.

They move with what is talked about as well as with who codes it, so no status is made of them. What is left out on
purpose: moving kappa with fixed marks, penalised change points (PELT with BIC), the centroid of coded passages, and
repeated codings drawn by the coder's own first answer; all alarm far too often where nothing changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from .records import Advice, Coded

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

LOOK = 0.05
LEAST_DOCUMENTS = 8
FEW = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Routine:
    """One coder's answers to one theme in ordinary work, in order of time, beside a model frozen beforehand.

    The model must not have been trained on this coder's answers after its freezing.
    """

    coder: str
    theme: str
    given: Flags  # n
    chance: Values  # n: the frozen model's probability of the theme
    vectors: NDArray[np.float32]  # n x d, the segments'
    documents: tuple[str, ...]  # n


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """A segment that one coder answered twice without knowing, drawn by gold or by the model's score."""

    coder: str
    theme: str
    earlier: bool
    later: bool
    drawn_as: str  # the stratum it was drawn from: "gold 1", "gold 0", or a band of scores; never the earlier answer


def halves(work: Routine, permutations: int = 1999, seed: int = 0) -> tuple[Advice, ...]:
    """Return what the earlier and the later half of the documents differ in: residual mean and direction, prevalence.

    The residual is the answer less the frozen model's probability: its mean tells a narrower or wider use of the theme,
    its mean product with the segments' vectors (of which the distance is told) a use for other segments. P-values from
    permuting documents; empty with fewer than eight.
    """
    rest = work.given - work.chance
    tellings = {
        "residual mean": rest[:, None],
        "residual direction": rest[:, None] * work.vectors,
        "prevalence": work.given[:, None].astype(np.float64),
    }
    document, later = _orders(work.documents, permutations, seed)
    if len(later.T) < LEAST_DOCUMENTS:
        return ()
    size = np.bincount(document)
    out = []
    for what, values in tellings.items():
        total = np.stack([np.bincount(document, weights=column) for column in values.T], axis=1)
        before, after = (side @ total / (side @ size)[:, None] for side in (1.0 - later, later * 1.0))
        apart = np.linalg.norm(after - before, axis=1)
        p = float(np.mean(apart >= apart[0] - 1e-12))
        told = (float(before[0, 0]), float(after[0, 0])) if len(values.T) == 1 else (0.0, float(apart[0]))
        out.append(_advice(work, what, told, p))
    return tuple(out)


def _orders(documents: Sequence[str], permutations: int, seed: int) -> tuple[Numbers, Flags]:
    """Return each row's document, and which documents count as later: as they are, then in random orders."""
    names, first, document = np.unique(documents, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    mixed = np.random.default_rng(seed).permuted(np.tile(rank, (permutations, 1)), axis=1)
    return document.reshape(-1), np.vstack([rank, mixed]) >= len(names) // 2


def _advice(work: Routine, what: str, told: tuple[float, float], p: float) -> Advice:
    before, after = told
    return Advice(coder=work.coder, theme=work.theme, what=what, before=before, after=after, p=p, look=p <= LOOK)


def by_period(
    coded: Sequence[Coded], theme: str, alpha: Callable[[Sequence[Coded]], float | None], middle: datetime
) -> Advice:
    """Return a coefficient of agreement on the segments coded before and since some moment; it has no test."""
    before, after = (alpha([one for one in coded if (one.at >= middle) is late]) for late in (False, True))
    return Advice(coder="", theme=theme, what="overlap alpha", before=before, after=after, p=None, look=False)


def duplicates(pairs: Sequence[Again]) -> tuple[Advice, ...]:
    """Return, per coder, theme and stratum, how often the theme was given the first and the second time.

    The p-value is that of the exact sign test on changed answers inside a stratum (McNemar 1947). It holds because the
    strata do not depend on the coder's earlier answer: drawn by that, regression to the mean looks like drift.
    """
    from scipy.stats import binomtest

    groups: dict[tuple[str, str, str], list[Again]] = {}
    for pair in pairs:
        groups.setdefault((pair.coder, pair.theme, pair.drawn_as), []).append(pair)
    out = []
    for (coder, theme, stratum), some in sorted(groups.items()):
        lost = sum(pair.earlier and not pair.later for pair in some)
        gained = sum(pair.later and not pair.earlier for pair in some)
        p = float(binomtest(lost, lost + gained).pvalue) if lost + gained >= FEW else None
        out.append(
            Advice(
                coder=coder,
                theme=theme,
                what=f"own duplicates, {stratum}",
                before=sum(pair.earlier for pair in some) / len(some),
                after=sum(pair.later for pair in some) / len(some),
                p=p,
                look=p is not None and p <= LOOK,
            )
        )
    return tuple(out)
