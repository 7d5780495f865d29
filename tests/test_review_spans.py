"""Spans of a coder's own: cut by sentence, split, marked; and that the machine's segments stay as they are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.carry import carry_over
from pipeline.codebook import read_codebook, write_codebook
from pipeline.coded import coded_segments
from pipeline.edits import Act, Edit
from pipeline.exchange import DECISION_COLUMNS, decision_rows
from pipeline.influence import Facts, from_decisions
from pipeline.records import Answer, Codebook, Mode, Role, Segment, SegmentId, Transcript, Turn, present, segment_id
from pipeline.review.spanning import Change, NoSpanError, Place, joined, moved, near, parted, segment_of, snapped
from pipeline.review.team import compare
from pipeline.revise import revise
from pipeline.store import Store
from pipeline.store.corpus import Source, load_segments, load_spans, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.runs import Run, load_suggestions, put_suggestions, start_run
from pipeline.store.slots import Slot, drawing, of_others, touched
from pipeline.store.trail import verify
from pipeline.store.vectors import put_vectors

from .reviewing import CODEBOOK, HASHING, QUOTE, Coder, at_the_page, study_in, suggestions

ONE, TWO, THREE = "The bus was late again.", "I stood there in the rain.", "Then the driver waved at me."
FOUR, FIVE = "My aunt paid for both of us.", "We laughed about it all the way home."
SAID = (("Moderator", "How was it?"), ("Ana", f"{ONE} {TWO} {THREE}"), ("Ben", "Mm-hm yes."), ("Ana", f"{FOUR} {FIVE}"))


def spoken(name: str = "Group 1") -> tuple[Transcript, list[Segment]]:
    """Return a transcript whose turns of several sentences are one segment each."""
    text, turns = f"{name}\n\n", []
    for line, (speaker, words) in enumerate(SAID, 3):
        text += f"{speaker}: "
        role = Role.MODERATOR if speaker == "Moderator" else Role.PARTICIPANT
        turns.append(Turn(speaker=speaker, role=role, start=len(text), end=len(text) + len(words), line=line))
        text += f"{words}\n\n"
    made = Transcript(site="North", name=name, source=f"north/{name}.txt", language="en", text=text, turns=tuple(turns))
    return made, [piece(made, at, name) for at, name in ((1, "s1"), (3, "s2"))]


def piece(made: Transcript, turn: int, name: str) -> Segment:
    start, end = made.turns[turn].start, made.turns[turn].end
    key, text = segment_id(made.id, start, end), made.text[start:end]
    return Segment(id=key, transcript=made.id, name=name, turn=turn, start=start, end=end, text=text)


MADE, (FIRST, SECOND) = spoken()


def span(words: str, made: Transcript = MADE) -> SegmentId:
    """Return the id of the span with these words."""
    start = made.text.index(words)
    return segment_id(made.id, start, start + len(words))


def put(store: Store, names: Sequence[str] = ("Group 1",)) -> None:
    began = datetime(2026, 3, 1, tzinfo=UTC)
    told = {"ranking": "r", "encoder": "e5", "settings": "s", "counts": {}}
    start_run(store, Run(id="run-1", codebook_revision=CODEBOOK.revision, started_at=began, **told), CODEBOOK)  # type: ignore[arg-type]
    for name in names:
        made, cut = spoken(name)
        put_source(store, Source(path=made.source, site="North", sha256=name, settings="s"), [(made, cut)])
        texts = [segment.text for segment in cut]
        put_vectors(store, HASHING.fingerprint, texts, HASHING.load().encode(texts))
        put_suggestions(store, "run-1", {made.id: [one for segment in cut for one in suggestions(segment)]})


@pytest.fixture
def ana(store: Store, tmp_path: Path) -> Iterator[Coder]:
    put(store)
    with at_the_page(store, study_in(tmp_path)) as somebody:
        yield somebody


def to(coder: Coder, segment: SegmentId) -> str:
    return coder.go(f"/transcript/{MADE.id}?segment={segment}")


def move(coder: Coder, segment: SegmentId, change: str) -> str:
    to(coder, segment)
    return coder.post(f"/span/{segment}/move", {"change": change, "at": coder.at})


def split(coder: Coder, segment: SegmentId, words: str) -> str:
    to(coder, segment)
    return coder.post(f"/span/{segment}/split", {"before": str(MADE.text.index(words)), "at": coder.at})


def mark(coder: Coder, words: str, said: str | None = None) -> str:
    start = MADE.text.index(words)
    form = {"start": str(start), "end": str(start + len(words)), "words": words if said is None else said}
    to(coder, FIRST.id)
    return coder.post(f"/mark/{MADE.id}", {**form, "at": coder.at})


def codings(store: Store) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the present codings by coder and words."""
    made = present(load_decisions(store))
    words = {one.id: one.text for one in load_segments(store, ids=[coding.segment for coding in made])}
    return {(coding.coder, words[coding.segment]): coding.themes for coding in made}


