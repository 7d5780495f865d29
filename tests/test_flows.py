"""The Prefect flow does what the direct way does, tells Prefect nothing it should not know, and stays silent."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline import config, intake, results, work
from pipeline.errors import StoreAway
from pipeline.store import corpus, decisions, runs

from . import auditing

pytestmark = [pytest.mark.prefect, pytest.mark.filterwarnings("default")]  # Prefect's warnings are not ours

SECRET = "handbag"


def suggestions(session: intake.Session) -> list[tuple[Any, ...]]:
    made = runs.load_suggestions(session.store)
    return [(one.run, one.suggestion) for given in made.values() for one in given]


def recorded(until: str) -> str:
    """Return the server's whole database as text, once it holds ``until``: it writes task runs down a little later."""
    from prefect.settings import get_current_settings

    url = get_current_settings().server.database.connection_url
    assert url is not None
    file = Path(url.get_secret_value().partition(":///")[2])
    ends = time.monotonic() + 60
    while True:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            told = "\n".join(connection.iterdump())
        if until in told or time.monotonic() > ends:
            return told
        time.sleep(0.5)


def run(study: Path) -> tuple[intake.Session, intake.Tally]:
    from pipeline import flows

    session = intake.open_session(study)
    return session, flows.run(session, work.look(session), intake.ALL, intake.no_progress)


def test_the_flow_does_what_the_direct_way_does(server: None, study: Path, tmp_path: Path) -> None:
    import shutil

    (study / "transcripts/north/bad.docx").write_bytes(b"no archive: " + SECRET.encode())
    (study / "transcripts/south/s1.txt").write_text(f"Moderator: So?\n\nEve: She hid her {SECRET} when I came in.\n")
    shutil.copytree(study, tmp_path / "direct")
    session, tally = run(study)
    other = intake.open_session(tmp_path / "direct")
    work.run_direct(other, work.look(other), intake.ALL, intake.no_progress)
    assert suggestions(session) == suggestions(other)
    for one, folder in ((session, study), (other, tmp_path / "direct")):
        results.export(one, "suggestions", "csv", folder / "out.csv")
    assert (study / "out.csv").read_bytes() == (tmp_path / "direct/out.csv").read_bytes()
    assert tally.transcripts == 2
    assert [source.path for source in intake.quarantined(session)] == ["transcripts/north/bad.docx"]

    told = recorded(until="transcripts/north/n1.txt")
    assert "transcripts/north/n1.txt" in told  # a task for every file
    assert "quarantined" in told  # the summary
    assert SECRET not in told
    assert work.look(intake.open_session(study)).nothing


