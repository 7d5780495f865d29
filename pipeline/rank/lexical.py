"""Texts as weighted counts of their words, word pairs and pieces of words: what passages share in wording.

Pieces of words (3 to 5 letters, as scikit-learn's ``char_wb`` analyser cuts them) see through inflection and compounds,
which matters most in German, Swahili or Luganda; words and pairs of words keep what pieces blur. Every n-gram is hashed
to a column by arithmetic on code points, so there is no vocabulary to carry and 5,000 interview passages take about
a second.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.floating]
_Row = tuple[NDArray[np.int32], NDArray[np.float32]]  # the columns of one text's n-grams, and how often each occurs
COLUMNS = 2**20
PIECES = (3, 4, 5)
REMEMBERED = 20_000  # texts whose n-grams are kept: some 4 kB each
TOGETHER = 500  # texts whose products with those before them are computed at once
COMMON = 0.05  # of the texts: n-grams of so many are multiplied as a dense matrix, the others as a sparse one
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd multipliers with well mixed bits; products wrap at 2^64
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_SPACE = ord(" ")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each n-gram occurs: two sparse matrices of as many rows as texts, not yet weighted."""

    pieces: sp.csr_matrix
    words: sp.csr_matrix

    def families(self) -> tuple[sp.csr_matrix, sp.csr_matrix]:
        """Return the two kinds of n-grams, which are normalised apart."""
        return self.pieces, self.words


@dataclass(frozen=True, slots=True)
class _Grams:
    """Every occurrence of n-grams of one kind; words are numbered through all texts."""

    row: NDArray[np.intp]  # the text it is in
    column: NDArray[np.int64]
    first: NDArray[np.intp]  # the word it begins in
    last: NDArray[np.intp]  # the word it ends in


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each n-gram counts: by rarity in the texts it was learned from; unseen ones not at all."""

    idf: tuple[NDArray[np.float32], NDArray[np.float32]]


class Counted:
    """The n-grams of texts counted before; for one thread at a time. What is counted does not depend on it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Row, _Row]] = {}

    def count(self, texts: Sequence[str]) -> Counts:
        """Return what ``count`` does; texts that were counted before are not counted again."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            if len(self._known) + len(missing) > REMEMBERED:
                self._known = {text: self._known[text] for text in texts if text in self._known}
            made = count(missing)
            self._known |= zip(missing, zip(_rows(made.pieces), _rows(made.words), strict=True), strict=True)
        known = [self._known[text] for text in texts]
        return Counts(_stacked([pieces for pieces, _ in known]), _stacked([words for _, words in known]))


def count(texts: Sequence[str]) -> Counts:
    """Return the n-grams of each text, case and punctuation set aside."""
    pieces, words = (_matrix(grams.row, grams.column, len(texts)) for grams in _grams(texts))
    return Counts(pieces, words)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return where the words that ``count`` sees stand in a text, in code points.

    >>> word_spans("Groß, İş!")
    [(0, 4), (6, 7), (7, 8)]
    """
    folded = [sign.casefold() for sign in text]  # one sign may become two or three
    origin = np.repeat(np.arange(len(text)), [len(signs) for signs in folded])
    return [(int(origin[m.start()]), int(origin[m.end() - 1]) + 1) for m in _WORD.finditer("".join(folded))]


def learn(counts: Counts) -> Weights:
    """Return weights from how many texts hold each n-gram: ln((1 + n) / (1 + df)) + 1, and 0 for those never seen.

    An unseen n-gram carries no evidence for any theme; counting it in the length of a text would only tell how much of
    the text the codebook does not know, which made themes less comparable across passages.
    """
    return Weights((_idf(counts.pieces), _idf(counts.words)))


def weigh(counts: Counts, weights: Weights) -> sp.csr_matrix:
    """Return one row per text, pieces and words side by side, each half of the squared length, which is at most 1."""
    halves = [_normalised(matrix, idf) for matrix, idf in zip(counts.families(), weights.idf, strict=True)]
    return sp.hstack(halves, format="csr")


