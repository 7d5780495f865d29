"""What place in the list, length of the session and habit do to acceptance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .intervals import FEWEST, LEVEL, Estimate
from .judged import Actions, Judgements, chosen

RUN = 20  # accepts in a row
HASTE = 0.4  # of the usual time
PHASE = 40  # the first timed actions of a coder, which tell the usual time
HUNDRED = 100.0
MOST = 20_000_000  # cells of a regression; of more judgements than fit every second, third ... is taken
SURE = 0.005  # probabilities are kept this far from 0 and 1, where their log-odds have no bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How the log-odds of accepting a shown suggestion change beyond what its probability explains."""

    rank: Estimate  # for each place further down the list
    order: Estimate  # for every hundred segments further on in a session


@dataclass(frozen=True, kw_only=True, slots=True)
class Haste:
    """A run of accepts given faster than anybody reads."""

    coder: str
    first: str  # the segments on which it began and ended
    last: str
    length: int
    median: float  # seconds of its actions
    usual: float  # seconds: the coder's median at the beginning


def position(made: Judgements) -> Position:
    """Return the effects of rank and of the order in the session on acceptance.

    A logistic regression of accepted on rank, order / 100, the log-odds of the probability, and the coder, with
    covariances clustered by document and t of D - 1 degrees. Without effect, and without interval, where it cannot be
    estimated: too few documents, everything accepted, or rank and order without variation.
    """
    which = np.flatnonzero(made.shown & made.offered & np.isfinite(made.probability) & np.isfinite(made.rank))
    width = 3 + len(np.unique(made.coder[which]))
    kept = chosen(made, which[:: -(-len(which) * width // MOST) or 1])
    documents = len(np.unique(kept.document))
    none = Estimate(value=None, documents=documents, count=len(kept))
    if documents < FEWEST:
        return Position(rank=none, order=none)
    chance = np.clip(kept.probability, SURE, 1 - SURE)
    columns = [kept.rank, kept.order / HUNDRED, np.log(chance / (1 - chance))]
    coders = [(kept.coder == coder).astype(np.float64) for coder in np.unique(kept.coder)]
    found = _logit(kept.given, np.column_stack([*columns, *coders]), kept.document)
    if found is None:
        return Position(rank=none, order=none)
    return Position(rank=_estimate(found, 0, none), order=_estimate(found, 1, none))


def _estimate(found: NDArray[np.float64], at: int, none: Estimate) -> Estimate:
    from scipy.stats import t

    value, error = found[:, at]
    if not np.isfinite(value + error):
        return none
    reach = float(t.ppf((1 + LEVEL) / 2, none.documents - 1)) * error
    return Estimate(
        value=float(value), low=value - reach, high=value + reach, documents=none.documents, count=none.count
    )


def _logit(given: NDArray[np.bool_], x: NDArray[np.float64], cluster: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return coefficients and standard errors, nan where a column does not vary; None without a finite estimate."""
    import warnings

    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning

    varies = np.ptp(x, axis=0) > 0
    varies[3:] = True  # of the coders one alone does not vary: it is the constant
    _, groups = np.unique(cluster, return_inverse=True)
    if not 0 < given.sum() < len(given) or np.linalg.matrix_rank(x[:, varies]) < varies.sum():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            model = sm.Logit(given.astype(np.float64), x[:, varies])
            fitted = model.fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups.reshape(-1)})
        except (ConvergenceWarning, PerfectSeparationWarning, PerfectSeparationError, np.linalg.LinAlgError):
            return None
    found = np.full((2, x.shape[1]), np.nan)
    found[:, varies] = fitted.params, fitted.bse
    return found


def usual_seconds(done: Actions) -> dict[str, float]:
    """Return each coder's median time of the first ``PHASE`` actions with suggestions before them.

    Only such, because coding without suggestions takes longer for everybody.
    """
    usual = {}
    for at, coder in enumerate(done.coders):
        timed = done.seconds[(done.coder == at) & done.shown & np.isfinite(done.seconds)]
        if len(timed):
            usual[coder] = float(np.median(timed[:PHASE]))
    return usual


def hasty_runs(done: Actions) -> list[Haste]:
    """Return every run of at least ``RUN`` accepts in a row, each in less than ``HASTE`` of the coder's usual time.

    They are places to look at, nothing more: a run of easy segments looks the same.
    """
    usual = usual_seconds(done)
    found: list[Haste] = []
    for at, coder in enumerate(done.coders):
        if coder in usual:
            mine = chosen(done, done.coder == at)
            quick = mine.accepted & (mine.seconds < HASTE * usual[coder])
            found.extend(_haste(mine, run, usual[coder]) for run in _runs(quick) if run.stop - run.start >= RUN)
    return found


def _haste(mine: Actions, run: slice, usual: float) -> Haste:
    return Haste(
        coder=mine.coders[mine.coder[run.start]],
        first=mine.segments[mine.segment[run.start]],
        last=mine.segments[mine.segment[run.stop - 1]],
        length=run.stop - run.start,
        median=float(np.median(mine.seconds[run])),
        usual=usual,
    )


def _runs(flags: NDArray[np.bool_]) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    for start, stop in edges.reshape(-1, 2):
        yield slice(int(start), int(stop))
