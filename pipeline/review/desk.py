"""What one coder works with, and what the page asks the store for that coder."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from jinja2 import Environment

from ..records import BLIND, Mode, Segment, SegmentId, TranscriptId
from ..store.corpus import Entry, load_segments, load_spans
from ..store.decisions import load_decisions
from ..store.reveals import revealed
from ..store.runs import present_runs, suggested
from ..store.slots import Slot
from . import slots
from .again import to_look_at
from .answers import Sight
from .cutting import span_role
from .filters import Filter, Way, matching
from .orders import Order, Reviewer, in_order, mine, mine_from
from .own import Own, read, with_spans
from .queue import Standing, State, next_open, offered, standing, state_of, under_present_names

NEARBY = 12  # transcripts after the present one that are looked at for something open, before all are
SOON = 2  # transcripts after the present one in which suggestions are made anew
AHEAD = 5  # segments that a browser may fetch ahead
AT_ONCE = 100  # segments of an order that are looked at together for something open
LINES = 12  # orders and filters that are remembered at once


@dataclass(frozen=True, kw_only=True)
class Line:
    """The segments that were open when an order was made; it stays as it was until suggestions change."""

    runs: list[str]
    segments: list[SegmentId]
    place: Mapping[SegmentId, int]


@dataclass(frozen=True, kw_only=True)
class Desk(Reviewer):
    """What one coder works with."""

    root: str
    templates: Environment
    writing: threading.Lock = field(default_factory=threading.Lock)
    ordering: threading.Lock = field(default_factory=threading.Lock)
    lines: dict[Way, Line] = field(default_factory=dict)
    searches: dict[str, str] = field(default_factory=dict)  # words that were looked for, by the key in the address
    learns: bool = False  # whether suggestions are made anew while people decide
    held: dict[SegmentId, str] = field(default_factory=dict)  # the segment on the page, and whose suggestions it has


def sight_of(
    desk: Desk, segment: Segment, order: Way = Order.TRANSCRIPT, run: str = "", *, own: Own | None = None
) -> Sight:
    """Return what is in front of the coder at a segment, or at a span of the coder's ``own``, who came in an order.

    Suggestions are those of a ``run`` where it is named and made any, else the present ones: what is on a page stays
    as it is when suggestions are made anew meanwhile. At a span they are those for the segment that it is coded in
    place of.
    """
    source = own.source if own else segment
    run, encoder, made = suggested(desk.store, source.id, run) if source else ("", "", [])
    role = slots.role_of(desk, source.id) if source else slots.Role(mode=Mode.ROUTINE, chance=1.0)
    seen = offered(under_present_names(made, desk.codebook.current), desk.codebook.names, blind=role.mode in BLIND)
    if own:
        seen, role = [own.inside(segment, suggestion) for suggestion in seen], span_role(role)
    asked = [one.id for one in (source, segment) if one] if seen and desk.study.review.decide_first else []
    closed = bool(asked) and not any(revealed(desk.store, desk.coder, one) for one in asked)
    return Sight(
        segment=segment.id,
        coder=desk.coder,
        suggestions=[] if closed else seen,
        role=role,
        run=run,
        encoder=encoder,
        codebook_revision=desk.codebook.revision,
        queue=order.value if isinstance(order, Order) else "filter",
        closed=closed,
        span=own is not None,
        cut_from=source.id if own and source else "",
    )


def hold(desk: Desk, segment: Segment, run: str, own: Own | None = None) -> Sight:
    """Return what the coder sees at the segment that is now on the page: the same until another segment is."""
    sight = sight_of(desk, segment, run=run or desk.held.get(segment.id, ""), own=own)
    desk.held.clear()
    desk.held[segment.id] = sight.run
    return sight


def states(segments: Sequence[Segment], answers: Mapping[SegmentId, Standing]) -> dict[SegmentId, State]:
    """Return the state of every given segment."""
    return {segment.id: state_of(answers.get(segment.id, {})) for segment in segments}


def line(desk: Desk, order: Way, *, anew: bool = False) -> Line:
    """Return the segments of an order or a filter; made anew on request, or when suggestions have changed.

    Where the program learns while people decide, it sees to that itself (``renew``): nobody waits for it.
    """
    runs = present_runs(desk.store)
    with desk.ordering:
        made = desk.lines.get(order)
        if made is None or anew or (made.runs != runs and not desk.learns):
            made = _line(runs, _segments_of(desk, order))
            desk.lines.pop(order, None)
            desk.lines[order] = made
            while len(desk.lines) > LINES:
                desk.lines.pop(next(iter(desk.lines)))
    return made


def _line(runs: list[str], segments: list[SegmentId]) -> Line:
    return Line(runs=runs, segments=segments, place={segment: at for at, segment in enumerate(segments)})


def renew(desk: Desk, order: Way, at: SegmentId) -> None:
    """Put what comes after a segment in order anew if suggestions have changed; what was passed keeps its place."""
    runs, made = present_runs(desk.store), desk.lines.get(order)
    if made is None or made.runs == runs:
        return
    passed = made.segments[: made.place.get(at, -1) + 1]
    left = [segment for segment in _segments_of(desk, order) if segment not in set(passed)]
    with desk.ordering:
        if desk.lines.get(order) is made:
            desk.lines[order] = _line(runs, [*passed, *left])


def coming(desk: Desk, segment: Segment, order: Way) -> list[TranscriptId]:
    """Return the transcripts in which a coder, who is at a segment, reads next."""
    segment = slots.origin_of(desk, segment)
    if order is Order.TRANSCRIPT:
        ids = [entry.id for entry in mine(desk) if entry.segments]
        after = ids.index(segment.transcript) + 1 if segment.transcript in ids else 0
        return [segment.transcript, *ids[after : after + SOON]]
    made = line(desk, order)
    at = made.place.get(segment.id, -1) + 1
    near = load_segments(desk.store, ids=made.segments[at : at + SOON * AHEAD])
    return [piece.transcript for piece in near]


def _segments_of(desk: Desk, order: Way) -> list[SegmentId]:
    if isinstance(order, Filter):
        return matching(desk, order, desk.searches.get(order.find, ""))
    reading = {entry.id for entry in mine(desk)}
    where = {unit.id: unit.transcript for unit in (*load_segments(desk.store), *load_spans(desk.store))}
    return [segment for segment in in_order(desk, order) if where.get(segment) in reading]


def beside(
    desk: Desk, transcript: TranscriptId, segments: Sequence[Segment], current: Segment | None, order: Way
) -> dict[str, str]:
    """Return the addresses of the segments before and after the current one, also over a transcript's edge."""
    if order is not Order.TRANSCRIPT:
        return _beside_in_line(desk, current, order)
    at = segments.index(current) if current else 0
    before = address(desk, transcript, segments[at - 1].id) if current and at > 0 else ""
    after = address(desk, transcript, segments[at + 1].id) if current and at + 1 < len(segments) else ""
    for place in () if before else mine_from(desk, transcript, backwards=True):
        before = f"{desk.root}/transcript/{place.id}?segment=last"
    for place in () if after else mine_from(desk, transcript):
        after = f"{desk.root}/transcript/{place.id}?segment=first"
    return {"before": before, "after": after}