def products(rows: sp.csr_matrix) -> NDArray[np.float32]:
    """Return the similarity in wording of all rows with each other; each is at most 1.

    On two cores common and rare n-grams are multiplied side by side; on one the result is the same.
    """
    texts = np.bincount(rows.indices, minlength=rows.shape[1])
    often = texts > max(COMMON * rows.shape[0], 1)
    dense, sparse = rows[:, np.flatnonzero(often)].toarray(), rows[:, np.flatnonzero((texts > 1) & ~often)]
    with ThreadPoolExecutor(1) as beside:
        rare = beside.submit(_squared, sparse)
        common = dense @ dense.T
        common += rare.result()
    # An n-gram of a single text is shared with no other: all of them together make up what is left to a row's length.
    single = np.bincount(_row_of(rows), np.where(texts[rows.indices] == 1, rows.data, 0) ** 2, minlength=rows.shape[0])
    common[np.diag_indices_from(common)] += single
    return np.asarray(common)


def _squared(rows: sp.csr_matrix) -> NDArray[np.float32]:
    """Return the products of all rows with each other, each computed once."""
    found = np.zeros((rows.shape[0],) * 2, dtype=np.float32)
    for at in range(0, len(found), TOGETHER):
        end = at + TOGETHER
        found[at:end, :end] = (rows[at:end] @ rows[:end].T).toarray()
        found[:at, at:end] = found[at:end, :at].T
    return found


def weigh_words(texts: Sequence[str], weights: Weights) -> sp.csr_matrix:
    """Return one row per word of all texts, in order: what the word adds to its text's row of ``weigh``.

    An n-gram that occurs several times is shared evenly by its places, and a pair of words by the two.
    """
    halves = []
    for grams, idf in zip(_grams(texts), weights.idf, strict=True):
        key, which, times = np.unique(grams.row * COLUMNS + grams.column, return_inverse=True, return_counts=True)
        weight = (1 + np.log(times)) * idf[key % COLUMNS]
        length = np.sqrt(np.bincount(key // COLUMNS, weight**2, minlength=len(texts)))[grams.row]
        part = np.divide(np.sqrt(0.5) / 2, length, out=np.zeros_like(length), where=length > 0)
        value = part * (weight / times)[which]
        where = np.concatenate([grams.first, grams.last]), np.concatenate([grams.column, grams.column])
        words = int(grams.last.max()) + 1 if len(grams.last) else 0
        halves.append(sp.coo_matrix((np.concatenate([value, value]), where), shape=(words, COLUMNS)).tocsr())
    return sp.hstack(halves, format="csr")


def _grams(texts: Sequence[str]) -> tuple[_Grams, _Grams]:
    """Return the pieces of words, and the words with the pairs of neighbouring words."""
    plain = [f" {' '.join(_WORD.findall(text.casefold()))} " for text in texts]
    letters = np.frombuffer("".join(plain).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    row = np.repeat(np.arange(len(plain)), [len(text) for text in plain])
    inside = letters != _SPACE
    begins = inside & ~np.concatenate([[False], inside[:-1]])
    word = np.cumsum(begins) - 1
    return _pieces(letters, row, word), _words(letters, row, word)


def _pieces(letters: NDArray[np.uint64], row: NDArray[np.intp], word: NDArray[np.intp]) -> _Grams:
    """Find runs of letters inside one word, a space on either side of it counting as a letter."""
    spaces = np.concatenate([[0], np.cumsum(letters == _SPACE)])
    where, what = [], []
    for length in PIECES:
        start = np.arange(max(0, len(letters) - length + 1))
        inner = spaces[start + length - 1] - spaces[start + 1]
        start = start[(inner == 0) & (row[start] == row[start + length - 1])]
        code = np.full(len(start), length, dtype=np.uint64)
        for step in range(length):
            code = code * _BASE + letters[start + step]
        where.append(start)
        what.append(code)
    start = np.concatenate(where)
    of = word[start + 1]  # the first sign may be the space before the word
    return _Grams(row[start], _column(np.concatenate(what)), of, of)


def _words(letters: NDArray[np.uint64], row: NDArray[np.intp], word: NDArray[np.intp]) -> _Grams:
    """Find words and pairs of neighbouring words."""
    inside = letters != _SPACE
    number = word[inside]
    first = np.flatnonzero(inside)[np.flatnonzero(np.diff(number, prepend=-1))]
    place = np.flatnonzero(inside) - first[number]
    power = np.cumprod(np.full(int(place.max(initial=0)) + 1, _BASE, dtype=np.uint64))
    starts = np.flatnonzero(place == 0)
    code = np.add.reduceat(letters[inside] * power[place], starts) if len(starts) else np.zeros(0, np.uint64)
    of = row[first]
    pair = code[:-1] * _PAIR + code[1:]
    same = np.flatnonzero(of[:-1] == of[1:])
    each = np.arange(len(code))
    return _Grams(
        np.concatenate([of, of[same]]),
        _column(np.concatenate([code, pair[same]])),
        np.concatenate([each, same]),
        np.concatenate([each, same + 1]),
    )


def _column(code: NDArray[np.uint64]) -> NDArray[np.int64]:
    mixed = (code ^ (code >> np.uint64(29))) * _BASE  # the high bits of a product depend on all bits of the code
    return (mixed >> np.uint64(44)).astype(np.int64)


def _matrix(row: NDArray[np.intp], column: NDArray[np.int64], rows: int) -> sp.csr_matrix:
    # Rows are nearly in order already, which this sort makes use of: numpy.unique takes twice as long.
    every = np.sort(row * COLUMNS + column, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], every[1:] != every[:-1]])) if len(every) else np.zeros(0, np.intp)
    key, times = every[first], np.diff(first, append=len(every))
    begins = np.searchsorted(key, np.arange(rows + 1) * COLUMNS)
    return sp.csr_matrix((times.astype(np.float32), key % COLUMNS, begins), shape=(rows, COLUMNS))


