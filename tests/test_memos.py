"""Memos: in versions, in the store, on the page, in exports; one's own alone, and never what gives a check away."""

import csv
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import exc

from pipeline.carry import carry_over
from pipeline.memos import LONGEST, About, Memo, cleaned, noted, together, versions
from pipeline.records import Codebook, SegmentId, Theme
from pipeline.review.accounts import add_person
from pipeline.store import Store, open_store
from pipeline.store.corpus import Source, load_segments, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.memos import load_memos, noting
from pipeline.store.people import Rights
from pipeline.store.slots import load_slots

from .reviewing import CODEBOOK, Coder, at_the_page, fill, study_in, transcript
from .running import run
from .test_review_team import WORD, somebody
from .test_slots import PLACES
from .test_slots import study as checks

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FIRST, SECOND = (segment.id for segment in transcript()[1][:2])
ON, AGAIN = About(segment=FIRST), About(segment=FIRST, again=True)
HOSTILE = "<script>alert(1)</script> & \u202eevil\u202c \u200b\u2066 \N{PILE OF POO} \x01 </textarea><b>\x00\r\nשלום"


def memo(text: str, about: About = ON, coder: str = "Ria", request: str = "") -> Memo:
    return Memo(coder=coder, about=about, text=text, written_at=NOW, request=request)


def write(coder: Coder, text: str, *, base: str | None = None, request: str = "", **on: str) -> str:
    """Write a memo on the first segment, or on what is told, having seen the page that is there."""
    on = on or {"segment": FIRST}
    told = {"memo": text, "base": coder_sees(coder) if base is None else base, "request": request}
    return coder.post("/memo", on | told)


def coder_sees(coder: Coder, about: str = r"\w+ ") -> str:
    """Return what the memo says on the present page, as the box has it."""
    found = re.search(rf'data-about="{about}.*?<textarea[^>]*>(.*?)</textarea>', coder.page, flags=re.DOTALL)
    return unescape(found[1]) if found else ""


def names(coder: Coder) -> list[str]:
    """Return the names under which a browser keeps drafts of the memo on the current segment."""
    found = re.search(r'data-about="(\w+ \w+)"', coder.page)
    assert found
    return found[1].split()


def said(store: Store, coder: str = "Ria", about: About = ON) -> list[str]:
    return [one.text for one in load_memos(store, coder=coder) if one.about == about]


# What stands of memos.


def test_the_latest_version_counts_and_an_empty_one_takes_the_memo_away() -> None:
    rows = [memo("one"), memo("two"), memo("other", About(segment=SECOND)), memo("")]
    assert noted(rows[:2], [ON]).text == "two"
    assert [one.text for one in noted(rows[:2], [ON]).before] == ["one"]
    assert noted(rows, [ON]).text == ""
    assert [one.text for one in noted(rows, [ON]).before] == ["two", "one"]


@given(st.lists(st.sampled_from(["", "a bus", "rain", "a bus in the rain", "cold"])))
def test_together_loses_nothing_and_says_nothing_twice(texts: list[str]) -> None:
    whole = together(texts)
    assert all(text in whole for text in texts)
    assert len(whole) <= len("\n\n".join(texts))
    assert together([whole, *texts]) == whole


@given(st.text(), st.text(), st.text())
def test_whoever_writes_from_an_older_state_overwrites_nothing(there: str, base: str, typed: str) -> None:
    there, base, typed = cleaned(there), cleaned(base), cleaned(typed)
    made = versions(memo(typed), base, [memo(there)], [ON])
    after = noted([memo(there), *made], [ON]).text
    assert typed in after
    assert after == typed or (there in after and base != there)


def test_memos_on_themes_that_became_one_are_one_and_are_written_as_one() -> None:
    old, new = About(theme="Delays"), About(theme="Waiting")
    rows = [memo("of delays", old), memo("of waiting", new)]
    assert noted(rows, [new, old]).text == "of waiting\n\nof delays"
    made = versions(memo("of both", new), "of waiting\n\nof delays", rows, [new, old])
    assert [(one.about, one.text) for one in made] == [(new, "of both"), (old, "")]
    assert noted([*rows, *made], [new, old]).text == "of both"


