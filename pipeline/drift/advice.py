"""Places to look: signs in ordinary coding that raise how often somebody is checked, and never an alarm.

They move with what is talked about as well as with who codes it, so no status is made of them. What is left out on
purpose: moving kappa with fixed marks, penalised change points (PELT with BIC), the centroid of coded passages, and
repeated codings drawn by the coder's own first answer; all alarm far too often where nothing changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .records import Advice, Coded

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]

LOOK = 0.05
LEAST_DOCUMENTS = 8
FEW = 5
TINY = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Documents:
    """A coder's answers summed by document, in the order of their first answers."""

    began: tuple[datetime, ...]
    size: Values
    totals: Mapping[str, Values]  # by telling, documents x values


@dataclass(frozen=True, kw_only=True, eq=False)
class Routine:
    """One coder's answers to one theme in ordinary work, in order of time, beside a model frozen beforehand.

    The model must not have been trained on this coder's answers after its freezing.
    """

    coder: str
    theme: str
    at: tuple[datetime, ...]  # n
    given: Flags  # n
    chance: Values  # n: the frozen model's probability of the theme
    vectors: NDArray[np.float32]  # n x d, the segments'
    documents: tuple[str, ...]  # n

    @cached_property
    def summed(self) -> Documents:
        """The answers by document: what is compared many times with documents exchanged."""
        number = {name: at for at, name in enumerate(dict.fromkeys(self.documents))}
        began = dict(zip(reversed(self.documents), reversed(self.at), strict=True))
        document = np.array([number[name] for name in self.documents], dtype=np.intp)
        rest = (self.given - self.chance)[:, None]
        given = self.given.astype(np.float64)[:, None]
        tellings = {"residual mean": rest, "residual direction": rest * self.vectors, "prevalence": given}
        totals = {
            what: np.stack([np.bincount(document, weights=column) for column in values.T], axis=1).astype(np.float64)
            for what, values in tellings.items()
        }
        size = np.bincount(document).astype(np.float64)
        return Documents(began=tuple(began[name] for name in number), size=size, totals=totals)


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """A segment that one coder answered twice without knowing, drawn by gold or by the model's score."""

    coder: str
    theme: str
    earlier: bool
    later: bool
    drawn_as: str  # the stratum it was drawn from: "gold 1", "gold 0", or a band of scores; never the earlier answer


def halves(
    work: Routine, others: Sequence[Routine] = (), permutations: int = 1999, seed: int = 0
) -> tuple[Advice, ...]:
    """Return what the earlier and the later half of the documents differ in: residual mean and direction, prevalence.

    The residual is the answer less the frozen model's probability: its mean tells a narrower or wider use of the theme,
    its mean product with the segments' vectors (of which the distance is told) a use for other segments. What others
    who coded the theme in the same two periods differ in is taken off: it is the talk's or the model's. P-values from
    permuting documents, each coder's own; empty with fewer than eight.
    """
    names, first = np.unique(work.documents, return_index=True)
    if len(names) < LEAST_DOCUMENTS:
        return ()
    middle = work.at[int(np.sort(first)[len(names) // 2])]
    rng = np.random.default_rng(seed)
    own = _periods([work], middle, permutations, rng)
    parallel = _periods(others, middle, permutations, rng)
    out = []
    for what in own:
        before, after = own[what]
        if parallel and np.isfinite(parallel[what]).all():
            before, after = before - parallel[what][0], after - parallel[what][1]
        apart = np.linalg.norm(after - before, axis=1)
        p = float(np.mean(apart >= apart[0] - TINY))
        one = before.shape[1] == 1
        out.append(
            Advice(
                coder=work.coder,
                theme=work.theme,
                what=what,
                before=float(before[0, 0]) if one else None,
                after=float(after[0, 0] if one else apart[0]),
                p=p,
                look=p <= LOOK,
            )
        )
    return tuple(out)


def _periods(
    works: Sequence[Routine], middle: datetime, permutations: int, rng: np.random.Generator
) -> dict[str, tuple[Values, Values]]:
    """Return the means of each telling before and since some moment: as it was, then with documents exchanged.

    A document lies where its first answer does. Means are (1 + permutations) x values, NaN in an empty period.
    """
    if not works:
        return {}
    summed = [work.summed for work in works]
    late = np.array([began >= middle for each in summed for began in each.began])
    later = np.tile(late, (1 + permutations, 1))
    ends = np.cumsum([0, *(len(each.began) for each in summed)])
    for begin, end in pairwise(ends.tolist()):
        later[1:, begin:end] = rng.permuted(later[1:, begin:end], axis=1)
    size = np.concatenate([each.size for each in summed])
    return {
        what: _means(np.concatenate([each.totals[what] for each in summed]), size, later) for what in summed[0].totals
    }


def _means(total: Values, size: Values, later: Flags) -> tuple[Values, Values]:
    """Return the means over the rows of earlier and of later documents, for each order of documents."""
    out = []
    for side in (1.0 - later, later * 1.0):
        rows = (side @ size)[:, None]
        out.append(np.divide(side @ total, rows, out=np.full((len(side), total.shape[1]), np.nan), where=rows > 0))
    return out[0], out[1]


def by_period(
    coded: Sequence[Coded],
    themes: Sequence[str],
    alphas: Callable[[Sequence[Coded]], Mapping[str, float | None]],
    middle: datetime,
) -> tuple[Advice, ...]:
    """Return each theme's agreement on what was coded before and since some moment; it has no test."""
    before, after = (alphas([one for one in coded if (one.at >= middle) is late]) for late in (False, True))
    return tuple(
        Advice(
            coder="", theme=theme, what="overlap alpha", before=before[theme], after=after[theme], p=None, look=False
        )
        for theme in themes
    )


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
