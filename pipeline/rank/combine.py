"""Evidence of different units -> one score that is a sum of named parts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .around import NONE
from .evidence import Matrix, Raw, Sense
from .material import Rows

# How much a standard deviation of each part counts, before the study says otherwise. Chosen on two public data sets,
# where halving or doubling any of them changes recall@3 by 0.01 at most, and confirmed on two others.
LEARNED, COSINES, WORDS, TERMS, MISS = 2.0, 1.0, 0.5, 0.25, 1.0
EXCLUDE = 0.5  # of what a near miss counts: a note about a theme is farther from talk than a quote
SENTENCE = 0.2  # how much the best sentence counts, beyond the whole
NEAREST = 0.5  # of COSINES: a single passage is more often like another by accident than the mean of several
FAMILY = 1.0  # how much what speaks for related themes counts, where a theme has nothing of its own to show
FEW = 3  # passages of its own by which a theme borrows half as much
ASKED, BEFORE, AFTER = 0.2, 0.2, 0.2  # what stands around a segment: talk stays on a topic for a while
BOUND = 2.0  # the most that a text around a passage can say for a theme or against it, before its weight
FREQUENCY = 0.5  # of the natural logarithm of how much more often than the average theme people gave a theme
RIVALS = 0.3  # how much a passage that many themes fit counts against each of them, which makes passages comparable
# Spreads seen with sentence encoders. Until there are passages to measure on, as many as STEADY count as if seen.
TYPICAL = {"learned": 0.08, "cosines": 0.32, "words": 0.045, "terms": 0.035}
STEADY = 10
# What a passage that fits has in common with a single theme, where there is nothing to compare with: 0 otherwise,
# because then what all themes have in common was taken out.
ALONE = {"learned": 1.0, "nearest": 0.35, "centre": 0.35, "definition": 0.35, "words": 0.1, "terms": 0.1}
SMOOTH = 1.0  # decisions that every theme is given in advance

FITTED = (
    "learned", "nearest", "centre", "definition", "words", "terms", "near miss",
    "exclude", "sentence", "family", "asked", "before", "after", "frequency",
)  # fmt: skip
PARTS = (*FITTED, "rivals")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scales:
    """What evidence is measured against: its mean and spread on the passages learned from, each left out in turn."""

    mean: Mapping[str, float]
    spread: Mapping[str, float]
    frequency: NDArray[np.float64]  # the part of that name, for each theme
    families: NDArray[np.float64]  # k x k: how much what speaks for one theme speaks for the other, in columns


def measure(raw: Raw, rows: Rows) -> Scales:
    """Return the scales for the evidence on the passages among the rows."""
    alone = raw.learned.shape[1] == 1
    mean = {name: _mean(getattr(raw, name), usual if alone else 0.0) for name, usual in ALONE.items()}
    filled = _fill(raw, mean)
    cosines = filled["nearest"] + filled["centre"] + filled["definition"]
    spread = {
        "learned": _spread(raw.learned, "learned"),
        "cosines": _spread(cosines, "cosines"),
        "words": _spread(filled["words"], "words"),
        "terms": _spread(raw.terms, "terms"),
    }
    often = np.log(rows.given.sum(axis=0) + SMOOTH)
    borrowed = FAMILY * FEW / (FEW + np.count_nonzero(rows.positive, axis=0))
    return Scales(
        mean=mean, spread=spread, frequency=FREQUENCY * (often - often.mean()), families=rows.families * borrowed
    )


def parts_of(raw: Raw, scales: Scales) -> dict[str, Matrix]:
    """Return the parts of the score by name as they count by default, in order of ``PARTS`` but for the last."""
    filled, mean, spread = _fill(raw, scales.mean), scales.mean, scales.spread
    cosine = {
        name: COSINES * share * (filled[name] - mean[name]) / spread["cosines"] for name, share in _COSINES.items()
    }
    learned = LEARNED * (raw.learned - mean["learned"]) / spread["learned"]
    other = _sense(raw.other, scales)
    return {
        "learned": learned,
        **cosine,
        "words": WORDS * (filled["words"] - mean["words"]) / spread["words"],
        "terms": TERMS * (raw.terms - mean["terms"]) / spread["terms"],
        "near miss": -MISS * raw.miss * len(_COSINES) / spread["cosines"],
        "exclude": -MISS * EXCLUDE * raw.exclude * len(_COSINES) / spread["cosines"],
        "sentence": SENTENCE * _best_sentence(_sense(raw.own, scales), other, raw),
        "family": learned @ scales.families,
        "asked": ASKED * _bounded(other, raw.around.asked),
        "before": BEFORE * _bounded(other, raw.around.before),
        "after": AFTER * _bounded(other, raw.around.after),
        "frequency": np.broadcast_to(scales.frequency, raw.learned.shape),
    }


def rivals(scores: Matrix) -> Matrix:
    """Return what the other themes take away: the same for all themes of a passage, so it orders passages only.

    A theme whose score is minus infinity is not there; every passage has at least one that is.
    """
    top = scores.max(axis=1, keepdims=True)
    there = np.isfinite(scores).sum(axis=1, keepdims=True)
    crowd = top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True) / there)
    return np.broadcast_to(-RIVALS * crowd, scores.shape)


_COSINES = {"nearest": NEAREST, "centre": 1.0, "definition": 1.0}


def _sense(sense: Sense, scales: Scales) -> Matrix:
    """Return what the meaning of a text says for each theme, in units of the score."""
    mean, spread = scales.mean, scales.spread
    learned = LEARNED * (sense.learned - mean["learned"]) / spread["learned"]
    cosines = sense.centre + sense.definition - mean["centre"] - mean["definition"]
    return learned + COSINES * len(_COSINES) / 2 * cosines / spread["cosines"]


def _best_sentence(whole: Matrix, other: Matrix, raw: Raw) -> Matrix:
    """Return how much more the best sentence of a passage says for each theme than the passage, 0 for one sentence."""
    best = np.full(whole.shape, -np.inf)
    np.maximum.at(best, raw.around.of, other[raw.around.sentences])
    return np.where(np.isneginf(best), 0.0, best - whole)


def _bounded(other: Matrix, which: NDArray[np.intp]) -> Matrix:
    """Return what a text around each passage says, never beyond ``BOUND`` and 0 where there is none."""
    said = np.vstack([BOUND * np.tanh(other / BOUND), np.zeros((1, other.shape[1]))])
    return np.asarray(said[np.where(which == NONE, len(other), which)])


def _fill(raw: Raw, mean: Mapping[str, float]) -> dict[str, Matrix]:
    """Let the definition stand in where no passage shows a theme, as far above or below the average as it is."""
    instead = raw.definition - mean["definition"]
    wording = raw.terms - mean["terms"]
    return {
        "nearest": np.where(np.isnan(raw.nearest), mean["nearest"] + instead, raw.nearest),
        "centre": np.where(np.isnan(raw.centre), mean["centre"] + instead, raw.centre),
        "definition": raw.definition,
        "words": np.where(np.isnan(raw.words), mean["words"] + wording, raw.words),
    }


def _mean(values: Matrix, unknown: float) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else unknown


def _spread(values: Matrix, name: str) -> float:
    """Return the standard deviation, steadied where few passages were seen."""
    rows = len(values)
    variance = float(values.var()) if values.size else 0.0
    return float(np.sqrt((rows * variance + STEADY * TYPICAL[name] ** 2) / (rows + STEADY)))
