from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pipeline.errors import CodingFault, Faults
from pipeline.exchange import CODING_COLUMNS, coding_rows, place_coding, read_coding, write_table
from pipeline.exchange.coding import CodedRow
from pipeline.exchange.placing import Placed
from pipeline.records import Coding, Role, Segment, Transcript, TranscriptId, Turn, segment_id

HEAD = "document,segment,coder,codes,coded_at\n"
THEMES = ("Trust", "Fear of stigma", "Family")


def transcript(name: str, *contributions: str, site: str = "Ulm") -> Transcript:
    text, turns = "", []
    for line, words in enumerate(contributions, 1):
        start = len(text) + len("Anna: ")
        text += f"Anna: {words}\n"
        turns.append(Turn(speaker="Anna", role=Role.PARTICIPANT, start=start, end=len(text) - 1, line=line))
    return Transcript(site=site, name=name, source=f"{name}.txt", language="en", text=text, turns=tuple(turns))


def segment_of(document: Transcript, turn: int, name: str) -> Segment:
    start, end = document.turns[turn].start, document.turns[turn].end
    identity = segment_id(document.id, start, end)
    text = document.text[start:end]
    return Segment(id=identity, transcript=document.id, name=name, turn=turn, start=start, end=end, text=text)


FG1 = transcript("fg1", "I trust the nurses. They listen.", "Yes.", "My  family\nhid it. Yes.")
FG2 = transcript("fg2", "Nobody at work knows.")
SEGMENTS = (*(segment_of(FG1, turn, f"t{turn}") for turn in range(3)), segment_of(FG2, 0, "t0"))
TRANSCRIPTS = {FG1.id: FG1, FG2.id: FG2}


def coded(tmp_path: Path, told: str) -> list[CodedRow]:
    (tmp_path / "c.csv").write_text(told, encoding="utf-8")
    return read_coding(tmp_path / "c.csv")


def faults_of(tmp_path: Path, told: str) -> list[str]:
    with pytest.raises(Faults) as caught:
        coded(tmp_path, told)
    assert all(isinstance(fault, CodingFault) for fault in caught.value.exceptions)
    return [str(fault).replace(f"{tmp_path}/", "") for fault in caught.value.exceptions]


def row(
    document: str = "fg1", segment: str = "", text: str = "", span: tuple[int, int] | None = None, **more: object
) -> CodedRow:
    start, end = span or (None, None)
    fields: dict[str, object] = {"line": 2, "site": "", "coder": "Bo", "codes": ("Trust",), "coded_at": None, **more}
    return CodedRow(document=document, segment=segment, text=text, start=start, end=end, **fields)  # type: ignore[arg-type]  # test shorthand


def place(
    *rows: CodedRow, transcripts: Sequence[Transcript] = (FG1, FG2), segments: Sequence[Segment] = SEGMENTS
) -> Placed:
    return place_coding(rows, {t.id: t for t in transcripts}, segments, THEMES, place="c.csv")


def placed(one: CodedRow) -> Segment:
    result = place(one)
    assert not result.faults
    return result.codings[0].segment


def refused(*rows: CodedRow, transcripts: Sequence[Transcript] = (FG1, FG2)) -> list[str]:
    return [str(fault) for fault in place(*rows, transcripts=transcripts).faults]


# Reading


def test_rows_are_read_with_codes_and_times(tmp_path: Path) -> None:
    told = HEAD + "fg1,t0,Bo, Trust ; Family;;Trust,2026-01-31 14:05\nfg1,t1,Bo,,2026-01-31T14:05:06+02:00\n"
    first, second = coded(tmp_path, told)
    assert (first.line, first.document, first.segment, first.coder) == (2, "fg1", "t0", "Bo")
    assert first.codes == ("Trust", "Family")
    assert first.coded_at == datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    assert second.codes == ()
    assert second.coded_at == datetime(2026, 1, 31, 12, 5, 6, tzinfo=UTC)
    assert (second.start, second.text, second.site) == (None, "", "")


