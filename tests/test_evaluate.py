import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from pipeline.config import RankSettings
from pipeline.errors import CodingFault
from pipeline.evaluate import SYSTEMS, Material, Plan, evaluate, finetuned, metrics, protocol, ranked, systems, to_json
from pipeline.rank import NONE, Around, codebook_texts
from pipeline.records import Codebook, Exemplar, Kind, Theme

THEMES = {
    "Travel": ("bus", "road", "fare", "taxi"),
    "Staff": ("nurse", "doctor", "kind", "rude"),
    "Shame": ("ashamed", "hide", "gossip", "stigma"),
}
AXES = np.eye(16, dtype=np.float32)
PLACE = {word: at for at, word in enumerate(word for words in THEMES.values() for word in words)}


def vector(text: str) -> NDArray[np.float32]:
    total = 0.5 * AXES[15]
    for word in text.lower().split():
        total = total + AXES[PLACE.get(word.strip(".:"), 14)]
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def book(source: str = "") -> Codebook:
    return Codebook(
        themes=tuple(
            Theme(
                name=name,
                definition=f"About {words[0]} and {words[1]}.",
                exemplars=(
                    Exemplar(text=f"It was the {words[0]}.", source=source),
                    Exemplar(text=f"My {words[2]} then."),
                ),
            )
            for name, words in THEMES.items()
        )
    )


def material(documents: int = 6, each: int = 8, codebook: Codebook | None = None, sites: int = 2) -> Material:
    """Documents that speak of every theme in turn; each fourth segment fits nothing."""
    rng = np.random.default_rng(3)
    texts, gold, names, places = [], [], [], []
    codebook = codebook or book()
    for document in range(documents):
        for at in range(each):
            theme = at % 4
            words = list(THEMES.values())[theme] if theme < 3 else ("well", "yes", "so", "maybe")
            texts.append(f"we said {rng.choice(words)} {rng.choice(words)} number {document} {at}")
            gold.append([theme == column for column in range(3)])
            names.append(f"FG{document}")
            places.append(f"site{document % sites}")
    return Material(
        texts=tuple(texts),
        vectors=np.stack([vector(text) for text in texts]),
        gold=np.array(gold),
        documents=tuple(names),
        sites=tuple(places),
        codebook=codebook,
        codebook_vectors={text: vector(text) for text in codebook_texts(codebook)},
    )


grids = st.integers(1, 5).flatmap(
    lambda k: st.lists(
        st.tuples(
            st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=k, max_size=k),
            st.lists(st.booleans(), min_size=k, max_size=k),
        ),
        min_size=1,
        max_size=12,
    )
)
Grid = list[tuple[list[float], list[bool]]]


