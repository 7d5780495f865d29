"""Coefficients: published examples, other libraries, and slow twins that follow the definitions word by word."""

import math
import warnings
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

from pipeline.agreement import Agreement, Lack, Reading, disagreements, measure, ratings, units_needed
from pipeline.agreement import alpha as a
from pipeline.agreement import kappa as k
from pipeline.agreement.ratings import value_counts

Floats = NDArray[np.float64]
NO = float("nan")


def table(*coders: str) -> Floats:
    """Return units x coders from one line per coder; a dot is a unit that was not read."""
    return np.array([[NO if v == "." else float(v) for v in line.split()] for line in coders]).T


def spaced(digits: str) -> str:
    return " ".join(digits)


def sums(given: Floats, weights: Floats | None = None) -> Floats:
    return np.asarray(k.pair_sums(value_counts(given)[1], weights).sum(axis=0))


def rater_counts(given: Floats) -> Floats:
    return np.asarray(k.pair_sums(given).sum(axis=0))


# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", sections A to C.
K11_A = table(spaced("0100000010"), spaced("1110010000"))
K11_B = table("1 1 2 2 4 3 3 3 5 4 4 1", "2 1 2 2 2 3 3 3 5 4 4 4")
K11_C = table(
    "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."
)
# Hayes & Krippendorff 2007, p. 84: five observers, 40 items, a dot where an item was not rated.
HK07 = table(
    "1 1 2 . 0 0 1 1 2 2 . 0 1 3 1 1 2 1 1 0 0 0 2 0 1 0 0 1 1 1 1 2 2 3 2 2 2 2 2 1",
    "1 1 3 0 0 0 0 . 2 1 1 0 2 3 1 1 1 2 1 0 0 0 3 0 2 1 0 2 1 1 1 1 2 2 2 2 2 2 2 1",
    "2 0 3 0 0 0 2 2 2 1 0 0 2 2 1 1 2 3 0 0 1 . 3 0 . 1 0 1 2 2 0 2 . 2 2 3 2 . 2 1",
    ". 1 3 . . . . 0 . 1 0 0 2 2 . . . 3 1 . 1 0 3 0 2 1 1 2 2 . . 1 2 2 . . . 1 2 .",
    "2 . . 0 0 0 1 . 2 . . . . 3 1 1 2 . . 0 . 0 . . 2 . 0 . . 2 0 . 2 . 2 2 2 2 . 1",
)
K04_227 = table("1 1 2 2 2 2 2 3 3 3 3 3", "1 2 2 2 2 2 3 3 3 3 3 3")
K95_A = table(spaced("001111111100001111110000"), spaced("000011110000000110000000"))
K95_B = table(spaced("1" * 18 + "0" * 6), spaced("1" * 10 + "0" * 14))
# Fleiss 1971: 30 patients, six psychiatrists, five diagnoses.
F71 = np.array(
    [
        [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0], [2, 0, 4, 0, 0],
        [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6], [1, 0, 0, 5, 0], [1, 1, 0, 4, 0],
        [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1], [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0],
        [0, 2, 0, 4, 0], [1, 0, 2, 0, 3], [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0],
        [1, 0, 0, 4, 1], [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
    ],
    dtype=np.float64,
)  # fmt: skip
TABLES = {
    "C60": [[88, 14, 18], [10, 40, 10], [2, 6, 12]],
    "C60-37": [[25, 12, 3], [13, 2, 15], [12, 16, 2]],
    "G-3x3": [[13, 0, 0], [0, 20, 7], [0, 4, 56]],
    "G08": [[8, 1], [0, 1]],
    "Paradox": [[118, 5], [2, 0]],
    "FC90-1": [[80, 10], [5, 5]],
    "FC90-2": [[40, 9], [6, 45]],
    "FC90b-1": [[45, 15], [25, 15]],
    "FC90b-2": [[25, 35], [5, 35]],
    "K04-246a": [[12, 9, 9], [9, 14, 9], [9, 9, 20]],
    "K04-246b": [[12, 18, 18], [0, 14, 18], [0, 0, 20]],
    "AP08": [[46, 0, 0], [6, 32, 6], [0, 0, 10]],
}


def units_of(name: str) -> Floats:
    """Return the units x 2 values that a confusion table stands for."""
    rows = [(i, j) for i, row in enumerate(TABLES[name]) for j, n in enumerate(row) for _ in range(n)]
    return np.array(rows, dtype=np.float64)


@pytest.mark.parametrize(
    ("given", "metric", "expected"),
    [
        (K11_A, a.nominal, 0.0952),
        (K11_B, a.nominal, 0.6920),
        (K11_C, a.nominal, 0.7434),
        (K11_C, a.ordinal, 0.8154),
        (K11_C, a.interval, 0.8491),
        (K11_C, a.ratio, 0.7974),
        (HK07, a.ordinal, 0.7598),
        (HK07, a.nominal, 0.4765),
        (HK07, a.interval, 0.7574),
        (HK07, a.ratio, 0.6621),
        (K04_227, a.nominal, 0.7341),
        (K95_A, a.nominal, 0.329),
        (K95_B, a.nominal, 0.329),
    ],
)
def test_alpha_of_published_examples(given: Floats, metric: a.Metric, expected: float) -> None:
    digits = 3 if expected == 0.329 else 4
    assert round(a.alpha(given, metric), digits) == expected


def test_alpha_of_the_four_observers_is_the_exact_fraction() -> None:
    assert a.alpha(K11_C) == pytest.approx(float(Fraction(904, 1216)), abs=1e-15)


@pytest.mark.parametrize(
    ("name", "coefficient", "expected"),
    [
        ("C60", "cohen", 0.4915), ("C60", "kappa_max", 0.8305), ("C60", "gwet", 0.5760), ("C60", "scott", 0.4872),
        ("C60", "alpha", 0.4885), ("C60-37", "percent", 0.29), ("C60-37", "gwet", -0.0480),
        ("G-3x3", "percent", 0.89), ("G-3x3", "cohen", 0.7964), ("G-3x3", "scott", 0.7962), ("G-3x3", "gwet", 0.8493),
        ("G-3x3", "brennan_prediger", 0.835), ("G-3x3", "alpha", 0.7973),
        ("G08", "percent", 0.9), ("G08", "gwet", 0.8658), ("G08", "scott", 0.6078), ("G08", "cohen", 0.6154),
        ("G08", "alpha", 0.6275),
        ("Paradox", "percent", 0.944), ("Paradox", "cohen", -0.0234), ("Paradox", "alpha", -0.0247),
        ("Paradox", "brennan_prediger", 0.888), ("Paradox", "gwet", 0.9408),
        ("FC90-1", "percent", 0.85), ("FC90-2", "percent", 0.85), ("FC90-1", "cohen", 0.318),
        ("FC90-2", "cohen", 0.700), ("FC90-1", "gwet", 0.808), ("FC90-2", "gwet", 0.701),
        ("FC90-1", "brennan_prediger", 0.70), ("FC90-2", "brennan_prediger", 0.70),
        ("FC90b-1", "percent", 0.60), ("FC90b-2", "percent", 0.60), ("FC90b-1", "cohen", 0.130),
        ("FC90b-2", "cohen", 0.259), ("FC90b-1", "alpha", 0.125), ("FC90b-2", "alpha", 0.196),
        ("K04-246a", "cohen", 0.186), ("K04-246b", "cohen", 0.258), ("K04-246a", "scott", 0.186),
        ("K04-246b", "scott", 0.186), ("K04-246a", "alpha", 0.190), ("K04-246b", "alpha", 0.190),
        ("AP08", "cohen", 0.8013), ("AP08", "scott", 0.7995), ("AP08", "alpha", 0.8005),
    ],
)  # fmt: skip
def test_two_coders_published_examples(name: str, coefficient: str, expected: float) -> None:
    confusion, units = np.array(TABLES[name], dtype=np.float64), units_of(name)
    assert (k.confusion(units[:, 0], units[:, 1], len(confusion)) == confusion).all()
    found: dict[str, Callable[[], object]] = {
        "cohen": lambda: k.cohen(confusion),
        "kappa_max": lambda: k.kappa_max(confusion),
        "scott": lambda: k.scott(confusion),
        "percent": lambda: k.percent(confusion),
        "gwet": lambda: k.gwet(sums(units)),
        "brennan_prediger": lambda: k.brennan_prediger(sums(units)),
        "alpha": lambda: a.alpha(units),
    }
    digits = len(str(expected).split(".")[1]) if coefficient != "percent" else 2
    assert found[coefficient]() == pytest.approx(expected, abs=0.5001 * 10**-digits)


@pytest.mark.parametrize("runs", [K95_A, K95_B], ids=["A", "B"])
def test_coefficients_on_single_characters_cannot_see_where_segments_begin(runs: Floats) -> None:
    confusion = k.confusion(runs[:, 0], runs[:, 1], 2)
    assert [round(float(v), 3) for v in (k.cohen(confusion), k.scott(confusion))] == [0.385, 0.314]


def test_weighted_coefficients_of_the_dialogue_acts_example() -> None:
    delta = np.array([[0, 1, 0.5], [1, 0, 0.5], [0.5, 0.5, 0]])  # Artstein & Poesio 2008, section 2.6
    assert round(float(k.cohen(np.array(TABLES["AP08"], dtype=float), delta)), 4) == 0.8163
    assert round(a.alpha(units_of("AP08"), a.distances(delta)), 4) == 0.8156


def test_many_coders_with_missing_readings_published_example() -> None:
    values, counts = value_counts(K11_C)
    plain = k.pair_sums(counts).sum(axis=0)
    assert round(float(k.gwet(plain)), 4) == 0.7754
    assert round(float(k.fleiss(plain)), 4) == 0.7612
    assert round(float(k.brennan_prediger(plain)), 4) == 0.7727
    moved = K11_C.copy()  # Gwet's table has the last unit's only reading with the third coder: it matters here alone
    moved[11, 1], moved[11, 2] = NO, 3.0
    assert round(k.conger(moved, values), 4) == 0.7628
    for weigh, expected in ((k.linear, 0.8587), (k.quadratic, 0.9140), (k.ordinal_weights, 0.8989)):
        weights = weigh(values)
        assert round(float(k.gwet(k.pair_sums(counts, weights).sum(axis=0), weights)), 4) == expected


def test_fleiss_example() -> None:
    total = rater_counts(F71)
    assert round(float(k.mean_agreement(total)), 4) == 0.5556
    assert round(float(k.fleiss(total)), 4) == 0.4302
    assert round(float(k.brennan_prediger(total)), 4) == 0.4444
    assert round(float(a.alpha_of(a.coincidences(F71).sum(axis=0), np.arange(5.0))), 4) == 0.4334
    each = [float(k.fleiss(rater_counts(np.stack([6 - F71[:, c], F71[:, c]], axis=1)))) for c in range(5)]
    assert each == pytest.approx([0.248, 0.248, 0.517, 0.470, 0.565], abs=0.0035)  # printed from rounded shares


SET9 = [
    ("", ""),
    ("A", ""),
    ("A", "A"),
    ("A", "B"),
    ("AB", "A"),
    ("AB", "AC"),
    ("ABC", "ABC"),
    ("C", "AC"),
    ("C", "AC"),
]


def two_coders(pairs: list[tuple[str, str]], documents: int = 1) -> list[Reading]:
    return [
        Reading(unit=f"u{at}", document=f"d{at % documents}", coder=coder, themes=list(themes))
        for at, pair in enumerate(pairs)
        for coder, themes in zip(("Ana", "Ben"), pair, strict=True)
    ]


def test_alpha_of_code_sets_example() -> None:
    made = measure(ratings(two_coders(SET9), "ABC")).sets
    assert {name: round(float(found.value), 4) for name, found in made.items()} == {
        "nominal": 0.2388,
        "Jaccard": 0.3156,
        "MASI": 0.2731,
    }


@pytest.mark.parametrize(
    ("share", "percent", "kappa", "ac1", "pabak", "positive", "negative"),
    [
        (0.01, 0.940, 0.181, 0.935, 0.880, 0.212, 0.969),
        (0.03, 0.936, 0.379, 0.929, 0.872, 0.413, 0.966),
        (0.05, 0.932, 0.484, 0.922, 0.864, 0.521, 0.963),
        (0.10, 0.922, 0.608, 0.903, 0.844, 0.652, 0.956),
        (0.15, 0.912, 0.662, 0.882, 0.825, 0.713, 0.948),
        (0.30, 0.883, 0.707, 0.805, 0.766, 0.788, 0.919),
        (0.50, 0.843, 0.682, 0.691, 0.687, 0.822, 0.860),
    ],
)
def test_the_same_two_coders_look_worse_on_a_rarer_theme(
    share: float, percent: float, kappa: float, ac1: float, pabak: float, positive: float, negative: float
) -> None:
    sensitivity, specificity = 0.85, 0.97
    both = share * sensitivity**2 + (1 - share) * (1 - specificity) ** 2
    one = share * sensitivity * (1 - sensitivity) + (1 - share) * specificity * (1 - specificity)
    confusion = np.array([[1 - both - 2 * one, one], [one, both]]) * 1e9
    given = both + one
    pooled = np.array([confusion[0, 0] + confusion[1, 1], 1e9, (1 - given) * 1e9, given * 1e9, 1e9])
    found = [k.percent(confusion), k.cohen(confusion), k.gwet(pooled), k.brennan_prediger(pooled)]
    found += [a.agreement_on(confusion, 1), a.agreement_on(confusion, 0)]
    expected = [percent, kappa, ac1, pabak, positive, negative]
    assert [float(value) for value in found] == pytest.approx(expected, abs=0.0011)


@pytest.mark.parametrize(
    ("one", "other", "both", "total", "expected"),
    [(80, 80, 60, 1000, 0.73), (500, 500, 250, 1000, 0.0), (900, 900, 800, 1000, -0.11), (100, 20, 20, 10_000, 0.33)],
)
def test_kappa_by_characters(one: int, other: int, both: int, total: int, expected: float) -> None:
    confusion = np.array([[total - one - other + both, other - both], [one - both, both]], dtype=np.float64)
    assert round(float(k.cohen(confusion)), 2) == expected


@pytest.mark.parametrize(
    ("alpha", "share", "expected"),
    [
        (0.8, 0.25, 139), (0.667, 0.25, 81), (0.667, 0.15, 121), (0.667, 0.10, 172), (0.667, 0.05, 330),
        (0.667, 0.03, 540), (0.8, 0.15, 206), (0.8, 0.10, 294), (0.8, 0.05, 560), (0.8, 0.03, 917),
    ],
)  # fmt: skip
def test_units_needed(alpha: float, share: float, expected: int) -> None:
    assert units_needed(alpha, share) == expected


def test_units_needed_refuses_what_is_no_share() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        units_needed(0.8, 0.0)


# Other libraries and slow twins on random data


def ragged(values: int) -> st.SearchStrategy[Floats]:
    cells = st.one_of(st.just(NO), st.integers(1, values).map(float))
    return st.tuples(st.integers(1, 12), st.integers(2, 5)).flatmap(lambda s: arrays(np.float64, s, elements=cells))


@settings(max_examples=150, deadline=None)
@given(ragged(4), st.sampled_from(["nominal", "ordinal", "interval", "ratio"]))
def test_alpha_equals_the_krippendorff_library(given: Floats, level: str) -> None:
    paired = given[(~np.isnan(given)).sum(axis=1) > 1]
    assume(len(np.unique(paired[~np.isnan(paired)])) > 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, of empty columns
        expected = krippendorff.alpha(reliability_data=given.T, level_of_measurement=level)  # type: ignore[arg-type]
    assert a.alpha(given, getattr(a, level)) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 5).flatmap(lambda q: arrays(np.int64, (q, q), elements=st.integers(0, 20))))
