"""Looking back: permutations are exact, documents are exchanged whole, and strata are no change."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.drift import change

Numbers = NDArray[np.intp]


def single(wrong: NDArray[np.bool_], stratum: Numbers | None = None) -> change.Units:
    stratum = np.zeros(len(wrong), dtype=np.intp) if stratum is None else stratum
    share = np.array([wrong[stratum == own].mean() for own in stratum])
    return change.units(wrong.astype(np.intp), np.ones(len(wrong), dtype=np.intp), share, stratum)


def rises(wrong: NDArray[np.bool_]) -> list[float]:
    """Return the standardised difference of two shares for each split with ten checks on each side."""
    n = len(wrong)
    p = wrong.mean()
    spread = np.sqrt(p * (1 - p))
    return [
        (wrong[at:].mean() - wrong[:at].mean()) / (spread * np.sqrt(1 / at + 1 / (n - at))) for at in range(10, n - 9)
    ]


@pytest.mark.parametrize("where", [(15, 18, 21), (12, 14, 19), (2, 9, 20)])
def test_p_values_are_those_of_all_orders(where: tuple[int, ...]) -> None:
    n = 23
    orders = []
    for places in combinations(range(n), len(where)):
        wrong = np.zeros(n, dtype=bool)
        wrong[list(places)] = True
        orders.append((max(rises(wrong)), sum(places)))
    step, trend = np.array(orders).T
    seen = np.zeros(n, dtype=bool)
    seen[list(where)] = True
    found = change.rose(single(seen), 19999, 0)
    assert found is not None
    exact = (step >= max(rises(seen)) - 1e-9).mean(), (trend >= sum(where)).mean()
    near = 0.015 if min(exact) < 0.15 else 0.1  # where there is nothing, 199 orders are enough
    assert (found.p_step, found.p_trend) == pytest.approx(exact, abs=near)
    assert found.p == min(1.0, 2 * min(found.p_step, found.p_trend))


@given(st.lists(st.booleans(), min_size=25, max_size=60))
@settings(max_examples=50, deadline=None)
def test_the_split_is_the_most_likely_one_that_rises(answers: list[bool]) -> None:
    wrong = np.array(answers)
    found = change.rose(single(wrong), 99, 0)
    assert found is not None
    least = max(10, 0.1 * len(wrong))
    sides = [at for at in range(1, len(wrong)) if at >= least and len(wrong) - at >= least]
    rising = [at for at in sides if wrong[at:].mean() > wrong[:at].mean()]
    if rising:
        likely = {at: _likelihood(wrong[:at]) + _likelihood(wrong[at:]) for at in rising}
        assert likely[found.split] == pytest.approx(max(likely.values()))
        assert found.rise == pytest.approx(wrong[found.split :].mean() - wrong[: found.split].mean())
        inside = [at for at in rising if likely[at] >= max(likely.values()) - change.SPLIT_95 / 2]
        assert (found.low, found.high) == (min(inside), max(inside))


def _likelihood(wrong: NDArray[np.bool_]) -> float:
    p, n = wrong.mean(), len(wrong)
    return float(n * sum(x * np.log(x) for x in (p, 1 - p) if x > 0))


def test_a_fall_is_no_rise() -> None:
    wrong = np.arange(60) < 30
    found = change.rose(single(wrong), 999, 0)
    assert found is not None
    assert found.p == 1.0
    assert found.rise <= 0


def test_a_clear_step_is_found_where_it_is() -> None:
    wrong = np.arange(100) >= 60
    wrong[[5, 20]] = True
    found = change.rose(single(wrong), 1999, 0)
    assert found is not None
    assert (found.p, found.split) == (2 / 2000, 60)
    assert found.low <= 60 <= found.high <= 62


def test_too_few_checks_are_not_tested() -> None:
    assert change.rose(single(np.arange(19) > 9), 99, 0) is None
    assert change.smallest_rise(single(np.arange(19) > 9), 99, 0) is None


def test_no_errors_at_all_are_no_change() -> None:
    found = change.rose(single(np.zeros(50, dtype=bool)), 999, 0)
    assert found is not None
    assert found.p == 1.0
    assert change.smallest_rise(single(np.zeros(50, dtype=bool)), 999, 0) == pytest.approx(0.28, abs=0.03)


def test_documents_that_differ_are_exchanged_whole() -> None:
    """Of studies in which documents differ and nothing changes, one in twenty is found, not one in three."""
    hits = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        document = np.repeat(np.arange(20), 12)
        wrong = rng.random(240) < 1 / (1 + np.exp(1.5 - rng.normal(0, 1.5, 20)[document]))
        whole = change.units(
            np.bincount(document, weights=wrong).astype(np.intp),
            np.bincount(document).astype(np.intp),
            np.full(20, 12 * wrong.mean()),
            np.zeros(20, dtype=np.intp),
        )
        tests = [change.rose(made, 999, 0) for made in (whole, single(wrong))]
        hits.append([test is not None and test.p <= 0.05 for test in tests])
    by_document, by_check = np.mean(hits, axis=0)
    assert by_document <= 0.08
    assert by_check >= 0.2


def test_strata_that_differ_are_no_change() -> None:
    """A careful coder early and a careless one late: everybody's error rises, nobody's own does."""
    rng = np.random.default_rng(1)
    late = np.repeat([False, True], 100)
    coder = np.where(rng.random(200) < 0.9, late, ~late).astype(np.intp)
    wrong = rng.random(200) < np.where(coder == 1, 0.45, 0.05)
    together, apart = change.rose(single(wrong), 999, 0), change.rose(single(wrong, coder), 999, 0)
    assert together is not None and together.p <= 0.002
    assert apart is not None and apart.p > 0.1


def test_the_rise_within_strata_is_that_of_mantel_and_haenszel() -> None:
    rng = np.random.default_rng(2)
    coder = rng.integers(0, 3, 150).astype(np.intp)
    wrong = rng.random(150) < 0.1 + 0.1 * coder + 0.4 * (np.arange(150) >= 80)
    found = change.rose(single(wrong, coder), 199, 0)
    assert found is not None
    late = np.arange(150) >= found.split
    parts = []
    for own in range(3):
        before, after = wrong[(coder == own) & ~late], wrong[(coder == own) & late]
        weight = len(before) * len(after) / (len(before) + len(after))
        parts.append((weight, after.mean() - before.mean()))
    weights, differences = np.array(parts).T
    assert found.rise == pytest.approx((weights * differences).sum() / weights.sum())


@given(st.permutations(range(12)))
@settings(max_examples=20, deadline=None)
def test_cells_with_the_same_counts_share_their_permutations(order: list[int]) -> None:
    errors, trials = np.array([0, 1, 2, 0, 3, 1, 0, 0, 2, 1, 0, 4]), np.array([5, 4, 6, 5, 5, 5, 4, 6, 5, 5, 5, 5])
    expected = trials * errors.sum() / trials.sum()
    none = np.zeros(12, dtype=np.intp)
    keys = {
        change._key(change.units(errors[some], trials[some], expected[some], none)) for some in (range(12), list(order))
    }
    assert len(keys) == 1


def test_the_smallest_rise_is_found_as_often_as_it_promises() -> None:
    rng = np.random.default_rng(3)
    reach = change.smallest_rise(single(np.arange(120) % 7 == 0), 1999, 0)
    assert reach is not None
    hits = []
    for _ in range(200):
        wrong = rng.random(120) < np.where(np.arange(120) < 60, 1 / 7, 1 / 7 + reach)
        found = change.rose(single(wrong), 1999, 0)
        hits.append(found is not None and found.p_step <= 0.025)
    assert np.mean(hits) == pytest.approx(0.8, abs=0.1)
