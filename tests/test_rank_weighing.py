"""How much each part of the score counts in a study, and what stands around a passage."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import rank
from pipeline.rank import NONE, Around, Labelled, around, combine, evidence, learned, left_out, lexical, material, weigh
from pipeline.records import Codebook, Theme

from .test_rank import BOOK, SETTINGS, decisions, fitted, known, scored, vector, vectors


def parts(rows: int, themes: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parts of which only `words` tells the themes of a passage, and the themes."""
    rng = np.random.default_rng(seed)
    gold = np.eye(themes)[rng.integers(0, themes, rows)]
    found = {name: rng.normal(size=(rows, themes)) for name in combine.FITTED}
    found["words"] = found["words"] * 0.3 + 2 * gold
    return {**found, "near miss": np.zeros((rows, themes))}, gold


def test_without_a_passage_every_part_counts_as_usual() -> None:
    none, gold = parts(0, 4)
    assert weigh.choose(none, gold, np.zeros(0)) == dict.fromkeys(combine.FITTED, 1.0) | {
        "family": 0.0,
        "near miss": 0.0,
    }


def test_a_few_passages_hardly_move_the_weights_and_many_do() -> None:
    few, many = (weigh.choose(*parts(n, 6), np.ones(n)) for n in (4, 800))
    assert all(abs(weight - weigh.USUAL[name]) < 0.15 for name, weight in few.items())
    assert many["words"] > 1.3
    assert all(many[name] < max(0.8 * weigh.USUAL[name], 0.1) for name in combine.FITTED if name != "words")


def test_weights_are_never_negative() -> None:
    found, gold = parts(800, 6)
    found["terms"] = -3 * gold
    assert min(weigh.choose(found, gold, np.ones(800)).values()) >= 0


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 5))
def test_the_order_of_themes_does_not_matter_to_the_weights(order: list[int], seed: int) -> None:
    found, gold = parts(40, 5, seed)
    one = weigh.choose(found, gold, np.ones(40))
    other = weigh.choose({name: part[:, order] for name, part in found.items()}, gold[:, order], np.ones(40))
    assert one == pytest.approx(other, abs=1e-3)


def test_passages_of_one_document_count_less_than_as_many_of_several() -> None:
    found, gold = parts(60, 6)
    alone, together = weigh.independent(np.arange(60)), weigh.independent(np.zeros(60, dtype=int))
    assert (alone == 1).all()
    far, near = (weigh.choose(found, gold, counts)["words"] for counts in (alone, together))
    assert 1 < near < far


def test_a_part_without_anything_to_say_keeps_its_weight() -> None:
    found, gold = parts(100, 4)
    found["asked"] = np.zeros((100, 4))
    assert weigh.choose(found, gold, np.ones(100))["asked"] == 1.0


def surrounded(asked: str = "", before: str = "", after: str = "", sentences: tuple[str, ...] = ()) -> Around:
    texts = [text for text in (asked, before, after, *sentences) if text]
    return Around(
        vectors=vectors(texts) if texts else np.zeros((0, 24), dtype=np.float32),
        asked=np.array([texts.index(asked) if asked else NONE]),
        before=np.array([texts.index(before) if before else NONE]),
        after=np.array([texts.index(after) if after else NONE]),
        sentences=np.array([texts.index(one) for one in sentences], dtype=np.intp),
        of=np.zeros(len(sentences), dtype=np.intp),
    )


def test_the_question_lifts_the_theme_it_asks_about_and_never_drowns_the_answer() -> None:
    ranker = fitted()
    answer, question = "Yes, it does.", "Was the bus late?"
    plain = rank.score(ranker, [answer], vectors([answer]))
    asked = rank.score(ranker, [answer], vectors([answer]), surrounded(asked=question))
    assert asked.parts["asked"][0].argmax() == 0
    assert asked.total[0, 0] - asked.total[0, 1] > plain.total[0, 0] - plain.total[0, 1]
    assert (np.abs(asked.parts["asked"]) <= combine.ASKED * combine.BOUND * ranker.weights["asked"]).all()
    clear = "A rude nurse sent me home."
    assert (
        rank.score(ranker, [clear], vectors([clear]), surrounded(question, question, question)).total[0].argmax() == 1
    )


