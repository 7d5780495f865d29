"""The store: what is kept is whole, what is kept stays, and nothing a participant said leaks through an error."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pipeline.errors import StoreFault
from pipeline.records import (
    Answer,
    Because,
    Codebook,
    Coding,
    Decision,
    Exemplar,
    Kind,
    Role,
    Segment,
    SegmentId,
    Suggestion,
    Theme,
    Transcript,
    TranscriptId,
    Turn,
    segment_id,
)
from pipeline.store import Store, connect, corpus, decisions, look_at, open_store, runs, schema, sqlite, vectors

from .postgres import Server

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRET = "my neighbour hid her handbag"


@pytest.fixture
def store(either: Store) -> Store:
    """Return an empty store of each kind: whatever holds for one holds for the other."""
    return either


def talk(name: str, said: Sequence[str], *, site: str = "S", source: str = "") -> Transcript:
    """Return a transcript in which Ada says one thing per line."""
    text, turns = "", []
    for line, words in enumerate(said, 1):
        start = len(text) + len("Ada: ")
        text += f"Ada: {words}\n"
        turns.append(Turn(speaker="Ada", role=Role.PARTICIPANT, start=start, end=start + len(words), line=line))
    source = source or f"{name}.txt"
    return Transcript(site=site, name=name, source=source, language="en", text=text, turns=tuple(turns))


def cut(transcript: Transcript) -> list[Segment]:
    """Return one segment per turn."""
    return [
        Segment(
            id=segment_id(transcript.id, turn.start, turn.end),
            transcript=transcript.id,
            name=f"t{at:03d}s1",
            turn=at - 1,
            start=turn.start,
            end=turn.end,
            text=transcript.text[turn.start : turn.end],
        )
        for at, turn in enumerate(transcript.turns, 1)
    ]


def keep(store: Store, transcript: Transcript) -> list[Segment]:
    source = corpus.Source(path=transcript.source, site=transcript.site, sha256="x", settings="y")
    pieces = cut(transcript)
    corpus.put_source(store, source, [(transcript, pieces)])
    return pieces


def answer(segment: Segment, theme: str, said: Answer = Answer.ACCEPT, coder: str = "Ada") -> Decision:
    return Decision(segment=segment.id, coder=coder, theme=theme, answer=said, decided_at=NOW)


def test_transcripts_turns_and_segments_come_back_as_they_were(store: Store) -> None:
    said = talk("a", ["Habari 👋 \0 z", "שלום, מה שלומך?"])
    pieces = keep(store, said)
    assert corpus.load_transcripts(store) == {said.id: said}
    assert corpus.load_segments(store) == pieces
    (entry,) = corpus.list_transcripts(store)
    assert (entry.site, entry.name, entry.segments, entry.run) == ("S", "a", 2, None)


def test_keeping_the_same_file_again_changes_nothing(store: Store) -> None:
    said = talk("a", ["One.", "Two."])
    assert keep(store, said) == keep(store, said) == corpus.load_segments(store)
    assert len(corpus.list_transcripts(store)) == 1


def test_a_renamed_file_is_recognised_with_its_decisions(store: Store) -> None:
    before = talk("a", ["One."])
    (piece,) = keep(store, before)
    decisions.add_decisions(store, [answer(piece, "T")])
    after = talk("b", ["One."])
    keep(store, after)
    corpus.forget_sources(store, ["a.txt"])
    assert [entry.name for entry in corpus.list_transcripts(store)] == ["b"]
    assert [d.segment for d in decisions.load_decisions(store, transcript=after.id)] == [piece.id]


def test_transcripts_near_one_are_those_of_the_whole_list_that_have_segments(store: Store) -> None:
    places = [("A", "one"), ("A", "two"), ("B", "a"), ("B", "b b"), ("B", "empty"), ("C", "one")]
    for site, name in places:
        said = [] if name == "empty" else [f"Some words {site} {name}", "and more"]
        keep(store, talk(name, said, site=site, source=f"{site}/{name}"))
    every = corpus.list_transcripts(store)
    assert [(entry.site, entry.name) for entry in every] == places
    assert [entry.segments for entry in every] == [2, 2, 2, 2, 0, 2]
    for at, entry in enumerate(every):
        for most in (1, 3, None):
            wanted = [[e for e in some if e.segments][:most] for some in (every[:at][::-1], every[at + 1 :])]
            assert [corpus.list_from(store, entry.id, most=most, backwards=back) for back in (True, False)] == wanted
    assert corpus.list_from(store, TranscriptId("gone")) == []


def test_changed_words_make_a_new_transcript_and_old_decisions_stay(store: Store) -> None:
    old, new = talk("a", ["One."]), talk("a", ["One, I said."])
    (piece,) = keep(store, old)
    decisions.add_decisions(store, [answer(piece, "T")])
    keep(store, new)
    assert [entry.id for entry in corpus.list_transcripts(store)] == [new.id]
    assert [decision.segment for decision in decisions.load_decisions(store)] == [piece.id]
    assert corpus.load_segments(store, ids=[piece.id]) == [piece]
    keep(store, old)  # and back
    assert [entry.id for entry in corpus.list_transcripts(store)] == [old.id]


def test_a_quarantined_file_leaves_what_it_gave_before(store: Store) -> None:
    said = talk("a", ["One."])
    keep(store, said)
    corpus.put_source(store, corpus.Source(path="a.txt", site="S", sha256="z", settings="y", quarantine="broken"), [])
    assert corpus.known_sources(store)["a.txt"].quarantine == "broken"
    assert list(corpus.load_transcripts(store)) == [said.id]


def test_spans_cut_by_people_stand_beside_the_machines(store: Store) -> None:
    said = talk("a", ["One. Two."])
    (piece,) = keep(store, said)
    start = piece.start + 5
    own = Segment(
        id=segment_id(said.id, start, piece.end),
        transcript=said.id,
        name="x",
        turn=0,
        start=start,
        end=piece.end,
        text="Two.",
    )
    corpus.add_person_segments(store, [own, own])
    assert corpus.load_segments(store) == [piece]
    assert corpus.load_segments(store, people=True) == [piece, own]
    keep(store, said)  # reading the file again does not take the person's span away
    assert own in corpus.load_segments(store, people=True)


def test_vectors_come_back_to_the_bit(store: Store) -> None:
    rows = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    vectors.put_vectors(store, "e", ["a", "b", "ü"], rows)
    assert vectors.without_vector(store, "e", ["c", "a", "c", "ü"]) == ["c"]
    assert vectors.without_vector(store, "other", ["a"]) == ["a"]
    found = vectors.load_vectors(store, "e", ["ü", "a"])
    assert np.array_equal(found["ü"], rows[2])
    assert np.array_equal(found["a"], rows[0])
    with pytest.raises(KeyError):
        vectors.load_vectors(store, "e", ["nowhere"])


def a_run(name: str, ranking: str) -> runs.Run:
    return runs.Run(
        id=name, ranking=ranking, encoder="e", codebook_revision="r", settings="s", counts={}, started_at=NOW
    )


def suggested(piece: Segment, theme: str, rank: int = 1) -> Suggestion:
    return Suggestion(
        segment=piece.id, rank=rank, theme=theme, score=1.5, probability=0.7, suggested=rank == 1,
        exemplar="a quote", exemplar_source="a", parts=(("dense", 1.0), ("lexical", 0.5)),
        because=((0, 2), (3, 4)), because_kind=Because.WORDS, runner_up="W", runner_up_probability=0.25,
        near_accepted=3, near_rejected=1, nearest_accepted=None, nearest_rejected=SegmentId("far"),
    )  # fmt: skip


def test_suggestions_of_the_last_run_are_the_present_ones(store: Store) -> None:
    book = Codebook(themes=(Theme(name="T", exemplars=(Exemplar(text="q", kind=Kind.NEAR_MISS, source="s"),)),))
    said = talk("a", ["One."])
    (piece,) = keep(store, said)
    assert runs.unranked(store, "k1") == [said.id]
    for name, key, theme in (("r1", "k1", "T"), ("r2", "k2", "U")):
        runs.start_run(store, a_run(name, key), book)
        runs.put_suggestions(store, name, {said.id: [suggested(piece, theme), suggested(piece, "V", 2)]})
        runs.end_run(store, name, {"ranked": 1})
        assert runs.unranked(store, key) == []
        (first, second) = runs.load_suggestions(store)[piece.id]
        assert (first.run, first.suggestion) == (name, suggested(piece, theme))
        assert second.suggestion.suggested is False
    assert runs.unranked(store, "k1") == [said.id]
    assert runs.suggested_transcripts(store) == [said.id]
    assert [run.id for run in runs.list_runs(store)] == ["r1", "r2"]
    assert runs.load_codebook(store, book.revision) == book


def test_a_run_that_was_cut_off_goes_on_under_its_id(store: Store) -> None:
    said = talk("a", ["One."])
    (piece,) = keep(store, said)
    for _ in range(2):
        runs.start_run(store, a_run("r1", "k1"), Codebook(themes=()))
        runs.put_suggestions(store, "r1", {said.id: [suggested(piece, "T")]})
    assert len(runs.load_suggestions(store)[piece.id]) == 1
    assert len(runs.list_runs(store)) == 1


def test_decisions_come_back_whole_and_in_order(store: Store) -> None:
    (piece,) = keep(store, talk("a", ["One."]))
    made = [
        Decision(
            segment=piece.id, coder="Ada", theme="T", answer=Answer.ACCEPT, rank=1, score=0.25, probability=0.5,
            exemplar="q", shown=True, seconds=2.5, decided_at=NOW, encoder="e", codebook_revision="r", run="x",
        ),
        answer(piece, "T", Answer.REJECT, coder="Ben"),
    ]  # fmt: skip
    decisions.add_decisions(store, made)
    assert decisions.load_decisions(store) == made
    assert decisions.load_decisions(store, coder="Ben") == made[1:]
    assert decisions.load_decisions(store, transcript=piece.transcript) == made


@pytest.mark.parametrize("change", ["UPDATE decisions SET theme = 'U'", "DELETE FROM decisions"])
def test_the_database_itself_refuses_to_change_decisions(store: Store, change: str) -> None:
    (piece,) = keep(store, talk("a", ["One."]))
    decisions.add_decisions(store, [answer(piece, "T")])
    with pytest.raises(sa.exc.IntegrityError, match="appended, never changed"), store.writing() as connection:
        connection.exec_driver_sql(change)
    assert len(decisions.load_decisions(store)) == 1


def test_a_decision_about_no_segment_is_refused(store: Store) -> None:
    lost = Decision(segment=SegmentId("nowhere"), coder="A", theme="T", answer=Answer.ADD, decided_at=NOW)
    with pytest.raises(sa.exc.IntegrityError):
        decisions.add_decisions(store, [lost])


def test_coding_from_outside_appends_only_what_differs(store: Store) -> None:
    (piece,) = keep(store, talk("a", ["One."]))

    def coding(*themes: str) -> Coding:
        return Coding(segment=piece.id, coder="Ada", themes=themes, coded_at=NOW)

    assert decisions.add_coding(store, [coding("A", "B")], "r") == 2
    assert decisions.add_coding(store, [coding("A", "B")], "r") == 0
    assert decisions.add_coding(store, [coding("B", "C")], "r") == 2  # C added, A taken back
    assert decisions.add_coding(store, [coding()], "r") == 3  # both taken back, and read with nothing coded
    assert decisions.add_coding(store, [coding()], "r") == 0


def test_two_writers_at_once_lose_nothing(store: Store) -> None:
    pieces = keep(store, talk("a", [f"Sentence number {n}." for n in range(40)]))

    def write(coder: str) -> None:
        for piece in pieces:
            decisions.add_decisions(store, [answer(piece, "T", coder=coder)])

    threads = [threading.Thread(target=write, args=(name,)) for name in ("Ada", "Ben", "Cleo")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions.load_decisions(store)) == 120


def test_the_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.reading() as connection:
        assert not compare_metadata(MigrationContext.configure(connection), schema.metadata)
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == schema.HEAD


def set_version(file: Path, version: str) -> None:
    with closing(sqlite3.connect(file)) as plain, plain:
        plain.execute("UPDATE alembic_version SET version_num = ?", (version,))


def test_a_store_of_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    open_store(url).close()
    set_version(tmp_path / "new.db", "9999")
    before = (tmp_path / "new.db").read_bytes()
    for attempt in (open_store, look_at):
        with pytest.raises(StoreFault, match=r"newer version \(schema 9999\); update themescout"):
            attempt(url)
    assert (tmp_path / "new.db").read_bytes() == before


def test_an_older_store_is_copied_before_it_is_upgraded_and_its_rows_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    first_schema(f"sqlite:///{file}")
    said = talk("a", ["One."])
    (piece,) = cut(said)
    with closing(sqlite3.connect(file)) as plain, plain:
        plain.execute("INSERT INTO transcripts VALUES (?, 'S', 'a', 'a.txt', 'en', 0, 'One.', 1, NULL)", (said.id,))
        plain.execute("INSERT INTO segments VALUES (?, ?, 's1', 0, 0, 4, 'machine', 1)", (piece.id, said.id))
        plain.execute("INSERT INTO runs VALUES ('r1', 'k', 'e', 'c', 's', '{}', '2026-01-01T00:00:00+00:00', NULL)")
        plain.execute("UPDATE transcripts SET run = 'r1'")
        row = (piece.id, "r1", 1, "T", 1.5, 0.7, 1, "words", "d#1", '[["learned", 1.5]]')
        plain.execute(f"INSERT INTO suggestions VALUES ({', '.join('?' * len(row))})", row)
        gave = (piece.id, "Ada", "T", "accept", None, None, None, "", 1, "routine", None, NOW.isoformat(), "", "", "")
        plain.execute(f"INSERT INTO decisions VALUES (1, {', '.join('?' * len(gave))})", gave)
    opened = open_store(f"sqlite:///{file}")
    (made,) = runs.load_suggestions(opened)[piece.id]
    assert (made.suggestion.theme, made.suggestion.because, made.suggestion.near_rejected) == ("T", (), 0)
    (decision,) = decisions.load_decisions(opened)
    assert (decision.segment, decision.theme, decision.queue) == (piece.id, "T", "")
    opened.close()
    (backup,) = tmp_path.glob("old.db.0001.*.backup")
    for which, version in ((backup, "0001"), (file, schema.HEAD)):
        with closing(sqlite3.connect(which)) as plain:
            assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == (version,)


def test_an_older_store_on_a_server_is_upgraded_only_when_asked(postgres: Server) -> None:
    url = postgres.new_database()
    first_schema(url)
    with pytest.raises(StoreFault, match=r"of an older schema \(0001\); .*themescout store upgrade"):
        open_store(url)
    assert look_at(url) == "0001"
    open_store(url, upgrade=True).close()
    assert look_at(url) == schema.HEAD
    open_store(url).close()


def first_schema(url: str) -> None:
    """Make a store as the first version of the program would have made it."""
    engine = connect._engine(url)
    config = connect._alembic()
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///{folder}/nowhere/x.db", "its folder does not exist"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://host:port/d", "is no database address"),
        ("postgresql://ann:secret@host/d", "holds a password"),
        ("sqlite:///{folder}/text.db", "not a database"),
        ("sqlite:///{folder}", "cannot be used"),
        ("no address", "is no database address"),
        ("postgresql+nothing://h/d", "is no database address"),
        ("mysql://h/d", "is no database address that is known here"),
        ("postgresql://ann@host/d?password=secret", "holds a password"),
    ],
)
def test_a_store_that_cannot_be_opened_is_a_fault(tmp_path: Path, url: str, told: str) -> None:
    (tmp_path / "text.db").write_text("this is no database, whatever it is called " * 50)
    with pytest.raises(StoreFault, match=told):
        open_store(url.format(folder=tmp_path))


def test_nothing_is_made_when_it_should_be_there_already(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="there is no store yet"):
        open_store(f"sqlite:///{tmp_path / 'x.db'}", create=False)
    assert not list(tmp_path.iterdir())


def test_errors_do_not_quote_what_was_said(store: Store) -> None:
    lost = Decision(
        segment=SegmentId("nowhere"), coder="A", theme="T", answer=Answer.ADD, exemplar=SECRET, decided_at=NOW
    )
    with pytest.raises(sa.exc.IntegrityError) as raised:
        decisions.add_decisions(store, [lost])
    assert SECRET not in str(raised.value)


def test_a_name_goes_to_who_was_read_last(store: Store) -> None:
    """Two files of a table's documents can change places before either is read again."""
    old, new = talk("a", ["One."], source="x.csv"), talk("a", ["Two."], source="y.csv")
    keep(store, old)
    keep(store, new)
    assert [entry.id for entry in corpus.list_transcripts(store)] == [new.id]


def test_a_lock_that_stays_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0)
    file = tmp_path / "x.db"
    opened = open_store(f"sqlite:///{file}")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFault, match="stayed locked"), opened.writing():
            pass
        other.execute("ROLLBACK")
    opened.close()


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "zotero.sqlite"
    with closing(sqlite3.connect(file)) as plain, plain:
        plain.execute("CREATE TABLE items (id INTEGER)")
    before = file.read_bytes()
    for attempt in (open_store, look_at):
        with pytest.raises(StoreFault, match="is the database of another program"):
            attempt(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_a_folder_may_have_a_question_mark_in_its_name(tmp_path: Path) -> None:
    for name in ("Why? 2023", "Why? 2024"):
        (tmp_path / name).mkdir()
        open_store(f"sqlite:///{tmp_path / name / 'x.db'}").close()
    assert sorted(file.parent.name for file in tmp_path.rglob("x.db")) == ["Why? 2023", "Why? 2024"]
