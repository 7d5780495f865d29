import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config import Site, Study
from pipeline.errors import Fault, Faults, StudyFault, TranscriptFault
from pipeline.records import Role, Transcript
from pipeline.transcripts import READERS, File, clashes, find, read

TALK = "Moderator: How was it?\nP1: It was long.\nModerator: And you?\nP2: I liked it.\n"


def a_study(folder: Path, *sites: Site) -> Study:
    return Study(name="Trial", codebook="codebook.csv", folder=folder, site=sites)


def a_site(name: str = "Aba", transcripts: str = "talk", **settings: object) -> Site:
    return Site.model_validate({"name": name, "transcripts": transcripts, **settings})


def put(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


def sources(study: Study) -> list[str]:
    return [file.source for file in find(study)[0]]


def the_fault(action: Callable[[], object]) -> Fault:
    with pytest.raises(Faults) as raised:
        action()
    (fault,) = raised.value.exceptions
    assert isinstance(fault, Fault)
    return fault


def test_files_come_by_site_and_then_by_source(tmp_path: Path) -> None:
    put(tmp_path / "b", two_txt=TALK, one_txt=TALK)
    put(tmp_path / "a" / "deep", three_TXT=TALK)
    study = a_study(tmp_path, a_site("B", "b"), a_site("A", "a"))
    files, faults = find(study)
    assert [(file.site.name, file.source) for file in files] == [
        ("B", "b/one.txt"),
        ("B", "b/two.txt"),
        ("A", "a/deep/three.TXT"),
    ]
    assert faults == []


def test_a_site_may_be_a_glob_or_one_file(tmp_path: Path) -> None:
    put(tmp_path / "talk", one_txt=TALK, two_md="x")
    assert sources(a_study(tmp_path, a_site(transcripts="talk/*.txt"))) == ["talk/one.txt"]
    assert sources(a_study(tmp_path, a_site(transcripts="**/*.txt"))) == ["talk/one.txt"]
    assert sources(a_study(tmp_path, a_site(transcripts="talk/one.txt"))) == ["talk/one.txt"]


def test_hidden_and_temporary_files_are_no_transcripts(tmp_path: Path) -> None:
    put(tmp_path / "talk", one_txt=TALK)
    put(tmp_path / "talk" / ".git", two_txt=TALK)
    (tmp_path / "talk" / "~$one.docx").write_bytes(b"x")
    (tmp_path / "talk" / ".DS_Store").write_bytes(b"x")
    assert find(a_study(tmp_path, a_site()))[1] == []
    assert sources(a_study(tmp_path, a_site())) == ["talk/one.txt"]


def test_a_file_outside_the_study_has_an_absolute_source(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", one_txt=TALK)
    (tmp_path / "study").mkdir()
    study = a_study(tmp_path / "study", a_site(transcripts="../elsewhere"))
    assert sources(study) == [(tmp_path / "elsewhere" / "one.txt").as_posix()]


def test_linked_folders_are_not_followed_and_linked_files_are(tmp_path: Path) -> None:
    put(tmp_path / "talk" / "deep", one_txt=TALK)
    put(tmp_path / "store", two_txt=TALK)
    for name, target in {"link": "store", "circle": "talk", "deep/up": "."}.items():
        (tmp_path / "talk" / name).symlink_to(tmp_path / target)
    (tmp_path / "talk" / "three.txt").symlink_to(tmp_path / "store" / "two.txt")
    for told in ("talk", "talk/**", "**/talk/**/*.txt", "talk/**/t*.txt"):
        found = [source for source in sources(a_study(tmp_path, a_site(transcripts=told))) if source[:5] == "talk/"]
        assert found == ["talk/deep/one.txt", "talk/three.txt"][told.endswith("/t*.txt") :], told
    assert sources(a_study(tmp_path, a_site(transcripts="talk/link"))) == ["talk/link/two.txt"]


def test_a_file_that_is_also_linked_in_its_site_is_read_once(tmp_path: Path) -> None:
    put(tmp_path / "talk", one_txt=TALK)
    (tmp_path / "talk" / "two.txt").symlink_to("one.txt")
    files, faults = find(a_study(tmp_path, a_site()))
    assert ([file.source for file in files], faults) == (["talk/one.txt"], [])


def test_a_pattern_enters_only_folders_that_it_names(tmp_path: Path) -> None:
    put(tmp_path / "a1" / "deep", one_txt=TALK)
    put(tmp_path / "a1", two_txt=TALK)
    put(tmp_path / "b" / "deep", three_txt=TALK)
    put(tmp_path / "a1" / ".hidden", four_txt=TALK)
    for told, expected in {
        "a*/*.txt": ["a1/two.txt"],
        "[ab]*/deep/*": ["a1/deep/one.txt", "b/deep/three.txt"],
        "a1/**/*.txt": ["a1/deep/one.txt", "a1/two.txt"],
        str(tmp_path / "b" / "*" / "*.txt"): ["b/deep/three.txt"],
    }.items():
        assert sources(a_study(tmp_path, a_site(transcripts=told))) == expected


def test_what_the_system_leaves_in_folders_is_no_transcript(tmp_path: Path) -> None:
    put(tmp_path / "talk", one_txt=TALK)
    for name in ("Thumbs.db", "Desktop.ini", "ehthumbs.db", "Icon\r"):
        (tmp_path / "talk" / name).write_bytes(b"x")
    os.mkfifo(tmp_path / "talk" / "pipe.txt")
    (tmp_path / "talk" / "device.txt").symlink_to("/dev/zero")
    for told in ("talk", "talk/*"):
        files, faults = find(a_study(tmp_path, a_site(transcripts=told)))
        assert ([file.source for file in files], faults) == (["talk/one.txt"], [])
    assert "no transcript" in find(a_study(tmp_path, a_site(transcripts="talk/pipe.txt")))[1][0].problem


@pytest.mark.parametrize(
    ("name", "told", "why"),
    [
        (b"f\xfcr.txt", r"talk/f\udcfcr.txt", "its name is not UTF-8"),
        (b"one\ntwo.txt", r"talk/one\ntwo.txt", "its name holds a line end or another control character"),
        (
            "one\u2028two.txt".encode(),
            r"talk/one\u2028two.txt",
            "its name holds a line end or another control character",
        ),
        (b"\x1b[2J.txt", r"talk/\x1b[2J.txt", "its name holds a line end or another control character"),
    ],
)
def test_a_name_that_cannot_be_told_is_a_fault(tmp_path: Path, name: bytes, told: str, why: str) -> None:
    put(tmp_path / "talk", one_txt=TALK)
    Path(os.fsdecode(os.fsencode(tmp_path / "talk") + b"/" + name)).write_bytes(b"x")
    files, (fault,) = find(a_study(tmp_path, a_site()))
    assert [file.source for file in files] == ["talk/one.txt"]
    assert isinstance(fault, TranscriptFault)
    assert (fault.place, fault.problem, fault.remedy) == (told, why, "rename it")
    str(fault).encode()


def test_names_in_other_alphabets_are_fine(tmp_path: Path) -> None:
    put(tmp_path / "talk", **{"für\u202fein گفت\u200cوگو_txt": TALK})
    assert find(a_study(tmp_path, a_site()))[1] == []


@pytest.mark.parametrize("told", ["x" * 300, "x/" * 3000])
def test_a_path_too_long_is_a_fault_of_the_study(tmp_path: Path, told: str) -> None:
    files, (fault,) = find(a_study(tmp_path, a_site(transcripts=told)))
    assert isinstance(fault, StudyFault)
    assert (files, "cannot be read" in fault.problem) == ([], True)


def test_a_folder_that_cannot_be_read_is_a_fault_of_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "talk", one_txt=TALK)
    put(tmp_path / "talk" / "locked", two_txt=TALK)
    look = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    files, (fault,) = find(a_study(tmp_path, a_site()))
    assert [file.source for file in files] == ["talk/one.txt"]
    assert isinstance(fault, StudyFault)
    assert (fault.place, fault.problem) == ("talk/locked", f"cannot be read: {os.strerror(errno.EACCES)}")


def test_a_missing_folder_and_an_empty_site_are_faults(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    faults = find(a_study(tmp_path, a_site("Aba", "nowhere"), a_site("Bo", "empty"), a_site("Ci", "*.vtt")))[1]
    assert [type(fault) for fault in faults] == [StudyFault] * 3
    assert "Aba: there is no folder nowhere" in faults[0].problem
    assert "Bo: no transcript in empty" in faults[1].problem
    assert "Ci: no transcript in *.vtt" in faults[2].problem


def test_an_unknown_suffix_is_a_fault_that_names_the_known_ones(tmp_path: Path) -> None:
    put(tmp_path / "talk", one_txt=TALK, two_odt="x", three="x")
    files, faults = find(a_study(tmp_path, a_site()))
    assert [file.source for file in files] == ["talk/one.txt"]
    assert [fault.place for fault in faults] == ["talk/three", "talk/two.odt"]
    assert [type(fault) for fault in faults] == [TranscriptFault] * 2
    assert ".odt" in faults[1].problem
    assert all(suffix in faults[1].remedy for suffix in READERS)
    fault = the_fault(
        lambda: read(File(site=a_site(), path=tmp_path / "two.odt", source="two.odt"), a_study(tmp_path, a_site()))
    )
    assert ".odt" in fault.problem


def test_a_file_in_two_sites_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path / "talk", one_txt=TALK, two_csv="speaker,text\nA,yes\n")
    files, faults = find(a_study(tmp_path, a_site("Aba"), a_site("Bo", "talk/*")))
    assert len(files) == 2
    assert [fault.problem for fault in faults] == ["belongs to two sites, Aba and Bo"] * 2
    assert [type(fault) for fault in faults] == [StudyFault] * 2


def test_a_table_that_tells_its_sites_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, all_csv="site,document,speaker,text\nAba,d1,I,well?\nBo,d2,P,yes\n")
    aba = a_site("Aba", "all.csv", moderators=("I",))
    bo = a_site("Bo", "all.csv", language="de", moderators=("P",))
    study = a_study(tmp_path, aba, bo)
    files, faults = find(study)
    assert (len(files), faults) == (1, [])
    first, second = read(files[0], study)
    assert (first.site, first.name, first.language, first.among) == ("Aba", "d1", "en", True)
    assert (second.site, second.name, second.language) == ("Bo", "d2", "de")
    assert [first.turns[0].role, second.turns[0].role] == [Role.MODERATOR, Role.MODERATOR]