def test_excel_dates_and_numbers_are_read(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append([*HEAD.strip().split(","), "Start", " END "])
    book.active.append([7, 1, "Bo", "Trust", datetime(2026, 1, 31, 14, 5), 3, 9.0])
    book.save(tmp_path / "c.xlsx")
    (one,) = read_coding(tmp_path / "c.xlsx")
    assert (one.document, one.segment, one.start, one.end) == ("7", "1", 3, 9)
    assert one.coded_at == datetime(2026, 1, 31, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("document,coder,codes,coded_at\n", ["c.csv: there is no column `segment` among `document`, `coder`, `codes`"]),
        ("dokument,segment,coder,codes,coded_at\n", ["c.csv: there is no column `document` among `dokument`"]),
        ("dokument,segment,coder,codes,coded_at\n", ["rename `dokument`?"]),
        (HEAD.replace("\n", ",strat\n"), ["c.csv: unknown column `strat`; did you mean `start`?"]),
        (HEAD + "fg1,t0,,Trust,\n", ["c.csv:2: `coder` is empty"]),
        (HEAD + ",t0,Bo,Trust,\n", ["c.csv:2: `document` is empty"]),
        (HEAD + "fg1,t0,Bo,Trust,31.1.2026\n", ["c.csv:2: `coded_at` is not a date"]),
        (HEAD + "fg1,t0,Bo,Trust,0001-01-01T00:00+14:00\n", ["c.csv:2: `coded_at` is not a date"]),
        (HEAD + "fg1,t0,Bo,Trust,9999-12-31T23:00-14:00\n", ["c.csv:2: `coded_at` is not a date"]),
        (
            HEAD.replace("\n", ",start,end\n") + f"fg1,t0,Bo,Trust,,4,{'9' * 5000}\n",
            ["c.csv:2: `end` is longer than any transcript"],
        ),
        (HEAD + "fg1,,Bo,Trust,\n", ["c.csv:2: nothing says which passage is meant"]),
        (HEAD.replace("\n", ",start\n") + "fg1,t0,Bo,Trust,,4\n", ["c.csv:2: only one of `start` and `end` is given"]),
        (HEAD.replace("\n", ",start,end\n") + "fg1,t0,Bo,Trust,,4,3\n", ["c.csv:2: `end` 3 is not after `start` 4"]),
        (HEAD.replace("\n", ",start,end\n") + "fg1,t0,Bo,Trust,,-4,3\n", ["c.csv:2: `start` is not a whole number"]),
        (
            HEAD + "fg1,t0,Bo,Trust,\nfg1,t0,Bo,Family,\n",
            ["c.csv:3: coder `Bo` coded this passage otherwise in line 2"],
        ),
        (HEAD + "fg1,t0,,Trust,x\n,t1,Bo,,\n", ["c.csv:2: `coder`", "c.csv:2: `coded_at`", "c.csv:3: `document`"]),
        ("", ["c.csv: the table is empty"]),
    ],
)
def test_every_fault_of_a_row_is_told_with_its_line(told: str, expected: list[str], tmp_path: Path) -> None:
    faults = faults_of(tmp_path, told)
    assert len(faults) == len(expected)
    for fault, part in zip(faults, expected, strict=True):
        assert part in fault


def test_a_repeated_row_counts_once_and_passages_without_name_are_told_apart_by_text(tmp_path: Path) -> None:
    told = HEAD.replace("\n", ",text\n") + "fg1,t0,Bo,A;B,,\nfg1,t0,Bo,B;A,,\nfg1,,Bo,A,,one\nfg1,,Bo,B,,two\n"
    assert [one.line for one in coded(tmp_path, told)] == [2, 4, 5]


# Placing


