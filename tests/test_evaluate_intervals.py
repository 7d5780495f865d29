"""How far figures may be off, what is suggested, and how alike people code: beside brute force and scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from pipeline.evaluate import (
    Evaluation,
    Plan,
    Reader,
    coders,
    evaluate,
    intervals,
    metrics,
    suggesting,
    to_json,
)
from pipeline.evaluate.compared import compared
from pipeline.evaluate.ranked import Ranked

from .test_evaluate import material

Matrix = NDArray[np.float64]
Gold = NDArray[np.bool_]


def some(seed: int, rows: int = 30, themes: int = 4, documents: int = 6) -> tuple[Matrix, Gold, list[str]]:
    """Return scores with ties, truth, and the document of each row."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 5, size=(rows, themes)) / 4
    return scores, rng.random((rows, themes)) < 0.35, [f"d{at}" for at in rng.integers(0, documents, size=rows)]


def drawn(documents: list[str], replicates: int = 20) -> intervals.Draws:
    found = intervals.draw(documents, replicates)
    assert found is not None
    return found


def repeated(draws: intervals.Draws, replicate: int) -> NDArray[np.intp]:
    """Return the rows of one replicate, as often as their documents were drawn."""
    return np.repeat(np.arange(len(draws.of)), draws.times[replicate, draws.of].astype(int))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_measures_of_a_draw_are_those_of_its_documents_repeated(seed: int) -> None:
    scores, gold, documents = some(seed)
    draws = drawn(documents)
    found = intervals.rankings(draws, scores, gold)
    often = gold.sum(axis=0) >= metrics.ENOUGH
    for replicate in range(len(draws.times)):
        rows = repeated(draws, replicate)
        expected = metrics.ranking(scores[rows], gold[rows])
        for name in metrics.ROW_MEASURES:
            assert found[name][replicate] == pytest.approx(expected[name], nan_ok=True)
        coded = rows[gold[rows].any(axis=1)]
        there = [t for t in np.flatnonzero(often) if gold[coded, t].any()]
        each = [metrics.average_precision(scores[coded, t], gold[coded, t]) for t in there]
        assert found["map"][replicate] == pytest.approx(np.mean(each))


def test_average_precision_of_a_draw_is_computed_in_blocks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, gold, documents = some(1)
    whole = intervals.precisions(drawn(documents), scores, gold)
    monkeypatch.setattr(intervals, "BLOCK", 64)
    np.testing.assert_array_equal(intervals.precisions(drawn(documents), scores, gold), whole)


def test_the_calibration_error_of_a_draw_keeps_the_bins_of_all_documents() -> None:
    chance, gold, documents = some(2, rows=40)
    draws = drawn(documents)
    errors, rights = intervals.calibration(draws, chance, gold)
    bins = metrics.in_bins(chance, gold)
    for replicate in range(len(draws.times)):
        times = draws.times[replicate, draws.of]
        parts = []
        for rows, said, true in bins:
            weight = times[rows]
            if weight.any():
                parts.append((weight.sum(), abs(np.average(said - true, weights=weight))))
        expected = np.average([off for _, off in parts], weights=[size for size, _ in parts])
        assert errors[replicate] == pytest.approx(expected)
    assert len(rights) == len(bins)


def test_an_interval_is_the_middle_95_percent_of_the_draws_and_more_for_few_documents() -> None:
    values = np.append(np.arange(1000.0) / 1000, np.nan)
    middle = float(np.nanmean(values))
    many = intervals.span(values, middle, 1_000_000)
    assert many == pytest.approx(tuple(np.nanpercentile(values, [2.5, 97.5])), abs=1e-4)
    # t with nine degrees of freedom is 2.262: Phi(-2.262 x sqrt(10/9)) = 0.0086 is cut off in place of 0.025
    few = intervals.span(values, middle, 10)
    assert few == pytest.approx(tuple(np.nanpercentile(values, [0.86, 99.14])), abs=1e-4)


def test_an_interval_lies_around_its_figure_and_within_what_is_possible() -> None:
    values = np.arange(1000.0) / 1000
    low, high = intervals.span(values, 0.3, 100) or (0, 0)
    assert low == 0
    assert high == pytest.approx(0.78, abs=0.01)
    assert intervals.span(np.array([np.nan]), 0.3, 100) is None
    assert intervals.span(values, None, 100) is None
    assert (intervals.span(values, 0.3, 100, (-1, 1)) or (0, 0))[0] < -0.1


def test_draws_that_are_all_alike_are_not_taken_for_certainty() -> None:
    """Wilson 1927: n of n right leaves n / (n + 1.96 squared) to 1."""
    assert intervals.span(np.ones(100), 1.0, 14) == pytest.approx((14 / (14 + 1.96**2), 1), abs=1e-3)
    assert intervals.span(np.zeros(100), 0.0, 14) == pytest.approx((0, 1.96**2 / (14 + 1.96**2)), abs=1e-3)
    assert intervals.span(np.ones(100), 1.0, 4) is None


