"""When nothing is suggested: thresholds, muted themes, and material that says little or contradicts itself."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from pipeline import rank
from pipeline.config import RankSettings
from pipeline.rank import abstain, calibrate
from pipeline.records import Codebook, Exemplar, SegmentId, Theme

from .test_rank import BOOK, SETTINGS, decisions, fitted, known, scored, vectors


def drawn(rows: int, themes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and whether each theme is right, as often as said."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0, 1, (rows, themes))
    return chance, (rng.uniform(size=chance.shape) < chance).astype(float)


def test_a_theme_that_is_right_as_often_as_said_keeps_the_threshold_of_the_study() -> None:
    chance, gold = drawn(300, 5)
    found = abstain.abstain(chance, chance, gold, 0.5)
    assert found.thresholds.tolist() == [0.5] * 5
    assert not found.muted


def test_a_theme_that_is_wrong_more_often_needs_a_higher_probability() -> None:
    chance, gold = drawn(300, 2)
    gold[(chance[:, 1] < 0.9) & (chance[:, 1] > 0.3), 1] = 0
    low, high = abstain.abstain(chance, chance, gold, 0.5).thresholds
    assert low == 0.5
    assert high > 0.7
    assert gold[chance[:, 1] >= high, 1].mean() > 0.45
    assert gold[chance[:, 1] >= 0.5, 1].mean() < 0.35


def test_few_suggestions_leave_the_threshold_alone() -> None:
    chance = np.concatenate([np.full((9, 1), 0.9), np.full((50, 1), 0.1)])
    assert abstain.abstain(chance, chance, np.zeros((59, 1)), 0.5).thresholds.tolist() == [0.5]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.3, 0.5, 0.8]))
def test_no_threshold_is_below_what_the_study_asks_for(seed: int, precision: float) -> None:
    chance, gold = drawn(40, 3, seed)
    assert (abstain.abstain(chance, chance, gold[:, ::-1], precision).thresholds >= precision).all()


def test_a_theme_no_better_than_chance_is_muted_and_told_why() -> None:
    rng = np.random.default_rng(1)
    chance, gold = drawn(200, 3)
    chance[:, 2] = rng.permutation(chance[:, 2])
    gold[:, 2] = rng.uniform(size=200) < 0.3
    muted = abstain.abstain(chance, chance, gold, 0.5).muted
    assert list(muted) == [2]
    given = int(gold[:, 2].sum())
    assert muted[2] == (
        f"its scores told the {given} decided segments with this theme from the {200 - given} without it no better "
        "than chance"
    )


def test_a_theme_with_too_few_decisions_is_not_judged() -> None:
    chance = np.linspace(0, 0.4, 60)[:, None]
    gold = np.zeros((60, 1))
    gold[:9] = 1  # the nine lowest
    assert not abstain.abstain(chance, chance, gold, 0.5).muted
    gold[:10] = 1
    assert list(abstain.abstain(chance, chance, gold, 0.5).muted) == [0]


def test_a_theme_that_is_suggested_and_never_accepted_is_muted() -> None:
    chance = np.full((25, 2), 0.7)
    gold = np.zeros((25, 2))
    gold[:20, 0] = 1
    found = abstain.abstain(chance, chance + gold, gold, 0.5)
    assert found.muted == {1: "people gave it to none of the 25 decided segments it would be suggested for"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=40))
def test_the_test_against_chance_is_that_of_scipy(pairs: list[tuple[int, bool]]) -> None:
    scores, given_ = np.array([float(score) for score, _ in pairs]), np.array([yes for _, yes in pairs])
    if given_.all() or not given_.any() or len(set(scores)) == 1:
        return
    theirs = mannwhitneyu(scores[given_], scores[~given_], alternative="greater", method="asymptotic").pvalue
    assert abstain._by_chance(scores, given_) == pytest.approx(theirs, abs=1e-9)


def test_scores_that_are_all_alike_tell_nothing() -> None:
    assert abstain._by_chance(np.ones(9), np.arange(9) < 5) == 1.0


def test_muted_themes_are_ranked_and_not_suggested() -> None:
    texts = [f"the bus number {i} was late" for i in range(30)]
    ranker = fitted(labelled=decisions(texts, [[0, 0, 0, 0]] * 30))
    ranker = replace(ranker, abstention=abstain.Abstention(thresholds=np.zeros(4), muted={0: "no"}))
    made = rank.suggest(ranker, [SegmentId("s")], ["the bus was late"], vectors(["the bus was late"]), SETTINGS)
    assert {s.theme: s.suggested for s in made} == {
        "Getting there": False, "Staff": True, "Shame": True, "Peers": True,
    }  # fmt: skip
    assert ranker.muted == {"Getting there": "no"}


def test_a_theme_people_give_more_often_than_its_scores_say_moves_up_the_more_decisions_there_are() -> None:
    rng = np.random.default_rng(0)

    def move(rows: int) -> float:
        scores = rng.normal(size=(rows, 4)) + 4
        gold = (rng.uniform(size=scores.shape) < 0.2).astype(float)
        gold[:, 1] = rng.uniform(size=rows) < 0.8
        known_ = calibrate.Known(scores=scores, gold=gold, decided=np.ones(rows, dtype=bool), counts=np.ones(rows))
        moves = calibrate.fit_curve(known_, scores).moves
        assert moves[1] == max(moves)
        return float(moves[1] - moves[0])

    few, many = move(5), move(500)
    assert 0 < few < 0.5 * many


def test_exemplars_move_no_theme() -> None:
    assert (fitted().curve.moves == 0).all()


# Material that says little, or contradicts itself


def sound(book: Codebook, labelled: rank.Labelled | None = None, *texts: str) -> rank.Scores:
    """Fit and score with every warning an error; return the scores, which are all finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranker = fitted(book, labelled)
        scores = scored(ranker, *(texts or ("the bus was late", "", "zzz")))
        chance = rank.probabilities(ranker, scores)
    assert np.isfinite(scores.total).all()
    assert ((chance >= 0) & (chance <= 1)).all()
    return scores


