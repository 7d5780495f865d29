"""A new site: what is proposed from its files, and what is written into study.toml."""

import json
import tomllib
from pathlib import Path

import pytest

from pipeline import intake, onboard, work
from pipeline.config import Site, load_study
from pipeline.records import Role, Transcript, Turn

from .running import run

GERMAN = """Leitung: Wie sind Sie heute hergekommen?

Uta: Ich bin mit dem Bus gekommen, aber der hatte wieder eine halbe Stunde Verspätung.

Leitung: Und was kostet die Fahrt?

Jan: Die Fahrkarte ist zu teuer für uns, deshalb gehen wir an schönen Tagen zu Fuß in die Stadt.

Leitung: Was würden Sie sich wünschen?

Uta: Dass am Sonntag überhaupt ein Bus fährt und dass man sich irgendwo unterstellen kann.
"""


def proposed(study: Path, **said: object) -> onboard.Proposal:
    wanted = {"name": "East", "place": "transcripts/east"} | said
    return onboard.propose(study, onboard.Wanted(**wanted), intake.no_progress)  # type: ignore[arg-type]


def roles(proposal: onboard.Proposal) -> dict[str, str]:
    return {one.label: one.why for one in proposal.speakers if one.role is Role.MODERATOR}


@pytest.fixture
def east(study: Path) -> Path:
    """Return the study with a folder of a third site that study.toml does not name."""
    (study / "transcripts/east").mkdir()
    (study / "transcripts/east/e1.txt").write_text(GERMAN, encoding="utf-8")
    return study


def test_who_asks_most_is_proposed_as_moderator(east: Path) -> None:
    proposal = proposed(east)
    assert roles(proposal) == {"Leitung": "asks in 100 % of its turns"}
    assert proposal.site == Site(name="East", transcripts="transcripts/east", language="de", moderators=("Leitung",))
    assert next((one.label, one.files, one.turns) for one in proposal.speakers) == ("Leitung", 1, 3)


def test_whoever_asks_no_more_than_others_is_not(east: Path) -> None:
    (east / "transcripts/east/e1.txt").write_text(GERMAN.replace("wünschen?", "wünschen.").replace("Fahrt?", "Fahrt."))
    assert roles(proposed(east)) == {}
    (east / "transcripts/east/e1.txt").write_text(GERMAN)
    other = "Leitung: Wer?\n\nUta: Wer war das?\n\nLeitung: Ich.\n\nUta: Wer denn sonst?\n"
    (east / "transcripts/east/e2.txt").write_text(other)
    assert roles(proposed(east)) == {}  # in one file somebody else asks more


def test_labels_of_other_sites_and_names_of_roles_are_known(east: Path) -> None:
    text = "Moderator 2: Gut.\n\nUta: Ich bin mit dem Bus gekommen, der war wieder zu spät.\n\nInterviewer: Ja.\n\n" * 2
    (east / "transcripts/east/e1.txt").write_text(text)
    assert roles(proposed(east)) == {"Moderator 2": "as at other sites", "Interviewer": "by its name"}


def test_a_table_that_says_who_moderates_is_believed(east: Path) -> None:
    rows = "speaker,role,text\nKim,moderator,Erzählen Sie von der Haltestelle und vom Weg dorthin\n"
    rows += "Uta,participant,Der Weg zur Haltestelle ist im Winter spiegelglatt und niemand streut dort\n" * 3
    (east / "transcripts/east/e1.txt").unlink()
    (east / "transcripts/east/e1.csv").write_text(rows)
    assert roles(proposed(east)) == {"Kim": "the file says so"}


def test_talk_without_labels_has_no_moderator(east: Path) -> None:
    (east / "transcripts/east/e1.txt").write_text("Der Bus war zu spät. Warum wohl? " * 20)
    proposal = proposed(east)
    assert [(one.label, one.role) for one in proposal.speakers] == [("", Role.UNKNOWN)]
    assert "everything that is said would be coded" in proposal.notes[0]


def test_what_the_study_has_already_is_noted(east: Path) -> None:
    run("suggest", east, "--direct")
    (east / "transcripts/east/again.txt").write_bytes((east / "transcripts/north/n1.txt").read_bytes())
    told = "transcripts/east/again.txt holds the same words as transcripts/north/n1.txt of North"
    assert told in proposed(east).notes