def current(coder: Coder) -> SegmentId:
    found = re.search(r'id="s-(\w+)" tabindex="-1"', coder.page)
    assert found
    return SegmentId(found[1])


# --- where spans may lie ---------------------------------------------------------------------------------------------


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


# --- cutting ---------------------------------------------------------------------------------------------------------


def test_a_shortened_segment_is_a_span_in_its_place(ana: Coder, store: Store) -> None:
    move(ana, FIRST.id, "shorter")
    short = span(f"{ONE} {TWO}")
    assert current(ana) == short
    assert ana.mark(FIRST.id) == "cut otherwise"
    assert ana.mark(short) == "open"
    assert "Your span" in ana.page
    assert [s.id for s in load_segments(store, MADE.id)] == [FIRST.id, SECOND.id], "the machine's stay as they are"
    ana.say(short, "accept", "Waiting")
    row = ana.rows[-1]
    assert (row.rank, row.probability, row.shown, row.run, row.cut_from) == (1, 0.91, True, "run-1", FIRST.id)
    assert codings(store) == {("Ria", f"{ONE} {TWO}"): ("Waiting",)}


def test_a_cut_segment_does_not_come_back_as_open(ana: Coder) -> None:
    move(ana, FIRST.id, "shorter")
    ana.go("/next")
    assert current(ana) == span(f"{ONE} {TWO}"), "the span is open"
    ana.say(span(f"{ONE} {TWO}"), "nothing", go="?go=next")
    assert current(ana) == SECOND.id
    ana.say(SECOND.id, "nothing", go="?go=next")
    assert "note=done" in ana.url
    assert "<b>3</b> of 3 segments decided" in ana.page


@pytest.mark.parametrize("order", ["surest", "informative"])
def test_in_an_order_the_parts_come_before_what_is_next(ana: Coder, order: str) -> None:
    split(ana, FIRST.id, TWO)
    first, rest = span(ONE), span(f"{TWO} {THREE}")
    ana.say(first, "accept", "Waiting", go=f"?go=next&order={order}")
    assert current(ana) == rest
    ana.say(rest, "nothing", go=f"?go=next&order={order}")
    assert current(ana) == SECOND.id


def test_ends_move_by_sentence_until_one_is_left_or_the_turn_ends(ana: Coder) -> None:
    for change, words in (
        ("later", f"{TWO} {THREE}"),
        ("shorter", TWO),
        ("earlier", f"{ONE} {TWO}"),
        ("longer", f"{ONE} {TWO} {THREE}"),
    ):
        move(ana, current(ana) if ana.page else FIRST.id, change)
        assert current(ana) == span(words)
    assert ana.mark(FIRST.id) == "open", "cut back to what it was, it is the machine's segment again"
    assert not ana.rows or {row.answer for row in ana.rows[-2:]} == {Answer.UNDO}
    move(ana, FIRST.id, "longer")
    assert "a span lies inside one turn" in ana.page
    assert ana.status == 400
    one = span(ONE)
    move(ana, FIRST.id, "shorter")
    move(ana, current(ana), "shorter")
    assert current(ana) == one
    move(ana, one, "shorter")
    assert "Only one sentence is left" in ana.page