# The store.


@pytest.fixture
def team(store: Store) -> Store:
    """Return a store with two transcripts, a lead, a coder beside another, and an auditor."""
    fill(store, [("North", "Group 1"), ("South", "Group 2")])
    for name, rights in (("Lea", "lead"), ("Asha", "coder"), ("Ben", "coder"), ("Odo", "auditor")):
        add_person(store, name, Rights(rights), WORD)
    return store


def test_memos_come_back_as_they_were_written_and_cannot_be_changed(either: Store) -> None:
    fill(either)
    rows = [
        memo(cleaned(HOSTILE), request="r1"),
        memo("again", AGAIN),
        memo("of the theme", About(theme="Waiting"), "Ben"),
        memo("of the group", About(site="North", document="Group 1")),
    ]
    with noting(either) as append:
        append(rows)
    assert load_memos(either) == rows
    assert load_memos(either, coder="Ben") == rows[2:3]
    assert load_memos(either, segment=FIRST) == rows[:2]
    key = transcript()[0].id
    assert load_memos(either, transcript=key, place=("North", "Group 1")) == [*rows[:2], rows[3]]
    assert load_memos(either, themes=["Waiting", ""]) == rows[2:3]
    for change in ("UPDATE memos SET text = 'x'", "DELETE FROM memos"):
        with pytest.raises(exc.IntegrityError, match="memos are appended, never changed"), either.writing() as at:
            at.execute(sa.text(change))
    with pytest.raises(RuntimeError), noting(either) as append:
        append([memo("never")])
        raise RuntimeError
    assert load_memos(either) == rows


def test_a_memo_goes_with_the_words_into_a_changed_transcript(either: Store) -> None:
    (piece, *_) = fill(either)
    with noting(either) as append:
        append([memo("kept", About(segment=piece.id))])
    made, _ = transcript()
    text = "A line before.\n" + made.text
    moved = tuple(replace(turn, start=turn.start + 15, end=turn.end + 15) for turn in made.turns)
    later = replace(made, text=text, turns=moved)
    cut = [
        replace(
            one,
            id=SegmentId(f"new{at}"),
            transcript=later.id,
            start=one.start + 15,
            end=one.end + 15,
        )
        for at, one in enumerate(transcript()[1])
    ]
    put_source(either, Source(path=made.source, site="North", sha256="later", settings="s"), [(later, cut)])
    assert carry_over(either) == 1
    assert [one.about.segment for one in load_memos(either)] == ["new0"]


# The page.


def test_a_memo_is_written_changed_and_taken_away_without_scripts(coder: Coder) -> None:
    coder.go("/next")
    assert 'data-key="m"' in coder.page
    write(coder, "  Waiting as weather.\r\nAsk again. ")
    assert "Your memo is written." in coder.page
    assert coder_sees(coder) == "Waiting as weather.\nAsk again."
    assert coder.mark(FIRST) == "open", "a memo decides nothing"
    assert coder.page.count("you have a memo on it") == 1
    write(coder, "Otherwise.")
    assert "Before (1)" in coder.page
    write(coder, "")
    assert "Your memo is away." in coder.page
    assert "you have a memo on it" not in coder.page
    assert said(coder.store) == ["Waiting as weather.\nAsk again.", "Otherwise.", ""]
    assert not coder.rows


def test_hostile_text_is_shown_as_text(coder: Coder) -> None:
    coder.go("/next")
    write(coder, HOSTILE)
    kept = "<script>alert(1)</script> & \u202eevil\u202c \u200b\u2066 \N{PILE OF POO} \x01 </textarea><b>␀\nשלום"
    assert said(coder.store) == [kept]
    assert coder_sees(coder) == kept
    for path in ("/next", "/memos"):
        coder.go(path)
        assert "<script>alert" not in coder.page
        assert "</textarea><b>" not in coder.page
        assert "\0" not in coder.page


