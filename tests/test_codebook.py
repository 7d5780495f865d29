import csv
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pipeline.codebook import COLUMNS, doubts, read_codebook, write_codebook
from pipeline.errors import CodebookFault, Faults
from pipeline.records import Codebook, Exemplar, Kind, Theme

FORMATS = (".csv", ".xlsx", ".yaml", ".yml", ".toml")
HEAD = ",".join(COLUMNS) + "\n"

BOOK = Codebook(
    themes=(
        Theme(name="Trust", definition="Faith in staff, or\nthe lack of it", include="staff", exclude="family"),
        Theme(
            name="Distrust",
            parent="Trust",
            exemplars=(
                Exemplar(text='=They said "no, never"', source="fg1#t001s1"),
                Exemplar(text="אני לא בוטחת 😀", kind=Kind.ATYPICAL),
                Exemplar(text="I trust her", kind=Kind.NEAR_MISS),
            ),
        ),
    )
)
BOOK = Codebook(themes=(BOOK.themes[0], Theme(name="No", parent="Trust", exemplars=BOOK.themes[1].exemplars)))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def _write(name: str, told: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(told if isinstance(told, bytes) else told.encode())
        return path

    return _write


Write = Callable[[str, str | bytes], Path]


def faults_of(path: Path) -> list[str]:
    with pytest.raises(Faults) as caught:
        read_codebook(path)
    assert all(isinstance(fault, CodebookFault) for fault in caught.value.exceptions)
    told = [str(fault).replace(str(path), path.name) for fault in caught.value.exceptions]
    assert all("\n" not in one for one in told)
    return told


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_reads_back_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"book{suffix}"
    write_codebook(BOOK, path)
    assert read_codebook(path) == BOOK
    assert read_codebook(path).revision == BOOK.revision
    assert list(tmp_path.iterdir()) == [path]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), include_characters="\n\t=\"',;:#")
).map(str.strip)
NAME = TEXT.map(lambda text: " ".join(text.replace(";", "").split())).filter(bool)


@st.composite
def codebooks(draw: st.DrawFn) -> Codebook:
    names = draw(st.lists(NAME, min_size=1, max_size=4, unique_by=lambda name: name.casefold()))
    quotes = draw(st.lists(TEXT.filter(bool), max_size=5, unique_by=lambda text: text.casefold()))
    themes = []
    for number, name in enumerate(names):
        kinds = [
            Exemplar(text=q, kind=draw(st.sampled_from(Kind)), source=draw(TEXT)) for q in quotes[number :: len(names)]
        ]
        themes.append(
            Theme(
                name=name,
                parent=names[0] if number and draw(st.booleans()) else "",
                definition=f"about {draw(TEXT)}".strip(),
                include=draw(TEXT),
                exclude=draw(TEXT),
                exemplars=tuple(kinds),
            )
        )
    return Codebook(themes=tuple(themes))


