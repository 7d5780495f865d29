import os
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from pipeline import rank
from pipeline.config import RankSettings
from pipeline.rank import Labelled, calibrate, combine, evidence, learned, left_out, lexical, material
from pipeline.records import Codebook, Exemplar, Kind, SegmentId, Theme

SETTINGS = RankSettings()
WORDS = [
    "bus",
    "late",
    "road",
    "fare",
    "nurse",
    "kind",
    "rude",
    "family",
    "ashamed",
    "alone",
    "friend",
    "story",
    "queue",
]

BOOK = Codebook(
    themes=(
        Theme(
            name="Getting there",
            definition="How people travel to the service.",
            exemplars=(
                Exemplar(text="The bus was late and the road was bad.", source="FG1#t1"),
                Exemplar(text="The bus fare is more than my food.", source="FG2#t7"),
                Exemplar(text="We wait at the road for a lift."),
            ),
        ),
        Theme(
            name="Staff",
            definition="How staff treat people.",
            exemplars=(
                Exemplar(text="The nurse was kind and listened.", kind=Kind.ATYPICAL),
                Exemplar(text="A rude nurse sent me home."),
            ),
        ),
        Theme(name="Shame", definition="Being ashamed before family or neighbours."),
        Theme(name="Peers", exemplars=(Exemplar(text="My friend in the group shared her story."),)),
    )
)


def vector(text: str) -> NDArray[np.float32]:
    """A bag of words in 24 dimensions: near when words are shared, as a sentence encoder's vectors are."""
    total = np.full(24, 0.3)
    for word in text.lower().replace(".", "").replace(":", "").split():
        total += np.random.default_rng(zlib.crc32(word.encode())).normal(size=24)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def vectors(texts: list[str] | tuple[str, ...]) -> NDArray[np.float32]:
    return np.stack([vector(text) for text in texts])


def known(book: Codebook) -> dict[str, NDArray[np.float32]]:
    return {text: vector(text) for text in rank.codebook_texts(book)}


def fitted(book: Codebook = BOOK, labelled: Labelled | None = None) -> rank.Ranker:
    return rank.fit(book, known(book), labelled, SETTINGS)


def scored(ranker: rank.Ranker, *texts: str) -> rank.Scores:
    return rank.score(ranker, texts, vectors(texts))


def decisions(texts: list[str], gold: list[list[float]], documents: list[str] | None = None) -> Labelled:
    return Labelled(
        texts=tuple(texts),
        vectors=vectors(texts),
        gold=np.array(gold, dtype=float),
        rejected=np.zeros((len(texts), len(gold[0])), dtype=bool),
        documents=tuple(documents or [f"D{i}" for i in range(len(texts))]),
    )


sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


def test_texts_that_need_vectors_are_all_named_once_in_order() -> None:
    texts = rank.codebook_texts(BOOK)
    assert texts[0] == "The bus was late and the road was bad."
    assert texts[-2:] == ("Shame: Being ashamed before family or neighbours.", "Peers")
    assert len(texts) == len(set(texts)) == 6 + 4


def test_a_passage_gets_the_theme_it_speaks_of() -> None:
    texts = ("the bus was late again", "that nurse listened", "ashamed before my neighbours", "her story")
    assert scored(fitted(), *texts).total.argmax(axis=1).tolist() == [0, 1, 2, 3]


@settings(max_examples=25, deadline=None)
@given(st.lists(sentences, min_size=1, max_size=6))
def test_the_score_is_the_sum_of_its_parts(texts: list[str]) -> None:
    scores = scored(fitted(), *texts)
    assert tuple(scores.parts) == rank.PARTS
    np.testing.assert_allclose(sum(scores.parts.values()), scores.total, atol=1e-9)
    assert np.isfinite(scores.total).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(sentences, min_size=2, max_size=7), st.randoms(use_true_random=False))
def test_a_score_does_not_depend_on_what_is_ranked_with_it(texts: list[str], random: object) -> None:
    ranker = fitted()
    together = scored(ranker, *texts)
    order = np.random.default_rng(zlib.crc32(repr(texts).encode())).permutation(len(texts))
    shuffled = scored(ranker, *(texts[i] for i in order))
    np.testing.assert_allclose(shuffled.total, together.total[order], atol=1e-6)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(scored(ranker, text).total[0], together.total[row], atol=1e-6)


def test_more_passages_than_are_scored_at_once_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["the bus", "a nurse", "my family", "her story", "a form"]
    whole = scored(fitted(), *texts).total
    monkeypatch.setattr(evidence, "CHUNK", 2)
    np.testing.assert_allclose(scored(fitted(), *texts).total, whole, atol=1e-9)


