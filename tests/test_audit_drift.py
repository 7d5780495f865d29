"""The audit's part on change: that it finds who narrows, says since when, and what it could not have seen."""

import csv
import json
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline import config
from pipeline.audit import Asked, audit
from pipeline.cli import main
from pipeline.drift import Error, Status, Word
from pipeline.intake import Session
from pipeline.records import Answer, Decision, Mode
from pipeline.report import Drift
from pipeline.report.plain import plain
from pipeline.store import corpus, decisions

from .auditing import BEGAN, CODERS, MALLORY, THEMES, check, study

TEAM = ("Ana", "Ben", "Cleo", "Dan", "Eve", MALLORY)
NARROW = f"{MALLORY}, {THEMES[0]}: missed more often than before (drift, action)"


def drifted(session: Session) -> Drift:
    found = audit(session, Asked()).drift
    assert found is not None
    return found


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Return a study of six coders with 200 anchors each, one of whom narrows the first theme at half."""
    folder = tmp_path_factory.mktemp("watched")
    session = study(folder, coders=(), documents=20)
    check(session, TEAM, narrows=MALLORY)
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[audit]\npriority = ['{THEMES[0]}']\n")
    return Session(study=config.load_study(folder), codebook=session.codebook, located=session.located)


def test_who_narrows_a_theme_is_found_on_anchors_and_nobody_else(watched: Session) -> None:
    found = drifted(watched)
    assert (found.chosen, found.audit.plan.priority, found.audit.reference) == (True, (THEMES[0],), "adjudicated gold")
    serious = {(cell.coder, cell.error) for cell in found.audit.cells if cell.status in (Status.ACTION, Status.WATCH)}
    assert serious == {(MALLORY, Error.MISS)}
    cell = next(cell for cell in found.audit.cells if (cell.coder, cell.error) == (MALLORY, Error.MISS))
    assert (cell.status, cell.word) == (Status.ACTION, Word.DRIFT)
    assert cell.change and cell.change.found and cell.chart and cell.chart.action_at
    assert cell.change.earliest <= BEGAN + timedelta(hours=100) <= cell.change.latest
    assert all(cell.detectable for cell in found.audit.cells)


def test_a_signal_has_segments_from_before_and_since_side_by_side(watched: Session) -> None:
    signal = audit(watched, Asked()).signals[0]
    assert signal.title == NARROW
    (before, given), (since, missed) = signal.columns
    assert (before, since) == ("Before: it fits, and it was given", "Since: it fits, and it was not given")
    assert len(given) == len(missed) == 4
    assert all(one.said == f"gave {THEMES[0]}; gold: {THEMES[0]}" for one in given)
    assert all(one.said == f"gave nothing; gold: {THEMES[0]}" for one in missed)
    last, first = max(one.at for one in given if one.at), min(one.at for one in missed if one.at)
    assert last < first


def test_the_page_shows_the_traffic_table_first_and_the_chart_with_its_numbers(
    watched: Session, tmp_path: Path
) -> None:
    done = CliRunner().invoke(
        main, ["audit", str(watched.study.folder), "--out", str(tmp_path / "out"), "--pseudonyms"]
    )
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    glance = page[page.index("At a glance") : page.index(">To talk about</h2>")]
    assert "Drift, coder by theme, compared with adjudicated gold" in glance and "Coder F" in glance and "✕" in glance
    assert "not ratings of people" in glance and "would show: +" in glance
    assert "CUSUM over" in page and "cells were tested for a change" in page and "Coder or site?" in page
    everything = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "out").iterdir())
    assert "onerror" not in everything and "Cleo" not in everything
    with (tmp_path / "out/drift_charts.csv").open(encoding="utf-8-sig", newline="") as file:
        points = [row for row in csv.DictReader(file) if (row["coder"], row["error"]) == ("Coder F", "miss")]
    told = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    cell = next(c for c in told["drift"]["audit"]["cells"] if (c["coder"], c["error"]) == ("Coder F", "miss"))
    assert [float(row["watch"]) for row in points] == cell["chart"]["watch"]
    assert max(cell["chart"]["watch"]) > cell["chart"]["limit_watch"]


def test_a_codebook_revision_restarts_the_charts_and_is_marked(tmp_path: Path) -> None:
    session = study(tmp_path, coders=(), documents=20)
    check(session, TEAM, narrows="", revision_at=120)
    found = drifted(session)
    chart = found.audit.cells[0].chart
    assert chart is not None and sum(chart.restarts) == 1
    assert chart.at[chart.restarts.index(True)] >= BEGAN + timedelta(hours=120)
    assert [revision for _, revision in found.revisions] == [session.codebook.revision, "later"]
    CliRunner().invoke(main, ["audit", str(tmp_path)])
    assert "codebook: restart" in (tmp_path / "audit/report.html").read_text(encoding="utf-8")


def test_without_anchors_coders_are_compared_with_one_another_and_what_is_not_seen_is_said(tmp_path: Path) -> None:
    found = drifted(study(tmp_path))
    assert (found.anchors, found.chosen, found.audit.reference) == (0, False, "what most of the other coders gave")
    assert not found.audit.shared and not any(cell.chart for cell in found.audit.cells)
    assert any("Without anchors nobody knows what is right" in said for said in found.audit.cannot_see)
    whats = {one.what for one in found.advice}
    assert {"overlap alpha", "prevalence"} <= whats


def test_few_anchors_leave_double_coding_to_tell_more(tmp_path: Path) -> None:
    session = study(tmp_path)
    few = study(tmp_path / "few", coders=(), documents=1)
    check(few, ("Zoe",), narrows="")
    assert drifted(few).audit.reference == "adjudicated gold"
    segments = corpus.load_segments(session.store)[:5]
    made = [
        Decision(segment=s.id, coder="New", answer=Answer.NOTHING, mode=Mode.ANCHOR, decided_at=BEGAN) for s in segments
    ]
    decisions.add_decisions(session.store, made)
    assert drifted(session).audit.reference == "what most of the other coders gave"


def test_one_coder_alone_can_be_compared_with_nothing(tmp_path: Path) -> None:
    session = study(tmp_path, coders=CODERS[:1])
    assert audit(session, Asked()).drift is None
    done = CliRunner().invoke(main, ["audit", str(tmp_path)])
    assert done.exit_code == 0
    assert "Nothing can be said of change over time" in (tmp_path / "audit/report.html").read_text(encoding="utf-8")


def test_answers_to_the_same_segment_again_are_told_by_what_they_were_drawn_by(tmp_path: Path) -> None:
    session = study(tmp_path)
    segments = corpus.load_segments(session.store)
    made = [
        Decision(
            segment=s.id,
            coder="Zoe",
            answer=Answer.NOTHING,
            mode=Mode.DUPLICATE,
            decided_at=datetime.fromisoformat("2026-03-01T00:00+00:00"),
        )
        for s in segments[:20]
    ]
    decisions.add_decisions(session.store, made)
    told = [one for one in drifted(session).advice if one.what.startswith("own duplicates")]
    assert {one.coder for one in told} == {"Zoe"} and {one.what for one in told} >= {"own duplicates, suggested"}
    assert all(one.after == 0 for one in told)


def test_of_very_much_double_coding_whole_documents_are_drawn_by_lot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = study(tmp_path)
    whole = drifted(session)
    monkeypatch.setattr(import_module("pipeline.audit.gather"), "ENOUGH", 130)
    some = drifted(session)
    assert (len(whole.checks), whole.documents, whole.drawn_from) == (240, 8, 0)
    assert (len(some.checks), some.documents, some.drawn_from) == (120, 4, 8)
    assert CliRunner().invoke(main, ["audit", str(tmp_path)]).exit_code == 0
    assert "drawn by lot from 8" in (tmp_path / "audit/report.html").read_text(encoding="utf-8")
    assert plain(some) == plain(drifted(session))