@settings(max_examples=60, deadline=None)
@given(book=codebooks(), suffix=st.sampled_from(FORMATS))
def test_any_codebook_survives_every_format(
    book: Codebook, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / f"book{suffix}"
    try:
        write_codebook(book, path)
        again = read_codebook(path)
    except Faults as faults:  # names or quotes that are alike but for composition
        assert all("already" in str(f) or "also" in str(f) or "spacing" in str(f) for f in faults.exceptions)
    else:
        assert again == book


def test_theme_fields_may_be_blank_on_later_rows(write: Write) -> None:
    told = (
        HEAD + "Trust,,faith in staff,,,I trust them,,fg1\n,,,,,mostly,atypical,\nTrust,,,staff,,not her,Near-Miss,\n"
    )
    (theme,) = read_codebook(write("book.csv", told)).themes
    assert (theme.definition, theme.include) == ("faith in staff", "staff")
    assert [(e.text, e.kind, e.source) for e in theme.exemplars] == [
        ("I trust them", Kind.TYPICAL, "fg1"),
        ("mostly", Kind.ATYPICAL, ""),
        ("not her", Kind.NEAR_MISS, ""),
    ]


@pytest.mark.parametrize("kind", ["near miss", "near-miss", "close but no", "Close-but-no", "NEAR_MISS"])
def test_kinds_have_other_spellings(kind: str, write: Write) -> None:
    (theme,) = read_codebook(write("b.csv", f"theme,exemplar,kind\nA,words,{kind}\n")).themes
    assert theme.exemplars[0].kind is Kind.NEAR_MISS


@pytest.mark.parametrize("head", ["theme,definition", "Code;Description", "NAME\tFull definition", "Label,Definition"])
def test_columns_have_other_names_and_separators(head: str, write: Write) -> None:
    separator = next(mark for mark in ",;\t" if mark in head)
    (theme,) = read_codebook(write("b.csv", f"{head}\r\nTrust{separator}faith\r\n")).themes
    assert (theme.name, theme.definition) == ("Trust", "faith")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_is_read_in_common_encodings(encoding: str, write: Write) -> None:
    told = "theme,definition\nÄngste,“später” – déjà\n".encode(encoding)
    (theme,) = read_codebook(write("b.csv", told)).themes
    assert (theme.name, theme.definition) == ("Ängste", "“später” – déjà")


def test_line_ends_do_not_change_the_revision(write: Write) -> None:
    unix = read_codebook(write("a.csv", 'theme,definition\nA,"one\ntwo"\n'))
    assert read_codebook(write("b.csv", 'theme,definition\r\nA,"one\r\ntwo"\r\n')).revision == unix.revision


def test_xlsx_numbers_and_blank_rows_are_read(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    for row in (["Theme", "Definition", None], [2024, "the year", None], [None, None, None], ["B", "b", None]):
        book.active.append(row)
    book.save(tmp_path / "b.xlsx")
    assert read_codebook(tmp_path / "b.xlsx").names == ("2024", "B")


def test_parents_are_found_whatever_their_case(write: Write) -> None:
    book = read_codebook(write("b.csv", "theme,parent,definition\nTrust,,t\nDoubt, trust ,d\n"))
    assert book.themes[1].parent == "Trust"


def test_yaml_values_are_texts_and_exemplars_strings_or_tables(write: Write) -> None:
    told = """
themes:
  - name: No
    definition: 1.10
    parent: null
    exemplars:
      - plain words
      - {text: other words, kind: near miss, source: fg1}
"""
    (theme,) = read_codebook(write("b.yaml", told)).themes
    assert (theme.name, theme.definition, theme.parent) == ("No", "1.10", "")
    assert [(e.text, e.kind, e.source) for e in theme.exemplars] == [
        ("plain words", Kind.TYPICAL, ""),
        ("other words", Kind.NEAR_MISS, "fg1"),
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("definition,colour\nx,y\n", ["b.csv: there is no column `theme` among `definition`, `colour`; add one"]),
        ("them,definition\nx,y\n", ["unknown column `them`; did you mean `theme`?", "no column `theme`"]),
        ("theme,definiton\nA,a\n", ["b.csv: unknown column `definiton`; did you mean `definition`?"]),
        ("theme,code,definition\nA,A,a\n", ["b.csv: the columns `theme` and `code` mean the same"]),
        ("theme,theme,definition\nA,A,a\n", ["b.csv:1: two columns are called `theme`"]),
        ("theme,definition\nFear  of,a\nfear of,\n", ["b.csv:3: theme `fear of` differs from `Fear of` (line 2) only"]),
        ("theme,definition\nA,one\nA,two\n", ["b.csv:3: the `definition` of theme `A` is given twice"]),
        (
            "theme,parent,definition\nTrust,,a\nB,Thrust,b\n",
            ["b.csv:3: theme `B`: no theme is called `Thrust`; did you"],
        ),
        (
            "theme,parent,definition\nA,B,a\nB,C,b\nC,A,c\nD,A,d\n",
            ["b.csv:2: themes are their own parents: A < B < C < A"],
        ),
        ("theme,parent,definition\nA,A,a\n", ["b.csv:2: themes are their own parents: A < A"]),
        ("theme,include\nA,a\n", ["b.csv: no theme has an exemplar or a definition"]),
        ("theme,definition\n", ["b.csv: the codebook has no themes"]),
        ("theme,exemplar,kind\nA,x,tipical\n", ["b.csv:2: theme `A`: unknown kind `tipical`; did you mean `typical`?"]),
        ("theme,exemplar\n,words\nA,x\n", ["b.csv:2: the row names no theme"]),
        ("theme,definition\nA,a\n,b\n", ["b.csv:3: the row names no theme"]),
        ("theme,definition\nA;B,a\n", ["b.csv:2: the name of theme `A;B` holds a semicolon"]),
        ("theme,definition\nA,a,lost\n", ["b.csv:2: the row has more cells than there are columns"]),
        ('theme,definition\n"A,a\nB,b\n', ["b.csv:2: is not CSV"]),
        ("", ["b.csv: the table is empty"]),
        (b"theme\0,x", ["b.csv: is not text"]),
    ],
)
def test_every_fault_of_a_table_is_told_with_its_place(told: str | bytes, expected: list[str], write: Write) -> None:
    faults = faults_of(write("b.csv", told))
    assert len(faults) == len(expected)
    for fault, part in zip(faults, expected, strict=True):
        assert part in fault


def test_a_quote_may_be_a_near_miss_of_another_theme(write: Write) -> None:
    told = "theme,exemplar,kind\nA,same,typical\nB,same,near_miss\nB,other,\n"
    assert len(read_codebook(write("b.csv", told)).themes) == 2


def test_all_faults_are_told_at_once_and_none_quotes_an_exemplar(write: Write) -> None:
    told = HEAD + "A,Z,,,,secret words,odd,\nB,,,,,secret words,,\nB,,,,,Secret Words,,\n"
    faults = faults_of(write("b.csv", told))
    assert len(faults) == 2
    assert not any("secret" in fault.casefold() for fault in faults)


def test_other_columns_are_ignored(write: Write) -> None:
    assert read_codebook(write("b.csv", "theme,definition,colour,theme_id\nA,a,red,7\n")).names == ("A",)


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("b.yaml", "themes: [", ["b.yaml:1: is not YAML"]),
        ("b.yaml", "[" * 5000, ["b.yaml: is not YAML"]),
        ("b.yaml", "", ["b.yaml: holds no list of themes"]),
        ("b.yaml", "themes:\n- name: A\n  name: B\n", ["b.yaml:2: is not YAML: a key is given twice"]),
        ("b.yaml", "themes:\n- A\n- name: B\n  definition: b\n", ["b.yaml:2: theme number 1 is no table"]),
        ("b.yaml", "themes:\n- definition: a\n- name: B\n  definition: b\n", ["b.yaml:2: a theme has no name"]),
        ("b.yaml", "themes:\n- name: A\n  exemplers: [x]\n  definition: a\n", ["b.yaml:2: unknown key `exemplers`"]),
        (
            "b.yaml",
            "themes:\n- name: A\n  exemplars:\n  - one\n  - text: two\n    kind: foo\n",
            ["b.yaml:5: theme `A`: unknown kind `foo`"],
        ),
        ("b.toml", "theme = ", ["b.toml: is not TOML"]),
        ("b.toml", "[[theme]]\nname = 'A'\ndefinition = 3\n", ["b.toml:1: `definition` is not a text"]),
        ("b.toml", "[[theme]]\nname = 'A'\ndescription = 'a'\ndefinition = 'b'\n", ["`definition` is given twice"]),
        (
            "b.toml",
            "[[theme]]\nname = 'A'\ndefinition = 'a'\n\n"
            "[[theme]]\nname = 'B'\nexemplars = [{text = 'x', knd = 'typical'}]\n",
            ["b.toml:5: unknown key `knd`; did you mean `kind`?"],
        ),
        ("b.toml", f"[[theme]]\nname = {'9' * 5000}\n", ["b.toml: cannot be read: a number is too long"]),
        ("b.toml", f"theme = {'[' * 3000}", ["b.toml: cannot be read"]),
        ("b.yaml", 'themes:\n- name: A\n  definition: "a\\uD800b"\n', ["b.yaml:3: is not YAML: half of a character"]),
        ("b.yaml", 'themes:\n- "nam\\uDC00e": A\n', ["b.yaml:2: is not YAML: half of a character"]),
        ("b.xlsx", "theme,definition\nA,a\n", ["b.xlsx: is not an Excel workbook"]),
        ("b.docx", "x", ["b.docx: `.docx` is not a known kind of codebook file; save it as one of .csv, .xlsx"]),
    ],
)
def test_every_fault_of_other_files_is_told(name: str, told: str, expected: list[str], write: Write) -> None:
    faults = faults_of(write(name, told))
    assert len(faults) == len(expected)
    for fault, part in zip(faults, expected, strict=True):
        assert part in fault


