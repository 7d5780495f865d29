"""The segments behind what an audit says: a few for each signal, side by side."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..agreement import Agreement, Ratings
from ..drift import Cell, Check, Error, Shared, Status
from ..records import SegmentId
from ..report import Drift, Example, Signal, happened
from .gather import Gathered

MOST = 4  # segments in a column
THEMES = 3  # on which agreement is worst
MOST_CHANGES = 8
SERIOUS = (Status.ACTION, Status.WATCH)
LOW = 0.667  # agreement whose interval does not reach this is worth talking about


def changes(gathered: Gathered, drift: Drift | None) -> Iterator[Signal]:
    """Yield what the drift audit found, the more serious first, each with segments from before and since."""
    if drift is None:
        return
    found = [cell for cell in drift.audit.cells if cell.status in SERIOUS and (cell.theme or not _single(drift, cell))]
    for cell in sorted(found, key=lambda cell: (SERIOUS.index(cell.status), cell.change.q if cell.change else 1.0))[
        :MOST_CHANGES
    ]:
        yield _signal(gathered, drift, cell, f"{cell.coder}, ")
    for one in drift.audit.shared:
        if one.status is Status.WATCH:
            yield _signal(gathered, drift, one, "Everybody, ")


def _single(drift: Drift, pooled: Cell) -> bool:
    """Tell whether one of the themes by itself shows what all of them together do."""
    mine = (cell for cell in drift.audit.cells if (cell.coder, cell.error) == (pooled.coder, pooled.error))
    return any(cell.theme and cell.status in SERIOUS for cell in mine)


def _signal(gathered: Gathered, drift: Drift, cell: Cell | Shared, who: str) -> Signal:
    title, words = happened(cell, drift.audit.reference)
    coder = cell.coder if isinstance(cell, Cell) else ""
    alarm = cell.chart.action_at or cell.chart.watch_at if isinstance(cell, Cell) and cell.chart else None
    when = cell.change.at if cell.change else alarm
    mine = [c for c in drift.checks if coder in ("", c.coder) and _possible(c, cell, drift.audit.plan.priority)]
    fits = "it fits" if drift.audit.plan.against == "gold" else "most others gave it"
    if cell.error is Error.MISS:
        headings = (f"Before: {fits}, and it was given", f"Since: {fits}, and it was not given")
    else:
        fits = "it does not fit" if drift.audit.plan.against == "gold" else "most others did not give it"
        headings = (f"Before: {fits}, and it was not given", f"Since: {fits}, and it was given")
    before = [c for c in mine if when and c.at < when and not _wrong(c, cell, drift.audit.plan.priority)]
    since = [c for c in mine if when and c.at >= when and _wrong(c, cell, drift.audit.plan.priority)]
    columns = tuple(
        (heading, tuple(_checked(gathered, check, drift.audit.plan.against) for check in _spread(some)))
        for heading, some in zip(headings, (before, since), strict=True)
    )
    return Signal(title=f"{who}{title}", words=words, columns=columns)


def _themes(cell: Cell | Shared, priority: Sequence[str]) -> set[str]:
    return {cell.theme} if cell.theme else set(priority)


def _possible(check: Check, cell: Cell | Shared, priority: Sequence[str]) -> bool:
    """Tell whether such an error was possible: there is something to miss, or something that does not fit."""
    themes = _themes(cell, priority) - check.uncertain
    return bool(themes & check.gold) if cell.error is Error.MISS else bool(themes - check.gold)


def _wrong(check: Check, cell: Cell | Shared, priority: Sequence[str]) -> bool:
    themes = _themes(cell, priority) - check.uncertain
    one, other = (check.gold, check.given) if cell.error is Error.MISS else (check.given, check.gold)
    return bool(themes & one - other)


def _spread(checks: Sequence[Check]) -> list[Check]:
    """Return some checks, from as many documents as there are, those first on which all others agree."""
    order = sorted(checks, key=lambda check: (max(map(_doubt, check.shares.values()), default=0.0), check.at))
    first = {check.document: check for check in reversed(order)}
    chosen = sorted(first.values(), key=lambda check: order.index(check))[:MOST]
    return sorted(chosen + [check for check in order if check not in chosen][: MOST - len(chosen)], key=lambda c: c.at)


def _doubt(share: float) -> float:
    return min(share, 1 - share)


def _checked(gathered: Gathered, check: Check, against: str) -> Example:
    right = "gold" if against == "gold" else "most others"
    return Example(
        at=check.at,
        coder=check.coder,
        passage=gathered.passages[SegmentId(check.segment)],
        said=f"gave {_named(check.given)}; {right}: {_named(check.gold)}",
    )


def _named(themes: frozenset[str]) -> str:
    return ", ".join(sorted(themes)) or "nothing"


def disputed(gathered: Gathered, read: Ratings, agreed: Agreement) -> Iterator[Signal]:
    """Yield the themes on which coders agree least, each with segments that divide them most.

    Only themes whose whole interval lies under .667: of the others nothing is known, or nothing bad.
    """
    low = [theme for theme in agreed.themes if theme.alpha.high is not None and theme.alpha.high < LOW]
    for theme in sorted(low, key=lambda theme: (float(theme.alpha.value), theme.theme))[:THEMES]:
        column = read.themes.index(theme.theme)
        yield Signal(
            title=f"{theme.theme}: coders understand it differently",
            words=f"Alpha {theme.alpha.value:.2f} [{theme.alpha.low:.2f}, {theme.alpha.high:.2f}]: the whole interval "
            f"lies under {LOW}.",
            columns=(("Segments that divide coders most", tuple(_divided(gathered, read, column))),),
        )


def _divided(gathered: Gathered, read: Ratings, column: int) -> Iterator[Example]:
    counts = read.counts[:, column]
    evenly = counts.min(axis=1)
    order = np.lexsort((np.arange(len(evenly)), -counts.sum(axis=1), -evenly))
    for unit in order[:MOST]:
        if not evenly[unit]:
            return
        rows = np.flatnonzero(read.unit == unit)
        gave = [read.coders[c] for c in read.coder[rows[read.given[rows, column]]]]
        did_not = [read.coders[c] for c in read.coder[rows[~read.given[rows, column]]]]
        yield Example(
            at=None,
            coder="",
            passage=gathered.passages[read.units[unit]],
            said=f"given by {', '.join(gave)}; not by {', '.join(did_not)}",
        )
