"""What a check tells of the material, and that it changes nothing."""

import json
from pathlib import Path

import pytest

from pipeline import check, intake
from pipeline.store import corpus, open_store

from .running import run
from .test_language import SAID
from .test_onboard import GERMAN

VTT = """WEBVTT

00:00:10.000 --> 00:01:00.000
<v Ana>We waited an hour in the rain for the bus yesterday.

00:02:00.000 --> 00:03:10.000
<v Ben>The ticket costs too much for a family of five.
"""


def checked(study: Path) -> check.Checked:
    return check.check(study, intake.no_progress)


def test_words_segments_minutes_and_languages_are_told(study: Path) -> None:
    (study / "transcripts/north/n2.vtt").write_text(VTT)
    (study / "transcripts/south/s2.txt").write_text(f"Moderator: Ja?\n\nUta: {SAID['de'] * 6}\n", encoding="utf-8")
    table = run("check", study).output.splitlines()
    assert table[0].split()[-1] == "minutes"
    assert table[1].split()[:3] == ["North", "en", "en"]
    assert [line.split()[-1] for line in table[1:3]] == ["3", "-"]
    told = json.loads(run("check", study, "--json").stdout)["sites"]
    assert [site["minutes"] for site in told] == [3, None]
    assert list(told[1]["spoken"]) == ["de", "en"]


def test_files_in_another_language_than_declared_are_named(study: Path) -> None:
    for at in range(5):
        (study / f"transcripts/south/g{at}.txt").write_text(GERMAN.replace("Bus", f"Bus{at}"), encoding="utf-8")
    notes = [note for note in checked(study).notes if "read like" in note]
    assert len(notes) == 1
    assert notes[0].startswith("South: 5 of 6 files read like de, not like en: transcripts/south/g0.txt, ")
    assert "g2.txt and 2 more; correct `language`" in notes[0]
    text = (study / "study.toml").read_text().replace('name = "South"', 'name = "South"\nlanguage = "de"')
    (study / "study.toml").write_text(text)
    notes = [note for note in checked(study).notes if "read like" in note]
    assert [note.partition(";")[0] for note in notes] == [
        "South: 1 of 6 files read like en, not like de: transcripts/south/s1.txt"
    ]


def test_nearly_the_same_transcripts_are_noted_and_the_very_same_refused(study: Path) -> None:
    words = " ".join(f"number{at} of the buses came late." for at in range(60))
    (study / "transcripts/north/old.txt").write_text(f"Moderator: So?\n\nAna: {words}\n")
    (study / "transcripts/south/new.txt").write_text(f"Moderator: Now?\n\nEve: {words} And then one did come.\n")
    found = checked(study)
    assert [pair[:2] for pair in found.alike] == [("transcripts/north/old.txt", "transcripts/south/new.txt")]
    assert any("new.txt are nearly the same: 9" in note or "same: 100 %" in note for note in found.notes)
    assert not found.faults
    (study / "transcripts/south/same.txt").write_text(f"Moderator: So?\n\nAna: {words}\n")
    told = run("check", study, expect=1).stderr
    assert "same.txt: holds the same words as transcripts/north/old.txt" in told


def test_what_suggest_would_do_is_what_it_does(study: Path) -> None:
    due = checked(study).due
    assert due is not None
    told = json.loads(run("suggest", study, "--direct", "--json").stdout)
    assert (due.files, due.texts) == (told["files"], told["embedded"] - 4)  # sentences of what was suggested on
    assert checked(study).due == check.Due(files=0, texts=0)
    (study / "transcripts/north/n2.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    assert checked(study).due == check.Due(files=1, texts=2)  # what Eve says, and the question
    assert "`suggest` would read 1 file and embed 2 texts or more." in run("check", study).output
    assert json.loads(run("check", study, "--json").stdout)["suggest"] == {"files": 1, "texts": 2}


@pytest.mark.parametrize("suggested", [False, True])
def test_nothing_is_changed(study: Path, suggested: bool) -> None:
    if suggested:
        run("suggest", study, "--direct")

    def state() -> dict[str, tuple[int, int]]:
        found = {str(p): p.stat() for p in study.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal"))}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}

    before = state()
    (study / "transcripts/north/n2.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    run("check", study)
    after = state()
    assert after.pop(str(study / "transcripts/north/n2.txt"))
    assert after == before
    if suggested:
        store = open_store(f"sqlite:///{study / 'themescout.db'}")
        assert "transcripts/north/n2.txt" not in corpus.known_sources(store)
        store.close()


def test_a_store_of_an_older_schema_is_left_alone(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("suggest", study, "--direct")
    monkeypatch.setattr("pipeline.store.connect.HEAD", "9999")
    assert checked(study).due == check.Due(files=2, texts=14)  # as if there were none
    assert [path.name for path in study.glob("*.db.*")] == ["themescout.db.lock"]  # no copy: it was not upgraded
