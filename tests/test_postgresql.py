"""A study whose store is a PostgreSQL server's: the same results, and nothing lost when the server goes away."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import embed, intake, work
from pipeline.errors import StoreAway, StoreFault
from pipeline.store import corpus, has_store, look_at, open_store
from pipeline.store.postgresql import escaped, unescaped

from .postgres import Server
from .running import run

SECRET = "my neighbour hid her handbag"


def on(url: str, study: Path) -> Path:
    """Let a study have its store at an address."""
    text = (study / "study.toml").read_text()
    (study / "study.toml").write_text(text.replace('codebook = "', f'store = "{url}"\ncodebook = "', 1))
    return study


@pytest.fixture
def shared(postgres: Server, study: Path) -> Path:
    """Return a study whose store is an empty database of a server."""
    return on(postgres.new_database(), study)


def exported(study: Path, what: str) -> list[list[str]]:
    run("export", study, "--what", what, "--out", study / "out.csv")
    with (study / "out.csv").open(encoding="utf-8-sig", newline="") as table:
        return list(csv.reader(table))


def test_a_study_on_a_server_has_the_results_of_one_in_a_file(postgres: Server, study: Path, tmp_path: Path) -> None:
    import shutil

    (study / "transcripts/north/Ä.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    (study / "transcripts/north/a b.txt").write_text("Moderator: So?\n\nEve: I like the bus on Mondays very much.\n")
    shutil.copytree(study, tmp_path / "shared")
    shared = on(postgres.new_database(), tmp_path / "shared")
    coding = "document,segment,coder,codes,coded_at\nn1,t002s1,Ada,Waiting,2026-03-02T09:00:00+00:00\n"
    for folder in (study, shared):
        (folder / "coding.csv").write_text(coding)
        run("suggest", folder, "--direct")
        assert "1 new decision" in run("import", folder, folder / "coding.csv").output
        run("suggest", folder, "--direct")
        assert run("suggest", folder, "--direct").output.startswith("Nothing was new")
    assert run("status", study).output == run("status", shared).output
    for what in ("suggestions", "decisions", "coding"):
        assert exported(study, what) == exported(shared, what)
    assert not list(shared.glob("*.db*"))


def test_a_database_without_a_store_is_left_without_one(shared: Path) -> None:
    url = intake.open_session(shared).study.store_url
    assert not has_store(url)
    assert "0" in run("status", shared).output
    with pytest.raises(StoreFault, match="there is no store yet"):
        open_store(url, create=False)
    (shared / "transcripts/north/n1.txt").write_bytes(b"\0\1\2\3" * 100)
    (shared / "transcripts/south/s1.txt").unlink()
    run("suggest", shared, "--direct", expect=1)
    assert not has_store(url)


def test_a_database_of_another_program_is_left_alone_on_a_server(postgres: Server) -> None:
    url = postgres.new_database()
    postgres.run_sql(url, "CREATE TABLE items (id INTEGER)")
    for attempt in (open_store, look_at):
        with pytest.raises(StoreFault, match="is the database of another program"):
            attempt(url)


class Stopping(embed.HashingEncoder):
    """Stops the server while it works."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def encode(self, texts: object) -> NDArray[np.float32]:
        self.server.stop()
        return super().encode(texts)  # type: ignore[arg-type]


def test_a_server_that_stops_is_a_clear_fault_and_what_was_done_is_kept(postgres: Server, shared: Path) -> None:
    session = intake.open_session(shared)
    session.__dict__["encoder"] = Stopping(postgres)
    try:
        with pytest.raises(StoreAway, match="the server cannot be reached, or went away"):
            work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
        result = run("suggest", shared, "--direct", expect=1)
        (line,) = result.output.splitlines()
        assert "start it, and run the command again" in line
    finally:
        postgres.start()
    assert len(corpus.list_transcripts(session.store)) >= 1  # the very same session goes on
    assert "18 texts embedded" in run("suggest", shared, "--direct").output
    assert run("suggest", shared, "--direct").output.startswith("Nothing was new")


def test_a_password_comes_from_the_environment(postgres: Server, study: Path) -> None:
    postgres.new_user("ann", "very secret")
    on(postgres.new_database().replace("postgres@", "ann@"), study)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}

    def suggest(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipeline", "suggest", str(study), "--direct"]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment | more)

    refused = suggest()
    assert refused.returncode == 1
    assert "set PGPASSWORD in the environment" in refused.stderr
    assert suggest(PGPASSWORD="wrong").returncode == 1
    assert suggest(PGPASSWORD="very secret").returncode == 0


def test_a_server_that_is_not_there_or_has_no_such_database(postgres: Server, tmp_path: Path) -> None:
    with pytest.raises(StoreAway):
        open_store(f"postgresql+psycopg://postgres@/x?host={tmp_path}")
    with pytest.raises(StoreFault, match="has no such database"):
        open_store(postgres.new_database().replace("@/study", "@/nothing"))


def test_a_database_that_may_only_be_read_is_a_fault(postgres: Server) -> None:
    url = postgres.new_database()
    postgres.run_sql(url, "CREATE ROLE reader LOGIN")
    with pytest.raises(StoreFault, match="may not be written to"):
        open_store(url.replace("postgres@", "reader@"))


def test_what_a_server_quotes_of_a_row_stays_out_of_the_error(postgres: Server) -> None:
    opened = open_store(postgres.new_database())
    with pytest.raises(sa.exc.IntegrityError) as raised, opened.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO transcripts (id, text) VALUES ('x', '{SECRET}')")
    assert SECRET not in str(raised.value.orig)
    opened.close()


@given(st.text(alphabet="a\0\x01\x0201"))
def test_words_with_control_signs_come_back_from_a_server(text: str) -> None:
    assert "\0" not in escaped(text)
    assert unescaped(escaped(text)) == text
