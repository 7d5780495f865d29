"""Texts -> which of them say nearly the same: the same interview under two names, or in an older version.

Broder 1997, "On the resemblance and containment of documents": texts share runs of words. What counts is containment,
the share of the shorter one's runs that the other has as well, so that half a transcript is found in the whole one.
"""

import hashlib
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

RUN = 5  # words
FEWEST = 50  # runs of a text; two short answers may well be alike
USUAL = 20  # texts; a run of words that so many share is a turn of phrase, and no copy
ALIKE = 0.5  # share of the shorter text's runs
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, with well mixed bits; products wrap at 2^64
_WORD = re.compile(r"\w+")
Hashes = NDArray[np.uint64]


def runs_of(text: str) -> Hashes:
    """Return the distinct hashes of every ``RUN`` words in a row, sorted; case, signs and line ends set aside."""
    seen: dict[str, int] = {}
    numbers = [_number(word, seen) for word in _WORD.findall(text.casefold())]
    if len(numbers) < RUN:
        return np.zeros(0, np.uint64)
    words = np.array(numbers, dtype=np.uint64)
    count = len(words) - RUN + 1
    mixed = np.zeros(count, np.uint64)
    for at in range(RUN):
        mixed = mixed * _BASE + words[at : at + count]
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def _number(word: str, seen: dict[str, int]) -> int:
    if word not in seen:
        seen[word] = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return seen[word]


def nearly_the_same(texts: Mapping[str, Hashes], least: float = ALIKE) -> list[tuple[str, str, float]]:
    """Return the pairs of texts that share at least ``least`` of the shorter one's runs, the likest first."""
    names = [name for name, runs in texts.items() if len(runs) >= FEWEST]
    if len(names) < 2:
        return []
    sizes = [len(texts[name]) for name in names]
    every = np.concatenate([texts[name] for name in names])
    owner = np.repeat(np.arange(len(names)), sizes)
    shared = _shared(every, owner, len(names))
    found = [(names[a], names[b], count / min(sizes[a], sizes[b])) for (a, b), count in shared.items()]
    return sorted((pair for pair in found if pair[2] >= least), key=lambda pair: -pair[2])


def _shared(every: Hashes, owner: NDArray[np.intp], texts: int) -> dict[tuple[int, int], int]:
    """Return how many runs each two texts have in common, where they have any."""
    order = np.lexsort((owner, every))
    every, owner = every[order], owner[order]
    begins = np.flatnonzero(np.r_[True, every[1:] != every[:-1]])
    sizes = np.diff(np.r_[begins, len(every)])
    codes = []
    for size in np.unique(sizes[(sizes > 1) & (sizes <= USUAL)]):
        rows = owner[begins[sizes == size][:, None] + np.arange(size)]
        left, right = np.triu_indices(int(size), 1)
        codes.append((rows[:, left] * texts + rows[:, right]).ravel())
    if not codes:
        return {}
    pairs, counts = np.unique(np.concatenate(codes), return_counts=True)
    return {(int(pair // texts), int(pair % texts)): int(count) for pair, count in zip(pairs, counts, strict=True)}
