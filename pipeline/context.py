"""Transcripts and segments -> the texts around each segment: a short answer means little without its question."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .rank import NONE, Around
from .records import Role, Segment, SegmentId, Transcript, TranscriptId

LONG = 60  # words from which the sentences of a segment are looked at one by one: each is one more text to embed
Split = Callable[[str], list[tuple[int, int]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What stands around one segment, and the sentences inside it."""

    asked: str = ""  # what a moderator said last before it
    before: str = ""  # what anybody said just before it
    after: str = ""  # what was said next, if no moderator spoke in between
    sentences: tuple[str, ...] = ()  # of a long segment; none if it is one sentence

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(text for text in (self.asked, self.before, self.after, *self.sentences) if text.strip())


def contexts(
    segments: Iterable[Segment],
    among: Sequence[Segment],
    read: Mapping[TranscriptId, Transcript],
    splitter: Callable[[str], Split],
) -> dict[SegmentId, Context]:
    """Return what is around segments, given all segments of their transcripts and a splitter for each language.

    What was said just before is the segment before, as long as no moderator has spoken since; then it is the question.
    Talk stays on a topic, but moderators end it: what was said next is the segment after, unless one speaks first.
    """
    there: dict[TranscriptId, list[Segment]] = {}
    for piece in sorted(among, key=lambda piece: (piece.end, piece.start)):
        there.setdefault(piece.transcript, []).append(piece)
    questions: dict[TranscriptId, list[int]] = {}
    found = {}
    for piece in segments:
        transcript, known = read[piece.transcript], there.get(piece.transcript, [])
        question = questions.get(piece.transcript) or questions.setdefault(piece.transcript, _questions(transcript))
        at = bisect_right(known, piece.start, key=lambda one: one.end)
        last = known[at - 1] if at else None
        after = bisect_left(known, piece.end, key=lambda one: one.start)
        following = known[after] if after < len(known) else None
        turn = question[piece.turn]
        asked = transcript.text[transcript.turns[turn].start : transcript.turns[turn].end] if turn >= 0 else ""
        found[piece.id] = Context(
            asked=asked,
            before=last.text if last is not None and last.turn > turn else asked,
            after=following.text if following is not None and question[following.turn] == turn else "",
            sentences=sentences_of(piece.text, splitter(transcript.language)),
        )
    return found


def _questions(transcript: Transcript) -> list[int]:
    """Return the last moderator's turn before each turn, -1 where there is none."""
    found, last = [], -1
    for at, turn in enumerate(transcript.turns):
        found.append(last)
        last = at if turn.role is Role.MODERATOR else last
    return found


def sentences_of(text: str, split: Split) -> tuple[str, ...]:
    """Return the sentences of a long segment, none of a short one or a single sentence."""
    if len(text.split()) < LONG:  # not counted more exactly: nearly all segments are out of the question
        return ()
    return _cut(text, split)


@lru_cache(maxsize=10_000)  # cutting takes long, and who refits while people work asks for the same ones again
def _cut(text: str, split: Split) -> tuple[str, ...]:
    spans = split(text)
    return tuple(text[start:end] for start, end in spans) if len(spans) > 1 else ()


def around(
    segments: Sequence[Segment], known: Mapping[SegmentId, Context], vectors: Mapping[str, NDArray[np.float32]]
) -> Around:
    """Return what is around segments as rows of vectors; texts of two transcripts are never one row."""
    rows: dict[tuple[TranscriptId, str], int] = {}

    def row(piece: Segment, text: str) -> int:
        return rows.setdefault((piece.transcript, text), len(rows)) if text.strip() else NONE

    asked = [row(piece, known[piece.id].asked) for piece in segments]
    before = [row(piece, known[piece.id].before) for piece in segments]
    after = [row(piece, known[piece.id].after) for piece in segments]
    inside = [(at, row(piece, text)) for at, piece in enumerate(segments) for text in known[piece.id].sentences]
    dimensions = len(next(iter(vectors.values()))) if vectors else 0
    return Around(
        vectors=np.array([vectors[text] for _, text in rows], dtype=np.float32).reshape(-1, dimensions),
        asked=np.array(asked, dtype=np.intp),
        before=np.array(before, dtype=np.intp),
        after=np.array(after, dtype=np.intp),
        sentences=np.array([text for _, text in inside], dtype=np.intp),
        of=np.array([at for at, _ in inside], dtype=np.intp),
    )