def test_cohen_equals_statsmodels_and_scikit_learn(table: NDArray[np.int64]) -> None:
    confusion = table.astype(np.float64)
    chance = confusion.sum(axis=0) @ confusion.sum(axis=1)
    assume(confusion.sum() > 0 and chance < confusion.sum() ** 2)
    assert float(k.cohen(confusion)) == pytest.approx(cohens_kappa(confusion, return_results=False), abs=1e-10)
    rows, columns = np.repeat(np.indices(table.shape).reshape(2, -1), table.ravel(), axis=1)
    assert float(k.cohen(confusion)) == pytest.approx(cohen_kappa_score(rows, columns), abs=1e-10)
    squared = np.square(np.subtract.outer(np.arange(len(table)), np.arange(len(table)))).astype(np.float64)
    named = cohen_kappa_score(rows, columns, labels=list(range(len(table))), weights="quadratic")
    assert float(k.cohen(confusion, squared)) == pytest.approx(named, abs=1e-10)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 6), st.integers(2, 4), st.integers(1, 15), st.randoms())
def test_fleiss_equals_statsmodels(coders: int, values: int, units: int, random: object) -> None:
    rng = np.random.default_rng(random.randrange(10**9))  # type: ignore[attr-defined]
    counts = rng.multinomial(coders, np.full(values, 1 / values), size=units).astype(np.float64)
    assume(((counts.sum(axis=0) > 0).sum()) > 1)
    assert float(k.fleiss(rater_counts(counts))) == pytest.approx(fleiss_kappa(counts), abs=1e-10)
    assert float(k.brennan_prediger(rater_counts(counts))) == pytest.approx(fleiss_kappa(counts, "randolph"), abs=1e-10)