def test_the_same_material_gives_the_same_bytes() -> None:
    said = decisions(["the bus fare", "rude people"], [[1, 0, 0, 0], [0, 1, 0, 0]])
    one, two = (scored(fitted(labelled=said), "the nurse missed the bus") for _ in range(2))
    assert one.total.tobytes() == two.total.tobytes()


FIT = """
import hashlib
import numpy as np
from pipeline import rank
from pipeline.config import RankSettings
from pipeline.records import Codebook, Theme

rng = np.random.default_rng(0)
rows = rng.normal(size=(420, 96)).astype(np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
themes = tuple(Theme(name=f"Theme {at}") for at in range(20))
known = {theme.name: row for theme, row in zip(themes, rows)}
texts = tuple(" ".join(f"word{at}" for at in rng.integers(0, 300, 12)) for _ in range(400))
said = rank.Labelled(
    texts=texts, vectors=rows[20:], gold=np.eye(20)[rng.integers(0, 20, 400)],
    rejected=np.zeros((400, 20), bool), documents=tuple(f"D{at // 20}" for at in range(400)),
)
ranker = rank.fit(Codebook(themes=themes), known, said, RankSettings())
numbers = ranker.model.coefficients.tobytes() + ranker.curve.moves.tobytes() + repr(ranker.weights).encode()
print(hashlib.sha256(numbers).hexdigest())
"""


def test_the_same_material_gives_the_same_bytes_on_one_core_and_on_two() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-c", FIT],
            env=os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), cores),
            check=True,
            capture_output=True,
        ).stdout
        for cores in ("1", "2")
    ]
    assert printed[0] == printed[1]


def test_no_passage_at_all_gives_no_suggestion() -> None:
    assert rank.suggest(fitted(), [], [], np.zeros((0, 24), dtype=np.float32), SETTINGS) == []


@pytest.mark.parametrize("text", ["", "...", "zzz qqq"])
def test_a_passage_without_a_known_word_is_scored_too(text: str) -> None:
    ranker = fitted()
    scores = scored(ranker, text)
    assert np.isfinite(scores.total).all()
    assert rank.probabilities(ranker, scores).max() < 0.5


@pytest.mark.parametrize(
    ("theme", "about"), [(0, "the bus was late"), (2, "ashamed before family"), (3, "my friend in the group")]
)
def test_a_codebook_of_one_theme_works_with_and_without_exemplars(theme: int, about: str) -> None:
    ranker = fitted(Codebook(themes=(BOOK.themes[theme],)))
    scores = scored(ranker, about, "zebra xylophone")
    chance = rank.probabilities(ranker, scores)
    assert scores.total[0, 0] > scores.total[1, 0]
    assert chance[0, 0] > chance[1, 0]
    assert chance[1, 0] < 0.5


def test_a_codebook_of_definitions_alone_works() -> None:
    book = Codebook(themes=tuple(replace(theme, exemplars=()) for theme in BOOK.themes))
    ranker = fitted(book)
    scores = scored(ranker, "how staff treat me", "ashamed before the neighbours")
    assert scores.total.argmax(axis=1).tolist() == [1, 2]
    assert (scores.best == -1).all()
    assert ranker.provisional
    np.testing.assert_array_equal(ranker.curve.weights, calibrate.USUAL - calibrate.CAUTION)


def test_a_near_miss_counts_against_its_theme() -> None:
    text = "I feel sick on the bus to town."
    missed = replace(
        BOOK.themes[0], exemplars=(*BOOK.themes[0].exemplars, Exemplar(text=text, kind=Kind.NEAR_MISS, source="FG1"))
    )
    before = fitted()
    after = fitted(Codebook(themes=(missed, *BOOK.themes[1:])))
    one, two = scored(before, text), scored(after, text)
    assert two.parts["learned"][0, 0] < one.parts["learned"][0, 0]
    assert evidence.evidence(after.model, [text], vectors([text])).learned[0, 0] < 0  # less than no share of the theme
    assert rank.probabilities(after, two)[0, 0] < rank.probabilities(before, one)[0, 0]
    assert scored(after, "The bus was late and the road was bad.").total[0].argmax() == 0


def test_the_nearness_of_a_near_miss_counts_against_the_theme_as_far_as_the_study_says() -> None:
    text = "I feel sick on the bus to town."
    missed = replace(BOOK.themes[0], exemplars=(*BOOK.themes[0].exemplars, Exemplar(text=text, kind=Kind.NEAR_MISS)))
    for weight in (0.0, 0.5):
        ranker = fitted(Codebook(themes=(missed, *BOOK.themes[1:])))
        ranker = replace(ranker, weights={**ranker.weights, "near miss": weight})
        assert (scored(ranker, text).parts["near miss"][0, 0] < 0) == (weight > 0)
        assert scored(ranker, "The bus was late and the road was bad.").parts["near miss"][0, 0] == 0


