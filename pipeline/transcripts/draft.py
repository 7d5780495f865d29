"""What a reader makes of a file, before the study says which site and which role its speakers have."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import Faults, TranscriptFault
from ..records import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What one speaker said: the span ``[start, end)`` of the draft's text, without label and stamps at its edges."""

    speaker: str
    start: int
    end: int
    line: int  # 1-based line, paragraph or row in the file
    began: float | None = None
    ended: float | None = None
    role: Role | None = None  # None: the study's list of moderators decides
    segment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The talk of one transcript, with the name and site that its file gives it, if it does."""

    text: str
    turns: tuple[Said, ...]
    name: str | None = None
    site: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A turn of a file that is not plain text, from which the canonical text is composed."""

    speaker: str
    words: str
    line: int
    began: float | None = None
    ended: float | None = None
    role: Role | None = None
    segment: str | None = None


Reader = Callable[[bytes, str, tuple[str, ...]], list[Draft]]
"""From a file's bytes, its name in faults, and the labels known to be moderators'; raises ``Faults``."""


def compose(pieces: Iterable[Piece], *, name: str | None = None, site: str | None = None) -> Draft:
    """Return a draft whose text has each piece on a line of its own, as ``Speaker: words``.

    Pieces without words are left out, except those that the file calls segments: they may be coded by name.

    >>> compose([Piece(speaker="P1", words="Good.", line=2), Piece(speaker="", words="Yes.", line=3)]).text
    'P1: Good.\\nYes.'
    """
    lines, turns, at = [], [], 0
    for piece in pieces:
        words = piece.words.strip()
        if not words and piece.segment is None:
            continue
        speaker = " ".join(piece.speaker.split())
        label = f"{speaker}: " if speaker else ""
        start = at + len(label)
        turns.append(
            Said(
                speaker=speaker,
                start=start,
                end=start + len(words),
                line=piece.line,
                began=piece.began,
                ended=piece.ended,
                role=piece.role,
                segment=piece.segment,
            )
        )
        lines.append(label + words)
        at = start + len(words) + 1
    return Draft(text="\n".join(lines), turns=tuple(turns), name=name, site=site)


def refuse(place: str, problem: str, remedy: str) -> Faults:
    """Return the one fault of a file that cannot be read at all, ready to be raised."""
    return Faults([TranscriptFault(place, problem, remedy)])
