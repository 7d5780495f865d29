"""The codebook changed while people code: in the store and in its file, by several at once, cut off in the middle."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.codebook import read_codebook, write_codebook
from pipeline.coded import coded_segments
from pipeline.edits import Act, Edit, about
from pipeline.errors import CodebookFault, Fault, Faults
from pipeline.records import Answer, Codebook, Decision, Kind, SegmentId
from pipeline.review import Order, Reviewer, in_order
from pipeline.review.accounts import add_person
from pipeline.review.filters import Filter, matching
from pipeline.revise import present, revise
from pipeline.store import Store, open_store
from pipeline.store.corpus import load_segments
from pipeline.store.decisions import add_decisions, load_decisions
from pipeline.store.people import Rights
from pipeline.store.revisions import list_proposals, list_revisions

from .reviewing import CODEBOOK, Coder, at_the_page, fill, study_in
from .test_review_team import WORD, somebody

BOOK = Codebook(themes=tuple(replace(theme, parent="") for theme in CODEBOOK.themes))
NAMES = [("North", "Group 1"), ("South", "Group 2")]
WORDS = {"definition": "Time at the stop, in any weather", "include": "", "exclude": "Work"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "codebook.csv"
    write_codebook(BOOK, made)
    return made


@pytest.fixture
def full(store: Store, file: Path) -> Store:
    fill(store, NAMES)
    return store


@pytest.fixture
def ria(full: Store, tmp_path: Path) -> Iterator[Coder]:
    with at_the_page(full, study_in(tmp_path)) as coder:
        yield coder


def seen_on(coder: Coder, theme: str, field: str = "seen") -> str:
    page = coder.go(f"/codebook/theme?theme={theme}")
    found = re.search(rf'name="{field}" value="(\w+)"', page)
    assert found
    return found[1]


def change(coder: Coder, act: str, theme: str, **form: str) -> str:
    told = {"seen": seen_on(coder, theme)} if act != "propose" else {}
    if act == "merge":
        told[f"seen:{form['into']}"] = seen_on(coder, theme, f"seen:{form['into']}")
    return coder.post("/codebook/change", told | {"act": act, "theme": theme} | form)


def words(theme: str = "Waiting", definition: str = "Other words") -> Edit:
    return Edit(act=Act.WORDS, theme=theme, definition=definition)


def ids(store: Store) -> list[SegmentId]:
    return [piece.id for piece in load_segments(store)]


def test_a_change_is_in_the_file_and_in_the_history_with_who_and_why(ria: Coder, file: Path) -> None:
    page = change(ria, "words", "Waiting", why="Asked for <indoors> & out", **WORDS)
    assert "The codebook says so now" in page
    assert read_codebook(file).themes[0].definition == WORDS["definition"]
    first, second = list_revisions(ria.store)
    assert (first.by, first.before, first.revision) == ("", "", BOOK.revision)
    assert (second.by, second.before, second.why) == ("Ria", BOOK.revision, "Asked for <indoors> & out")
    assert second.revision == read_codebook(file).revision
    page = ria.go("/codebook/history")
    assert "Asked for &lt;indoors&gt; &amp; out" in page
    assert unescape(page).count("Time at the stop, in any weather") == 1
    assert "Time spent at the stop" in page


def test_decisions_after_a_change_carry_its_revision(ria: Coder, file: Path) -> None:
    change(ria, "words", "Waiting", **WORDS)
    ria.say(ids(ria.store)[0], "accept", "Waiting")
    assert ria.rows[-1].codebook_revision == read_codebook(file).revision != BOOK.revision


@pytest.mark.parametrize(("answer", "kind"), [("accept", Kind.TYPICAL), ("reject", Kind.NEAR_MISS)])
def test_a_segment_becomes_an_exemplar_or_a_near_miss_with_its_source(
    ria: Coder, file: Path, answer: str, kind: Kind
) -> None:
    segment = load_segments(ria.store)[0]
    form = {"theme": "Waiting"} | ({"kind": "near_miss"} if kind is Kind.NEAR_MISS else {})
    ria.go(f"/segment/{segment.id}")
    assert "/exemplar" not in ria.page
    ria.post(f"/segment/{segment.id}/exemplar", form)
    assert ria.status == 400, "only what the coder said of it can be shown by it"
    ria.say(segment.id, answer, "Waiting")
    assert f'/segment/{segment.id}/exemplar"' in ria.page
    for _ in range(2):  # sent again because no answer was heard
        ria.post(f"/segment/{segment.id}/exemplar", form)
        assert "in the codebook now" in ria.page
    (*_, made) = read_codebook(file).themes[0].exemplars
    assert (made.text, made.kind, made.source) == (segment.text, kind, "Group 1#s1 [#1, North, Ana]")
    assert len(list_revisions(ria.store)) == 2


def test_new_merged_and_renamed_themes_keep_what_was_decided(ria: Coder, file: Path, tmp_path: Path) -> None:
    first, second, *_ = ids(ria.store)
    ria.say(first, "add", "Weather")
    ria.say(second, "accept", "Waiting")
    change(ria, "propose", "Buses", definition="Their state", parent="Weather")
    change(ria, "rename", "Weather", into="Rain and cold")
    assert read_codebook(file).themes[-1].parent == "Rain and cold"
    change(ria, "merge", "Rain and cold", into="Waiting")
    book = read_codebook(file)
    assert book.names == ("Waiting", "Money", "Kindness <of drivers>", "Buses")
    assert book.current["Weather"] == "Waiting"
    who = Reviewer(store=ria.store, study=study_in(tmp_path), codebook=book, coder="Ria")
    assert matching(who, Filter(given="Waiting")) == [first, second]
    assert len(coded_segments(ria.store).codings) == 2
    page = ria.go(f"/segment/{first}")
    assert "now <bdi>Waiting</bdi>" in page
    page = ria.go("/codebook/history")
    assert "is now part of <bdi>Waiting</bdi>" in page
    assert "formerly <bdi>Weather</bdi>" in page


def test_a_theme_of_a_long_codebook_can_be_merged(ria: Coder, file: Path) -> None:
    long = [replace(BOOK.themes[0], name=f"Theme {at}", formerly=(), exemplars=()) for at in range(120)]
    write_codebook(Codebook(themes=(*BOOK.themes, *long)), file)
    change(ria, "merge", "Weather", into="Theme 119")
    assert read_codebook(file).current["Weather"] == "Theme 119"


def test_what_is_suggested_under_a_former_name_is_shown_under_the_present_one(ria: Coder, tmp_path: Path) -> None:
    segment = ids(ria.store)[0]
    change(ria, "rename", "Waiting", into="Time")
    page = ria.go(f"/segment/{segment}")
    assert "<bdi>Time</bdi></h3>" in page
    ria.say(segment, "accept", "Time")
    assert ria.last == [("Time", "accept")]
    assert ria.rows[-1].rank == 1
    book = read_codebook(tmp_path / "codebook.csv")
    who = Reviewer(store=ria.store, study=study_in(tmp_path), codebook=book, coder="Ria")
    assert segment in matching(who, Filter(suggested="Time"))


def test_segments_are_looked_at_again_once_a_themes_words_have_changed(ria: Coder, tmp_path: Path) -> None:
    first, second, third, *_ = ids(ria.store)
    ria.say(first, "accept", "Waiting")
    ria.say(second, "add", "Weather")
    ria.say(third, "reject", "Waiting")
    change(ria, "rename", "Weather", into="Rain")
    ria.go(f"/segment/{first}")
    ria.post(f"/segment/{first}/exemplar", {"theme": "Waiting"})
    assert "Look again" not in ria.go("/"), "another name, or a further exemplar, is no reason"
    change(ria, "words", "Waiting", **WORDS)
    assert "1 segment that you coded before" in ria.go("/")
    page = ria.go("/next?order=look-again")
    assert f'current" id="s-{first}"' in page
    assert "Changed since you coded this" in page
    assert "Time spent at the stop" in page
    before = len(ria.rows)
    ria.post(f"/segment/{first}/keep?order=look-again", {"at": ria.at})
    assert "Nothing is open any more in that order" in ria.page
    (kept,) = ria.rows[before:]
    assert (kept.theme, kept.answer, kept.queue) == ("Waiting", Answer.ACCEPT, "look-again")
    assert "Look again" not in ria.go("/")
    ria.go(f"/segment/{first}")
    ria.undo()
    assert "1 segment that you coded before" in ria.go("/"), "taken back, it is to be looked at again"
    ria.say(first, "reject", "Waiting")
    assert "Look again" not in ria.go("/")
    book = read_codebook(tmp_path / "codebook.csv")
    assert (
        in_order(Reviewer(store=ria.store, study=study_in(tmp_path), codebook=book, coder="Ben"), Order.LOOK_AGAIN)
        == []
    )


def test_decisions_of_unknown_revisions_are_not_looked_at_again(ria: Coder) -> None:
    segment = ids(ria.store)[0]
    made = Decision(segment=segment, coder="Ria", theme="Waiting", answer=Answer.ADD, decided_at=datetime.now(UTC))
    add_decisions(ria.store, [made])
    change(ria, "words", "Waiting", **WORDS)
    assert "Look again" not in ria.go("/")


def test_who_decided_on_other_words_is_refused_and_loses_nothing(ria: Coder, file: Path) -> None:
    seen = seen_on(ria, "Waiting")
    outside = file.read_text("utf-8-sig").replace("Time spent at the stop", "Edited in a spreadsheet")
    file.write_text(outside, "utf-8-sig")
    page = ria.post("/codebook/change", {"act": "words", "theme": "Waiting", "seen": seen, "why": "mine"} | WORDS)
    assert ria.status == 409
    assert "changed by somebody else meanwhile" in page
    assert f">{WORDS['definition']}</textarea>" in page, "what was typed is still there"
    assert "The codebook says now: <bdi>Edited in a spreadsheet" in page
    assert file.read_text("utf-8-sig") == outside
    assert [one.by for one in list_revisions(ria.store)] == ["", ""], "what was done in the file is in the history"
    page = change(ria, "words", "Money", definition="Fares")
    assert "says so now" in page, "another theme is free"
    assert "Edited in a spreadsheet" in file.read_text("utf-8-sig")


def test_a_file_that_is_open_in_a_spreadsheet_is_left_alone(ria: Coder, file: Path) -> None:
    file.with_name(".~lock.codebook.csv#").touch()
    before = file.read_bytes()
    page = change(ria, "words", "Waiting", **WORDS)
    assert "open in a spreadsheet" in page
    assert file.read_bytes() == before
    assert len(list_revisions(ria.store)) == 1
    file.with_name(".~lock.codebook.csv#").unlink()
    assert "says so now" in change(ria, "words", "Waiting", **WORDS)


def test_a_file_that_is_protected_or_gone_is_told_of(ria: Coder, file: Path) -> None:
    if os.geteuid():
        file.chmod(0o444)
        assert "protected against writing" in change(ria, "words", "Waiting", **WORDS)
        file.chmod(0o644)
    seen = seen_on(ria, "Waiting")
    file.unlink()
    page = ria.post("/codebook/change", {"act": "words", "theme": "Waiting", "seen": seen} | WORDS)
    assert "There is no such file" in page
    assert "is not there any more" in ria.go("/codebook")
    assert "Waiting" in ria.page


def test_a_running_page_takes_up_what_was_changed_in_the_file(ria: Coder, file: Path) -> None:
    ria.go("/codebook")
    file.write_text(file.read_text("utf-8-sig").replace("Weather", "Snow"), "utf-8-sig")
    assert "<bdi>Snow</bdi></h2>" in ria.go("/codebook")
    file.write_text("theme,definition\n,no theme\n")
    page = ria.go("/codebook")
    assert "cannot be used as it is now" in page
    assert "<bdi>Snow</bdi></h2>" in page


def test_two_leads_at_once_both_have_their_change(full: Store, file: Path, tmp_path: Path) -> None:
    gate, faults = threading.Barrier(4), list[Fault | Faults]()

    def lead(name: str, edit: Edit) -> None:
        own = open_store(f"sqlite:///{tmp_path / 'test.db'}")
        seen = about(BOOK, edit)
        gate.wait()
        try:
            revise(own, file, edit, seen=seen, by=name, why="")
        except (Fault, Faults) as fault:
            faults.append(fault)
        own.close()

    wanted = [words("Waiting", "A"), words("Waiting", "B"), words("Money", "C"), words("Weather", "D")]
    threads = [threading.Thread(target=lead, args=(f"L{at}", edit)) for at, edit in enumerate(wanted)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    book = {theme.name: theme.definition for theme in read_codebook(file).themes}
    assert book["Waiting"] in "AB"
    assert (book["Money"], book["Weather"]) == ("C", "D")
    assert len(faults) == 1, "of two who change one theme, the second is told"
    known = list_revisions(full)
    assert len(known) == 4
    assert all(later.before == earlier.revision for earlier, later in pairwise(known))
    assert known[-1].revision == read_codebook(file).revision


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline import revise
from pipeline.edits import Act, Edit
from pipeline.store import open_store
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
where, folder = sys.argv[1], Path(sys.argv[2])
if where == "before the file": revise.rewrite = die
if where == "in the file": __import__("pipeline.rewrite").rewrite._keep = die
if where == "after the file": revise.revisions.mark_written = die
store = open_store(f"sqlite:///{folder / 'test.db'}")
edit = Edit(act=Act.WORDS, theme="Waiting", definition="Other words")
revise.revise(store, folder / "codebook.csv", edit, seen="", by="Lea", why="because")
"""