@pytest.mark.parametrize("suffix", [*FORMATS, "", ".docx"])
def test_a_missing_file_is_a_fault(suffix: str, tmp_path: Path) -> None:
    assert ["there is no such file" in fault for fault in faults_of(tmp_path / f"b{suffix}")] == [True]


@pytest.mark.parametrize("suffix", [*FORMATS, "", ".docx"])
def test_a_folder_is_a_fault(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"b{suffix}").mkdir()
    assert ["cannot be read: is a folder" in fault for fault in faults_of(tmp_path / f"b{suffix}")] == [True]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_pipe_is_a_fault_and_does_not_hang(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"b{suffix}")
    assert ["is not a regular file" in fault for fault in faults_of(tmp_path / f"b{suffix}")] == [True]


def test_half_a_character_is_in_no_table(tmp_path: Path, write: Write) -> None:
    assert (
        "is not text" in faults_of(write("b.csv", "theme,definition\nA,\ud800\n".encode("utf-16", "surrogatepass")))[0]
    )
    (tmp_path / "sound.xlsx").write_bytes(b"")
    write_codebook(BOOK, tmp_path / "sound.xlsx")
    with zipfile.ZipFile(tmp_path / "sound.xlsx") as sound, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as broken:
        for name in sound.namelist():
            broken.writestr(name, sound.read(name).replace(b"Faith", b"&#xD800;"))
    assert "is not an Excel workbook" in faults_of(tmp_path / "b.xlsx")[0]


