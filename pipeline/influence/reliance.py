"""Whether people follow suggestions: how much more often a theme is given because it was shown, and when it is wrong.

Agreement between coders cannot tell: coders who all follow the same machine agree with each other. What tells is
chance: which segments come without suggestions is drawn, so what else differs between the two kinds is chance, too.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..records import BLIND, Mode
from .intervals import Estimate, Share, Sums, by_document, jackknife, ratio, share
from .judged import Flags, Judgements, among, chosen

BANDS = 5  # of probability, of equal size
IN_BAND = 10  # blind judgements that a band needs


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliance:
    """What becomes of suggestions that are right or wrong by the gold coding, beside the coders' blind answers."""

    right: Estimate  # share of right suggestions that were accepted; 1 - this is under-reliance
    wrong: Estimate  # share of wrong suggestions that were accepted: over-reliance
    gap: Estimate  # the first less the second: 1 is relying where one should and nowhere else
    blind_right: Estimate  # the same themes and segments' kind, answered without seeing the suggestion
    blind_wrong: Estimate
    wrong_accepted: Share  # the bound on over-reliance: none accepted of 20 still leaves up to 14 %


def effect(made: Judgements) -> Estimate:
    """Return P(theme given | its suggestion shown) - P(given | withheld), in the same band of probability.

    Each judgement counts by the inverse of the chance with which its segment came to be shown or withheld, documents
    are the clusters, and bands count as they occur among what was shown. Only routine work, in which chance alone
    decided which it was.
    """
    routine = among(made.mode, {Mode.ROUTINE}) & made.shown
    withheld = among(made.mode, {Mode.WITHHELD})
    return _difference(made, routine, withheld, 1 / np.maximum(made.chance, 1e-9))


def inflation(made: Judgements) -> Estimate:
    """Return the acceptance of suggestions less the blind agreement with them, in the same band of probability.

    Blind are all segments that came without suggestions: withheld ones, anchors, overlap, duplicates. They are more
    than those of ``effect``, and not drawn from the same segments: so this is steadier, and less certain to be cause.
    """
    return _difference(made, made.shown, among(made.mode, BLIND), np.ones(len(made)))


def _difference(made: Judgements, shown: Flags, blind: Flags, weight: Sums) -> Estimate:
    which = made.offered & (shown | blind) & np.isfinite(made.probability)
    if not (which & shown).any() or not (which & blind).any():
        return Estimate(value=None, count=int(which.sum()))
    kept, arm, weight = chosen(made, which), blind[which].astype(np.int64), weight[which]
    bands = min(BANDS, max(1, int(arm.sum()) // IN_BAND))
    edges = np.quantile(kept.probability, np.arange(1, bands) / bands)
    band = np.searchsorted(edges, kept.probability, side="right")
    cell = (band * 2 + arm) * 2
    count = by_document(kept.document, cell, weight, bands * 4)
    given = by_document(kept.document, cell + 1, weight * kept.given, bands * 4)
    return jackknife(count + given, partial(_in_bands, bands=bands), count=len(kept))


def _in_bands(sums: Sums, *, bands: int) -> Sums:
    """Return the difference between the arms, bands weighted as among what was shown; bands of one arm have no part."""
    table = sums.reshape(*sums.shape[:-1], bands, 2, 2)
    rate = ratio(table[..., 1], table[..., 0])
    there = np.isfinite(rate).all(axis=-1)
    weight = np.where(there, table[..., 0, 0], 0.0)
    difference = np.where(there, rate[..., 0] - rate[..., 1], 0.0)
    return ratio((weight * difference).sum(axis=-1), weight.sum(axis=-1))


def acceptance(made: Judgements) -> Estimate:
    """Return the share of the suggestions shown that were accepted. By itself it says nothing about influence."""
    return _share(made, made.offered & made.shown)


def blind_agreement(made: Judgements) -> Estimate:
    """Return the share of what the machine would have suggested that coders gave without seeing it."""
    return _share(made, made.offered & made.blind)


def reliance(made: Judgements) -> Reliance:
    """Return what becomes of right and wrong suggestions, where the gold coding is known."""
    shown, blind = made.offered & made.shown, made.offered & made.blind
    right, wrong = made.gold == 1, made.gold == 0
    known = shown & (right | wrong)
    kept = chosen(made, known)
    cell = np.where(kept.gold == 1, 0, 2)
    sums = by_document(kept.document, cell, np.ones(len(kept)), 4)
    sums = sums + by_document(kept.document, cell + 1, kept.given.astype(np.float64), 4)
    return Reliance(
        right=_share(made, shown & right),
        wrong=_share(made, shown & wrong),
        gap=jackknife(sums, lambda s: ratio(s[..., 1], s[..., 0]) - ratio(s[..., 3], s[..., 2]), count=len(kept)),
        blind_right=_share(made, blind & right),
        blind_wrong=_share(made, blind & wrong),
        wrong_accepted=share(int((shown & wrong & made.given).sum()), int((shown & wrong).sum())),
    )


def _share(made: Judgements, which: Flags) -> Estimate:
    kept = chosen(made, which)
    sums = by_document(kept.document, kept.given.astype(np.int64), np.ones(len(kept)), 2)
    return jackknife(sums, lambda s: ratio(s[..., 1], s.sum(axis=-1)), count=len(kept))
