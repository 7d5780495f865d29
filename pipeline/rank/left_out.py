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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Near:
    """The texts around passages and inside them, compared with the rows."""

    close: NDArray[np.float32]  # how close in meaning they are to each row: u x m
    long: NDArray[np.intp]  # the passages that have sentences
    whole: NDArray[np.float32]  # how close these are to each row
    centre: Matrix  # u x k
    definition: Matrix  # u x k
    documents: Sequence[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]  # rows, texts, places in ``long``


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
        wording = counting.result()
        kernel += wording.shared
        nearing = beside.submit(left.near, cosines, single)  # before cosines are overwritten
        comparing = beside.submit(left.compared, cosines, wording.shared)
        learned = learn(rows, kernel)
        mapping = beside.submit(_maps, wording.rows, left.weight, learned)
        without = apart(learned)
        errors = without.errors(rows.groups)
        compared = comparing.result()
        senses = left.senses(compared, nearing.result(), learned, errors, without)
        model = left.model(mean, learned, wording, mapping.result())
    return model, left.evidence(model, compared, wording, learned.base + learned.residual - errors, senses)


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

    def near(self, cosines: NDArray[np.float32], single: NDArray[np.float32]) -> _Near:
        """Return what is around passages and inside them beside the rows; ``single`` is the rows' vectors."""
        rows, n, texts = self.rows, self.rows.shown, self.around
        long = np.unique(rows.around.of)
        near = _Near(
            close=closeness(texts.astype(np.float32) @ single.T),
            long=long,
            whole=closeness(cosines[long]),
            centre=np.zeros((len(texts), self.weight.shape[1])),
            definition=texts @ self.vectors[n:].T,
            documents=[
                (block, used, np.flatnonzero(np.isin(long, block)))
                for block in blocks(rows.groups)
                if (used := _used(rows.around, block[block < n])).size
            ],
        )
        sums, showing = self.weight.T @ self.vectors[:n], np.count_nonzero(self.weight, axis=0)
        for block, used, _ in near.documents:
            inside = block[block < n]
            left = sums - self.weight[inside].T @ self.vectors[inside]
            has = showing > np.count_nonzero(self.weight[inside], axis=0)
            near.centre[used] = np.where(has, texts[used] @ unit(left).T, near.definition[used])
        return near

    def senses(
        self, compared: _Compared, near: _Near, learned: Learned, errors: Matrix, without: Apart
    ) -> tuple[Sense, Sense]:
        """Return what the meaning says of the passages that have sentences, and of the texts around passages."""
        whole, other = (np.zeros((count, len(learned.base))) for count in (self.rows.shown, len(self.around)))
        if near.documents:
            inverse, coefficients = without.inverse(), learned.coefficients.astype(np.float32)
        for block, used, long in near.documents:
            rest = coefficients - columns(inverse, block) @ errors[block].astype(np.float32)
            whole[near.long[long]] = learned.base + near.whole[long] @ rest
            other[used] = learned.base + near.close[used] @ rest
        filled = np.where(np.isnan(compared.centre), compared.definition, compared.centre)
        own = Sense(learned=whole, centre=filled, definition=compared.definition)
        return own, Sense(learned=other, centre=near.centre, definition=near.definition)

    def model(self, mean: Matrix, learned: Learned, wording: _Wording, maps: NDArray[np.float32]) -> Model:
        """Return what evidence on new passages is computed from."""
        rows = self.rows
        return Model(
            mean=mean,
            vectors=self.vectors,
            base=learned.base,
            coefficients=learned.coefficients,
            centres=unit(self.weight.T @ self.vectors[: rows.shown]),
            positive=rows.positive,
            misses=rows.misses,
            excluded=unit(rows.excluded - mean) * rows.excluded.any(axis=1, keepdims=True),
            quotes=rows.quotes,
            weights=wording.weights,
            columns=wording.columns,
            maps=maps,
        )

    def evidence(
        self, model: Model, compared: _Compared, wording: _Wording, learned: Matrix, senses: tuple[Sense, Sense]
    ) -> Raw:
        """Return all of it, given what was learned of the rows without their documents."""
        n = self.rows.shown
        return Raw(
            learned=learned[:n],
            nearest=compared.nearest,
            centre=compared.centre,
            definition=compared.definition,
            words=compared.words,
            terms=wording.shared[:n, n:].astype(np.float64),
            miss=compared.miss,
            exclude=exclusion(model, self.vectors[:n], compared.definition),
            own=senses[0],
            other=senses[1],
            around=self.rows.around,
            best=np.full(compared.nearest.shape, -1),
        )


def _used(around: Around, passages: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the texts that stand around some of the passages or inside them."""
    sentences = around.sentences[np.isin(around.of, passages)]
    found = np.concatenate([around.asked[passages], around.before[passages], around.after[passages], sentences])
    return np.unique(found[found != NONE])