def _rows(counts: sp.csr_matrix) -> list[_Row]:
    """Return copies of the rows, so that each can be forgotten alone."""
    ends = counts.indptr[1:-1]
    parts = zip(np.split(counts.indices, ends), np.split(counts.data, ends), strict=True)
    return [(columns.astype(np.int32), data.copy()) for columns, data in parts]


def _stacked(rows: Sequence[_Row]) -> sp.csr_matrix:
    if not rows:
        return sp.csr_matrix((0, COLUMNS), dtype=np.float32)
    begins = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    parts = np.concatenate([data for _, data in rows]), np.concatenate([columns for columns, _ in rows]), begins
    return sp.csr_matrix(parts, shape=(len(rows), COLUMNS))


def _idf(counts: sp.csr_matrix) -> NDArray[np.float32]:
    texts = np.bincount(counts.indices, minlength=COLUMNS)
    seen = np.flatnonzero(texts)
    idf = np.zeros(COLUMNS, dtype=np.float32)
    idf[seen] = np.log((1 + counts.shape[0]) / (1 + texts[seen])) + 1
    return idf


def _normalised(counts: sp.csr_matrix, idf: NDArray[np.float32]) -> sp.csr_matrix:
    weight = (1 + np.log(counts.data)) * idf[counts.indices]
    row = _row_of(counts)
    length = np.sqrt(np.bincount(row, weight**2, minlength=counts.shape[0]))
    scale = np.divide(np.sqrt(0.5), length, out=np.zeros_like(length), where=length > 0)
    weighted = sp.csr_matrix(
        ((weight * scale[row]).astype(np.float32), counts.indices.copy(), counts.indptr.copy()), shape=counts.shape
    )
    weighted.eliminate_zeros()
    return weighted


def _row_of(matrix: sp.csr_matrix) -> NDArray[np.intp]:
    """Return the row that each stored value of a matrix is in."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