def test_a_near_miss_of_one_theme_says_nothing_of_the_others() -> None:
    """Else passages that nobody put to a theme would say that none fits, and how much the parts tell."""
    quotes = [Exemplar(text=f"The nurse was number {at}.", kind=Kind.NEAR_MISS) for at in range(40)]
    missed = replace(BOOK.themes[0], exemplars=(*BOOK.themes[0].exemplars, *quotes))
    one, two = BOOK, Codebook(themes=(missed, *BOOK.themes[1:]))
    rows = material.gather(two, known(two), None)
    assert rows.told.sum() == rows.quotes - len(quotes)
    assert fitted(two).curve.weights[0] == pytest.approx(fitted(one).curve.weights[0], abs=0.6)


def test_a_near_miss_is_never_shown_as_the_exemplar() -> None:
    text = "The fare is free."
    only = Theme(name="Cost", exemplars=(Exemplar(text=text, kind=Kind.NEAR_MISS),))
    ranker = fitted(Codebook(themes=(only, *BOOK.themes)))
    made = rank.suggest(ranker, [SegmentId("s")], [text], vectors([text]), SETTINGS)
    assert next(s for s in made if s.theme == "Cost").exemplar == ""


def test_a_quote_of_two_themes_names_its_source_in_each() -> None:
    quote = "The nurse paid my fare."
    book = Codebook(
        themes=(
            Theme(name="Travel", definition="Roads.", exemplars=(Exemplar(text=quote, source="A#1"),)),
            Theme(name="Staff", definition="Nurses.", exemplars=(Exemplar(text=quote, source="B#2"),)),
        )
    )
    made = rank.suggest(fitted(book), [SegmentId("s")], [quote], vectors([quote]), SETTINGS)
    assert {s.theme: s.exemplar_source for s in made} == {"Travel": "A#1", "Staff": "B#2"}


def test_suggestions_are_the_best_few_and_say_why() -> None:
    texts = ["the bus was late", "a kind nurse"]
    lenient = RankSettings(top_k=2, precision=0.4)
    ranker = rank.fit(BOOK, known(BOOK), None, lenient)
    made = rank.suggest(ranker, [SegmentId("a"), SegmentId("b")], texts, vectors(texts), lenient)
    assert [(s.segment, s.rank) for s in made] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert made[0].theme == "Getting there"
    assert (made[0].exemplar, made[0].exemplar_source) == ("The bus was late and the road was bad.", "FG1#t1")
    assert all(s.suggested == (s.probability >= 0.4) for s in made)
    assert all(s.score == pytest.approx(sum(value for _, value in s.parts), abs=1e-3) for s in made)
    assert made[0].score >= made[1].score
    assert made[0].probability == round(made[0].probability, 4)


def test_top_k_may_be_larger_than_the_codebook() -> None:
    made = rank.suggest(fitted(), [SegmentId("a")], ["the bus"], vectors(["the bus"]), RankSettings(top_k=50))
    assert [s.rank for s in made] == [1, 2, 3, 4]


def test_of_equal_themes_the_first_in_the_codebook_comes_first() -> None:
    book = Codebook(themes=tuple(Theme(name=name) for name in ("zeta", "alpha", "mu")))
    alike = dict.fromkeys(rank.codebook_texts(book), vector("nothing in particular"))
    ranker = rank.fit(book, alike, None, SETTINGS)
    made = rank.suggest(ranker, [SegmentId("a")], ["the bus"], vectors(["the bus"]), SETTINGS)
    assert [s.theme for s in made] == ["zeta", "alpha", "mu"]


def test_decisions_teach() -> None:
    text = "They lost my form at the office."
    said = decisions(["My form was lost.", "The office has no form."], [[0, 0, 0, 1], [0, 0, 0, 1]])
    before, after = (scored(fitted(labelled=labelled), text) for labelled in (None, said))
    assert before.total[0].argmax() != 3
    assert after.total[0].argmax() == 3


def test_a_theme_given_often_is_suggested_more() -> None:
    said = decisions([f"shared item {i}" for i in range(8)], [[0, 0, 1, 0]] * 8)
    parts = scored(fitted(labelled=said), "zzz").parts["frequency"][0]
    assert parts[2] > parts[0] == parts[1] == parts[3]
    assert (scored(fitted(), "zzz").parts["frequency"] == 0).all()


