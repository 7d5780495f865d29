"""What stands around passages and inside them: the question asked, what is said before
and after, the sentences of a long passage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """Other texts that say something about n passages; each text is there once, however many passages it serves."""

    vectors: NDArray[np.floating]  # u x d, rows of length 1
    asked: NDArray[np.intp]  # n: the row of the last question before each passage, or NONE
    before: NDArray[np.intp]  # n: the row of what was said just before, or NONE
    after: NDArray[np.intp]  # n: the row of what was said next, or NONE
    sentences: NDArray[np.intp]  # s: the rows of sentences, of passages of two or more
    of: NDArray[np.intp]  # s: the passage that each sentence is in, not falling

    def part(self, rows: NDArray[np.intp]) -> "Around":
        """Return what stands around some of the passages, in the order of ``rows``."""
        place = np.full(len(self.asked), NONE)
        place[rows] = np.arange(len(rows))
        inside = np.flatnonzero(place[self.of] != NONE)
        inside = inside[np.argsort(place[self.of[inside]], kind="stable")]
        asked, before, after, sentences = self.asked[rows], self.before[rows], self.after[rows], self.sentences[inside]
        used = np.unique(np.concatenate([asked, before, after, sentences]))
        used = used[used != NONE]

        def renumbered(texts: NDArray[np.intp]) -> NDArray[np.intp]:
            return np.where(texts == NONE, NONE, np.searchsorted(used, texts))

        return Around(
            vectors=self.vectors[used],
            asked=renumbered(asked),
            before=renumbered(before),
            after=renumbered(after),
            sentences=renumbered(sentences),
            of=place[self.of[inside]],
        )


def nothing_around(passages: int, dimensions: int) -> Around:
    """Return surroundings that say nothing about so many passages."""
    none = np.full(passages, NONE)
    empty = np.zeros(0, dtype=np.intp)
    vectors = np.zeros((0, dimensions), np.float32)
    return Around(vectors=vectors, asked=none, before=none, after=none, sentences=empty, of=empty)


def join(parts: Sequence[Around]) -> Around:
    """Return the surroundings of passages that follow one another."""
    texts = np.cumsum([0, *(len(part.vectors) for part in parts)])
    passages = np.cumsum([0, *(len(part.asked) for part in parts)])
    shifted = list(zip(parts, texts.tolist(), passages.tolist(), strict=False))
    return Around(
        vectors=np.vstack([part.vectors for part in parts]),
        asked=np.concatenate([np.where(part.asked == NONE, NONE, part.asked + at) for part, at, _ in shifted]),
        before=np.concatenate([np.where(part.before == NONE, NONE, part.before + at) for part, at, _ in shifted]),
        after=np.concatenate([np.where(part.after == NONE, NONE, part.after + at) for part, at, _ in shifted]),
        sentences=np.concatenate([part.sentences + at for part, at, _ in shifted]),
        of=np.concatenate([part.of + at for part, _, at in shifted]),
    )
