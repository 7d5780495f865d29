"""Every run tells what it worked on and with, and two runs what changed between them and why."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline import changes, intake, work
from pipeline.changes import How
from pipeline.errors import StudyFault
from pipeline.records import Answer, Decision
from pipeline.store import corpus, decisions, manifests, runs, schema

from .running import run
from .test_batch import either as either
from .test_carry import edit, saying

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def suggest(study: Path, encoder: str = "") -> tuple[intake.Session, intake.Tally]:
    session = intake.open_session(study)
    if encoder:
        session = replace(session, located=replace(session.located, name=encoder, fingerprint=encoder))
    return session, work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)


def last_two(session: intake.Session) -> list[changes.Change]:
    """Return what changed from the run before the last one to the last."""
    before, after = (changes.state(session.store, one) for one in runs.list_runs(session.store)[-2:])
    return list(changes.changes(session.store, before, after))


def add(study: Path, file: str, text: str) -> None:
    (study / file).write_text((study / file).read_text() + text)


def suggested(session: intake.Session) -> set[tuple[str, str]]:
    """Return segments with the themes suggested for them."""
    made = runs.load_suggestions(session.store)
    return {(s, one.suggestion.theme) for s, given in made.items() for one in given if one.suggestion.suggested}


def test_a_run_tells_what_it_worked_on_and_with(either: Path) -> None:
    session, _ = suggest(either)
    (one,) = runs.list_runs(session.store)
    told = manifests.load_manifests(session.store)[one.id]
    assert set(told.files) == {"transcripts/north/n1.txt", "transcripts/south/s1.txt"}
    assert told.files["transcripts/north/n1.txt"] == intake.file_hash(either / "transcripts/north/n1.txt")
    assert [(document.site, document.name) for document in told.documents] == [("North", "n1"), ("South", "s1")]
    assert told.settings["rank"]["precision"] == 0.5
    assert told.decisions == 0
    assert {"themescout", "python", "numpy"} <= set(told.versions)
    (listed,) = json.loads(run("runs", either, "--json").output)
    assert listed["id"] == one.id
    assert listed["manifest"]["documents"][0]["name"] == "n1"
    assert one.id[:8] in run("runs", either).output


def test_a_study_without_a_store_has_no_runs_and_gets_none(study: Path) -> None:
    assert json.loads(run("runs", study, "--json").output) == []
    assert "no run begins with abc" in run("diff", study, "abc", "abd", expect=2).output
    assert not list(study.glob("*.db*"))


def test_what_changed_is_what_two_states_differ_in(study: Path) -> None:
    before = suggested(suggest(study)[0])
    add(study, "codebook.csv", "People,,How people are,,,They are friendly people,typical,\n")
    session, _ = suggest(study)
    after, found = suggested(session), last_two(session)
    gained = {(one.segment.id, one.theme) for one in found if one.how is How.GAINED}
    lost = {(one.segment.id, one.theme) for one in found if one.how is How.LOST}
    assert (gained, lost) == (after - before, before - after)
    assert gained
    assert {(one.theme, one.why) for one in found if one.how is How.GAINED} == {("People", "codebook: this theme")}
    assert {one.why for one in found if one.theme != "People"} <= {"codebook: other themes"}


def test_an_old_state_is_told_from_what_it_left(study: Path) -> None:
    """Also where most of its suggestions were made by an earlier run, and are made anew since."""
    suggest(study)
    session, _ = edit(study, "My shoes were wet", "My ticket was wet")
    there = suggested(session)
    add(study, "codebook.csv", "People,,How people are,,,They are friendly people,typical,\n")
    session, _ = suggest(study)
    _, middle, _ = runs.list_runs(session.store)
    left = changes.state(session.store, middle)
    made = manifests.suggested_by(session.store, left.made_by, [one.id for one in left.manifest.documents])
    assert {
        (segment, one.theme)
        for given in made.values()
        for segment, told in given.items()
        for one in told
        if one.suggested
    } == there
    assert len(left.made_by) == 2


def test_changed_words_are_the_reason_where_they_changed(study: Path) -> None:
    suggest(study)
    found = last_two(edit(study, "My shoes were wet", "The ticket costs too much")[0])
    assert {one.why for one in found} <= {"its words are new", "its words are gone", "words around it changed"}
    assert {one.document for one in found} == {"n1"}
    assert "its words are new" in {one.why for one in found}


def test_decisions_are_told_by_theme(study: Path) -> None:
    session, _ = suggest(study)
    for words in ("friendly people", "The ticket costs too much for"):
        piece = saying(session, words)
        made = Decision(segment=piece.id, coder="Ada", theme="Waiting", answer=Answer.ADD, decided_at=NOW)
        decisions.add_decisions(session.store, [made])
    found = last_two(suggest(study)[0])
    assert found
    expected = {"Waiting": "decisions: this theme", "Money": "decisions: other themes"}
    assert all(one.why == expected[one.theme] for one in found)


def test_settings_are_told_by_name(study: Path) -> None:
    suggest(study)
    add(study, "study.toml", "[rank]\nprecision = 0.9995\n")
    found = last_two(suggest(study)[0])
    assert {one.how for one in found} == {How.LOST}
    assert {one.why for one in found} == {"settings: rank.precision 0.5 → 0.9995"}


def test_another_encoder_does_everything_anew_and_keeps_the_old_run(study: Path) -> None:
    session, first = suggest(study)
    before = suggested(session)
    session, tally = suggest(study, "another")
    assert (tally.files, tally.embedded, tally.ranked) == (0, first.embedded, first.ranked)
    old, new = (changes.state(session.store, one) for one in runs.list_runs(session.store))
    assert list(changes.changes(session.store, old, new)) == []  # the same vectors under another name
    assert changes.Causes.between(session.store, old, new).general == ["encoder: hashing → another"]
    made = manifests.suggested_by(session.store, old.made_by, [one.id for one in old.manifest.documents])
    assert {(s, o.theme) for given in made.values() for s, told in given.items() for o in told if o.suggested} == before


def test_other_settings_for_segments_do_not_mix_two_ways_of_cutting(study: Path) -> None:
    session, _ = suggest(study)
    whole = {piece.id for piece in corpus.load_segments(session.store)}
    add(study, "study.toml", "[segment]\nmax_words = 10\n")
    session, _ = suggest(study)
    first, _ = runs.list_runs(session.store)
    left = changes.state(session.store, first)
    made = manifests.suggested_by(session.store, left.made_by, [one.id for one in left.manifest.documents])
    assert {segment for given in made.values() for segment in given} == whole
    assert any(one.why == "its words are gone" for one in last_two(session))


def test_a_renamed_file_changes_nothing(study: Path) -> None:
    suggest(study)
    (study / "transcripts/north/n1.txt").rename(study / "transcripts/north/n7.txt")
    (study / "transcripts/south/s2.txt").write_text("Moderator: So?\n\nEve: The ticket costs too much for me.\n")
    found = last_two(suggest(study)[0])
    assert {(one.document, one.why) for one in found} == {("s2", "its words are new")}


def test_changes_are_counted_by_theme_and_written_as_a_table(study: Path) -> None:
    suggest(study)
    add(study, "codebook.csv", "People,,How people are,,,They are friendly people,typical,\n")
    session, _ = suggest(study)
    old, new = (one.id for one in runs.list_runs(session.store))
    told = json.loads(run("diff", study, old, new[:8], "--json", "--out", study / "d.csv").output)
    assert told["runs"] == [old, new]
    assert told["differs"] == ["codebook: People"]
    (people,) = [one for one in told["themes"] if one["theme"] == "People"]
    with (study / "d.csv").open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len([one for one in rows if one["theme"] == "People" and one["change"] == "gained"]) == people["gained"] == 1
    assert sum(told["why"].values()) == len(rows)
    said = run("diff", study, old, new).output
    assert said.startswith("differs: codebook: People\n")
    assert "friendly" not in said
    assert run("diff", study, old, old).output == "No suggestion changed.\n"
    assert "is a part of the study" in run("diff", study, old, new, "--out", study / "codebook.csv", expect=1).output


def test_a_run_that_kept_no_manifest_cannot_be_compared(study: Path) -> None:
    session, _ = suggest(study)
    with session.store.writing() as connection:
        connection.execute(sa.delete(schema.manifests))
    (one,) = runs.list_runs(session.store)
    assert json.loads(run("runs", study, "--json").output)[0]["manifest"] is None
    said = run("runs", study).output
    assert one.id[:8] not in said
    assert "Not listed: 1 run while people decided" in said
    with pytest.raises(StudyFault, match="did not write down"):
        changes.state(session.store, one)