def test_characters_written_as_two_halves_are_whole(write: Write) -> None:
    book = read_codebook(write("b.yaml", json.dumps({"themes": [{"name": "A", "definition": "glad 😀"}]})))
    assert book.themes[0].definition == "glad 😀"


def test_cells_may_be_very_long(write: Write) -> None:
    csv.field_size_limit(131_072)  # as a new process has it
    book = read_codebook(write("b.csv", f"theme,definition\nA,{'word ' * 40_000}\n"))
    assert len(book.themes[0].definition) == 199_999


def test_a_codebook_is_not_written_in_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="the input has faults"):
        write_codebook(BOOK, tmp_path / "b.docx")


@settings(max_examples=60, deadline=None)
@given(told=st.binary(max_size=200), suffix=st.sampled_from(FORMATS))
def test_any_bytes_are_a_codebook_or_faults(told: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"b{suffix}"
    path.write_bytes(told)
    with pytest.raises(Faults):
        read_codebook(path)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("theme,definition\nA,a\nB,\n", ["b.csv:3: theme `B` is empty"]),
        (
            "theme,exemplar\nA,Same words\nB,same  WORDS\n",
            ["b.csv:3: an exemplar of theme `B` also stands under `A` (line 2)"],
        ),
        ("theme,exemplar\nA,same\nA,Same\n", ["b.csv:3: theme `A` has this exemplar already (line 2)"]),
        ("theme,exemplar,kind\nA,same,\nB,Same,near_miss\n", []),
    ],
)
def test_what_may_be_a_mistake_is_reported_and_accepted(told: str, expected: list[str], write: Write) -> None:
    path = write("b.csv", told)
    assert len(read_codebook(path).themes) in (1, 2)
    doubted = [str(fault).removeprefix(f"{path.parent}/") for fault in doubts(path)]
    assert len(doubted) == len(expected)
    assert all(said.startswith(start) for said, start in zip(doubted, expected, strict=True))


def test_an_encoding_of_another_country_is_told_from_the_letters(write: Write) -> None:
    """As Excel writes it in Israel: Windows-1255."""
    told = "theme,definition\nעמדות,איך אנשים מתייחסים אל מי שחלה ואל מי שמחלים\nמשאבים,כסף וזמן וחדרים לעבודה\n"
    assert read_codebook(write("b.csv", told.encode("cp1255"))).names == ("עמדות", "משאבים")


def test_quotes_in_the_wrong_column_are_not_quoted(write: Write) -> None:
    talk = "nobody ever asked us what we wanted"
    for told in (f"theme,exemplar,kind\nA,x,{talk}\n", f"A,{talk}\nB,more talk\n"):
        assert not any("asked" in fault for fault in faults_of(write("b.csv", told)))
