"""Agreement of coders who cut for themselves: the unitizing alphas of Krippendorff et al. (2016; 2019, 12.6).

They are not the alpha-u of 1995 and 2004, which is another coefficient with other values.

u-alpha    do coders agree on where segments lie and which themes they have?
|u-alpha   do they agree on what is worth coding at all, whatever the theme?
cu-alpha   where both coded something, is it the same? It does not see boundaries: read it beside |u-alpha
(k)u-alpha the same for one theme, among what both coded
theme      one theme against everything else: the only one for themes that may overlap
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .alpha import one_less
from .intervals import Estimate, Plan, by_sums, estimates
from .ratings import Floats

Value = tuple[str, ...]  # the themes of a stretch, sorted; more than one where a coder's spans overlap
GAP: Value = ()

# What is kept by document and value: lengths that two coders gave the same, lengths that were given at all, and what
# takes a segment's comparison with itself out of chance (its squared length; of a gap, its length). Then the same of
# what two coders both coded.
SAME, GIVEN, OWN, CODED_SAME, CODED, CODED_OWN = range(6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch ``[start, end)`` of a document to which a coder gave a theme."""

    document: str
    coder: str
    start: int
    end: int
    theme: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Continuum:
    """A document with its length and who read it, whether or not they coded anything."""

    document: str
    length: int
    coders: Collection[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeUnitizing:
    """How far coders agree on one theme when they cut for themselves."""

    theme: str
    against_rest: Estimate
    among_coded: Estimate  # (k)u-alpha
    coverage: float | None  # share of the theme's length that another coder coded with whatever theme


@dataclass(frozen=True, kw_only=True, slots=True)
class Unitizing:
    """How far coders agree when they cut for themselves."""

    documents: int
    coders: int
    spans: int
    u: Estimate
    binary: Estimate  # |u-alpha
    cu: Estimate
    themes: tuple[ThemeUnitizing, ...]


def unitizing(
    continua: Iterable[Continuum], spans: Iterable[Span], themes: Sequence[str], plan: Plan | None = None
) -> Unitizing:
    """Return the family over documents that two coders or more have read."""
    read = [continuum for continuum in continua if len(set(continuum.coders)) > 1]
    known = {(continuum.document, coder) for continuum in read for coder in continuum.coders}
    drawn: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        if (span.document, span.coder) in known:
            drawn.setdefault((span.document, span.coder), []).append(span)
    plan, n = plan or Plan(), len(read)
    values, sums = _sums(read, drawn)
    overall = [estimates(by_sums(sums, of), n, plan)[0] for of in (_u, _binary, _cu)]
    return Unitizing(
        documents=n,
        coders=len({coder for _, coder in known}),
        spans=sum(map(len, drawn.values())),
        u=overall[0],
        binary=overall[1],
        cu=overall[2],
        themes=tuple(_of_theme(theme, read, drawn, (values, sums), plan) for theme in themes),
    )


def _of_theme(
    theme: str,
    read: Sequence[Continuum],
    drawn: Mapping[tuple[str, str], list[Span]],
    all_values: tuple[list[Value], Floats],
    plan: Plan,
) -> ThemeUnitizing:
    only = {place: [span for span in made if span.theme == theme] for place, made in drawn.items()}
    _, alone = _sums(read, only)
    values, sums = all_values
    at = values.index((theme,)) if (theme,) in values else None
    coverage = None
    if at is None:
        among = estimates(lambda weights: np.full((len(weights), 1), np.nan), len(read), plan)[0]
    else:
        among = estimates(by_sums(sums, lambda total: _among_coded(total, at)), len(read), plan)[0]
        given, coded = sums[:, GIVEN, at].sum(), sums[:, CODED, at].sum()
        coverage = float(coded / given) if given else None
    return ThemeUnitizing(
        theme=theme,
        against_rest=estimates(by_sums(alone, _u), len(read), plan)[0],
        among_coded=among,
        coverage=coverage,
    )


def _sums(read: Sequence[Continuum], drawn: Mapping[tuple[str, str], list[Span]]) -> tuple[list[Value], Floats]:
    """Return the values there are, the gap first, and the lengths: documents x 6 x values."""
    cut = [[pieces(drawn.get((c.document, coder), ()), c.length) for coder in sorted(set(c.coders))] for c in read]
    there = {value for coders in cut for made in coders for _, _, value in made}
    values = [GAP, *sorted(there - {GAP})]
    column = {value: at for at, value in enumerate(values)}
    if not cut:
        return values, np.zeros((0, 6, len(values)))
    return values, np.stack([_lengths(coders, column) for coders in cut])


Piece = tuple[int, int, Value]


def pieces(spans: Collection[Span], length: int) -> list[Piece]:
    """Return one coder's spans as a partition of ``[0, length)`` into segments and gaps.

    Where spans overlap, the overlap is a segment of its own, which has the themes of all of them.
    """
    spans = [span for span in spans if span.start < min(span.end, length)]
    if not spans:
        return [(0, length, GAP)]
    bounds = sorted({0, length, *(s.start for s in spans), *(min(s.end, length) for s in spans)})
    at = {bound: number for number, bound in enumerate(bounds)}
    themes: list[set[str]] = [set() for _ in bounds[1:]]
    for span in spans:
        for number in range(at[span.start], at[min(span.end, length)]):
            themes[number].add(span.theme)
    return [(a, b, tuple(sorted(given))) for a, b, given in zip(bounds[:-1], bounds[1:], themes, strict=True)]


def _lengths(coders: Sequence[Sequence[Piece]], column: Mapping[Value, int]) -> Floats:
    """Return the sums of one document, 6 x values."""
    bounds = np.unique([edge for made in coders for start, end, _ in made for edge in (start, end)])
    length = np.diff(bounds).astype(np.float64)
    value = np.stack([_value_at(made, bounds, column) for made in coders])  # coders x stretches
    counts = np.stack([(value == at).sum(axis=0) for at in range(len(column))], axis=1).astype(np.float64)
    others, is_theme = len(coders) - 1, np.arange(len(column)) > 0
    coded = len(coders) - counts[:, 0]  # how many coders coded each stretch
    same = length @ (counts * (counts - 1)) / others
    meet = length @ (counts * (coded[:, None] - 1)) / others
    own = np.zeros((2, len(column)))
    for made in coders:
        for start, end, given in made:
            inside = slice(*np.searchsorted(bounds, (start, end)))
            paired = length[inside][coded[inside] > 1].sum()
            at = column[given]
            own[:, at] += ((end - start) ** 2, paired**2) if at else (end - start, 0)
    return np.stack([same, length @ counts, own[0], same * is_theme, meet * is_theme, own[1]])


def _value_at(made: Sequence[Piece], bounds: NDArray[np.int_], column: Mapping[Value, int]) -> NDArray[np.intp]:
    ends = np.array([end for _, end, _ in made])
    return np.array([column[given] for _, _, given in made])[np.searchsorted(ends, bounds[:-1], side="right")]


def _u(total: Floats) -> Floats:
    """Return u-alpha (2019, eqs. 32-34) from sums ... x 6 x values, as ... x 1."""
    same, given, own = total[..., SAME, :], total[..., GIVEN, :], total[..., OWN, :]
    return _alpha(same.sum(axis=-1), given, own)


def _binary(total: Floats) -> Floats:
    """Return |u-alpha (eq. 35): gaps against everything that was coded."""
    gap_same, gap = total[..., SAME, 0], total[..., GIVEN, 0]
    rest = total[..., GIVEN, 1:].sum(axis=-1)
    same = gap_same + rest - (gap - gap_same)
    return _alpha(same, np.stack([gap, rest], axis=-1), total[..., OWN, :])


def _cu(total: Floats) -> Floats:
    """Return cu-alpha (eqs. 36-37): only what two coders both coded, corrected by the lengths that can be paired."""
    return _alpha(total[..., CODED_SAME, :].sum(axis=-1), total[..., CODED, :], total[..., CODED_OWN, :])


def _alpha(same: Floats, given: Floats, own: Floats) -> Floats:
    length = given.sum(axis=-1)
    expected = np.square(length) - np.square(given).sum(axis=-1)
    return one_less((length - same) * (np.square(length) - own.sum(axis=-1)), length * expected)[..., None]


def _among_coded(total: Floats, at: int) -> Floats:
    """Return (k)u-alpha of a value (eq. 38)."""
    length, given = total[..., CODED, :].sum(axis=-1), total[..., CODED, at]
    observed = given - total[..., CODED_SAME, at]
    expected = given * (length - given)
    of_theme = given * length - total[..., CODED_OWN, at]
    return one_less(of_theme * observed, given * expected)[..., None]