def test_what_was_given_goes_along(ana: Coder, store: Store) -> None:
    ana.say(FIRST.id, "accept", "Waiting")
    ana.say(FIRST.id, "reject", "Kindness <of drivers>")
    split(ana, FIRST.id, THREE)
    assert codings(store) == {("Ria", f"{ONE} {TWO}"): ("Waiting",), ("Ria", THREE): ("Waiting",)}
    ana.undo()
    assert codings(store) == {("Ria", FIRST.text): ("Waiting",)}
    assert present(ana.rows)[0].rejected == ("Kindness <of drivers>",)


def test_undo_takes_a_span_back_with_what_was_said_of_it(ana: Coder, store: Store) -> None:
    ana.say(SECOND.id, "nothing")
    split(ana, FIRST.id, TWO)
    ana.say(span(ONE), "accept", "Waiting")
    move(ana, span(f"{TWO} {THREE}"), "shorter")
    assert current(ana) == span(TWO)
    ana.undo()
    assert current(ana) == span(f"{TWO} {THREE}")
    ana.undo()
    assert ana.mark(span(ONE)) == "open"
    ana.undo()
    assert current(ana) == FIRST.id
    assert ana.mark(FIRST.id) == "open"
    assert "Your span" not in ana.page
    ana.undo()
    assert codings(store) == {}
    assert "nothing left to take back" in ana.undo()


def test_a_part_that_was_taken_back_is_still_a_part(ana: Coder, store: Store) -> None:
    split(ana, FIRST.id, TWO)
    one = span(ONE)
    for answer, theme, mark in (
        ("unsure", "", "unsure"),
        ("undo", "", "open"),
        ("unsure", "", "unsure"),
        ("accept", "Waiting", "Waiting"),
        ("undo", "Waiting", "open"),
        ("nothing", "", "nothing fits"),
        ("undo", "", "no theme, 2 rejected"),
    ):
        ana.say(one, answer, theme)
        to(ana, one)
        assert ana.mark(one) == mark, answer


def test_a_span_taken_away_leaves_the_segment_as_it_was_when_it_was_the_last(ana: Coder, store: Store) -> None:
    split(ana, FIRST.id, TWO)
    one, rest = span(ONE), span(f"{TWO} {THREE}")
    ana.say(one, "accept", "Waiting")
    to(ana, one)
    ana.post(f"/span/{one}/away", {"at": ana.at})
    assert ana.mark(FIRST.id) == "cut otherwise"
    to(ana, rest)
    ana.post(f"/span/{rest}/away", {"at": ana.at})
    assert current(ana) == FIRST.id
    assert ana.mark(FIRST.id) == "open"
    assert codings(store) == {}


def test_all_spans_in_a_segments_place_can_be_taken_away_at_once(ana: Coder, store: Store) -> None:
    split(ana, FIRST.id, TWO)
    ana.say(span(ONE), "accept", "Waiting")
    page = to(ana, FIRST.id)
    assert "spans of your own in place of this segment" in page
    assert "Accept first" not in page
    ana.post(f"/span/{FIRST.id}/away", {"at": ana.at})
    assert (ana.mark(FIRST.id), codings(store)) == ("open", {})
    ana.undo()
    assert ana.mark(FIRST.id) == "cut otherwise"
    assert codings(store) == {("Ria", ONE): ("Waiting",)}


