"""The commands that tell which segments to look at."""

import json
from pathlib import Path
from typing import Any

import pytest

from .running import run
from .test_cli import direct


def listed(*arguments: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run(*arguments, "--json").stdout)
    return rows


@pytest.mark.parametrize("order", ["transcript", "surest", "informative"])
def test_a_queue_lists_every_open_segment_once(study: Path, order: str) -> None:
    direct(study)
    rows = listed("queue", study, "--order", order, "--coder", "Ada")
    assert len({row["id"] for row in rows}) == 5
    assert set(rows[0]) == {"site", "document", "segment", "id", "start", "end"}
    assert listed("queue", study, "--order", order, "--coder", "Ada", "--limit", 2) == rows[:2]
    if order == "transcript":
        assert [row["segment"] for row in rows] == ["t002s1", "t004s1", "t006s1", "t002s1", "t003s1"]
    told = run("queue", study, "--order", order, "--coder", "Ada").output.splitlines()
    assert told[0].split() == ["site", "document", "segment"]
    assert told[1].split() == [rows[0][name] for name in ("site", "document", "segment")]


def test_a_queue_leaves_out_what_the_coder_has_answered(study: Path) -> None:
    direct(study)
    (study / "coding.csv").write_text("document,segment,coder,codes,coded_at\nn1,t002s1,Ada,Waiting,2026-03-02\n")
    run("import", study, study / "coding.csv")
    direct(study)
    assert len(listed("queue", study, "--coder", "Ada")) == 4
    assert len(listed("queue", study, "--coder", "Ben")) == 5


def test_clusters_that_no_theme_explains_have_a_name(study: Path) -> None:
    for site, verbs in (("north", ("grazed", "slept", "jumped")), ("south", ("danced", "drank", "shouted"))):
        said = "\n\n".join(f"Eve: The goats {verb} behind our wooden church." for verb in verbs)
        (study / f"transcripts/{site}/g.txt").write_text(f"Moderator: And else?\n\n{said}\n")
    other = "\n\n".join(f"Eve: aunt{n} bread{n} candle{n} drum{n}." for n in range(20))
    (study / "transcripts/south/other.txt").write_text(f"Moderator: Go on.\n\n{other}\n")
    settings = (study / "study.toml").read_text()
    (study / "study.toml").write_text(f"{settings}\n[review]\nwithhold = 0.0\n")
    direct(study)
    rows = listed("queue", study, "--order", "nothing-fits")
    assert {row["document"] for row in rows} == {"g"}
    assert len(rows) == 6
    assert {"goats", "church"} & set(rows[0]["cluster"].split())
    (study / "study.toml").write_text(f"{settings}\n[review]\nwithhold = 1.0\n")
    assert listed("queue", study, "--order", "nothing-fits") == [], "withheld segments do not say what they are"


def test_a_search_finds_what_resembles_a_text(study: Path) -> None:
    direct(study)
    rows = listed("search", study, "the ticket is too much, I walk", "--limit", 2)
    assert len(rows) == 2
    assert rows[0]["text"].startswith("I walk to work because the fare went up")
    assert rows[0]["likeness"] + rows[0]["wording"] >= rows[1]["likeness"] + rows[1]["wording"]
    table = run("search", study, "the ticket is too much, I walk", "--limit", 2).output.splitlines()
    assert table[0].split() == ["site", "document", "segment", "text", "likeness", "wording"]
    assert table[1].startswith("South  s1        t003s1   I walk to work")


def test_a_search_can_be_kept_out_of_the_list_of_processes(study: Path) -> None:
    from click.testing import CliRunner

    from pipeline.cli import main

    direct(study)
    piped = CliRunner().invoke(main, ["search", str(study), "-", "--json"], input="the ticket is too much, I walk\n")
    assert json.loads(piped.stdout) == listed("search", study, "the ticket is too much, I walk")
    assert "there is no text to look for" in run("search", study, "  ", expect=2).output


def test_both_say_so_when_there_is_no_store(study: Path) -> None:
    for command in (("queue", study), ("search", study, "bus")):
        assert "there is no store yet" in run(*command, expect=1).output
        assert not list(study.glob("*.db*"))