def arrays(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([row for row, _ in grid]), np.array([row for _, row in grid])


@settings(max_examples=100, deadline=None)
@given(grids)
def test_ranking_measures_equal_their_definitions(grid: Grid) -> None:
    names = [*(f"{name}@{k}" for name in ("hit", "recall") for k in (1, 3, 5)), "mrr"]
    hits: dict[str, list[float]] = {name: [] for name in names}
    for scores, gold in grid:
        true = {theme for theme, given in enumerate(gold) if given}
        if not true:
            continue
        order = sorted(range(len(scores)), key=lambda theme: (-scores[theme], theme))
        for k in (1, 3, 5):
            hits[f"hit@{k}"].append(bool(true & set(order[:k])))
            hits[f"recall@{k}"].append(len(true & set(order[:k])) / min(k, len(true)))
        hits["mrr"].append(1 / (1 + next(at for at, theme in enumerate(order) if theme in true)))
    found = metrics.ranking(*arrays(grid))
    for name, values in hits.items():
        assert found[name] == (pytest.approx(np.mean(values)) if values else None)


@settings(max_examples=100, deadline=None)
@given(grids)
def test_average_precision_equals_scikit_learn(grid: Grid) -> None:
    scores, gold = arrays(grid)
    for theme in np.flatnonzero(gold.any(axis=0)):
        expected = average_precision_score(gold[:, theme], scores[:, theme])
        assert metrics.average_precision(scores[:, theme], gold[:, theme]) == pytest.approx(expected)


def test_map_counts_themes_with_five_positives_only() -> None:
    scores = np.array([[0.9, 0.1]] * 5 + [[0.1, 0.9]] * 4)
    gold = np.array([[True, False]] * 5 + [[True, True]] * 4)
    assert metrics.mean_average_precision(scores[:5], gold[:5]) == 1
    assert metrics.mean_average_precision(scores, gold) == average_precision_score(gold[:, 0], scores[:, 0])
    assert metrics.mean_average_precision(scores, gold, enough=10) is None


@settings(max_examples=100, deadline=None)
@given(grids, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(1, 4))
def test_precision_and_coverage_equal_their_definitions(grid: Grid, threshold: float, top_k: int) -> None:
    passed: list[bool] = []
    covered = 0
    for chance, gold in grid:
        order = sorted(range(len(chance)), key=lambda theme: (-chance[theme], theme))[:top_k]
        mine = [gold[theme] for theme in order if chance[theme] >= threshold]
        passed += mine
        covered += bool(mine)
    said, truth = arrays(grid)
    precision, coverage = metrics.abstention(metrics.best_of(said, top_k) & (said >= threshold), truth)
    assert precision == (pytest.approx(np.mean(passed)) if passed else None)
    assert coverage == pytest.approx(covered / len(grid))


def test_calibration_error_is_over_the_three_best_in_ten_bins_of_equal_mass() -> None:
    rng = np.random.default_rng(5)
    chance, gold = rng.random((200, 6)), rng.random((200, 6)) < 0.3
    pairs = []
    for row, true in zip(chance, gold, strict=True):
        best = sorted(range(6), key=lambda theme: -row[theme])[:3]
        pairs += [(row[theme], true[theme]) for theme in best]
    pairs.sort(key=lambda pair: pair[0])
    bins = [pairs[at * 60 : (at + 1) * 60] for at in range(10)]
    expected = np.mean([abs(np.mean([p for p, _ in b]) - np.mean([t for _, t in b])) for b in bins])
    found = metrics.reliability(chance, gold)
    assert [b.count for b in found] == [60] * 10
    assert metrics.expected_calibration_error(found) == pytest.approx(expected)


def test_probabilities_that_are_right_have_no_calibration_error() -> None:
    gold = np.array([[True, False], [False, True]])
    assert metrics.expected_calibration_error(metrics.reliability(gold.astype(float), gold)) == 0


def test_every_system_is_measured_and_only_themescout_abstains() -> None:
    found = evaluate(material())
    assert tuple(found.systems) == SYSTEMS
    assert found.segments == 48
    assert found.coded == 36
    for name, system in found.systems.items():
        for measure in ("coverage", "precision", "ece"):
            assert (system.values[measure] is None) == (name != "themescout")
    ours, often = (found.systems[name].values["recall@1"] for name in ("themescout", "frequency"))
    assert ours is not None
    assert often is not None
    assert ours > 0.9 > often


def test_the_result_is_plain_json_in_the_promised_shape() -> None:
    told = json.loads(json.dumps(to_json(evaluate(material())), allow_nan=False))
    assert {"protocol", "segments", "themes", "systems", "learning_curve"} <= told.keys()
    promised = [
        "hit@1",
        "hit@3",
        "hit@5",
        "recall@1",
        "recall@3",
        "recall@5",
        "mrr",
        "map",
        "coverage",
        "precision",
        "ece",
    ]
    for measures in told["systems"].values():
        assert list(measures)[: len(promised)] == promised
    assert [step["decided"] for step in told["learning_curve"]] == [0]
    assert (told["by_theme"][0]["theme"], told["by_theme"][0]["positives"]) == ("Travel", 12)
    assert 0 < told["by_theme"][0]["average_precision"] <= 1
    assert sum(part["count"] for part in told["reliability"]) == 48 * 3


def test_the_same_material_gives_the_same_result() -> None:
    one, two = (to_json(evaluate(material(6, 12), Plan(source="decisions"))) for _ in range(2))
    assert one == two


@pytest.mark.parametrize(("documents", "models"), [(6, 6), (30, 20)])
def test_decisions_of_the_own_document_are_never_learned_from(documents: int, models: int) -> None:
    those = material(documents, 4)
    folds = protocol.from_decisions(those)
    assert len(folds) == models
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(those.texts)))
    for fold in folds:
        assert not {those.places[row] for row in fold.test} & {those.places[row] for row in fold.train}
        assert len(fold.test) + len(fold.train) == len(those.texts)