def test_nothing_is_decided_on_a_segment_that_was_cut_otherwise(ana: Coder) -> None:
    to(ana, FIRST.id)
    at, seen = ana.at, ana.seen
    move(ana, FIRST.id, "shorter")
    before = len(ana.rows)
    ana.post(f"/segment/{FIRST.id}", {"answer": "accept", "theme": "Waiting", "at": at, "seen": seen})
    assert "have changed meanwhile" in unescape(ana.page)
    ana.post(f"/span/{FIRST.id}/move", {"change": "later", "at": at, "seen": seen})
    assert "have changed meanwhile" in unescape(ana.page), "the same form sent twice cuts once"
    assert len(ana.rows) == before


# --- marking ---------------------------------------------------------------------------------------------------------


def test_marked_words_are_a_span_beside_the_segments(ana: Coder, store: Store) -> None:
    mark(ana, "tood there in the ra")
    words = "stood there in the rain"
    assert current(ana) == span(words)
    assert "No suggestions here" in ana.page
    assert ana.mark(FIRST.id) == "open"
    ana.say(span(words), "add", "Weather", go="?go=next")
    assert current(ana) == FIRST.id, "the segment in which it lies is open yet"
    row = ana.rows[-1]
    assert (row.shown, row.mode, row.chance, row.cut_from) == (False, Mode.ROUTINE, 1.0, "")
    assert codings(store) == {("Ria", words): ("Weather",)}


def test_what_the_machine_left_out_can_be_coded(ana: Coder) -> None:
    mark(ana, "Mm-hm yes")
    assert current(ana) == span("Mm-hm yes")
    ana.say(span("Mm-hm yes"), "add", "Weather", go="?go=next")
    assert current(ana) == SECOND.id


def test_spans_may_overlap_and_the_text_is_there_once(ana: Coder) -> None:
    mark(ana, "late again. I stood")
    mark(ana, "again. I stood there")
    move(ana, FIRST.id, "shorter")
    article = ana.page[ana.page.index("<article") : ana.page.index("<aside")]
    text = re.sub(r"<sup.*?</sup>|<[^>]+>", "", article)
    assert text.count(FIRST.text) == 1
    assert article.count('class="own ') == 3
    assert len(re.findall(r'class="drawn[^>]*><sup', article)) == 3, "a number stands where each begins"


@pytest.mark.parametrize(
    ("words", "why"),
    [("Mm-hm yes.\n\nAna: My aunt", "crosses 2 turns"), ("How was it?", "moderator"), (" ", "no words")],
)
def test_words_that_cannot_be_a_span_are_refused_in_plain_words(ana: Coder, words: str, why: str) -> None:
    mark(ana, words)
    assert ana.status == 400
    assert why in ana.page
    assert not ana.rows


def test_words_that_are_not_where_the_browser_says_are_refused(ana: Coder) -> None:
    mark(ana, "The bus was", "The tram was")
    assert "could not be found" in ana.page
    assert "tram" not in ana.page
    assert not ana.rows


@pytest.mark.parametrize("number", ["", "-1", "x", "9" * 19, "٣"])
def test_a_broken_form_is_refused(ana: Coder, number: str) -> None:
    to(ana, FIRST.id)
    ana.post(f"/mark/{MADE.id}", {"start": number, "end": "50", "words": "", "at": ana.at})
    assert ana.status == 400
    to(ana, FIRST.id)
    ana.post(f"/span/{FIRST.id}/split", {"before": number, "at": ana.at})
    assert ana.status == 400
    to(ana, FIRST.id)
    ana.post(f"/span/{FIRST.id}/move", {"change": number, "at": ana.at})
    assert ana.status == 400
    assert not ana.rows


def test_the_same_words_twice_are_one_span(ana: Coder) -> None:
    mark(ana, "late again")
    mark(ana, "late again")
    assert "You have a span of just these words" in unescape(ana.page)
    assert len(ana.rows) == 1
    mark(ana, FIRST.text)
    assert "The machine cut just these words" in ana.page
    assert len(ana.rows) == 1


