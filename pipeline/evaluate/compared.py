"""The systems beside one another: in all, by site, and how sure themescout says it is."""

from collections.abc import Mapping

import numpy as np

from .intervals import Draws, Span, calibration, draw, rankings, share_span, span, spans
from .metrics import Matrix, abstention, expected_calibration_error, mean_average_precision, ranking, reliability
from .outcome import Difference, Found, Reliable, SiteResult
from .ranked import Ranked
from .systems import BASELINES

HEADLINES = ("recall@1", "recall@3", "recall@5", "mrr", "map")
Drawn = Mapping[str, Mapping[str, Matrix] | None]


def compared(ranked: Ranked, draws: Draws | None) -> tuple[dict[str, Found], tuple[Difference, ...]]:
    """Return every system's measures; and how much better themescout is than cosine, and than the best baseline."""
    gold = ranked.gold
    drawn = {name: rankings(draws, scores, gold) if draws else None for name, scores in ranked.scores.items()}
    documents = len(set(np.array(ranked.places)[gold.any(axis=1)].tolist()))
    found = {name: _found(ranked, name, here, documents) for name, here in drawn.items()}
    sure = _sure(ranked, draws)
    ours = found["themescout"]
    found["themescout"] = Found(values={**ours.values, **sure.values}, spans={**ours.spans, **sure.spans})
    return found, _differences(found, drawn, documents)


def _found(ranked: Ranked, name: str, drawn: Mapping[str, Matrix] | None, documents: int) -> Found:
    scores, gold = ranked.scores[name], ranked.gold
    coded = gold.any(axis=1)
    values = {
        **ranking(scores, gold),
        **dict.fromkeys(("coverage", "precision", "ece")),
        "map_10": mean_average_precision(scores[coded], gold[coded], enough=10),
    }
    return Found(values=values, spans={**dict.fromkeys(values), **(spans(drawn, values, documents) if drawn else {})})


def _sure(ranked: Ranked, draws: Draws | None) -> Found:
    """Return what only a system with probabilities has."""
    precision, coverage = abstention(ranked.passed, ranked.gold)
    error = expected_calibration_error(reliability(ranked.chance, ranked.gold, ranked.scores["themescout"]))
    values = {"coverage": coverage, "precision": precision, "ece": error}
    if draws is None:
        return Found(values=values, spans=dict.fromkeys(values))
    right, passed = (np.sum(of, axis=1, dtype=float) for of in (ranked.passed & ranked.gold, ranked.passed))
    between = {
        "coverage": share_span(draws, passed > 0, np.ones(len(passed))),
        "precision": share_span(draws, right, passed),
        "ece": span(
            calibration(draws, ranked.chance, ranked.gold, ranked.scores["themescout"])[0], error, draws.documents
        ),
    }
    return Found(values=values, spans=between)


def _differences(found: Mapping[str, Found], drawn: Drawn, documents: int) -> tuple[Difference, ...]:
    best = max(BASELINES, key=lambda name: found[name].values["recall@3"] or 0)
    return tuple(_difference(found, drawn, against, documents) for against in ("cosine", best))


def _difference(found: Mapping[str, Found], drawn: Drawn, against: str, documents: int) -> Difference:
    ours, its = found["themescout"].values, found[against].values
    values = {m: a - b if (a := ours[m]) is not None and (b := its[m]) is not None else None for m in HEADLINES}
    one, other = drawn["themescout"], drawn[against]
    between: dict[str, Span | None] = dict.fromkeys(HEADLINES)
    if one is not None and other is not None:
        between = {m: span(one[m] - other[m], values[m], documents, (-1, 1)) for m in HEADLINES}
    return Difference(against=against, found=Found(values=values, spans=between))


def reliable(ranked: Ranked, draws: Draws | None) -> tuple[Reliable, ...]:
    """Return the bins of the calibration error, with how far the share that is right may be off."""
    bins = reliability(ranked.chance, ranked.gold, ranked.scores["themescout"])
    between: list[Span | None] = [None] * len(bins)
    if draws is not None:
        drawn = calibration(draws, ranked.chance, ranked.gold, ranked.scores["themescout"])[1]
        between = [span(here, b.right, draws.documents) for b, here in zip(bins, drawn, strict=True)]
    return tuple(
        Reliable(probability=b.probability, right=b.right, count=b.count, span=s)
        for b, s in zip(bins, between, strict=True)
    )


def by_site(ranked: Ranked) -> tuple[SiteResult, ...]:
    """Return results for each site under test; none where there is a single one."""
    sites, places = np.array(ranked.sites), np.array(ranked.places)
    names = list(dict.fromkeys(ranked.sites))
    if len(names) < 2:
        return ()
    made = []
    for site in names:
        here = np.flatnonzero(sites == site)
        documents = places[here].tolist()
        gold, draws = ranked.gold[here], draw(documents)
        found = {}
        for name, scores in ranked.scores.items():
            values = ranking(scores[here], gold)
            between: dict[str, Span | None] = dict.fromkeys(values)
            if draws is not None and gold.any():
                coded = len(set(places[here][gold.any(axis=1)].tolist()))
                between = spans(rankings(draws, scores[here], gold), values, coded)
            found[name] = Found(values={m: values[m] for m in HEADLINES}, spans={m: between[m] for m in HEADLINES})
        made.append(
            SiteResult(site=site, documents=len(set(documents)), coded=int(gold.any(axis=1).sum()), systems=found)
        )
    return tuple(made)
