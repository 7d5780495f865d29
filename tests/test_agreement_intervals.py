"""Intervals over documents: their formula, when there is none, and whether they hold what they promise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from pipeline.agreement import Estimate, Lack, Plan, Reading, measure, ratings
from pipeline.agreement import intervals as iv
from pipeline.agreement.alpha import alpha_of

Floats = NDArray[np.float64]
BINARY = np.array([0.0, 1.0])
THEMES = ("Shame", "Travel", "Unused")


def study(documents: int, each: int = 12, coders: int = 3, seed: int = 0) -> list[Reading]:
    rng = np.random.default_rng(seed)
    readings = []
    for document in range(documents):
        hard = rng.uniform(0.02, 0.3)
        for at in range(each):
            has = rng.random(2) < 0.4
            for coder in range(coders):
                given = has ^ (rng.random(2) < hard)
                themes = [theme for theme, yes in zip(THEMES, given, strict=False) if yes]
                if rng.random() > 0.1:
                    unit = f"d{document:03}/u{at}"
                    readings.append(Reading(unit=unit, document=f"d{document:03}", coder=f"c{coder}", themes=themes))
    return readings


def without(readings: list[Reading], document: str) -> list[Reading]:
    return [reading for reading in readings if reading.document != document]


def number(found: Estimate) -> float:
    assert isinstance(found.value, float)
    return found.value


@pytest.mark.parametrize("pick", ["alpha", "positive", "kappa", "ac1", "Jaccard", "pair"])
def test_the_interval_leaves_out_one_document_at_a_time(pick: str) -> None:
    def of(readings: list[Reading]) -> Estimate:
        made = measure(ratings(readings, THEMES))
        if pick == "pair":
            return made.pairs[0].kappa
        return made.sets[pick] if pick in made.sets else getattr(made.themes[0], pick)

    readings = study(7)
    left = np.array([number(of(without(readings, f"d{at:03}"))) for at in range(7)])
    spread = np.sqrt(6 / 7 * np.square(left - left.mean()).sum())
    found = of(readings)
    assert found.how == "7 documents left out one at a time, t(6)"
    reach = stats.t.ppf(0.975, 6) * spread
    assert (found.low, found.high) == pytest.approx((number(found) - reach, min(number(found) + reach, 1.0)))


def test_documents_that_only_one_coder_read_do_not_count() -> None:
    alone = [Reading(unit=f"x{at}", document=f"x{at}", coder="c0", themes=["Shame"]) for at in range(9)]
    assert measure(ratings([*study(6), *alone], THEMES)).themes[0] == measure(ratings(study(6), THEMES)).themes[0]


def test_there_is_no_interval_under_five_documents() -> None:
    found = measure(ratings(study(4), THEMES)).themes[0].alpha
    assert number(found) > 0 and found.low is found.high is None and found.verdict == ""
    assert found.how == "no interval: 4 of the 5 documents that one takes"


def test_there_is_no_interval_when_one_document_holds_all_variation() -> None:
    readings = [Reading(unit="only", document="d000", coder=c, themes=["Unused"]) for c in ("c0", "c1")]
    found = measure(ratings([*study(6), *readings], THEMES)).themes[2].alpha
    assert number(found) == 1.0 and found.low is None and "one document" in found.how


def test_perfect_agreement_has_no_interval_of_no_width() -> None:
    readings = [
        Reading(unit=f"u{at}", document=f"d{at % 8}", coder=c, themes=["Shame"] * (at % 3 == 0))
        for at in range(48)
        for c in ("c0", "c1")
    ]
    found = measure(ratings(readings, THEMES)).themes[0].alpha
    assert found.value == 1.0 and found.low is None and found.verdict == "" and "says the same" in found.how


def test_many_documents_are_drawn_anew_the_same_way_every_time() -> None:
    readings = study(45)
    once, again = (measure(ratings(readings, THEMES)).themes[0].alpha for _ in range(2))
    assert once == again and once.how == "45 documents drawn anew 2,000 times"
    other = measure(ratings(readings, THEMES), Plan(seed=1)).themes[0].alpha
    assert other.value == once.value and other.low != once.low
    left_out = measure(ratings(readings, THEMES), Plan(bootstrap_from=10_000)).themes[0].alpha
    assert once.low == pytest.approx(left_out.low, abs=0.02) and once.high == pytest.approx(left_out.high, abs=0.02)


def test_very_many_documents_are_drawn_in_groups() -> None:
    made = measure(ratings(study(1100, each=2, coders=2), THEMES))
    assert made.counts.documents > 1000
    assert made.themes[0].alpha.how == made.sets["MASI"].how == "1,000 groups of documents drawn anew 2,000 times"


@pytest.mark.parametrize(
    ("low", "verdict"),
    [(0.81, "reliable"), (0.70, "good enough for tentative conclusions"), (0.66, ""), (None, "")],
)
def test_a_word_is_said_only_of_what_the_whole_interval_clears(low: float | None, verdict: str) -> None:
    assert Estimate(value=0.9, low=low, high=0.99).verdict == verdict


def test_nothing_to_compare_is_not_estimable() -> None:
    assert iv.estimates(lambda weights: weights, 0) == [iv.NONE_READ_TWICE]
    assert iv.NONE_READ_TWICE.value is Lack.NOT_ESTIMABLE


def simulated(documents: int, *, share: float, reps: int, seed: int) -> Floats:
    """Return coincidences of two coders (sensitivity .85, specificity .97): documents x reps x 2 x 2.

    The theme's share varies between documents (ICC .1), and so does how hard they are to code (log-normal, sd .5).
    """
    rng = np.random.default_rng(seed)
    shape, each = (documents, reps), 25
    hard = np.exp(rng.normal(-0.125, 0.5, size=shape))
    has = rng.random((each, *shape)) < rng.beta(9 * share, 9 * (1 - share), size=shape)
    wrong = np.where(has, np.minimum(0.15 * hard, 0.5), np.minimum(0.03 * hard, 0.5))
    gave = [has ^ (rng.random(has.shape) < wrong) for _ in range(2)]
    both, one = (gave[0] & gave[1]).sum(axis=0), (gave[0] ^ gave[1]).sum(axis=0)
    return np.stack([2 * (each - both - one), one, one, 2 * both], axis=-1).reshape(*shape, 2, 2).astype(np.float64)


@pytest.mark.parametrize(("documents", "share"), [(10, 0.10), (20, 0.10), (20, 0.30), (40, 0.10)])
def test_the_interval_holds_the_truth_as_often_as_it_says(documents: int, share: float) -> None:
    truth = float(alpha_of(simulated(40, share=share, reps=4000, seed=1).sum(axis=(0, 1)), BINARY))
    met = simulated(documents, share=share, reps=1500, seed=2)
    made = iv.estimates(iv.by_sums(met, lambda total: alpha_of(total, BINARY)), documents)
    inside = [found.low <= truth <= found.high for found in made if found.low is not None and found.high is not None]
    assert len(inside) == 1500
    assert 0.92 <= np.mean(inside) <= 0.97


def test_an_interval_over_segments_would_be_too_narrow() -> None:
    truth = float(alpha_of(simulated(40, share=0.1, reps=4000, seed=1).sum(axis=(0, 1)), BINARY))
    rng, inside = np.random.default_rng(3), []
    for met in simulated(20, share=0.1, reps=400, seed=2).sum(axis=0):
        cells = np.array([met[0, 0] / 2, met[0, 1], met[1, 1] / 2])
        drawn = rng.multinomial(500, cells / cells.sum(), size=400).astype(np.float64)
        pairs = np.stack([2 * drawn[:, 0], drawn[:, 1], drawn[:, 1], 2 * drawn[:, 2]], axis=-1).reshape(-1, 2, 2)
        low, high = np.quantile(alpha_of(pairs, BINARY), [0.025, 0.975])
        inside.append(low <= truth <= high)
    assert np.mean(inside) < 0.90
