"""Readings -> how far coders agree, with intervals. The coefficients are this package's own; tests hold them to others.

ratings    who read which unit and what each made of it
alpha      Krippendorff's alpha for values and for sets of themes
kappa      Cohen, Scott, Fleiss, Conger, Brennan and Prediger, Gwet, pooled kappa
intervals  intervals over whole documents; words only for what the whole interval clears
unitizing  the alphas for coders who cut for themselves
measure    all of it for the readings of a study, and the disagreements behind it
sample     how many units to code twice
"""

from .intervals import NONE_READ_TWICE, Estimate, Lack, Plan
from .measure import (
    Agreement,
    Counts,
    Disagreement,
    Pair,
    ThemeAgreement,
    disagreements,
    measure,
    on_sets,
    pair,
    theme_alphas,
)
from .ratings import Ratings, Reading, ratings
from .sample import units_needed
from .unitizing import Continuum, Span, ThemeUnitizing, Unitizing, unitizing

__all__ = [
    "MISLEADS",
    "NONE_READ_TWICE",
    "Agreement",
    "Continuum",
    "Counts",
    "Disagreement",
    "Estimate",
    "Lack",
    "Pair",
    "Plan",
    "Ratings",
    "Reading",
    "Span",
    "ThemeAgreement",
    "ThemeUnitizing",
    "Unitizing",
    "disagreements",
    "measure",
    "on_sets",
    "pair",
    "ratings",
    "theme_alphas",
    "unitizing",
    "units_needed",
]

MISLEADS = {
    "alpha": "Krippendorff's alpha of a theme, given or not: falls when a theme becomes rarer although nobody codes "
    "otherwise, so do not compare rare with common themes, nor periods in which people talked of other things.",
    "positive": "Positive agreement: of those who gave the theme, how many of the others did. Not corrected for "
    "chance, and therefore high for a theme that nearly every segment has.",
    "negative": "Negative agreement: of those who did not give the theme, how many of the others did not. Close to 1 "
    "for every rare theme, whatever the coders do.",
    "percent": "Percent agreement: context only. Two coders who give a theme at random to 3 % of the segments agree "
    "on 94 % of them.",
    "kappa": "Kappa (Cohen's for two coders, Fleiss' for more): Cohen's is larger for two coders whose totals differ "
    "than for two with equal totals and the same agreement, so that it rewards a bias; both fall with rarity as "
    "alpha does.",
    "ac1": "Gwet's AC1: hardly corrects for chance in a rare theme. Two coders who give it at random to 3 % of the "
    "segments reach 0.94.",
    "pabak": "PABAK (Brennan and Prediger): takes chance to be one half whatever the theme's frequency. Two coders "
    "who give it at random to 3 % of the segments reach 0.88.",
    "pooled": "Pooled kappa of two coders over all themes (de Vries 2008): one figure for a pair, in which a theme "
    "hides that the two understand differently.",
    "nominal": "Alpha on whole sets, equal or not: a segment with one theme in common and one not counts as a full "
    "disagreement.",
    "Jaccard": "Alpha on sets by Jaccard's distance: a partly shared set counts in part. It does not say which theme "
    "is misunderstood.",
    "MASI": "Alpha on sets by MASI: as Jaccard, but gentle to subsets, by weights that are a convention.",
    "u": "u-alpha, boundaries and themes together: many small shifts of boundaries and a few wrong themes can give "
    "the same figure.",
    "binary": "|u-alpha: only whether something was coded at all, whatever the theme.",
    "cu": "cu-alpha: only where both coded something. It does not see boundaries: spans shifted by half their length "
    "leave it at 1.",
}