# --- without scripts -------------------------------------------------------------------------------------------------


def test_sentences_are_chosen_without_scripts(ana: Coder, store: Store) -> None:
    page = ana.go(f"/span/{FIRST.id}")
    words = [unescape(one) for one in re.findall(r'class="words" dir="auto">(.*?)</span>', page)]
    assert words == [ONE, TWO, THREE]
    firsts = re.findall(r'name="first" value="(\d+)"', page)
    lasts = re.findall(r'name="last" value="(\d+)"', page)
    assert re.findall(r'name="first" value="(\d+)" required checked', page) == firsts[:1]
    assert re.findall(r'name="last" value="(\d+)" required checked', page) == lasts[2:]
    form = {"first": firsts[1], "last": lasts[1], "at": ana.at}
    ana.post(f"/span/{FIRST.id}", {**form, "how": "beside"})
    assert current(ana) == span(TWO)
    assert ana.mark(FIRST.id) == "open"
    ana.go(f"/span/{FIRST.id}")
    ana.post(f"/span/{FIRST.id}", {**form, "first": firsts[0], "how": "instead", "at": ana.at})
    assert current(ana) == span(f"{ONE} {TWO}")
    assert ana.mark(FIRST.id) == "cut otherwise"
    before = len(ana.rows)
    ana.go(f"/span/{SECOND.id}")
    ana.post(f"/span/{SECOND.id}", {"first": firsts[2], "last": lasts[0], "how": "instead", "at": ana.at})
    assert ana.status == 400
    ana.go(f"/span/{SECOND.id}")
    ana.post(f"/span/{SECOND.id}", {"first": "", "last": "", "how": "instead", "at": ana.at})
    assert len(ana.rows) == before


def test_hostile_words_stay_words(store: Store, tmp_path: Path) -> None:
    said = "<script>alert(1)</script> was written there. \u202eAnd this runs \u0000 backwards. <b>Bold</b> words."
    text = f"Ana: {said}"
    turn = Turn(speaker="Ana", role=Role.PARTICIPANT, start=5, end=len(text), line=1)
    made = Transcript(site="North", name="x", source="north/x.txt", language="en", text=text, turns=(turn,))
    put_source(store, Source(path="x", site="North", sha256="x", settings="s"), [(made, [piece(made, 0, "s1")])])
    with at_the_page(store, study_in(tmp_path)) as somebody:
        one = piece(made, 0, "s1")
        page = somebody.go(f"/span/{one.id}")
        assert "<script>alert" not in page
        assert "<b>Bold" not in page
        somebody.go(f"/transcript/{made.id}?segment={one.id}")
        somebody.post(f"/span/{one.id}/move", {"change": "later", "at": somebody.at})
        assert "<script>alert" not in somebody.page
        assert somebody.rows[-1].answer is Answer.SPAN


# --- several coders, checks ------------------------------------------------------------------------------------------


def test_other_coders_do_not_see_a_span(ana: Coder, store: Store, tmp_path: Path) -> None:
    move(ana, FIRST.id, "shorter")
    ana.say(span(f"{ONE} {TWO}"), "accept", "Waiting")
    mark(ana, "late again")
    with at_the_page(store, study_in(tmp_path), "Tom") as tom:
        page = to(tom, FIRST.id)
        assert tom.mark(FIRST.id) == "open"
        assert 'class="own' not in page
        assert 'class="drawn' not in page
        assert "0 of 2 decided" in page
        tom.post(f"/segment/{span('late again')}", {"answer": "nothing", "theme": "", "at": tom.at})
        assert tom.status == 400
        assert "no such segment" in tom.page
        assert tom.go(f"/span/{span('late again')}") and tom.status == 404
        tom.go("/next")
        assert current(tom) == FIRST.id
        mark(tom, "late again")
        tom.say(span("late again"), "add", "Weather")
    assert codings(store)["Tom", "late again"] == ("Weather",)
    assert of_others(store, "Zoe") == sorted([FIRST.id])


