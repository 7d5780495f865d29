"""Whether coders who see suggestions find fewer and narrower things, and what the suggestions miss."""

from dataclasses import dataclass

import numpy as np

from ..records import Mode
from .intervals import Estimate, Share, Sums, by_document, jackknife, ratio, share
from .judged import SAMPLED, Judgements, among, chosen


@dataclass(frozen=True, kw_only=True, slots=True)
class Variety:
    """The coding with suggestions beside the coding of withheld segments, which chance chose."""

    themes_shown: Estimate  # themes per segment read
    themes_withheld: Estimate
    themes_difference: Estimate
    kinds_shown: Estimate  # how many equally frequent themes would be as varied
    kinds_withheld: Estimate
    kinds_ratio: Estimate  # below 1: suggestions narrow what is found
    own_shown: Estimate  # share of the themes given that the machine did not suggest
    own_withheld: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """How much of what coders find by themselves the suggestions have, from segments that came without them."""

    recall: Share  # of the themes given, those the machine would have suggested
    by_document: Estimate  # the same with an interval for documents that differ
    missed: Share  # of the segments without any suggestion, those that were given a theme


def variety(made: Judgements) -> Variety:
    """Return how many and how varied themes are given in routine work, with and without suggestions."""
    routine = chosen(made, among(made.mode, {Mode.ROUTINE, Mode.WITHHELD}))
    arm = among(routine.mode, {Mode.WITHHELD}).astype(np.int64)
    given = routine.given.astype(np.float64)
    readings = by_document(routine.document, arm, _first(routine), 2)
    themes = by_document(routine.document, arm, given, 2)
    counts = np.hstack([readings, themes])
    kinds = max(len(routine.themes), 1)
    each = by_document(routine.document, arm * kinds + routine.theme, given, 2 * kinds)
    own = by_document(routine.document, arm * 2 + routine.offered, given, 4)
    n = [int((arm == side).sum()) for side in (0, 1)]
    return Variety(
        themes_shown=jackknife(counts[:, [0, 2]], _rate, count=n[0]),
        themes_withheld=jackknife(counts[:, [1, 3]], _rate, count=n[1]),
        themes_difference=jackknife(counts, lambda s: _rate(s[..., [0, 2]]) - _rate(s[..., [1, 3]]), count=sum(n)),
        kinds_shown=jackknife(each[:, :kinds], _kinds, count=n[0]),
        kinds_withheld=jackknife(each[:, kinds:], _kinds, count=n[1]),
        kinds_ratio=jackknife(each, lambda s: ratio(_kinds(s[..., :kinds]), _kinds(s[..., kinds:])), count=sum(n)),
        own_shown=jackknife(own[:, :2], _own, count=n[0]),
        own_withheld=jackknife(own[:, 2:], _own, count=n[1]),
    )


def _first(made: Judgements) -> Sums:
    """Return 1 for the first row of every reading of a segment and 0 for its others."""
    first = np.zeros(len(made))
    first[np.unique(made.reading, return_index=True)[1]] = 1.0
    return first


def _rate(sums: Sums) -> Sums:
    return ratio(sums[..., 1], sums[..., 0])


def _own(sums: Sums) -> Sums:
    return ratio(sums[..., 0], sums.sum(axis=-1))


def _kinds(counts: Sums) -> Sums:
    """Return the effective number of themes: the inverse of Simpson's (1949) unbiased concentration.

    Unlike the number of different themes it does not grow with the number of segments.
    """
    total = counts.sum(axis=-1)
    return ratio(total * (total - 1), (counts * (counts - 1)).sum(axis=-1))


def found(made: Judgements) -> Found:
    """Return what share of the themes that coders find unaided the machine would have suggested.

    From withheld segments and overlap, because these are a random sample of all. The exact bounds take judgements for
    independent; the interval by document does not.
    """
    sample = chosen(made, among(made.mode, SAMPLED))
    given = chosen(sample, sample.given)
    sums = by_document(given.document, given.offered.astype(np.int64), np.ones(len(given)), 2)
    reading = sample.reading
    readings = int(reading.max()) + 1 if len(sample) else 0
    offered = np.bincount(reading, weights=sample.offered, minlength=readings) > 0
    coded = np.bincount(reading, weights=sample.given, minlength=readings) > 0
    return Found(
        recall=share(int(given.offered.sum()), len(given)),
        by_document=jackknife(sums, lambda s: ratio(s[..., 1], s.sum(axis=-1)), count=len(given)),
        missed=share(int((coded & ~offered).sum()), int((~offered).sum())),
    )