def test_what_is_said_next_lifts_the_theme_it_is_about_and_never_drowns_the_segment() -> None:
    ranker = fitted()
    short, long = "Yes, it does.", "The bus was late."
    after = rank.score(ranker, [short], vectors([short]), surrounded(after=long)).parts["after"][0]
    assert after.argmax() == 0
    assert (np.abs(after) <= combine.AFTER * combine.BOUND * ranker.weights["after"]).all()


def test_nothing_around_says_nothing() -> None:
    ranker = fitted()
    scores = rank.score(ranker, ["the bus"], vectors(["the bus"]), surrounded())
    for name in ("asked", "before", "after", "sentence"):
        assert (scores.parts[name] == 0).all()
    np.testing.assert_array_equal(scores.total, scored(ranker, "the bus").total)


def test_the_best_sentence_of_a_passage_counts_beyond_the_whole() -> None:
    inside = ("We sang a song and had tea.", "The bus was late.", "The weather was fine.")
    text = " ".join(inside)
    ranker = fitted()
    found = rank.score(ranker, [text], vectors([text]), surrounded(sentences=inside)).parts["sentence"][0]
    whole, *each = (evidence.evidence(ranker.model, [one], vectors([one])).own for one in (text, *inside))
    senses = [combine._sense(one, ranker.scales)[0] for one in (whole, *each)]
    expected = combine.SENTENCE * ranker.weights["sentence"] * (np.max(senses[1:], axis=0) - senses[0])
    np.testing.assert_allclose(found, expected, atol=1e-9)
    fewer = rank.score(ranker, [text], vectors([text]), surrounded(sentences=inside[::2])).parts["sentence"][0]
    assert (found >= fewer - 1e-9).all()
    assert found[0] > fewer[0]


def test_what_a_theme_says_it_is_not_counts_against_it() -> None:
    text = "We sang about a bus."
    plain = BOOK.themes[0]
    noted = replace(plain, exclude="Songs about a bus.")
    without, having = (fitted(Codebook(themes=(first, *BOOK.themes[1:]))) for first in (plain, noted))
    assert noted.exclude in rank.codebook_texts(Codebook(themes=(noted,)))
    one, two = (rank.score(ranker, [text], vectors([text])).parts["exclude"][0] for ranker in (without, having))
    assert (one == 0).all()
    assert two[0] < 0
    assert (two[1:] == 0).all()
    definition = rank.definition_text(noted)
    assert rank.score(having, [definition], vectors([definition])).parts["exclude"][0, 0] == 0


def test_surroundings_go_with_their_passages() -> None:
    whole = Around(
        vectors=vectors(["a", "b", "c"]),
        asked=np.array([0, NONE, 1]),
        before=np.array([NONE, 2, 2]),
        after=np.array([1, NONE, 0]),
        sentences=np.array([0, 1, 2]),
        of=np.array([0, 2, 2]),
    )
    some = whole.part(np.array([2, 0]))
    assert some.asked.tolist() == [1, 0]
    assert some.after.tolist() == [0, 1]
    assert len(whole.part(np.array([0])).vectors) == 2
    lone = whole.part(np.array([1]))
    np.testing.assert_array_equal(lone.vectors, vectors(["c"]))
    assert (lone.asked.tolist(), lone.before.tolist(), lone.after.tolist()) == ([NONE], [0], [NONE])
    assert some.before.tolist() == [2, NONE]
    assert (some.sentences.tolist(), some.of.tolist()) == ([1, 2, 0], [0, 0, 1])
    joined = around.join([whole, some])
    assert joined.asked.tolist() == [0, NONE, 1, 4, 3]
    assert joined.after.tolist() == [1, NONE, 0, 3, 4]
    assert (joined.sentences.tolist(), joined.of.tolist()) == ([0, 1, 2, 4, 5, 3], [0, 2, 2, 3, 3, 4])


def test_a_theme_with_little_of_its_own_borrows_from_its_family() -> None:
    book = Codebook(
        themes=(
            Theme(name="Travel", exemplars=BOOK.themes[0].exemplars),
            Theme(name="Hiking", parent="Travel", definition="Going on foot."),
            Theme(name="Staff", exemplars=BOOK.themes[1].exemplars),
            Theme(name="Cooking", definition="Making food."),
        )
    )
    ranker = fitted(book)
    found = scored(replace(ranker, weights={**ranker.weights, "family": 1.0}), "the bus was late").parts["family"][0]
    assert found[1] > found[3] == 0
    assert found[1] > found[0]  # Travel has exemplars of its own and hardly borrows
    assert found[2] == 0


