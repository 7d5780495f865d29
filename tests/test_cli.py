"""The commands as a user meets them: exit statuses, one line per fault, nothing written on bad input."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import click
import openpyxl
import pytest
from click.testing import Result

from pipeline.cli import main

from .running import run

CODING = """document,segment,coder,codes,coded_at
n1,t002s1,Ada,Waiting,2026-03-02T09:00:00+00:00
n1,t004s1,Ada,Money;Waiting,2026-03-02T09:01:00+00:00
n1,t006s1,Ada,,2026-03-02T09:02:00+00:00
s1,t002s1,Ben,Waiting,2026-03-02T09:00:00+00:00
s1,t003s1,Ben,Money,2026-03-02T09:05:00+00:00
"""


def direct(study: Path, expect: int = 0) -> Result:
    return run("suggest", study, "--direct", expect=expect)


def coded(study: Path) -> Path:
    (study / "coding.csv").write_text(CODING)
    return study / "coding.csv"


def exported(study: Path, what: str) -> list[dict[str, str]]:
    out = study / f"{what}.csv"
    run("export", study, "--what", what, "--out", out)
    return list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))


def test_the_way_of_a_study(study: Path) -> None:
    assert "No problem found." in run("check", study).output
    assert "2 transcripts read, 5 segments; 18 texts embedded, 5 segments ranked" in (said := direct(study).output)
    assert "provisional until people have decided on 50 segments" in said
    assert json.loads(run("suggest", study, "--direct", "--json").stdout)["nothing_new"]
    assert direct(study).output == "Nothing was new: 0 segments embedded, all suggestions are up to date.\n"
    assert "5 rows of coding read, 6 new decisions." in run("import", study, coded(study)).output
    assert "5 rows of coding read, 0 new decisions." in run("import", study, coded(study)).output
    rows = run("status", study).output.splitlines()
    assert rows[0].split() == ["site", "transcripts", "segments", "suggested", "decided", "quarantined"]
    assert rows[1].split()[:3] == ["North", "1", "3"]
    assert rows[-1].split()[4] == "5"
    assert "themescout" in run("evaluate", study).output


@pytest.mark.parametrize("format_", ["csv", "xlsx", "jsonl", "parquet"])
def test_every_format_is_written(study: Path, format_: str) -> None:
    direct(study)
    out = study / f"out.{format_}"
    assert "10 rows" in run("export", study, "--what", "suggestions", "--format", format_, "--out", out).output
    assert out.stat().st_size > 500


def test_evaluation_has_the_shape_of_the_contract(study: Path) -> None:
    run("import", study, coded(study))
    figures = json.loads(run("evaluate", study, "--json", "-").stdout)
    assert {"protocol", "segments", "themes", "systems", "learning_curve"} <= set(figures)
    assert list(figures["systems"]) == ["themescout", "cosine", "definition", "lexical", "frequency"]
    names = {
        "hit@1",
        "hit@3",
        "hit@5",
        "recall@1",
        "recall@3",
        "recall@5",
        "mrr",
        "map",
        "coverage",
        "precision",
        "ece",
    }
    assert all(names <= set(made) for made in figures["systems"].values())
    assert figures["systems"]["cosine"]["ece"] is None
    run("evaluate", study, "--from", "decisions", "--json", study / "e.json")
    assert json.loads((study / "e.json").read_text())["protocol"]["from"] == "decisions"
    assert json.loads(run("evaluate", study, "--transfer", "--json", "-").stdout)["protocol"]["left_out"] == "site"


def test_json_answers(study: Path) -> None:
    assert json.loads(run("check", study, "--json").stdout)["sites"][0]["segments"] == 3
    assert json.loads(run("suggest", study, "--direct", "--json").stdout)["segments"] == 5
    assert json.loads(run("status", study, "--json").stdout)["sites"][1]["site"] == "South"


def test_quiet_says_nothing_and_verbose_says_more(study: Path) -> None:
    assert run("suggest", study, "--direct", "-q").output == ""
    assert "encoder hashing-256" in run("suggest", study, "--direct", "-v").output


def test_a_new_study_can_be_made_filled_and_run(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert f"made {folder / 'study.toml'}" in run("init", folder).output
    told = run("check", folder, expect=1)
    assert "site-one" in told.stderr
    (folder / "study.toml").write_text((folder / "study.toml").read_text().replace('"minilm" ', '"hashing"'))
    (folder / "transcripts/site-one/a.txt").write_text("I: How is it?\n\nP1: We wait for hours in the corridor.\n")
    direct(folder)
    (folder / "codebook.csv").write_text("mine")
    run("init", folder)
    assert (folder / "codebook.csv").read_text() == "mine"


def test_broken_transcripts_are_listed_and_the_status_says_so(study: Path) -> None:
    (study / "transcripts/north/bad.docx").write_bytes(b"no archive")
    told = direct(study, expect=3)
    assert told.stderr.startswith("quarantined: transcripts/north/bad.docx: ")
    assert "Nothing was new" in direct(study, expect=3).output
    assert run("status", study).output.splitlines()[1].split()[-1] == "1"


def test_an_unknown_site_is_wrong_usage(study: Path) -> None:
    assert "North, South" in run("suggest", study, "--site", "West", expect=2).stderr


def study_file_missing(study: Path) -> str:
    (study / "study.toml").unlink()
    return "there is no such study file"


def unknown_key(study: Path) -> str:
    (study / "study.toml").write_text((study / "study.toml").read_text().replace("transcripts =", "transcript =", 1))
    return "unknown key `transcript`; did you mean `transcripts`?"


def codebook_without_substance(study: Path) -> str:
    (study / "codebook.csv").write_text("theme,definition,exemplar\nWaiting,,\nMoney,,\n")
    return "codebook.csv"


def only_empty(study: Path) -> str:
    for file in study.glob("transcripts/*/*.txt"):
        file.write_text("")
    return "holds no talk"


def only_binary(study: Path) -> str:
    for file in study.glob("transcripts/*/*.txt"):
        file.write_bytes(bytes(range(256)) * 20)
    return "not text"


def only_broken_docx(study: Path) -> str:
    for file in study.glob("transcripts/*/*.txt"):
        file.unlink()
        file.with_suffix(".docx").write_bytes(b"PK but no archive")
    return ".docx"


def same_name_twice(study: Path) -> str:
    (study / "transcripts/north/more").mkdir()
    (study / "transcripts/north/more/n1.txt").write_text(
        "Moderator: Hm?\n\nZoe: Another bus, another day of waiting.\n"
    )
    return "n1"


def only_unreadable(study: Path) -> str:
    for file in study.glob("transcripts/*/*.txt"):
        file.unlink()
        file.symlink_to(study / f"nowhere {file.stem}")
    return "cannot be read"


def newer_store(study: Path) -> str:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(study / "themescout.db")) as plain, plain:
        plain.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        plain.execute("INSERT INTO alembic_version VALUES ('9999')")
    return "newer version"


def encoder_that_is_no_model(study: Path) -> str:
    (study / "model").mkdir()
    (study / "study.toml").write_text((study / "study.toml").read_text().replace('"hashing"', '"model"'))
    return "holds no sentence-transformers model"


def encoder_with_damaged_weights(study: Path) -> str:
    (study / "model").mkdir()
    (study / "model/modules.json").write_text("[]")
    (study / "model/config.json").write_text("{")
    (study / "study.toml").write_text((study / "study.toml").read_text().replace('"hashing"', '"model"'))
    return "holds no model that can be loaded"


BAD: list[Callable[[Path], str]] = [
    study_file_missing, unknown_key, codebook_without_substance, only_empty, only_binary, only_broken_docx,
    same_name_twice, only_unreadable, newer_store, encoder_that_is_no_model,
]  # fmt: skip


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("spoil", BAD)
@pytest.mark.parametrize("command", ["check", "suggest"])
def test_bad_input_ends_with_one_line_per_fault_and_nothing_written(
    study: Path, spoil: Callable[[Path], str], command: str
) -> None:
    refused_untouched(study, spoil, command, *(["--direct"] if command == "suggest" else []))


@pytest.mark.model
def test_an_encoder_with_damaged_weights_leaves_nothing_behind(study: Path) -> None:
    """Only suggesting loads the encoder: for a check that would take seconds, and gigabytes for a large model."""
    refused_untouched(study, encoder_with_damaged_weights, "suggest", "--direct")


def refused_untouched(study: Path, spoil: Callable[[Path], str], command: str, *options: str) -> None:
    told = spoil(study)
    before = everything(study)
    result = run(command, study, *options, expect=1)
    lines = result.stderr.strip().splitlines()
    assert any(told in line for line in lines), lines
    assert all(": " in line and "; " in line for line in lines)
    assert "Traceback" not in result.stderr
    assert everything(study) == before


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("n9,t002s1,Ada,Waiting,", "n9"),
        ("n1,t099s1,Ada,Waiting,", "cannot be placed"),
        ("s1,t002s1,Ada,Wating,", "Waiting"),
        ("n1,t002s1,,Waiting,", "coder"),
        ("n1,t002s1,Ada,Waiting,yesterday", "coded_at"),
    ],
)
def test_coding_that_does_not_fit_is_not_imported(study: Path, row: str, told: str) -> None:
    file = coded(study)
    file.write_text(CODING + row + "\n")
    result = run("import", study, file, expect=1)
    assert told in result.stderr
    assert run("status", study).output.splitlines()[-1].split()[4] == "0"


def test_coding_can_be_imported_partly(study: Path) -> None:
    file = coded(study)
    file.write_text(CODING + "n1,t099s1,Ada,Waiting,\n")
    result = run("import", study, file, "--partly")
    assert "cannot be placed" in result.stderr
    assert "6 rows of coding read, 6 new decisions, the rows above left out." in result.stdout


def test_coding_on_spans_of_a_persons_own(study: Path) -> None:
    """A coder's span is kept as a segment of its own and counts in evaluations."""
    file = study / "coding.csv"
    file.write_text("document,segment,coder,codes,coded_at,text\nn1,,Ada,Waiting,,We waited an hour in the rain\n")
    run("import", study, file)
    (row,) = exported(study, "coding")
    assert row["text"] == "We waited an hour in the rain"
    assert json.loads(run("evaluate", study, "--json", "-").stdout)["segments"] == 1


