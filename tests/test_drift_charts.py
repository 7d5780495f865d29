"""The CUSUM is computed exactly; references are published run lengths, enumeration, and other libraries."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from pipeline.drift import charts, rates
from pipeline.drift.watch import Answers, chances, guards, watch


def lowest_limit(run_length: float, p0: float, p1: float) -> tuple[int, charts.Scores]:
    score = charts.scores(p0, p1)
    bar = 1
    while charts.run_length(score, bar, p0) < run_length:
        bar += 1
    return bar, score


@pytest.mark.parametrize(
    ("until_false_alarm", "limit", "until_found"), [(200, 2.58, 19), (500, 3.36, 26), (1000, 3.99, 32)]
)
def test_run_lengths_are_those_computed_elsewhere(until_false_alarm: int, limit: float, until_found: int) -> None:
    bar, score = lowest_limit(until_false_alarm, 0.09, 0.25)
    assert bar * score.unit == pytest.approx(limit, abs=0.08)  # attainable sums differ by .02 and more
    assert round(charts.run_length(score, bar, 0.25)) == until_found


def test_a_wrong_baseline_costs_what_is_known_of_it() -> None:
    bar, score = lowest_limit(500, 0.09, 0.25)
    assert charts.run_length(score, bar, 0.09 * 1.3) == pytest.approx(197, rel=0.01)
    assert charts.run_length(score, bar, 0.09 * 0.7) == pytest.approx(2119, rel=0.01)


LIMITS = {  # simulated elsewhere; for chances of .05, .025, .01, .002
    (0.03, 60): (3.30, 3.81, 4.59, 5.82),
    (0.03, 120): (4.08, 4.68, 5.47, 6.76),
    (0.09, 60): (3.75, 4.29, 4.98, 6.31),
    (0.09, 120): (4.50, 5.13, 5.89, 7.37),
    (0.15, 60): (4.10, 4.67, 5.44, 6.81),
    (0.15, 120): (4.89, 5.52, 6.40, 7.83),
    (0.25, 60): (4.73, 5.33, 6.12, 7.51),
    (0.25, 120): (5.37, 6.12, 6.95, 8.34),
}


@pytest.mark.parametrize(("p0", "steps"), LIMITS)
def test_limits_are_those_simulated_elsewhere(p0: float, steps: int) -> None:
    unit = charts.scores(p0).unit
    found = [charts.limit(p0, steps, chance) * unit for chance in (0.05, 0.025, 0.01, 0.002)]
    assert found == pytest.approx(LIMITS[p0, steps], abs=0.2)  # a single error moves a sum by about 1


def test_rounded_scores_alarm_as_often_as_exact_ones() -> None:
    p0, steps = 0.09, 60
    bar = charts.limit(p0, steps, 0.025) * charts.scores(p0).unit
    wrong = np.random.default_rng(0).random((100_000, steps)) < p0
    p1 = charts.drifted(p0)
    gain = np.where(wrong, np.log(p1 / p0), np.log((1 - p1) / (1 - p0)))
    height, highest = np.zeros(len(wrong)), np.zeros(len(wrong))
    for gained in np.asarray(gain).T:
        height = np.maximum(height + gained, 0)
        highest = np.maximum(highest, height)
    assert (highest >= bar).mean() == pytest.approx(0.025, abs=0.003)


def enumerated(score: charts.Scores, bar: int, errors: list[float]) -> float:
    """Return the chance of an alarm, over all sequences of answers."""
    total = 0.0
    for answers in product((False, True), repeat=len(errors)):
        chance, height, alarmed = 1.0, 0, False
        for wrong, error in zip(answers, errors, strict=True):
            chance *= error if wrong else 1 - error
            height = max(0, height + (score.up if wrong else -score.down))
            alarmed |= height >= bar
        total += chance * alarmed
    return total


@pytest.mark.parametrize(("p0", "bar", "steps"), [(0.2, 60, 10), (0.05, 130, 11), (0.5, 25, 9)])
def test_the_chance_of_an_alarm_is_that_of_all_sequences(p0: float, bar: int, steps: int) -> None:
    score = charts.scores(p0)
    assert charts.alarm_chance(score, bar, p0, steps) == pytest.approx(enumerated(score, bar, [p0] * steps), abs=1e-12)


def test_long_projects_need_no_long_computation() -> None:
    score = charts.scores(0.1)
    state = np.zeros(300)
    state[0] = 1.0
    for _ in range(5000):
        state = charts.step(state, score, 0.1)
    assert charts.alarm_chance(score, 300, 0.1, 5000) == pytest.approx(1 - state.sum(), abs=1e-9)


@pytest.mark.parametrize("p0", [0.0025, 0.03, 0.3, 0.8])
@pytest.mark.parametrize("steps", [1, 7, 90])
def test_the_limit_is_the_lowest_that_keeps_the_chance(p0: float, steps: int) -> None:
    score, bar = charts.scores(p0), charts.limit(p0, steps, 0.025)
    assert charts.alarm_chance(score, bar, p0, steps) <= 0.025
    assert bar == 1 or charts.alarm_chance(score, bar - 1, p0, steps) > 0.025


def test_the_detectable_rise_is_found_with_the_power_it_promises() -> None:
    p0, steps = 0.1, 14
    rise = charts.detectable(p0, p0, steps, 0.05)
    assert rise is not None
    score, bar = charts.scores(p0), charts.limit(p0, steps, 0.05)
    power = [enumerated(score, bar, [p0] * 7 + [p0 + more] * 7) for more in (rise, rise - 0.001)]
    assert power[0] >= 0.8 > power[1]


def test_too_few_checks_find_nothing() -> None:
    assert charts.detectable(0.1, 0.1, 2, 0.0025) is None


Streams = st.integers(1, 4).flatmap(
    lambda streams: st.tuples(
        *(
            st.lists(st.lists(st.booleans(), min_size=25, max_size=25), min_size=streams, max_size=streams)
            for _ in range(3)
        )
    )
)


@given(Streams)
@settings(max_examples=60, deadline=None)
def test_charts_of_many_coders_are_those_of_each(flags: tuple[list[list[bool]], ...]) -> None:
    errors, present, restart = (np.array(part) for part in flags)
    made = [charts.scores(p) for p in (0.05, 0.1, 0.2, 0.4)[: len(errors)]]
    up, down = np.array([s.up for s in made]), np.array([s.down for s in made])
    tuned = charts.Tuned(p0=np.zeros(0), up=up, down=down, limit=up, unit=np.zeros(0))
    found = charts.paths(errors, present, tuned, restart)
    for stream, score in enumerate(made):
        height = 0
        for at in range(25):
            height = 0 if restart[stream, at] else height
            if present[stream, at]:
                height = max(0, height + (score.up if errors[stream, at] else -score.down))
            assert found[stream, at] == height


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_without_errors_nothing_alarms(coders: int, themes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    present = rng.random((coders, 60)) < 0.6
    first = np.broadcast_to(np.arange(60) < 20, present.shape)
    given = Answers(errors=np.zeros_like(present), present=present, first=first)
    made = watch(given, present.sum(axis=1), chances(themes)[1], guards(themes, 60, coders))
    assert (made.watch_at < 0).all()
    assert (made.action_at < 0).all()
    assert not made.watch_sums.any()


def test_a_restart_forgets_earlier_alarms() -> None:
    errors = np.array([[True] * 30 + [False] * 30])
    everything, none = np.ones_like(errors), np.zeros_like(errors)
    restart = none.copy()
    restart[0, 40] = True
    once = Answers(errors=errors, present=everything, first=none)
    for answers, alarmed in ((once, True), (replace(once, restart=restart), False)):
        assert (watch(answers, np.array([60]), 0.025, guards(1, 60, 1)).watch_at[0] >= 0) == alarmed


def test_the_error_budget_is_kept_whatever_the_number_of_themes() -> None:
    for themes in range(1, 6):
        together, each = chances(themes)
        pairs = 2 * each if themes == 1 else 2 * together + 2 * themes * each
        assert pairs == pytest.approx(0.05)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_intervals_are_those_of_statsmodels(counts: tuple[int, int]) -> None:
    found = rates.wilson(*counts)
    assert (found.low, found.high) == pytest.approx(proportion_confint(*counts, method="wilson"), abs=1e-12)


def test_a_share_of_nothing_is_none() -> None:
    assert rates.wilson(0, 0).rate is None


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=40))
def test_q_values_are_those_of_statsmodels(p: list[float]) -> None:
    found = rates.benjamini_hochberg(np.array([p]))[0]
    made = ~np.isnan(p)
    assert np.array_equal(np.isnan(found), ~made)
    if made.any():
        assert found[made] == pytest.approx(multipletests(np.array(p)[made], method="fdr_bh")[1], abs=1e-12)


def test_a_team_tells_how_much_its_coders_differ() -> None:
    rng = np.random.default_rng(0)
    trials = np.full(1500, 80)
    alike, unlike = (rng.binomial(80, rng.beta(0.15 * worth, 0.85 * worth, 1500)) for worth in (40.0, 15.0))
    for errors, worth in ((alike, 40), (unlike, 15)):
        made = rates.team_prior(errors, trials)
        assert made.errors / (made.errors + made.right) == pytest.approx(0.15, abs=0.01)
        assert np.median(made.errors + made.right) == pytest.approx(worth, rel=0.15)


def test_a_coder_does_not_make_the_own_prior() -> None:
    trials = np.full(6, 40)
    apart = [rates.team_prior(np.array([own, 5, 6, 7, 4, 6]), trials) for own in (0, 40)]
    assert apart[0].errors[0] == apart[1].errors[0]
    assert apart[0].errors[1] != apart[1].errors[1]


def test_a_coder_alone_has_no_team() -> None:
    made = rates.team_prior(np.array([[3], [0]]), np.array([[40], [40]]))
    assert made.errors.tolist() == made.right.tolist() == [[0.5], [0.5]]


def test_posteriors_are_those_of_scipy() -> None:
    prior = rates.Prior(errors=np.array([2.0]), right=np.array([30.0]))
    wrong, trials = np.array([4]), np.array([20])
    assert rates.posterior_quantile(prior, wrong, trials, 0.75)[0] == pytest.approx(beta.ppf(0.75, 6, 46))
    assert rates.chance_above(prior, wrong, trials, np.array([0.2]))[0] == pytest.approx(beta.sf(0.2, 6, 46))
    assert rates.posterior_mean(prior, wrong, trials)[0] == pytest.approx(6 / 52)
