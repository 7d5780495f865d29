"""Every coder, theme and kind of error: level, chart and change together, and what may be said of them."""

from dataclasses import replace

import numpy as np

from . import change
from .certify import levels
from .charting import Streams, chart, detectable, streams
from .dating import dated, units
from .rates import benjamini_hochberg
from .records import Cell, Certification, Change, Error, Plan, Shared, Status, Word
from .team import Team, parts

FLOOR = {Error.MISS: 0.15, Error.FALSE_ALARM: 0.08}  # smaller rises are nothing to act on
ENOUGH = 20  # checks of one kind, without which a cell says nothing
FALSE_DISCOVERIES = 0.10
WITHIN = 0.10  # p of the coder's own change, up to which an alarm may be called drift


def cells(team: Team, plan: Plan, papers: tuple[Certification, ...]) -> tuple[Cell, ...]:
    """Return the cells of every coder, before they are judged (see ``judged``)."""
    out = []
    for part in parts(team):
        for error in Error:
            made = streams(team, plan, part, error) if plan.shuffled else None
            compared = levels(team, part, error)
            for at, paper in enumerate(papers):
                own = units(team, part, error, np.flatnonzero(team.coder == at).astype(np.intp), plan.shuffled)
                charted = made if paper.passed is not None else None
                out.append(
                    Cell(
                        coder=paper.coder,
                        theme=part.theme,
                        error=error,
                        status=Status.NONE,
                        word=Word.NONE,
                        reason="",
                        detectable=_reach(charted, at, own.units, plan),
                        level=compared[at],
                        chart=chart(team, charted, at) if charted else None,
                        change=dated(team, own, change.rose(own.units, plan.permutations, plan.seed)),
                    )
                )
    return tuple(sorted(out, key=lambda cell: cell.coder))


def _reach(made: Streams | None, at: int, own: change.Units, plan: Plan) -> float | None:
    """Return the minimum detectable drift: the chart's, else the change test's."""
    return detectable(made, at) if made else change.smallest_rise(own, plan.permutations, plan.seed)


def judged(
    found: tuple[Cell, ...], everybody: tuple[Shared, ...], papers: tuple[Certification, ...]
) -> tuple[tuple[Cell, ...], tuple[Shared, ...]]:
    """Return the cells with q-values over all of them together, their status, and the word they may be called by."""
    changes = [*(one.change for one in found), *(one.change for one in everybody)]
    tests = np.array([one.p if one else np.nan for one in changes], dtype=np.float64)
    q = benjamini_hochberg(tests)
    passed = {paper.coder: paper for paper in papers}
    own = [
        _judged(replace(c, change=_corrected(c.change, q[at], c.error)), passed[c.coder]) for at, c in enumerate(found)
    ]
    rest = [
        replace(one, change=_corrected(one.change, q[len(found) + at], one.error)) for at, one in enumerate(everybody)
    ]
    return tuple(own), tuple(replace(one, status=_shared(one)) for one in rest)


def _corrected(tested: Change | None, q: float, error: Error) -> Change | None:
    if tested is None:
        return None
    return replace(tested, q=float(q), found=bool(q <= FALSE_DISCOVERIES and tested.rise >= FLOOR[error]))


def _judged(cell: Cell, paper: Certification) -> Cell:
    """Return the cell with its status and word.

    A coder who is not certified may be different without drifting: there a chart's alarm needs the coder's own change.
    """
    within = cell.change is not None and cell.change.p <= WITHIN
    heard = cell.chart is not None and (bool(paper.passed) or within)
    status, reason = Status.NONE, ""
    if heard and cell.chart is not None and cell.chart.action_at is not None:
        status = Status.ACTION
    elif (heard and cell.chart is not None and cell.chart.watch_at is not None) or (cell.change and cell.change.found):
        status = Status.WATCH
    elif reason := _too_little(cell, paper):
        status = Status.INSUFFICIENT
    word = Word.NONE
    if status in (Status.WATCH, Status.ACTION):
        word = Word.DRIFT if within else Word.LEVEL
    return replace(cell, status=status, word=word, reason=reason)


def _too_little(cell: Cell, paper: Certification) -> str:
    """Return why a cell without an alarm says nothing, "" if it does."""
    kind = "gold positives" if cell.error is Error.MISS else "gold negatives"
    if cell.level.own.trials < ENOUGH:
        return f"{cell.level.own.trials} {kind}, {ENOUGH} are needed"
    if cell.change is None:
        return f"fewer than {change.SIDE} {kind} before or after every moment"
    if cell.chart is not None and not paper.passed:
        return f"not certified: {paper.reason}"
    if cell.detectable is None:
        return "no rise, however large, would be found"
    return ""


def _shared(one: Shared) -> Status:
    """Return WATCH where everybody's error rose: most coders', and not because of one of them."""
    if one.change is None:
        return Status.INSUFFICIENT
    most = one.coders >= 2 and one.rising * 3 >= one.coders * 2 and not one.one_coder
    return Status.WATCH if one.change.found and most else Status.NONE