def test_the_flow_can_run_twice_in_one_process(server: None, study: Path) -> None:
    from pipeline import flows

    assert flows.batch(study)["transcripts"] == 2
    (study / "transcripts/south/s2.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    assert flows.batch(study)["transcripts"] == 1


def test_a_bug_keeps_its_message_from_prefect_and_its_traceback_for_us(
    server: None, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(SECRET + " once more")

    monkeypatch.setattr(work, "rank_missing", fail)
    with pytest.raises(ZeroDivisionError, match=SECRET):
        run(study)
    told = recorded(until="ZeroDivisionError")
    assert "ZeroDivisionError: see the terminal" in told
    assert SECRET + " once more" not in told


def test_a_file_that_cannot_be_reached_is_tried_again(server: None, study: Path) -> None:
    file = study / "transcripts/south/s1.txt"
    words = file.read_text()
    session = intake.open_session(study)
    pending = work.look(session)
    file.unlink()
    reach = intake.reach

    def back_again(session: intake.Session, source: str) -> None:
        try:
            reach(session, source)
        finally:
            file.write_text(words)  # the drive is there again the next time

    from pipeline import flows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "reach", back_again)
        tally = flows.run(session, pending, intake.ALL, intake.no_progress)
    assert tally.transcripts == 2
    assert not intake.quarantined(session)
    assert len(corpus.list_transcripts(session.store)) == 2


def test_a_file_that_takes_too_long_is_set_aside_and_the_rest_goes_on(
    server: None, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import flows

    read = work.read

    def slow(session: intake.Session, source: str, *more: Any) -> None:  # noqa: ANN401
        for _ in range(600 if source.endswith("n1.txt") else 0):
            time.sleep(0.05)
        read(session, source, *more)

    monkeypatch.setattr(work, "read", slow)
    monkeypatch.setattr(flows, "read", flows.read.with_options(timeout_seconds=2))
    session, tally = run(study)
    assert tally.transcripts == 1
    (aside,) = intake.left_out(session).files
    assert aside.startswith("transcripts/north/n1.txt: took longer than")
    monkeypatch.undo()
    assert run(study)[1].transcripts == 1  # it is due again


def test_a_store_that_is_away_for_a_moment_does_not_end_the_run(
    server: None, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import flows

    prepare, tries = work.prepare, []

    def away(*arguments: Any) -> None:  # noqa: ANN401
        tries.append(arguments)
        if len(tries) < 3:
            raise StoreAway("db.example.org", "the server cannot be reached", "start it")
        prepare(*arguments)

    monkeypatch.setattr(work, "prepare", away)
    monkeypatch.setattr(flows, "prepare", flows.prepare.with_options(retry_delay_seconds=0))
    assert run(study)[1].ranked == 5
    assert len(tries) == 3


def test_a_study_is_registered_to_run_by_itself(server: None, study: Path) -> None:
    from prefect import get_client
    from prefect.flows import load_flow_from_entrypoint

    from pipeline import flows
    from pipeline.config import load_study

    (study / "transcripts/south/s1.txt").write_text(f"Moderator: So?\n\nEve: She hid her {SECRET} when I came in.\n")
    told = load_study(study)
    both = ["batch/Bus stop study batch", "audit/Bus stop study monthly"]
    assert flows.deploy(told, cron="5 4 * * *", pool="nights") == both
    assert flows.deploy(told, cron="0 3 * * *", pool="nights") == both
    with get_client(sync_client=True) as client:
        made = client.read_deployment_by_name("batch/Bus stop study batch")
        monthly = client.read_deployment_by_name("audit/Bus stop study monthly")
        assert client.read_work_pool("nights").type == "process"
    assert [getattr(one.schedule, "cron", "") for one in monthly.schedules] == ["0 6 1 * *"]
    assert [(getattr(one.schedule, "cron", ""), one.active) for one in made.schedules] == [("0 3 * * *", True)]
    assert made.work_pool_name == "nights"
    assert made.parameters == {"study": str(study / "study.toml"), "site": None, "transcript": None}
    assert made.parameter_openapi_schema is not None
    assert made.parameter_openapi_schema["properties"]["study"]["format"] == "path"
    assert load_flow_from_entrypoint(str(made.entrypoint)) is flows.batch
    done: Any = flows.batch(**made.parameters)  # as a worker calls it
    assert done["transcripts"] == 2
    assert SECRET not in recorded(until="Bus stop study batch")


def test_what_a_worker_cannot_do_is_told_on_its_terminal_alone(
    server: None, study: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pipeline import flows

    def fail(*_: object) -> None:
        raise ZeroDivisionError(SECRET + " in a worker")

    for step in ("look", "rank_missing"):
        with monkeypatch.context() as patch:
            patch.setattr(work, step, fail)
            with pytest.raises(RuntimeError, match="ZeroDivisionError: see the worker's terminal"):
                flows.batch(study)
        assert SECRET + " in a worker" in caplog.text
        caplog.clear()
    assert SECRET + " in a worker" not in recorded(until="see the worker")


def test_a_study_cannot_be_registered_without_a_server(study: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT")}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    for url, problem in (("", "names no Prefect server"), ("http://127.0.0.1:9/api", "cannot be asked (ConnectError)")):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "deploy", str(study)], check=False,
            capture_output=True, text=True, env=environment | ({"PREFECT_API_URL": url} if url else {}), timeout=200,
        )  # fmt: skip
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert problem in line


def test_every_site_has_a_flow_run_and_every_file_a_task_run(server: None, study: Path) -> None:
    run(study)
    told = recorded(until="'embed South'")
    for name in (str(study / "study.toml"), "North", "South", "transcripts/north/n1.txt", "embed North"):
        assert f"'{name}'" in told, name


def test_a_server_that_is_not_there_is_a_fault_and_no_traceback(study: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_HOME": str(tmp_path / "prefect")}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "suggest", str(study)],
        capture_output=True, text=True, check=False, env=environment, cwd=tmp_path, timeout=200,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("http://127.0.0.1:9/api: Prefect could not begin the flow")
    assert "--direct" in line


def test_the_command_is_silent_and_uses_a_server_of_its_own(study: Path, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT")}
    environment |= {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "suggest", str(study)],
        capture_output=True, text=True, check=False, env=environment, cwd=tmp_path, timeout=400,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 transcripts read, 5 segments; 18 texts embedded")
    assert (tmp_path / "data/themescout/prefect").is_dir()
    assert not (tmp_path / ".prefect").exists()


def test_a_run_that_is_told_to_end_leaves_no_server_behind(study: Path, tmp_path: Path) -> None:
    for at in range(300):
        words = f"Moderator: So?\n\nEve: We waited for bus number {at} on day {at * 7} of the year, in the rain.\n"
        (study / f"transcripts/south/more{at:03d}.txt").write_text(words)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT")}
    environment |= {"PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": str(Path(__file__).parent.parent)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "suggest", str(study)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    ends = time.monotonic() + 300
    while len(kept(study / "themescout.db")) < 3 and time.monotonic() < ends:
        time.sleep(0.05)
    process.terminate()
    _, errors = process.communicate(timeout=60)  # a server that lived on would hold the other ends of the pipes
    assert (process.returncode, errors) == (128 + 15, "")


def kept(file: Path) -> list[tuple[str]]:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT path FROM sources").fetchall()
    except sqlite3.Error:
        return []  # not made yet


def test_who_watches_is_told_how_to_see_what_came_in_and_prefect_its_numbers(server: None, study: Path) -> None:
    (study / "transcripts/south/s1.txt").write_text(f"Moderator: So?\n\nEve: She hid her {SECRET} when I came in.\n")
    run(study)
    told = recorded(until="What came in from South")
    assert "segments with a suggestion" in told
    assert f"themescout report {study / 'study.toml'} --site South" in told
    assert not (study / "reports").exists()
    assert SECRET not in told


def test_where_nobody_watches_the_reports_of_sites_are_written(server: None, study: Path) -> None:
    from pipeline import flows

    flows.batch(study / "study.toml")
    pages = sorted((study / "reports").iterdir())
    assert [page.name for page in pages] == ["North.html", "North.json", "South.html", "South.json"]
    before = {page: page.read_bytes() for page in pages}
    told = f"Moderator: So?\n\nEve: She hid her {SECRET} when I came in from the wet fields.\n"
    (study / "transcripts/south/s2.txt").write_text(told)
    flows.batch(study / "study.toml")
    assert [page.name for page in pages if page.read_bytes() != before[page]] == ["South.html", "South.json"]
    kept = recorded(until=str(study / "reports/South.html"))
    assert "theme Waiting" in kept
    assert SECRET not in kept


def test_the_audit_of_a_month_is_written_beside_the_study_and_tells_prefect_numbers(
    server: None, tmp_path: Path
) -> None:
    from pipeline import flows

    session = auditing.study(tmp_path / "study")
    counts = flows.audit(str(tmp_path / "study"), as_of="2026-01-31")
    assert counts == {"coders": 3, "decisions": len(decisions.load_decisions(session.store)), "signals": 0}
    assert (tmp_path / "study/audits/2026-01-31/report.html").exists()
    flows.audit(str(tmp_path / "study"), str(tmp_path / "again"), "2026-01-31")
    assert (tmp_path / "again/report.html").read_bytes() == (
        tmp_path / "study/audits/2026-01-31/report.html"
    ).read_bytes()
    kept = recorded("audit")
    assert not any(said in kept for said in auditing.SAID)  # whole sayings: Prefect calls runs `neat-goat` and the like


def test_an_audit_that_cannot_be_made_tells_prefect_its_kind_and_what_tells_more(server: None, tmp_path: Path) -> None:
    from pipeline import flows

    auditing.study(tmp_path / "study", coders=())
    with pytest.raises(RuntimeError, match=r"^StudyFault: `themescout audit .*` tells more$"):
        flows.audit(str(tmp_path / "study"), as_of="2026-01-31")


def test_the_shipped_deployment_is_of_flows_that_there_are(server: None) -> None:
    import inspect

    import yaml
    from prefect.flows import load_flow_from_entrypoint
    from prefect.schedules import Schedule

    told = yaml.safe_load(config.shipped("configs", "prefect.yaml").read_text(encoding="utf-8"))
    assert any(schedule["cron"] == "0 6 1 * *" for one in told["deployments"] for schedule in one.get("schedules", ()))
    for one in told["deployments"]:
        flow: Any = load_flow_from_entrypoint(one["entrypoint"])
        inspect.signature(flow.fn).bind(**one["parameters"])
        assert all(isinstance(value, str | None) for value in one["parameters"].values())
        assert all(Schedule(**schedule) for schedule in one.get("schedules", ()))
