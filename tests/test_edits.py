"""Changes of a codebook: what they make of its themes, and of its file, in which all else stays as it was."""

import csv
import os
import re
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font

from pipeline.codebook import read_codebook, write_codebook
from pipeline.edits import Act, Edit, about, apply, cleaned, edit_of
from pipeline.errors import CodebookFault, Fault, Faults
from pipeline.records import Codebook, Exemplar, Kind, Theme
from pipeline.rewrite import rewrite

BOOK = Codebook(
    themes=(
        Theme(name="Waiting", definition="Time spent at the stop", exemplars=(Exemplar(text="We stood, cold"),)),
        Theme(name="Means", definition="What one has"),
        Theme(name="Money", parent="Means", include="Fares", formerly=("Cost",)),
        Theme(
            name="Weather",
            definition="Rain\nand snow",
            exemplars=(
                Exemplar(text='It "rained"', source="[#1, North, PSW]"),
                Exemplar(text="A hot room", kind=Kind.NEAR_MISS),
            ),
        ),
    )
)
FORMATS = ["csv", "xlsx", "yaml", "toml"]


def exemplar(theme: str, text: str, kind: Kind = Kind.TYPICAL) -> Edit:
    return Edit(act=Act.EXEMPLAR, theme=theme, text=text, kind=kind, source="[#9, Kampala, PSW]")


EDITS = [
    exemplar("Waiting", "Late again; and = again"),
    exemplar("Money", "=1+1 is what I have", Kind.NEAR_MISS),
    Edit(act=Act.WITHDRAW, theme="Weather", text='It "rained"'),
    Edit(act=Act.WITHDRAW, theme="Waiting", text="We stood, cold"),
    Edit(act=Act.WORDS, theme="Weather", definition="Rain, snow, heat", exclude="Climate"),
    Edit(act=Act.WORDS, theme="Money", include=""),
    Edit(act=Act.PROPOSE, theme="Kindness", parent="Means", definition="Help", text="He waits for her"),
    Edit(act=Act.RENAME, theme="Means", into="Resources"),
    Edit(act=Act.RENAME, theme="Weather", into="weather"),
    Edit(act=Act.MERGE, theme="Weather", into="Waiting"),
    Edit(act=Act.MERGE, theme="Waiting", into="Weather"),
    Edit(act=Act.MERGE, theme="Means", into="Money"),
]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.act}-{edit.theme}")
def test_every_change_is_read_back_from_the_file_as_it_was_asked_for(edit: Edit, format_: str, tmp_path: Path) -> None:
    file = tmp_path / f"codebook.{format_}"
    write_codebook(BOOK, file)
    new = apply(BOOK, edit)
    rewrite(file, BOOK, new)
    assert read_codebook(file) == new
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    format_=st.sampled_from(FORMATS),
    wanted=st.lists(
        st.builds(
            Edit,
            act=st.sampled_from(list(Act)),
            theme=st.sampled_from([*BOOK.names, "Fresh", "Renamed"]),
            into=st.sampled_from([*BOOK.names, "Renamed"]),
            text=st.sampled_from(['It "rained"', "We stood, cold", "New words", "  \u202eodd \x00 \ud800 é\r\nline "]),
            kind=st.sampled_from(list(Kind)),
            definition=st.sampled_from(["", "Two\nlines", "- : # [x]"]),
            exclude=st.sampled_from(["", "No; never"]),
        ),
        max_size=6,
    ),
)
def test_changes_one_after_another_never_lose_the_file(wanted: list[Edit], format_: str, tmp_path: Path) -> None:
    file = tmp_path / f"codebook.{format_}"
    write_codebook(BOOK, file)
    now = read_codebook(file)
    for edit in wanted:
        try:
            new = apply(now, cleaned(edit))
        except CodebookFault:
            continue
        rewrite(file, now, new)
        assert read_codebook(file) == new
        now = new


