"""What speaks for each theme in a passage: raw evidence, for new passages and for those learned from.

learned     what tells each theme from the others
nearest     cosine with the nearest passage that shows the theme
centre      cosine with the mean of all that show it
definition  cosine with its definition
words       wording shared with all that show it
terms       wording shared with its definition
miss        how much nearer the passage is to a near miss of the theme than to anything that shows it
exclude     how much nearer it is to what the theme says it is not than to its definition

A passage that was learned from is scored as if its document had not been there, and so is what stands around it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from . import lexical
from .around import NONE, Around, nothing_around
from .learned import Learned, blocks, closeness, columns, learn
from .material import Rows

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


def fit_model(rows: Rows) -> tuple[Model, Raw]:
    """Return the model of these rows, and the evidence on each passage among them with its document left out."""
    mean = _common(rows)
    with ThreadPoolExecutor(1) as beside:
        counted = beside.submit(_wording, rows.texts)
        vectors = unit(rows.vectors - mean)
        single = vectors.astype(np.float32)
        cosines = single @ single.T
        kernel = closeness(cosines)
        weights, known, wording, shared = counted.result()
    kernel += shared
    learned = learn(rows, kernel)
    weight = np.where(rows.positive, rows.shares[: rows.shown], 0)
    model = Model(
        mean=mean,
        vectors=vectors,
        base=learned.base,
        coefficients=learned.coefficients,
        centres=unit(weight.T @ vectors[: rows.shown]),
        positive=rows.positive,
        misses=rows.misses,
        excluded=unit(rows.excluded - mean) * rows.excluded.any(axis=1, keepdims=True),
        quotes=rows.quotes,
        weights=weights,
        columns=known,
        maps=_maps(wording, weight, learned),
    )
    fitted = _LeftOut(rows=rows, model=model, learned=learned, weight=weight, cosines=cosines, shared=shared)
    return model, fitted.evidence()


def _wording(texts: Sequence[str]) -> tuple[lexical.Weights, NDArray[np.intp], sp.csr_matrix, NDArray[np.float32]]:
    """Return the weights of n-grams, the columns of known ones, these of each text, and how much texts share."""
    counts = lexical.count(texts)
    weights = lexical.learn(counts)
    known = np.flatnonzero(np.concatenate(weights.idf) > 0)
    wording = lexical.weigh(counts, weights)[:, known]
    return weights, known, wording, lexical.products(wording)


def _maps(wording: sp.csr_matrix, weight: Matrix, learned: Learned) -> NDArray[np.float32]:
    """Return what each n-gram says for each theme: learned, by what shows the theme, by its definition."""
    shown, themes = weight.shape
    showing = np.vstack([weight, np.zeros((themes, themes))])
    maps = np.empty((wording.shape[1], 3 * themes), dtype=np.float32)
    maps[:, : 2 * themes] = wording.T @ np.hstack([learned.coefficients, showing]).astype(np.float32)
    length = np.sqrt(np.einsum("ij,ij->j", *[maps[:, themes : 2 * themes]] * 2, dtype=np.float64))
    maps[:, themes : 2 * themes] /= np.where(length > 1e-9, length, 1)
    maps[:, 2 * themes :] = wording[shown:].T.toarray()
    return maps


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
    nearest, best = _nearest(shown, model.positive), _best(shown[:, : model.quotes], model.positive[: model.quotes])
    has = model.positive.any(axis=0)
    return {
        "learned": sense + learned,
        "sense": sense,
        "nearest": nearest,
        "centre": np.where(has, passages @ model.centres.T, np.nan),
        "definition": cosines[:, len(cosines.T) - themes :],
        "words": np.where(has, words, np.nan),
        "terms": terms,
        "exclude": _exclude(model, passages, cosines[:, len(cosines.T) - themes :]),
        "miss": _miss(nearest, _nearest(shown[:, : model.quotes], model.misses)),
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


def _common(rows: Rows) -> Matrix:
    """Return what the themes have in common: the mean vector, less so the fewer themes there are to compare.

    Texts of one study resemble each other, which blurs cosines; but the mean of a single theme is the theme itself.
    """
    themes = rows.shares.shape[1]
    return np.asarray(rows.vectors.mean(axis=0, dtype=np.float64) * (1 - 1 / themes))


@dataclass(frozen=True, kw_only=True, slots=True)
class _LeftOut:
    """The rows with all their similarities, to tell what the evidence on a row is without its document."""

    rows: Rows
    model: Model
    learned: Learned
    weight: Matrix  # how much each passage counts in each theme's centre
    cosines: NDArray[np.float32]  # overwritten in the end
    shared: NDArray[np.float32]

    def evidence(self) -> Raw:
        """Return the evidence on every passage among the rows."""
        rows, n, vectors = self.rows, self.rows.shown, self.model.vectors
        several = [block for block in blocks(rows.groups[:n]) if len(block) > 1]
        definition = self.cosines[:n, n:].astype(np.float64)
        centre = self._centre(vectors[:n] @ (self.weight.T @ vectors[:n]).T, self.cosines, several)
        own, other = self._senses(centre, definition)
        # In double precision, as a document may hold nearly all that shows a theme; in parts, which fit into the cache.
        ends = range(0, n, CHUNK)
        worded = [self.shared[at : min(at + CHUNK, n), :n].astype(np.float64) @ self.weight for at in ends]
        words = self._centre(np.vstack([np.zeros((0, self.weight.shape[1])), *worded]), self.shared, several)
        for block in several:
            self.cosines[np.ix_(block, block)] = -np.inf
        np.fill_diagonal(self.cosines[:n, :n], -np.inf)
        nearest = _nearest(self.cosines[:n, :n], rows.positive)
        return Raw(
            learned=self.learned.base + self.learned.residual[:n] - self.learned.errors(rows.groups)[:n],
            nearest=nearest,
            centre=centre,
            definition=definition,
            words=words,
            terms=self.shared[:n, n:].astype(np.float64),
            miss=_miss(nearest, _nearest(self.cosines[:n, : rows.quotes], rows.misses)),
            exclude=_exclude(self.model, vectors[:n], definition),
            own=own,
            other=other,
            around=rows.around,
            best=np.full(nearest.shape, -1),
        )

    def _centre(self, product: Matrix, like: Floats, several: Sequence[NDArray[np.intp]]) -> Matrix:
        """Return the similarity of each passage with each theme's centre, its own document taken out of the centre.

        ``product`` is that with the sum over each theme's passages, ``like`` that of passages with each other.
        """
        weight, n = self.weight, len(self.weight)
        inside = weight * np.diag(like)[:n, None]
        for block in several:
            inside[block] = like[np.ix_(block, block)] @ weight[block]
        length = np.einsum("it,it->t", weight, product)  # squared, of the sum over each theme's passages
        groups = self.rows.groups[:n]
        own = sp.csr_matrix((np.ones(n), (groups, np.arange(n))), shape=(int(self.rows.groups.max()) + 1, n))
        rest = (length + own @ (weight * (inside - 2 * product)))[groups]
        any_left = (np.count_nonzero(weight, axis=0) > (own @ (weight != 0))[groups]) & (rest > 1e-9)
        return np.where(any_left, (product - inside) / np.sqrt(np.where(any_left, rest, 1)), np.nan)

    def _senses(self, centre: Matrix, definition: Matrix) -> tuple[Sense, Sense]:
        """Return what the meaning says of the passages that have sentences, and of the texts around passages."""
        rows, model, n = self.rows, self.model, self.rows.shown
        filled = np.where(np.isnan(centre), definition, centre)
        whole = Sense(learned=np.zeros(centre.shape), centre=filled, definition=definition)
        texts = unit(rows.around.vectors - model.mean)
        shape = (len(texts), len(model.base))
        other = Sense(learned=np.zeros(shape), centre=np.zeros(shape), definition=texts @ model.vectors[n:].T)
        if not len(texts):
            return whole, other
        near = closeness(texts.astype(np.float32) @ model.vectors.astype(np.float32).T)
        inverse, coefficients = self.learned.inverse(), self.learned.coefficients.astype(np.float32)
        sums, showing = self.weight.T @ model.vectors[:n], np.count_nonzero(self.weight, axis=0)
        cut = np.isin(np.arange(n), rows.around.of)
        for block in blocks(rows.groups):
            inside = block[block < n]
            used = _used(rows.around, inside)
            if not used.size:
                continue
            without = coefficients - columns(inverse, block) @ self.learned.error(block).astype(np.float32)
            long = inside[cut[inside]]
            whole.learned[long] = model.base + closeness(self.cosines[long]) @ without
            other.learned[used] = model.base + near[used] @ without
            left = sums - self.weight[inside].T @ model.vectors[inside]
            has = showing > np.count_nonzero(self.weight[inside], axis=0)
            other.centre[used] = np.where(has, texts[used] @ unit(left).T, other.definition[used])
        return whole, other


def _used(around: Around, passages: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the texts that stand around some of the passages or inside them."""
    sentences = around.sentences[np.isin(around.of, passages)]
    found = np.concatenate([around.asked[passages], around.before[passages], sentences])
    return np.unique(found[found != NONE])


def _nearest(cosines: Floats, of: NDArray[np.bool_]) -> Matrix:
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


def _miss(nearest: Matrix, misses: Matrix) -> Matrix:
    """Return by how much a passage is nearer to a near miss than to what shows the theme; 0 without a near miss."""
    return np.nan_to_num(np.maximum(misses - np.nan_to_num(nearest, nan=0.0), 0), nan=0.0)


def _exclude(model: Model, passages: Matrix, definition: Matrix) -> Matrix:
    """Return by how much passages are nearer to what a theme is not than to its definition; 0 if it does not say."""
    if not model.excluded.any():
        return np.zeros(definition.shape)
    return np.where(model.excluded.any(axis=1), np.maximum(passages @ model.excluded.T - definition, 0), 0)


def unit(rows: Floats) -> Matrix:
    """Return the rows with length 1; those of no length stay as they are."""
    rows = rows.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 1e-9, length, 1))
