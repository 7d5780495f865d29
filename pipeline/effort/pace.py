"""Time per decision, and the time that suggestions save: only withheld segments, which chance chose, can tell that."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..influence import IDLE, Actions, Estimate, Judgements, among, by_document, chosen, jackknife, ratio
from ..records import Mode

TOP = 0.99  # longer times of a coder count as long as this share of them at most: winsorised
CHECKS = frozenset({Mode.ANCHOR, Mode.OVERLAP, Mode.DUPLICATE})  # work that a study without audit would not have
ORDINARY = frozenset({Mode.ROUTINE, Mode.WITHHELD})
PARTS = 7  # sums per coder: see ``_sums``
Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How fast somebody decides, idle time left out."""

    segments: int
    actions: int  # that are timed
    minutes: float
    idle: int  # actions longer than ``IDLE``, which are left out
    per_action: float | None  # median seconds
    per_segment: float | None  # median seconds, all actions on it together

    @property
    def per_minute(self) -> float | None:
        """Segments decided in a minute."""
        return self.segments / self.minutes if self.minutes else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """The share of time that suggestions save; negative where they cost time."""

    gross: Estimate  # per segment, beside withheld ones
    net: Estimate  # of all work: withheld segments and blind checks are charged to the machine's account
    shown: float | None  # mean seconds per segment of routine work
    withheld: float | None  # mean seconds per segment without suggestions
    checks: float  # share of the time that went into anchors, overlap and duplicates


def paces(done: Actions) -> tuple[Pace, dict[str, Pace]]:
    """Return the pace of all coders together and of each."""
    seconds = _worked(done)
    each = {
        coder: _pace(chosen(done, done.coder == at), seconds[done.coder == at]) for at, coder in enumerate(done.coders)
    }
    return _pace(done, seconds), each


def _worked(done: Actions) -> Numbers:
    """Return the seconds of every action without idle ones (nan), each coder's longest winsorised."""
    seconds = np.where(done.seconds <= IDLE, done.seconds, np.nan)
    for coder in np.unique(done.coder):
        mine = (done.coder == coder) & np.isfinite(seconds)
        if mine.any():
            seconds[mine] = np.minimum(seconds[mine], np.quantile(seconds[mine], TOP))
    return seconds


def _pace(done: Actions, seconds: Numbers) -> Pace:
    timed = np.isfinite(seconds)
    per_segment = np.bincount(np.unique(done.reading[timed], return_inverse=True)[1], weights=seconds[timed])
    return Pace(
        segments=len(per_segment),
        actions=int(timed.sum()),
        minutes=float(seconds[timed].sum()) / 60,
        idle=int((done.seconds > IDLE).sum()),
        per_action=float(np.median(seconds[timed])) if timed.any() else None,
        per_segment=float(np.median(per_segment)) if len(per_segment) else None,
    )


def seconds_per_segment(done: Actions) -> Estimate:
    """Return the seconds that reading a segment takes on average, all actions on it together; intervals by document.

    Its count is that of the readings that were timed. Idle actions have no part in it.
    """
    seconds = _worked(done)
    kept = np.isfinite(seconds)
    done, seconds = chosen(done, kept), seconds[kept]
    first = np.zeros(len(done))
    first[np.unique(done.reading, return_index=True)[1]] = 1.0
    zero = np.zeros(len(done), dtype=np.int64)
    sums = np.hstack([by_document(done.document, zero, part, 1) for part in (seconds, first)])
    return jackknife(sums, lambda s: ratio(s[..., 0], s[..., 1]), count=int(first.sum()))