def _beside_in_line(desk: Desk, current: Segment | None, order: Way) -> dict[str, str]:
    made = line(desk, order)
    at = made.place.get(current.id, -1) if current else -1
    near = {"before": at - 1, "after": at + 1}
    wanted = {name: made.segments[place] for name, place in near.items() if 0 <= place < len(made.segments)}
    where = {piece.id: piece.transcript for piece in load_segments(desk.store, ids=list(wanted.values()))}
    found = {name: address(desk, where[segment], segment, order=order) for name, segment in wanted.items()}
    return {"before": "", "after": "", **found}


def ahead(
    desk: Desk,
    segments: Sequence[Segment],
    answers: Mapping[SegmentId, Standing],
    current: Segment | None,
    order: Way,
) -> list[str]:
    """Return the addresses of some segments that are open after the current one: a browser may fetch them ahead.

    So the coder goes on for a while when the program cannot be reached. Blind checks are not among them.
    """
    if current is None:
        return []
    if order is not Order.TRANSCRIPT:
        made = line(desk, order)
        at = made.place.get(current.id, -1) + 1
        near = made.segments[at : at + 2 * AHEAD]
        done = standing(load_decisions(desk.store, coder=desk.coder, among=near))
        where = {piece.id: piece.transcript for piece in load_segments(desk.store, ids=near)}
        left = [(where[segment], segment) for segment in near if segment in where and not done.get(segment)]
    else:
        after = segments[segments.index(current) + 1 :]
        left = [(piece.transcript, piece.id) for piece in after if not answers.get(piece.id)]
    return [address(desk, *place, order=order) for place in left[:AHEAD]]