def test_a_span_and_what_it_was_cut_from_do_not_come_again(ana: Coder, store: Store) -> None:
    ana.say(SECOND.id, "nothing")
    move(ana, FIRST.id, "shorter")
    mark(ana, "late again")
    assert touched(store, "Ria") == [SECOND.id]


def test_a_withheld_segment_has_withheld_spans(store: Store, tmp_path: Path) -> None:
    put(store)
    with at_the_page(store, study_in(tmp_path, withhold=1.0)) as somebody:
        move(somebody, FIRST.id, "shorter")
        assert "No suggestions here" in somebody.page
        somebody.say(span(f"{ONE} {TWO}"), "add", "Waiting")
    row = somebody.rows[-1]
    assert (row.mode, row.chance, row.shown, row.rank) == (Mode.WITHHELD, 1.0, False, None)


def test_a_check_that_is_cut_otherwise_is_answered_and_its_span_is_no_check(store: Store, tmp_path: Path) -> None:
    put(store, ["Group 1", "Group 2"])
    other = spoken("Group 2")[1][0]
    drawn = datetime(2026, 3, 2, tzinfo=UTC)
    for mode, span_mode in ((Mode.OVERLAP, Mode.ROUTINE), (Mode.DUPLICATE, Mode.DUPLICATE)):
        with drawing(store) as keep:
            keep(
                Slot(
                    coder=mode.value,
                    position=1,
                    segment=FIRST.id,
                    mode=mode,
                    chance=0.1,
                    after=other.id,
                    drawn_at=drawn,
                )
            )
        with at_the_page(store, study_in(tmp_path), mode.value) as somebody:
            move(somebody, FIRST.id, "shorter")
            short = span(f"{ONE} {TWO}")
            assert current(somebody) == short
            assert "No suggestions here" in somebody.page
            somebody.say(short, "add", "Waiting", go="?go=next")
            assert f"/transcript/{other.transcript}" in somebody.url, "back to where the coder came from"
            assert [row.mode for row in somebody.rows] == [mode, span_mode, span_mode]
    assert [coding.coder for coding in present(load_decisions(store))] == ["overlap"], "a second reading is a check"


def test_read_again_a_segment_shows_nothing_of_how_it_was_cut_before(store: Store, tmp_path: Path) -> None:
    put(store, ["Group 1", "Group 2"])
    with at_the_page(store, study_in(tmp_path)) as somebody:
        move(somebody, FIRST.id, "shorter")
        somebody.say(span(f"{ONE} {TWO}"), "accept", "Waiting")
        with drawing(store) as keep:
            keep(
                Slot(
                    coder="Ria",
                    position=1,
                    segment=FIRST.id,
                    mode=Mode.DUPLICATE,
                    chance=0.1,
                    after=SECOND.id,
                    drawn_at=datetime(2026, 3, 2, tzinfo=UTC),
                )
            )
        page = to(somebody, FIRST.id)
        assert somebody.mark(FIRST.id) == "open"
        assert 'class="own' not in page
        move(somebody, FIRST.id, "shorter")
        assert somebody.mark(span(f"{ONE} {TWO}")) == "open"
        somebody.say(span(f"{ONE} {TWO}"), "nothing")
        assert somebody.mark(span(f"{ONE} {TWO}")) == "nothing fits"
    assert codings(store) == {("Ria", f"{ONE} {TWO}"): ("Waiting",)}, "what was said first stands"


def test_a_span_coded_elsewhere_is_shown_to_its_coder(ana: Coder, store: Store) -> None:
    from pipeline.records import Coding
    from pipeline.store.corpus import add_person_segments
    from pipeline.store.decisions import add_coding

    start = MADE.text.index(TWO)
    own = segment_of(Place(id=MADE.id, transcript=MADE), (start, start + len(TWO)))
    add_person_segments(store, [own])
    when = datetime(2026, 1, 1, tzinfo=UTC)
    add_coding(store, [Coding(segment=own.id, coder="Ria", themes=("Money",), coded_at=when)], "rev")
    to(ana, own.id)
    assert current(ana) == own.id
    assert ana.mark(own.id) == "Money"
    assert load_spans(store, MADE.id) == [own]