def test_a_text_that_is_too_long_is_refused_in_plain_words(coder: Coder) -> None:
    coder.go("/next")
    write(coder, "x" * LONGEST)
    write(coder, "y" * (LONGEST + 1))
    assert (coder.status, said(coder.store)) == (400, ["x" * LONGEST])
    assert "A memo holds up to 20,000 characters, and this one has 20,001." in unescape(coder.page)


def test_what_is_sent_twice_counts_once_and_two_windows_keep_both(coder: Coder) -> None:
    coder.go("/next")
    write(coder, "one", request="abc")
    write(coder, "two", base="one", request="def")
    write(coder, "one", base="", request="abc")
    assert said(coder.store) == ["one", "two"], "the first was written before, and is not written again"
    write(coder, "from the other window", base="one", request="ghi")
    assert "changed in another window" in coder.page
    assert said(coder.store)[-1] == "two\n\nfrom the other window"
    write(coder, "", base="one", request="jkl")
    assert "so it was not taken away" in coder.page
    assert said(coder.store)[-1] == "two\n\nfrom the other window"


@pytest.mark.parametrize(
    "on", [{"segment": "nothing"}, {"transcript": "nothing"}, {"theme": "Nothing"}, {"other": "x"}]
)
def test_what_is_not_there_gets_no_memo(coder: Coder, on: dict[str, str]) -> None:
    coder.go("/next")
    write(coder, "lost", **on)
    assert (coder.status, load_memos(coder.store)) == (400, [])


def test_a_span_has_a_memo_of_its_own_and_only_its_coder_can_write_it(coder: Coder, tmp_path: Path) -> None:
    coder.go("/next")
    coder.post(f"/span/{FIRST}/move", {"change": "longer", "at": coder.at})
    span = next(row.segment for row in coder.rows if row.cut_from)
    write(coder, "of the span", segment=span)
    assert "Your span" in coder.page
    assert coder_sees(coder) == "of the span"
    assert coder.page.count("you have a memo on it") == 1
    coder.go(f"/transcript/{coder.where(FIRST)}?segment={FIRST}")
    assert coder_sees(coder) == "", "the segment has none"
    assert "1 segment</h2>" not in coder.go("/filter?order=filter%3Amemo%3Dyes")
    assert "2 segments</h2>" in coder.page, "both that the span lies in"
    with at_the_page(coder.store, study_in(tmp_path), name="Ben") as ben:
        ben.go("/next")
        write(ben, "of another's", segment=span)
        assert ben.status == 400


def test_a_transcript_and_a_theme_have_memos_too(coder: Coder) -> None:
    coder.go("/next")
    key = coder.where(FIRST)
    write(coder, "A loud group.", transcript=key, segment=FIRST)
    assert coder_sees(coder, "transcript") == "A loud group."
    assert coder_sees(coder) == ""
    coder.go("/codebook/theme?theme=Waiting")
    write(coder, "Too wide?", theme="Waiting", base="")
    assert "Your memo is written." in coder.page
    assert coder_sees(coder, "theme") == "Too wide?"
    page = unescape(coder.go("/memos"))
    assert page.index("A loud group.") < page.index("Too wide?")


def test_a_memo_on_a_theme_goes_with_its_new_name(store: Store, tmp_path: Path) -> None:
    fill(store)
    with noting(store) as append:
        append([memo("Too wide?", About(theme="Waiting"))])
    renamed = Codebook(themes=(Theme(name="Time at the stop", formerly=("Waiting",)), *CODEBOOK.themes[1:]))
    with at_the_page(store, study_in(tmp_path), codebook=renamed) as ria:
        ria.go("/codebook/theme?theme=Time+at+the+stop")
        assert coder_sees(ria, "theme") == "Too wide?"
        assert "Time at the stop" in ria.go("/memos")