themes = st.sets(st.sampled_from("ABC")).map(lambda s: tuple(sorted(s)))
studies = st.lists(st.lists(st.one_of(st.none(), themes), min_size=2, max_size=4), min_size=1, max_size=12)
Cells = list[list[tuple[str, ...] | None]]


def as_readings(cells: Cells, documents: int = 3) -> list[Reading]:
    return [
        Reading(unit=f"u{u}", document=f"d{u % documents}", coder=f"c{c}", themes=themes)
        for u, row in enumerate(cells)
        for c, themes in enumerate(row)
        if themes is not None
    ]


def slow_alpha(units: list[list[tuple[str, ...]]], delta: Callable[[set[str], set[str]], float]) -> float | None:
    """Return alpha by its definition, pair by pair; None where it does not exist."""
    units = [values for values in units if len(values) > 1]
    everything = [value for values in units for value in values]
    n = len(everything)
    observed = sum(delta(set(x), set(y)) / (len(values) - 1) for values in units for x, y in permutations(values, 2))
    expected = sum(delta(set(x), set(y)) for x, y in permutations(everything, 2))
    return 1 - (observed / n) / (expected / (n * (n - 1))) if expected else None


def slow_jaccard(x: set[str], y: set[str]) -> float:
    return 1 - len(x & y) / len(x | y) if x | y else 0.0