def test_a_csv_file_keeps_every_byte_that_was_not_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "codebook.csv"
    rows = [
        "colour;Code;Description;Example;kind;source",
        'red;Waiting;"Time;  at stop"; "We stood" ;;  ',
        "",
        "blue;;;It was late;typical;x",
        "green;Money;Fares;I pay;;",
    ]
    file.write_bytes("\r\n".join(rows).encode("utf-8-sig"))
    book = read_codebook(file)
    new = apply(book, exemplar("Waiting", "Late; again"))
    rewrite(file, book, new)
    made = file.read_bytes().decode("utf-8-sig").split("\r\n")
    assert made[:4] == rows[:4]
    assert made[4:] == [';Waiting;;"Late; again";typical;[#9, Kampala, PSW]', rows[4], ""]
    merged = apply(new, Edit(act=Act.MERGE, theme="Money", into="Waiting"))
    rewrite(file, new, merged)
    assert read_codebook(file) == merged
    told = list(csv.DictReader(file.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert [row["colour"] for row in told] == ["red", "blue", "", "green"], "a row's other columns go with its quote"


@pytest.mark.parametrize("format_", ["yaml", "toml"])
def test_comments_order_and_unknown_keys_stay(format_: str, tmp_path: Path) -> None:
    file = tmp_path / f"codebook.{format_}"
    texts = {
        "yaml": "# ours\nthemes:\n  - name: 'No'   # the theme\n    colour: red\n"
        "    definition: >\n      Long\n      words\n"
        "    quotes:\n      - one   # first\n  - name: 1.10\n    definition: x\n",
        "toml": '# ours\n[[theme]] # the theme\nname = "No"\ncolour = "red"\ndefinition = """Long\nwords"""\n'
        'quotes = [\n  "one", # first\n]\n\n[[theme]]\nname = "1.10"\ndefinition = \'x\'\n',
    }
    file.write_text(texts[format_])
    book = read_codebook(file)
    new = apply(book, exemplar("No", "two"))
    new = apply(new, Edit(act=Act.WORDS, theme="1.10", definition="y"))
    rewrite(file, book, new)
    made = file.read_text()
    assert read_codebook(file) == new
    for kept in ("# ours", "# the theme", "colour", "# first", "Long"):
        assert kept in made
    assert made.index("# ours") < made.index("# the theme") < made.index("# first") < made.index("1.10")


def test_a_workbook_keeps_its_look_and_other_sheets(tmp_path: Path) -> None:
    file = tmp_path / "codebook.xlsx"
    write_codebook(BOOK, file)
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    sheet["A2"].font = Font(bold=True)
    sheet["K1"], sheet["K2"] = "colour", "red"
    book.create_sheet("Notes")["A1"] = "ours"
    book.save(file)
    new = apply(BOOK, exemplar("Waiting", "=late"))
    rewrite(file, BOOK, new)
    made = openpyxl.load_workbook(file)
    assert made.worksheets[0]["A2"].font.bold
    assert made.worksheets[0]["K2"].value == "red"
    assert made["Notes"]["A1"].value == "ours"
    assert read_codebook(file) == new


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_that_cannot_be_written_stays_as_it_is(format_: str, tmp_path: Path) -> None:
    file = tmp_path / f"codebook.{format_}"
    write_codebook(BOOK, file)
    before = file.read_bytes()
    new = apply(BOOK, EDITS[0])
    lock = tmp_path / f".~lock.{file.name}#"
    lock.touch()
    with pytest.raises(Faults) as told:
        rewrite(file, BOOK, new)
    assert "open in a spreadsheet" in str(told.value.exceptions[0])
    lock.unlink()
    if os.geteuid():
        file.chmod(0o444)
        with pytest.raises(Faults):
            rewrite(file, BOOK, new)
    assert file.read_bytes() == before


def test_what_would_change_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "codebook.csv"
    write_codebook(BOOK, file)
    before = file.read_bytes()
    other = apply(BOOK, EDITS[4])
    with pytest.raises(Faults, match="faults") as told:
        rewrite(file, other, apply(other, EDITS[0]))  # the file does not say what it is thought to say
    assert "in the file itself" in str(told.value.exceptions[0])
    assert file.read_bytes() == before


def test_renaming_and_merging_keep_the_decisions_on_every_old_name() -> None:
    renamed = apply(BOOK, Edit(act=Act.RENAME, theme="Money", into="Fares"))
    merged = apply(renamed, Edit(act=Act.MERGE, theme="Fares", into="Waiting"))
    assert {name: merged.current[name] for name in ("Cost", "Money", "Fares")} == dict.fromkeys(
        ("Cost", "Money", "Fares"), "Waiting"
    )
    back = apply(renamed, Edit(act=Act.RENAME, theme="Fares", into="Money"))
    assert back.themes[2].formerly == ("Cost", "Fares")
    assert apply(BOOK, Edit(act=Act.RENAME, theme="Means", into="Goods")).themes[2].parent == "Goods"
    assert apply(BOOK, Edit(act=Act.MERGE, theme="Means", into="Money")).themes[1].parent == ""


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (Edit(act=Act.PROPOSE, theme="waiting "), "there is a theme `Waiting` already"),
        (Edit(act=Act.PROPOSE, theme="Cost"), "former name of theme `Money`"),
        (Edit(act=Act.PROPOSE, theme="A; B"), "semicolon"),
        (Edit(act=Act.PROPOSE, theme=""), "has no name"),
        (Edit(act=Act.PROPOSE, theme="x", parent="Nobody"), "no theme `Nobody`"),
        (Edit(act=Act.RENAME, theme="Means", into="WAITING"), "already"),
        (Edit(act=Act.WORDS, theme="Gone", definition="x"), "no theme `Gone` any more"),
        (Edit(act=Act.MERGE, theme="Money", into="Money"), "no other theme"),
        (exemplar("Waiting", "we STOOD,  cold"), "an exemplar of theme `Waiting` already"),
        (exemplar("Waiting", ""), "no words"),
        (Edit(act=Act.WORDS, theme="Money", definition="x" * 10_001), "10,000 characters"),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(edit: Edit, why: str) -> None:
    with pytest.raises(Fault, match=re.escape(why)):
        apply(BOOK, edit)


def test_an_edit_is_kept_as_texts_and_knows_what_it_is_about() -> None:
    for edit in EDITS:
        assert edit_of(edit.plain) == edit
    seen = about(BOOK, EDITS[0])
    assert about(apply(BOOK, EDITS[5]), EDITS[0]) == seen, "another theme is no matter"
    assert about(apply(BOOK, EDITS[0]), EDITS[0]) != seen


def test_a_workbook_with_a_chart_is_left_alone_as_the_chart_would_be_lost(tmp_path: Path) -> None:
    file = tmp_path / "codebook.xlsx"
    write_codebook(BOOK, file)
    book = openpyxl.load_workbook(file)
    book.worksheets[0]["A2"].comment = Comment("Ask Ben", "Ria")
    book.save(file)
    rewrite(file, BOOK, renamed := apply(BOOK, Edit(act=Act.RENAME, theme="Money", into="Fares")))
    book = openpyxl.load_workbook(file)
    assert book.worksheets[0]["A2"].comment.text == "Ask Ben"
    chart = BarChart()
    chart.add_data(Reference(book.worksheets[0], min_col=1, min_row=1, max_row=3))
    book.worksheets[0].add_chart(chart, "K2")
    book.save(file)
    before = file.read_bytes()
    with pytest.raises(Faults) as told:
        rewrite(file, renamed, apply(renamed, Edit(act=Act.RENAME, theme="Fares", into="Cost of it")))
    assert "would be lost" in str(told.value.exceptions[0])
    assert file.read_bytes() == before