def test_coding_comes_back_after_segments_were_cut_otherwise(study: Path) -> None:
    run("import", study, coded(study))
    exported(study, "coding")
    (study / "study.toml").write_text((study / "study.toml").read_text() + "[segment]\nmax_words = 6\n")
    direct(study)
    (line,) = [line for line in run("status", study).output.splitlines() if line.startswith("all ")]
    assert line.split()[4] == "0"  # no segment is the same
    run("import", study, study / "coding.csv")
    assert run("status", study).output.splitlines()[-1].split()[4] == "5"


def test_what_the_study_no_longer_has_is_not_exported_or_measured(study: Path) -> None:
    run("import", study, coded(study))
    (study / "transcripts/south/s1.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    direct(study)
    assert {row["document"] for row in exported(study, "coding")} == {"n1"}
    assert len(exported(study, "decisions")) == 6  # the trail of what was done keeps everything
    assert json.loads(run("evaluate", study, "--json", "-").stdout)["segments"] == 3


def test_coding_of_themes_that_the_codebook_lost_is_told(study: Path) -> None:
    run("import", study, coded(study))
    book = study / "codebook.csv"
    book.write_text(book.read_text().replace("Waiting,", "Delay,").replace("Money,", "Cost,"))
    assert "themes that the codebook does not have: Money, Waiting" in run("evaluate", study, expect=1).stderr


def test_coding_that_does_not_fit_leaves_no_store(study: Path) -> None:
    (study / "coding.csv").write_text(CODING + "n1,t099s1,Ada,Waiting,\n")
    run("import", study, study / "coding.csv", expect=1)
    assert not list(study.glob("*.db*"))


def test_importing_lists_what_is_set_aside(study: Path) -> None:
    (study / "transcripts/north/bad.docx").write_bytes(b"no archive")
    assert "bad.docx" in run("import", study, coded(study), expect=3).stderr


@pytest.mark.parametrize(
    "out", ["themescout.db", "study.toml", "codebook.csv", "transcripts/north/n1.txt", "transcripts/x.csv"]
)
def test_an_export_never_replaces_a_part_of_the_study(study: Path, out: str) -> None:
    direct(study)
    (study / "transcripts/north").joinpath("more").mkdir()
    target = study / out.replace("transcripts/x.csv", "transcripts/north/more/x.csv")
    before = everything(study)
    told = run("export", study, "--what", "suggestions", "--out", target, expect=1)
    assert "is a part of the study" in told.stderr
    assert everything(study) == before


def test_an_export_never_lands_among_transcripts_that_a_pattern_finds(study: Path) -> None:
    text = (study / "study.toml").read_text().replace('"transcripts/south"', '"transcripts/south/*.*"')
    (study / "study.toml").write_text(text)
    direct(study)
    out = study / "transcripts/south/out.csv"
    assert "is a part of the study" in run("export", study, "--what", "suggestions", "--out", out, expect=1).stderr


def test_init_and_demo_do_not_touch_what_is_there(study: Path) -> None:
    file = study / "study.toml"
    assert "cannot be made" in run("init", file, expect=1).stderr
    assert "is not the example study" in run("demo", study, expect=1).stderr


def test_commands_that_need_a_store_say_so(study: Path) -> None:
    for arguments in (["export", study, "--what", "coding", "--out", study / "x.csv"], ["evaluate", study]):
        assert "STUDY" in run(*arguments, expect=1).stderr
    assert run("status", study).output.splitlines()[-1].split() == ["all", "0", "0", "0", "0", "0"]
    assert not list(study.glob("*.db*"))


def test_pre_segmented_tables_keep_their_segments(study: Path) -> None:
    rows = [("document", "segment", "speaker", "text"), ("d1", "q1", "p", "Late."), ("d2", "q1", "p", "Late.")]
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(study / "transcripts/south/survey.xlsx")
    direct(study)
    assert {(r["document"], r["segment"]) for r in exported(study, "suggestions")} >= {("d1", "q1"), ("d2", "q1")}


def test_a_bug_keeps_its_traceback(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.intake.open_session", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("status", study)


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, cwd=folder, env=environment
    )


def test_help_and_an_unchanged_study_import_nothing_heavy(study: Path) -> None:
    direct(study)
    heavy = (
        "import sys; heavy = {'torch', 'prefect', 'spacy', 'sklearn', 'transformers', 'pyarrow', 'pydantic', 'numpy'}"
    )
    call = f"{heavy}\nfrom pipeline.cli import main\nmain(ARGS, standalone_mode=False)\n"
    call += "print(sorted(heavy & set(sys.modules)))"
    assert python("-c", call.replace("ARGS", "['--help']"), folder=study).stdout.splitlines()[-1] == "[]"
    told = python("-c", call.replace("ARGS", "['suggest', '.', '--direct']"), folder=study).stdout.splitlines()
    assert told[0].startswith("Nothing was new")
    assert set(json.loads(told[-1].replace("'", '"'))) <= {"numpy", "pydantic", "sklearn"}


def test_every_command_has_help_with_an_example() -> None:
    for name, command in main.commands.items():
        inside = command.commands.items() if isinstance(command, click.Group) else ()
        for names, one in [((name,), command), *(((name, sub), command) for sub, command in inside)]:
            assert one.help, names
            assert f"Example: themescout {' '.join(names)}" in run(*names, "--help").output


def test_output_has_no_control_characters(study: Path) -> None:
    told = python("-m", "pipeline", "suggest", str(study), "--direct", folder=study)
    assert told.stderr == ""
    assert all(character.isprintable() or character == "\n" for character in told.stdout)


def test_nothing_of_a_transcript_is_in_what_is_said_about_it(study: Path) -> None:
    with zipfile.ZipFile(study / "transcripts/north/odd.docx", "w") as archive:
        archive.writestr("secret.txt", "my neighbour hid her handbag")
    (study / "transcripts/north/odd.csv").write_text('speaker,text\nAna,"my neighbour hid her handbag\n')
    result = direct(study, expect=3)
    assert "handbag" not in result.output + result.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal, which this system does not have")
def test_a_terminal_sees_how_far_the_work_is(study: Path) -> None:
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-m", "pipeline", "suggest", str(study), "--direct"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True, env=environment)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "transcripts:" in shown
    assert "0/2" in shown
    assert "files" in shown
    assert done.stdout.startswith("2 transcripts read")  # and nothing of it on standard output