def test_documents_of_one_name_at_two_sites_are_two() -> None:
    those = replace(material(2, 4), documents=("FG0",) * 8)
    assert len(protocol.from_decisions(those)) == 2


def test_transfer_learns_from_other_sites_only() -> None:
    those = material(6, 4)
    folds = protocol.from_other_sites(those)
    assert len(folds) == 2
    for fold in folds:
        assert len({those.sites[row] for row in fold.test}) == 1
        assert not {those.sites[row] for row in fold.test} & {those.sites[row] for row in fold.train}
    assert evaluate(those, Plan(transfer=True)).protocol["left_out"] == "site"


def test_named_sites_teach_and_are_tested_and_no_others() -> None:
    quoted = Codebook(themes=(Theme(name="Travel", exemplars=(Exemplar(text="q", source="FG2"),)), *book().themes[1:]))
    those = material(9, 4, quoted, sites=3)
    first, second = protocol.from_some_sites(those, ["site1"], ["site0", "site2"])
    for fold, site in ((first, "site0"), (second, "site2")):
        assert [those.sites[row] for row in fold.test] == [site] * 12
        assert [those.sites[row] for row in fold.train] == ["site1"] * 12
    assert not first.without
    assert second.without == {(0, 0)}
    made = evaluate(those, Plan(train=("site1",), test=("site0", "site2"), curve=False))
    assert (made.segments, len(made.by_site)) == (24, 2)
    with pytest.raises(CodingFault, match="nothing is coded at site West"):
        evaluate(those, Plan(train=("West",), test=("site0",)))
    silent = replace(those, gold=those.gold & (np.array(those.sites) == "site1")[:, None])
    with pytest.raises(CodingFault, match="no segment under test has a theme"):
        evaluate(silent, Plan(train=("site1",), test=("site0",)))


def test_an_exemplar_is_withheld_from_the_document_it_was_taken_from() -> None:
    long = "When the bus broke down we walked along the road to the clinic"
    codebook = Codebook(
        themes=(
            Theme(
                name="Travel",
                definition="Roads.",
                exemplars=(
                    Exemplar(text="first", source="FG0"),
                    Exemplar(text="second", source="fg1.docx#t003s1"),
                    Exemplar(text="third", source="site0/FG2#t1"),
                    Exemplar(text="fourth", source="site9/FG2"),
                    Exemplar(text="WE SAID  yes."),
                    Exemplar(text=long),
                    Exemplar(text="a bus"),
                ),
            ),
        )
    )
    texts = ("a bus or two", "x", "y", "we said yes", f"well. {long}, twice.")
    those = Material(
        texts=texts,
        vectors=np.stack([vector(text) for text in texts]),
        gold=np.ones((5, 1), dtype=bool),
        documents=("FG0", "FG1", "FG2", "FG3", "FG4"),
        sites=("site0",) * 5,
        codebook=codebook,
        codebook_vectors={text: vector(text) for text in codebook_texts(codebook)},
    )
    own = protocol.forbidden(those)
    assert [sorted(at for _, at in own[place]) for place in those.places] == [[0], [1], [2], [4], [5]]
    for folds in (protocol.from_codebook(those), protocol.from_decisions(those)):
        assert all(own[those.places[row]] <= fold.without for fold in folds for row in fold.test)


def test_a_quote_does_not_find_the_passage_it_was_taken_from() -> None:
    """Every exemplar is a passage of FG0 that nothing else resembles: found again, it would be a perfect hit."""
    texts = ["alpha", "beta", "gamma"]
    names = list(THEMES)
    free = dict(zip(texts, AXES[11:14], strict=True))

    def found(source: str) -> float | None:
        codebook = Codebook(
            themes=tuple(
                Theme(name=name, exemplars=(Exemplar(text=f"{text} said", source=source),))
                for name, text in zip(names[::-1], texts[::-1], strict=True)
            )
        )
        near = {f"{text} said": row for text, row in free.items()}
        one = Material(
            texts=tuple(texts),
            vectors=np.stack([free[text] for text in texts]),
            gold=np.eye(3, dtype=bool)[::-1],
            documents=("FG0",) * 3,
            sites=("s",) * 3,
            codebook=codebook,
            codebook_vectors=near | dict.fromkeys(names, AXES[15]),
        )
        return evaluate(one).systems["themescout"].values["recall@1"]

    assert found("") == 1
    assert found("FG0#1") == pytest.approx(1 / 3)


