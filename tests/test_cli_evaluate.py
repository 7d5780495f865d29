"""The command that tells how good the suggestions are."""

import json
from pathlib import Path

import pytest

from .running import run
from .test_cli import coded
from .test_report import read


def test_a_page_is_written_beside_the_figures(study: Path, tmp_path: Path) -> None:
    run("import", study, coded(study))
    page, figures = tmp_path / "e.html", tmp_path / "e.json"
    said = run("evaluate", study, "--html", page, "--json", figures).stdout
    told = json.loads(figures.read_text(encoding="utf-8"))
    for line in told["verdict"]["says"]:
        assert line in said
        assert line in read(page.read_text(encoding="utf-8")).words
    assert len(said.splitlines()) < 20


def test_named_sites_are_learned_from_and_tested_on(study: Path) -> None:
    run("import", study, coded(study))
    told = json.loads(run("evaluate", study, "--train-site", "North", "--test-site", "South", "--json", "-").stdout)
    assert told["protocol"]["train_sites"] == ["North"]
    assert told["protocol"]["test_sites"] == ["South"]
    assert told["protocol"]["transfer"]
    assert told["segments"] == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--train-site", "North"], "go together"),
        (["--test-site", "North"], "go together"),
        (["--train-site", "North", "--test-site", "North"], "cannot be learned from and tested on at once"),
        (["--train-site", "North", "--test-site", "South", "--transfer"], "--transfer tests on every site"),
        (["--train-site", "North", "--test-site", "West"], "there is no site 'West'"),
    ],
)
def test_sites_that_make_no_test_are_wrong_usage(study: Path, options: list[str], words: str) -> None:
    assert words in " ".join(run("evaluate", study, *options, expect=2).stderr.replace("│", "").split())


@pytest.mark.parametrize("name", ["codebook.csv", "study.toml", "transcripts/north/new.txt"])
def test_what_is_the_studys_own_is_not_written_over(study: Path, name: str) -> None:
    run("import", study, coded(study))
    before = (study / name).read_bytes() if (study / name).exists() else None
    for option in ("--json", "--html"):
        assert "is a part of the study" in run("evaluate", study, option, study / name, expect=1).stderr
    assert ((study / name).read_bytes() if (study / name).exists() else None) == before


def test_a_page_that_cannot_be_written_is_a_fault(study: Path) -> None:
    run("import", study, coded(study))
    assert "cannot be written" in run("evaluate", study, "--html", study / "no/such/e.html", expect=1).stderr


def test_people_who_coded_the_same_segments_are_compared(study: Path) -> None:
    file = coded(study)
    file.write_text(file.read_text() + "n1,t002s1,Eve,Waiting,2026-03-02T09:00:00+00:00\n")
    run("import", study, file)
    told = json.loads(run("evaluate", study, "--json", "-").stdout)
    assert told["protocol"]["coders"] == 3
    assert (told["agreement"][0]["theme"], told["agreement"][0]["segments"]) == ("", 1)
    assert told["agreement"][0]["people"] == 1
