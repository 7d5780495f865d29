"""Where a coder's spans may lie, by sentences and by marked words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.review.spanning import Change, NoSpanError, Place, joined, moved, near, parted, segment_of, snapped

from .spans import (
    MADE,
)
from .spans import ana as ana

SENTENCES = st.lists(st.integers(1, 4), min_size=1, max_size=8).map(
    lambda sizes: [(2 * sum(sizes[:at]) + at, 2 * sum(sizes[: at + 1]) + at) for at in range(len(sizes))]
)


@given(SENTENCES, st.data())
def test_an_end_moves_to_the_next_end_of_a_sentence(sentences: list[tuple[int, int]], data: st.DataObject) -> None:
    last = sentences[-1][1]
    start = data.draw(st.integers(0, last - 1))
    end = data.draw(st.integers(start + 1, last))
    change = data.draw(st.sampled_from(Change))
    begins, ends = [a for a, _ in sentences], [b for _, b in sentences]
    every = {
        Change.EARLIER: [(at, end) for at in range(start - 1, -1, -1) if at in begins],
        Change.LATER: [(at, end) for at in range(start + 1, end) if at in begins],
        Change.LONGER: [(start, at) for at in range(end + 1, last + 1) if at in ends],
        Change.SHORTER: [(start, at) for at in range(end - 1, start, -1) if at in ends],
    }[change]
    if every:
        assert moved((start, end), sentences, change) == every[0]
    else:
        with pytest.raises(NoSpanError):
            moved((start, end), sentences, change)


@given(SENTENCES, st.data())
def test_two_parts_hold_the_sentences_of_the_whole(sentences: list[tuple[int, int]], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(sentences) - 1))
    last = data.draw(st.integers(first, len(sentences) - 1))
    whole = joined(sentences, sentences[first][0], sentences[last][1])
    at = data.draw(st.integers(0, sentences[-1][1]))
    if at in [start for start, _ in sentences[first + 1 : last + 1]]:
        (a, b), (c, d) = parted(whole, sentences, at)
        assert (a, c, d) == (whole[0], at, whole[1])
        assert [one for one in sentences if a <= one[0] and one[1] <= b] + [
            one for one in sentences if c <= one[0] and one[1] <= d
        ] == sentences[first : last + 1]
    else:
        with pytest.raises(NoSpanError):
            parted(whole, sentences, at)


@given(SENTENCES, st.data())
def test_a_span_of_sentences_is_neither_empty_nor_reversed(
    sentences: list[tuple[int, int]], data: st.DataObject
) -> None:
    first, last = (data.draw(st.integers(-1, sentences[-1][1] + 1)) for _ in range(2))
    if first < last and first in dict(sentences) and last in dict(sentences).values():
        assert joined(sentences, first, last) == (first, last)
    else:
        with pytest.raises(NoSpanError):
            joined(sentences, first, last)


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("ab é'-.\u0301\u05d0\u05b8\u200d\u200b👩🚌🏽🇺🇬ไำ日\u0903\n"), max_size=14)
    | st.text(max_size=14),
    st.data(),
)
def test_marked_words_are_whole_and_no_visible_character_is_cut(text: str, data: st.DataObject) -> None:
    regex = pytest.importorskip("regex")
    start = data.draw(st.integers(-1, len(text) + 1))
    end = data.draw(st.integers(-1, len(text) + 1))
    a, b = snapped(text, (start, end))
    wanted = text[max(start, 0) : max(end, 0)]
    if not wanted.strip():
        assert a == b
        return
    assert text[a:b].find(wanted.strip()) >= 0, "nothing that was marked is left out"
    bounds = {0, *(found.end() for found in regex.finditer(r"\X", text))}
    for at in (a, b):
        inside_word = 0 < at < len(text) and text[at - 1].isascii() and text[at - 1 : at + 1].isalnum()
        assert not inside_word or not text[at].isascii()
        assert at in bounds or text[at - 1].isspace() or text[at].isspace()
    assert snapped(text, (a, b)) == (a, b)


@pytest.mark.parametrize(
    ("text", "marked", "whole"),
    [
        ("a 🇺🇬🇩🇪 b", "🇬🇩", "🇺🇬🇩🇪"),
        ("👩🏽‍🚌 drives", "🏽", "👩🏽‍🚌"),
        ("don't re-use", "t re", "don't re-use"),
        ("\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd \u05dc\u05da", "\u05b8\u05dc", "\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd"),
        ("เขาเดินทาง", "เดิ", "เดิ"),
        ("今日は雨です", "日は", "日は"),
    ],
)
def test_what_people_see_as_one_is_not_cut(text: str, marked: str, whole: str) -> None:
    start = text.index(marked)
    a, b = snapped(text, (start, start + len(marked)))
    assert text[a:b] == whole


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Mm-hm yes.\n\nAna: My aunt", "crosses 2 turns"),
        ("How was it?", "moderator"),
        ("Ana: The bus", "what one person says"),
        ("Group 1", "what one person says"),
        (". ", "no words"),
        ("", "no words"),
    ],
)
def test_a_span_lies_inside_what_one_participant_says(words: str, why: str) -> None:
    start = MADE.text.index(words)
    with pytest.raises(NoSpanError, match=why) as told:
        segment_of(Place(id=MADE.id, transcript=MADE), (start, start + len(words)))
    assert "aunt" not in str(told.value)


@pytest.mark.parametrize("bad", [(5, 5), (9, 3), (-4, 3), (len(MADE.text) - 3, len(MADE.text) + 9)])
def test_an_impossible_span_is_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(NoSpanError):
        segment_of(Place(id=MADE.id, transcript=MADE), bad)


def test_of_a_very_long_turn_the_sentences_near_the_segment_are_listed() -> None:
    sentences = [(10 * at, 10 * at + 9) for at in range(1000)]
    assert near(sentences, (5000, 5019)) == sentences[460:542]
    assert near(sentences, (0, 9)) == sentences[:41]
    assert near([], (0, 9)) == []