def test_a_comparison_shows_what_was_given_in_spans(ana: Coder, store: Store, tmp_path: Path) -> None:
    split(ana, FIRST.id, TWO)
    ana.say(span(ONE), "accept", "Waiting")
    ana.say(span(f"{TWO} {THREE}"), "add", "Weather")
    with at_the_page(store, study_in(tmp_path), "Tom") as tom:
        tom.say(FIRST.id, "accept", "Waiting")
    (one,) = compare([FIRST, SECOND], present(load_decisions(store)))
    assert one.segment == FIRST
    assert [(coding.coder, coding.themes) for coding in one.codings] == [
        ("Ria", ("Waiting", "Weather")),
        ("Tom", ("Waiting",)),
    ]
    assert (one.agreed, one.disputed) == (("Waiting",), ("Weather",))


def test_spans_judge_what_was_suggested_for_their_segment_and_take_their_time_once(ana: Coder, store: Store) -> None:
    split(ana, FIRST.id, TWO)
    ana.say(span(ONE), "accept", "Waiting")
    made = load_suggestions(store, MADE.id)[FIRST.id]
    facts = Facts(
        places={row.segment: ("North", "Group 1") for row in ana.rows},
        suggestions={(FIRST.id, "run-1"): [one.suggestion for one in made]},
    )
    judged, actions = from_decisions(ana.rows, facts)
    assert {(one.segment, one.theme, one.given, one.offered, one.shown) for one in judged} == {
        (span(ONE), "Waiting", True, True, True),
        (span(ONE), "Kindness <of drivers>", False, True, True),
    }
    assert len(actions) == 2, "cutting and accepting"


def test_in_a_table_a_span_names_the_segment_it_was_cut_from(ana: Coder, store: Store) -> None:
    split(ana, FIRST.id, TWO)
    ana.say(span(ONE), "accept", "Waiting")
    pieces = load_segments(store, ids={row.segment for row in ana.rows})
    rows = list(decision_rows(ana.rows, pieces, {MADE.id: MADE}))
    told = [dict(zip(DECISION_COLUMNS, row, strict=True)) for row in rows]
    assert [(row["segment"], row["answer"], row["cut_from"]) for row in told] == [
        ("s1", "cut", ""),
        (f"{FIRST.start}-{FIRST.start + len(ONE)}", "span", "s1"),
        (f"{FIRST.start + len(ONE) + 1}-{FIRST.end}", "span", "s1"),
        (f"{FIRST.start}-{FIRST.start + len(ONE)}", "accept", "s1"),
    ]
    assert verify(store).whole


def test_of_what_was_cut_otherwise_the_spans_are_learned_from_alone(ana: Coder, store: Store) -> None:
    ana.say(FIRST.id, "reject", "Kindness <of drivers>")
    move(ana, FIRST.id, "shorter")
    ana.say(span(f"{ONE} {TWO}"), "accept", "Waiting")
    coded = coded_segments(store)
    assert [(piece.text, coded.codings[piece.id][0].themes) for piece in coded.segments] == [
        (f"{ONE} {TWO}", ("Waiting",))
    ]


def test_a_filter_for_what_is_open_leaves_out_what_was_cut_otherwise(ana: Coder) -> None:
    move(ana, FIRST.id, "shorter")
    ana.say(span(f"{ONE} {TWO}"), "nothing")
    ana.go("/next?order=filter:state%3Dopen")
    assert current(ana) == SECOND.id
    ana.go("/next?order=filter:state%3Ddecided")
    assert current(ana) == FIRST.id