def test_many_different_withheld_exemplars_need_few_models() -> None:
    quotes = tuple(Exemplar(text=f"quote {at}", source=f"FG{at}") for at in range(50))
    codebook = Codebook(themes=(Theme(name="Travel", exemplars=quotes), *book().themes[1:]))
    those = material(60, 2, codebook)
    folds = protocol.from_codebook(those)
    own = protocol.forbidden(those)
    assert len(folds) == 21
    assert all(own[those.places[row]] <= fold.without for fold in folds for row in fold.test)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(those.texts)))


def test_the_learning_curve_holds_documents_out() -> None:
    those = material(20, 20)
    plans = protocol.curve_plans(those)
    assert len({tuple(plan[0][0].test) for plan in plans}) == len(plans) == protocol.ORDERS
    for plan in plans:
        assert list(plan) == [0, 50, 100, 200]
        for n, folds in plan.items():
            test = np.concatenate([fold.test for fold in folds])
            assert 0.4 <= len(test) / 400 < 0.46
            for fold in folds:
                assert len(fold.train) == n
                assert not {those.places[row] for row in test} & {those.places[row] for row in fold.train}
        assert set(plan[50][0].train) < set(plan[200][0].train)


def test_where_many_exemplars_are_withheld_a_curve_needs_few_models() -> None:
    quotes = tuple(Exemplar(text=f"quote {at}", source=f"FG{at}") for at in range(50))
    those = material(60, 2, Codebook(themes=(Theme(name="Travel", exemplars=quotes), *book().themes[1:])))
    own = protocol.forbidden(those)
    for folds in (folds for plan in protocol.curve_plans(those) for folds in plan.values()):
        assert len(folds) <= protocol.CURVE_FOLDS + 1
        assert all(own[those.places[row]] <= fold.without for fold in folds for row in fold.test)


def test_a_single_document_has_no_learning_curve() -> None:
    assert evaluate(material(1, 8, sites=1)).learning_curve == ()


def test_what_cannot_be_evaluated_says_so() -> None:
    alone = material(1, 8, sites=1)
    for those, plan in ((alone, Plan(source="decisions")), (alone, Plan(transfer=True))):
        with pytest.raises(CodingFault, match="only one"):
            evaluate(those, plan)
    with pytest.raises(CodingFault, match="no segment has a theme"):
        evaluate(replace(alone, gold=np.zeros((8, 3), dtype=bool)))


def test_baselines_are_what_their_names_say() -> None:
    codebook = Codebook(
        themes=(
            Theme(name="A", exemplars=(Exemplar(text="bus road"), Exemplar(text="nurse", kind=Kind.NEAR_MISS))),
            Theme(name="B", definition="kind", exemplars=()),
        )
    )
    texts = ("bus road", "nurse", "kind")
    lesson = systems.Lesson(
        codebook=codebook,
        vectors={text: vector(text) for text in codebook_texts(codebook)},
        labelled=None,
        settings=RankSettings(),
    )
    rows = np.stack([vector(text) for text in texts])
    near = systems.cosine(lesson, rows)
    assert near[0, 0] == pytest.approx(1, abs=1e-6)
    assert near[1, 0] < 0.9  # a near miss shows nothing
    assert (near[:, 1] == 0).all()
    assert systems.definition(lesson, rows)[2].argmax() == 1
    lexical = systems.lexical(lesson, texts, systems.tfidf(["bus road", "nurse kind"]))
    np.testing.assert_allclose(lexical, [[1, 0], [0, 0], [0, 0]], atol=1e-6)
    assert systems.frequency(lesson, 2).tolist() == [[1, 0], [1, 0]]


