"""How well each theme is found, and whether its suggestions hold, in figures and in words."""

from dataclasses import replace
from typing import Any

import numpy as np

from .intervals import ENOUGH_DOCUMENTS, Draws, precisions, share_span, span
from .metrics import ENOUGH, average_precision
from .outcome import Mark, ThemeResult
from .ranked import Ranked

HALF = 0.5  # "most"


def by_theme(ranked: Ranked, names: tuple[str, ...], draws: Draws | None) -> tuple[ThemeResult, ...]:
    """Return a result for each theme; average precision is over coded segments, suggestions are on all."""
    gold, places = ranked.gold, np.array(ranked.places)
    coded = np.flatnonzero(gold.any(axis=1))
    scores, true = ranked.scores["themescout"][coded], gold[coded]
    drawn = precisions(replace(draws, of=draws.of[coded]), scores, true) if draws is not None else None
    results = []
    for theme, name in enumerate(names):
        passed, here = ranked.passed[:, theme], gold[:, theme]
        hits = (passed & here).astype(float)
        documents = len(set(places[here].tolist()))
        found = average_precision(scores[:, theme], true[:, theme]) if here.any() else None
        right = float(hits.sum() / passed.sum()) if passed.any() else None
        results.append(
            _result(
                name,
                positives=int(here.sum()),
                documents=documents,
                chance=float(true[:, theme].mean()),
                average_precision=found,
                span=span(drawn[:, theme], found, documents) if drawn is not None else None,
                suggested=int(passed.sum()),
                right=right,
                right_span=share_span(draws, hits, passed),
                found=float(hits.sum() / here.sum()) if here.any() else None,
                muted=bool(ranked.muted[theme]),
            )
        )
    return tuple(results)


def _result(name: str, **known: Any) -> ThemeResult:  # noqa: ANN401  # the fields of the result
    result = ThemeResult(theme=name, mark="", says="", **known)
    mark, says = in_words(result)
    return replace(result, mark=mark, says=says)


def in_words(result: ThemeResult) -> tuple[Mark, str]:
    """Return what the intervals of a theme allow to say, and no more."""
    if result.muted:
        return "bad", "muted: its suggestions were no better than chance"
    if result.positives < ENOUGH:
        return "", f"given to {result.positives} segments: nothing can be said"
    if result.documents < ENOUGH_DOCUMENTS or result.span is None:
        return "", "in too few documents to say"
    if result.span[0] <= result.chance:
        return "bad", "cannot be told from guessing"
    if result.suggested < ENOUGH or result.right_span is None:
        return "watch", "better than guessing, but hardly ever suggested"
    if result.right_span[0] >= HALF:
        return "good", "most of its suggestions hold"
    if result.right_span[1] < HALF:
        return "bad", "most of its suggestions are wrong"
    return "watch", "better than guessing; whether most suggestions hold is open"
