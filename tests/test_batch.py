"""Many transcripts at once: parts of a study, two runs at a time, runs that are cut off, files that are set aside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline import embed, intake, work
from pipeline.errors import Faults, TranscriptFault
from pipeline.store import Store, corpus, open_store, runs, schema
from pipeline.store.sqlite import PAUSE

from .running import run
from .test_postgresql import on

ROOT = str(Path(__file__).parent.parent)
EVE = "Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n"


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": ROOT}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, study: Path) -> Path:
    """Return a study with its store in a file or on a server."""
    server = request.param == "postgresql"
    return on(request.getfixturevalue("postgres").new_database(), study) if server else study


def many(study: Path, count: int = 40) -> Path:
    """Give a study more transcripts, of different words."""
    for at in range(count):
        words = f"Moderator: So?\n\nEve: We waited for bus number {at} on day {at * 7} of the year, in the rain.\n"
        (study / f"transcripts/south/more{at:03d}.txt").write_text(words)
    return study


def test_two_runs_at_once_share_the_work(either: Path) -> None:
    study = many(either)
    both = [start("suggest", study, "--direct", "--json") for _ in range(2)]
    told = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert "locked" not in "".join(errors for _, errors in told)
    made = [json.loads(out) for out, _ in told]
    session = intake.open_session(study)
    with session.store.reading() as connection:
        kept = connection.execute(sa.select(sa.func.count()).select_from(schema.vectors)).scalar_one()
    assert sorted(one["embedded"] for one in made) == [0, kept], "nothing twice"
    assert kept > 51, "45 segments, 6 texts of the codebook, and what is around them"
    assert work.look(session).nothing
    assert len(runs.load_suggestions(session.store)) == 45


def test_whoever_waits_is_told_so_once(study: Path) -> None:
    run("suggest", study, "--direct")
    kept = intake.open_session(study).store
    with kept.alone(lambda: None):
        waits = start("suggest", study, "--direct")
        assert waits.stderr is not None
        assert waits.stderr.readline() == "Another `suggest` works on this study: waiting for it to end.\n"
        run("status", study)  # others work meanwhile
        time.sleep(4 * PAUSE)
        assert waits.poll() is None
    out, errors = waits.communicate(timeout=60)
    assert errors == ""
    assert out.startswith("Nothing was new")


def test_a_lock_goes_with_the_process_that_holds_it(either: Path) -> None:
    run("suggest", either, "--direct")
    code = "import sys, time; from pipeline.store import open_store\n"
    code += "with open_store(sys.argv[1]).alone(lambda: None): print('held', flush=True); time.sleep(600)"
    url = intake.open_session(either).study.store_url
    holder = subprocess.Popen(
        [sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": ROOT}
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    seen: list[None] = []
    holder.kill()
    holder.communicate()
    opened = open_store(url)
    with opened.alone(lambda: seen.append(None)):
        assert len(seen) < 20
    opened.close()


def test_one_transcript_alone(study: Path) -> None:
    (study / "transcripts/north/n2.txt").write_text(EVE)
    assert run("suggest", study, "--direct", "--transcript", "n2").output.startswith("1 transcript read, 1 segment;")
    entries = {entry.name: entry.run for entry in corpus.list_transcripts(intake.open_session(study).store)}
    assert set(entries) == {"n2"}
    assert run("suggest", study, "--direct", "--transcript", "n2").output.startswith("Nothing was new")
    assert "no file is called n3" in run("suggest", study, "--transcript", "n3", expect=2).output
    assert run("suggest", study, "--direct").output.startswith("2 transcripts read")


def test_one_transcript_of_a_table(study: Path) -> None:
    (study / "transcripts/north/survey.csv").write_text(
        "document,segment,text\nd1,q1,We waited for the bus\nd2,q1,The ticket costs too much\n"
    )
    run("suggest", study, "--direct", "--transcript", "d2")
    session = intake.open_session(study)
    ranked = {entry.name for entry in corpus.list_transcripts(session.store) if entry.run}
    assert ranked == {"d2"}
    assert work.look(session, intake.Part(transcript="d2")).nothing
    assert not work.look(session).nothing


def test_set_aside_transcripts_are_listed_and_tried_again(study: Path) -> None:
    assert run("quarantine", "list", study).output == "No transcript is set aside.\n"
    (study / "transcripts/north/bad.docx").write_bytes(b"this is no archive")
    (study / "transcripts/north/empty.txt").write_text(" \n")
    run("suggest", study, "--direct", expect=3)
    lines = run("quarantine", "list", study, expect=3).output.splitlines()
    assert [line.split(":")[0] for line in lines] == ["transcripts/north/bad.docx", "transcripts/north/empty.txt"]
    told = json.loads(run("quarantine", "list", study, "--json", expect=3).output)
    assert told[1] == {"file": "transcripts/north/empty.txt", "reasons": [lines[1]]}
    again = run("quarantine", "retry", study, "transcripts/north/empty.txt", "--direct", expect=3)
    assert "quarantined: transcripts/north/empty.txt" in again.output
    assert "is not set aside" in run("quarantine", "retry", study, "transcripts/north/n1.txt", expect=2).output


def test_what_is_tried_again_and_can_be_read_is_suggested_on(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def worse(*arguments: object) -> object:
        raise Faults([TranscriptFault("n1", "cannot be read by this version", "wait for a better one")])

    with monkeypatch.context() as patch:
        patch.setattr(intake, "read_and_cut", worse)
        session = intake.open_session(study)
        work.read(session, "transcripts/north/n1.txt", work.look(session), intake.Tally())
    said = run("quarantine", "retry", study, "--direct").output
    assert said.startswith("2 transcripts read, 5 segments")
    assert run("quarantine", "list", study).output == "No transcript is set aside.\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_the_store_whole(study: Path, tmp_path: Path, how: signal.Signals) -> None:
    shutil.copytree(many(study, 60), tmp_path / "undisturbed")
    run("suggest", tmp_path / "undisturbed", "--direct")
    process = start("suggest", study, "--direct", "-q")
    kept = study / "themescout.db"
    while process.poll() is None and (not kept.exists() or len(sources(kept)) < 10):
        time.sleep(0.01)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in errors
    run("suggest", study, "--direct")
    ours, theirs = (intake.open_session(folder).store for folder in (study, tmp_path / "undisturbed"))
    assert all_suggestions(ours) == all_suggestions(theirs)


def sources(file: Path) -> dict[str, corpus.Source]:
    try:
        opened = open_store(f"sqlite:///{file}")
    except Exception:  # it is just being made
        return {}
    try:
        return corpus.known_sources(opened)
    finally:
        opened.close()


def all_suggestions(store: Store) -> list[tuple[object, ...]]:
    return [(one.run, one.suggestion) for made in runs.load_suggestions(store).values() for one in made]


def test_blocks_depend_on_the_files_alone(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a run that goes on would encode other texts together, and get other bits."""
    monkeypatch.setattr(work, "BLOCK", 4)
    monkeypatch.setattr(embed, "PORTION", 2)
    session = intake.open_session(many(study, 7))
    pending = work.look(session)
    for source in pending.sources:
        work.read(session, source, pending, intake.Tally())
    south = work.by_site(session, pending)["South"]
    fresh = list(work.blocks(session, south))
    pieces = [
        p
        for e in corpus.list_transcripts(session.store, site="South")
        for p in corpus.load_segments(session.store, e.id)
    ]
    said = {piece.text for piece in pieces}
    own = [said & set(block) for block in fresh]  # without the questions and sentences around segments
    assert [len(block) for block in own] == [4, 5]  # whole transcripts, the last of two segments
    work.embed_texts(session, fresh[0], intake.Tally())
    assert list(work.blocks(session, south)) == fresh
    assert not own[0] & own[1]
    assert own[0] | own[1] == said


def test_a_clock_that_goes_backwards_loses_nothing(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Yesterday":
            return cls.fromtimestamp(time.time() - 86400, tz)

    run("suggest", study, "--direct")
    kept = all_suggestions(intake.open_session(study).store)
    coding = "document,segment,coder,codes,coded_at\nn1,t002s1,Ada,Waiting,2026-03-02T09:00:00+00:00\n"
    (study / "coding.csv").write_text(coding)
    monkeypatch.setattr(work, "datetime", Yesterday)
    monkeypatch.setattr("pipeline.store.runs.datetime", Yesterday)
    monkeypatch.setattr("pipeline.store.carried.datetime", Yesterday)
    file = study / "transcripts/north/n1.txt"
    file.write_text(file.read_text() + "\nEve: The bus never comes on Sundays at all.\n")
    run("suggest", study, "--direct")
    file.write_text(file.read_text().replace("\nEve: The bus never comes on Sundays at all.\n", ""))
    run("suggest", study, "--direct")
    session = intake.open_session(study)
    assert work.look(session).nothing
    assert all_suggestions(session.store) == kept
    assert "1 new decision" in run("import", study, study / "coding.csv").output
    run("suggest", study, "--direct")
    assert work.look(intake.open_session(study)).nothing
