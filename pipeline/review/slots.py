"""Blind checks woven into a coder's work: which segment chance puts next, and as what it is answered.

After so many segments a hash of coder and position says whether the next one is a check: an anchor, whose gold coding
is known; overlap, which other coders have coded; or a duplicate, which the same coder answered long ago. All come
without suggestions, as segments do that nothing fits or whose suggestions are withheld. Being led elsewhere does not
tell a check either: now and then ordinary work is taken ahead in the same way. What was drawn is kept before the coder
is led to it, and drawn from the hash alone: who is interrupted gets the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..config import AuditSettings
from ..records import Decision, Mode, Segment, SegmentId, digest
from ..store import slots as kept
from ..store.anchors import Gold, load_gold
from ..store.corpus import load_segments
from ..store.slots import Slot
from .orders import Reviewer, mine
from .queue import HASH_SPACE, withheld

LOOK_BACK = 5  # positions that are looked at when several segments were answered before going on
LIKELY = 0.3  # share of segments whose best suggestion is taken for likely


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """As what a coder answers a segment."""

    mode: Mode
    chance: float  # with which the segment came in this mode


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """Segments that one is drawn from, all with the same chance."""

    mode: Mode
    segments: Sequence[SegmentId]


def fraction(*parts: object) -> float:
    """Return a number from 0 to below 1 that follows from the parts alone."""
    return int(digest(*parts)[:12], 16) / HASH_SPACE


def due(audit: AuditSettings, coder: str, position: int) -> tuple[Mode, float] | None:
    """Return what comes after so many segments of a coder's work, and its share of the work; usually nothing.

    ``Mode.ROUTINE`` is ordinary work from elsewhere.
    """
    at = fraction("slot", audit.seed, coder, position)
    shares = (
        *((Mode.ANCHOR, audit.anchors), (Mode.OVERLAP, audit.overlap)),
        *((Mode.DUPLICATE, audit.duplicates), (Mode.ROUTINE, audit.elsewhere)),
    )
    for mode, share in shares:
        if at < share:
            return mode, share
        at -= share
    return None


def pick(pools: Sequence[Pool], *key: object) -> tuple[Mode, SegmentId, float] | None:
    """Return a segment drawn from pools, with its mode and chance: each pool is as likely; none is empty."""
    if not pools:
        return None
    pool = pools[int(fraction("pool", *key) * len(pools))]
    at = int(fraction("segment", *key) * len(pool.segments))
    return pool.mode, pool.segments[at], 1 / len(pools) / len(pool.segments)


def next_slot(reviewer: Reviewer, origin: Segment) -> Slot | None:
    """Return the slot that comes next for a coder who goes on from a segment; drawn now if it is due.

    One that was drawn before and not answered comes first.
    """
    last = pending(reviewer)
    if last is not None or not _due_positions(reviewer):
        return last
    with kept.drawing(reviewer.store) as keep:  # another program of this coder may have drawn meanwhile
        if last := pending(reviewer):
            return last
        for position, mode, share in _due_positions(reviewer):
            found = pick(_pools(reviewer, mode, origin), reviewer.study.audit.seed, reviewer.coder, position)
            if found is None:
                continue
            slot = Slot(
                coder=reviewer.coder,
                position=position,
                segment=found[1],
                mode=found[0],
                chance=share * found[2],
                after=origin.id,
                drawn_at=datetime.now(UTC),
            )
            keep(slot)
            return slot
    return None


def pending(reviewer: Reviewer) -> Slot | None:
    """Return the slot that was drawn for the coder and is not answered yet."""
    last = kept.last_slot(reviewer.store, reviewer.coder)
    return last if last is not None and not kept.answered(reviewer.store, last) else None


def _due_positions(reviewer: Reviewer) -> list[tuple[int, Mode, float]]:
    """Return the latest positions at which something is due, with what it is and its share."""
    last = kept.last_slot(reviewer.store, reviewer.coder)
    now = kept.position(reviewer.store, reviewer.coder)
    first = max(last.position + 1 if last else 1, now - LOOK_BACK + 1)
    found = ((position, due(reviewer.study.audit, reviewer.coder, position)) for position in range(first, now + 1))
    return [(position, *told) for position, told in found if told is not None]


def _pools(reviewer: Reviewer, mode: Mode, origin: Segment) -> list[Pool]:
    """Return what is drawn from; nothing that the coder came from, or has had."""
    pools: list[Pool] = []
    if mode is Mode.ANCHOR:
        pools = _anchors(reviewer)
    elif mode is Mode.OVERLAP:
        pools = [Pool(mode=mode, segments=kept.of_others(reviewer.store, reviewer.coder))]
    elif mode is Mode.DUPLICATE:
        pools = _long_ago(reviewer)
    elif any(_pools(reviewer, check, origin) for check in (Mode.ANCHOR, Mode.OVERLAP, Mode.DUPLICATE)):
        here = origin.transcript  # without anything to check nobody needs to be led elsewhere
        ahead = kept.untouched(reviewer.store, reviewer.coder, among=[entry.id for entry in mine(reviewer)], but=here)
        pools = [Pool(mode=mode, segments=ahead)]
    others = [Pool(mode=pool.mode, segments=[s for s in pool.segments if s != origin.id]) for pool in pools]
    return [pool for pool in others if pool.segments]


def _anchors(reviewer: Reviewer) -> list[Pool]:
    """Return the anchors that the coder has not seen; when there are none, those the coder answered long ago.

    Coders whose own work became the gold coding would otherwise never be checked. Seen again, an anchor is a duplicate.
    """
    gold = load_gold(reviewer.store)
    usable = {segment for segment, told in gold.items() if _certain(told, reviewer.study.audit.priority)}
    fresh = kept.untouched_of(reviewer.store, reviewer.coder, usable)
    if fresh:
        return [Pool(mode=Mode.ANCHOR, segments=fresh)]
    return [Pool(mode=Mode.DUPLICATE, segments=[s for s in _answered_long_ago(reviewer) if s in usable])]


def _certain(gold: Gold, priority: Sequence[str]) -> bool:
    return any(gold.says(theme) is not None for theme in priority) if priority else not gold.uncertain


def _answered_long_ago(reviewer: Reviewer) -> list[SegmentId]:
    """Return what may come again, by its id: answered long ago, and not come again yet."""
    mine = kept.touched(reviewer.store, reviewer.coder)
    had = {slot.segment for slot in kept.load_slots(reviewer.store, reviewer.coder) if slot.mode is Mode.DUPLICATE}
    return sorted(set(mine[: max(len(mine) - reviewer.study.audit.again_after, 0)]) - had)


def _long_ago(reviewer: Reviewer) -> list[Pool]:
    """Return what may come again in two pools: what is likely to have a theme by gold or by score, and the rest.

    Never by the coder's own answer: who is asked again about own positives changes some of them by chance alone, which
    would look like drift.
    """
    again = _answered_long_ago(reviewer)
    if not again:
        return []
    gold, priority = load_gold(reviewer.store), set(reviewer.study.audit.priority)
    best = kept.best_chances(reviewer.store)
    ordered = sorted(best.values(), reverse=True)
    mark = ordered[int(LIKELY * len(ordered))] if ordered else 1.0

    def likely(segment: SegmentId) -> bool:
        if segment in gold:
            themes = gold[segment].themes
            return bool(themes & priority if priority else themes)
        return best.get(segment, 0.0) > mark

    sides = {side: [segment for segment in again if likely(segment) is side] for side in (True, False)}
    return [Pool(mode=Mode.DUPLICATE, segments=segments) for segments in sides.values()]


def active(reviewer: Reviewer) -> Slot | None:
    """Return the slot in which the coder is: the last one, until it is answered and another segment is."""
    last = kept.last_slot(reviewer.store, reviewer.coder)
    if last is None or not kept.answered(reviewer.store, last):
        return last
    again = last.mode is Mode.DUPLICATE
    latest = kept.last_answered(reviewer.store, reviewer.coder)
    here = latest is not None and latest[0] == last.segment and (latest[1] is Mode.DUPLICATE) is again
    return last if here else None


def is_away(reviewer: Reviewer, slot: Slot | None, current: Segment | None) -> bool:
    """Tell whether a slot has led the coder to another transcript than the one that is being read."""
    if slot is None or current is None or slot.segment != current.id:
        return False
    return all(came.transcript != current.transcript for came in load_segments(reviewer.store, ids=[slot.after]))


def read_again(slot: Slot | None, made: Iterable[Decision] = ()) -> frozenset[SegmentId]:
    """Return the segment that a slot asks about a second time: its earlier answer is not to be seen meanwhile.

    Nor are the spans that the coder cut from it, as the coder's decisions tell.
    """
    if slot is None or slot.mode is not Mode.DUPLICATE:
        return frozenset()
    return frozenset({slot.segment, *(d.segment for d in made if d.cut_from == slot.segment)})


def origin_of(reviewer: Reviewer, segment: Segment) -> Segment:
    """Return where a coder goes on from after a segment: after a slot, from where the coder had come."""
    last = kept.last_slot(reviewer.store, reviewer.coder)
    if last is None or last.segment != segment.id:
        return segment
    found = load_segments(reviewer.store, ids=[last.after])
    return found[0] if found else segment


def role_of(reviewer: Reviewer, segment: SegmentId) -> Role:
    """Return as what the coder answers a segment."""
    rows = [slot for slot in kept.slots_at(reviewer.store, reviewer.coder, segment) if slot.mode is not Mode.ROUTINE]
    if rows and segment in read_again(active(reviewer)):
        return Role(mode=Mode.DUPLICATE, chance=rows[-1].chance)
    first = next((slot for slot in rows if slot.mode is not Mode.DUPLICATE), None)
    if first is not None:
        return Role(mode=first.mode, chance=first.chance)
    share = reviewer.study.review.withhold
    if withheld(segment, reviewer.coder, share):
        return Role(mode=Mode.WITHHELD, chance=share)
    return Role(mode=Mode.ROUTINE, chance=1 - share)