def test_an_answer_to_a_span_that_is_sent_again_counts_once(ana: Coder) -> None:
    move(ana, FIRST.id, "shorter")
    short = span(f"{ONE} {TWO}")
    form = {"answer": "accept", "theme": "Waiting", "at": ana.at, "seen": ana.seen, "request": "abc"}
    for _ in range(2):
        ana.post(f"/segment/{short}", form)
    assert [row.answer.value for row in ana.rows] == ["cut", "span", "accept"]


def test_who_decides_first_sees_suggestions_for_a_span_after_deciding(store: Store, tmp_path: Path) -> None:
    put(store)
    study = study_in(tmp_path)
    study = study.model_copy(update={"review": study.review.model_copy(update={"decide_first": True})})
    with at_the_page(store, study) as somebody:
        move(somebody, FIRST.id, "shorter")
        short = span(f"{ONE} {TWO}")
        assert QUOTE not in somebody.page
        somebody.say(short, "add", "Weather", go="?go=next")
        somebody.say(short, "done", go="?go=next")
        to(somebody, short)
        assert QUOTE in somebody.page
        move(somebody, short, "shorter")
        assert QUOTE not in somebody.page, "of another span nothing was said yet"


def test_spans_go_along_when_a_transcript_changes(ana: Coder, store: Store, tmp_path: Path) -> None:
    move(ana, FIRST.id, "shorter")
    ana.say(span(f"{ONE} {TWO}"), "accept", "Waiting")
    later = "Recorded anew.\n\n"
    turns = tuple(replace(turn, start=turn.start + len(later), end=turn.end + len(later)) for turn in MADE.turns)
    made = replace(MADE, text=later + MADE.text, turns=turns)
    cut = [piece(made, 1, "s1"), piece(made, 3, "s2")]
    put_source(store, Source(path=made.source, site="North", sha256="later", settings="s"), [(made, cut)])
    carry_over(store)
    ana.go(f"/transcript/{made.id}?segment={cut[0].id}")
    assert ana.mark(cut[0].id) == "cut otherwise"
    assert ana.mark(span(f"{ONE} {TWO}", made)) == "Waiting"
    assert "You code a span of your own in place of this segment" in ana.page
    assert ">Span 2</a>" in ana.page
    assert codings(store) == {("Ria", f"{ONE} {TWO}"): ("Waiting",)}


# --- the codebook changed while spans stand --------------------------------------------------------------------------


def test_a_span_becomes_an_exemplar_and_is_looked_at_again(ana: Coder, tmp_path: Path) -> None:
    book = Codebook(themes=tuple(replace(theme, parent="") for theme in CODEBOOK.themes))
    write_codebook(book, tmp_path / "codebook.csv")
    ana.say(FIRST.id, "accept", "Waiting")
    move(ana, FIRST.id, "shorter")
    cut = current(ana)
    ana.post(f"/segment/{cut}/exemplar", {"theme": "Waiting"})
    book = read_codebook(tmp_path / "codebook.csv")
    made = book.themes[0].exemplars[-1]
    assert made.text == f"{ONE} {TWO}"
    assert made.source.startswith("Group 1#")
    revise(
        ana.store,
        tmp_path / "codebook.csv",
        Edit(act=Act.WORDS, theme="Waiting", definition="Anew"),
        seen="",
        by="Lea",
        why="",
    )
    assert "1 segment that you coded before" in ana.go("/"), "what was cut otherwise is not to be looked at besides"
    ana.go("/next?order=look-again")
    assert current(ana) == cut
    before = len(ana.rows)
    ana.post(f"/segment/{cut}/keep?order=look-again", {"at": ana.at})
    (kept,) = ana.rows[before:]
    assert (kept.segment, kept.theme, kept.cut_from, kept.mode) == (cut, "Waiting", FIRST.id, Mode.ROUTINE)
    assert "Look again" not in ana.go("/")
