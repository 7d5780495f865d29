"""Coded segments -> how good the suggestions are, beside the baselines.

metrics     scores against what people coded
intervals   how far a figure may be off: documents drawn again and again
outcome     what an evaluation finds, as records and as JSON
systems     themescout and the baselines
finetuned   a fine-tuned encoder to compare with, on request
protocol    which segments are ranked with what
ranked      what every system says of the segments under test
curve       how the suggestions get better with decisions
compared    the systems beside one another, in all and by site
suggesting  what is suggested and what is not
themes      how well each theme is found
coders      how alike people code, and how alike the machine and they
verdict     what the figures say in words
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..config import RankSettings
from ..errors import CodingFault
from .coders import agreement
from .compared import by_site, compared, reliable
from .curve import learning_curve
from .finetuned import setfit
from .intervals import ENOUGH_DOCUMENTS, LEVEL, REPLICATES, draw
from .metrics import ENOUGH, best_of
from .outcome import Evaluation, Found, Step, ThemeResult, to_json
from .protocol import (
    FOLDS,
    HELD_OUT,
    ORDERS,
    SEED,
    Fold,
    Material,
    Reader,
    from_codebook,
    from_decisions,
    from_other_sites,
    from_some_sites,
)
from .ranked import Ranked, Tell, rank, simple
from .suggesting import operating, targets, tradeoff
from .systems import BASELINES, Lesson, System
from .themes import by_theme
from .verdict import verdict, with_caution

__all__ = [
    "SYSTEMS",
    "Evaluation",
    "Found",
    "Lesson",
    "Material",
    "Plan",
    "Reader",
    "Source",
    "Step",
    "System",
    "ThemeResult",
    "evaluate",
    "setfit",
    "to_json",
]

SYSTEMS = ("themescout", *BASELINES)
Source = Literal["codebook", "decisions"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is known beforehand, and what is tested.

    ``source``: the codebook alone, or the coding of all other documents as well. ``transfer`` leaves out whole sites
    in place of documents. ``train`` and ``test`` name sites to learn from and to test on. ``curve`` asks for the
    learning curve too.
    """

    source: Source = "codebook"
    transfer: bool = False
    train: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    curve: bool = True


def evaluate(
    material: Material,
    plan: Plan = Plan(),
    settings: RankSettings | None = None,
    *,
    others: Mapping[str, System] | None = None,
    tell: Tell = lambda *_: None,
) -> Evaluation:
    """Return how good the suggestions are on segments that people coded.

    ``others`` are systems to compare with beside the baselines; they are left out of the learning curve.

    Raises ``CodingFault`` if nothing is coded, or not in as many documents or sites as the plan takes.
    """
    if not material.gold.any():
        raise CodingFault("evaluation", "no segment has a theme", "import or review some coding first")
    settings = settings or RankSettings()
    folds = _folds(material, plan)
    baselines = simple(material)
    ranked = rank(material, folds, settings, baselines | dict(others or {}), tell)
    if not ranked.gold.any():
        raise CodingFault("evaluation", "no segment under test has a theme", "test on a site with more coding")
    steps = learning_curve(material, settings, baselines, tell) if plan.curve else ()
    protocol = _protocol(material, folds, plan, settings)
    return _evaluation(ranked, material, settings, protocol=protocol, learning_curve=steps)


def _evaluation(ranked: Ranked, material: Material, settings: RankSettings, **known: Any) -> Evaluation:  # noqa: ANN401  # fields that need no measuring
    names, draws = material.codebook.names, draw(ranked.places)
    in_sight = int(material.in_sight[ranked.rows].sum()) if material.in_sight is not None else 0
    found, apart = compared(ranked, draws)
    point = operating(ranked.passed, ranked.gold, draws, settings.precision)
    best = best_of(ranked.scores["themescout"], settings.top_k) & ~ranked.muted
    points = tradeoff(ranked.chance, ranked.gold, draws, best)
    themes = by_theme(ranked, names, draws)
    alike = agreement(material.readers, ranked, names, draws)
    return Evaluation(
        segments=len(ranked.gold),
        coded=int(ranked.gold.any(axis=1).sum()),
        themes=len(names),
        systems=found,
        differences=apart,
        by_site=by_site(ranked),
        by_theme=themes,
        reliability=reliable(ranked, draws),
        suggesting=point,
        tradeoff=points,
        targets=targets(points),
        agreement=alike,
        in_sight=in_sight,
        verdict=with_caution(verdict(found["themescout"], apart, point, themes, alike), in_sight, len(ranked.gold)),
        **known,
    )


def _folds(material: Material, plan: Plan) -> list[Fold]:
    if plan.train or plan.test:
        return from_some_sites(material, plan.train, plan.test)
    if plan.transfer:
        return from_other_sites(material)
    return {"codebook": from_codebook, "decisions": from_decisions}[plan.source](material)


def _protocol(material: Material, folds: list[Fold], plan: Plan, settings: RankSettings) -> dict[str, Any]:
    rows = np.concatenate([fold.test for fold in folds])
    documents = len({material.places[row] for row in rows})
    by_site = plan.transfer or bool(plan.test)
    alone = plan.source == "codebook" or documents <= FOLDS
    return {
        "from": "decisions" if by_site else plan.source,
        "transfer": by_site,
        "train_sites": list(plan.train),
        "test_sites": list(plan.test),
        "left_out": "site" if by_site else "document" if alone else f"one of {FOLDS} groups of documents",
        "documents": documents,
        "sites": len({material.sites[row] for row in rows}),
        "models": len(folds),
        "exemplars": sum(len(theme.exemplars) for theme in material.codebook.themes),
        "exemplars_withheld": len(frozenset().union(*(fold.without for fold in folds))),
        "map_themes": f"with at least {ENOUGH} positives",
        "intervals": f"{LEVEL:.0%}, {REPLICATES} draws of {documents} documents, seed {SEED}"
        if documents >= ENOUGH_DOCUMENTS
        else f"none: {documents} documents, at least {ENOUGH_DOCUMENTS} are needed",
        "learning_curve": f"{HELD_OUT:.0%} of segments held out by document, {ORDERS} random orders, seed {SEED}",
        "coders": len(material.readers),
        "threshold": settings.precision,
        "top_k": settings.top_k,
    }
