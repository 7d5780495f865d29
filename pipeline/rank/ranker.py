"""Codebook and decisions -> a ranker; a ranker and passages -> scores, probabilities, suggestions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import RankSettings
from ..records import Codebook, Exemplar, SegmentId, Suggestion
from . import weigh
from .abstain import Abstention, abstain
from .around import Around
from .calibrate import Curve, Known, apply_curve, fit_curve, steadied
from .combine import Scales, measure, parts_of, rivals
from .evidence import Matrix, Model, Raw, evidence
from .left_out import fit_model
from .lexical import Counted
from .material import Labelled, Rows, Vectors, gather

TOGETHER = 4096  # segments that suggestions are made for together: all of a large study would not fit in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranker:
    """All that suggestions depend on beside the passage itself; nothing in it comes from other passages."""

    themes: tuple[str, ...]
    model: Model
    scales: Scales
    weights: Mapping[str, float]  # how much each part counts, as a multiple of its default
    curve: Curve
    abstention: Abstention
    exemplars: tuple[tuple[Exemplar | None, ...], ...]  # for each quote, the exemplar it is of each theme

    @property
    def provisional(self) -> bool:
        """Whether probabilities rest on the codebook more than on decisions."""
        return self.curve.provisional

    @property
    def muted(self) -> dict[str, str]:
        """The themes that are not suggested because people's decisions speak against it, with the reason."""
        return {self.themes[theme]: reason for theme, reason in self.abstention.muted.items()}

    @property
    def thresholds(self) -> dict[str, float]:
        """The least probability at which each theme is suggested."""
        return dict(zip(self.themes, self.abstention.thresholds.tolist(), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """How well each theme fits each passage, n x k, and what that is the sum of."""

    total: Matrix
    parts: Mapping[str, Matrix]
    best: NDArray[np.intp]  # the nearest exemplar that shows the theme, as a row of ``Ranker.exemplars``; -1 for none


def fit(
    codebook: Codebook,
    vectors: Vectors,
    labelled: Labelled | None,
    settings: RankSettings,
    counted: Counted | None = None,
) -> Ranker:
    """Return the ranker of a codebook and of what people decided so far.

    ``vectors`` holds a row of length 1 for each of ``codebook_texts(codebook)``. The same material always gives the
    same ranker, whatever else is in the study. Whoever fits again on much the same texts saves time with ``counted``.
    """
    import scipy.linalg  # noqa: F401  # has a BLAS of its own; what is loaded later, the limit does not hold
    from threadpoolctl import threadpool_limits

    # Several threads that share busy cores wait for one another: a fit took ten times as long with two as with one.
    with threadpool_limits(1, user_api="blas"):
        rows = gather(codebook, vectors, labelled)
        return _fit(fit_model(rows, counted), rows, codebook.names, settings)


def _fit(fitted: tuple[Model, Raw], rows: Rows, themes: tuple[str, ...], settings: RankSettings) -> Ranker:
    model, left_out = fitted
    scales = measure(left_out, rows)
    decided = np.arange(rows.shown) >= rows.quotes
    counts = steadied(decided) * rows.told
    independent = weigh.independent(rows.groups[: rows.shown])
    weights = weigh.choose(parts_of(left_out, scales), rows.gold, counts * independent)
    parts = _weighted(left_out, scales, weights)
    total = _sum(parts)
    curve = fit_curve(Known(scores=total, gold=rows.gold, decided=decided, counts=counts), total - parts["rivals"])
    read = total[decided]
    return Ranker(
        themes=themes,
        model=model,
        scales=scales,
        weights=weights,
        curve=curve,
        abstention=abstain(apply_curve(curve, read), read, rows.gold[decided], settings.precision),
        exemplars=rows.sources,
    )


def score(ranker: Ranker, texts: Sequence[str], vectors: NDArray[np.floating], around: Around | None = None) -> Scores:
    """Return the scores of passages; each depends on its own text, vector and surroundings alone."""
    raw = evidence(ranker.model, texts, vectors, around)
    parts = _weighted(raw, ranker.scales, ranker.weights)
    return Scores(total=_sum(parts), parts=parts, best=raw.best)


def probabilities(ranker: Ranker, scores: Scores) -> Matrix:
    """Return the estimated probability, n x k, that a coder would give each theme to each passage.

    For one theme it rises with the score; see ``Ranker.provisional``.
    """
    return apply_curve(ranker.curve, scores.total)


def passes(ranker: Ranker, chance: Matrix) -> NDArray[np.bool_]:
    """Return which themes are probable enough, n x k, to be suggested; muted ones never are."""
    open_ = np.array([theme not in ranker.abstention.muted for theme in range(chance.shape[1])])
    return np.asarray((chance >= ranker.abstention.thresholds) & open_)


def suggest(
    ranker: Ranker,
    segment_ids: Sequence[SegmentId],
    texts: Sequence[str],
    vectors: NDArray[np.floating],
    settings: RankSettings,
    around: Around | None = None,
) -> list[Suggestion]:
    """Return the best ``top_k`` themes of each segment, best first; of equals, the first in the codebook.

    What in a segment carried them, and what people said of similar ones, ``with_reasons`` adds. Numbers are rounded, so
    that exports do not change with the order or number of segments ranked together.
    """
    made = []
    for at in range(0, len(segment_ids), TOGETHER):
        some = np.arange(at, min(at + TOGETHER, len(segment_ids)))
        there = around.part(some) if around is not None else None
        scores = score(ranker, texts[at : at + TOGETHER], vectors[some], there)
        made += _suggestions(ranker, segment_ids[at : at + TOGETHER], scores, settings.top_k)
    return made


def _suggestions(ranker: Ranker, segment_ids: Sequence[SegmentId], scores: Scores, top_k: int) -> list[Suggestion]:
    total = np.round(scores.total, 6)
    chance = np.round(probabilities(ranker, scores), 4)
    passed = passes(ranker, chance)
    ranked = np.argsort(-total, axis=1, kind="stable")
    order = ranked[:, :top_k]
    rows = np.arange(len(order))[:, None]
    parts = np.round(np.stack([part[rows, order] for part in scores.parts.values()], axis=-1), 4) + 0.0
    made = []
    for row, segment in enumerate(segment_ids):
        best = ranked[row, :2].tolist()
        for at, theme in enumerate(order[row].tolist()):
            other = next((one for one in best if one != theme), None)
            exemplar = ranker.exemplars[scores.best[row, theme]][theme] if scores.best[row, theme] >= 0 else None
            made.append(
                Suggestion(
                    segment=segment,
                    rank=at + 1,
                    theme=ranker.themes[theme],
                    score=float(total[row, theme]),
                    probability=float(chance[row, theme]),
                    suggested=bool(passed[row, theme]),
                    exemplar=exemplar.text if exemplar else "",
                    exemplar_source=exemplar.source if exemplar else "",
                    parts=tuple(zip(scores.parts, parts[row, at].tolist(), strict=True)),
                    runner_up="" if other is None else ranker.themes[other],
                    runner_up_probability=None if other is None else float(chance[row, other]),
                )
            )
    return made


def _weighted(raw: Raw, scales: Scales, weights: Mapping[str, float]) -> dict[str, Matrix]:
    """Return the parts of the score by name, in order of ``PARTS``; the score is their sum."""
    parts = {name: weights.get(name, 1.0) * part for name, part in parts_of(raw, scales).items()}
    return {**parts, "rivals": rivals(_sum(parts))}


def _sum(parts: Mapping[str, Matrix]) -> Matrix:
    return np.asarray(np.sum(np.stack(list(parts.values())), axis=0))