@pytest.mark.parametrize(
    "one",
    [
        row(segment="t0"),
        row(segment="t0", text="I trust the  nurses.\nThey listen."),
        row(segment="t0", span=(SEGMENTS[0].start, SEGMENTS[0].end)),
        row(segment="other", span=(SEGMENTS[0].start, SEGMENTS[0].end)),
        row(span=(SEGMENTS[0].start, SEGMENTS[0].end + 1)),
        row(text=SEGMENTS[0].text),
        row(segment="t1", text=SEGMENTS[0].text),
        row(span=(9990, 9999), text=SEGMENTS[0].text),
        row(span=(2, 9), text=SEGMENTS[0].text),
        row(document=" FG1 ", segment="t0"),
        row(site="ulm", segment="t0"),
    ],
)
def test_a_row_finds_its_segment_by_name_then_offsets_then_text(one: CodedRow) -> None:
    assert placed(one) == SEGMENTS[0]


def test_a_span_cut_by_a_person_becomes_a_new_segment() -> None:
    start = FG1.text.index("They")
    for one in (row(span=(start, start + 4)), row(text="They"), row(segment="t0", span=(start, start + 4))):
        found = placed(one)
        assert found == Segment(
            id=segment_id(FG1.id, start, start + 4),
            transcript=FG1.id,
            name=f"{start}-{start + 4}",
            turn=0,
            start=start,
            end=start + 4,
            text="They",
        )


def test_text_is_found_whatever_its_spacing_but_not_its_case() -> None:
    assert placed(row(text="My family hid it.")).text == "My  family\nhid it."
    assert "its text is not in `fg1`" in refused(row(text="my family hid it."))[0]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (row(text="Yes."), "its text occurs 2 times in `fg1`"),
        (row(segment="t0", text="invented"), "its text is not in `fg1`, nor at the place it names"),
        (row(segment="t0", span=(3, 9), text="invented"), "its text is not in `fg1`"),
        (row(segment="t00"), "`fg1` has no segment `t00`; did you mean `t0`?"),
        (row(segment="t0", span=(3, 9990)), "`end` 9990 is beyond the"),
        (row(span=(SEGMENTS[0].start, SEGMENTS[1].end)), "the passage crosses 2 turns"),
        (row(span=(0, SEGMENTS[0].end)), "the passage is not inside one turn"),
        (row(span=(0, 4)), "the passage is not inside one turn"),
        (row(span=(5, 6)), "the span holds no words"),
    ],
)
def test_what_cannot_be_placed_is_a_fault(one: CodedRow, expected: str) -> None:
    (fault,) = refused(one)
    assert fault.startswith("c.csv:2: cannot be placed: ")
    assert expected in fault
    assert "invented" not in fault


@pytest.mark.parametrize("words", ["ha ha ha", "ha  ha  ha"])
def test_overlapping_occurrences_are_ambiguous(words: str) -> None:
    (fault,) = refused(row("fg3", text="ha ha"), transcripts=(transcript("fg3", words),))
    assert "occurs 2 times" in fault


def test_an_unknown_document_is_one_fault_however_many_rows() -> None:
    (fault,) = refused(row("fg2b", "t0", line=2), row("fg2b", "t1", line=3), row("fg1", "t1", line=4))
    assert fault == "c.csv:2: there is no transcript `fg2b` (in 2 rows); did you mean `fg2`?"


def test_an_unknown_site_is_one_fault() -> None:
    (fault,) = refused(row("fg1", "t0", site="Ulmm"), row("fg2", "t0", site="Ulmm", line=3))
    assert fault == "c.csv:2: the study has no site `Ulmm` (in 2 rows); did you mean `Ulm`?"


def test_the_same_name_at_two_sites_needs_the_site() -> None:
    other = transcript("fg1", "Elsewhere we talk.", site="Kampala")
    (fault,) = refused(row(segment="t0"), row(segment="t1", line=3), transcripts=(FG1, other))
    assert "there is a transcript `fg1` at Kampala and at Ulm (in 2 rows); fill a column `site`" in fault
    result = place(row(site="Kampala", text="Elsewhere"), transcripts=(FG1, other))
    assert result.codings[0].segment.transcript == other.id


