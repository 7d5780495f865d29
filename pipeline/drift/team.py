"""Checks -> arrays: one row per check, coder after coder in order of time, one column per theme."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from .records import Check, Error, Plan

Flags = NDArray[np.bool_]
Numbers = NDArray[np.intp]
TINY = 1e-6
HARD = 0.25  # share of the other coders against the majority, from which a segment counts as hard


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """All checks of all coders. Columns are the priority themes, then the others in order of name."""

    coders: tuple[str, ...]
    themes: tuple[str, ...]
    watched: int  # how many of the themes have priority
    coder: Numbers  # n
    when: tuple[datetime, ...]
    turn: Numbers  # n: place in the order of time over all coders
    in_time: Numbers  # n: rows in that order
    segments: tuple[str, ...]
    document: Numbers  # n
    sites: tuple[str, ...]
    gold: Flags  # n x k
    given: Flags
    known: Flags  # False where the gold is a split vote
    band: NDArray[
        np.int8
    ]  # n x k: 0 where all other coders agree, 1, or 2 on hard segments; all 0 with adjudicated gold
    wording: NDArray[np.int16]  # n x k: number of the theme's entry in the codebook at that time

    def present(self, error: Error) -> Flags:
        """Where such an error was possible: gold positives for a miss, gold negatives for a false alarm."""
        return np.asarray(self.known & (self.gold if error is Error.MISS else ~self.gold))

    @property
    def wrong(self) -> Flags:
        """Where the answer is not the right one."""
        return np.asarray(self.known & (self.gold != self.given))


def gathered(checks: Sequence[Check], plan: Plan) -> Team:
    """Return checks as arrays. Two checks of one moment are in order of their segments' names."""
    rows = sorted(checks, key=lambda check: (check.coder, check.at, check.segment))
    named = {theme for check in rows for theme in (*check.gold, *check.given, *check.uncertain)}
    themes = (*plan.priority, *sorted(named - set(plan.priority)))
    coders = tuple(dict.fromkeys(check.coder for check in rows))
    number = {coder: at for at, coder in enumerate(coders)}
    in_time = np.array(sorted(range(len(rows)), key=lambda row: (rows[row].at, row)), dtype=np.intp)
    gold = _marked([check.gold for check in rows], themes)
    return Team(
        coders=coders,
        themes=themes,
        watched=len(plan.priority),
        coder=np.array([number[check.coder] for check in rows], dtype=np.intp),
        when=tuple(check.at for check in rows),
        turn=np.argsort(in_time),
        in_time=in_time,
        segments=tuple(check.segment for check in rows),
        document=np.unique([check.document for check in rows], return_inverse=True)[1].astype(np.intp),
        sites=tuple(check.site for check in rows),
        gold=gold,
        given=_marked([check.given for check in rows], themes),
        known=~_marked([check.uncertain for check in rows], themes),
        band=_bands([check.shares for check in rows], gold, themes),
        wording=_wordings([check.revision for check in rows], themes, plan.wordings),
    )


def _marked(sets: Sequence[frozenset[str]], themes: Sequence[str]) -> Flags:
    column = {theme: at for at, theme in enumerate(themes)}
    out = np.zeros((len(sets), len(themes)), dtype=bool)
    pairs = [(row, column[theme]) for row, named in enumerate(sets) for theme in named]
    if pairs:
        out[tuple(np.array(pairs).T)] = True
    return out


def _bands(shares: Sequence[Mapping[str, float]], gold: Flags, themes: Sequence[str]) -> NDArray[np.int8]:
    """Return how hard each segment is for each theme, by how many of the other coders left their majority."""
    column = {theme: at for at, theme in enumerate(themes)}
    against = np.zeros(gold.shape, dtype=np.float32)
    found = [(row, column[t], share) for row, given in enumerate(shares) for t, share in given.items() if t in column]
    if found:
        row, at, share = (np.array(part) for part in zip(*found, strict=True))
        against[row, at] = np.where(gold[row, at], 1 - share, share)
    return np.asarray((against > TINY).astype(np.int8) + (against >= HARD - TINY), dtype=np.int8)


def _wordings(
    revisions: Sequence[str], themes: Sequence[str], known: Mapping[str, Mapping[str, str]]
) -> NDArray[np.int16]:
    """Return a number for each theme's entry; an unknown revision is an entry of its own for every theme."""
    kinds = list(dict.fromkeys(revisions))
    of = {kind: at for at, kind in enumerate(kinds)}
    table = np.zeros((len(kinds), len(themes)), dtype=np.int16)
    for at, theme in enumerate(themes):
        told = [("entry", known[kind].get(theme, "")) if kind in known else ("revision", kind) for kind in kinds]
        numbers = {text: number for number, text in enumerate(dict.fromkeys(told))}
        table[:, at] = [numbers[text] for text in told]
    return table[[of[revision] for revision in revisions]]


@dataclass(frozen=True, slots=True)
class Part:
    """What has cells: one priority theme, or all of them together."""

    theme: str  # "" for all
    columns: Numbers


def parts(team: Team) -> tuple[Part, ...]:
    """Return all priority themes together if there are several, then each."""
    single = tuple(Part(team.themes[at], np.array([at], dtype=np.intp)) for at in range(team.watched))
    return (Part("", np.arange(team.watched, dtype=np.intp)), *single) if team.watched > 1 else single


def counted(team: Team, part: Part, error: Error, rows: Flags) -> tuple[Numbers, Numbers]:
    """Return each coder's errors and checks of one kind among some rows."""
    there = team.present(error)[:, part.columns] & rows[:, None]
    wrong = there & team.wrong[:, part.columns]
    sums = [
        np.bincount(team.coder, weights=flags.sum(axis=1), minlength=len(team.coders)).astype(np.intp)
        for flags in (wrong, there)
    ]
    return sums[0], sums[1]


def phases(team: Team, plan: Plan) -> tuple[Flags, Flags]:
    """Return which rows count for charts at all, and which of them are a coder's first checks.

    After a coder was trained again, only later checks count, and the first of those are fewer.
    """
    live = np.ones(len(team.coder), dtype=bool)
    first = np.zeros(len(team.coder), dtype=bool)
    for at, coder in enumerate(team.coders):
        mine = np.flatnonzero(team.coder == at)
        if coder in plan.recalibrated:
            live[mine] = [team.when[row] > plan.recalibrated[coder] for row in mine]
            mine = mine[live[mine]]
        first[mine[: needed(plan, coder)]] = True
    return live, first


def needed(plan: Plan, coder: str) -> int:
    """Return how many first checks certify a coder."""
    return plan.again if coder in plan.recalibrated else plan.certifying
