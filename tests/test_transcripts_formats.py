import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import time, timedelta
from typing import Any

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from pipeline.errors import Fault, Faults
from pipeline.records import Role
from pipeline.transcripts import READERS, archive
from pipeline.transcripts.draft import Draft

Told = list[tuple[str, str]]


def drafts(suffix: str, data: str | bytes, *moderators: str) -> list[Draft]:
    told = data.encode() if isinstance(data, str) else data
    return READERS[suffix](told, f"talk/f{suffix}", moderators)


def draft(suffix: str, data: str | bytes, *moderators: str) -> Draft:
    (only,) = drafts(suffix, data, *moderators)
    return only


def told(one: Draft) -> Told:
    return [(said.speaker, one.text[said.start : said.end]) for said in one.turns]


def faults(suffix: str, data: str | bytes) -> list[Fault]:
    with pytest.raises(Faults) as raised:
        drafts(suffix, data)
    return [fault for fault in raised.value.exceptions if isinstance(fault, Fault)]


def fault(suffix: str, data: str | bytes) -> Fault:
    (only,) = faults(suffix, data)
    return only


# plain text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    text = "I: Schön, grüß Gott – wie war’s?\nB: Très bien, à côté.\nI: Gut.\n"
    one = draft(".txt", text.encode(encoding))
    assert one.text == text
    assert told(one)[1] == ("B", "Très bien, à côté.")


def test_other_alphabets_are_guessed() -> None:
    text = "И: Как вы себя чувствуете сегодня?\nП: Хорошо, спасибо, только спина болит немного.\nИ: А вчера?\n" * 3
    assert draft(".txt", text.encode("cp1251")).text == text


def test_the_text_is_the_file_but_for_its_line_ends() -> None:
    text = "A: e\u0301 \u00e9  two  spaces \t\x0b\nB: \u2028 one\n\n\nA: x"
    assert draft(".txt", text).text == text
    assert draft(".txt", text.replace("\n", "\r\n")).text == text
    assert draft(".txt", text.replace("\n", "\r")).text == text


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".vtt", ".srt"])
@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"A: \x00 b", bytes(range(1, 32)) * 9, b"\xff\xfe\x00\x00\x00\x00"])
def test_binary_data_is_not_text(suffix: str, data: bytes) -> None:
    assert fault(suffix, data).problem == "is not text"


def test_one_zero_in_much_text_is_not_text() -> None:
    assert fault(".txt", ("A: yes. " * 99 + "\0").encode("utf-16")).problem == "is not text"


def test_a_broken_encoding_is_a_fault_that_asks_for_utf_8() -> None:
    one = fault(".txt", b"\xff\xfeA\x00\x00\xd8B\x00")  # UTF-16 with half of a surrogate pair
    assert "UTF-8" in one.remedy


# Word files


def word(*paragraphs: str | Callable[[Any], None]) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        if isinstance(paragraph, str):
            document.add_paragraph(paragraph)
        else:
            paragraph(document)
    return saved(document)


def saved(document: Any) -> bytes:  # noqa: ANN401  # python-docx does not export its type
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def raw(inner: str) -> Callable[[Any], None]:
    def add(document: Any) -> None:  # noqa: ANN401  # python-docx does not export its type
        document.element.body.insert(-1, parse_xml(f"<w:p {nsdecls('w', 'r')}>{inner}</w:p>"))

    return add


def test_paragraphs_are_lines_and_are_counted() -> None:
    one = draft(".docx", word("Interview", "", "I: How was it?", "S1: Good.\nSo good.", "Really.", "I: So."))
    assert one.text == "Interview\n\nI: How was it?\nS1: Good.\nSo good.\nReally.\nI: So."
    assert told(one) == [("I", "How was it?"), ("S1", "Good.\nSo good.\nReally."), ("I", "So.")]
    assert [said.line for said in one.turns] == [3, 4, 6]


def test_teams_paragraphs_with_breaks_are_turns() -> None:
    one = draft(".docx", word("Ann Roe   0:03\nHow was it?", "Bo Doe   0:09\nGood.", "Ann Roe   0:12\nSo."))
    assert told(one) == [("Ann Roe", "How was it?"), ("Bo Doe", "Good."), ("Ann Roe", "So.")]
    assert [said.began for said in one.turns] == [3.0, 9.0, 12.0]