def slow_masi(x: set[str], y: set[str]) -> float:
    m = 1 if x == y else 2 / 3 if x <= y or y <= x else 1 / 3 if x & y else 0
    return 1 - m * (1 - slow_jaccard(x, y))


def same(found: float | Lack, expected: float | None) -> None:
    assert found is Lack.UNDEFINED if expected is None else found == pytest.approx(expected, abs=1e-10)


@settings(max_examples=150, deadline=None)
@given(studies)
def test_everything_equals_its_definition_pair_by_pair(cells: Cells) -> None:
    units = [[themes for themes in row if themes is not None] for row in cells]
    made = measure(ratings(as_readings(cells), "ABC"))
    if not any(len(values) > 1 for values in units):
        assert all(theme.alpha.value is Lack.NOT_ESTIMABLE for theme in made.themes)
        assert all(found.value is Lack.NOT_ESTIMABLE for found in made.sets.values())
        return
    for name, delta in (("nominal", lambda x, y: float(x != y)), ("Jaccard", slow_jaccard), ("MASI", slow_masi)):
        same(made.sets[name].value, slow_alpha(units, delta))
    for theme in made.themes:
        has = theme.theme
        same(theme.alpha.value, slow_alpha(units, lambda x, y, t=has: float((t in x) != (t in y))))  # type: ignore[misc]
        _check_agreement(theme.theme, units, made)


