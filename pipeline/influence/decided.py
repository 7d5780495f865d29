"""Decisions -> judgements and actions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from ..records import BLIND, POSITIVE, UNDECIDED, Answer, Decision, Mode, SegmentId, Suggestion
from .judged import IDLE, Action, Judgement

PAUSE = timedelta(minutes=30)  # a longer one between two decisions of a coder begins a new session
Made = tuple[dict[str, Suggestion], frozenset[str]]
Reading = tuple[str, SegmentId, bool]  # coder, segment, whether it is a duplicate


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What else is known of the segments that decisions are about."""

    places: Mapping[SegmentId, tuple[str, str]]  # site and document
    suggestions: Mapping[tuple[SegmentId, str], Sequence[Suggestion]]  # by segment and run
    gold: Mapping[SegmentId, frozenset[str]] = field(default_factory=dict)  # the themes that are right
    uncertain: Mapping[SegmentId, frozenset[str]] = field(default_factory=dict)  # themes whose gold is not certain
    _known: dict[tuple[SegmentId, str], Made] = field(default_factory=dict, repr=False, compare=False)

    def made(self, segment: SegmentId, run: str) -> Made:
        """Return a run's suggestions for a segment by theme, and the themes offered: kept, as many coders ask."""
        found = self._known.get((segment, run))
        if found is None:
            by_theme = {one.theme: one for one in self.suggestions.get((segment, run), ())}
            offered = frozenset(theme for theme, one in by_theme.items() if one.suggested)
            found = self._known[segment, run] = (by_theme, offered)
        return found


def from_decisions(decisions: Iterable[Decision], facts: Facts) -> tuple[list[Judgement], list[Action]]:
    """Return what coders judged at the review page, and what they did there; decisions come in their order.

    Coding that was imported has no part in this: nobody knows what its coders saw. What was taken back counts as an
    action, and its taking back as nothing, for it is not timed. Decisions about segments without place are left out.
    """
    by_coder: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.run and decision.segment in facts.places:
            by_coder.setdefault(decision.coder, []).append(decision)
    judged: list[Judgement] = []
    done: list[Action] = []
    for rows in by_coder.values():
        placed = list(zip(rows, _sessions(rows), strict=True))
        done.extend(_actions(placed, facts))
        judged.extend(_judged(placed, facts))
    return judged, done


def _sessions(rows: Sequence[Decision]) -> list[tuple[int, int]]:
    """Return, for each of one coder's decisions, its session and the segment's place in it, both from 1."""
    places = []
    session, last = 0, None
    order: dict[tuple[SegmentId, bool], int] = {}
    for row in rows:
        if last is None or row.decided_at - last > PAUSE:
            session += 1
            order = {}
        last = row.decided_at
        places.append((session, order.setdefault((row.segment, row.mode is Mode.DUPLICATE), len(order) + 1)))
    return places


def _actions(placed: Sequence[tuple[Decision, tuple[int, int]]], facts: Facts) -> Iterator[Action]:
    # The rows of one action have the same moment; what takes an action back has no seconds.
    for _, group in groupby(placed, key=lambda pair: pair[0].decided_at):
        rows = list(group)
        (first, (session, order)) = rows[0]
        if first.seconds is None:
            continue
        site, document = facts.places[first.segment]
        yield Action(
            coder=first.coder,
            site=site,
            document=f"{site}/{document}",
            segment=first.segment,
            mode=first.mode,
            shown=first.shown,
            accepted=all(row.answer is Answer.ACCEPT for row, _ in rows),
            seconds=first.seconds,
            decided_at=first.decided_at,
            chance=_chance(first),
            session=session,
            order=order,
        )


def _chance(row: Decision) -> float:
    return 1.0 if row.chance is None else row.chance


def _judged(placed: Sequence[tuple[Decision, tuple[int, int]]], facts: Facts) -> Iterator[Judgement]:
    readings: dict[Reading, list[tuple[Decision, tuple[int, int]]]] = {}
    for pair in placed:
        row = pair[0]
        readings.setdefault((row.coder, row.segment, row.mode is Mode.DUPLICATE), []).append(pair)
    for read in readings.values():
        yield from _reading(read, facts)


def _reading(read: Sequence[tuple[Decision, tuple[int, int]]], facts: Facts) -> Iterator[Judgement]:
    """Yield what stands of one reading of a segment; nothing if that is nothing, or spans are coded in its place."""
    rows = [row for row, _ in read]
    latest = {row.theme: row for row in rows}
    standing = [row for row in latest.values() if row.answer not in UNDECIDED]
    if not standing or any(row.answer is Answer.CUT for row in standing):
        return
    first, (session, order) = read[0]
    last = rows[-1]
    # A span was coded in front of the suggestions for the segment that it was cut from.
    made, offered = facts.made(SegmentId(last.cut_from or last.segment), last.run)
    given = {row.theme for row in standing if row.answer in POSITIVE}
    seen = last.mode not in BLIND and any(row.shown for row in rows)
    right = facts.gold.get(last.segment)
    unknown = facts.uncertain.get(last.segment, frozenset())
    times = {row.decided_at: row.seconds for row in rows if row.seconds is not None and row.seconds <= IDLE}
    site, document = facts.places[last.segment]
    for theme in sorted(given | offered) or [""]:
        suggestion = made.get(theme)
        yield Judgement(
            coder=last.coder,
            site=site,
            document=f"{site}/{document}",
            segment=last.segment,
            theme=theme,
            mode=last.mode,
            given=theme in given,
            offered=theme in offered,
            shown=seen and theme in offered,
            decided_at=first.decided_at,
            rank=suggestion.rank if suggestion else None,
            probability=suggestion.probability if suggestion else None,
            chance=_chance(last),
            seconds=sum(times.values()) if times else None,
            session=session,
            order=order,
            gold=None if right is None or not theme or theme in unknown else theme in right,
        )
