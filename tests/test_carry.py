"""Decisions stay on the words they were made on, and these are found again when their transcript has changed."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline import carry, coded, intake, results, work
from pipeline.audit.gather import gather
from pipeline.cli import main
from pipeline.records import Answer, Decision, Mode, Segment, SegmentId, present
from pipeline.store import anchors, corpus, decisions, runs, slots, trail

from .running import run
from .test_batch import either as either

N1 = "transcripts/north/n1.txt"
NOW = datetime(2026, 5, 4, tzinfo=UTC)
AT = count()


def suggest(study: Path) -> tuple[intake.Session, intake.Tally]:
    session = intake.open_session(study)
    return session, work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)


def edit(study: Path, old: str, new: str, file: str = N1) -> tuple[intake.Session, intake.Tally]:
    """Change words of a transcript and suggest anew."""
    text = (study / file).read_text()
    assert old in text
    (study / file).write_text(text.replace(old, new))
    return suggest(study)


def saying(session: intake.Session, words: str) -> Segment:
    """Return the present segment that says some words."""
    (found,) = [piece for piece in corpus.load_segments(session.store, people=True) if words in piece.text]
    return found


def decide(session: intake.Session, segment: Segment, theme: str = "Money", coder: str = "Ada") -> None:
    at = NOW + timedelta(seconds=next(AT))
    made = Decision(segment=segment.id, coder=coder, theme=theme, answer=Answer.ADD, decided_at=at)
    decisions.add_decisions(session.store, [made])


def standing(session: intake.Session) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what stands of the present segments, by their words and the coder."""
    texts = {piece.id: piece.text for piece in corpus.load_segments(session.store, people=True)}
    codings = present(decisions.load_decisions(session.store))
    return {(texts[c.segment], c.coder): c.themes for c in codings if c.segment in texts}


def test_an_edit_elsewhere_in_a_transcript_keeps_its_decisions(either: Path) -> None:
    session, _ = suggest(either)
    decide(session, saying(session, "The ticket costs too much for a family"))
    decide(session, saying(session, "They are friendly people"), "Waiting", "Ben")
    before, head = standing(session), trail.head(session.store)
    session, tally = edit(either, "in the rain for the bus yesterday", "in the cold for the bus yesterday")
    assert tally.carried == 2
    assert standing(session) == before
    assert len(before) == 2
    assert carry.lost(session.store) == []
    assert trail.verify(session.store, head).whole, "what is written is as it was"
    assert suggest(either)[1].carried == 0
    (status, _) = results.status(session)
    assert (status["decided"], status["coders"]) == (2, {"Ada": 1, "Ben": 1})
    assert f"{N1.split('/')[-1][:2]},t004s1" in exported(either, "coding")


def exported(study: Path, what: str) -> str:
    run("export", study, "--what", what, "--out", study / "out.csv", "-q")
    return (study / "out.csv").read_text(encoding="utf-8-sig")


def test_only_new_words_are_embedded_and_only_the_changed_transcript_is_ranked(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "The ticket costs too much for a family"))
    suggest(study)
    _, tally = edit(study, "one of them sings in the choir", "one of them plays the trumpet in the choir")
    assert (tally.transcripts, tally.segments, tally.embedded, tally.ranked) == (1, 3, 1, 3)


