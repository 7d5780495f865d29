"""What speaks for each theme in a passage: raw evidence.

learned     what tells each theme from the others
nearest     cosine with the nearest passage that shows the theme
centre      cosine with the mean of all that show it
definition  cosine with its definition
words       wording shared with all that show it
terms       wording shared with its definition
miss        how much nearer the passage is to a near miss of the theme than to anything that shows it
exclude     how much nearer it is to what the theme says it is not than to its definition
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lexical
from .around import Around, nothing_around
from .learned import closeness

Matrix = NDArray[np.float64]
Floats = NDArray[np.floating]
CHUNK = 512  # passages that are scored together


@dataclass(frozen=True, kw_only=True, slots=True)
class Sense:
    """What the meaning of a text alone says for each theme, each n x k: what is quick to tell of texts around."""

    learned: Matrix
    centre: Matrix  # cosine with what shows the theme, or with the definition where nothing does
    definition: Matrix


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """Evidence for each passage and theme, each n x k, in its own unit; NaN where a theme has no passage to compare."""

    learned: Matrix
    nearest: Matrix
    centre: Matrix
    definition: Matrix
    words: Matrix
    terms: Matrix
    miss: Matrix
    exclude: Matrix
    own: Sense  # of the passage as a whole
    other: Sense  # of the texts around it, u x k
    around: Around
    best: NDArray[np.intp]  # the nearest exemplar of the codebook, -1 where a theme has none


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What raw evidence is computed from. All vectors have what the rows have in common taken out, and length 1."""

    mean: Matrix
    vectors: Matrix  # m x d: quotes, decided segments, definitions
    base: Matrix  # k: the share of each theme among the rows
    coefficients: Matrix  # m x k
    centres: Matrix  # k x d; zeros where nothing shows the theme
    positive: NDArray[np.bool_]
    misses: NDArray[np.bool_]
    excluded: Matrix  # k x d; zeros where a theme does not say what it is not
    quotes: int
    weights: lexical.Weights
    columns: NDArray[np.intp]  # the n-grams that are known
    maps: NDArray[np.float32]  # known n-grams x 3k: for learned, words and terms; by far the largest array


def evidence(model: Model, texts: Sequence[str], vectors: Floats, around: Around | None = None) -> Raw:
    """Return the evidence on new passages; each row depends on its own text, vector and surroundings alone."""
    around = around or nothing_around(len(texts), len(model.mean))
    ends = range(0, max(len(texts), 1), CHUNK)
    parts = [_evidence(model, texts[at : at + CHUNK], vectors[at : at + CHUNK]) for at in ends]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    others = [_sense(model, around.vectors[at : at + CHUNK]) for at in range(0, max(len(around.vectors), 1), CHUNK)]
    own = Sense(
        learned=joined.pop("sense"),
        centre=np.where(np.isnan(joined["centre"]), joined["definition"], joined["centre"]),
        definition=joined["definition"],
    )
    other = Sense(**{name: np.concatenate([getattr(one, name) for one in others]) for name in Sense.__slots__})
    return Raw(**joined, own=own, other=other, around=around)


def _evidence(model: Model, texts: Sequence[str], vectors: Floats) -> dict[str, Any]:
    themes = len(model.base)
    passages = unit(vectors - model.mean)
    cosines = passages @ model.vectors.T
    wording = lexical.weigh(lexical.count(texts), model.weights)[:, model.columns]
    learned, words, terms = np.split(np.asarray(wording @ model.maps, dtype=np.float64), 3, axis=1)
    sense = model.base + closeness(cosines) @ model.coefficients
    shown = cosines[:, : len(model.positive)]
    nearest, best = nearest_of(shown, model.positive), _best(shown[:, : model.quotes], model.positive[: model.quotes])
    has = model.positive.any(axis=0)
    return {
        "learned": sense + learned,
        "sense": sense,
        "nearest": nearest,
        "centre": np.where(has, passages @ model.centres.T, np.nan),
        "definition": cosines[:, len(cosines.T) - themes :],
        "words": np.where(has, words, np.nan),
        "terms": terms,
        "exclude": exclusion(model, passages, cosines[:, len(cosines.T) - themes :]),
        "miss": missed(nearest, nearest_of(shown[:, : model.quotes], model.misses)),
        "best": best,
    }


def _sense(model: Model, vectors: Floats) -> Sense:
    passages = unit(vectors - model.mean)
    cosines = passages @ model.vectors.T
    definition = cosines[:, len(cosines.T) - len(model.base) :]
    return Sense(
        learned=model.base + closeness(cosines) @ model.coefficients,
        centre=np.where(model.positive.any(axis=0), passages @ model.centres.T, definition),
        definition=definition,
    )


def nearest_of(cosines: Floats, of: NDArray[np.bool_]) -> Matrix:
    """Return for each passage and theme the largest cosine with the theme's own rows, NaN where there are none."""
    out = np.full((len(cosines), of.shape[1]), np.nan)
    for theme in np.flatnonzero(of.any(axis=0)):
        out[:, theme] = cosines[:, of[:, theme]].max(axis=1, initial=-np.inf)
    out[np.isneginf(out)] = np.nan
    return out


def _best(cosines: Floats, of: NDArray[np.bool_]) -> NDArray[np.intp]:
    best = np.full((len(cosines), of.shape[1]), -1)
    for theme in np.flatnonzero(of.any(axis=0)):
        own = np.flatnonzero(of[:, theme])
        best[:, theme] = own[cosines[:, own].argmax(axis=1)]
    return best


def missed(nearest: Matrix, misses: Matrix) -> Matrix:
    """Return by how much a passage is nearer to a near miss than to what shows the theme; 0 without a near miss."""
    return np.nan_to_num(np.maximum(misses - np.nan_to_num(nearest, nan=0.0), 0), nan=0.0)


def exclusion(model: Model, passages: Matrix, definition: Matrix) -> Matrix:
    """Return by how much passages are nearer to what a theme is not than to its definition; 0 if it does not say."""
    if not model.excluded.any():
        return np.zeros(definition.shape)
    return np.where(model.excluded.any(axis=1), np.maximum(passages @ model.excluded.T - definition, 0), 0)


def unit(rows: Floats) -> Matrix:
    """Return the rows with length 1; those of no length stay as they are."""
    rows = rows.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 1e-9, length, 1))