def test_a_language_that_is_declared_is_kept_and_doubted(east: Path) -> None:
    proposal = proposed(east, language="sw")
    assert proposal.site.language == "sw"
    assert "the talk reads like de, not like sw" in proposal.notes
    assert "whether the talk is in `nyn` cannot be told" in proposed(east, language="nyn").notes[0]


def test_files_that_cannot_be_read_are_told_and_the_rest_counts(east: Path) -> None:
    (east / "transcripts/east/bad.docx").write_bytes(b"no archive")
    (east / "transcripts/east/odd.pages").write_bytes(b"?")
    told = run("site", "add", east, "East", "--transcripts", "transcripts/east", "--yes")
    assert "1 transcript in 2 files, de" in told.stdout
    assert [line.split(":")[0] for line in told.stderr.splitlines()[1:]] == [
        "transcripts/east/odd.pages",
        "transcripts/east/bad.docx",
    ]


def test_the_command_asks_and_writes(east: Path) -> None:
    said = run("site", "add", east, "East", "--transcripts", east / "transcripts/east", typed="\n\n").output
    assert "Leitung  moderator    asks in 100 % of its turns" in said
    assert load_study(east).site[-1].moderators == ("Leitung",)
    assert "No problem found." in run("check", east).output


def test_the_moderators_can_be_corrected(east: Path) -> None:
    said = run("site", "add", east, "East", "--transcripts", "transcripts/east", typed="Uwe\nUta, Leitung\ny\n")
    assert "nobody is called Uwe; labels are Leitung, Uta, Jan" in said.stderr
    assert load_study(east).site[-1].moderators == ("Uta", "Leitung")


def test_nobody_may_be_a_moderator(east: Path) -> None:
    run("site", "add", east, "East", "--transcripts", "transcripts/east", typed="-\ny\n")
    assert load_study(east).site[-1].moderators == ()


@pytest.mark.parametrize("typed", ["\nn\n", "", "Leitung\n"])
def test_nothing_is_written_if_declined_or_cut_off(east: Path, typed: str) -> None:
    before = (east / "study.toml").read_bytes()
    run("site", "add", east, "East", "--transcripts", "transcripts/east", typed=typed, expect=1)
    assert (east / "study.toml").read_bytes() == before
    assert sorted(path.name for path in east.iterdir()) == ["codebook.csv", "study.toml", "transcripts"]