def killed(where: str, folder: Path) -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", KILLED, where, str(folder)], cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("where", ["before the file", "in the file", "after the file"])
def test_who_is_killed_in_the_middle_leaves_both_whole(full: Store, file: Path, tmp_path: Path, where: str) -> None:
    killed(where, tmp_path)
    read_codebook(file)
    book = present(full, file)
    assert book.themes[0].definition == "Other words"
    assert read_codebook(file) == book
    assert [(one.by, one.why) for one in list_revisions(full)] == [("", ""), ("Lea", "because")]


def test_what_was_cut_off_does_not_undo_what_somebody_did_in_the_file_since(
    full: Store, file: Path, tmp_path: Path
) -> None:
    killed("before the file", tmp_path)
    file.write_text(file.read_text("utf-8-sig").replace("Weather", "Snow"), "utf-8-sig")
    before = file.read_bytes()
    with pytest.raises((CodebookFault, Faults)):
        present(full, file)
    assert present(full, file).names[-1] == "Snow"
    assert file.read_bytes() == before
    assert [one.by for one in list_revisions(full)] == ["", ""]


def test_what_another_has_begun_is_finished_before_the_next_change(
    full: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed("before the file", tmp_path)  # as one looks whose change falls between two turns of another one's
    monkeypatch.setattr("pipeline.revise.present", lambda *_: None)
    revise(full, file, words("Money", "C"), seen="", by="Asha", why="")
    book = {theme.name: theme.definition for theme in read_codebook(file).themes}
    assert (book["Waiting"], book["Money"]) == ("Other words", "C")
    assert [one.by for one in list_revisions(full)] == ["", "Lea", "Asha"]


def test_a_change_that_changes_nothing_is_no_revision(full: Store, file: Path) -> None:
    before = file.read_bytes()
    same = Edit(act=Act.WORDS, theme="Waiting", definition=BOOK.themes[0].definition)
    revise(full, file, same, seen="", by="Ria", why="")
    assert file.read_bytes() == before
    assert len(list_revisions(full)) == 1


# In a team


@pytest.fixture
def team(full: Store) -> Store:
    people = {"Lea": Rights.LEAD, "Asha": Rights.CODER, "Ben": Rights.CODER, "Odo": Rights.AUDITOR}
    for name, rights in people.items():
        add_person(full, name, rights, WORD)
    return full


def test_a_coder_proposes_and_the_lead_decides(team: Store, file: Path, tmp_path: Path) -> None:
    with (
        somebody(team, tmp_path, "Asha") as asha,
        somebody(team, tmp_path, "Ben") as ben,
        somebody(team, tmp_path, "Lea") as lea,
    ):
        assert "takes effect when the lead accepts" in change(
            asha, "propose", "Buses", definition="Their state", why="w"
        )
        change(asha, "rename", "Money", into="Fares")
        segment = ids(team)[0]
        asha.say(segment, "accept", "Waiting")
        assert "takes effect when the lead accepts" in asha.post(f"/segment/{segment}/exemplar", {"theme": "Waiting"})
        assert read_codebook(file) == BOOK
        assert "Buses" not in ben.go("/codebook/proposals"), "other coders' proposals tell what they coded"
        assert "(3)" in lea.go("/codebook")
        page = lea.go("/codebook/proposals")
        assert page.index("near miss of" if "near miss of" in page else "a further exemplar of") < page.index("Buses")
        new, rename, _ = list_proposals(team)
        lea.post("/codebook/proposals", {"proposal": str(new.id), "answer": "accept", "why": "good"})
        lea.post("/codebook/proposals", {"proposal": str(rename.id), "answer": "decline", "why": "no"})
        lea.post("/codebook/proposals", {"proposal": str(rename.id), "answer": "accept"})
        assert lea.status == 400, "what was answered stays answered"
        assert read_codebook(file).names == (*BOOK.names, "Buses")
        (*_, made) = list_revisions(team)
        assert (made.by, made.why) == ("Lea", "w; proposed by Asha; good")
        page = asha.go("/codebook/proposals")
        assert "declined by <bdi>Lea</bdi>: <bdi>no</bdi>" in page
        assert "<bdi>Buses</bdi></h2>" in asha.go("/codebook"), "everybody's page has it"


def test_what_cannot_be_done_is_not_proposed(team: Store, tmp_path: Path) -> None:
    with somebody(team, tmp_path, "Asha") as asha:
        assert "there is a theme" in change(asha, "propose", "waiting").lower()
        assert list_proposals(team) == []


def test_an_auditor_changes_nothing_of_the_codebook_and_a_coder_answers_no_proposal(
    team: Store, file: Path, tmp_path: Path
) -> None:
    before = file.read_bytes()
    with somebody(team, tmp_path, "Odo") as odo, somebody(team, tmp_path, "Asha") as asha:
        change(asha, "propose", "Buses")
        for path in ("/codebook/change", "/codebook/proposals", f"/segment/{ids(team)[0]}/exemplar"):
            odo.post(path, {"act": "propose", "theme": "Mine", "proposal": "1", "answer": "accept"})
            assert odo.status == 403
        assert "Buses" in odo.go("/codebook/proposals")
        assert "/codebook/new" not in odo.go("/codebook")
        assert "change nothing" in odo.go("/codebook/theme?theme=Waiting")
        asha.post("/codebook/proposals", {"proposal": "1", "answer": "accept"})
        assert asha.status == 403
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "form",
    [{}, {"act": "explode"}, {"act": "words", "theme": "Waiting"}, {"act": "merge", "theme": "Gone", "seen": "x"}],
)
def test_forms_that_are_not_ours_change_nothing(ria: Coder, file: Path, form: dict[str, str]) -> None:
    before = file.read_bytes()
    ria.client.post("/a-secret/codebook/change", data=form)
    assert file.read_bytes() == before


def test_hostile_words_are_kept_and_shown_as_text(ria: Coder, file: Path) -> None:
    hostile = "<script>alert(1)</script>\u202e\0 👋 =1+1"
    change(ria, "propose", "<i>New</i>", definition=hostile, why=hostile)
    assert "<i>New" not in ria.page
    for page in ("/codebook", "/codebook/history", "/codebook/theme?theme=%3Ci%3ENew%3C%2Fi%3E"):
        assert "<script>alert" not in ria.go(page)
        assert ria.status == 200
    assert read_codebook(file).themes[-1].definition == hostile.replace("\0", "")


def test_a_study_without_its_codebook_file_is_reviewed_all_the_same(store: Store, tmp_path: Path) -> None:
    segment, *_ = fill(store)
    with at_the_page(store, study_in(tmp_path)) as coder:
        coder.say(segment.id, "accept", "Waiting")
        assert load_decisions(store)
        assert "cannot be used" not in coder.go("/codebook")