def test_a_rejection_counts_against_the_theme() -> None:
    text = "The bus was red."
    read = decisions([text], [[0, 0, 0, 0]])
    turned_down = replace(read, rejected=np.array([[True, False, False, False]]))
    plain, rejected = (scored(fitted(labelled=labelled), text).total[0, 0] for labelled in (read, turned_down))
    assert rejected < plain < scored(fitted(), text).total[0, 0]


def test_probabilities_are_provisional_until_enough_was_decided() -> None:
    few = decisions(["the bus"] * 49, [[1, 0, 0, 0]] * 49)
    enough = decisions(["the bus"] * 50, [[1, 0, 0, 0]] * 50)
    assert fitted().provisional
    assert fitted(labelled=few).provisional
    assert not fitted(labelled=enough).provisional


def test_probabilities_follow_how_often_suggestions_were_right() -> None:
    texts = [f"the bus number {i} was late" for i in range(80)]
    right, wrong = (fitted(labelled=decisions(texts, [[share, 0, 0, 0]] * 80)) for share in (1, 0))
    high, low = (rank.probabilities(r, scored(r, "the bus number 99 was late")).max() for r in (right, wrong))
    assert high > 0.8
    assert low < 0.2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-9, 9), min_size=4, max_size=4), min_size=1, max_size=5))
def test_of_the_themes_of_a_passage_the_better_is_never_less_probable(rows: list[list[float]]) -> None:
    ranker = fitted()
    scores = np.array(rows)
    chance = calibrate.apply_curve(ranker.curve, scores)
    order = np.argsort(scores, axis=1)
    assert (np.diff(np.take_along_axis(chance, order, axis=1), axis=1) >= -1e-12).all()
    assert (ranker.curve.weights[1:] >= 0).all()


def test_more_decisions_than_are_learned_from_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "MOST", 3)
    said = decisions([f"text {i}" for i in range(9)], [[1, 0, 0, 0]] * 9)
    rows = material.gather(BOOK, known(BOOK), said)
    assert rows.texts[rows.quotes : rows.shown] == ("text 0", "text 4", "text 8")


class TestLeavingOut:
    """Evidence on a known passage must be what it would be if its document had never been seen."""

    said = decisions(
        ["the bus fare", "my family and the nurse", "a long queue", "her kind friend"],
        [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0.5, 0, 0.5]],
        ["FG1", "D1", "D1", "D2"],
    )

    def test_rows_of_a_document_go_together(self) -> None:
        groups = material.gather(BOOK, known(BOOK), self.said).groups
        quotes = 6
        assert groups[quotes + 1] == groups[quotes + 2]
        assert groups[0] == groups[quotes]  # an exemplar from a document that was decided on
        assert len(set(groups)) == len(groups) - 2

    def test_the_learned_part_equals_refitting(self) -> None:
        rows = material.gather(BOOK, known(BOOK), self.said)
        model, left = left_out.fit_model(rows)
        base, residual, ridge = learned.problem(rows)
        wording = lexical.weigh(lexical.count(rows.texts), model.weights)
        kernel = learned.closeness(model.vectors @ model.vectors.T) + (wording @ wording.T).toarray()
        for row in range(rows.shown):
            rest = np.flatnonzero(rows.groups != rows.groups[row])
            solved = np.linalg.solve(kernel[np.ix_(rest, rest)] + np.diag(ridge[rest]), residual[rest])
            np.testing.assert_allclose(left.learned[row], base + kernel[row, rest] @ solved, atol=1e-5)

    def test_centres_and_nearest_equal_recomputing(self) -> None:
        rows = material.gather(BOOK, known(BOOK), self.said)
        model, left = left_out.fit_model(rows)
        shown = model.vectors[: rows.shown]
        for row in range(rows.shown):
            rest = rows.groups[: rows.shown] != rows.groups[row]
            for theme in range(4):
                of = rest & rows.positive[:, theme]
                if not of.any():
                    assert np.isnan(left.centre[row, theme])
                    continue
                centre = (rows.shares[: rows.shown][of, theme, None] * shown[of]).sum(axis=0)
                expected = shown[row] @ centre / np.linalg.norm(centre)
                assert left.centre[row, theme] == pytest.approx(expected, abs=1e-6)
                assert left.nearest[row, theme] == pytest.approx((shown[of] @ shown[row]).max(), abs=1e-6)

    def test_new_passages_meet_everything(self) -> None:
        rows = material.gather(BOOK, known(BOOK), self.said)
        model, _ = left_out.fit_model(rows)
        raw = evidence.evidence(model, rows.texts[:1], rows.vectors[:1])
        assert raw.nearest[0, 0] == pytest.approx(1)
        assert raw.best[0].tolist() == [0, 3 + np.argmax(model.vectors[3:5] @ model.vectors[0]), -1, 5]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.integers(2, 60))
