"""The bank of anchors: what is proposed, what is settled, and what a table must say."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.anchors import Candidate, propose
from pipeline.records import SegmentId
from pipeline.store import open_store
from pipeline.store.anchors import load_gold
from pipeline.store.trail import verify

from .running import run

CODING = """document,segment,coder,codes,coded_at
n1,t002s1,Ada,Waiting,2026-03-02T09:00:00+00:00
n1,t002s1,Ben,Waiting,2026-03-02T10:00:00+00:00
n1,t004s1,Ada,Money,2026-03-02T09:01:00+00:00
n1,t004s1,Ben,,2026-03-02T10:01:00+00:00
s1,t002s1,Ben,Waiting,2026-03-02T09:00:00+00:00
s1,t003s1,Ada,Money,2026-03-02T09:05:00+00:00
s1,t003s1,Ben,Money,2026-03-02T09:05:00+00:00
"""
HEADING = "document,segment,themes,uncertain,adjudicated\n"
PRIORITY = '\n[audit]\npriority = ["Waiting", "Money"]\n'


@pytest.fixture
def coded(study: Path) -> Path:
    """Return a study with suggestions, coding of two coders, and priority themes."""
    with (study / "study.toml").open("a", encoding="utf-8") as file:
        file.write(PRIORITY)
    (study / "coding.csv").write_text(CODING)
    run("import", study, study / "coding.csv")
    run("suggest", study, "--direct")
    return study


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))


def test_a_bank_is_drawn_settled_and_counted(coded: Path) -> None:
    out = coded / "anchors.csv"
    assert "proposed in" in run("anchors", "draw", coded, "--out", out, "--wished", "2").output
    rows = {(row["document"], row["segment"]): row for row in rows_of(out)}
    agreed, split = rows["n1", "t002s1"], rows["n1", "t004s1"]
    assert (agreed["themes"], agreed["uncertain"], agreed["adjudicated"]) == ("Waiting", "", "agreed by Ada, Ben")
    assert agreed["said"] == "Waiting 2 of 2"
    assert "Waiting" in agreed["proposed_for"].split(";")
    assert (split["themes"], split["uncertain"], split["adjudicated"]) == ("Money", "Money", "")
    assert "2 adjudicated rows read, 2 new or changed" in run("anchors", "import", coded, out).output
    assert "2 adjudicated rows read, 0 new or changed" in run("anchors", "import", coded, out).output
    told = json.loads(run("anchors", "status", coded, "--json").stdout)
    assert [(bank["theme"], bank["positive"], bank["negative"]) for bank in told["themes"]] == [
        ("Waiting", 1, 1),
        ("Money", 1, 1),
    ]
    assert told["coders"][0] == {"coder": "Ada", "anchors": 0, "overlap": 0, "duplicates": 0, "remaining": 0}
    left = {(row["document"], row["segment"]) for row in rows_of(out)} - {("n1", "t002s1"), ("s1", "t003s1")}
    run("anchors", "draw", coded, "--out", out, "--wished", "2")
    assert {(row["document"], row["segment"]) for row in rows_of(out)} >= left, "what is settled is not proposed again"
    assert ("n1", "t002s1") not in {(row["document"], row["segment"]) for row in rows_of(out)}


def test_a_workbook_is_drawn_and_imported(coded: Path) -> None:
    out = coded / "anchors.xlsx"
    run("anchors", "draw", coded, "--out", out)
    book = openpyxl.load_workbook(out)
    sheet = book.active
    assert sheet is not None
    heading = [cell.value for cell in next(sheet.iter_rows())]
    for row in sheet.iter_rows(min_row=2):
        row[heading.index("adjudicated")].value = "Ada & Ben"
        row[heading.index("uncertain")].value = None
    book.save(out)
    said = run("anchors", "import", coded, out).output
    assert "0 not adjudicated yet" in said
    assert "4 adjudicated rows read" in said


def test_what_is_adjudicated_again_counts_as_it_was_said_last(coded: Path) -> None:
    table = coded / "gold.csv"
    for themes, uncertain in (("Waiting", ""), ("", "Waiting")):
        table.write_text(f"{HEADING}n1,t002s1,{themes},{uncertain},Ada\n")
        assert "1 new or changed" in run("anchors", "import", coded, table).output
    store = open_store(f"sqlite:///{coded / 'themescout.db'}")
    (gold,) = load_gold(store).values()
    assert (gold.themes, gold.uncertain, gold.adjudicated_by) == (frozenset(), frozenset({"Waiting"}), "Ada")
    assert (gold.says("Waiting"), gold.says("Money")) == (None, False)
    store.close()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["n1,t099s1,Waiting,,Ada"], "gold.csv:2: cannot be placed: `n1` has no segment `t099s1`; did you mean"),
        (["n9,t002s1,Waiting,,Ada"], "gold.csv:2: there is no transcript `n9`"),
        (["n1,t002s1,Wating,,Ada"], "the codebook has no theme `Wating`; did you mean `Waiting`?"),
        (["n1,t002s1,,Envy,Ada"], "the codebook has no theme `Envy`"),
        (["n1,t002s1,Waiting,,Ada", "n1,t002s1,Money,,Ada"], "gold.csv:3: the segment `t002s1` is in line 2 already"),
        (["n1,t002s1,Waiting,,"], "no row is adjudicated yet; say in the column `adjudicated` who settled it"),
        ([",t002s1,Waiting,,Ada"], "gold.csv:2: `document` is empty"),
    ],
)
def test_a_table_that_does_not_fit_is_told_and_nothing_is_kept(coded: Path, rows: list[str], told: str) -> None:
    table = coded / "gold.csv"
    table.write_text(HEADING + "\n".join(["s1,t002s1,Waiting,,", *rows][1:]) + "\n")
    result = run("anchors", "import", coded, table, expect=1)
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    store = open_store(f"sqlite:///{coded / 'themescout.db'}")
    assert load_gold(store) == {}
    store.close()


def test_all_faults_of_a_table_are_told_at_once(coded: Path) -> None:
    table = coded / "gold.csv"
    table.write_text(HEADING + "n1,t002s1,Envy,,Ada\nn1,t099s1,Waiting,,Ada\nn1,t004s1,Money,,Ada\n")
    result = run("anchors", "import", coded, table, expect=1)
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["2", "3"]
    table.write_text("document,segment,theme,adjudicated\n")
    assert "no column `themes`" in run("anchors", "import", coded, table, expect=1).stderr


def test_a_passage_that_is_no_segment_cannot_be_an_anchor(coded: Path) -> None:
    table = coded / "gold.csv"
    table.write_text("document,segment,start,end,themes,adjudicated\nn1,,55,75,Waiting,Ada\n")
    assert (
        "gold.csv:2: the passage is no segment of the study" in run("anchors", "import", coded, table, expect=1).stderr
    )


def test_what_the_priority_lacks_is_told(study: Path, coded: Path) -> None:
    out = coded / "anchors.csv"
    file = coded / "study.toml"
    plain = file.read_text().replace(PRIORITY, "")
    file.write_text(plain)
    assert "names no themes to check coders on" in run("anchors", "draw", coded, "--out", out, expect=1).stderr
    file.write_text(plain + '\n[audit]\npriority = ["Wating"]\n')
    for command in (["anchors", "draw", coded, "--out", out], ["check", coded]):
        said = run(*command, expect=1).stderr
        assert "[audit] `priority`: the codebook has no theme `Wating`; did you mean `Waiting`?" in said
    file.write_text(plain + '\n[audit]\npriority = ["a", "b", "c", "d", "e", "f"]\n')
    assert "should be a list of at most five themes" in run("check", coded, expect=1).stderr
    assert "give a .csv or .xlsx file" in run("anchors", "draw", coded, "--out", "x.txt", expect=2).stderr


def test_a_bank_is_never_drawn_onto_the_study_itself(coded: Path) -> None:
    assert "is a part of the study" in run("anchors", "draw", coded, "--out", coded / "codebook.csv", expect=1).stderr


def test_without_a_store_there_is_nothing_to_draw_from(study: Path) -> None:
    (study / "gold.csv").write_text(HEADING + "n1,t002s1,Waiting,,Ada\n")
    for rest in (["draw", study, "--out", study / "x.csv"], ["import", study, study / "gold.csv"], ["status", study]):
        assert "there is no store yet" in run("anchors", *rest, expect=1).stderr
    assert not list(study.glob("*.db*"))


def test_the_trail_is_a_table_without_anybodys_words(coded: Path) -> None:
    out = coded / "trail.csv"
    assert "7 rows of trail written" in run("export", coded, "--what", "trail", "--out", out).output
    rows = rows_of(out)
    assert [row["number"] for row in rows] == [str(n) for n in range(1, 8)]
    assert {row["coder"] for row in rows} == {"Ada", "Ben"}
    assert "waited" not in out.read_text(encoding="utf-8-sig")
    store = open_store(f"sqlite:///{coded / 'themescout.db'}")
    assert rows[-1]["hash"] == verify(store).head.hash
    store.close()


THEMES = ("A", "B")
CANDIDATES = st.lists(
    st.builds(
        lambda number, document, coders, votes, likely, suggested: Candidate(
            segment=SegmentId(f"s{number}"),
            document=f"d{document}",
            coders=tuple("xyz"[:coders]),
            votes={theme: min(times, coders) for theme, times in votes.items() if min(times, coders)},
            likely=likely,
            suggested=suggested & likely,
        ),
        st.integers(0, 10_000),
        st.integers(0, 5),
        st.integers(0, 3),
        st.dictionaries(st.sampled_from(THEMES), st.integers(1, 3)),
        st.frozensets(st.sampled_from(THEMES)),
        st.frozensets(st.sampled_from(THEMES)),
    ),
    max_size=60,
    unique_by=lambda one: one.segment,
)


@settings(max_examples=100, deadline=None)
@given(CANDIDATES, st.integers(1, 8))
def test_a_bank_has_as_many_of_each_side_as_there_are(candidates: list[Candidate], wished: int) -> None:
    proposals = propose(candidates, THEMES, wished)
    assert len({one.candidate.segment for one in proposals}) == len(proposals)
    assert proposals == propose(candidates[::-1], THEMES, wished), "whatever the order they come in"
    for theme in THEMES:
        for side in (True, False):
            there = sum(one.expected(theme) is side for one in candidates)
            had = sum((theme, side) in one.sides for one in proposals)
            assert had >= min(there, wished)
    assert len(proposals) <= len(THEMES) * 2 * wished
    for one in proposals:
        for theme, side in one.sides:
            assert side or theme in one.candidate.likely, "what nobody could mistake is no hard negative"


def candidate(number: int, document: str, *, coders: int = 2, given: bool = True) -> Candidate:
    return Candidate(
        segment=SegmentId(f"s{number}"), document=document, coders=tuple("xy"[:coders]),
        votes={"A": coders} if given and coders else {}, likely=frozenset("A"), suggested=frozenset("A"),
    )  # fmt: skip


def documents_of(candidates: Sequence[Candidate], wished: int) -> Counter[str]:
    return Counter(one.candidate.document for one in propose(candidates, ["A"], wished))


def test_anchors_come_from_as_many_documents_as_there_are() -> None:
    many = [candidate(n, "long") for n in range(50)] + [candidate(100 + n, f"d{n}") for n in range(4)]
    assert documents_of(many, 6) == {"long": 2, "d0": 1, "d1": 1, "d2": 1, "d3": 1}


def test_what_coders_agree_on_comes_before_what_nobody_has_read() -> None:
    unread = [candidate(n, f"d{n}", coders=0) for n in range(20)]
    agreed = [candidate(100 + n, "one") for n in range(3)]
    proposals = propose([*unread, *agreed], ["A"], 5)
    assert sum(one.candidate.agreed for one in proposals) == 3
    assert len(proposals) == 5