def test_a_second_answer_after_an_edit_takes_the_place_of_the_first(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    session, _ = edit(study, "My shoes were wet", "My boots were wet")
    piece = saying(session, "friendly people")
    at = NOW + timedelta(seconds=next(AT))
    undo = Decision(segment=piece.id, coder="Ada", theme="Money", answer=Answer.UNDO, decided_at=at)
    decisions.add_decisions(session.store, [undo])
    decide(session, piece, "Waiting")
    assert standing(session) == {(piece.text, "Ada"): ("Waiting",)}
    learned = coded.coded_segments(session.store)
    assert [segment.text for segment in learned.segments] == [piece.text], "one segment, not two"
    assert [c.themes for c in learned.codings[learned.segments[0].id]] == [("Waiting",)]


def test_coders_on_two_versions_have_coded_one_segment(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    session, _ = edit(study, "My shoes were wet", "My boots were wet")
    decide(session, saying(session, "friendly people"), "Waiting", "Ben")
    gathered = gather(session, as_of=None, pseudonyms=False)
    (unit,) = {coding.segment for coding in gathered.codings}
    assert {coding.coder for coding in gathered.codings} == {"Ada", "Ben"}
    assert unit == saying(session, "friendly people").id
    assert unit in gathered.machine
    (one,) = coded.coded_segments(session.store, now=True).segments
    assert one.id == unit


def test_a_decision_knows_what_the_machine_said_when_it_was_made(study: Path) -> None:
    session, _ = suggest(study)
    piece = saying(session, "friendly people")
    made = runs.load_suggestions(session.store)[piece.id][0]
    at = NOW + timedelta(seconds=next(AT))
    given = Decision(segment=piece.id, coder="Ada", theme="Money", answer=Answer.ADD, decided_at=at, run=made.run)
    decisions.add_decisions(session.store, [given])
    session, _ = edit(study, "My shoes were wet", "My boots were wet")
    gathered = gather(session, as_of=None, pseudonyms=False)
    (decision,) = gathered.decisions
    assert gathered.suggestions[decision.segment, decision.run][0].theme == made.suggestion.theme


def test_an_audit_of_an_earlier_moment_has_the_words_where_they_were(study: Path) -> None:
    session, _ = suggest(study)
    piece = saying(session, "friendly people")
    decide(session, piece)
    then = datetime.now(UTC)
    session, _ = edit(study, "My shoes were wet", "My boots were wet")
    (before,), (now,) = (decisions.load_decisions(session.store, at=at) for at in (then, None))
    assert before.segment == piece.id
    assert now.segment == saying(session, "friendly people").id != piece.id
    assert set(gather(session, as_of=then, pseudonyms=False).passages) == {piece.id}


def test_what_the_review_page_asks_for_is_where_the_words_are_now(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    session, _ = edit(study, "My shoes were wet", "My boots were wet")
    piece = saying(session, "friendly people")
    made = decisions.load_decisions(session.store, transcript=piece.transcript, coder="Ada")
    assert [decision.segment for decision in made] == [piece.id]
    assert decisions.load_decisions(session.store, among=[piece.id]) == made
    assert slots.touched(session.store, "Ada") == [piece.id]
    assert piece.id not in slots.untouched(session.store, "Ada")
    assert slots.of_others(session.store, "Ben") == [piece.id]
    assert slots.last_answered(session.store, "Ada") == (piece.id, Mode.ROUTINE)


def test_gold_codings_and_slots_go_with_their_words(study: Path) -> None:
    session, _ = suggest(study)
    piece, first = saying(session, "friendly people"), saying(session, "The ticket costs too much for")
    gold = anchors.Gold(
        segment=piece.id,
        themes=frozenset({"Money"}),
        codebook_revision="r",
        adjudicated_by="all",
        adjudicated_at=NOW,
    )
    anchors.add_gold(session.store, [gold])
    slot = slots.Slot(
        coder="Ada", position=1, segment=piece.id, mode=Mode.ANCHOR, chance=0.1, after=first.id, drawn_at=NOW
    )
    with slots.drawing(session.store) as keep:
        keep(slot)
    session, tally = edit(study, "My shoes were wet", "My boots were wet")
    now, before = saying(session, "friendly people"), saying(session, "The ticket costs too much for")
    assert tally.carried == 2
    assert list(anchors.load_gold(session.store)) == [now.id]
    (drawn,) = slots.load_slots(session.store)
    assert (drawn.segment, drawn.after) == (now.id, before.id)
    assert slots.slots_at(session.store, "Ada", now.id) == [drawn] == [slots.last_slot(session.store, "Ada")]
    assert not slots.answered(session.store, drawn)
    decide(session, now)
    assert slots.answered(session.store, drawn)


def test_what_cannot_be_carried_over_is_told_and_comes_back_with_its_words(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    decide(session, saying(session, "I walk to work"), coder="Ben")
    before = standing(session)
    (study / "transcripts/south/s1.txt").rename(study / "s1.txt")
    (study / "transcripts/south/s2.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays.\n")
    session, _ = edit(study, "They are friendly people", "They are rude people")
    gone = carry.lost(session.store)
    assert [(one.place, one.segment, one.coders) for one in gone] == [
        ("North › n1: its words changed", "t006s1", ("Ada",)),
        ("South › s1: its transcript is gone", "t003s1", ("Ben",)),
    ]
    note = "note: decisions on 2 segments are kept and learned from, but nobody sees them any more"
    for command in ("status", "suggest"):
        said = CliRunner().invoke(main, [command, str(study)]).output
        assert note in said
        assert "North › n1: its words changed (1 segment); South › s1: its transcript is gone (1 segment)" in said
        assert "friendly" not in said
    told = json.loads(CliRunner().invoke(main, ["status", "--json", str(study)]).stdout)["lost"]
    assert [one["document"] for one in told] == ["n1", "s1"]
    (study / "s1.txt").rename(study / "transcripts/south/s1.txt")
    session, _ = edit(study, "They are rude people", "They are friendly people")
    assert standing(session) == before
    assert carry.lost(session.store) == []


def test_words_that_come_back_after_several_versions(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    before = standing(session)
    for old, new in (("My shoes", "My boots"), ("friendly", "rude"), ("My boots", "My socks"), ("rude", "friendly")):
        session, _ = edit(study, old, new)
    assert standing(session) == before
    session, _ = edit(study, "My socks", "My shoes")  # the very first version
    assert standing(session) == before
    assert len(decisions.load_as_made(session.store)) == 1


def test_what_was_taken_back_is_not_missed(study: Path) -> None:
    session, _ = suggest(study)
    piece = saying(session, "friendly people")
    decide(session, piece)
    at = NOW + timedelta(seconds=next(AT))
    undo = Decision(segment=piece.id, coder="Ada", theme="Money", answer=Answer.UNDO, decided_at=at)
    decisions.add_decisions(session.store, [undo])
    session, _ = edit(study, "friendly people", "rude people")
    assert carry.lost(session.store) == []


def test_other_settings_for_segments_leave_decisions_where_the_cut_is_another(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "My shoes were wet"))
    decide(session, saying(session, "They are friendly people"))
    (study / "study.toml").write_text((study / "study.toml").read_text() + "[segment]\nmax_words = 16\n")
    session, _ = suggest(study)
    assert [one.place for one in carry.lost(session.store)] == ["North › n1: the study cuts its words otherwise now"]


def test_a_file_that_was_renamed_and_edited_is_recognised_by_its_words(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    before = standing(session)
    text = (study / N1).read_text().replace("My shoes", "My boots")
    (study / N1).unlink()
    (study / "transcripts/north/group one.txt").write_text(text)
    session, tally = suggest(study)
    assert tally.carried == 1
    assert standing(session) == before
    learned = coded.coded_segments(session.store)
    assert learned.places[learned.segments[0].transcript] == ("North", "group one"), "has no part in its own ones"


def test_another_transcript_is_not_taken_for_one_that_is_gone(study: Path) -> None:
    (study / "transcripts/north/n2.txt").write_text(
        "Moderator: So?\n\nEve: They are friendly people, one of them sings in the choir with my aunt.\n\n"
        "Eve: The bus never comes on Sundays at all.\n\nEve: I like the bus on Mondays very much.\n"
    )
    session, _ = suggest(study)
    (piece, _) = [p for p in corpus.load_segments(session.store) if "friendly" in p.text]
    decide(session, piece)
    (study / N1).unlink()
    session, _ = suggest(study)
    assert [one.why for one in carry.lost(session.store)] == ["its transcript is gone"]


def test_a_span_that_a_coder_cut_is_cut_in_the_new_version_too(study: Path) -> None:
    suggest(study)
    text = (study / N1).read_text()
    start = text.index("one of them sings")
    (study / "coding.csv").write_text(
        f"document,segment,start,end,coder,codes,coded_at\nn1,,{start},{start + 17},Ada,Money,2026-05-04T09:00:00Z\n"
    )
    run("import", study, study / "coding.csv")
    session, tally = edit(study, "My shoes were wet and", "My shoes were wet, one of them sings, and")
    assert tally.carried == 1
    assert standing(session) == {("one of them sings", "Ada"): ("Money",)}
    (piece,) = coded.coded_segments(session.store, now=True).segments
    assert "friendly people, one of them sings" in (study / N1).read_text()[piece.start - 26 : piece.end], "not the new"
    table = exported(study, "coding")
    assert run("import", study, study / "out.csv").output.startswith("1 rows of coding read, 0 new decisions")
    assert "n1" in table


def test_an_import_after_an_edit_sees_what_was_decided_before_it(study: Path) -> None:
    session, _ = suggest(study)
    decide(session, saying(session, "friendly people"))
    exported(study, "coding")
    (study / N1).write_text((study / N1).read_text().replace("My shoes", "My boots"))
    assert "0 new decisions" in run("import", study, study / "out.csv").output


def pieces(said: list[str], version: str) -> list[carry.Said]:
    return [
        carry.Said(segment=SegmentId(f"{version}{at}"), words=tuple(words.split())) for at, words in enumerate(said)
    ]


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        (["yes", "a b", "yes", "c"], ["yes", "a  b", "yes", "d"], {0: 0, 1: 1, 2: 2}),
        (["yes", "a", "yes", "b"], ["a", "yes", "b"], {1: 0, 2: 1, 3: 2}),  # the first yes is gone, not the second
        (["a", "b", "c", "d"], ["c", "d", "a", "b"], {0: 2, 1: 3, 2: 0, 3: 1}),  # moved
        (["a", "yes"], ["yes", "yes", "a"], {0: 2}),  # which yes it was nobody knows
    ],
)
def test_the_same_words_are_found_in_their_order(before: list[str], after: list[str], pairs: dict[int, int]) -> None:
    found = carry.same_words(pieces(before, "v"), pieces(after, "w"))
    assert found == {f"v{old}": f"w{new}" for old, new in pairs.items()}


SAID = st.lists(st.sampled_from(["yes", "no", "well", "a b c", "d e"]), max_size=12)


@given(SAID, SAID)
def test_nobody_is_given_other_words_and_nothing_twice(before: list[str], after: list[str]) -> None:
    old, new = pieces(before, "v"), pieces(after, "w")
    found = carry.same_words(old, new)
    texts = {one.segment: one.words for one in (*old, *new)}
    assert all(texts[one] == texts[other] for one, other in found.items())
    assert len(set(found.values())) == len(found)


@given(st.lists(st.integers(), unique=True, max_size=12), st.data())
def test_what_is_said_once_is_always_found(said: list[int], data: st.DataObject) -> None:
    """Whatever is taken out, put in or moved."""
    kept = data.draw(st.permutations(said))[: data.draw(st.integers(0, len(said)))]
    new = data.draw(st.permutations([*map(str, kept), "x", "y"]))
    found = carry.same_words(pieces([str(one) for one in said], "v"), pieces(list(new), "w"))
    assert len(found) == len(kept)
