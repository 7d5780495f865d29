"""In which order a coder reviews segments, and which resemble an example. Pure functions; no store, no model.

Withheld segments come without suggestions, to tell later how much the machine swayed people, and must not be known
from those that nothing was suggested for. In an order that follows what the machine thinks, a bare segment near the top
would say "the machine is sure of this one, and hides it"; so nothing that the machine thinks of a withheld segment
may move it, nor may its place say that it is withheld.

surest        Only segments with visible suggestions are ordered by probability. Every fifth place goes to a bare
              segment: withheld ones and those without a suggestion in one line, drawn by lot, so that a bare one is as
              often withheld as anywhere else. When the visible ones are used up, the rest of that line follows.
informative   Segments that nothing was suggested for stand at the top here too, as those near the threshold teach most:
              so a bare one gives nothing away. Withheld ones take no part in the choice; they come by lot, as often as
              in the study, after segments that are drawn by lot.
nothing fits  Here every segment says what the machine thinks of it, namely little. Withheld ones are left out: that one
              is missing says nothing, as most are.

The lot is a hash of coder and segment, so that an order that is made anew has the same rate of them from its top on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records import SegmentId, digest
from . import lexical
from .evidence import Matrix, unit

BARE = 5  # every so manieth place of the surest first is a segment without suggestions
AHEAD = 300  # how many segments are chosen one after another; further ones follow by what each is worth alone
SHORTLIST = 1000
POOL = 2000  # those that teach most, among which that is done
LOTS = 16**12


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A segment that a coder has not answered, in the order of the transcripts."""

    segment: SegmentId
    chances: tuple[tuple[str, float], ...]  # the probability of each theme that ranking kept, best first
    shown: float  # the probability of the best suggestion that the coder would see; 0 if none, as for withheld ones
    withheld: bool


def surest(waiting: Sequence[Waiting], coder: str) -> list[SegmentId]:
    """Return the segments, those with the most probable visible suggestion first."""
    visible = sorted((one for one in waiting if one.shown), key=lambda one: -one.shown)
    bare = sorted((one.segment for one in waiting if not one.shown), key=lambda segment: lot(segment, coder))
    mixed: list[SegmentId] = []
    for at, one in enumerate(visible, 1):
        mixed.append(one.segment)
        if at % (BARE - 1) == 0 and bare:
            mixed.append(bare.pop(0))
    return [*mixed, *bare]


def informative(
    waiting: Sequence[Waiting],
    given: Mapping[str, float],
    seen: NDArray[np.floating],
    vectors: Callable[[Sequence[SegmentId]], NDArray[np.floating]],
    coder: str,
) -> list[SegmentId]:
    """Return the segments from which most is learned first.

    ``given`` says how often each theme was given so far, ``seen`` holds the vectors of segments that were decided, and
    ``vectors`` returns those of others. A segment is worth the entropy of its themes, each divided by one more than
    the theme was given, so that rare themes are not starved; chosen segments count as given by what is probable. And
    it is worth less the more it resembles one that was seen or chosen, so that no ten of a kind come in a row.
    """
    free = [one for one in waiting if not one.withheld]
    held = [one.segment for one in waiting if one.withheld]
    themes = sorted({theme for one in free for theme, _ in one.chances})
    column = {theme: at for at, theme in enumerate(themes)}
    chance = np.zeros((len(free), len(themes)))
    for row, one in enumerate(free):
        for theme, probability in one.chances:
            chance[row, column[theme]] = probability
    have = np.array([given.get(theme, 0) for theme in themes], dtype=np.float64)
    ranked = np.argsort(-np.round(_entropy(chance) @ (1 / (1 + have)), 9), kind="stable")
    pool = ranked[:POOL]
    if len(pool):
        near = vectors([free[at].segment for at in pool])
        mean = np.vstack([near, seen]).mean(axis=0) if len(seen) else near.mean(axis=0)
        chosen = pool[_one_by_one(chance[pool], have, unit(near - mean), unit(seen - mean) if len(seen) else None)]
        ranked = np.concatenate([chosen, ranked[~np.isin(ranked, chosen)]])
    return _scattered([free[at].segment for at in ranked], held, coder)


def _entropy(chance: Matrix) -> Matrix:
    """Return in bits what the answers would tell."""
    p = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


def _one_by_one(chance: Matrix, have: NDArray[np.float64], rows: Matrix, seen: Matrix | None) -> list[int]:
    """Return the rows that are worth most, each in the light of those before it."""
    have, tells = have.copy(), _entropy(chance)
    alike = np.maximum((rows @ seen.T).max(axis=1), 0) if seen is not None else np.zeros(len(rows))
    left = np.ones(len(rows), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(AHEAD, len(rows))):
        worth = np.where(left, np.round((tells @ (1 / (1 + have))) * (1 - np.minimum(alike, 1)), 9), -1.0)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        have += chance[best]
        alike = np.maximum(alike, rows @ rows[best])
    return chosen


def _scattered(ordered: Sequence[SegmentId], held: Sequence[SegmentId], coder: str) -> list[SegmentId]:
    """Put withheld segments between others at the rate they have among all, at places that follow from the others."""
    line = sorted(held, key=lambda segment: lot(segment, coder))
    rate = len(line) / max(len(ordered), 1)
    mixed: list[SegmentId] = []
    for segment in ordered:
        due = int(rate) + (lot(segment, coder) < rate % 1)
        mixed += [segment, *line[:due]]
        line = line[due:]
    return [*mixed, *line]


def lot(segment: SegmentId, coder: str) -> float:
    """Return a number from 0 to 1 that is fixed by coder and segment, and by nothing that anybody thinks of it.

    >>> lot(SegmentId("s"), "Ria") == lot(SegmentId("s"), "Ria") != lot(SegmentId("s"), "Tom")
    True
    """
    return int(digest("lot", segment, coder)[:12], 16) / LOTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A segment that resembles an example."""

    segment: SegmentId
    likeness: float  # cosine, after what all segments have in common was taken out
    wording: float  # what the two have in common in words and pieces of words, from 0 to 1


def alike(
    text: str,
    vector: NDArray[np.floating],
    segments: Sequence[SegmentId],
    texts: Sequence[str],
    vectors: NDArray[np.floating],
) -> list[Hit]:
    """Return the segments that resemble an example, best first, by meaning and wording alike.

    Wording is looked at among the ``SHORTLIST`` nearest in meaning. On two public data sets the ten best had a theme in
    common with the example in .42 and .70 of cases, by meaning alone in .40 and .67, by wording alone in .37 and .63.
    """
    if not segments:
        return []
    mean = vectors.mean(axis=0)
    likeness = np.round(unit(vectors - mean) @ unit((vector - mean)[None])[0], 6)
    short = np.argsort(-likeness, kind="stable")[:SHORTLIST]
    counts = lexical.count([*(texts[at] for at in short), text])
    rows = lexical.weigh(counts, lexical.learn(counts))
    wording = np.round((rows[:-1] @ rows[-1].T).toarray().ravel(), 6)
    best = np.argsort(-(likeness[short] + wording), kind="stable")
    return [
        Hit(segment=segments[short[at]], likeness=float(likeness[short[at]]), wording=float(wording[at])) for at in best
    ]
