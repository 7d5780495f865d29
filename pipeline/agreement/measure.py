"""Readings -> how far coders agree, theme by theme, on whole sets, and two by two."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from . import alpha, kappa
from .intervals import MOST_CLUSTERS, NONE_READ_TWICE, Estimate, Plan, by_sums, estimates
from .ratings import Floats, Ratings, Rows, summed

MOST_PAIRS = 66  # all pairs of twelve coders; of more, those who read most in common
SETS = {"nominal": alpha.same_set, "Jaccard": alpha.jaccard, "MASI": alpha.masi}


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What agreement was computed from: only what two coders or more have read."""

    units: int
    documents: int
    coders: int
    readings: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeAgreement:
    """How far coders agree on one theme: given or not."""

    theme: str
    positives: int  # how often the theme was given in units that two coders or more have read
    units_with: int  # such units to which somebody gave it
    alpha: Estimate
    positive: Estimate  # of those who gave it, how many of the others did, too
    negative: Estimate
    percent: Estimate
    kappa: Estimate  # Cohen's for two coders, Fleiss' for more
    ac1: Estimate
    pabak: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """How far two coders agree over all themes."""

    coder: str
    other: str
    units: int
    documents: int
    kappa: Estimate  # pooled over the themes
    percent: float | None  # of all (unit, theme) cells


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How far coders agree."""

    counts: Counts
    themes: tuple[ThemeAgreement, ...]
    sets: dict[str, Estimate]  # alpha of code sets by distance
    pairs: tuple[Pair, ...]
    all_pairs: int  # how many pairs of coders have units in common; ``pairs`` holds at most MOST_PAIRS of them


def measure(given: Ratings, plan: Plan | None = None, *, two_by_two: bool = True) -> Agreement:
    """Return how far coders agree on units that two or more have read, and with ``two_by_two`` every pair of them."""
    plan = plan or Plan()
    given = given.paired()
    place, places = clusters(given.place, len(given.documents))
    pairs, all_pairs = _pairs(given) if two_by_two else ([], 0)
    return Agreement(
        counts=Counts(
            units=len(given.units), documents=len(given.documents), coders=len(given.coders), readings=len(given.unit)
        ),
        themes=tuple(_themes(given, place, places, plan)),
        sets=on_sets(given, plan),
        pairs=tuple(pair(given, one, other, plan) for one, other in pairs),
        all_pairs=all_pairs,
    )


def clusters(document: Rows, documents: int) -> tuple[Rows, int]:
    """Return which cluster each unit is in, and how many there are: documents, or groups of very many documents."""
    if documents <= MOST_CLUSTERS:
        return document, documents
    return document * MOST_CLUSTERS // documents, MOST_CLUSTERS


def theme_alphas(given: Ratings) -> dict[str, float | None]:
    """Return alpha of every theme without anything else; None where it has none."""
    met = alpha.coincidences_by(given.paired().counts, np.zeros(len(given.paired().units), dtype=np.intp), 1)
    found = alpha.alpha_of(met[0], np.array([0.0, 1.0]))
    return {theme: None if np.isnan(value) else float(value) for theme, value in zip(given.themes, found, strict=True)}


def _themes(given: Ratings, place: Rows, places: int, plan: Plan) -> Iterator[ThemeAgreement]:
    counts = given.counts
    met = alpha.coincidences_by(counts, place, places)
    sums = np.zeros((places, len(given.themes), 5))
    for at in range(0, len(counts), alpha.UNITS_AT_ONCE):
        some = slice(at, at + alpha.UNITS_AT_ONCE)
        sums += summed(kappa.pair_sums(counts[some]), place[some], places)
    values = np.array([0.0, 1.0])
    share = Plan(seed=plan.seed, bootstrap_from=plan.bootstrap_from, least=0.0, resamples=plan.resamples)
    columns = {
        "alpha": estimates(by_sums(met, lambda total: alpha.alpha_of(total, values)), places, plan),
        "positive": estimates(by_sums(met, lambda total: alpha.agreement_on(total, 1)), places, share),
        "negative": estimates(by_sums(met, lambda total: alpha.agreement_on(total, 0)), places, share),
        "percent": estimates(by_sums(sums, kappa.mean_agreement), places, share),
        "kappa": _kappas(given, sums, (place, places), plan),
        "ac1": estimates(by_sums(sums, kappa.gwet), places, plan),
        "pabak": estimates(by_sums(sums, kappa.brennan_prediger), places, plan),
    }
    for at, theme in enumerate(given.themes):
        yield ThemeAgreement(
            theme=theme,
            positives=int(counts[:, at, 1].sum()),
            units_with=int((counts[:, at, 1] > 0).sum()),
            **{name: made[at] if places else NONE_READ_TWICE for name, made in columns.items()},
        )


def _kappas(given: Ratings, sums: Floats, clustered: tuple[Rows, int], plan: Plan) -> list[Estimate]:
    place, places = clustered
    if len(given.coders) != 2:
        return estimates(by_sums(sums, kappa.fleiss), places, plan)
    return estimates(by_sums(summed(_shared(given, *given.coders)[1], place, places), kappa.cohen), places, plan)


def _shared(given: Ratings, coder: str, other: str) -> tuple[Rows, Floats]:
    """Return the units that two coders have read, and the confusion in each of them: units x themes x 2 x 2."""
    mine, theirs = (np.flatnonzero(given.coder == given.coders.index(name)) for name in (coder, other))
    units, at, by = np.intersect1d(given.unit[mine], given.unit[theirs], assume_unique=True, return_indices=True)
    one, two = given.given[mine[at]], given.given[theirs[by]]
    cells = [~one & ~two, ~one & two, one & ~two, one & two]
    return units, np.stack(cells, axis=2).reshape(*one.shape, 2, 2).astype(np.float64)


def on_sets(given: Ratings, plan: Plan) -> dict[str, Estimate]:
    """Return alpha of code sets by distance; documents are grouped where there are very many."""
    given = given.paired()
    place, places = clusters(given.place, len(given.documents))
    grouped = Ratings(
        units=given.units, documents=tuple(map(str, range(places))), coders=given.coders, themes=given.themes,
        place=place, unit=given.unit, coder=given.coder, given=given.given,
    )  # fmt: skip
    if not places:
        return dict.fromkeys(SETS, NONE_READ_TWICE)
    return {name: estimates(alpha.alpha_of_sets(grouped, metric), places, plan)[0] for name, metric in SETS.items()}


def _pairs(given: Ratings) -> tuple[list[tuple[str, str]], int]:
    """Return the pairs of coders with most units in common, and how many have any."""
    coders = len(given.coders)
    common = np.zeros((coders, coders))
    for at in range(0, len(given.units), alpha.UNITS_AT_ONCE):
        rows = slice(*np.searchsorted(given.unit, (at, at + alpha.UNITS_AT_ONCE)))
        read = np.zeros((min(alpha.UNITS_AT_ONCE, len(given.units) - at), coders), dtype=np.float32)
        read[given.unit[rows] - at, given.coder[rows]] = 1
        common += read.T @ read
    there = [(-common[a, b], a, b) for a, b in combinations(range(coders), 2) if common[a, b]]
    most = sorted(there)[:MOST_PAIRS]
    return sorted((given.coders[a], given.coders[b]) for _, a, b in most), len(there)


def pair(given: Ratings, coder: str, other: str, plan: Plan) -> Pair:
    """Return how far two coders agree on the units that both have read."""
    units, confusions = _shared(given, coder, other)
    documents, document = np.unique(given.place[units], return_inverse=True)
    place, places = clusters(document, len(documents))
    sums = summed(confusions, place, places)
    return Pair(
        coder=coder,
        other=other,
        units=len(units),
        documents=len(documents),
        kappa=estimates(by_sums(sums, lambda total: kappa.pooled(total)[..., None]), places, plan)[0],
        percent=float(kappa.percent(sums.sum(axis=(0, 1)))) if places else None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """A unit on which its readers differ about a theme."""

    document: str
    unit: str
    theme: str
    gave: tuple[str, ...]
    did_not: tuple[str, ...]


def disagreements(given: Ratings) -> Iterator[Disagreement]:
    """Yield every disagreement behind the coefficients, by theme and then by unit."""
    counts = given.counts
    ends = np.searchsorted(given.unit, np.arange(len(given.units) + 1))
    for column, theme in enumerate(given.themes):
        for unit in np.flatnonzero((counts[:, column] > 0).all(axis=1)):
            rows = range(ends[unit], ends[unit + 1])
            said = [(given.coders[given.coder[row]], given.given[row, column]) for row in rows]
            yield Disagreement(
                document=given.documents[given.place[unit]],
                unit=given.units[unit],
                theme=theme,
                gave=tuple(coder for coder, gave in said if gave),
                did_not=tuple(coder for coder, gave in said if not gave),
            )
