"""What the page shows of memos: a coder's own, and everybody's to who may compare.

A memo is its coder's alone, until the comparison of the transcript is open. While a segment is read a second time, the
memo of the first reading is not there: it would tell that the segment came before.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..memos import LONGEST, NO_SEGMENT, About, Memo, Noted, noted
from ..records import Codebook, Segment, SegmentId, Transcript, digest
from ..store.corpus import load_segments
from ..store.decisions import load_decisions
from ..store.memos import load_memos
from . import slots
from .orders import Reviewer
from .own import Reading


def on_segment(segment: SegmentId, again: Collection[SegmentId]) -> list[About]:
    """Return what a memo on a segment is made of: of the second reading alone while the segment is read ``again``."""
    second = About(segment=segment, again=True)
    return [second] if segment in again else [About(segment=segment), second]


def on_theme(theme: str, codebook: Codebook) -> list[About]:
    """Return what a memo on a theme is made of: what was noted of it under its former names is part of it."""
    former = [old for old, now in codebook.current.items() if now == theme and old != theme]
    return [About(theme=name) for name in (theme, *former)]


def on_transcript(transcript: Transcript) -> list[About]:
    """Return what a memo on a transcript is made of."""
    return [About(site=transcript.site, document=transcript.name)]


def draft_names(segment: SegmentId, again: Collection[SegmentId]) -> str:
    """Return two names: a browser keeps the draft of a memo under the first, and looks for one under both.

    So a draft that was left at the first reading is not there at the second. Nothing tells from the names which it is.
    """
    first, second, third = (str(digest("draft", segment, at)) for at in range(3))
    return f"{second} {third}" if segment in again else f"{first} {second}"


def beside(
    reviewer: Reviewer, reading: Reading, transcript: Transcript, current: Segment | None, away: bool
) -> dict[str, object]:
    """Return what the page of a transcript shows of the coder's memos.

    Who was led ``away`` to a segment sees nothing of the others: whether they were read before would tell why.
    """
    place = (transcript.site, transcript.name)
    memos = load_memos(reviewer.store, coder=reviewer.coder, transcript=reading.transcript, place=place)
    said = {segment for segment, one in by_segment(memos, reading.again).items() if one.text}
    return {
        "memo": noted(memos, on_segment(current.id, reading.again)) if current else Noted(),
        "memo_about": draft_names(current.id, reading.again) if current else "",
        "memo_here": None if away else noted(memos, on_transcript(transcript)),
        "noted": said & set(reading.family(current)) if away and current else said,
        "longest": LONGEST,
    }


def by_segment(memos: Sequence[Memo], again: Collection[SegmentId]) -> dict[SegmentId, Noted]:
    """Return what one coder's memos on segments say."""
    rows: dict[SegmentId, list[Memo]] = {}
    for memo in memos:
        if memo.about.segment:
            rows.setdefault(memo.about.segment, []).append(memo)
    return {segment: noted(some, on_segment(segment, again)) for segment, some in rows.items()}


def read_again(reviewer: Reviewer) -> frozenset[SegmentId]:
    """Return what the coder is just now reading a second time, with the spans cut from it."""
    slot = slots.active(reviewer)
    if not slots.read_again(slot):
        return frozenset()
    return slots.read_again(slot, load_decisions(reviewer.store, coder=reviewer.coder))


def with_memo(reviewer: Reviewer) -> list[Segment]:
    """Return the segments and spans on which a coder has a memo."""
    said = by_segment(load_memos(reviewer.store, coder=reviewer.coder), read_again(reviewer))
    return load_segments(reviewer.store, ids=[segment for segment, one in said.items() if one.text])


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """A memo as others read it."""

    coder: str
    text: str


def remarks(reviewer: Reviewer, memos: Sequence[Memo]) -> dict[SegmentId, list[Remark]]:
    """Return everybody's memos by segment, coders by name; those on no segment are under an empty id.

    What was written on a second reading is part of the memo, as its coder sees it.
    """
    found: dict[SegmentId, list[Remark]] = {}
    for coder in sorted({memo.coder for memo in memos}):
        own = [memo for memo in memos if memo.coder == coder]
        said = by_segment(own, read_again(reviewer) if coder == reviewer.coder else ())
        other = noted(own, list(dict.fromkeys(memo.about for memo in own if not memo.about.segment)))
        for segment, one in ({NO_SEGMENT: other} | said).items():
            if one.text:
                found.setdefault(segment, []).append(Remark(coder=coder, text=one.text))
    return found


def theme_page(reviewer: Reviewer, theme: str, *, everybody: bool) -> dict[str, object]:
    """Return what the page of a theme shows of memos: one's own, and those of others to who may read them."""
    parts = on_theme(theme, reviewer.codebook)
    memos = load_memos(reviewer.store, themes=[part.theme for part in parts])
    others = [memo for memo in memos if memo.coder != reviewer.coder] if everybody else []
    return {
        "about": f"theme:{digest('memo', theme)}",
        "memo": noted([memo for memo in memos if memo.coder == reviewer.coder], parts),
        "remarks": remarks(reviewer, others).get(NO_SEGMENT, []),
        "longest": LONGEST,
    }