def _check_agreement(name: str, units: list[list[tuple[str, ...]]], made: Agreement) -> None:
    """Compare the other columns of a theme with their definitions."""
    theme = next(theme for theme in made.themes if theme.theme == name)
    units = [values for values in units if len(values) > 1]
    gave = [[name in values for values in unit] for unit in units]
    assert theme.positives == sum(map(sum, gave)) and theme.units_with == sum(map(any, gave))
    pairs = [(x, y, 1 / (len(unit) - 1)) for unit in gave for x, y in permutations(unit, 2)]
    for found, value in ((theme.positive, True), (theme.negative, False)):
        mine = [(y is value, w) for x, y, w in pairs if x is value]
        total = sum(w for _, w in mine)
        same(found.value, sum(w for agreed, w in mine if agreed) / total if total else None)
    agree = float(np.mean([np.mean([x == y for x, y in permutations(unit, 2)]) for unit in gave]))
    same(theme.percent.value, agree)
    share = float(np.mean([np.mean(unit) for unit in gave]))
    for found, chance in ((theme.ac1, 2 * share * (1 - share)), (theme.pabak, 0.5)):
        same(found.value, (agree - chance) / (1 - chance) if 0 < share < 1 else None)


@settings(max_examples=60, deadline=None)
@given(studies)
def test_pooled_kappa_of_a_pair_is_made_of_mean_agreements(cells: Cells) -> None:
    rows = [row[:2] for row in cells if row[0] is not None and row[1] is not None]
    made = measure(ratings(as_readings([row[:2] for row in cells]), "ABC"))
    assert len(made.pairs) == made.all_pairs == (1 if rows else 0)
    if not rows:
        return
    agree, chance = [], []
    for theme in "ABC":
        one, other = (np.array([theme in (row[c] or ()) for row in rows]) for c in (0, 1))
        agree.append((one == other).mean())
        chance.append(one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean()))
    expected = (np.mean(agree) - np.mean(chance)) / (1 - np.mean(chance)) if np.mean(chance) < 1 else None
    same(made.pairs[0].kappa.value, None if expected is None else float(expected))
    assert made.pairs[0].percent == pytest.approx(float(np.mean(agree)))
    assert made.pairs[0].units == len(rows)


