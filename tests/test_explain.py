"""Why a theme is suggested: every reason is checked against the slow way of finding it."""

import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import embed, intake, rank
from pipeline.codebook import read_codebook
from pipeline.config import EmbedSettings, RankSettings, load_study, shipped
from pipeline.rank import Decided, Labelled, Passage, lexical
from pipeline.rank import explain as explaining
from pipeline.records import Because, Codebook, Exemplar, SegmentId, Suggestion, Theme

SETTINGS = RankSettings(precision=0.0)
BOOK = Codebook(
    themes=(
        Theme(
            name="Getting there",
            definition="How people travel to the service.",
            exemplars=(
                Exemplar(text="The bus was late and the road was bad."),
                Exemplar(text="The bus fare is more than my food."),
            ),
        ),
        Theme(
            name="Staff", definition="How staff treat people.", exemplars=(Exemplar(text="A rude nurse sent me off."),)
        ),
        Theme(name="Shame", definition="Being ashamed before family or neighbours."),
    )
)
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
    "neighbours",
    "staff",
    "treat",
    "people",
    "travel",
    "moon",
]
said = st.lists(st.sampled_from(WORDS), min_size=0, max_size=12).map(" ".join)


def vector(text: str) -> NDArray[np.float32]:
    total = np.full(24, 0.3)
    for word in text.lower().replace(".", "").split():
        total += np.random.default_rng(zlib.crc32(word.encode())).normal(size=24)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@cache
def fitted() -> rank.Ranker:
    return rank.fit(BOOK, {text: vector(text) for text in rank.codebook_texts(BOOK)}, None, SETTINGS)


def reasons(text: str, sentences: tuple[tuple[int, int], ...], decided: Decided | None = None) -> list[Suggestion]:
    """Return the suggestions for one passage, with their reasons."""
    key = SegmentId("s")
    made = rank.suggest(fitted(), [key], [text], vector(text)[None], SETTINGS)
    passage = Passage(text=text, vector=vector(text), sentences=sentences)
    parts = {text[start:end]: vector(text[start:end]) for start, end in sentences}
    return rank.with_reasons(fitted(), made, {key: passage}, parts, decided)


def marked(text: str, suggestion: Suggestion) -> list[str]:
    return [text[start:end] for start, end in suggestion.because]


# --- words -----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=4))
@example(["Groß und größer, İstanbul", "नमस्ते दुनिया", "שָׁלוֹם לך", "ŉ ﬁn ß", "one two one two"])
def test_what_words_add_sums_to_the_row_of_their_text(texts: list[str]) -> None:
    weights = lexical.learn(lexical.count([*texts, "one two three"]))
    whole, each = lexical.weigh(lexical.count(texts), weights), lexical.weigh_words(texts, weights)
    known = np.union1d(whole.indices, each.indices)  # the other million columns are empty
    whole, each = whole[:, known].toarray(), each[:, known].toarray()
    at = 0
    for text, row in zip(texts, whole, strict=True):
        count = len(lexical.word_spans(text))
        np.testing.assert_allclose(each[at : at + count].sum(axis=0), row, atol=1e-6)
        at += count
    assert at == len(each)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_the_spans_of_words_hold_the_words_that_are_counted(text: str) -> None:
    spans = lexical.word_spans(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    for start, end in spans:
        assert lexical._WORD.search(text[start:end].casefold())


@settings(max_examples=40, deadline=None)
@given(said)
def test_what_words_add_sums_to_the_parts_that_are_about_wording(text: str) -> None:
    with_words, without = (rank.score(fitted(), [words], vector(text)[None]).parts for words in (text, ""))
    added = explaining.wording(fitted(), [text])
    assert set(added) == {"learned", "words", "terms", "family"}
    for name, matrix in added.items():
        np.testing.assert_allclose(matrix.sum(axis=0), (with_words[name] - without[name])[0], atol=1e-5)


def test_the_word_that_adds_most_is_the_one_whose_absence_costs_most() -> None:
    """Leaving a word out also makes the others weigh more and breaks pairs, so the two need not always agree."""
    drawn = np.random.default_rng(5)
    agreed = []
    for _ in range(100):
        words = drawn.choice(WORDS, size=7, replace=False).tolist()
        text = " ".join(words)
        theme = int(rank.score(fitted(), [text], vector(text)[None]).total.argmax())
        added = np.sum(list(explaining.wording(fitted(), [text]).values()), axis=0)[:, theme]
        less = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))]
        parts = rank.score(fitted(), less, np.repeat(vector(text)[None], len(less), axis=0)).parts
        left = np.sum([parts[name][:, theme] for name in ("learned", "words", "terms", "family")], axis=0)
        agreed.append(int(added.argmax()) == int(left.argmin()))
    assert np.mean(agreed) >= 0.9, "by chance it would be one in seven"