def test_a_transcript_has_its_site_name_source_and_roles(tmp_path: Path) -> None:
    put(tmp_path / "talk", fg1_txt=TALK)
    study = a_study(tmp_path, a_site(language="sw", moderators=("moderator",)))
    (transcript,) = read(find(study)[0][0], study)
    assert (transcript.site, transcript.name, transcript.source) == ("Aba", "fg1", "talk/fg1.txt")
    assert (transcript.language, transcript.text, transcript.among) == ("sw", TALK, False)
    assert [turn.role for turn in transcript.turns] == [Role.MODERATOR, Role.PARTICIPANT] * 2
    assert [transcript.text[turn.start : turn.end] for turn in transcript.turns][1] == "It was long."


def test_a_transcript_of_moderators_only_is_read(tmp_path: Path) -> None:
    put(tmp_path / "talk", fg1_txt="I: One.\nI: Two.\n")
    study = a_study(tmp_path, a_site(moderators=("I",)))
    (transcript,) = read(find(study)[0][0], study)
    assert {turn.role for turn in transcript.turns} == {Role.MODERATOR}


def test_a_file_without_talk_is_a_fault(tmp_path: Path) -> None:
    files = {
        "a_txt": " \n\t\n",
        "b_csv": "speaker,text\nA,\n",
        "c_srt": "\n",
        "d_vtt": "WEBVTT\n",
        "e_txt": "",
        "f_csv": "",
    }
    put(tmp_path / "talk", **files)
    study = a_study(tmp_path, a_site())
    for file in find(study)[0]:
        fault = the_fault(lambda file=file: read(file, study))  # type: ignore[misc]  # mypy cannot infer such a lambda
        assert isinstance(fault, TranscriptFault)
        assert (fault.place, fault.problem) == (file.source, "holds no talk")