def test_what_was_inserted_or_linked_is_read_and_what_was_deleted_is_not() -> None:
    one = draft(
        ".docx",
        word(
            "I: Well?",
            raw(
                "<w:r><w:t>P: a</w:t></w:r><w:ins><w:r><w:t xml:space='preserve'>b </w:t></w:r></w:ins>"
                "<w:del><w:r><w:delText>c</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>d</w:t></w:r></w:moveFrom>"
                "<w:hyperlink><w:r><w:t>e</w:t></w:r></w:hyperlink>"
                "<w:sdt><w:sdtContent><w:r><w:t>f</w:t></w:r></w:sdtContent></w:sdt>"
                "<w:r><w:noBreakHyphen/><w:t>g</w:t><w:tab/><w:t>h</w:t><w:br/><w:t>i</w:t><w:cr/><w:t>j</w:t></w:r>"
            ),
            "I: So.",
        ),
    )
    assert told(one)[1] == ("P", "ab ef-g\th\ni\nj")


def test_content_controls_around_paragraphs_are_entered() -> None:
    inner = (
        "<w:sdtContent><w:p><w:r><w:t>I: Well?</w:t></w:r></w:p><w:p><w:r><w:t>P: Yes.</w:t></w:r></w:p></w:sdtContent>"
    )

    def add(document: Any) -> None:  # noqa: ANN401  # python-docx does not export its type
        document.element.body.insert(0, parse_xml(f"<w:sdt {nsdecls('w')}>{inner}</w:sdt>"))

    one = draft(".docx", word(add, "I: So."))
    assert told(one) == [("I", "Well?"), ("P", "Yes."), ("I", "So.")]
    assert [said.line for said in one.turns] == [1, 2, 3]


def test_a_table_of_speakers_is_turns() -> None:
    def add(document: Any) -> None:  # noqa: ANN401  # python-docx does not export its type
        rows = [
            ("Time", "Speaker", "Text"),
            ("0:01", "Ann", "How was it?"),
            ("0:02", "Bo", "Good.\nYes."),
            ("0:03", "Ann", "So."),
        ]
        table = document.add_table(rows=0, cols=3)
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text

    one = draft(".docx", word(add))
    assert told(one) == [("Ann", "How was it?"), ("Bo", "Good.\nYes."), ("Ann", "So.")]
    assert [said.began for said in one.turns] == [1.0, 2.0, 3.0]


def test_unlabelled_paragraphs_are_turns() -> None:
    assert told(draft(".docx", word("It rained.\nA lot.", "Then not."))) == [
        ("", "It rained.\nA lot."),
        ("", "Then not."),
    ]


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


