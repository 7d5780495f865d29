"""What `export` writes, and that `import` takes it back."""

from pathlib import Path

from .running import run
from .test_cli import coded, direct, exported


def test_suggestions_out_have_the_columns_of_the_contract(study: Path) -> None:
    direct(study)
    rows = exported(study, "suggestions")
    assert list(rows[0]) == [
        "site",
        "document",
        "segment",
        "speaker",
        "start",
        "end",
        "text",
        "rank",
        "theme",
        "score",
        "probability",
        "suggested",
        "exemplar",
        "exemplar_source",
        "encoder",
        "codebook_revision",
        "run",
        "because",
        "because_spans",
        "runner_up",
        "runner_up_probability",
        "near_accepted",
        "near_rejected",
        "parts",
    ]
    assert len(rows) == 10  # 5 segments, 2 themes
    text = (study / "transcripts/north/n1.txt").read_text()
    for row in rows:
        if row["document"] == "n1":
            assert text[int(row["start"]) : int(row["end"])] == row["text"]


def test_decisions_out_have_the_columns_of_the_contract(study: Path) -> None:
    run("import", study, coded(study))
    rows = exported(study, "decisions")
    assert list(rows[0]) == [
        "site",
        "document",
        "segment",
        "start",
        "end",
        "text",
        "coder",
        "theme",
        "answer",
        "rank",
        "score",
        "probability",
        "shown",
        "mode",
        "seconds",
        "decided_at",
        "encoder",
        "codebook_revision",
        "queue",
        "chance",
        "cut_from",
    ]
    assert [(row["theme"], row["answer"]) for row in rows[:4]] == [
        ("Waiting", "add"), ("Money", "add"), ("Waiting", "add"), ("", "nothing"),
    ]  # fmt: skip


def test_coding_out_and_in_again_is_lossless(study: Path, tmp_path: Path) -> None:
    run("import", study, coded(study))
    before = exported(study, "coding")
    for database in study.glob("themescout.db*"):
        database.unlink()
    run("import", study, study / "coding.csv")
    assert exported(study, "coding") == before
    assert [(row["segment"], row["codes"]) for row in before][:3] == [
        ("t002s1", "Waiting"), ("t004s1", "Money;Waiting"), ("t006s1", ""),
    ]  # fmt: skip