def saving(done: Actions) -> Saving:
    """Return what suggestions save per segment, and of all the work that was done.

    Within coders: a coder's manual time is the mean time of that coder's withheld segments, by the inverse of the
    chance of being withheld; coders without any have no part. Net is 1 - all time / (segments of ordinary work x
    manual time): what is read for the audit alone is time without segments. Intervals by document.
    """
    seconds = _worked(done)
    withheld = among(done.mode, {Mode.WITHHELD}) & np.isfinite(seconds)
    kept = np.isfinite(seconds) & np.isin(done.coder, np.unique(done.coder[withheld]))
    done, seconds = chosen(done, kept), seconds[kept]
    sums = _sums(done, seconds)
    count = int(among(done.mode, ORDINARY).sum())
    total = sums.sum(axis=0).reshape(-1, PARTS)
    return Saving(
        gross=jackknife(sums, _gross, count=count),
        net=jackknife(sums, _net, count=count),
        shown=_mean(total, 3),
        withheld=_mean(total, 5),
        checks=float(total[:, 2].sum() / total[:, 1:3].sum()) if len(done) else 0.0,
    )


def _sums(done: Actions, seconds: Numbers) -> Numbers:
    """Return sums by document: for each coder, in this order, segments and seconds of ordinary work, seconds of checks,
    segments and seconds of routine work and of withheld segments, each by the inverse of its chance.
    """
    reading, first = np.unique(done.reading, return_index=True)
    spent = np.bincount(np.searchsorted(reading, done.reading), weights=seconds, minlength=len(reading))
    one = chosen(done, first)
    coder = np.unique(one.coder, return_inverse=True)[1].reshape(-1)
    coders = int(coder.max()) + 1 if len(coder) else 0
    weight = 1 / np.maximum(one.chance, 1e-9)
    ordinary, checked = among(one.mode, ORDINARY), among(one.mode, CHECKS)
    routine, withheld = among(one.mode, {Mode.ROUTINE}), among(one.mode, {Mode.WITHHELD})
    weights = (
        *(ordinary.astype(np.float64), ordinary * spent, checked * spent),
        *(routine * weight, routine * weight * spent, withheld * weight, withheld * weight * spent),
    )
    sums = np.zeros((len(np.unique(one.document)), coders * PARTS))
    for at, part in enumerate(weights):
        sums += by_document(one.document, coder * PARTS + at, np.asarray(part, dtype=np.float64), coders * PARTS)
    return sums


def _by_coder(sums: Numbers) -> tuple[Numbers, Numbers]:
    """Return the sums by coder, and each coder's manual seconds per segment."""
    table = sums.reshape(*sums.shape[:-1], -1, PARTS)
    return table, ratio(table[..., 6], table[..., 5])


def _gross(sums: Numbers) -> Numbers:
    table, manual = _by_coder(sums)
    shown = ratio(table[..., 4], table[..., 3])
    there = np.isfinite(manual) & np.isfinite(shown)
    segments = np.where(there, table[..., 0], 0.0)
    return 1 - ratio(
        (segments * np.where(there, shown, 0)).sum(axis=-1), (segments * np.where(there, manual, 0)).sum(axis=-1)
    )


def _net(sums: Numbers) -> Numbers:
    table, manual = _by_coder(sums)
    there = np.isfinite(manual)
    spent = np.where(there, table[..., 1] + table[..., 2], 0.0).sum(axis=-1)
    return 1 - ratio(spent, np.where(there, table[..., 0] * manual, 0.0).sum(axis=-1))


def _mean(total: Numbers, at: int) -> float | None:
    segments, seconds = total[:, at].sum(), total[:, at + 1].sum()
    return float(seconds / segments) if segments else None


def seconds_per_right(made: Judgements) -> dict[Mode, Estimate]:
    """Return the seconds it takes to give one theme that is right, in routine work and on withheld segments.

    Of segments whose gold coding is known.
    """
    told = {}
    for mode in (Mode.ROUTINE, Mode.WITHHELD):
        known = among(made.mode, {mode}) & np.isfinite(made.gold) & np.isfinite(made.seconds)
        kept = chosen(made, known)
        first = np.zeros(len(kept))
        first[np.unique(kept.reading, return_index=True)[1]] = 1.0
        spent = by_document(kept.document, np.zeros(len(kept), dtype=np.int64), first * kept.seconds, 1)
        right = by_document(kept.document, np.zeros(len(kept), dtype=np.int64), kept.given * kept.gold, 1)
        told[mode] = jackknife(np.hstack([spent, right]), lambda s: ratio(s[..., 0], s[..., 1]), count=len(kept))
    return told
