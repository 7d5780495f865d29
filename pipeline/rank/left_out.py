"""Rows -> the model that evidence is computed from, and the evidence on each row as if its document were not there.

What stands around a row is scored in the same way. Two threads share the work, each with steps of its own, so that no
bit of the result depends on which of them is faster.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from . import lexical
from .around import NONE, Around
from .evidence import CHUNK, Floats, Matrix, Model, Raw, Sense, exclusion, missed, nearest_of, unit
from .learned import Apart, Learned, apart, blocks, closeness, columns, learn
from .material import Rows


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wording:
    """What the rows share in wording."""

    weights: lexical.Weights
    columns: NDArray[np.intp]  # the n-grams that are known
    rows: sp.csr_matrix  # m x known n-grams
    shared: NDArray[np.float32]  # m x m


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compared:
    """What comparing each passage with the others says, its own document left out: all n x k."""

    nearest: Matrix
    miss: Matrix
    centre: Matrix
    definition: Matrix
    words: Matrix


def fit_model(rows: Rows, counted: lexical.Counted | None = None) -> tuple[Model, Raw]:
    """Return the model of these rows, and the evidence on each passage among them with its document left out.

    ``counted`` remembers the n-grams of texts, for whoever fits again on much the same ones.
    """
    mean = _common(rows)
    with ThreadPoolExecutor(1) as beside:
        counting = beside.submit(_wording, rows.texts, counted or lexical.Counted())
        left = _LeftOut(
            rows=rows,
            vectors=unit(rows.vectors - mean),
            around=unit(rows.around.vectors - mean),
            weight=np.where(rows.positive, rows.shares[: rows.shown], 0),
        )
        single = left.vectors.astype(np.float32)
        cosines = single @ single.T
        kernel = closeness(cosines)
        near = closeness(left.around.astype(np.float32) @ single.T), closeness(cosines[np.unique(rows.around.of)])
        wording = counting.result()
        kernel += wording.shared
        comparing = beside.submit(left.compared, cosines, wording.shared)
        learned = learn(rows, kernel)
        mapping = beside.submit(_maps, wording.rows, left.weight, learned)
        without = apart(learned)
        compared = comparing.result()
        own, other = left.senses(compared, learned, without, near)
        maps = mapping.result()
    model = Model(
        mean=mean,
        vectors=left.vectors,
        base=learned.base,
        coefficients=learned.coefficients,
        centres=unit(left.weight.T @ left.vectors[: rows.shown]),
        positive=rows.positive,
        misses=rows.misses,
        excluded=unit(rows.excluded - mean) * rows.excluded.any(axis=1, keepdims=True),
        quotes=rows.quotes,
        weights=wording.weights,
        columns=wording.columns,
        maps=maps,
    )
    raw = Raw(
        learned=learned.base + (learned.residual - without.errors(rows.groups))[: rows.shown],
        nearest=compared.nearest,
        centre=compared.centre,
        definition=compared.definition,
        words=compared.words,
        terms=wording.shared[: rows.shown, rows.shown :].astype(np.float64),
        miss=compared.miss,
        exclude=exclusion(model, left.vectors[: rows.shown], compared.definition),
        own=own,
        other=other,
        around=rows.around,
        best=np.full(compared.nearest.shape, -1),
    )
    return model, raw


def _wording(texts: Sequence[str], counted: lexical.Counted) -> _Wording:
    counts = counted.count(texts)
    weights = lexical.learn(counts)
    known = np.flatnonzero(np.concatenate(weights.idf) > 0)
    rows = lexical.weigh(counts, weights)[:, known]
    return _Wording(weights=weights, columns=known, rows=rows, shared=lexical.products(rows))


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


def _common(rows: Rows) -> Matrix:
    """Return what the themes have in common: the mean vector, less so the fewer themes there are to compare.

    Texts of one study resemble each other, which blurs cosines; but the mean of a single theme is the theme itself.
    """
    themes = rows.shares.shape[1]
    return np.asarray(rows.vectors.mean(axis=0, dtype=np.float64) * (1 - 1 / themes))


@dataclass(frozen=True, kw_only=True, slots=True)
class _LeftOut:
    """The rows, to tell what the evidence on each is without its document."""

    rows: Rows
    vectors: Matrix  # m x d, of length 1
    around: Matrix  # u x d, of length 1: of the texts around passages
    weight: Matrix  # how much each passage counts in each theme's centre

    def compared(self, cosines: NDArray[np.float32], shared: NDArray[np.float32]) -> _Compared:
        """Return what the similarities of all rows say; those of meaning are overwritten."""
        rows, n = self.rows, self.rows.shown
        several = [block for block in blocks(rows.groups[:n]) if len(block) > 1]
        definition = cosines[:n, n:].astype(np.float64)
        centre = self._centre(self.vectors[:n] @ (self.weight.T @ self.vectors[:n]).T, cosines, several)
        # In double precision, as a document may hold nearly all that shows a theme; in parts, which fit into the cache.
        ends = range(0, n, CHUNK)
        worded = [shared[at : min(at + CHUNK, n), :n].astype(np.float64) @ self.weight for at in ends]
        words = self._centre(np.vstack([np.zeros((0, self.weight.shape[1])), *worded]), shared, several)
        for block in several:
            cosines[np.ix_(block, block)] = -np.inf
        np.fill_diagonal(cosines[:n, :n], -np.inf)
        nearest = nearest_of(cosines[:n, :n], rows.positive)
        miss = missed(nearest, nearest_of(cosines[:n, : rows.quotes], rows.misses))
        return _Compared(nearest=nearest, miss=miss, centre=centre, definition=definition, words=words)

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

    def senses(
        self, compared: _Compared, learned: Learned, without: Apart, near: tuple[Floats, Floats]
    ) -> tuple[Sense, Sense]:
        """Return what the meaning says of the passages that have sentences, and of the texts around passages.

        ``near`` is how close in meaning the texts around passages and those passages are to each row.
        """
        rows, n = self.rows, self.rows.shown
        filled = np.where(np.isnan(compared.centre), compared.definition, compared.centre)
        whole = Sense(learned=np.zeros(filled.shape), centre=filled, definition=compared.definition)
        texts, shape = self.around, (len(self.around), len(learned.base))
        other = Sense(learned=np.zeros(shape), centre=np.zeros(shape), definition=texts @ self.vectors[n:].T)
        if not len(texts):
            return whole, other
        inverse, coefficients = without.inverse(), learned.coefficients.astype(np.float32)
        sums, showing = self.weight.T @ self.vectors[:n], np.count_nonzero(self.weight, axis=0)
        cut = np.unique(rows.around.of)
        for block in blocks(rows.groups):
            inside = block[block < n]
            used = _used(rows.around, inside)
            if not used.size:
                continue
            rest = coefficients - columns(inverse, block) @ without.error(block).astype(np.float32)
            long = np.flatnonzero(np.isin(cut, inside))
            whole.learned[cut[long]] = learned.base + near[1][long] @ rest
            other.learned[used] = learned.base + near[0][used] @ rest
            left = sums - self.weight[inside].T @ self.vectors[inside]
            has = showing > np.count_nonzero(self.weight[inside], axis=0)
            other.centre[used] = np.where(has, texts[used] @ unit(left).T, other.definition[used])
        return whole, other


def _used(around: Around, passages: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the texts that stand around some of the passages or inside them."""
    sentences = around.sentences[np.isin(around.of, passages)]
    found = np.concatenate([around.asked[passages], around.before[passages], around.after[passages], sentences])
    return np.unique(found[found != NONE])