def onward(desk: Desk, segment: Segment, order: Way = Order.TRANSCRIPT) -> str:
    """Return the address of the next open segment after the given one, in its transcript or beyond, or in an order.

    Where a slot is due, or was drawn and is not answered yet, it comes first; the coder goes on from before it then.
    Spans are in the order of what to look at again; elsewhere the coder goes on from what they lie in.
    """
    spans = load_spans(desk.store, segment.transcript) if order is not Order.LOOK_AGAIN else []
    if any(span.id == segment.id for span in spans):
        reading = read(desk, segment.transcript, slots.active(desk))
        if waiting := reading.left_beside(segment):
            return address(desk, segment.transcript, waiting, order=order)
        segment = reading.home(segment)
    segment = slots.origin_of(desk, segment)
    if slot := slots.next_slot(desk, segment):
        return led_to(desk, slot, order)
    if order is not Order.TRANSCRIPT:
        return along(desk, order, segment.id)
    answers = standing(load_decisions(desk.store, transcript=segment.transcript, coder=desk.coder))
    units = with_spans(
        load_segments(desk.store, segment.transcript), load_spans(desk.store, segment.transcript), answers
    )
    found = next_open([s.id for s in units], states(units, answers), segment.id)
    return address(desk, segment.transcript, found) if found else elsewhere(desk, segment.transcript)


def led_to(desk: Desk, slot: Slot, order: Way) -> str:
    """Return the address at which the coder answers a slot."""
    (piece,) = load_segments(desk.store, ids=[slot.segment])
    return address(desk, piece.transcript, slot.segment, order=order)


def along(desk: Desk, order: Way, after: SegmentId | None = None) -> str:
    """Return the address of the next open segment in an order, at its end or without ``after`` of the first one."""
    made = line(desk, order)
    start = made.place.get(after, -1) + 1 if after else 0
    if isinstance(order, Filter) and not order.only_open:  # what was answered is gone through as well, once
        found = next(iter(made.segments[start:]), None)
        return _at(desk, found, order)
    if order is Order.LOOK_AGAIN:
        again = to_look_at(desk)
        return _at(desk, next((segment for segment in made.segments[start:] if segment in again), None), order)
    found = _open_ahead(desk, made.segments[start:], after)
    if not found and start:
        found = _open_ahead(desk, line(desk, order, anew=True).segments, after)
    return _at(desk, found, order)


def _at(desk: Desk, found: SegmentId | None, order: Way) -> str:
    if not found and isinstance(order, Filter):
        return f"{desk.root}/filter?" + urlencode({"order": order.value, "note": "filter-done"})
    if not found:
        return f"{desk.root}/?note=order-done"
    (piece,) = load_segments(desk.store, ids=[found])
    return address(desk, piece.transcript, found, order=order)


def _open_ahead(desk: Desk, ahead: Sequence[SegmentId], but: SegmentId | None) -> SegmentId | None:
    for at in range(0, len(ahead), AT_ONCE):
        some = [segment for segment in ahead[at : at + AT_ONCE] if segment != but]
        answers = standing(load_decisions(desk.store, coder=desk.coder, among=some))
        for segment in some:
            if state_of(answers.get(segment, {})) is State.OPEN:
                return segment
    return None


def elsewhere(desk: Desk, after: TranscriptId) -> str:
    """Return the address of the first open segment in the transcripts after one, then in those before it."""
    found = None
    for entry in mine_from(desk, after, most=NEARBY):  # most often it is near
        found = found or _first_open(desk, [entry], load_segments(desk.store, entry.id), entry.id)
    if not found:
        entries = mine(desk)
        at = next((place + 1 for place, entry in enumerate(entries) if entry.id == after), 0)
        found = _first_open(desk, [*entries[at:], *entries[:at]], load_segments(desk.store), None)
    if not found:
        return f"{desk.root}/?note=done"
    return address(desk, *found, note="next-transcript" if after and found[0] != after else "")


def _first_open(
    desk: Desk, entries: Sequence[Entry], segments: Sequence[Segment], only: TranscriptId | None
) -> tuple[TranscriptId, SegmentId] | None:
    answers = standing(load_decisions(desk.store, transcript=only, coder=desk.coder))
    first: dict[TranscriptId, SegmentId] = {}
    for segment in with_spans(segments, load_spans(desk.store, only), answers):
        if state_of(answers.get(segment.id, {})) is State.OPEN:
            first.setdefault(segment.transcript, segment.id)
    return next(((entry.id, first[entry.id]) for entry in entries if entry.id in first), None)


def address(
    desk: Desk, transcript: TranscriptId, segment: SegmentId, *, note: str = "", order: Way = Order.TRANSCRIPT
) -> str:
    """Return the address at which a segment is the current one, for a coder who goes on in an order."""
    told = {"segment": segment, "order": order.value, "note": note}
    query = urlencode({name: value for name, value in told.items() if value})
    return f"{desk.root}/transcript/{transcript}?{query}#s-{segment}"