def rewritten(data: bytes, member: str, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    return zipped(**{**members, member: content})


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04 cut off", zipped(a=b"1")])
def test_a_damaged_office_file_is_a_fault(suffix: str, data: bytes) -> None:
    assert "damaged" in fault(suffix, data).problem


def test_a_workbook_called_docx_is_a_fault() -> None:
    assert "damaged" in fault(".docx", workbook([["text"], ["yes"]])).problem


@pytest.mark.parametrize("suffix", [".docx", ".xlsx"])
def test_a_protected_office_file_is_a_fault_that_says_so(suffix: str) -> None:
    assert "password" in fault(suffix, bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600).problem
    locked = bytearray(zipped(a=b"1"))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in fault(suffix, bytes(locked)).problem


def test_an_archive_that_unpacks_to_too_much_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    data = word("P1: Yes.")
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    assert "unpacks" in fault(".docx", data).problem


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize("entities", ["", BOMB])
def test_entities_in_a_word_file_are_a_fault(entities: str) -> None:
    body = f"<w:body><w:p><w:r><w:t>P1: &e{11 if entities else 0};</w:t></w:r></w:p></w:body>"
    xml = f'<!DOCTYPE d [<!ENTITY e0 "ha">{entities}]><w:document {nsdecls("w")}>{body}</w:document>'
    problem = fault(".docx", rewritten(word("x"), "word/document.xml", xml.encode())).problem
    assert "damaged" in problem if entities else "entities" in problem


# subtitles

VTT = """WEBVTT

STYLE
::cue { color: red }

NOTE no talk here

a/1-0
00:00:01.000 --> 00:00:03.000 align:start
<v Ann Roe>How was it when you
first came,</v>

a/2-0
00:00:03.000 --> 00:00:05.000
<v.loud Ann Roe>and who &amp; what <i>helped</i> you?</v>

00:00:05.000 --> 00:00:06.500
<v Bo>My sister.</v> <v Ann Roe>I see.</v>

00:06.500 --> 00:07.000
Anyway.
"""


def test_voices_are_speakers_and_their_cues_are_joined() -> None:
    one = draft(".vtt", VTT)
    assert told(one) == [
        ("Ann Roe", "How was it when you first came, and who & what helped you?"),
        ("Bo", "My sister."),
        ("Ann Roe", "I see. Anyway."),
    ]
    assert one.text.startswith("Ann Roe: How was it")
    assert [said.line for said in one.turns] == [9, 17, 17]
    assert [(said.began, said.ended) for said in one.turns][:2] == [(1.0, 5.0), (5.0, 6.5)]


def test_commas_in_the_times_of_webvtt_are_understood() -> None:
    assert told(draft(".vtt", VTT.replace(".000 ", ",000 "))) == told(draft(".vtt", VTT))


def test_labels_inside_cues_are_speakers() -> None:
    text = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nAnn: Well,\n\n2\n00:00:02.000 --> 00:00:03.000\nhow was it?\n\n"
    text += "3\n00:00:03.000 --> 00:00:04.000\nBo: Good. Note: loud.\n\n"
    text += "4\n00:00:04.000 --> 00:00:05.000\nAnn: So.\nBo: Yes.\n"
    expected = [("Ann", "Well, how was it?"), ("Bo", "Good. Note: loud."), ("Ann", "So."), ("Bo", "Yes.")]
    assert told(draft(".vtt", text)) == expected
    assert told(draft(".srt", text.removeprefix("WEBVTT\n\n").replace(".000", ",000"))) == expected


def test_cues_without_labels_have_no_speaker() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n<i>It rained,</i>\n{\\an8}a lot.\n\n"
    text += "2\n00:00:02.000 --> 00:00:03.000\nThen not.\n"
    one = draft(".srt", text)
    assert told(one) == [("", "It rained, a lot."), ("", "Then not.")]
    assert one.text == "It rained, a lot.\nThen not."
    assert [said.line for said in one.turns] == [2, 7]


@pytest.mark.parametrize(
    ("suffix", "text", "place"),
    [
        (".vtt", "WEBVTT\n\n00:00:01.000 --> soon\nWell.\n\n00:00:02.000 --> 00:00:03.000\nYes.\n", "talk/f.vtt:3"),
        (".srt", "1\n00:00:01,000 --> soon\nWell.\n\n2\n00:00:02,000 --> 00:00:03,000\nYes.\n", "talk/f.srt:2"),
        (".srt", "1\n00:00:01,000 --> 00:00:02,000\nWell.\n\n2\n00:00 --> 00:00:03,000\nYes.\n", "talk/f.srt:6"),
        (".vtt", "1\n00:00:01.000 --> 00:00:02.000\nWell.\n", "talk/f.vtt"),
        (".srt", "1\n00:00:01,000 --> 00:00:02,000\nWell.\n00:00:02,000 --> 00:00:03,000\nYes.\n", "talk/f.srt"),
        (".srt", "1" * 50_000, "talk/f.srt"),
        (".srt", "Just a letter.\n", "talk/f.srt"),
    ],
)
def test_a_cue_that_cannot_be_read_is_a_fault_and_not_left_out(suffix: str, text: str, place: str) -> None:
    assert fault(suffix, text).place == place


def test_thousands_of_blank_lines_do_not_hang() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nWell." + "\n" * 50_000 + "2\n00:00:02,000 --> 00:00:03,000\nYes.\n"
    assert told(draft(".srt", text)) == [("", "Well."), ("", "Yes.")]


# tables


def workbook(*sheets: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_rows_with_a_segment_are_segments() -> None:
    text = "document,segment,speaker,text\nd1,s1,A,Yes.\nd1,s2,B,No.\nd2,s1,,Maybe.\n"
    first, second = drafts(".csv", text)
    assert (first.name, second.name) == ("d1", "d2")
    assert first.text == "A: Yes.\nB: No."
    assert [(said.segment, said.line) for said in (*first.turns, *second.turns)] == [("s1", 2), ("s2", 3), ("s1", 4)]
    assert (second.text, told(second)) == ("Maybe.", [("", "Maybe.")])


def test_rows_without_a_segment_are_turns() -> None:
    text = " Speaker ;TEXT;start;end;role;age\nA;Yes;1,5;00:00:03.5;Moderator;7\n;;;;;\nB;'No; or';4;;;8\n".replace(
        "'", '"'
    )
    one = draft(".csv", text)
    assert (one.name, told(one)) == (None, [("A", "Yes"), ("B", "No; or")])
    assert [(said.began, said.ended, said.role, said.line, said.segment) for said in one.turns] == [
        (1.5, 3.5, Role.MODERATOR, 2, None),
        (4.0, None, None, 4, None),
    ]


def test_tabs_delimit_and_cells_hold_line_ends() -> None:
    assert told(draft(".csv", 'speaker\ttext\nA\t"Yes, and\nno; so"\n')) == [("A", "Yes, and\nno; so")]


def test_a_workbook_is_read_like_its_csv() -> None:
    rows: list[list[object]] = [
        ["document", "segment", "speaker", "text", "start", "end"],
        [12, 1.0, "A", "Yes", time(0, 1, 5), timedelta(seconds=70)],
    ]
    last: list[object] = [12, 2, None, 7.5]
    one = draft(".xlsx", workbook([["about"], ["me"]], [[], *rows, [], last]))
    assert (one.name, told(one)) == ("12", [("A", "Yes"), ("", "7.5")])
    assert [(said.segment, said.line, said.began, said.ended) for said in one.turns] == [
        ("1", 3, 65.0, 70.0),
        ("2", 5, None, None),
    ]


def test_a_wrong_size_in_a_workbook_hides_no_row_and_whole_numbers_have_no_point() -> None:
    data = workbook([["document", "text"], [12, "Yes"]])
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        sheet = source.read("xl/worksheets/sheet1.xml")
    changed = sheet.replace(b"A1:B2", b"A1:B1").replace(b"<v>12</v>", b"<v>12.0</v>")
    one = draft(".xlsx", rewritten(data, "xl/worksheets/sheet1.xml", changed))
    assert (one.name, told(one)) == ("12", [("", "Yes")])


def test_line_ends_of_word_processors_leave_no_trace_in_a_workbook() -> None:
    one = draft(".xlsx", workbook([["text"], ["We waited._x000D_\nThen it rained."]]))
    assert told(one) == [("", "We waited.\nThen it rained.")]


def test_everything_wrong_in_a_table_is_told_at_once() -> None:
    text = "document,segment,text,start,role\n,s1,a,,\nd,,b,,\nd,s1,c,,\nd,s1,d,,\nd,s2,e,soon,\nd,s3,f,,boss\n"
    found = faults(".csv", text)
    assert [one.place for one in found] == [f"talk/f.csv:{row}" for row in (2, 3, 5, 6, 7)]
    assert [one.problem for one in found] == [
        "the `document` cell is empty",
        "the `segment` cell is empty",
        "segment `s1` of document `d` was there before",
        "the `start` cell is no time",
        "the `role` cell is none of the roles",
    ]


def test_a_table_without_text_column_names_its_columns() -> None:
    assert fault(".csv", "who;what\nA;yes\n").problem == "has no `text` column, only `who`, `what`"
    assert "talk/f.xlsx" in fault(".xlsx", workbook([["who", "what"]])).place
    assert "rained" not in str(fault(".csv", "It rained, she said; nobody came to the house on the hill.\nx\n"))


def test_words_beyond_the_last_column_are_a_fault_and_not_lost() -> None:
    found = faults(".csv", "speaker,text,\nAna,We waited, in the rain, and I cried\nBen,Yes,,\nAna,I, too\n")
    assert [(one.place.rpartition(":")[2], one.problem) for one in found] == [
        ("2", "has more cells than there are columns"),
        ("4", "has more cells than there are columns"),
    ]
    assert "quote cells that hold the delimiter" in found[0].remedy
    assert draft(".csv", "speaker,text\nBen,Yes,, \n").text == "Ben: Yes"


def test_a_misspelled_column_is_not_overlooked() -> None:
    one = fault(".csv", "documnt,text\nd1,yes\n")
    assert ("`documnt`" in one.problem, "`document`" in one.remedy) == (True, True)


def test_two_columns_of_one_name_are_a_fault() -> None:
    assert fault(".csv", "text,Text\na,b\n").problem == "has two columns called `text`"


@pytest.mark.parametrize("row", ['A,"never closed\nB,yes\n', 'A,"closed"early\n'])
def test_quotation_marks_that_do_not_match_are_a_fault(row: str) -> None:
    assert fault(".csv", "speaker,text\nZ,fine\n" + row).place == "talk/f.csv:3"


def test_cells_may_be_very_long() -> None:
    assert len(draft(".csv", f"speaker,text\nA,{'word ' * 100_000}\n").text) == len("A: ") + 499_999


def test_entities_in_a_workbook_do_not_grow() -> None:
    xml = f'<!DOCTYPE d [<!ENTITY e0 "ha">{BOMB}]><worksheet>&e11;</worksheet>'
    assert (
        "damaged"
        in fault(".xlsx", rewritten(workbook([["text"], ["x"]]), "xl/worksheets/sheet1.xml", xml.encode())).problem
    )
