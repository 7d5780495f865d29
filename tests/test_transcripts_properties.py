import csv
import io
from datetime import timedelta
from itertools import groupby

import pytest
import srt
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import Faults
from pipeline.records import digest
from pipeline.transcripts import READERS
from pipeline.transcripts.draft import Draft

QUICK = settings(max_examples=60, deadline=None)
# Words of any script and beyond the basic plane, without signs that are labels, stamps or tags by themselves.
WORDS = st.text(st.sampled_from("abcdeäßéñ 'Жשनि你😀𝒳"), min_size=1, max_size=20).map(lambda s: " ".join(s.split()))
SENTENCES = st.builds("x{}.".format, WORDS)
TURNS = st.lists(
    st.tuples(st.sampled_from(["P1", "P2", "Moderator", "Nurse 1", "Mary"]), SENTENCES), min_size=4, max_size=12
)
Told = list[tuple[str, str]]


def told(draft: Draft) -> Told:
    return [(said.speaker, draft.text[said.start : said.end]) for said in draft.turns]


def read(suffix: str, data: bytes) -> Draft:
    (draft,) = READERS[suffix](data, "f", ("Moderator",))
    return draft


def assert_in_order(draft: Draft) -> None:
    at = 0
    for said in draft.turns:
        assert at <= said.start < said.end <= len(draft.text)
        at = said.end


@QUICK
@given(TURNS, st.sampled_from(["\n", "\n\n"]))
def test_turns_written_as_text_are_read_back(turns: Told, between: str) -> None:
    turns = [("Moderator", "x."), *turns]  # a listed moderator is proof that labels are labels
    draft = read(".txt", between.join(f"{speaker}: {words}" for speaker, words in turns).encode())
    assert told(draft) == turns
    assert_in_order(draft)


@QUICK
@given(TURNS)
def test_turns_written_as_a_table_are_read_back(turns: Told) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows([("speaker", "text"), *turns])
    draft = read(".csv", stream.getvalue().encode())
    assert told(draft) == turns
    assert_in_order(draft)


@QUICK
@given(TURNS)
def test_turns_written_as_subtitles_are_read_back(turns: Told) -> None:
    turns = [("Moderator", "x."), *turns]
    cues = [
        srt.Subtitle(n, timedelta(seconds=n), timedelta(seconds=n + 1), f"{speaker}: {words}")
        for n, (speaker, words) in enumerate(turns, 1)
    ]
    draft = read(".srt", srt.compose(cues).encode())
    spoken = [(speaker, list(some)) for speaker, some in groupby(enumerate(turns, 1), lambda turn: turn[1][0])]
    assert told(draft) == [(speaker, " ".join(words for _, (_, words) in some)) for speaker, some in spoken]
    assert [said.began for said in draft.turns] == [float(some[0][0]) for _, some in spoken]
    assert_in_order(draft)


LINES = st.lists(
    st.sampled_from(
        [
            "P1: yes",
            "P2: no.",
            "[00:01] P1: so",
            "Note: x",
            "",
            "  ",
            "[laughs]",
            "Ann  0:03",
            "a\tb",
            "1:02",
            "{B} c",
            "#0:01-2#",
        ]
    )
    | st.text(max_size=12),
    max_size=15,
)


@QUICK
@given(LINES)
def test_turns_of_any_text_are_in_order_and_trimmed(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        draft = read(".txt", text.encode())
    except Faults:
        return
    assert_in_order(draft)
    for said in draft.turns:
        words = draft.text[said.start : said.end]
        assert words == words.strip()
        assert 1 <= said.line <= draft.text.count("\n") + 1


@QUICK
@given(LINES)
def test_the_kind_of_line_end_does_not_change_a_transcript(lines: list[str]) -> None:
    kept = [line.replace("\r", "").replace("\n", "").replace("\0", "") for line in lines]
    try:
        unix = read(".txt", "\n".join(kept).encode())
    except Faults:
        return
    windows = read(".txt", "\r\n".join(kept).encode())
    assert (digest(unix.text), unix.turns) == (digest(windows.text), windows.turns)


HEADS = {
    ".vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\n",
    ".srt": b"1\n00:00:01,0 --> 00:00:02,0\n",
    ".csv": b"text,start\n",
}


@pytest.mark.parametrize("suffix", READERS)
@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode), headed=st.booleans())
def test_any_bytes_give_drafts_or_faults(suffix: str, data: bytes, headed: bool) -> None:
    try:
        drafts = READERS[suffix](HEADS.get(suffix, b"") * headed + data, "f", ("I",))
    except Faults:
        return
    for draft in drafts:
        assert_in_order(draft)
