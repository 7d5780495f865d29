"""How many themes each further transcript brings: whether more transcripts would tell more."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

BASE = 4  # transcripts whose themes new ones are compared with
RUN = 2  # transcripts in a row
NEW = 0.05  # share of new themes at most


@dataclass(frozen=True, kw_only=True, slots=True)
class Saturation:
    """Themes by transcript, in the order in which they were coded; empty without transcripts."""

    new: tuple[int, ...]  # themes that no earlier transcript had
    seen: tuple[int, ...]  # themes up to there
    expected: tuple[float, ...]  # the same whatever the order: the mean over all orders
    unseen: float  # themes that further transcripts would bring, estimated (Chao 2 with correction for bias)
    reached: int | None  # transcripts after which little was new (Guest, Namey & Chen 2020: base 4, run 2, 5 %)


def saturation(coded: Sequence[Collection[str]]) -> Saturation:
    """Return how the number of themes grows with the transcripts, given each one's themes."""
    seen: set[str] = set()
    new = []
    for themes in coded:
        new.append(len(set(themes) - seen))
        seen |= set(themes)
    often = Counter(theme for themes in coded for theme in set(themes))
    total = len(coded)
    once, twice = (sum(times == n for times in often.values()) for n in (1, 2))
    return Saturation(
        new=tuple(new),
        seen=tuple(sum(new[: at + 1]) for at in range(total)),
        expected=_expected(often, total),
        unseen=(total - 1) / total * once * max(once - 1, 0) / (2 * (twice + 1)) if total else 0.0,
        reached=_reached(new),
    )


def _expected(often: Counter[str], total: int) -> tuple[float, ...]:
    """Return the expected number of themes in 1, 2, .. transcripts (Colwell, Mao & Chang 2004, eq. 5).

    The chance that a theme of ``times`` transcripts is in none of n is the product of (total - times - i) / (total - i)
    for i below n.
    """
    left = total - np.arange(total)
    found = np.zeros(total)
    for times, themes in Counter(often.values()).items():
        found += themes * (1 - np.cumprod(np.maximum(left - times, 0) / left))
    return tuple(found.tolist())


def _reached(new: Sequence[int]) -> int | None:
    base = sum(new[:BASE])
    for end in range(BASE + RUN, len(new) + 1):
        if base and sum(new[end - RUN : end]) / base <= NEW:
            return end
    return None