def test_errors_of_rows_left_out_with_their_group_follow_from_the_inverse(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    square = rng.normal(size=(size, size))
    matrix = square @ square.T / size + np.eye(size)
    groups = rng.integers(0, max(size // 2, 1), size)
    _, groups = np.unique(groups, return_inverse=True)
    inverse = np.linalg.inv(matrix)
    coefficients = rng.normal(size=(size, 3))
    half = np.asfortranarray(np.linalg.inv(np.linalg.cholesky(matrix)), dtype=np.float32)
    fit = learned.Apart(coefficients=coefficients, half=half)
    found = fit.errors(groups)
    for block in learned.blocks(groups):
        expected = np.linalg.solve(inverse[np.ix_(block, block)], coefficients[block])
        np.testing.assert_allclose(found[block], expected, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(learned.columns(fit.inverse(), block), inverse[:, block], rtol=1e-3, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.lists(sentences, min_size=1, max_size=60), st.integers(1, 60))
def test_wording_in_common_is_that_of_all_n_grams(texts: list[str], together: int) -> None:
    counts = lexical.count(texts)
    wording = lexical.weigh(counts, lexical.learn(counts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "TOGETHER", together)
        found = lexical.products(wording)
    np.testing.assert_allclose(found, (wording @ wording.T).toarray(), atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="abcdäß 中'.\n-", max_size=12), min_size=1, max_size=5))
def test_n_grams_are_those_of_scikit_learn(texts: list[str]) -> None:
    counts = lexical.count(texts)
    plain = [" ".join(lexical._WORD.findall(text.casefold())) for text in texts]
    pieces = CountVectorizer(analyzer="char_wb", ngram_range=(3, 5), lowercase=False)
    words = CountVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", lowercase=False)
    for ours, theirs in ((counts.pieces, pieces), (counts.words, words)):
        try:
            expected = theirs.fit_transform(plain)
        except ValueError:  # no n-gram at all
            assert ours.nnz == 0
            continue
        np.testing.assert_array_equal((ours @ ours.T).toarray(), (expected @ expected.T).toarray())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(sentences, max_size=5), min_size=1, max_size=4), st.integers(0, 6))
def test_n_grams_that_were_remembered_are_those_counted_anew(asked: list[list[str]], remembered: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "REMEMBERED", remembered)
        counted = lexical.Counted()
        for texts in asked:
            for kept, anew in zip(counted.count(texts).families(), lexical.count(texts).families(), strict=True):
                assert kept.shape == anew.shape
                for part in ("data", "indices", "indptr"):
                    np.testing.assert_array_equal(getattr(kept, part), getattr(anew, part), strict=part == "data")


def test_a_text_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = lexical.Counted()
    rank.fit(BOOK, known(BOOK), decisions(["the bus fare"], [[1, 0, 0, 0]]), RankSettings(), counted)
    seen: list[str] = []
    count = lexical.count

    def counting(texts: list[str]) -> lexical.Counts:
        seen.extend(texts)
        return count(texts)

    monkeypatch.setattr(lexical, "count", counting)
    said = decisions(["the bus fare", "a queue"], [[1, 0, 0, 0], [0, 0, 0, 0]])
    again = rank.fit(BOOK, known(BOOK), said, RankSettings(), counted)
    assert seen == ["a queue"]
    assert again.model.coefficients.tobytes() == fitted(labelled=said).model.coefficients.tobytes()


def test_words_that_were_never_seen_have_no_weight() -> None:
    weights = lexical.learn(lexical.count(["the bus was late"]))
    rows = lexical.weigh(lexical.count(["the bus was late", "bus zebra", "zebra"]), weights).toarray()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 0], atol=1e-6)


def test_what_many_themes_fit_scores_lower_than_what_one_theme_fits() -> None:
    taken = combine.rivals(np.array([[4.0, 0.0, 0.0], [4.0, 4.0, 4.0]]))
    assert taken[1, 0] < taken[0, 0] < 0
    assert (taken[1] == taken[1, 0]).all()
    scores = scored(fitted(), "the bus", "a nurse")
    np.testing.assert_allclose(scores.parts["rivals"], combine.rivals(scores.total - scores.parts["rivals"]))
    assert (scores.parts["rivals"] != 0).any()
