"""Content ids and the present state of decisions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import (
    Answer,
    Codebook,
    Decision,
    Exemplar,
    SegmentId,
    Theme,
    Transcript,
    digest,
    present,
    segment_id,
)

START = datetime(2026, 3, 2, tzinfo=UTC)


def transcript(text: str, *, name: str = "a", among: bool = False) -> Transcript:
    return Transcript(site="S", name=name, source="a.txt", language="en", text=text, turns=(), among=among)


def decided(*answers: tuple[str, Answer], coder: str = "Ada") -> list[Decision]:
    return [
        Decision(segment=SegmentId("s1"), coder=coder, theme=t, answer=a, decided_at=START + timedelta(minutes=at))
        for at, (t, a) in enumerate(answers)
    ]


@given(st.lists(st.text()), st.lists(st.text()))
def test_a_digest_tells_parts_apart(one: list[str], two: list[str]) -> None:
    assert (digest(*one) == digest(*two)) == (one == two)


def test_a_digest_never_changes_between_versions() -> None:
    """Ids are in databases: a change here would detach every decision from its words."""
    assert digest("segment", "x", 0, 5) == "be9ac3f1d4da9c9f5517"
    assert transcript("Ada: Hello").id == "65d8f100ffd876159461"


def test_a_renamed_file_is_the_same_transcript_but_rows_of_a_table_are_not() -> None:
    assert transcript("Good.", name="a").id == transcript("Good.", name="b").id
    assert transcript("Good.", name="a", among=True).id != transcript("Good.", name="b", among=True).id


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_segment_id_follows_from_transcript_and_span(start: int, end: int) -> None:
    one, other = transcript("a").id, transcript("b").id
    assert segment_id(one, start, end) == segment_id(one, start, end)
    assert len({segment_id(one, start, end), segment_id(other, start, end), segment_id(one, start, end + 1)}) == 3


def test_a_codebook_revision_follows_every_word_of_it() -> None:
    theme = Theme(name="A", definition="d", exemplars=(Exemplar(text="q"),))
    changed = [
        Theme(name="A", definition="d", exemplars=(Exemplar(text="q", source="x"),)),
        Theme(name="A", definition="D", exemplars=(Exemplar(text="q"),)),
        Theme(name="A", definition="d", exclude="e", exemplars=(Exemplar(text="q"),)),
        Theme(name="A", definition="d"),
    ]
    revisions = {Codebook(themes=(t,)).revision for t in [theme, *changed]}
    assert len(revisions) == 5


@pytest.mark.parametrize(
    ("answers", "themes", "rejected"),
    [
        ([("A", Answer.ACCEPT)], ("A",), ()),
        ([("B", Answer.ADD), ("A", Answer.ACCEPT)], ("A", "B"), ()),
        ([("A", Answer.ACCEPT), ("A", Answer.REJECT)], (), ("A",)),
        ([("", Answer.NOTHING)], (), ()),
        ([("A", Answer.ACCEPT), ("A", Answer.UNDO), ("B", Answer.ADD)], ("B",), ()),
        ([("A", Answer.UNSURE), ("B", Answer.ACCEPT)], ("B",), ()),
    ],
)
def test_the_latest_answer_per_theme_counts(
    answers: Sequence[tuple[str, Answer]], themes: tuple[str, ...], rejected: tuple[str, ...]
) -> None:
    (coding,) = present(decided(*answers))
    assert (coding.themes, coding.rejected) == (themes, rejected)


@pytest.mark.parametrize("answers", [[("A", Answer.UNSURE)], [("A", Answer.ACCEPT), ("A", Answer.UNDO)]])
def test_what_is_undone_or_unsure_is_not_decided(answers: Sequence[tuple[str, Answer]]) -> None:
    assert present(decided(*answers)) == []


def test_coders_are_kept_apart() -> None:
    both = present([*decided(("A", Answer.ACCEPT)), *decided(("A", Answer.REJECT), coder="Ben")])
    assert [(c.coder, c.themes) for c in both] == [("Ada", ("A",)), ("Ben", ())]