def test_relatives_count_only_in_a_study_whose_passages_are_told_better_with_them() -> None:
    rng = np.random.default_rng(0)
    found, gold = parts(400, 6)
    helps = {**found, "family": rng.normal(size=gold.shape) + gold}
    for family, counts in ((helps["family"], True), (found["family"], False), (-helps["family"], False)):
        assert (weigh.choose({**found, "family": family}, gold, np.ones(400))["family"] > 0.1) == counts


class TestLeavingOutWhatIsAround:
    """What is around a known passage must be told as if the passage's document had never been seen."""

    said = Labelled(
        texts=("the bus fare", "my family and the nurse", "a long queue"),
        vectors=vectors(["the bus fare", "my family and the nurse", "a long queue"]),
        gold=np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], dtype=float),
        rejected=np.zeros((3, 4), dtype=bool),
        documents=("D1", "D1", "D2"),
        around=Around(
            vectors=vectors(["was it dear", "who came along", "how long"]),
            asked=np.array([0, 1, 2]),
            before=np.array([NONE, 0, NONE]),
            after=np.array([1, NONE, NONE]),
            sentences=np.array([0, 1]),
            of=np.array([1, 1]),
        ),
    )

    def test_equals_refitting_without_the_document(self) -> None:
        rows = material.gather(BOOK, known(BOOK), self.said)
        model, left = left_out.fit_model(rows)
        base, residual, ridge = learned.problem(rows)
        texts = evidence.unit(rows.around.vectors - model.mean)
        shared = lexical.weigh(lexical.count(rows.texts), model.weights)
        kernel = learned.closeness(model.vectors @ model.vectors.T) + (shared @ shared.T).toarray()
        for text, row in ((0, 6), (1, 7), (2, 8)):
            rest = np.flatnonzero(rows.groups != rows.groups[row])
            solved = np.linalg.solve(kernel[np.ix_(rest, rest)] + np.diag(ridge[rest]), residual[rest])
            expected = base + learned.closeness(texts[text] @ model.vectors[rest].T) @ solved
            np.testing.assert_allclose(left.other.learned[text], expected, atol=1e-5)
            shown = rest[rest < rows.shown]
            for theme in range(4):
                of = shown[rows.positive[shown, theme]]
                towards = (rows.shares[of, theme, None] * model.vectors[of]).sum(axis=0)
                towards = evidence.unit(towards[None])[0] if of.size else model.vectors[rows.shown + theme]
                assert left.other.centre[text, theme] == pytest.approx(texts[text] @ towards, abs=1e-6)

    def test_a_study_of_surrounded_decisions_is_the_same_every_time(self) -> None:
        one, two = (rank.fit(BOOK, known(BOOK), self.said, SETTINGS) for _ in range(2))
        assert one.model.coefficients.tobytes() == two.model.coefficients.tobytes()
        assert one.weights == two.weights


def test_decisions_in_another_order_teach_the_same() -> None:
    texts = ["the bus fare", "rude people", "a queue"]
    gold: list[list[float]] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    forth = fitted(labelled=decisions(texts, gold, ["A", "A", "B"]))
    back = fitted(labelled=decisions(texts[::-1], gold[::-1], ["B", "A", "A"]))
    for text in ("the bus queue", "people", ""):
        np.testing.assert_allclose(scored(forth, text).total, scored(back, text).total, atol=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["the bus fare", "my rude family", "a friend alone in the queue"]), st.integers(0, 3))
def test_accepting_a_passage_never_makes_its_theme_less_probable_for_the_same_words(text: str, theme: int) -> None:
    others = ["late road", "kind nurse", "ashamed family", "friend story"]
    gold = np.eye(4).tolist()
    before = fitted(labelled=decisions(others, gold))
    after = fitted(labelled=decisions([*others, text], [*gold, np.eye(4)[theme].tolist()]))
    one, two = (rank.probabilities(r, rank.score(r, [text], vector(text)[None]))[0, theme] for r in (before, after))
    assert two >= one - 1e-6