def test_own_memos_are_found_by_their_words_and_by_the_filter(coder: Coder) -> None:
    for segment, text in ((FIRST, "Compare Ben in the RAIN"), (SECOND, "Nothing of that")):
        coder.go(f"/transcript/{coder.where(segment)}?segment={segment}")
        write(coder, text, segment=segment)
    assert "2 memos" in coder.go("/memos")
    page = coder.post("/memos", {"words": 'ben "the rain"'})
    assert "Compare Ben" in page
    assert "Nothing of that" not in page
    assert "rain" not in coder.url, "what is typed is in no address"
    assert "2 segments</h2>" in coder.go("/filter?order=filter%3Amemo%3Dyes")
    coder.go(f"/transcript/{coder.where(SECOND)}?segment={SECOND}")
    write(coder, "", segment=SECOND)
    assert "1 segment</h2>" in coder.go("/filter?order=filter%3Amemo%3Dyes")


# Blind by design.


def test_others_see_no_memo_until_the_comparison_is_open(team: Store, tmp_path: Path) -> None:
    key = str(load_segments(team)[0].transcript)
    with somebody(team, tmp_path, "Asha") as asha:
        asha.go(f"/transcript/{key}?segment={FIRST}")
        write(asha, "Asha’s secret thought")
        write(asha, "Asha of the group", transcript=key, base="")
        asha.go("/codebook/theme?theme=Waiting")
        write(asha, "Asha of the theme", theme="Waiting", base="")
    paths = (f"/transcript/{key}?segment={FIRST}", "/memos", "/", "/codebook/theme?theme=Waiting", f"/compare/{key}")
    with somebody(team, tmp_path, "Ben") as ben:
        for path in (*paths, "/filter?order=filter%3Amemo%3Dyes"):
            ben.go(path)
            assert "Asha" not in ben.page
            assert "you have a memo" not in ben.page
    for name in ("Lea", "Odo"):
        with somebody(team, tmp_path, name) as reader:
            page = reader.go(f"/compare/{key}")
            assert "Asha’s secret thought" in page
            assert "Asha of the group" in page
            assert "Asha of the theme" in reader.go("/codebook/theme?theme=Waiting")
            assert "Asha" not in reader.go(f"/transcript/{key}?segment={FIRST}"), "who codes reads blind"
    with somebody(team, tmp_path, "Lea") as lea:
        lea.go(f"/compare/{key}")
        lea.post(f"/compare/{key}/open", {"open": "yes"})
    with somebody(team, tmp_path, "Ben") as ben:
        assert "Asha’s secret thought" in ben.go(f"/compare/{key}")
        assert "Asha" not in ben.go(f"/transcript/{key}?segment={FIRST}")
        assert "Asha" not in ben.go("/codebook/theme?theme=Waiting"), "a theme is no transcript"
    with somebody(team, tmp_path, "Odo") as odo:
        odo.go("/next")
        write(odo, "an auditor only looks", base="")
        assert odo.status == 403


def test_a_segment_that_comes_again_comes_without_its_memo(store: Store, tmp_path: Path) -> None:
    fill(store, PLACES)
    told = checks(tmp_path, duplicates=0.3, again_after=3)
    with at_the_page(store, told) as ria:
        ria.go("/next")
        drafts: dict[SegmentId, list[str]] = {}
        while True:  # each with a memo, until one comes a second time
            here = SegmentId(re.search(r"[?&]segment=(\w+)", ria.url)[1])  # type: ignore[index]  # it is there
            if any(slot.segment == here for slot in load_slots(store, "Ria")):
                break
            drafts[here] = names(ria)
            write(ria, f"thought of {here}", segment=here)
            ria.post(f"/segment/{here}?go=next", {"answer": "nothing", "theme": "", "at": ria.at})
        first = f"thought of {here}"
        for path in (None, "/memos", "/filter?order=filter%3Amemo%3Dyes"):
            page = ria.page if path is None else ria.go(path)
            assert first not in page
        assert f"segment={here}" not in ria.page, "the filter does not find it either"
        key = ria.where(here)
        ria.go(f"/transcript/{key}?segment={here}")
        assert coder_sees(ria) == ""
        assert "you have a memo on it" not in ria.page, "nor is told what was read of this transcript before"
        assert 'data-about="transcript:' not in ria.page
        assert drafts[here][0] not in names(ria), "nor is what was typed then, and not saved"
        write(ria, "a second thought", segment=here)
        assert coder_sees(ria) == "a second thought"
        ria.post(f"/segment/{here}?go=next", {"answer": "nothing", "theme": "", "at": ria.at})
        other = SegmentId(re.search(r"[?&]segment=(\w+)", ria.url)[1])  # type: ignore[index]  # it is there
        ria.post(f"/segment/{other}?go=next", {"answer": "nothing", "theme": "", "at": ria.at})
        ria.go(f"/transcript/{key}?segment={here}")
        both = f"{first}\n\na second thought"
        assert names(ria) == drafts[here]
        assert coder_sees(ria) == both, "afterwards nothing of what was thought is gone"
        write(ria, "in the end", segment=here)
        assert coder_sees(ria) == "in the end"
    assert {d.segment for d in load_decisions(store)} >= {here}