def test_baselines_learn_from_decisions_too() -> None:
    those = material(2, 8)
    lesson = systems.Lesson(
        codebook=those.codebook,
        vectors=those.codebook_vectors,
        labelled=protocol.learned(those, np.arange(8)),
        settings=RankSettings(),
    )
    assert systems.cosine(lesson, those.vectors[:1])[0, 0] == pytest.approx(1, abs=1e-6)
    assert systems.lexical(lesson, those.texts[:1], systems.tfidf(those.texts))[0, 0] == pytest.approx(1, abs=1e-6)
    assert systems.frequency(lesson, 1).tolist() == [[2, 2, 2]]


def test_a_fine_tuned_encoder_learns_what_the_others_learn() -> None:
    those = material(2, 8)
    both = replace(those, gold=those.gold | (np.arange(16) == 0)[:, None] * np.array([False, True, False]))
    lesson = systems.Lesson(
        codebook=those.codebook,
        vectors=those.codebook_vectors,
        labelled=protocol.learned(both, np.arange(8)),
        settings=RankSettings(),
    )
    texts, themes, weights = finetuned.taught(lesson)
    assert len(texts) == 6 + 7 + 3  # exemplars, six decided segments with a theme of which one has two, definitions
    assert [w for text, w in zip(texts, weights, strict=True) if text == those.texts[0]] == [0.5, 0.5]
    assert themes[-3:].tolist() == [0, 1, 2]
    seen: list[int] = []

    def tune(known: Sequence[str], shown: NDArray[np.intp]) -> finetuned.Encode:
        assert list(known) == texts
        assert shown.tolist() == themes.tolist()
        seen.append(len(known))
        return lambda given: np.stack([vector(text) for text in given])

    scores = finetuned.setfit(tune)(lesson, those.texts, those.vectors)
    assert seen == [len(texts)]
    coded = those.gold.any(axis=1)
    assert (scores[coded].argmax(axis=1) == those.gold[coded].argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("count", [1, 2])
def test_a_fine_tuned_encoder_ranks_few_themes_too(count: int) -> None:
    codebook = Codebook(themes=book().themes[:count])
    lesson = systems.Lesson(codebook=codebook, vectors={}, labelled=None, settings=RankSettings())
    ranked = finetuned.setfit(lambda _texts, _themes: lambda given: np.stack([vector(text) for text in given]))
    scores = ranked(lesson, ("the bus", "the nurse"), np.zeros((2, 16), dtype=np.float32))
    assert scores.shape == (2, count)
    if count == 2:
        assert scores.argmax(axis=1).tolist() == [0, 1]


def test_what_is_around_segments_counts_in_an_evaluation_too() -> None:
    those = material(4, 8)
    said = np.stack([AXES[PLACE["gossip"]], AXES[PLACE["bus"]]])
    rows = np.arange(len(those.texts))
    empty = np.zeros(0, dtype=np.intp)
    none = np.full(len(rows), NONE)
    around = Around(vectors=said, asked=rows % 2, before=none, after=none, sentences=empty, of=empty)
    folds = protocol.from_codebook(those)
    bare, asked = (
        ranked.rank(replace(those, around=near), folds, RankSettings(), {}, lambda *_: None).scores["themescout"]
        for near in (None, around)
    )
    more = asked - bare
    assert (more[rows % 2 == 0, 2] > more[rows % 2 == 0, 0]).all()  # a question about gossip speaks for shame
    assert (more[rows % 2 == 1, 0] > more[rows % 2 == 1, 2]).all()
    assert protocol.learned(replace(those, around=around), rows[:6]).around.asked.tolist() == [0, 1] * 3  # type: ignore[union-attr]


def test_a_theme_that_people_give_at_random_is_muted_and_said_to_be() -> None:
    those = material(10, 16)
    gold = those.gold.copy()
    gold[:, 2] = np.random.default_rng(1).random(len(gold)) < 0.25
    travel, _, shame = evaluate(replace(those, gold=gold), Plan(source="decisions", curve=False)).by_theme
    assert (travel.muted, shame.muted) == (False, True)
    assert shame.suggested == 0
    assert shame.says.startswith("muted")
