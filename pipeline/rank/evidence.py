"""What speaks for each theme in a passage: six kinds of raw evidence, for new passages and for those learned from.

learned     kernel ridge regression on themes: what tells each theme from the others (Saunders et al. 1998)
nearest     cosine with the nearest passage that shows the theme
centre      cosine with the mean of all that show it
definition  cosine with its definition
words       wording shared with all that show it
terms       wording shared with its definition
miss        how much nearer the passage is to a near miss of the theme than to anything that shows it

A passage that was learned from is scored as if its document had not been there. For ridge regression this needs no
refitting: with P the inverse of the regularised kernel matrix and a = P y, leaving out the rows B changes their
prediction to y_B - P_BB^-1 a_B (Rasmussen and Williams 2006, section 5.4.2, there for single rows).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import lexical
from .material import Rows

Matrix = NDArray[np.float64]
WIDTH = 2.0  # of the kernel exp(WIDTH * (cosine - 1)): curved enough to follow exemplars, too flat to memorise them
RIDGE = 1.0  # of the same size as what one row adds to the kernel
BALANCE = 0.5  # 0: common themes teach most; 1: all themes teach alike
CHUNK = 1024  # passages that are scored together


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
    best: NDArray[np.intp]  # the nearest exemplar of the codebook, -1 where a theme has none


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """What raw evidence is computed from. All vectors have what the rows have in common taken out, and length 1."""

    mean: Matrix
    vectors: Matrix  # m x d: quotes, decided segments, definitions
    coefficients: Matrix  # m x k
    base: Matrix  # k: the share of each theme among the rows
    centres: Matrix  # k x d; zeros where nothing shows the theme
    positive: NDArray[np.bool_]
    misses: NDArray[np.bool_]
    quotes: int
    weights: lexical.Weights
    columns: NDArray[np.intp]  # the n-grams that are known
    maps: NDArray[np.float32]  # known n-grams x 3k: for learned, words and terms; by far the largest array


def fit_model(rows: Rows) -> tuple[Model, Raw]:
    """Return the model of these rows, and the evidence on each passage among them with its document left out."""
    counts = lexical.count(rows.texts)
    weights = lexical.learn(counts)
    wording = lexical.weigh(counts, weights)
    columns = np.flatnonzero(np.concatenate(weights.idf) > 0)
    wording = wording[:, columns].astype(np.float64)
    mean = _common(rows)
    vectors = _unit(rows.vectors - mean)
    cosines = vectors @ vectors.T
    shared = (wording @ wording.T).toarray()
    base, residual, ridge = _problem(rows)
    inverse = np.linalg.inv(np.exp(WIDTH * (cosines - 1)) + shared + np.diag(ridge))
    coefficients = inverse @ residual
    shown = slice(0, rows.shown)
    weight = np.where(rows.positive, rows.shares[shown], 0)
    sums = np.asarray(wording[shown].T @ weight)  # n-grams x k
    model = Model(
        mean=mean,
        vectors=vectors,
        coefficients=coefficients,
        base=base,
        centres=_unit(weight.T @ vectors[shown]),
        positive=rows.positive,
        misses=rows.misses,
        quotes=rows.quotes,
        weights=weights,
        columns=columns,
        maps=np.hstack(
            [wording.T @ coefficients, _unit(sums.T).T, wording[rows.shown :].T.toarray()],
            dtype=np.float32,
            casting="same_kind",
        ),
    )
    fitted = _LeftOut(rows=rows, weight=weight, cosines=cosines, shared=shared)
    learned = base + residual[shown] - _leave_out_error(inverse, coefficients, rows)[shown]
    return model, fitted.evidence(learned, vectors)


def evidence(model: Model, texts: Sequence[str], vectors: NDArray[np.floating]) -> Raw:
    """Return the evidence on new passages; each row depends on its own text and vector alone."""
    parts = [_evidence(model, texts[at : at + CHUNK], vectors[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)]
    if not parts:
        parts = [_evidence(model, (), np.zeros((0, len(model.mean))))]
    return Raw(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Raw.__slots__})


def _evidence(model: Model, texts: Sequence[str], vectors: NDArray[np.floating]) -> Raw:
    themes = len(model.base)
    passages = _unit(vectors - model.mean)
    cosines = passages @ model.vectors.T
    wording = lexical.weigh(lexical.count(texts), model.weights)[:, model.columns]
    learned, words, terms = np.split(np.asarray(wording @ model.maps, dtype=np.float64), 3, axis=1)
    shown = cosines[:, : len(model.positive)]
    nearest, best = _nearest(shown, model.positive), _best(shown[:, : model.quotes], model.positive[: model.quotes])
    has = model.positive.any(axis=0)
    return Raw(
        learned=model.base + np.exp(WIDTH * (cosines - 1)) @ model.coefficients + learned,
        nearest=nearest,
        centre=np.where(has, passages @ model.centres.T, np.nan),
        definition=cosines[:, len(cosines.T) - themes :],
        words=np.where(has, words, np.nan),
        terms=terms,
        miss=_miss(nearest, _nearest(shown[:, : model.quotes], model.misses)),
        best=best,
    )


def _common(rows: Rows) -> Matrix:
    """Return what the themes have in common: the mean vector, less so the fewer themes there are to compare.

    Texts of one study resemble each other, which blurs cosines; but the mean of a single theme is the theme itself.
    """
    themes = rows.shares.shape[1]
    return np.asarray(rows.vectors.mean(axis=0, dtype=np.float64) * (1 - 1 / themes))


def _problem(rows: Rows) -> tuple[Matrix, Matrix, Matrix]:
    """Return the base share of each theme, what is left to learn in each row, and the ridge of each row."""
    per_theme = rows.shares.sum(axis=0)
    rarity = (per_theme.mean() / per_theme) ** BALANCE
    themed = rows.shares.sum(axis=1)
    weight = np.divide(rows.shares @ rarity, themed, out=np.ones_like(themed), where=themed > 0)
    missed = np.zeros(len(weight), dtype=bool)
    missed[: rows.quotes] = rows.misses.any(axis=1)
    only = missed & (themed == 0)
    base = np.average(rows.shares[~only], axis=0, weights=weight[~only])
    residual = rows.targets - base
    # Of a near miss it is known what it is not; what else it may be is left open.
    residual[: rows.quotes][only[: rows.quotes, None] & ~rows.misses] = 0
    return base, residual, RIDGE / weight


def _leave_out_error(inverse: Matrix, coefficients: Matrix, rows: Rows) -> Matrix:
    error = np.empty_like(coefficients)
    for block in _blocks(rows.groups):
        error[block] = np.linalg.solve(inverse[np.ix_(block, block)], coefficients[block])
    return error


def _blocks(groups: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _LeftOut:
    """The rows with all their similarities, to tell what the evidence on a row is without its document."""

    rows: Rows
    weight: Matrix
    cosines: Matrix
    shared: Matrix

    def evidence(self, learned: Matrix, vectors: Matrix) -> Raw:
        """Return the evidence on every passage among the rows."""
        rows, n = self.rows, self.rows.shown
        shown = self.cosines[:n, :n].copy()
        for block in _blocks(rows.groups[:n]):
            shown[np.ix_(block, block)] = -np.inf
        nearest = _nearest(shown, rows.positive)
        misses = _nearest(shown[:, : rows.quotes], rows.misses)
        return Raw(
            learned=learned,
            nearest=nearest,
            centre=self._centre(self.cosines[:n, :n]),
            definition=self.cosines[:n, n:],
            words=self._centre(self.shared[:n, :n]),
            terms=self.shared[:n, n:],
            miss=_miss(nearest, misses),
            best=np.full(nearest.shape, -1),
        )

    def _centre(self, like: Matrix) -> Matrix:
        """Return the similarity of each passage with each theme's centre, its own document taken out of the centre."""
        product = like @ self.weight
        length = np.einsum("it,it->t", self.weight, product)  # squared, of the sum over each theme's passages
        left = np.empty_like(product)
        for block in _blocks(self.rows.groups[: self.rows.shown]):
            own = self.weight[block]
            inside = like[np.ix_(block, block)] @ own
            rest = length - 2 * np.einsum("it,it->t", own, product[block]) + np.einsum("it,it->t", own, inside)
            any_left = rest > 1e-9
            value = (product[block] - inside) / np.sqrt(np.where(any_left, rest, 1))
            left[block] = np.where(any_left, value, np.nan)
        return left


def _nearest(cosines: Matrix, of: NDArray[np.bool_]) -> Matrix:
    """Return for each passage and theme the largest cosine with the theme's own rows, NaN where there are none."""
    out = np.full((len(cosines), of.shape[1]), np.nan)
    for theme in np.flatnonzero(of.any(axis=0)):
        out[:, theme] = cosines[:, of[:, theme]].max(axis=1, initial=-np.inf)
    out[np.isneginf(out)] = np.nan
    return out


def _best(cosines: Matrix, of: NDArray[np.bool_]) -> NDArray[np.intp]:
    best = np.full((len(cosines), of.shape[1]), -1)
    for theme in np.flatnonzero(of.any(axis=0)):
        own = np.flatnonzero(of[:, theme])
        best[:, theme] = own[cosines[:, own].argmax(axis=1)]
    return best


def _miss(nearest: Matrix, misses: Matrix) -> Matrix:
    """Return by how much a passage is nearer to a near miss than to what shows the theme; 0 without a near miss."""
    return np.nan_to_num(np.maximum(misses - np.nan_to_num(nearest, nan=0.0), 0), nan=0.0)


def _unit(rows: NDArray[np.floating]) -> Matrix:
    rows = rows.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 1e-9, length, 1))
