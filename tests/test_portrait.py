"""A site's report over a store: what it counts, where it goes, and what it says where there is little to say."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pipeline import intake, portrait, results, review, work
from pipeline.errors import Fault, StoreFault
from pipeline.records import Answer, Decision, Segment
from pipeline.report.site import site_page
from pipeline.store import corpus, decisions, runs

from . import auditing
from . import postgres as pg
from .portraits import CODEBOOK, GOAT, HOSTILE, MALLORY, TEL_AVIV, site, study, suggested, suggestion, talk, unsure_of
from .running import run
from .test_postgresql import on


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> intake.Session:
    """A study with suggestions, which tests leave as it is."""
    return suggested(tmp_path_factory.mktemp("ready"))


class Reader(HTMLParser):
    """What somebody reads on a page, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.elements: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(page: str) -> tuple[str, Counter[str]]:
    reader = Reader()
    reader.feed(page)
    return " ".join(" ".join(reader.said).split()).replace("\u2068", "").replace("\u2069", ""), reader.elements


def page_of(session: intake.Session, name: str) -> str:
    return read(site_page(portrait.portrait(session, name)))[0]


def told(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_the_report_is_a_page_and_json_named_after_the_site(ready: intake.Session, tmp_path: Path) -> None:
    said = run("report", ready.study.folder, "--site", "North", "--out", tmp_path / "out").output
    assert said.startswith("North: 7 transcripts, ")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["North.html", "North.json"]
    counts = told(tmp_path / "out", "North")["counts"]
    (status,) = [one for one in results.status(ready) if one["site"] == "North"]
    assert (counts["transcripts"], counts["segments"]) == (status["transcripts"], status["segments"])
    assert (counts["minutes"], counts["timed_transcripts"], counts["speakers"]) == (4.5, 1, 4)
    text, elements = read((tmp_path / "out/North.html").read_text(encoding="utf-8"))
    assert elements["figure"] == elements["figcaption"] >= 5
    assert "beside South, Tel Aviv <b>." in text


def test_the_same_store_gives_the_same_bytes(ready: intake.Session, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        session = intake.open_session(ready.study.folder)
        portrait.write(session, portrait.portrait(session, "North"), tmp_path / folder)
    for name in ("North.html", "North.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_answer_as_json_is_what_the_file_holds(ready: intake.Session, tmp_path: Path) -> None:
    said = run("report", ready.study.folder, "--site", "South", "--out", tmp_path, "--json").output
    assert json.loads(said) == told(tmp_path, "South")


def test_suggestions_and_abstentions_are_counted_as_the_store_has_them(ready: intake.Session) -> None:
    """Counted here one by one, from what `export` is made of."""
    place = {entry.id: entry.site for entry in corpus.list_transcripts(ready.store)}
    at = {segment.id: place[segment.transcript] for segment in corpus.load_segments(ready.store)}
    segments, some = Counter(at.values()), Counter[str]()
    given, unsure = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for segment, made in runs.load_suggestions(ready.store).items():
        themes = [one.suggestion.theme for one in made if one.suggestion.suggested]
        some[at[segment]] += bool(themes)
        given.update((at[segment], theme) for theme in themes)
        if not themes:
            unsure[at[segment], made[0].suggestion.theme] += 1
    for name in ("North", "South", TEL_AVIV):
        found = portrait.portrait(ready, name).suggesting
        assert found is not None
        assert (found.segments, found.suggested) == (segments[name], some[name])
        others = [other for other in segments if other != name]
        for theme in found.themes:
            assert (theme.suggested, theme.unsure) == (given[name, theme.theme], unsure[name, theme.theme])
            assert theme.here.value == pytest.approx(given[name, theme.theme] / segments[name])
            elsewhere = sum(given[other, theme.theme] for other in others) / sum(segments[other] for other in others)
            assert theme.elsewhere.value == pytest.approx(elsewhere)
            assert theme.sites == {o: pytest.approx(given[o, theme.theme] / segments[o]) for o in others}
    assert sum(unsure.values()), "there is something to abstain from"


def test_transcripts_and_speakers_are_counted_turn_by_turn(ready: intake.Session) -> None:
    found = portrait.portrait(ready, "North")
    suggested = {
        key for key, made in runs.load_suggestions(ready.store).items() if any(m.suggestion.suggested for m in made)
    }
    for entry, told in zip(_entries(ready, "North"), found.documents, strict=True):
        (transcript,) = corpus.load_transcripts(ready.store, [entry.id]).values()
        pieces = corpus.load_segments(ready.store, entry.id)
        assert (told.name, told.source, told.turns) == (entry.name, entry.source, len(transcript.turns))
        assert (told.segments, told.suggested) == (len(pieces), sum(piece.id in suggested for piece in pieces))
        if told.name != "n9":  # which has notes in brackets, that are no words
            assert told.words == sum(len(re.findall(r"[\w']+", piece.text)) for piece in pieces)
    ana = next(voice for voice in found.voices if voice.label == "Ana")
    mine = [
        turn
        for transcript in corpus.load_transcripts(ready.store, [e.id for e in _entries(ready, "North")]).values()
        for turn in transcript.turns
        if turn.speaker == "Ana"
    ]
    assert (ana.role, ana.turns, ana.transcripts) == ("participant", len(mine), 6)


def test_a_segment_counts_as_suggested_on_though_its_likeliest_theme_is_muted(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    segment = corpus.load_segments(session.store)[0]
    second = replace(suggestion(segment, 0.8), rank=2, theme="Money")
    muted = replace(suggestion(segment, 0.9), suggested=False)
    runs.start_run(session.store, replace(runs.list_runs(session.store)[-1], id="anew"), session.codebook)
    runs.put_suggestions(session.store, "anew", {segment.transcript: [muted, second]})
    mine = [tally for tally in runs.tallies(session.store) if tally.transcript == segment.transcript]
    assert [(t.theme, t.suggested, t.first, t.unsure) for t in mine] == [("Money", 1, 0, 0), ("Waiting", 0, 1, 0)]
    assert runs.tallies(session.store, site="North") == [
        tally for tally in runs.tallies(session.store) if tally.transcript in {e.id for e in _entries(session, "North")}
    ]


def _entries(session: intake.Session, name: str) -> list[corpus.Entry]:
    return corpus.list_transcripts(session.store, site=name)


def test_a_server_counts_suggestions_as_a_file_does(ready: intake.Session, postgres: pg.Server, tmp_path: Path) -> None:
    folder = on(postgres.new_database(), study(tmp_path))
    run("suggest", folder, "--direct", "-q")
    session = intake.open_session(folder)
    assert runs.tallies(session.store) == runs.tallies(ready.store)
    assert runs.tallies(session.store, site="South") == runs.tallies(ready.store, site="South")
    assert portrait.portrait(session, "North") == portrait.portrait(ready, "North")


def test_a_site_that_speaks_another_language_than_it_is_said_to_is_told(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    other = (tmp_path / "study.toml").read_text(encoding="utf-8").replace('language = "en"', 'language = "de"', 1)
    (tmp_path / "study.toml").write_text(other, encoding="utf-8")
    found = portrait.portrait(intake.open_session(tmp_path), "North")
    assert any("files read like en, not like de" in note for note in found.notes)
    assert portrait.portrait(session, "North").notes == ()


def test_a_theme_that_was_renamed_is_counted_under_its_present_name(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    before = portrait.portrait(session, "North").suggesting
    named = CODEBOOK.replace("kind,source", "kind,source,formerly").replace("Money,,What", "Fares,,What")
    named = named.replace("ticket,typical,s1", "ticket,typical,s1,Money").replace("Money,,,,,", "Fares,,,,,")
    (tmp_path / "codebook.csv").write_text(named, encoding="utf-8")
    found = portrait.portrait(intake.open_session(tmp_path), "North")
    assert before is not None
    assert found.suggesting is not None
    assert [one.suggested for one in found.suggesting.themes] == [one.suggested for one in before.themes]
    assert "Fares" in {one.theme for one in found.suggesting.themes}
    assert any("another codebook" in note for note in found.notes), "it says that suggestions are of before"


def test_words_of_its_own_are_those_that_only_this_site_says(ready: intake.Session) -> None:
    found = portrait.portrait(ready, "North").vocabulary
    assert found is not None
    assert found.beside == ("South",), "the site of another language is no measure"
    assert {"goat", "jackfruit", "uncle"} <= {word.word for word in found.new}
    assert portrait.portrait(ready, TEL_AVIV).vocabulary is None
    assert "no other site talks in this language (he)" in page_of(ready, TEL_AVIV).lower()


def test_what_no_theme_explains_is_what_the_review_page_leads_through(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    away = unsure_of(session, "goat")
    found = portrait.portrait(session, "North").unexplained
    encoding = review.Encoding(fingerprint=session.located.fingerprint, load=lambda: session.encoder)
    alone = session.study.model_copy(update={"review": session.study.review.model_copy(update={"withhold": 0.0})})
    reviewer = review.Reviewer(
        store=session.store, study=alone, codebook=session.codebook, coder="Ana", encoding=encoding
    )
    clusters = review.unexplained(reviewer)
    assert clusters
    assert [(one.words, one.here, one.elsewhere) for one in found] == [(c.words, len(c.segments), 0) for c in clusters]
    text = {segment.id: segment.text for segment in away}
    assert [said.text for said in found[0].central] == [text[segment] for segment in clusters[0].segments[:4]]
    assert found[0].central[0].text in page_of(session, "North").replace("\u2009", " ")
    assert portrait.portrait(session, "South").unexplained == (), "others say it, this site does not"


def test_what_people_gave_a_theme_is_explained(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    away = unsure_of(session, "goat")
    decisions.add_decisions(session.store, [decision(segment, at) for at, segment in enumerate(away)])
    assert portrait.portrait(session, "North").unexplained == ()


def decision(segment: Segment, at: int, seconds: float | None = 12.0) -> Decision:
    return Decision(
        segment=segment.id,
        coder="Ria",
        answer=Answer.ADD,
        theme="Money",
        seconds=seconds,
        decided_at=datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(minutes=at),
        run="anew",
        shown=True,
    )


def test_the_work_ahead_is_at_the_studys_own_pace(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    assert "no decision of this study was timed yet" in page_of(session, "South")
    segments = corpus.load_segments(session.store)
    decisions.add_decisions(session.store, [decision(s, at) for at, s in enumerate(segments[:29])])
    few = portrait.portrait(session, "South").workload
    assert (few.timed, few.hours.value) == (29, None)
    assert "only 29 segments of this study were timed so far" in page_of(session, "South")
    done = segments[:40]
    decisions.add_decisions(session.store, [decision(s, at) for at, s in enumerate(done) if at >= 29])
    south = {entry.id for entry in _entries(session, "South")}
    left = sum(s.transcript in south for s in segments) - sum(s.transcript in south for s in done)
    found = portrait.portrait(session, "South").workload
    assert found.segments - found.decided == left
    assert found.decisions == round(left / (1 - 0.08 - 0.02 - 0.02))
    assert found.pace.value == pytest.approx(12)
    assert found.hours.value == pytest.approx(found.decisions * 12 / 3600)
    decisions.add_decisions(session.store, [replace(decision(s, 60), answer=Answer.UNDO) for s in done])
    assert portrait.portrait(session, "South").workload.decided == 0, "what was taken back is to be done"


def test_nothing_is_left_where_everything_is_decided(tmp_path: Path) -> None:
    session = auditing.study(tmp_path)
    found = portrait.portrait(session, "North")
    assert (found.workload.decided, found.workload.decisions) == (found.segments, 0)
    assert "nothing is left to do" in page_of(session, "North")


def test_a_site_that_is_not_there_is_wrong_usage_and_says_which_there_are(ready: intake.Session) -> None:
    said = run("report", ready.study.folder, "--site", "Norht", expect=2).output
    assert "there is no site 'Norht'; the study has North, South, Tel Aviv <b>" in said


def test_a_study_without_a_store_says_what_to_do(tmp_path: Path) -> None:
    (line,) = run("report", study(tmp_path), "--site", "North", expect=1).output.splitlines()
    assert line.endswith("there is no store yet; `themescout suggest STUDY` makes it")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["codebook.csv", "study.toml", "transcripts"]
    with pytest.raises(StoreFault):
        portrait.portrait(intake.open_session(tmp_path), "North")


def test_before_suggestions_it_tells_what_came_in_and_what_is_missing(tmp_path: Path) -> None:
    session = intake.open_session(study(tmp_path))
    intake.read_pending(session)
    found = portrait.portrait(session, "North")
    assert (found.suggesting, found.nearness, found.unexplained) == (None, None, ())
    assert found.vocabulary is not None
    assert "goat" in {word.word for word in found.vocabulary.new}
    assert found.workload.decisions > 0
    assert found.documents[0].suggested is None
    text = page_of(session, "North")
    assert "7 of 7 transcripts have no suggestions yet" in text
    assert "No suggestions were made for this site yet" in text


def test_transcripts_that_came_after_suggestions_are_told_apart(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    (tmp_path / "transcripts/north/late.txt").write_text(talk([f"{line} of late" for line in GOAT]), encoding="utf-8")
    session = intake.open_session(tmp_path)
    before = portrait.portrait(session, "North")
    intake.read_pending(session)
    found = portrait.portrait(session, "North")
    assert any(note.startswith("1 of 8 transcripts have no suggestions yet") for note in found.notes)
    assert found.suggesting == before.suggesting
    assert found.segments == before.segments + 4


def test_a_site_from_which_nothing_came_yet_is_reported_all_the_same(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    with (tmp_path / "study.toml").open("a", encoding="utf-8") as file:
        file.write(site("East", "transcripts/east"))
    (tmp_path / "transcripts/east").mkdir()
    (tmp_path / "transcripts/east/broken.docx").write_bytes(b"no archive: nobody may read this")
    session = intake.open_session(tmp_path)
    intake.read_pending(session)
    found = portrait.portrait(session, "East")
    assert (found.segments, found.documents, found.workload.decisions) == (0, (), 0)
    assert len(found.aside) == 1
    text = page_of(session, "East")
    for said in (
        "No transcript of East was read yet",
        "transcripts/east/broken.docx: ",
        "Nothing yet.",
        "nothing to decide",
    ):
        assert said in text
    assert "nobody may read" not in text
    run("report", tmp_path, "--site", "East", "-q")


def test_one_transcript_of_one_site_is_enough(tmp_path: Path) -> None:
    told = f'name = "One"\ncodebook = "codebook.csv"\n{site("North", "transcripts")}\n[embed]\nencoder = "hashing"\n'
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "study.toml").write_text(told, encoding="utf-8")
    (tmp_path / "codebook.csv").write_text("theme,definition\nWaiting,For the bus\n", encoding="utf-8")
    (tmp_path / "transcripts/n1.txt").write_text(talk([GOAT[0]], ("Ana",)), encoding="utf-8")
    run("suggest", tmp_path, "--direct", "-q")
    session = intake.open_session(tmp_path)
    found = portrait.portrait(session, "North")
    assert (found.others, found.vocabulary) == ((), None)
    assert found.nearness is not None, "without exemplars, definitions are what talk is near to"
    assert found.nearness.elsewhere == ()
    assert found.nearness.sites["North"].farther.value is None
    assert "North. Nothing came in from another site yet." in page_of(session, "North")


def test_hostile_words_and_names_are_words_and_nothing_else(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    unsure_of(session, "She said")
    for name in ("North", TEL_AVIV):
        page = site_page(portrait.portrait(session, name))
        text, elements = read(page)
        assert not elements & Counter(("script", "img", "b", "i", "iframe"))
        assert "<b>Hostile</b> & RTL \u202e" in text
    text, _ = read(site_page(portrait.portrait(session, "North")))
    assert MALLORY in text
    assert HOSTILE[:20] not in text, "a segment that resembles no other is not quoted"


def test_words_that_are_written_from_right_to_left_leave_the_sentence_as_it_is(tmp_path: Path) -> None:
    session = suggested(tmp_path)
    page = site_page(portrait.portrait(session, TEL_AVIV))
    assert f"\u2068{'Tel Aviv &lt;b&gt;'}\u2069, beside" in page
    assert '<p dir="auto">' in site_page(_with_goats(session))


def _with_goats(session: intake.Session) -> portrait.Arrived:
    unsure_of(session, "goat")
    return portrait.portrait(session, "North")


def test_no_two_sites_write_to_one_file(tmp_path: Path) -> None:
    names = ("A/B", "A-B", "a b", "Ulm", "???", "Łódź", "x" * 300)
    sites = "".join(site(name, f"transcripts/{at}") for at, name in enumerate(names))
    (tmp_path / "study.toml").write_text(f'name = "S"\ncodebook = "codebook.csv"\n{sites}', encoding="utf-8")
    (tmp_path / "codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    found = [portrait.files_of(intake.open_session(tmp_path).study, name, tmp_path)[0].name for name in names]
    assert len({name.casefold() for name in found}) == len(names)
    assert [found[3], found[5]] == ["Ulm.html", "Łódź.html"]
    assert all("/" not in name and len(name.encode()) < 255 for name in found)


def test_the_report_does_not_go_among_the_transcripts(ready: intake.Session) -> None:
    folder = ready.study.folder
    (line,) = run(
        "report", folder, "--site", "North", "--out", folder / "transcripts/north", expect=1
    ).output.splitlines()
    assert "is a folder of the study's transcripts" in line
    with pytest.raises(Fault, match="cannot be made"):
        portrait.write(ready, portrait.portrait(ready, "South"), folder / "study.toml" / "reports")


def test_of_very_many_segments_whole_transcripts_are_compared_and_all_are_counted(
    ready: intake.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = portrait.portrait(ready, "North")
    monkeypatch.setattr(import_module("pipeline.portrait.gather"), "MOST", 12)
    found = portrait.portrait(ready, "North")
    assert found.provenance.looked_at < found.provenance.of == everything.provenance.of
    assert (found.suggesting, found.documents) == (everything.suggesting, everything.documents)
    assert found.nearness is not None
    assert everything.nearness is not None
    assert found.nearness.sites["North"].segments < everything.nearness.sites["North"].segments
    assert f"{found.provenance.looked_at:,} of the study's {found.provenance.of:,} segments were compared" in page_of(
        ready, "North"
    )


def test_suggest_says_once_how_to_see_what_came_in(tmp_path: Path) -> None:
    folder = study(tmp_path)
    said = run("suggest", folder, "--direct").output
    assert f"See what came in: themescout report {folder} --site North  (likewise South, Tel Aviv <b>)\n" in said
    assert "themescout report" not in run("suggest", folder, "--direct").output
    (folder / "transcripts/tel/late.txt").write_text(talk(list(GOAT)), encoding="utf-8")
    assert f"themescout report {folder} --site 'Tel Aviv <b>'\n" in run("suggest", folder, "--direct").output
    (folder / "codebook.csv").write_text(CODEBOOK.replace("an hour", "two hours"), encoding="utf-8")
    assert "themescout report" not in run("suggest", folder, "--direct").output, "nothing came in"


def test_what_came_in_is_what_is_new_changed_or_was_only_read(tmp_path: Path) -> None:
    session = intake.open_session(study(tmp_path))
    intake.read_pending(session)
    assert work.arrived(session, work.look(session)) == ["North", "South", TEL_AVIV]
    run("suggest", tmp_path, "--direct", "-q")
    assert work.arrived(session, work.look(session)) == []


def test_numbers_for_prefect_are_counts_by_themes_name(ready: intake.Session) -> None:
    found = portrait.portrait(ready, "North")
    assert found.suggesting is not None
    assert portrait.numbers(ready, "North") == {
        "transcripts": 7,
        "files set aside": 0,
        "segments": found.segments,
        "segments with a suggestion": found.suggesting.suggested,
        **{f"theme {one.theme}": one.suggested for one in found.suggesting.themes},
    }