def test_read_and_not_coded_is_not_the_same_as_not_read() -> None:
    both_read = [Reading(unit="u", document="d", coder=c, themes=t) for c, t in (("a", ["A"]), ("b", []))]
    one_read = both_read[:1]
    assert measure(ratings(both_read, "A")).themes[0].positive.value == 0.0
    assert measure(ratings(one_read, "A")).themes[0].positive.value is Lack.NOT_ESTIMABLE


def test_no_variation_is_undefined_and_never_a_number() -> None:
    made = measure(ratings(two_coders([("", ""), ("B", "B"), ("", "")]), "AB"))
    unused, used = made.themes
    for found in (unused.alpha, unused.kappa, unused.ac1, unused.pabak, unused.positive):
        assert found.value is Lack.UNDEFINED and found.low is None
    assert unused.percent.value == 1.0
    assert used.alpha.value == 1.0 and used.ac1.value == pytest.approx(1.0)


def test_two_coders_get_cohens_kappa_and_three_fleiss() -> None:
    pairs = [("A", ""), ("A", "A"), ("", ""), ("A", ""), ("", "")]
    confusion = np.array([[2, 0], [2, 1]], dtype=np.float64)
    assert measure(ratings(two_coders(pairs), "A")).themes[0].kappa.value == pytest.approx(float(k.cohen(confusion)))
    third = [Reading(unit=f"u{at}", document="d0", coder="Cleo", themes="A" * (at % 2)) for at in range(5)]
    counts = np.array([[2, 1], [0, 3], [3, 0], [1, 2], [3, 0]], dtype=np.float64)
    made = measure(ratings([*two_coders(pairs), *third], "A"))
    assert made.themes[0].kappa.value == pytest.approx(float(k.fleiss(rater_counts(counts))))


def test_disagreements_tell_who_said_what() -> None:
    cells: Cells = [[("A",), (), ("A", "B")], [("A",), ("A",), None], [None, ("B",), None]]
    found = list(disagreements(ratings(as_readings(cells, documents=1), "AB")))
    assert [(d.unit, d.theme, d.gave, d.did_not) for d in found] == [
        ("u0", "A", ("c0", "c2"), ("c1",)),
        ("u0", "B", ("c2",), ("c0", "c1")),
    ]
    assert {d.document for d in found} == {"d0"}


def test_themes_that_are_not_asked_for_are_left_out() -> None:
    made = measure(ratings(two_coders([("AZ", "A"), ("", "Z")]), "A"))
    assert [theme.theme for theme in made.themes] == ["A"] and made.themes[0].alpha.value == 1.0


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (Reading(unit="u", document="d", coder="a"), "two readings"),
        (Reading(unit="u", document="e", coder="b"), "two documents"),
    ],
)
def test_contradicting_readings_are_refused(second: Reading, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ratings([Reading(unit="u", document="d", coder="a"), second], "A")


def test_only_the_pairs_with_most_in_common_are_told() -> None:
    rng = np.random.default_rng(0)
    readings = [
        Reading(unit=f"u{u}", document=f"d{u % 6}", coder=f"c{c:02}", themes="A" * int(rng.integers(2)))
        for c in range(14)
        for u in range(20 - c)
    ]
    made = measure(ratings(readings, "A"))
    assert made.all_pairs == math.comb(14, 2) and len(made.pairs) == 66
    assert min(pair.units for pair in made.pairs) >= 9