def page_of(text: str) -> str:
    """Return a page without what differs between any two segments: ids, numbers, times and the words themselves."""
    text = re.sub(r"<article.*?</article>", "", text, flags=re.DOTALL) + "".join(
        re.findall(r'<div class="memo.*?</form>', text, flags=re.DOTALL)
    )
    return re.sub(r"[0-9a-f]{20}|\d+", "#", text)


def test_a_box_looks_alike_whether_suggestions_are_withheld_or_there_are_none(store: Store, tmp_path: Path) -> None:
    fill(store)
    pages = {}
    for share in (0.0, 1.0):
        with at_the_page(store, checks(tmp_path, withhold=share)) as ria:
            bare = load_segments(store)[4].id  # nothing is suggested for it
            pages[share] = page_of(ria.go(f"/transcript/{ria.where(bare)}?segment={bare}"))
    assert pages[0.0] == pages[1.0]


# Exports.


def exported(folder: Path, format_: str) -> Path:
    out = folder.parent / f"memos.{format_}"
    run("export", folder, "--what", "memos", "--format", format_, "--out", out)
    return out


def test_memos_are_exported_as_they_stand(study: Path) -> None:
    run("suggest", study, "--direct")
    store = open_store(f"sqlite:///{study / 'themescout.db'}")
    pieces = load_segments(store)
    later = NOW + timedelta(hours=1)
    hostile = cleaned("=1+1 " + HOSTILE)
    with noting(store) as append:
        append(
            [
                memo("draft", About(segment=pieces[0].id)),
                memo("away", About(segment=pieces[1].id)),
                memo("of the theme", About(theme="Waiting"), "Ben"),
                memo("of the group", About(site="North", document="n1")),
                Memo(coder="Ria", about=About(segment=pieces[0].id), text=hostile, written_at=later),
                memo("", About(segment=pieces[1].id)),
            ]
        )
    store.close()
    with exported(study, "csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["memo"], row["coder"], row["theme"], row["versions"]) for row in rows] == [
        (hostile, "Ria", "", "2"),
        ("of the theme", "Ben", "Waiting", "1"),
        ("of the group", "Ria", "", "1"),
    ]
    first = rows[0]
    assert (first["site"], first["segment"], first["text"]) == ("North", pieces[0].name, pieces[0].text)
    assert (first["written_at"], first["again"]) == ("2026-03-02T10:30:00+00:00", "false")
    assert (rows[2]["site"], rows[2]["document"], rows[2]["segment"], rows[2]["start"]) == ("North", "n1", "", "")
    sheet = load_workbook(exported(study, "xlsx")).active
    assert sheet is not None
    cells = [row[8].value for row in sheet.iter_rows(min_row=2)]
    assert cells == [hostile.replace("\x01", ""), "of the theme", "of the group"]
    for format_ in ("jsonl", "parquet"):
        assert exported(study, format_).stat().st_size > 0
