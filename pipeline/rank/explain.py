"""Why a theme is suggested for a passage: what in it carried the suggestion, and what people said of similar ones.

Of several sentences, the one that alone fits the theme best carried it. Leaving each sentence out in turn and encoding
the rest (occlusion) finds the same one in nine passages of ten, and costs as many encodings of much longer texts.

In a passage of one sentence, words carried it. What the wording adds to a score is a sum over n-grams, so each word has
an exact share of it. What the encoder makes of the words has no such shares and is left out.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ..records import Because, SegmentId, Suggestion
from . import lexical
from .combine import LEARNED, TERMS, WORDS
from .evidence import CHUNK, Matrix, unit
from .material import HALF, Labelled, Vectors
from .ranker import Ranker, score

Span = tuple[int, int]
_ADDED = re.compile(r"['’]\w+")
CARRIED = 0.5  # words are marked until they make up this share of what speaks for the theme,
MOST_WORDS = 5  # but no more than these,
LEAST = 0.1  # and none if together they add less than this to the score
NEAREST = 10  # decided segments that are looked at beside a passage
# They are similar if their cosine lies this many standard deviations above that of any two texts. On two public data
# sets such pairs share a theme in 42 to 65 of 100 cases, any two segments in 7 to 22.
UNUSUAL = 3.0
SPREAD, STEADY = 0.12, 10  # what those deviations are taken to be, as if so many texts had shown it


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A segment that suggestions are explained for."""

    text: str
    vector: NDArray[np.floating]  # of length 1
    sentences: tuple[Span, ...]  # in its own text; none where nothing is to be marked


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """Segments that people decided on, none of them in a document that suggestions are explained for."""

    segments: tuple[SegmentId, ...]
    said: Labelled  # one row for each


def with_reasons(
    ranker: Ranker,
    made: Sequence[Suggestion],
    passages: Mapping[SegmentId, Passage],
    vectors: Vectors,
    decided: Decided | None,
) -> list[Suggestion]:
    """Return the suggestions with their reasons; ``vectors`` holds those of the sentences of passages with several.

    Where one of a passage's sentences has none, its words are looked at instead.
    """
    wanted: dict[SegmentId, list[int]] = {}
    column = {theme: at for at, theme in enumerate(ranker.themes)}
    for one in made:
        wanted.setdefault(one.segment, []).append(column[one.theme])
    several = {key: passages[key] for key in wanted if _comparable(passages[key], vectors)}
    single = {key: passages[key] for key in wanted if passages[key].sentences and key not in several}
    carried = {
        key: (Because.SENTENCE, spans) for key, spans in _sentences(ranker, several, vectors, wanted).items()
    } | {key: (Because.WORDS, spans) for key, spans in _words(ranker, single, wanted).items()}
    near = _near(ranker, {key: passages[key] for key in wanted}, decided) if decided else {}
    explained = []
    for one in made:
        at = column[one.theme]
        kind, spans = carried.get(one.segment, (Because.WORDS, {}))
        one = replace(one, because=spans.get(at, ()), because_kind=kind if spans.get(at) else Because.NOTHING)
        explained.append(_beside(one, at, near.get(one.segment, ()), decided))
    return explained


def _comparable(passage: Passage, vectors: Vectors) -> bool:
    texts = [passage.text[start:end] for start, end in passage.sentences]
    return len(texts) > 1 and all(text in vectors for text in texts)


def wording(ranker: Ranker, texts: Sequence[str]) -> dict[str, Matrix]:
    """Return what each word adds to the parts of the score that are about wording, by part: words x themes.

    The words are those of ``lexical.word_spans``, through all texts. For each text and theme their shares sum to the
    part less what it is for a text without any known word.
    """
    model, spread, weights = ranker.model, ranker.scales.spread, ranker.weights
    share = lexical.weigh_words(texts, model.weights)[:, model.columns]
    learned, words, terms = np.split(np.asarray(share @ model.maps, dtype=np.float64), 3, axis=1)
    learned = LEARNED * learned / spread["learned"]
    shown = model.positive.any(axis=0)  # where nothing shows a theme, the wording of its definition stands in
    return {
        "learned": weights["learned"] * learned,
        "words": weights["words"] * WORDS * np.where(shown, words, terms) / spread["words"],
        "terms": weights["terms"] * TERMS * terms / spread["terms"],
        "family": weights["family"] * learned @ ranker.scales.families,
    }


