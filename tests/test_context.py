"""What stands around a segment: the question, what was said before and after, the sentences of a long one."""

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.context import LONG, Context, around, contexts
from pipeline.rank import NONE
from pipeline.records import Role, Segment, Transcript, Turn, segment_id
from pipeline.segment import load_splitter

SAID = (
    ("Moderator", "How do you get here?"),
    ("Ana", "By bus, and it is always late."),
    ("Ben", "I walk."),
    ("Moderator", "Mm."),
    ("Ana", " ".join(f"This is sentence number {i} of many." for i in range(12))),
)


def transcript() -> Transcript:
    text, turns = "", []
    for line, (speaker, words) in enumerate(SAID, 1):
        role = Role.MODERATOR if speaker == "Moderator" else Role.PARTICIPANT
        turns.append(Turn(speaker=speaker, role=role, start=len(text), end=len(text) + len(words), line=line))
        text += words + "\n"
    return Transcript(site="North", name="n1", source="n1.txt", language="en", text=text, turns=tuple(turns))


def pieces(read: Transcript) -> list[Segment]:
    spans = [(at, turn.start, turn.end) for at, turn in enumerate(read.turns) if turn.role is Role.PARTICIPANT]
    return [
        Segment(
            id=segment_id(read.id, start, end), transcript=read.id, name=f"t{turn}", turn=turn, start=start, end=end,
            text=read.text[start:end],
        )
        for turn, start, end in spans
    ]  # fmt: skip


def found() -> tuple[list[Segment], list[Context]]:
    read = transcript()
    segments = pieces(read)
    told = contexts(segments, segments, {read.id: read}, load_splitter)
    return segments, [told[segment.id] for segment in segments]


def test_the_question_is_what_a_moderator_said_last() -> None:
    _, told = found()
    assert [one.asked for one in told] == ["How do you get here?", "How do you get here?", "Mm."]


def test_long_talk_without_a_moderator_is_gone_through_once() -> None:
    looked = 0

    class Turns(tuple[Turn, ...]):
        def __getitem__(self, at: Any) -> Any:  # noqa: ANN401  # as tuple has it
            nonlocal looked
            looked += 1
            return super().__getitem__(at)

    read = transcript()
    talk = Turns(replace(read.turns[1], line=line) for line in range(1, 301))
    segments = [replace(pieces(read)[0], name=f"t{at}", turn=at) for at in range(len(talk))]
    contexts(segments, segments, {read.id: replace(read, turns=talk)}, load_splitter)
    assert looked <= 2 * len(talk)


def test_what_was_said_just_before_is_the_segment_before_or_else_the_question() -> None:
    _, told = found()
    assert [one.before for one in told] == ["How do you get here?", "By bus, and it is always late.", "Mm."]


def test_what_was_said_next_is_the_segment_after_unless_a_moderator_speaks_first() -> None:
    segments, told = found()
    assert [one.after for one in told] == [segments[1].text, "", ""]


def test_a_transcript_may_begin_without_a_question() -> None:
    read = transcript()
    alone = Transcript(site="N", name="n", source="n", language="en", text=read.text, turns=(read.turns[1],))
    (piece,) = pieces(alone)
    told = contexts([piece], [piece], {alone.id: alone}, load_splitter)[piece.id]
    assert told == Context()
    assert told.texts == ()


def test_only_long_segments_are_looked_at_sentence_by_sentence() -> None:
    segments, told = found()
    assert len(segments[2].text.split()) >= LONG
    assert [len(one.sentences) for one in told] == [0, 0, 12]
    assert told[2].sentences[3] == "This is sentence number 3 of many."


def test_texts_become_rows_once_for_each_transcript() -> None:
    segments, told = found()
    vectors = {text: np.full(3, at, dtype=np.float32) for at, text in enumerate({t for one in told for t in one.texts})}
    rows = around(segments, dict(zip((s.id for s in segments), told, strict=True)), vectors)
    assert rows.asked[0] == rows.asked[1] == rows.before[0] != NONE
    assert len(rows.vectors) == 1 + 1 + 1 + 1 + 12
    np.testing.assert_array_equal(rows.vectors[rows.after[0]], vectors["I walk."])
    assert rows.of.tolist() == [2] * 12
    np.testing.assert_array_equal(rows.vectors[rows.before[1]], vectors["By bus, and it is always late."])


def test_no_segment_has_no_rows() -> None:
    rows = around([], {}, {"x": np.zeros(3, dtype=np.float32)})
    assert rows.vectors.shape == (0, 3)
    assert rows.asked.shape == rows.of.shape == (0,)