def test_a_site_is_first_looked_for_as_it_is_spelled() -> None:
    upper, lower = transcript("fg1", "Upper words.", site="ULM"), transcript("fg1", "Lower words.", site="ulm")
    alone = transcript("fg3", "Only there.", site="ulm")
    there = (upper, lower, alone)
    for told in (upper, lower):
        (coding,) = place(row(site=told.site, text="words."), transcripts=there).codings
        assert coding.segment.transcript == told.id
    assert "at ULM and at ulm" in refused(row(site="Ulm", text="words."), transcripts=there)[0]
    assert "there is no transcript `fg3`" in refused(row("fg3", site="ULM", text="Only"), transcripts=there)[0]
    assert place(row("fg3", site="Ulm", text="Only"), transcripts=there).codings


def test_a_segment_is_found_whatever_its_case_unless_two_are_alike() -> None:
    assert placed(row(segment=" T1")) == SEGMENTS[1]
    alike = [segment_of(FG1, turn, name) for turn, name in enumerate(("q1", "Q1", "q2"))]
    found = [place(row(segment=name), segments=alike) for name in ("q1", "Q1", "Q2")]
    assert [result.codings[0].segment for result in found] == alike
    (fault,) = place(row(segment="Q 1"), segments=alike).faults
    assert "has no segment `Q 1`" in str(fault)
    assert "has no segment" in str(place(row(segment="ｑ1"), segments=[]).faults[0])
    blurred = [segment_of(FG1, turn, name) for turn, name in enumerate(("Aa", "aA"))]
    assert "has no segment `AA`" in str(place(row(segment="AA"), segments=blurred).faults[0])


def test_a_silent_segment_is_known_whatever_its_case() -> None:
    turns = (Turn(speaker="", role=Role.UNKNOWN, start=0, end=0, line=2, segment="Q7"),)
    survey = Transcript(site="Ulm", name="s1", source="s.csv", language="en", text="", turns=turns)
    assert place(row("s1", "q7", codes=()), transcripts=(survey,), segments=()).silent == 1


def test_what_may_be_talk_in_the_wrong_column_is_not_quoted() -> None:
    def told(cell: str) -> list[str]:
        found = [*refused(row(segment="t0", codes=(cell,))), *refused(row(cell, "t0")), *refused(row(segment=cell))]
        return [*found, *refused(row(segment="t0", site=cell))]

    assert all("Q3 of the survey" in fault for fault in told("Q3 of the survey"))
    hidden = told("we waited an hour and nobody came")
    assert len(hidden) == 4
    assert not any("waited" in fault for fault in hidden)
    assert "the codebook has no theme (33 characters);" in hidden[0]


def test_a_first_row_that_is_talk_is_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("fg1,I was beaten by my uncle every night\nfg1,nobody knew\n")
    with pytest.raises(Faults) as raised:
        read_coding(tmp_path / "c.csv")
    assert raised.value.exceptions
    assert not any("beaten" in str(fault) for fault in raised.value.exceptions)


def test_two_transcripts_of_one_name_at_one_site_are_a_fault() -> None:
    (fault,) = refused(row(text="words"), transcripts=(FG1, transcript("fg1", "Other words.")))
    assert "there are 2 transcripts `fg1` at Ulm" in fault


def test_themes_are_found_whatever_their_case_and_unknown_ones_are_one_fault_each() -> None:
    result = place(
        row(segment="t0", codes=("family", "FEAR of  stigma")),
        row(segment="t1", codes=("Trusst",), line=3),
        row(segment="t2", codes=("Trusst", "Xyzzy"), line=4),
    )
    assert [coding.themes for coding in result.codings] == [("Family", "Fear of stigma")]
    assert [str(fault) for fault in result.faults] == [
        "c.csv:3: the codebook has no theme `Trusst` (in 2 rows); did you mean `Trust`?",
        "c.csv:4: the codebook has no theme `Xyzzy`; add it to the codebook, or correct the name",
    ]


