"""Coders who cut for themselves: published examples, a twin that goes character by character, and laws."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.agreement import Continuum, Lack, Span, Unitizing, unitizing
from pipeline.agreement.alpha import alpha

Cut = list[tuple[int, int, str]]  # start, end, theme


def unitized(length: int, *coders: Cut, themes: str = "ck", documents: int = 1) -> Unitizing:
    names = [f"c{at}" for at in range(len(coders))]
    places = [f"d{at}" for at in range(documents)]
    spans = [
        Span(document=place, coder=coder, start=start, end=end, theme=theme)
        for place in places
        for coder, cut in zip(names, coders, strict=True)
        for start, end, theme in cut
    ]
    return unitizing([Continuum(document=p, length=length, coders=names) for p in places], spans, list(themes))


def runs(digits: str) -> Cut:
    """Return the runs of ones as spans."""
    edges = np.flatnonzero(np.diff([0, *map(int, digits), 0]))
    return [(int(a), int(b), "c") for a, b in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("001111111100001111110000", "000011110000000110000000", 0.3583),
        ("1" * 18 + "0" * 6, "1" * 10 + "0" * 14, 0.4464),
    ],
)
def test_examples_of_1995_by_the_formula_of_2019(one: str, other: str, expected: float) -> None:
    made = unitized(24, runs(one), runs(other), themes="c")
    assert made.u.value == made.themes[0].against_rest.value == made.binary.value
    assert isinstance(made.u.value, float) and round(made.u.value, 4) == expected


def test_example_of_2004_is_not_the_coefficient_of_2004() -> None:
    # Krippendorff 2004, p. 254, by the length from 150 on; the older coefficient gives .7286 for c.
    one: Cut = [(30, 90, "k"), (75, 145, "c"), (150, 200, "k"), (220, 250, "c")]
    other: Cut = [(30, 90, "k"), (70, 150, "c"), (150, 200, "k"), (205, 225, "c"), (250, 270, "c")]
    c, k = unitized(300, one, other).themes
    assert isinstance(c.against_rest.value, float) and round(c.against_rest.value, 3) == 0.516
    assert k.against_rest.value == 1.0


def test_agreement_on_themes_does_not_see_boundaries() -> None:
    one: Cut = [(10, 20, "c"), (40, 50, "k"), (60, 70, "c")]
    made = unitized(100, one, [(start + 5, end + 5, theme) for start, end, theme in one])
    assert made.cu.value == 1.0
    assert isinstance(made.u.value, float) and made.u.value < 0.5
    assert isinstance(made.binary.value, float) and made.binary.value < 0.5


letters = st.lists(st.sampled_from("ck."), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 5), st.integers(1, 30), st.randoms())
def test_on_segments_of_length_one_it_is_nominal_alpha_with_the_gap_as_a_value(m: int, n: int, random: object) -> None:
    rng = np.random.default_rng(random.randrange(10**9))  # type: ignore[attr-defined]
    values = rng.integers(0, 4, size=(n, m)).astype(np.float64)  # 0 is the gap
    coders: list[Cut] = [[(u, u + 1, "abc"[int(v) - 1]) for u, v in enumerate(row) if v] for row in values.T]
    made, expected = unitized(n, *coders, themes="abc"), alpha(values)
    if np.isnan(expected):
        assert made.u.value is Lack.UNDEFINED
    else:
        assert isinstance(made.u.value, float) and abs(made.u.value - expected) < 1e-12
    for at, theme in enumerate(made.themes):
        own = alpha((values == at + 1).astype(np.float64))
        assert (
            theme.against_rest.value is Lack.UNDEFINED
            if np.isnan(own)
            else theme.against_rest.value == (pytest.approx(own, abs=1e-12))
        )


@st.composite
def cuts(draw: st.DrawFn) -> tuple[int, list[Cut]]:
    """Draw coders who cut without overlaps."""
    length = draw(st.integers(5, 40))
    coders = []
    for _ in range(draw(st.integers(2, 4))):
        edges = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
        pairs = pairwise(edges)
        coders.append([(a, b, t) for a, b in pairs if (t := draw(st.sampled_from("ck."))) != "."])
    return length, coders


def slow(length: int, coders: list[Cut]) -> dict[str, float | None]:
    """Return the family character by character, from Krippendorff 2019, eqs. 32 to 37."""
    m = len(coders)
    said = [["."] * length for _ in coders]
    own: dict[str, float] = dict.fromkeys("ck.", 0.0)
    for cut, line in zip(coders, said, strict=True):
        for start, end, theme in cut:
            line[start:end] = [theme] * (end - start)
            own[theme] += (end - start) ** 2
        own["."] += line.count(".")
    met = {(x, y): 0.0 for x in "ck." for y in "ck."}
    for one, other in permutations(said, 2):
        for x, y in zip(one, other, strict=True):
            met[x, y] += 1 / (m - 1)
    paired: dict[str, float] = dict.fromkeys("ck", 0.0)
    for cut, line in zip(coders, said, strict=True):
        rest = [other for other in said if other is not line]
        for start, end, theme in cut:
            paired[theme] += sum(any(o[at] != "." for o in rest) for at in range(start, end)) ** 2
    binary = {(x, y): 0.0 for x in "+." for y in "+."}
    for (x, y), length_ in met.items():
        binary["." if x == "." else "+", "." if y == "." else "+"] += length_
    coded = {pair: value for pair, value in met.items() if "." not in pair}
    return {
        "u": slow_alpha(met, sum(own.values())),
        "binary": slow_alpha(binary, sum(own.values())),
        "cu": slow_alpha(coded, sum(paired.values())),
    }


def slow_alpha(met: dict[tuple[str, str], float], own: float) -> float | None:
    total = sum(met.values())
    often: dict[str, float] = {}
    for (x, _), value in met.items():
        often[x] = often.get(x, 0.0) + value
    observed = sum(value for (x, y), value in met.items() if x != y)
    chance = sum(often[x] * often[y] for x, y in met if x != y)
    return 1 - observed / (chance / (total - own / total)) if chance > 1e-12 else None


@settings(max_examples=150, deadline=None)
@given(cuts())
def test_the_family_equals_its_definition_character_by_character(drawn: tuple[int, list[Cut]]) -> None:
    length, coders = drawn
    made, expected = unitized(length, *coders), slow(length, coders)
    for name, found in (("u", made.u), ("binary", made.binary), ("cu", made.cu)):
        value = expected[name]
        assert found.value is Lack.UNDEFINED if value is None else found.value == pytest.approx(value, abs=1e-9)


def test_overlapping_themes_are_judged_each_against_the_rest() -> None:
    one: Cut = [(0, 20, "c"), (10, 30, "k")]
    made = unitized(60, one, one)
    assert made.u.value == 1.0 and [theme.against_rest.value for theme in made.themes] == [1.0, 1.0]
    moved = unitized(60, one, [(0, 20, "c"), (20, 40, "k")])
    assert moved.themes[0].against_rest.value == 1.0
    assert isinstance(moved.themes[1].against_rest.value, float) and moved.themes[1].against_rest.value < 0.5


def test_a_coder_who_did_not_read_a_document_is_not_one_who_coded_nothing() -> None:
    span = Span(document="d", coder="Ana", start=0, end=5, theme="c")
    read = Continuum(document="d", length=10, coders=["Ana", "Ben"])
    assert isinstance(unitizing([read], [span], "c").u.value, float)
    alone = unitizing([Continuum(document="d", length=10, coders=["Ana"])], [span], "c")
    assert alone.u.value is Lack.NOT_ESTIMABLE and alone.documents == 0


def test_intervals_are_over_documents() -> None:
    one: Cut = [(0, 5, "c"), (8, 12, "k")]
    made = unitized(20, one, [(0, 6, "c"), (9, 12, "c")], documents=6)
    assert made.u.low is None and "says the same" in made.u.how
    few = unitized(20, one, [(0, 6, "c")], documents=4)
    assert few.u.how == "no interval: 4 of the 5 documents that one takes"


def test_coverage_is_what_others_coded_too() -> None:
    made = unitized(100, [(0, 10, "c"), (50, 60, "c")], [(0, 10, "k")])
    assert made.themes[0].coverage == 0.5 and made.themes[1].coverage == 1.0
