"""Coded segments -> how good the suggestions are, beside the baselines.

metrics   scores against what people coded
systems   themescout and the baselines
protocol  which segments are ranked with what
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..config import RankSettings
from ..errors import CodingFault
from ..rank import definition_text
from . import systems
from .metrics import (
    ENOUGH,
    Bin,
    abstention,
    average_precision,
    expected_calibration_error,
    mean_average_precision,
    ranking,
    reliability,
)
from .protocol import (
    FOLDS,
    HELD_OUT,
    SEED,
    Fold,
    Material,
    curve_folds,
    from_codebook,
    from_decisions,
    from_other_sites,
    learned,
    reduced,
)

__all__ = ["SYSTEMS", "Bin", "Evaluation", "Material", "Source", "Step", "ThemeResult", "evaluate", "to_json"]

SYSTEMS = ("themescout", "cosine", "definition", "lexical", "frequency")
Source = Literal["codebook", "decisions"]
Measures = Mapping[str, float | None]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeResult:
    """How well the segments of one theme are found."""

    theme: str
    positives: int
    average_precision: float | None  # None without positives


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How good the suggestions for held-out documents are after some decisions about others."""

    decided: int
    themescout: Measures  # recall@3, mrr, map
    cosine: Measures


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """How good the suggestions are on human coding."""

    protocol: Mapping[str, Any]
    segments: int
    coded: int  # segments with at least one theme
    themes: int
    systems: Mapping[str, Measures]
    learning_curve: tuple[Step, ...]
    by_theme: tuple[ThemeResult, ...]
    reliability: tuple[Bin, ...]


def evaluate(
    material: Material,
    *,
    source: Source = "codebook",
    transfer: bool = False,
    settings: RankSettings | None = None,
    curve: bool = True,
) -> Evaluation:
    """Return how good the suggestions are on segments that people coded.

    ``source`` says what is known beforehand: the codebook alone, or the coding of all other documents as well.
    ``transfer`` leaves out whole sites in place of documents. ``curve`` asks for the learning curve too.

    Raises ``CodingFault`` if nothing is coded, or not in as many documents or sites as that takes.
    """
    if not material.gold.any():
        raise CodingFault("evaluation", "no segment has a theme", "import or review some coding first")
    settings = settings or RankSettings()
    folds = from_other_sites(material) if transfer else _FOLDING[source](material)
    scores, chance = _rank(material, folds, settings)
    gold = material.gold
    bins = reliability(chance, gold)
    precision, coverage = abstention(chance, gold, threshold=settings.precision, top_k=settings.top_k)
    own = {"coverage": coverage, "precision": precision, "ece": expected_calibration_error(bins)}
    return Evaluation(
        protocol=_protocol(material, folds, source="decisions" if transfer else source, transfer=transfer)
        | {"threshold": settings.precision, "top_k": settings.top_k},
        segments=len(gold),
        coded=int(gold.any(axis=1).sum()),
        themes=gold.shape[1],
        systems={name: _measures(scores[name], gold, own if name == "themescout" else {}) for name in SYSTEMS},
        learning_curve=tuple(_steps(material, settings)) if curve else (),
        by_theme=tuple(_by_theme(material, scores["themescout"])),
        reliability=bins,
    )


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain values, in the shape that ``evaluate --json`` promises."""
    return {
        "protocol": dict(evaluation.protocol),
        "segments": evaluation.segments,
        "coded": evaluation.coded,
        "themes": evaluation.themes,
        "systems": {name: dict(measures) for name, measures in evaluation.systems.items()},
        "learning_curve": [
            {"decided": s.decided, "themescout": dict(s.themescout), "cosine": dict(s.cosine)}
            for s in evaluation.learning_curve
        ],
        "by_theme": [asdict(theme) for theme in evaluation.by_theme],
        "reliability": [asdict(part) for part in evaluation.reliability],
    }


_FOLDING = {"codebook": from_codebook, "decisions": from_decisions}


def _measures(scores: Matrix, gold: NDArray[np.bool_], own: Measures) -> Measures:
    coded = gold.any(axis=1)
    more = {"map_10": mean_average_precision(scores[coded], gold[coded], enough=10)}
    return {**ranking(scores, gold), "coverage": None, "precision": None, "ece": None, **own, **more}


def _rank(material: Material, folds: list[Fold], settings: RankSettings) -> tuple[dict[str, Matrix], Matrix]:
    """Return the scores of every system and themescout's probabilities, in the order of the material."""
    scores = {name: np.zeros(material.gold.shape) for name in SYSTEMS}
    chance = np.zeros(material.gold.shape)
    quotes = [exemplar.text for theme in material.codebook.themes for exemplar in theme.exemplars]
    definitions = [definition_text(theme) for theme in material.codebook.themes]
    similarity = systems.tfidf([*quotes, *material.texts, *definitions])
    for fold in folds:
        lesson = _lesson(material, fold, settings)
        texts, vectors = [material.texts[row] for row in fold.test], material.vectors[fold.test]
        scores["themescout"][fold.test], chance[fold.test] = systems.themescout(lesson, texts, vectors)
        scores["cosine"][fold.test] = systems.cosine(lesson, vectors)
        scores["definition"][fold.test] = systems.definition(lesson, vectors)
        scores["lexical"][fold.test] = systems.lexical(lesson, texts, similarity)
        scores["frequency"][fold.test] = systems.frequency(lesson, len(texts))
    return scores, chance


