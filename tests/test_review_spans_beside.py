"""Spans of a coder's own beside all else: other coders, blind checks, learning, filters, the codebook, new versions."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.carry import carry_over
from pipeline.codebook import read_codebook, write_codebook
from pipeline.coded import coded_segments
from pipeline.edits import Act, Edit
from pipeline.exchange import DECISION_COLUMNS, decision_rows
from pipeline.influence import Facts, from_decisions
from pipeline.records import Codebook, Mode, present
from pipeline.review.spanning import Place, segment_of
from pipeline.review.team import compare
from pipeline.revise import revise
from pipeline.store import Store
from pipeline.store.corpus import Source, load_segments, load_spans, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.runs import load_suggestions
from pipeline.store.slots import Slot, drawing, of_others, touched
from pipeline.store.trail import verify

from .reviewing import CODEBOOK, QUOTE, Coder, at_the_page, study_in
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
    put,
    span,
    split,
    spoken,
    to,
)
from .spans import ana as ana

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
