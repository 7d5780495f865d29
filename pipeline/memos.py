"""Memos in their versions -> what stands of them. Everything here is pure.

A memo is one coder's, on a segment or span, on a theme, or on a transcript. Its versions are appended, never changed:
the latest counts, and one without text takes the memo away.

What a coder writes on reading a segment a second time is a memo apart while that is so: the earlier one would tell that
the segment came before. Afterwards the two are shown as one, as are those on themes that became one theme.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .records import SegmentId

LONGEST = 20_000  # characters that somebody may write at once: some ten pages

NO_SEGMENT = SegmentId("")


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What a memo is on: a segment or span, or a theme, or a transcript by its site and name, which outlive its words.

    Exactly one of the three is told.
    """

    segment: SegmentId = NO_SEGMENT
    theme: str = ""
    site: str = ""
    document: str = ""
    again: bool = False  # written when the segment was read a second time


@dataclass(frozen=True, kw_only=True, slots=True)
class Memo:
    """One version of a memo."""

    coder: str
    about: About
    text: str  # "" takes the memo away
    written_at: datetime
    request: str = ""  # what the page sent it as: sent again under the same name it counts once


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """What a coder's memo says at present, possibly in several parts, and what it said before."""

    text: str = ""
    before: tuple[Memo, ...] = ()  # earlier versions that said something, the latest first


def cleaned(text: str) -> str:
    r"""Return a text as it is kept: lines end alike, no outer space, and NUL, which no database keeps, as its sign.

    >>> cleaned(" one\r\ntwo\x00 ")
    'one\ntwo␀'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{SYMBOL FOR NULL}").strip()


def latest(memos: Iterable[Memo]) -> dict[tuple[str, About], Memo]:
    """Return the latest version of every memo by coder and what it is on, in order of the first; some say nothing."""
    found: dict[tuple[str, About], Memo] = {}
    for memo in memos:
        found[memo.coder, memo.about] = memo
    return found


def together(texts: Iterable[str]) -> str:
    """Return texts as one, with an empty line between them; what another one says already is not said twice.

    >>> together(["a bus", "", "a bus that waits", "rain"])
    'a bus that waits\\n\\nrain'
    """
    said = ""
    for text in texts:
        if not said or said in text:
            said = text or said
        elif text not in said:
            said = f"{said}\n\n{text}"
    return said


def noted(memos: Iterable[Memo], parts: Sequence[About]) -> Noted:
    """Return what one coder's memo says whose ``parts`` are on these, given the coder's memos in their order."""
    here = [memo for memo in memos if memo.about in parts]
    now = {memo.about: memo for memo in here}
    stand = [now[part] for part in parts if part in now]
    before = [memo for memo in reversed(here) if memo.text and memo not in stand]
    return Noted(text=together(memo.text for memo in stand), before=tuple(before))


def versions(draft: Memo, base: str, memos: Sequence[Memo], parts: Sequence[About]) -> list[Memo]:
    """Return the versions to append when somebody who saw ``base`` writes a memo; none if that changes nothing.

    ``draft`` is on the first of the ``parts``; the others become part of it. If the memo says something else by now,
    as it was written in another window too, both texts are kept.
    """
    said = noted(memos, parts).text
    wanted = draft.text if base == said else together([said, draft.text])
    if wanted == said:
        return []
    now = {memo.about: memo for memo in memos}
    others = [part for part in parts[1:] if part in now and now[part].text]
    return [replace(draft, text=wanted), *(replace(draft, about=part, text="") for part in others)]
