"""Spans of a coder's own: cut by sentence, split, marked; and that the machine's segments stay as they are."""

import re
from html import unescape
from pathlib import Path

import pytest

from pipeline.records import Answer, Mode, Role, Transcript, Turn, present
from pipeline.store import Store
from pipeline.store.corpus import Source, load_segments, put_source

from .reviewing import Coder, at_the_page, study_in
from .spans import (
    FIRST,
    MADE,
    ONE,
    SECOND,
    THREE,
    TWO,
    codings,
    current,
    mark,
    move,
    piece,
    span,
    split,
    to,
)
from .spans import ana as ana

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
    for answer, theme, told in (
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
        assert ana.mark(one) == told, answer


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