def test_one_exemplar_and_nothing_else() -> None:
    sound(Codebook(themes=(Theme(name="Bus", exemplars=(Exemplar(text="The bus was late."),)),)))


def test_one_exemplar_among_definitions() -> None:
    themes = (Theme(name="Bus", exemplars=(Exemplar(text="The bus was late."),)), Theme(name="Nurse", definition="x"))
    assert sound(Codebook(themes=themes)).total[0].argmax() == 0


def test_identical_exemplars_in_two_themes_share_what_they_show() -> None:
    quote = (Exemplar(text="The bus was late."),)
    book = Codebook(themes=(Theme(name="A", exemplars=quote), Theme(name="B", exemplars=quote), BOOK.themes[1]))
    scores = sound(book)
    assert scores.total[0, 0] == pytest.approx(scores.total[0, 1], abs=1.0)
    assert scores.total[0, :2].min() > scores.total[0, 2]


def test_five_hundred_themes() -> None:
    book = Codebook(themes=tuple(Theme(name=f"theme {i}", definition=f"word{i} things") for i in range(500)))
    assert sound(book, None, "word77 things", "word3").total.argmax(axis=1).tolist() == [77, 3]


def test_a_theme_never_accepted_sinks() -> None:
    texts = [f"the bus number {i} was late" for i in range(40)]
    turned_down = replace(decisions(texts, [[0, 0, 0, 0]] * 40), rejected=np.tile([True, False, False, False], (40, 1)))
    new = "the bus number 99 was late"
    before, after = fitted(), fitted(labelled=turned_down)
    sound(BOOK, turned_down)
    one, two = (rank.probabilities(r, scored(r, new))[0, 0] for r in (before, after))
    assert two < 0.1 < one


def test_contradictory_decisions_on_the_same_words_lie_between() -> None:
    texts = ["the bus was red"] * 6
    yes, no = [1.0, 0, 0, 0], [0.0, 0, 0, 0]
    chance = []
    for share in (0, 3, 6):
        said = decisions(texts, [yes] * share + [no] * (6 - share))
        sound(BOOK, said)
        ranker = fitted(labelled=said)
        chance.append(rank.probabilities(ranker, scored(ranker, texts[0]))[0, 0])
    assert chance[0] < chance[1] < chance[2]


def test_empty_texts_teach_nothing_and_break_nothing() -> None:
    book = Codebook(themes=(Theme(name="A", exemplars=(Exemplar(text="..."),)), *BOOK.themes))
    sound(book, decisions(["", "...", "the bus"], [[1, 0, 0, 0, 0], [0] * 5, [0, 1, 0, 0, 0]]))


def test_everything_was_decided_alike() -> None:
    sound(BOOK, decisions(["the bus"] * 60, [[1, 1, 1, 1]] * 60, ["D"] * 60))
    sound(BOOK, decisions(["the bus"] * 60, [[0, 0, 0, 0]] * 60, ["D"] * 60))


def test_a_stricter_study_is_fitted_with_its_own_precision() -> None:
    strict = rank.fit(BOOK, known(BOOK), None, RankSettings(precision=0.9))
    assert set(strict.thresholds.values()) == {0.9}
