"""Folds -> what every system says of the segments under test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import RankSettings
from ..rank import definition_text
from . import systems
from .protocol import Fold, Material, learned, reduced

Matrix = NDArray[np.float64]
Gold = NDArray[np.bool_]
Tell = Callable[[str, int, int], None]  # what is done, how much of it, out of how much


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """What the systems say of the segments under test, in the order of the material."""

    rows: NDArray[np.intp]  # of the material
    gold: Gold
    places: tuple[str, ...]
    sites: tuple[str, ...]
    scores: Mapping[str, Matrix]  # by system
    chance: Matrix
    passed: Gold
    muted: Gold  # themes that most of the models suggest nothing for


def rank(
    material: Material, folds: Sequence[Fold], settings: RankSettings, others: Mapping[str, systems.System], tell: Tell
) -> Ranked:
    """Return what themescout and ``others`` say of every segment that is under test in some fold."""
    rows = np.sort(np.concatenate([fold.test for fold in folds]))
    shape = len(rows), material.gold.shape[1]
    scores = {name: np.zeros(shape) for name in ("themescout", *others)}
    chance, passed = np.zeros(shape), np.zeros(shape, dtype=bool)
    muted = np.zeros(shape[1])
    for done, fold in enumerate(folds):
        tell("evaluate", done, len(folds))
        at = np.searchsorted(rows, fold.test)
        taught = lesson(material, fold, settings)
        texts, vectors = [material.texts[row] for row in fold.test], material.vectors[fold.test]
        around = material.around.part(fold.test) if material.around is not None else None
        ours = systems.themescout(taught, texts, vectors, around)
        scores["themescout"][at], chance[at], passed[at] = ours.scores, ours.chance, ours.passed
        muted += ours.muted
        for name, system in others.items():
            scores[name][at] = system(taught, texts, vectors)
    tell("evaluate", len(folds), len(folds))
    return Ranked(
        rows=rows,
        gold=material.gold[rows],
        places=tuple(np.array(material.places)[rows].tolist()),
        sites=tuple(np.array(material.sites)[rows].tolist()),
        scores=scores,
        chance=chance,
        passed=passed,
        muted=muted > len(folds) / 2,
    )


def lesson(material: Material, fold: Fold, settings: RankSettings) -> systems.Lesson:
    """Return what the segments of a fold are ranked with."""
    return systems.Lesson(
        codebook=reduced(material.codebook, fold.without),
        vectors=material.codebook_vectors,
        labelled=learned(material, fold.train),
        settings=settings,
    )


def simple(material: Material) -> dict[str, systems.System]:
    """Return the baselines; the lexical one knows how rare each word is in the whole material."""
    quotes = [exemplar.text for theme in material.codebook.themes for exemplar in theme.exemplars]
    definitions = [definition_text(theme) for theme in material.codebook.themes]
    return systems.baselines(systems.tfidf([*quotes, *material.texts, *definitions]))