def test_words_that_set_the_theme_apart_are_marked_and_neighbours_are_one() -> None:
    text = "On Monday, bus fare went up beyond any moon."
    (best, *_) = reasons(text, ((0, len(text)),))
    assert (best.theme, best.because_kind) == ("Getting there", Because.WORDS)
    assert "bus fare" in " ".join(marked(text, best))
    assert not {"moon", "Monday"} & set(marked(text, best))


def test_nothing_is_marked_where_no_word_is_known_or_nothing_is_looked_for() -> None:
    for text, sentences in (("zzz qqq xyz", ((0, 11),)), ("The bus was late.", ())):
        for one in reasons(text, sentences):
            assert (one.because, one.because_kind) == ((), Because.NOTHING)


@pytest.mark.parametrize(
    ("text", "spans", "end"), [("cafe\u0301 x", [(0, 4)], 5), ("doesn't", [(0, 5)], 7), ("the men’s", [(4, 7)], 9)]
)
def test_a_mark_does_not_cut_a_word(text: str, spans: list[tuple[int, int]], end: int) -> None:
    assert list(explaining._marked(text, spans, np.array([1.0]))) == [(spans[0][0], end)]


def test_no_more_words_than_needed_and_than_can_be_seen_are_marked() -> None:
    text = " ".join("abcdefgh")
    spans = [(2 * at, 2 * at + 1) for at in range(8)]
    assert list(explaining._marked(text, spans, np.ones(8))) == [(0, 7)]  # four of eight make up the half
    assert list(explaining._marked(text, spans, np.array([9.0, 1, 1, 1, 1, 1, 1, 1]))) == [(0, 1)]
    assert list(explaining._marked(text, spans, np.array([1, 0, 1, 0, 1, -5, -5, 9]))) == [(14, 15)]
    long = " ".join("x" * 40)
    many = [(2 * at, 2 * at + 1) for at in range(40)]
    assert sum((end - start + 1) // 2 for start, end in explaining._marked(long, many, np.ones(40))) == 5
    assert list(explaining._marked(text, spans, np.full(8, 0.001))) == []


# --- sentences -------------------------------------------------------------------------------------------------------


def test_of_several_sentences_the_one_that_fits_best_is_marked() -> None:
    text = "We talked a while. The bus was late and the fare went up. Then came the moon."
    spans = ((0, 18), (19, 57), (58, 77))
    by_theme = {one.theme: one for one in reasons(text, spans)}
    assert marked(text, by_theme["Getting there"]) == ["The bus was late and the fare went up."]
    assert by_theme["Getting there"].because_kind is Because.SENTENCE


@cache
def example_talk() -> tuple[Codebook, list[tuple[str, list[tuple[int, int]]]]]:
    """Return the invented example study's codebook, and its passages of several sentences."""
    folder = shipped("data", "demo")
    study = load_study(folder)
    found = []
    session = intake.open_session(folder)
    for file in session.files.values():
        for transcript, pieces in intake.read_and_cut(study, file):
            if transcript.language == "en":
                cut = [(piece.text, intake.splitter("en")(piece.text)) for piece in pieces]
                found += [(text, spans) for text, spans in cut if len(spans) > 1]
    return read_codebook(study.codebook_file), sorted(found, key=lambda one: zlib.crc32(one[0].encode()))


@pytest.mark.parametrize(("name", "passages", "least"), [("hashing", 150, 0.85), ("minilm", 16, 0.8)])
def test_the_marked_sentence_is_mostly_the_one_whose_absence_costs_most(name: str, passages: int, least: float) -> None:
    """Brute force: leave each sentence out, encode the rest anew, and see how far the score falls."""
    book, talk = example_talk()
    encoder = embed.load(embed.locate(EmbedSettings(encoder=name), Path()))
    known = dict(zip(texts := rank.codebook_texts(book), encoder.encode(texts), strict=True))
    ranker = rank.fit(book, known, None, RankSettings())
    agreed, chance = [], []
    for text, spans in talk[:passages]:
        key = SegmentId(text)
        sentences = [text[start:end] for start, end in spans]
        rest = [" ".join(sentences[:at] + sentences[at + 1 :]) for at in range(len(sentences))]
        rows = encoder.encode([text, *sentences, *rest])
        made = rank.suggest(ranker, [key], [text], rows[:1], RankSettings(top_k=1))
        parts = dict(zip(sentences, rows[1:], strict=False))
        passage = Passage(text=text, vector=rows[0], sentences=tuple(spans))
        (one,) = rank.with_reasons(ranker, made, {key: passage}, parts, None)
        left = rank.score(ranker, rest, rows[1 + len(sentences) :]).total[:, book.names.index(one.theme)]
        agreed.append(one.because == (spans[int(left.argmin())],))
        chance.append(1 / len(spans))
    assert np.mean(chance) < 0.4
    assert np.mean(agreed) >= least, f"{name}: {np.mean(agreed):.2f}, by chance {np.mean(chance):.2f}"


# --- what people said of similar segments ----------------------------------------------------------------------------


def decided(texts: list[str], gold: list[list[float]], rejected: list[list[bool]]) -> Decided:
    said = Labelled(
        texts=tuple(texts),
        vectors=np.stack([vector(text) for text in texts]),
        gold=np.array(gold),
        rejected=np.array(rejected),
        documents=tuple("d" for _ in texts),
    )
    return Decided(segments=tuple(SegmentId(f"d{at}") for at in range(len(texts))), said=said)


def test_similar_segments_are_counted_with_what_people_said() -> None:
    text = "bus fare bus fare road"
    near = ["bus fare bus fare road late", "bus fare bus road", "bus fare road"]
    no, yes = [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]
    given_away = decided(
        [*near, "moon ashamed neighbours"],
        [yes, no, [0.5, 0, 0], yes],
        [[False] * 3, [True, False, False], [True, False, False], [False] * 3],
    )
    (one,) = [s for s in reasons(text, (), given_away) if s.theme == "Getting there"]
    assert (one.near_accepted, one.near_rejected) == (2, 1), "what half of the coders gave is given"
    assert one.nearest_rejected == "d1"
    cosine = [float(vector(text) @ vector(other)) for other in (near[0], near[2])]
    assert one.nearest_accepted == ("d0" if cosine[0] > cosine[1] else "d2")
    (other,) = [s for s in reasons(text, (), given_away) if s.theme == "Staff"]
    assert (other.near_accepted, other.near_rejected, other.nearest_accepted) == (0, 0, None)


def test_no_more_than_the_nearest_few_count() -> None:
    many = decided(["bus fare"] * 30, [[1.0, 0, 0]] * 30, [[False] * 3] * 30)
    assert reasons("bus fare", (), many)[0].near_accepted == explaining.NEAREST


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(1, 6))
def test_what_is_similar_follows_from_all_pairs(count: int, width: int) -> None:
    rows = np.random.default_rng(count * 100 + width).normal(size=(count, width))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = (rows @ rows.T)[~np.eye(count, dtype=bool)]
    spread = np.sqrt((count * pairs.var() + 10 * 0.12**2) / (count + 10))
    assert explaining._unusual(rows) == pytest.approx(pairs.mean() + explaining.UNUSUAL * spread, abs=1e-6)


