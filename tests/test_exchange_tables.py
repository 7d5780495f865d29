import csv
import errno
import gc
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from pipeline.errors import CodingFault, Fault, Faults
from pipeline.exchange import (
    DECISION_COLUMNS,
    FORMATS,
    SUGGESTION_COLUMNS,
    Provenance,
    decision_rows,
    suggestion_rows,
    write_table,
)
from pipeline.records import Answer, Because, Decision, Mode, Role, Segment, Suggestion, Transcript, Turn, segment_id
from pipeline.sheets import Cell, Row, read_sheet


def read_table(path: Path) -> list[Row]:
    return list(read_sheet(path, CodingFault).rows)


COLUMNS = ("document", "text", "rank", "score", "suggested", "decided_at")
WHEN = datetime(2026, 1, 31, 14, 5, 6, 70, tzinfo=timezone(timedelta(hours=2)))
ROWS: list[tuple[Cell, ...]] = [
    ("001", '=HYPERLINK("x")', 1, 0.25, True, WHEN),
    ("-2", 'she said "no",\nאז 😀', None, float("nan"), False, None),
    ("#N/A", "+@", 2, 1e-9, None, datetime(2026, 1, 1)),
]
AS_TEXT = [
    ("001", '=HYPERLINK("x")', "1", "0.25", "true", "2026-01-31T14:05:06.000070+02:00"),
    ("-2", 'she said "no",\nאז 😀', "", "", "false", ""),
    ("#N/A", "+@", "2", "1e-09", "", "2026-01-01T00:00:00+00:00"),
]


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_sheets_read_back_as_they_were_written(format_: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{format_}"
    write_table(path, COLUMNS, ROWS, format=format_)
    rows = read_table(path)
    assert [tuple(row.cells[name] for name in COLUMNS) for row in rows] == AS_TEXT
    assert [row.line for row in rows] == ([2, 3, 5] if format_ == "csv" else [2, 3, 4])


def test_csv_is_rfc_4180_with_a_mark_for_excel(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, COLUMNS, ROWS, format="csv")
    told = path.read_bytes()
    assert told.startswith(b"\xef\xbb\xbfdocument,text,rank")
    assert told.count(b"\r\n") == 4
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [tuple(row) for row in csv.reader(file)][1:] == AS_TEXT


def test_xlsx_holds_texts_as_texts_and_numbers_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_table(path, COLUMNS, [*ROWS, ("a\x0bb\x00c\uffff", "", 3, 0.5, True, None)], format="xlsx")
    sheet = openpyxl.load_workbook(path).worksheets[0]
    cells = [[(cell.data_type, cell.value) for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert cells[0][:5] == [
        ("s", "001"),
        ("s", '=HYPERLINK("x")'),
        ("n", 1),
        ("n", 0.25),
        ("b", True),
    ]
    assert cells[2][0] == ("s", "#N/A")
    assert cells[3][0] == ("s", "a bc")
    assert sheet["B2"].quotePrefix


def test_jsonl_has_one_object_per_row(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_table(path, COLUMNS, ROWS, format="jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == dict(zip(COLUMNS, [*ROWS[0][:5], WHEN.isoformat()], strict=True))
    assert lines[1]["score"] is None
    assert "אז" in path.read_text(encoding="utf-8")


def test_parquet_is_typed_even_when_a_column_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(path, COLUMNS, ROWS, format="parquet")
    table = pq.read_table(path)
    expected = ["string", "string", "int64", "double", "bool", "timestamp[us, tz=UTC]"]
    assert [str(kind) for kind in table.schema.types] == expected
    assert table["decided_at"].to_pylist() == [WHEN, None, datetime(2026, 1, 1, tzinfo=UTC)]
    write_table(path, COLUMNS, [], format="parquet")
    assert [str(kind) for kind in pq.read_table(path).schema.types] == expected


@pytest.mark.parametrize("format_", FORMATS)
def test_a_failing_export_leaves_the_old_file_and_nothing_else(format_: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("old")

    def failing() -> Iterator[tuple[Cell, ...]]:
        yield ROWS[0]
        raise RuntimeError("the store is gone")

    with pytest.raises(RuntimeError, match="gone"):
        write_table(path, COLUMNS, failing(), format=format_)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_table(path, COLUMNS, ROWS, format=format_)
    assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("where", ["missing/t", "file/t", "folder"])
def test_where_nothing_can_be_written_is_a_fault(where: str, format_: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Faults) as caught:
        write_table(tmp_path / where, COLUMNS, ROWS, format=format_)
    assert "cannot be written" in str(caught.value.exceptions[0])
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "folder"}


def refused(path: Path, format_: str) -> str:
    with pytest.raises(Faults) as caught:
        write_table(path, COLUMNS, ROWS, format=format_)
    (fault,) = caught.value.exceptions
    return str(fault)


def test_a_full_disk_is_one_fault_and_no_mess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.FileIO):
        def write(self, _data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode: Full(path, mode.replace("b", "")))
        told = refused(tmp_path / "t.xlsx", "xlsx")
    gc.collect()  # what a workbook left half open would complain of
    assert "cannot be written: No space left on device" in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format_", FORMATS)
def test_only_regular_files_that_may_be_written_are_replaced(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, target in {"out": "/dev/null", "nowhere": "gone", "circle": "circle", "in": "folder"}.items():
        (tmp_path / name).symlink_to(target)
    before = {path: path.lstat() for path in tmp_path.iterdir()}
    assert [
        refused(tmp_path / name, format_).split(": ")[2].split(";")[0] for name in ("pipe", "folder", "out", "in")
    ] == ["is not a regular file"] * 4
    assert all("is a link to no file" in refused(tmp_path / name, format_) for name in ("nowhere", "circle"))
    (tmp_path / "kept").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: (Path(path).name, mode) != ("kept", os.W_OK))
    assert "the file there is protected against writing" in refused(tmp_path / "kept", format_)
    assert (tmp_path / "kept").read_text() == "old"
    assert {path: path.lstat() for path in tmp_path.iterdir() if path.name != "kept"} == before


@pytest.mark.parametrize("format_", FORMATS)
def test_a_link_stays_and_its_file_is_replaced(format_: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real").write_text("old")
    (tmp_path / "link").symlink_to("there/real")
    write_table(tmp_path / "link", COLUMNS, ROWS, format=format_)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "real").read_bytes() == (tmp_path / "link").read_bytes() != b"old"
    assert len(list(tmp_path.rglob("*"))) == 3


@pytest.mark.parametrize(("format_", "remedy"), [("cvs", "did you mean `csv`?"), ("pdf!", "formats are csv, xlsx")])
def test_an_unknown_format_is_a_fault(format_: str, remedy: str, tmp_path: Path) -> None:
    with pytest.raises(Faults) as caught:
        write_table(tmp_path / "t", COLUMNS, ROWS, format=format_)
    assert remedy in str(caught.value.exceptions[0])


def test_texts_too_long_for_excel_are_faults_and_not_cut(tmp_path: Path) -> None:
    rows = [("x" * 32_767, "", 1, 0.0, True, None), ("d", "😀" * 16_384, 1, 0.0, True, None)]
    with pytest.raises(Faults) as caught:
        write_table(tmp_path / "t.xlsx", COLUMNS, rows, format="xlsx")
    (fault,) = caught.value.exceptions
    assert isinstance(fault, Fault)
    assert fault.place == f"{tmp_path / 't.xlsx'}:3"
    assert "`text` is longer than the 32,767" in fault.problem
    write_table(tmp_path / "t.xlsx", COLUMNS, rows[:1], format="xlsx")
    assert len(read_table(tmp_path / "t.xlsx")[0].cells["document"]) == 32_767


def test_csv_numbers_read_back_exactly(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", ("score",), [(0.1 + 0.2,)], format="csv")
    assert float(read_table(tmp_path / "t.csv")[0].cells["score"]) == 0.1 + 0.2


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_half_a_character_is_a_fault(format_: str, tmp_path: Path) -> None:
    with pytest.raises(Faults) as caught:
        write_table(tmp_path / "t", ("text",), [("\ud83d",)], format=format_)
    assert "lone surrogate" in str(caught.value.exceptions[0])


def test_headings_are_found_whatever_their_case_and_spacing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(" Coded at ,DOCUMENT\n1,2\n")
    assert read_table(tmp_path / "t.csv")[0].cells == {"coded_at": "1", "document": "2"}


def test_a_table_of_another_kind_is_a_coding_fault(tmp_path: Path) -> None:
    with pytest.raises(Faults) as caught:
        read_table(tmp_path / "t.ods")
    assert isinstance(caught.value.exceptions[0], CodingFault)


TEXT = "I: Hello?\nAnna: I trust them. Mostly."
TRANSCRIPT = Transcript(
    site="Ulm",
    name="fg1",
    source="fg1.txt",
    language="en",
    text=TEXT,
    turns=(
        Turn(speaker="I", role=Role.MODERATOR, start=3, end=9, line=1),
        Turn(speaker="Anna", role=Role.PARTICIPANT, start=16, end=len(TEXT), line=2),
    ),
)
SEGMENTS = tuple(
    Segment(
        id=segment_id(TRANSCRIPT.id, start, end),
        transcript=TRANSCRIPT.id,
        name=name,
        turn=1,
        start=start,
        end=end,
        text=TEXT[start:end],
    )
    for name, start, end in (("t001s1", 16, 29), ("t001s2", 30, 37))
)


def test_suggestions_become_rows_by_place_and_rank() -> None:
    def suggestion(segment: Segment, rank: int) -> Suggestion:
        return Suggestion(
            segment=segment.id,
            rank=rank,
            theme=f"T{rank}",
            score=0.5,
            probability=0.25,
            suggested=rank == 1,
            exemplar="words",
            exemplar_source="fg9#1",
            parts=(("lexical", 0.5), ("near miss", -2.0)),
            because=((0, 1), (8, 12)),
            because_kind=Because.WORDS,
            runner_up="T9",
            runner_up_probability=0.125,
            near_accepted=3,
            near_rejected=1,
        )

    rows = list(
        suggestion_rows(
            SEGMENTS,
            {TRANSCRIPT.id: TRANSCRIPT},
            [suggestion(SEGMENTS[1], 1), suggestion(SEGMENTS[0], 2), suggestion(SEGMENTS[0], 1)],
            provenance={s.id: Provenance(encoder="e", codebook_revision="c", run="r") for s in SEGMENTS},
        )
    )
    assert [(row[2], row[7]) for row in rows] == [("t001s1", 1), ("t001s1", 2), ("t001s2", 1)]
    assert dict(zip(SUGGESTION_COLUMNS, rows[1], strict=True)) == {
        "site": "Ulm",
        "document": "fg1",
        "segment": "t001s1",
        "speaker": "Anna",
        "start": 16,
        "end": 29,
        "text": "I trust them.",
        "rank": 2,
        "theme": "T2",
        "score": 0.5,
        "probability": 0.25,
        "suggested": False,
        "exemplar": "words",
        "exemplar_source": "fg9#1",
        "encoder": "e",
        "codebook_revision": "c",
        "run": "r",
        "because": "I … them",
        "because_spans": "0-1;8-12",
        "runner_up": "T9",
        "runner_up_probability": 0.125,
        "near_accepted": 3,
        "near_rejected": 1,
        "parts": "lexical=0.5;near miss=-2",
    }


def test_decisions_become_rows_in_their_order() -> None:
    decision = Decision(
        segment=SEGMENTS[1].id,
        coder="Bo",
        answer=Answer.REJECT,
        theme="T",
        rank=1,
        score=0.5,
        probability=0.25,
        shown=True,
        mode=Mode.OVERLAP,
        seconds=2.5,
        decided_at=WHEN,
        encoder="e",
        codebook_revision="c",
        queue="surest",
        chance=0.02,
        cut_from=SEGMENTS[0].id,
    )
    nothing = Decision(segment=SEGMENTS[0].id, coder="Bo", answer=Answer.NOTHING, decided_at=WHEN)
    rows = list(decision_rows([decision, nothing], SEGMENTS, {TRANSCRIPT.id: TRANSCRIPT}))
    assert dict(zip(DECISION_COLUMNS, rows[0], strict=True)) == {
        "site": "Ulm",
        "document": "fg1",
        "segment": "t001s2",
        "start": 30,
        "end": 37,
        "text": "Mostly.",
        "coder": "Bo",
        "theme": "T",
        "answer": "reject",
        "rank": 1,
        "score": 0.5,
        "probability": 0.25,
        "shown": True,
        "mode": "overlap",
        "seconds": 2.5,
        "decided_at": WHEN,
        "encoder": "e",
        "codebook_revision": "c",
        "queue": "surest",
        "chance": 0.02,
        "cut_from": SEGMENTS[0].name,
    }
    assert dict(zip(DECISION_COLUMNS, rows[1], strict=True))["rank"] is None
    assert dict(zip(DECISION_COLUMNS, rows[1], strict=True))["cut_from"] == ""


def test_the_columns_are_the_contracts() -> None:
    """What was added to them later stands behind them."""
    assert ", ".join(SUGGESTION_COLUMNS).startswith(
        "site, document, segment, speaker, start, end, text, rank, theme, score, probability, suggested, exemplar, "
        "exemplar_source, encoder, codebook_revision, run"
    )
    assert ", ".join(DECISION_COLUMNS).startswith(
        "site, document, segment, start, end, text, coder, theme, answer, rank, score, probability, shown, mode, "
        "seconds, decided_at, encoder, codebook_revision"
    )


@pytest.mark.parametrize("name", ["gone.csv", "gone.docx", "gone"])
def test_a_missing_table_is_told_before_its_kind(name: str, tmp_path: Path) -> None:
    with pytest.raises(Faults) as caught:
        read_table(tmp_path / name)
    assert "there is no such file" in str(caught.value.exceptions[0])