def test_json_asks_nothing_and_writes_only_with_yes(east: Path) -> None:
    asked = ("site", "add", east, "East", "--transcripts", "transcripts/east", "--moderator", "Jan", "--json")
    told = json.loads(run(*asked).stdout)
    assert (told["written"], told["site"]["moderators"], told["languages"]) == (False, ["Jan"], {"de": 1.0})
    assert len(load_study(east).site) == 2
    assert json.loads(run(*asked, "--yes").stdout)["written"]
    assert load_study(east).site[-1].moderators == ("Jan",)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("north", "--transcripts", "transcripts/east"), "there is a site North already"),
        (("West", "--transcripts", "transcripts/north"), "1 of its 1 files belong to North already"),
        (("West", "--transcripts", "transcripts"), "2 of its 3 files belong to North, South already"),
        (("West", "--transcripts", "transcripts/west"), "there is no such folder"),
        (("West", "--transcripts", "transcripts/empty"), "no transcript in transcripts/empty"),
        (("West", "--transcripts", "transcripts/east", "--language", "?"), "should be a language tag"),
        (("West", "--transcripts", "transcripts/east", "--moderator", "Kim"), "nobody is called Kim"),
        ((" ", "--transcripts", "transcripts/east"), "should not be empty"),
        (("West", "--transcripts", "transcripts/little"), "cannot be told (too little text); say it with --language"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(east: Path, arguments: tuple[str, ...], problem: str) -> None:
    (east / "transcripts/empty").mkdir()
    (east / "transcripts/little").mkdir()
    if "transcripts/little" in arguments:
        (east / "transcripts/little/l.txt").write_text("Moin.")
    before = (east / "study.toml").read_bytes()
    told = run("site", "add", east, *arguments, "--yes", expect=1)
    assert problem in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert (east / "study.toml").read_bytes() == before


HEAD = 'name = "Bus"  # our study\ncodebook = "codebook.csv"\n\n'
NORTH = '# the first\n[[site]]\nname = "North"\ntranscripts = "north"  # Word\n'
LAYOUTS = {
    "settings behind": HEAD + NORTH + "\n# how turns are cut\n[segment]\nmax_words = 90  # fewer\n",
    "nothing behind": HEAD + NORTH,
    "no last line end": (HEAD + NORTH).rstrip(),
    "windows": (HEAD + NORTH + "\n# how turns are cut\n[segment]\nmax_words = 90\n").replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + HEAD + NORTH,
    "long lists": HEAD + NORTH + 'moderators = [\n  "I",\n\n  # her\n  "Kim",\n]\n\n[rank]\ntop_k = 3\n',
    "sites apart": HEAD
    + NORTH
    + '[segment]\nmax_words = 90\n[[site]]\nname = "S"\ntranscripts = "s"\n[rank]\ntop_k = 3',
    "in brackets": HEAD + 'site = [\n  {name = "North", transcripts = "north"}, # one\n]\n# then\n[rank]\ntop_k = 3\n',
    "in brackets, one line": 'site = [{name = "North", transcripts = "north"}]\n' + HEAD,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_else_in_the_study_file_stays_as_it_is(tmp_path: Path, layout: str) -> None:
    text, file = LAYOUTS[layout], tmp_path / "study.toml"
    file.write_bytes(text.encode())
    site = Site(name='O"st', transcripts="ost", language="de", moderators=("I", "Frau Öz"))
    onboard.write(tmp_path, site)
    after = file.read_bytes().decode()
    assert load_study(tmp_path).site[-1] == site
    before = tomllib.loads(text.removeprefix("\ufeff"))
    wanted = before | {"site": [*before["site"], site.model_dump(mode="json")]}
    assert tomllib.loads(after.removeprefix("\ufeff")) == wanted
    assert added(text, after), "more than an addition"
    if "brackets" not in layout:
        assert after.count("\r\n") == (after.count("\n") if layout == "windows" else 0)
        assert after.endswith(text[text.index("\n# how turns are cut") :] if "# how turns" in text else "")


def added(before: str, after: str) -> bool:
    """Tell whether one text is the other with something put in at one place, a comma and spaces aside."""
    start = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    rest = before[start:].lstrip(", \n")
    return after.endswith(rest)


def test_a_file_that_changed_meanwhile_is_not_spoilt(east: Path) -> None:
    proposal = proposed(east)
    onboard.write(east, proposal.site)
    again = (east / "study.toml").read_bytes()
    with pytest.raises(ExceptionGroup) as caught:
        onboard.write(east, proposal.site)
    assert "there is a site East already" in str(caught.value.exceptions[0])
    assert (east / "study.toml").read_bytes() == again


def test_the_file_keeps_its_rights(east: Path) -> None:
    (east / "study.toml").chmod(0o640)
    run("site", "add", east, "East", "--transcripts", "transcripts/east", "--yes")
    assert (east / "study.toml").stat().st_mode & 0o777 == 0o640


def test_a_new_site_leaves_the_others_as_they_are(east: Path) -> None:
    run("suggest", east, "--direct")
    run("site", "add", east, "East", "--transcripts", "transcripts/east", "--yes")
    assert work.look(intake.open_session(east)).sources == ("transcripts/east/e1.txt",)


def test_a_table_is_read_again_as_its_rows_may_be_of_the_new_site(east: Path) -> None:
    table = east / "transcripts/north/survey.csv"
    table.write_text(
        "document,site,segment,text\nd1,North,q1,We waited for the bus\nd2,East,q1,The ticket costs too much\n"
    )
    run("suggest", east, "--direct", expect=3)
    run("site", "add", east, "East", "--transcripts", "transcripts/east", "--yes")
    assert set(work.look(intake.open_session(east)).sources) == {
        str(table.relative_to(east)),
        "transcripts/east/e1.txt",
    }


def test_minutes_are_those_between_the_first_time_and_the_last() -> None:
    def turn(began: float | None, ended: float | None) -> Turn:
        return Turn(speaker="", role=Role.UNKNOWN, start=0, end=1, line=1, began=began, ended=ended)

    def minutes(*turns: Turn) -> float | None:
        told = Transcript(site="S", name="a", source="a.txt", language="en", text="a", turns=turns)
        return told.minutes

    assert minutes(turn(30.0, None), turn(None, None), turn(90.0, 150.0)) == 2.0
    assert minutes(turn(None, None)) is None