def test_an_unreadable_file_is_a_fault_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "talk").mkdir()
    (tmp_path / "talk" / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    study = a_study(tmp_path, a_site())
    fault = the_fault(lambda: read(find(study)[0][0], study))
    assert fault.problem == f"cannot be read: {os.strerror(2)}"
    (tmp_path / "folder.txt").mkdir()
    file = File(site=study.site[0], path=tmp_path / "folder.txt", source="folder.txt")
    assert the_fault(lambda: read(file, study)).problem == f"cannot be read: {os.strerror(21)}"


def test_a_site_that_the_study_does_not_know_is_a_fault(tmp_path: Path) -> None:
    put(tmp_path / "talk", all_csv="site,document,text\nAba,d1,yes\nNowhere,d2,no\n")
    study = a_study(tmp_path, a_site())
    fault = the_fault(lambda: read(find(study)[0][0], study))
    assert fault.place == "talk/all.csv:3"
    assert "`Nowhere`" in fault.problem
    assert "Aba" in fault.remedy


def a_transcript(
    source: str, text: str = "Yes.", *, name: str = "fg1", site: str = "Aba", among: bool = False
) -> Transcript:
    return Transcript(site=site, name=name, source=source, language="en", text=text, turns=(), among=among)


def test_two_transcripts_of_one_name_in_a_site_clash() -> None:
    (fault,) = clashes([a_transcript("a/fg1.txt"), a_transcript("b/fg1.txt", "No.")])
    assert (fault.place, fault.problem) == ("b/fg1.txt", "is called 'fg1' in Aba like a/fg1.txt")
    assert clashes([a_transcript("a/fg1.txt"), a_transcript("b/fg1.txt", "No.", site="Bo")]) == []


def test_two_transcripts_of_the_same_words_clash_unless_a_table_tells_them_apart() -> None:
    (fault,) = clashes([a_transcript("a.txt", name="a"), a_transcript("b.txt", name="b", site="Bo")])
    assert (fault.place, fault.problem) == ("b.txt", "holds the same words as a.txt")
    assert clashes([a_transcript("t.csv", name="a", among=True), a_transcript("t.csv", name="b", among=True)]) == []