def test_an_interval_counts_the_documents_that_have_a_part_in_it() -> None:
    draws = drawn([f"d{at}" for at in range(20)])
    whole = np.arange(20) < 6
    assert intervals.share_span(draws, whole, whole) == pytest.approx((6 / (6 + 1.96**2), 1), abs=1e-3)
    assert intervals.share_span(draws, np.zeros(20), np.arange(20) < 4) is None
    assert intervals.share_span(draws, np.zeros(20), np.zeros(20)) is None
    assert intervals.share_span(None, whole, whole) is None


def test_documents_are_drawn_whole_and_as_many_as_there_are() -> None:
    draws = drawn(["a", "b", "c", "d", "e", "a"], 500)
    assert draws.documents == 5
    assert (draws.times.sum(axis=1) == 5).all()
    assert draws.of[0] == draws.of[5]
    assert draws.times.mean(axis=0) == pytest.approx(np.ones(5), abs=0.15)
    again = drawn(["a", "b", "c", "d", "e", "a"], 500)
    np.testing.assert_array_equal(draws.times, again.times)


def test_with_fewer_than_five_documents_there_are_no_intervals() -> None:
    assert intervals.draw(["a", "b", "c", "d"] * 10) is None
    told = to_json(evaluate(material(4, 8), Plan(curve=False)))
    assert set(told["intervals"]["themescout"].values()) == {None}
    assert told["protocol"]["intervals"] == "none: 4 documents, at least 5 are needed"
    assert told["verdict"]["mark"] == ""
    assert any("too few documents" in line for line in told["verdict"]["says"])


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate(material(12, 16))


def test_every_headline_figure_of_every_system_has_an_interval_around_it(found: Evaluation) -> None:
    for system in found.systems.values():
        for name in ("recall@1", "recall@3", "recall@5", "mrr"):
            span, value = system.spans[name], system.values[name]
            assert span is not None
            assert value is not None
            assert span[0] - 1e-9 <= value <= span[1] + 1e-9
        assert system.spans["map"] is not None
    assert all(found.systems["themescout"].spans[name] for name in ("coverage", "precision", "ece"))


def test_a_difference_is_that_of_the_same_draws() -> None:
    scores, gold, documents = some(6, rows=80)
    worse = np.where(gold, scores - 1, scores)
    systems = {"themescout": scores, "cosine": scores, "definition": worse, "lexical": worse, "frequency": worse}
    tested = replace(ranked(scores > 0.6, gold), scores=systems, chance=scores, places=tuple(documents))
    found, (cosine, best) = compared(tested, drawn(documents))
    assert best.against == "cosine"
    assert set(cosine.found.values.values()) == {0}
    assert set(cosine.found.spans.values()) == {(0, 0)}
    assert found["cosine"].spans["mrr"] == found["themescout"].spans["mrr"] != found["definition"].spans["mrr"]


def test_intervals_hold_the_truth_about_as_often_as_they_say_for_few_documents_too() -> None:
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(200):
        documents = np.repeat(np.arange(8), 6)
        values = rng.normal(size=8)[documents] + rng.normal(size=48)
        found = intervals.share(drawn([str(document) for document in documents], 200), values, np.ones(48))
        span = intervals.span(found, float(values.mean()), 8, (-9, 9))
        assert span is not None
        held += span[0] <= 0 <= span[1]
    assert 0.91 <= held / 200 <= 0.99


def test_the_learning_curve_has_all_baselines_and_bands_around_them(found: Evaluation) -> None:
    assert [step.decided for step in found.learning_curve] == [0, 50, 100]
    for step in found.learning_curve:
        assert list(step.systems) == ["themescout", "cosine", "definition", "lexical", "frequency"]
        for system in step.systems.values():
            value, span = system.values["recall@3"], system.spans["recall@3"]
            assert value is not None
            assert span is not None
            assert span[0] - 1e-9 <= value <= span[1] + 1e-9


def test_an_extra_system_is_measured_but_not_on_the_curve() -> None:
    def backwards(_lesson: object, texts: object, _vectors: object) -> Matrix:
        return np.tile([0.0, 1.0, 2.0], (len(texts), 1))  # type: ignore[arg-type]

    made = evaluate(material(6, 8), others={"backwards": backwards})
    assert made.systems["backwards"].values["recall@1"] == pytest.approx(1 / 3)
    assert all("backwards" not in step.systems for step in made.learning_curve)


def test_progress_is_told_to_its_end() -> None:
    seen: list[tuple[str, int, int]] = []
    evaluate(material(6, 8), tell=lambda *said: seen.append(said))
    assert seen[0] == ("evaluate", 0, 1)
    assert ("evaluate", 1, 1) in seen
    assert seen[-1][0] == "learning curve"
    assert seen[-1][1] == seen[-1][2]


