"""Where a coder's span may lie, by sentences and by words. Everything here is pure.

Offsets are code points of a transcript's text, ends exclusive. Sentences are spans in order that do not overlap.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..records import Role, Segment, SegmentId, Transcript, TranscriptId, segment_id
from ..segment import words

Span = tuple[int, int]
LIST = 40  # sentences that are listed on either side of a segment


class Change(StrEnum):
    """How one end of a span is moved by a sentence."""

    EARLIER = "earlier"  # begins a sentence earlier
    LATER = "later"  # begins a sentence later
    LONGER = "longer"  # ends a sentence later
    SHORTER = "shorter"  # ends a sentence earlier


WHY_NOT = {
    Change.EARLIER: "Nothing was said before this in the turn, and a span lies inside one turn.",
    Change.LATER: "Only one sentence is left: a span holds at least one, or words that you mark.",
    Change.LONGER: "Nothing was said after this in the turn, and a span lies inside one turn.",
    Change.SHORTER: "Only one sentence is left: a span holds at least one, or words that you mark.",
}


class NoSpanError(ValueError):
    """A span that cannot be; says why in plain words, without the transcript's."""


def moved(span: Span, sentences: Sequence[Span], change: Change) -> Span:
    """Return a span with one end moved to the next end of a sentence. Raises ``NoSpanError`` if there is none.

    An end inside a sentence, where a very long one was cut or words were marked, moves to that sentence's.
    """
    start, end = span
    match change:
        case Change.EARLIER:
            found = [(at, end) for at, _ in sentences if at < start][-1:]
        case Change.LATER:
            found = [(at, end) for at, _ in sentences if start < at < end][:1]
        case Change.LONGER:
            found = [(start, at) for _, at in sentences if at > end][:1]
        case Change.SHORTER:
            found = [(start, at) for _, at in sentences if start < at < end][-1:]
    if not found:
        raise NoSpanError(WHY_NOT[change])
    return found[0]


def parted(span: Span, sentences: Sequence[Span], at: int) -> tuple[Span, Span]:
    """Return the two parts of a span of which the second begins with the sentence at ``at``.

    Space between them is in neither. Raises ``NoSpanError`` if no sentence inside the span begins there.
    """
    start, end = span
    before = [stop for _, stop in sentences if start < stop <= at]
    if not (start < at < end and before and at in {begin for begin, _ in sentences}):
        raise NoSpanError("A segment is split where one of its sentences begins, after the first.")
    return (start, before[-1]), (at, end)


def joined(sentences: Sequence[Span], first: int, last: int) -> Span:
    """Return the span from one sentence to another, told by where they begin and end. Raises ``NoSpanError``."""
    if first not in {start for start, _ in sentences} or last not in {end for _, end in sentences}:
        raise NoSpanError("Choose a first and a last sentence of the list.")
    if last <= first:
        raise NoSpanError("The last sentence comes before the first one.")
    return first, last


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A transcript in which spans are cut, with its id, which is costly to find."""

    id: TranscriptId
    transcript: Transcript


def segment_of(place: Place, span: Span) -> Segment:
    """Return the segment of a span. Raises ``NoSpanError`` if a span may not lie there.

    It holds words, and lies inside one turn, which is not a moderator's: as every segment does.
    """
    text, turns = place.transcript.text, place.transcript.turns
    start, end = span
    if not 0 <= start < end <= len(text) or not words(text[start:end]):
        raise NoSpanError("There are no words in that span.")
    touched = [at for at, turn in enumerate(turns) if turn.start < end and start < turn.end]
    if len(touched) > 1:
        raise NoSpanError(f"That crosses {len(touched)} turns. A span lies inside one: take each turn by itself.")
    if not touched or start < turns[touched[0]].start or end > turns[touched[0]].end:
        raise NoSpanError("That is not all speech: a span lies inside what one person says.")
    if turns[touched[0]].role is Role.MODERATOR:
        raise NoSpanError("What a moderator says is context, and is not coded.")
    return Segment(
        id=segment_id(place.id, start, end),
        transcript=place.id,
        name=f"{start}-{end}",  # as a span has it that was coded elsewhere
        turn=touched[0],
        start=start,
        end=end,
        text=text[start:end],
    )


def snapped(text: str, span: Span) -> Span:
    """Return a span that was marked, with whole words and whole characters, and without outer space.

    Marks and signs that stand by themselves stay as they were marked. The result is empty if only space was marked.
    """
    start, end = (min(max(at, 0), len(text)) for at in span)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start >= end:
        return start, start
    while _together(text, start):
        start -= 1
    while _together(text, end):
        end += 1
    return start, end


_SPACE = "\u200b"  # divides words where no space is to be seen
_HYPHENS = "'’-‐‑"  # inside a word they do not divide it
_AM = "\u0e33\u0eb3"  # letters of Thai and Lao that are written onto the one before


def _together(text: str, at: int) -> bool:
    """Tell whether the signs before and after a place are of one word, or of one visible character."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before in _SPACE or after in _SPACE or before.isspace() or after.isspace():
        return False
    if _clings(after) or unicodedata.category(before) == "Cf" or _flag(text, at):
        return True
    if _spaced(before) and _spaced(after):
        return True
    inside = after in _HYPHENS and _spaced(before) and at + 1 < len(text) and _spaced(text[at + 1])
    return inside or (before in _HYPHENS and _spaced(after) and at > 1 and _spaced(text[at - 2]))


def _clings(sign: str) -> bool:
    """Tell whether a sign belongs to the one before it: accents, vowel signs, joiners, skin tones."""
    return unicodedata.category(sign) in ("Mn", "Mc", "Me", "Cf") or "\U0001f3fb" <= sign <= "\U0001f3ff" or sign in _AM


def _flag(text: str, at: int) -> bool:
    """Tell whether a place divides the two letters of a flag."""
    before = 0
    while at - before > 0 and "\U0001f1e6" <= text[at - before - 1] <= "\U0001f1ff":
        before += 1
    return before % 2 == 1 and "\U0001f1e6" <= text[at] <= "\U0001f1ff"


def _spaced(sign: str) -> bool:
    """Tell whether a sign is a letter or digit of a script that puts spaces between words."""
    if not (sign.isalnum() or unicodedata.category(sign).startswith("M")):
        return False
    return not ("\u0e00" <= sign <= "\u109f" or "\u1780" <= sign <= "\u17ff" or "\u3040" <= sign <= "\u9fff")


def near(sentences: Sequence[Span], span: Span) -> list[Span]:
    """Return the sentences that a span touches, with some before and after them."""
    touched = [at for at, (start, end) in enumerate(sentences) if start < span[1] and span[0] < end]
    first, last = (touched[0], touched[-1]) if touched else (0, -1)
    return list(sentences[max(0, first - LIST) : last + 1 + LIST])


def covering(segments: Sequence[Segment], at: int) -> SegmentId | None:
    """Return the first segment in which a place of the text lies."""
    return next((segment.id for segment in segments if segment.start <= at < segment.end), None)