def _lesson(material: Material, fold: Fold, settings: RankSettings) -> systems.Lesson:
    return systems.Lesson(
        codebook=reduced(material.codebook, fold.without),
        vectors=material.codebook_vectors,
        labelled=learned(material, fold.train),
        settings=settings,
    )


def _steps(material: Material, settings: RankSettings) -> list[Step]:
    steps = []
    for decided, folds in curve_folds(material):
        test = np.concatenate([fold.test for fold in folds])
        if not material.gold[test].any():
            return []
        found: dict[str, list[Matrix]] = {"themescout": [], "cosine": []}
        for fold in folds:
            lesson = _lesson(material, fold, settings)
            texts, vectors = [material.texts[row] for row in fold.test], material.vectors[fold.test]
            found["themescout"].append(systems.themescout(lesson, texts, vectors)[0])
            found["cosine"].append(systems.cosine(lesson, vectors))
        measured = {name: ranking(np.vstack(rows), material.gold[test]) for name, rows in found.items()}
        few = {name: {key: values[key] for key in ("recall@3", "mrr", "map")} for name, values in measured.items()}
        steps.append(Step(decided=decided, themescout=few["themescout"], cosine=few["cosine"]))
    return steps


def _by_theme(material: Material, scores: Matrix) -> list[ThemeResult]:
    coded = material.gold.any(axis=1)
    results = []
    for column, theme in enumerate(material.codebook.themes):
        gold = material.gold[coded, column]
        value = average_precision(scores[coded, column], gold) if gold.any() else None
        results.append(ThemeResult(theme=theme.name, positives=int(gold.sum()), average_precision=value))
    return results


def _protocol(material: Material, folds: list[Fold], *, source: Source, transfer: bool) -> dict[str, Any]:
    documents = len(set(material.places))
    alone = source == "codebook" or documents <= FOLDS
    return {
        "from": source,
        "transfer": transfer,
        "left_out": "site" if transfer else "document" if alone else f"one of {FOLDS} groups of documents",
        "documents": documents,
        "sites": len(set(material.sites)),
        "models": len(folds),
        "exemplars": sum(len(theme.exemplars) for theme in material.codebook.themes),
        "exemplars_withheld": len(frozenset().union(*(fold.without for fold in folds))),
        "map_themes": f"with at least {ENOUGH} positives",
        "learning_curve": f"{HELD_OUT:.0%} of the segments held out by document, seed {SEED}",
    }