def test_sites_are_told_apart(found: Evaluation) -> None:
    assert [site.site for site in found.by_site] == ["site0", "site1"]
    assert [(site.documents, site.coded) for site in found.by_site] == [(6, 72), (6, 72)]
    assert evaluate(material(6, 8, sites=1), Plan(curve=False)).by_site == ()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_suggested_is_counted_as_its_definitions_say(seed: int) -> None:
    chance, gold, documents = some(seed)
    passed = chance >= 0.75
    found = suggesting.operating(passed, gold, intervals.draw(documents, 5), 0.75).found.values
    pairs = [(bool(p), bool(g)) for p, g in zip(passed.ravel(), gold.ravel(), strict=True)]
    suggested = [g for p, g in pairs if p]
    given = [p for p, g in pairs if g]
    nothing = [row.any() for row, true in zip(passed, gold, strict=True) if not true.any()]
    assert found["precision"] == (pytest.approx(np.mean(suggested)) if suggested else None)
    assert found["found"] == (pytest.approx(np.mean(given)) if given else None)
    assert found["wrongly"] == (pytest.approx(np.mean(nothing)) if nothing else None)
    assert found["coverage"] == pytest.approx(np.mean([row.any() for row in passed]))


def test_a_higher_threshold_never_suggests_more() -> None:
    chance, gold, documents = some(4, rows=200)
    points = suggesting.tradeoff(chance, gold, intervals.draw(documents, 5), metrics.best_of(chance, 3))
    for name in ("coverage", "found", "wrongly"):
        values = [point.found.values[name] or 0 for point in points]
        assert values == sorted(values, reverse=True)
    assert points[0].threshold == 0


def test_coverage_at_a_precision_is_that_of_the_lowest_threshold_that_gives_it() -> None:
    chance = np.array([[0.9], [0.8], [0.6], [0.4], [0.2]])
    gold = np.array([[True], [True], [False], [False], [False]])
    wanted = {t.precision: t for t in suggesting.targets(suggesting.tradeoff(chance, gold, None, np.ones_like(gold)))}
    assert (wanted[0.5].threshold, wanted[0.5].coverage) == (0.225, 0.8)
    assert (wanted[0.6].threshold, wanted[0.6].coverage, wanted[0.6].found) == (0.425, 0.6, 1)
    assert (wanted[0.9].threshold, wanted[0.9].coverage) == (0.625, 0.4)
    hopeless = suggesting.targets(suggesting.tradeoff(chance, ~gold & gold, None, np.ones_like(gold)))
    assert {(t.threshold, t.coverage) for t in hopeless} == {(None, None)}


def ranked(passed: Gold, gold: Gold) -> Ranked:
    rows = len(passed)
    return Ranked(
        rows=np.arange(rows),
        gold=gold,
        places=("d",) * rows,
        sites=("s",) * rows,
        scores={},
        chance=passed.astype(float),
        passed=passed,
        muted=np.zeros(gold.shape[1], dtype=bool),
    )


def test_agreement_is_f1_of_one_coder_with_the_other_as_the_truth() -> None:
    rng = np.random.default_rng(7)
    one, other, machine = (rng.random((60, 3)) < 0.4 for _ in range(3))
    everything = np.ones(60, dtype=bool)
    readers = tuple(Reader(name=n, read=everything, gave=g) for n, g in (("A", one), ("B", other)))
    every, *themes = coders.agreement(readers, ranked(machine, one), ("x", "y", "z"), None)
    assert every.segments == 60
    assert every.people == pytest.approx(f1_score(one.ravel(), other.ravel()))
    both = np.concatenate([one.ravel(), other.ravel()])
    assert every.machine == pytest.approx(f1_score(both, np.tile(machine.ravel(), 2)))
    for at, theme in enumerate(themes):
        assert theme.theme == "xyz"[at]
        assert theme.people == pytest.approx(f1_score(one[:, at], other[:, at]))


def test_only_segments_that_two_people_have_read_count_as_read_twice() -> None:
    gave = np.ones((8, 1), dtype=bool)
    first, second = np.arange(8) < 6, np.arange(8) >= 4
    readers = (Reader(name="A", read=first, gave=gave), Reader(name="B", read=second, gave=gave))
    passed = np.zeros((8, 1), dtype=bool)
    passed[:2] = True  # right, where one person alone has read
    (every,) = coders.agreement(readers, ranked(passed, gave), ("x",), None)
    assert (every.segments, every.people, every.machine) == (2, 1, 0)
    assert coders.agreement(readers[:1], ranked(passed, gave), ("x",), None) == ()
    assert coders.agreement((), ranked(passed, gave), ("x",), None) == ()