def _sentences(
    ranker: Ranker,
    passages: Mapping[SegmentId, Passage],
    vectors: Vectors,
    wanted: Mapping[SegmentId, Sequence[int]],
) -> dict[SegmentId, dict[int, tuple[Span, ...]]]:
    """Return for each passage and theme that is wanted the sentence that alone scores best."""
    cut = [(key, span) for key, passage in passages.items() for span in passage.sentences]
    if not cut:
        return {}
    texts = [passages[key].text[start:end] for key, (start, end) in cut]
    total = np.round(score(ranker, texts, np.stack([vectors[text] for text in texts])).total, 6)
    found: dict[SegmentId, dict[int, tuple[Span, ...]]] = {}
    at = 0
    for key, group in groupby(cut, key=lambda one: one[0]):
        spans = [span for _, span in group]
        alone = total[at : at + len(spans)]
        found[key] = {theme: (spans[int(alone[:, theme].argmax())],) for theme in wanted[key]}
        at += len(spans)
    return found


def _words(
    ranker: Ranker, passages: Mapping[SegmentId, Passage], wanted: Mapping[SegmentId, Sequence[int]]
) -> dict[SegmentId, dict[int, tuple[Span, ...]]]:
    """Return for each passage and theme that is wanted the words that set the theme apart from the others."""
    found = {}
    keys = [*passages]
    for some in (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK)):
        texts = [passages[key].text for key in some]
        total = np.sum(list(wording(ranker, texts).values()), axis=0)
        at = 0
        for key, text in zip(some, texts, strict=True):
            spans = lexical.word_spans(text)
            gain = total[at : at + len(spans)]
            at += len(spans)
            # What a word does for all themes alike sets none of them apart.
            apart = gain - gain.mean(axis=1, keepdims=True) if gain.shape[1] > 1 else gain
            found[key] = {theme: tuple(_marked(text, spans, apart[:, theme])) for theme in wanted[key]}
    return found


def _marked(text: str, spans: Sequence[Span], gain: NDArray[np.float64]) -> Iterator[Span]:
    """Yield the spans of the words that speak most for a theme, neighbours as one."""
    order = np.argsort(-np.round(gain, 6), kind="stable")[:MOST_WORDS]
    order = order[gain[order] > 0]
    so_far = np.cumsum(gain[order])
    needed = CARRIED * gain[gain > 0].sum()
    chosen = sorted(order[: int((so_far < needed).sum()) + 1].tolist())
    if gain[chosen].sum() < LEAST:
        return
    for _, run in groupby(enumerate(chosen), key=lambda pair: pair[1] - pair[0]):
        words = [word for _, word in run]
        yield spans[words[0]][0], _whole(text, spans[words[-1]][1])


def _whole(text: str, end: int) -> int:
    """Return where a word ends as people see it, with vowel signs, accents and what an apostrophe adds."""
    while end < len(text) and unicodedata.category(text[end]).startswith("M"):
        end += 1
    found = _ADDED.match(text, end)
    return found.end() if found else end


def _near(ranker: Ranker, passages: Mapping[SegmentId, Passage], decided: Decided) -> dict[SegmentId, tuple[int, ...]]:
    """Return for each passage the rows of the decided segments that are similar, nearest first."""
    least = _unusual(ranker.model.vectors)
    known = unit(decided.said.vectors - ranker.model.mean)
    keys = [*passages]
    found = {}
    for some in (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK)):
        cosine = np.round(unit(np.stack([passages[key].vector for key in some]) - ranker.model.mean) @ known.T, 6)
        for key, row in zip(some, cosine, strict=True):
            rows = np.flatnonzero(row >= least)  # few: only these need be put in order
            found[key] = tuple(rows[np.argsort(-row[rows], kind="stable")[:NEAREST]].tolist())
    return found


def _unusual(rows: Matrix) -> float:
    """Return the cosine from which on two texts are similar: far above the mean of all pairs of different rows.

    Both moments come from sums of outer products, so that no pair need be looked at.
    """
    pairs = max(len(rows) * (len(rows) - 1), 1)
    own = (rows**2).sum(axis=1)
    mean = (float((rows.sum(axis=0) ** 2).sum()) - own.sum()) / pairs
    square = (float(((rows.T @ rows) ** 2).sum()) - (own**2).sum()) / pairs
    variance = (len(rows) * max(square - mean**2, 0.0) + STEADY * SPREAD**2) / (len(rows) + STEADY)
    return float(mean + UNUSUAL * np.sqrt(variance))


def _beside(one: Suggestion, theme: int, near: Sequence[int], decided: Decided | None) -> Suggestion:
    """Return a suggestion with how many of the similar segments were given its theme, and how many refused it."""
    if not (near and decided):
        return one
    given = [row for row in near if decided.said.gold[row, theme] >= HALF]
    refused = [row for row in near if decided.said.rejected[row, theme] and row not in given]
    return replace(
        one,
        near_accepted=len(given),
        near_rejected=len(refused),
        nearest_accepted=decided.segments[given[0]] if given else None,
        nearest_rejected=decided.segments[refused[0]] if refused else None,
    )
