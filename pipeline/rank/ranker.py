"""Codebook and decisions -> a ranker; a ranker and passages -> scores, probabilities, suggestions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config import RankSettings
from ..records import Codebook, Exemplar, SegmentId, Suggestion
from .calibrate import Curve, Known, apply_curve, fit_curve
from .combine import Scales, combine, measure
from .evidence import Matrix, Model, evidence, fit_model
from .material import Labelled, Vectors, gather


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranker:
    """All that suggestions depend on beside the passage itself; nothing in it comes from other passages."""

    themes: tuple[str, ...]
    model: Model
    scales: Scales
    curve: Curve
    exemplars: tuple[tuple[Exemplar | None, ...], ...]  # for each quote, the exemplar it is of each theme

    @property
    def provisional(self) -> bool:
        """Whether probabilities rest on the codebook more than on decisions."""
        return self.curve.provisional


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """How well each theme fits each passage, n x k, and what that is the sum of."""

    total: Matrix
    parts: Mapping[str, Matrix]
    best: NDArray[np.intp]  # the nearest exemplar that shows the theme, as a row of ``Ranker.exemplars``; -1 for none


def fit(codebook: Codebook, vectors: Vectors, labelled: Labelled | None, settings: RankSettings) -> Ranker:  # noqa: ARG001  # no setting changes scores yet, all callers have them
    """Return the ranker of a codebook and of what people decided so far.

    ``vectors`` holds a row of length 1 for each of ``codebook_texts(codebook)``. The same material always gives the
    same ranker, whatever else is in the study.
    """
    rows = gather(codebook, vectors, labelled)
    model, left_out = fit_model(rows)
    scales = measure(left_out, rows.given)
    parts = combine(left_out, scales)
    total = _sum(parts)
    known = Known(scores=total, gold=rows.gold, decided=np.arange(rows.shown) >= rows.quotes)
    curve = fit_curve(known, total - parts["rivals"])
    return Ranker(themes=codebook.names, model=model, scales=scales, curve=curve, exemplars=rows.sources)


def score(ranker: Ranker, texts: Sequence[str], vectors: NDArray[np.floating]) -> Scores:
    """Return the scores of passages; each depends on its own text and vector (a row of length 1) alone."""
    raw = evidence(ranker.model, texts, vectors)
    parts = combine(raw, ranker.scales)
    return Scores(total=_sum(parts), parts=parts, best=raw.best)


def probabilities(ranker: Ranker, scores: Scores) -> Matrix:
    """Return the estimated probability, n x k, that a coder would give each theme to each passage.

    For themes of one passage it rises with the score. See ``Ranker.provisional``.
    """
    return apply_curve(ranker.curve, scores.total)


def suggest(
    ranker: Ranker,
    segment_ids: Sequence[SegmentId],
    texts: Sequence[str],
    vectors: NDArray[np.floating],
    settings: RankSettings,
) -> list[Suggestion]:
    """Return the best ``top_k`` themes of each segment, best first; of equals, the first in the codebook.

    What in a segment carried them, and what people said of similar ones, ``with_reasons`` adds. Numbers are rounded, so
    that exports do not change with the order or number of segments ranked together.
    """
    scores = score(ranker, texts, vectors)
    total = np.round(scores.total, 6)
    chance = np.round(probabilities(ranker, scores), 4)
    order = np.argsort(-total, axis=1, kind="stable")
    parts = {name: np.round(values, 4) for name, values in scores.parts.items()}
    made = []
    for row, segment in enumerate(segment_ids):
        best = order[row, : max(2, settings.top_k)].tolist()
        for rank, theme in enumerate(best[: settings.top_k], 1):
            other = next((one for one in best if one != theme), None)
            exemplar = ranker.exemplars[scores.best[row, theme]][theme] if scores.best[row, theme] >= 0 else None
            made.append(
                Suggestion(
                    segment=segment,
                    rank=rank,
                    theme=ranker.themes[theme],
                    score=float(total[row, theme]),
                    probability=float(chance[row, theme]),
                    suggested=bool(chance[row, theme] >= settings.precision),
                    exemplar=exemplar.text if exemplar else "",
                    exemplar_source=exemplar.source if exemplar else "",
                    parts=tuple((name, float(values[row, theme]) + 0.0) for name, values in parts.items()),
                    runner_up="" if other is None else ranker.themes[other],
                    runner_up_probability=None if other is None else float(chance[row, other]),
                )
            )
    return made


def _sum(parts: Mapping[str, Matrix]) -> Matrix:
    return np.asarray(np.sum(np.stack(list(parts.values())), axis=0))