def test_two_rows_that_turn_out_to_mean_one_passage_must_agree() -> None:
    by_name, by_text = row(segment="t0"), row(text=SEGMENTS[0].text, line=3)
    assert len(place(by_name, by_text).codings) == 1
    other = row(text=SEGMENTS[0].text, line=3, codes=())
    assert refused(by_name, other)[0].startswith("c.csv:3: coder `Bo` coded this passage otherwise in line 2")
    assert len(place(by_name, row(segment="t0", coder="Cy", codes=())).codings) == 2


# There and back

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cn"), include_characters="\n\t\"',;=@😀א\x0c\x01"),
    min_size=1,
    max_size=30,
).filter(lambda text: "\r" not in text and "\0" not in text and text.strip())
NAME = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=8).map(
    lambda text: " ".join(text.replace(";", "").split())
)
WHEN = st.datetimes(
    datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3.5))])
)


@st.composite
def studies(draw: st.DrawFn) -> tuple[dict[TranscriptId, Transcript], list[Segment], tuple[str, ...], list[Coding]]:
    names = draw(st.lists(NAME.filter(bool), min_size=1, max_size=3, unique_by=lambda name: name.casefold()))
    documents = [
        transcript(name, *draw(st.lists(TEXT, min_size=1, max_size=3)), site=draw(st.sampled_from(["Ulm", "=Kampala"])))
        for name in names
    ]
    documents = list({document.id: document for document in documents}.values())  # a study refuses the same words twice
    segments = []
    for document in documents:
        for turn in range(len(document.turns)):
            whole = segment_of(document, turn, f"t{turn}")
            segments.append(whole)
            cut = whole.start + draw(st.integers(1, len(whole.text)))
            if document.text[whole.start : cut].strip() and cut < whole.end:
                identity = segment_id(document.id, whole.start, cut)
                text = document.text[whole.start : cut]
                segments.append(
                    Segment(
                        id=identity,
                        transcript=document.id,
                        name=f"{whole.start}-{cut}",
                        turn=turn,
                        start=whole.start,
                        end=cut,
                        text=text,
                    )
                )
    themes = tuple(draw(st.lists(NAME.filter(bool), min_size=1, max_size=3, unique_by=lambda name: name.casefold())))
    codings = [
        Coding(
            segment=segment.id,
            coder=coder,
            themes=tuple(sorted(draw(st.sets(st.sampled_from(themes))))),
            coded_at=draw(WHEN),
        )
        for segment in segments
        for coder in draw(st.lists(NAME.filter(bool), max_size=2, unique=True))
    ]
    return {document.id: document for document in documents}, segments, themes, codings


@settings(max_examples=120, deadline=None)
@given(study=studies(), format_=st.sampled_from(["csv", "xlsx"]), known=st.booleans())
def test_coding_survives_export_and_import(
    study: tuple[dict[TranscriptId, Transcript], list[Segment], tuple[str, ...], list[Coding]],
    format_: str,
    known: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    transcripts, segments, themes, codings = study
    path = tmp_path_factory.mktemp("coding") / f"c.{format_}"
    write_table(path, CODING_COLUMNS, coding_rows(codings, segments, transcripts), format=format_)
    again = place_coding(read_coding(path), transcripts, segments if known else [], themes, place="c")
    assert again.faults == ()
    assert [
        Coding(segment=c.segment.id, coder=c.coder, themes=c.themes, coded_at=c.coded_at)
        for c in again.codings
        if c.coded_at is not None
    ] == codings
    if known:
        assert {c.segment for c in again.codings} <= set(segments)


def test_the_columns_are_the_contracts() -> None:
    assert ", ".join(CODING_COLUMNS) == "site, document, segment, coder, codes, coded_at, start, end, text"