def test_the_runner_up_is_the_best_of_the_others_also_when_only_one_is_kept() -> None:
    text = "The bus was late."
    every = reasons(text, ())
    assert [one.runner_up for one in every] == [every[1].theme, every[0].theme, every[0].theme]
    assert every[0].runner_up_probability == every[1].probability
    only = rank.suggest(fitted(), [SegmentId("s")], [text], vector(text)[None], RankSettings(top_k=1))
    assert (only[0].runner_up, only[0].runner_up_probability) == (every[1].theme, every[1].probability)
    alone = Codebook(themes=BOOK.themes[:1])
    ranker = rank.fit(alone, {t: vector(t) for t in rank.codebook_texts(alone)}, None, SETTINGS)
    (single,) = rank.suggest(ranker, [SegmentId("s")], [text], vector(text)[None], SETTINGS)
    assert (single.runner_up, single.runner_up_probability) == ("", None)


def test_reasons_do_not_depend_on_what_is_explained_together() -> None:
    texts = ["The bus was late. The moon rose.", "A rude nurse.", "ashamed before family. nurse"]
    spans = [((0, 17), (18, 32)), ((0, 13),), ((0, 22), (23, 28))]
    keys = [SegmentId(f"s{at}") for at in range(len(texts))]
    rows = np.stack([vector(text) for text in texts])
    made = rank.suggest(fitted(), keys, texts, rows, SETTINGS)
    passages = {
        key: Passage(text=text, vector=row, sentences=cut)
        for key, text, row, cut in zip(keys, texts, rows, spans, strict=True)
    }
    parts = {t[a:b]: vector(t[a:b]) for t, cut in zip(texts, spans, strict=True) for a, b in cut}
    given_away = decided(["bus late", "nurse"], [[1.0, 0, 0], [0, 1.0, 0]], [[False] * 3] * 2)
    together = rank.with_reasons(fitted(), made, passages, parts, given_away)
    for key in keys:
        mine = [s for s in made if s.segment == key]
        alone = rank.with_reasons(fitted(), mine, {key: passages[key]}, parts, given_away)
        assert alone == [s for s in together if s.segment == key]
