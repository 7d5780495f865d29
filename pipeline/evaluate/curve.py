"""How the suggestions get better with decisions, beside the baselines, which learn from the same decisions."""

from collections.abc import Mapping

import numpy as np

from ..config import RankSettings
from .intervals import REPLICATES, draw, rankings, span
from .metrics import Matrix, ranking
from .outcome import Found, Step
from .protocol import ORDERS, Fold, Material, curve_plans
from .ranked import Tell, rank
from .systems import System

NAMES = ("recall@1", "recall@3", "recall@5", "mrr", "map")
Sample = tuple[Mapping[str, float | None], Mapping[str, Matrix] | None, int]  # measures, the same drawn, documents


def learning_curve(
    material: Material, settings: RankSettings, others: Mapping[str, System], tell: Tell
) -> tuple[Step, ...]:
    """Return how good the suggestions for held-out documents are after 0, 50, ... decided segments of others.

    Each figure is the mean over ``ORDERS`` random choices of documents to hold out and of what is decided first. Its
    interval is over these choices and over draws of the held-out documents together.
    """
    plans = curve_plans(material)
    sizes = [n for n in plans[0] if all(n in plan for plan in plans)] if plans else []
    todo = [(n, plan[n]) for n in sizes for plan in plans]
    if not all(material.gold[_tested(folds)].any() for _, folds in todo):
        return ()
    samples: dict[int, dict[str, list[Sample]]] = {n: {} for n in sizes}
    for done, (n, folds) in enumerate(todo):
        tell("learning curve", done, len(todo))
        for name, sample in _measured(material, folds, settings, others).items():
            samples[n].setdefault(name, []).append(sample)
    tell("learning curve", len(todo), len(todo))
    return tuple(Step(decided=n, systems={name: _pooled(s) for name, s in samples[n].items()}) for n in sizes)


def _tested(folds: list[Fold]) -> list[int]:
    return [int(row) for fold in folds for row in fold.test]


def _measured(
    material: Material, folds: list[Fold], settings: RankSettings, others: Mapping[str, System]
) -> dict[str, Sample]:
    ranked = rank(material, folds, settings, others, lambda *_: None)
    draws = draw(ranked.places, REPLICATES // ORDERS)
    documents = len(set(np.array(ranked.places)[ranked.gold.any(axis=1)].tolist()))
    return {
        name: (ranking(scores, ranked.gold), rankings(draws, scores, ranked.gold) if draws else None, documents)
        for name, scores in ranked.scores.items()
    }


def _pooled(samples: list[Sample]) -> Found:
    values, spans = {}, {}
    for name in NAMES:
        each = [value for measures, _, _ in samples if (value := measures[name]) is not None]
        values[name] = float(np.mean(each)) if each else None
        drawn = [drawn[name] for _, drawn, _ in samples if drawn is not None]
        fewest = min(documents for _, _, documents in samples)
        spans[name] = span(np.concatenate(drawn), values[name], fewest) if len(drawn) == len(samples) else None
    return Found(values=values, spans=spans)
