"""Suggesting over a store: what is new is done, what is done is not done again, what breaks is set aside."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import embed, intake, work
from pipeline.errors import Faults
from pipeline.records import Answer, Because, Decision, Suggestion
from pipeline.store import corpus, decisions, runs


def suggest(study: Path, site: str | None = None) -> tuple[intake.Session, intake.Tally]:
    session, part = intake.open_session(study), intake.Part(site=site)
    return session, work.run_direct(session, work.look(session, part), part, intake.no_progress)


def outcome(session: intake.Session) -> dict[tuple[str, str], list[tuple[object, ...]]]:
    """Return all present suggestions in a form that two stores can be compared by."""
    names = {piece.id: piece for piece in corpus.load_segments(session.store)}
    return {
        (names[segment].transcript, names[segment].name): [(one.run, *_values(one)) for one in made]
        for segment, made in runs.load_suggestions(session.store).items()
    }


def _values(made: runs.Made) -> tuple[object, ...]:
    s = made.suggestion
    return tuple(getattr(s, field) for field in Suggestion.__slots__ if field != "segment")


def test_every_participant_segment_gets_suggestions(study: Path) -> None:
    session, tally = suggest(study)
    assert tally.counts | {"suggested": 0} == {
        "files": 2, "transcripts": 2, "segments": 5, "embedded": 18, "ranked": 5, "suggested": 0,
        "carried": 0,
    }  # fmt: skip  # 5 segments, 3 questions, 4 exemplars, 2 definitions, 4 sentences
    made = runs.load_suggestions(session.store)
    assert len(made) == 5
    texts = {piece.id: piece.text for piece in corpus.load_segments(session.store)}
    for segment, given in made.items():
        assert [one.suggestion.rank for one in given] == [1, 2]
        if "ticket" in texts[segment]:
            assert given[0].suggestion.theme == "Money"
            assert "ticket" in given[0].suggestion.exemplar
    assert not any(text.startswith(("Mm", "What is it like")) for text in texts.values())


def test_every_suggestion_says_what_carried_it(study: Path) -> None:
    session, _ = suggest(study)
    texts = {piece.id: piece.text for piece in corpus.load_segments(session.store)}
    kinds = set()
    for segment, given in runs.load_suggestions(session.store).items():
        for one in (made.suggestion for made in given):
            kinds.add(one.because_kind)
            words = [texts[segment][start:end] for start, end in one.because]
            assert one.runner_up == {"Money": "Waiting", "Waiting": "Money"}[one.theme]
            if not any(made.suggestion.suggested for made in given):
                assert not words
            elif "My shoes" in texts[segment] and one.theme == "Waiting":
                assert words == ["We waited an hour in the rain for the bus yesterday."]
            elif "walk to work" in texts[segment] and one.theme == "Money":
                assert "ticket" in " ".join(words)
    assert {Because.SENTENCE, Because.WORDS} <= kinds


def test_similar_segments_of_other_transcripts_are_counted(study: Path) -> None:
    said = "Eve: The ticket costs too much for a family of six. I cannot pay the fare every day."
    (study / "transcripts/south/s2.txt").write_text(f"Moderator: And you?\n\n{said}\n")
    session, _ = suggest(study)
    far, near = (piece for piece in corpus.load_segments(session.store) if "for a family" in piece.text)
    decide(session, far.id, "Money")
    decide(session, near.id, "Money")
    again, _ = suggest(study)
    made = runs.load_suggestions(again.store)
    for piece, other in ((far, near), (near, far)):
        (money,) = [one.suggestion for one in made[piece.id] if one.suggestion.theme == "Money"]
        assert (money.near_accepted, money.nearest_accepted) == (1, other.id), "and never the segment itself"


def test_a_second_run_finds_nothing_new(study: Path) -> None:
    session, _ = suggest(study)
    before = outcome(session)
    again = intake.open_session(study)
    assert work.look(again).nothing
    again_session, tally = suggest(study)
    assert (tally.embedded, tally.ranked) == (0, 0)
    assert outcome(again_session) == before


def test_a_changed_transcript_is_read_again_and_only_its_new_words_are_embedded(study: Path) -> None:
    suggest(study)
    file = study / "transcripts/north/n1.txt"
    file.write_text(file.read_text() + "\nAna: My cousin drives a tractor to the market.\n")
    pending = work.look(intake.open_session(study))
    assert pending.unread == {"transcripts/north/n1.txt"}
    _, tally = suggest(study)
    assert (tally.transcripts, tally.segments, tally.embedded, tally.ranked) == (1, 4, 1, 4)


def test_a_changed_codebook_is_ranked_anew_without_reading_or_embedding_segments(study: Path) -> None:
    suggest(study)
    book = study / "codebook.csv"
    book.write_text(book.read_text() + "People,,How people are,,,They are friendly people,typical,\n")
    _, tally = suggest(study)
    assert (tally.files, tally.embedded, tally.ranked) == (0, 2, 5)


def test_changed_settings_for_segments_cut_again(study: Path) -> None:
    suggest(study)
    (study / "study.toml").write_text((study / "study.toml").read_text() + "[segment]\nmax_words = 10\n")
    _, tally = suggest(study)
    assert tally.segments > 5


def test_decisions_make_suggestions_be_ranked_anew(study: Path) -> None:
    session, _ = suggest(study)
    (first, *_) = corpus.load_segments(session.store)
    decide(session, first.id, "Money")
    assert not work.look(intake.open_session(study)).nothing
    _, tally = suggest(study)
    assert (tally.embedded, tally.ranked) == (0, 5)
    assert work.look(intake.open_session(study)).nothing


def decide(session: intake.Session, segment: str, theme: str) -> None:
    (piece,) = [p for p in corpus.load_segments(session.store) if p.id == segment]
    now = runs.list_runs(session.store)[0].started_at
    made = Decision(segment=piece.id, coder="Ada", theme=theme, answer=Answer.ADD, decided_at=now)
    decisions.add_decisions(session.store, [made])


def test_what_coders_said_of_a_transcript_has_no_part_in_its_own_suggestions(study: Path) -> None:
    """Otherwise the machine would tell a second coder what the first one answered."""
    session, _ = suggest(study)
    before = {key: [value[1:] for value in given] for key, given in outcome(session).items()}
    north = [p for p in corpus.load_segments(session.store) if "Ana" in session_text(session, p.transcript)]
    for piece in north:
        decide(session, piece.id, "Money")
    after_session, _ = suggest(study)
    after = {key: [value[1:] for value in given] for key, given in outcome(after_session).items()}
    of_north = {key for key in before if key[0] == north[0].transcript}
    assert {key: before[key] for key in of_north} == {key: after[key] for key in of_north}
    assert any(before[key] != after[key] for key in before.keys() - of_north)


def session_text(session: intake.Session, transcript: str) -> str:
    return {key: read.text for key, read in corpus.load_transcripts(session.store).items()}[transcript]  # type: ignore[index]  # an id is a str


def test_one_site_alone(study: Path) -> None:
    session, tally = suggest(study, "South")
    assert tally.transcripts == 1
    assert {entry.site for entry in corpus.list_transcripts(session.store)} == {"South"}
    assert not work.look(intake.open_session(study)).nothing
    assert work.look(intake.open_session(study), intake.Part(site="South")).nothing


def test_one_site_of_a_table_that_holds_several(study: Path) -> None:
    text = (study / "study.toml").read_text()
    for folder in ("north", "south"):
        text = text.replace(f'"transcripts/{folder}"', '"survey.csv"')
    (study / "study.toml").write_text(text)
    (study / "survey.csv").write_text(
        "site,document,segment,text\nNorth,d1,q1,We waited for the bus\nSouth,d2,q1,The ticket costs too much\n"
    )
    session, _ = suggest(study, "South")
    there = {entry.name: entry.run for entry in corpus.list_transcripts(session.store)}
    assert there["d2"] is not None
    assert there["d1"] is None
    assert work.look(intake.open_session(study), intake.Part(site="South")).nothing
    assert not work.look(intake.open_session(study), intake.Part(site="North")).nothing


def test_tables_of_one_name_are_told_apart_before_anything_is_written(study: Path) -> None:
    north = study / "transcripts/north"
    (north / "n1.csv").write_text("speaker,text\nAna,We waited for another bus\n")
    with pytest.raises(Faults) as raised:
        work.look(intake.open_session(study))
    assert "is called" in str(raised.value.exceptions[0])
    (north / "n1.csv").write_text("document,speaker,text\nd9,Ana,We waited for another bus\n")
    assert len(work.look(intake.open_session(study)).sources) == 3


def test_a_broken_file_is_set_aside_and_the_rest_goes_on(study: Path) -> None:
    (study / "transcripts/north/bad.docx").write_bytes(b"this is no archive")
    (study / "transcripts/north/empty.txt").write_text(" \n")
    session, tally = suggest(study)
    assert tally.transcripts == 2
    told = {source.path: source.quarantine for source in intake.quarantined(session)}
    assert set(told) == {"transcripts/north/bad.docx", "transcripts/north/empty.txt"}
    assert work.look(intake.open_session(study)).nothing
    (study / "transcripts/north/empty.txt").write_text(
        "Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n"
    )
    mended, tally = suggest(study)
    assert tally.transcripts == 1
    assert [source.path for source in intake.quarantined(mended)] == ["transcripts/north/bad.docx"]


def test_the_same_words_twice_are_set_aside(study: Path) -> None:
    shutil.copyfile(study / "transcripts/north/n1.txt", study / "transcripts/north/copy of n1.txt")
    session, tally = suggest(study)
    assert tally.transcripts == 2
    (aside,) = intake.quarantined(session)
    assert aside.path == "transcripts/north/n1.txt"
    assert "has the same words as transcripts/north/copy of n1.txt" in aside.quarantine


def test_what_was_set_aside_because_of_another_file_comes_back_when_that_is_gone(study: Path) -> None:
    north = study / "transcripts/north"
    shutil.copyfile(north / "n1.txt", north / "n2.txt")
    session, _ = suggest(study)
    assert [source.path for source in intake.quarantined(session)] == ["transcripts/north/n2.txt"]
    assert work.look(intake.open_session(study)).nothing
    (north / "n1.txt").unlink()
    session, _ = suggest(study)
    assert not intake.quarantined(session)
    assert [entry.name for entry in corpus.list_transcripts(session.store)] == ["n2", "s1"]


def test_files_that_change_places_are_told_apart(study: Path) -> None:
    north = study / "transcripts/north"
    (north / "n2.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    suggest(study)
    (north / "n1.txt").rename(north / "x")
    (north / "n2.txt").rename(north / "n1.txt")
    (north / "x").rename(north / "n2.txt")
    session, tally = suggest(study)
    assert not intake.quarantined(session)
    assert tally.embedded == 0
    texts = {read.name: read.text for read in corpus.load_transcripts(session.store).values()}
    assert "Sundays" in texts["n1"]
    assert "an hour in the rain" in texts["n2"]


def test_what_was_coded_in_an_earlier_version_has_no_part_in_the_new_ones_suggestions(study: Path) -> None:
    before = of_n1(suggest(study)[0])
    session = intake.open_session(study)
    for piece in corpus.load_segments(session.store):
        if "Ana" in session_text(session, piece.transcript):
            decide(session, piece.id, "Money")
    file = study / "transcripts/north/n1.txt"
    file.write_text(file.read_text() + "\nModerator: Thank you.\n")
    assert of_n1(suggest(study)[0]) == before


def of_n1(session: intake.Session) -> dict[str, list[tuple[object, ...]]]:
    (there,) = [entry.id for entry in corpus.list_transcripts(session.store) if entry.name == "n1"]
    return {key[1]: [value[1:] for value in given] for key, given in outcome(session).items() if key[0] == there}


def test_a_stray_file_and_a_site_without_transcripts_do_not_stop_the_others(study: Path) -> None:
    (study / "transcripts/north/recording.m4a").write_bytes(b"...")
    text = (
        (study / "study.toml")
        .read_text()
        .replace("[embed]", '[[site]]\nname = "West"\ntranscripts = "west"\n\n[embed]')
    )
    (study / "study.toml").write_text(text)
    session, tally = suggest(study)
    assert tally.transcripts == 2
    aside = intake.left_out(session)
    assert len(aside.files) == 1
    assert "recording.m4a" in aside.files[0]
    assert len(aside.sites) == 1
    assert work.look(intake.open_session(study)).nothing


def test_a_file_that_is_gone_leaves_the_present_state(study: Path) -> None:
    suggest(study)
    (study / "transcripts/south/s2.txt").write_text("Moderator: So?\n\nEve: The bus never comes on Sundays at all.\n")
    suggest(study)
    (study / "transcripts/south/s2.txt").unlink()
    session, _ = suggest(study)
    assert [entry.name for entry in corpus.list_transcripts(session.store)] == ["n1", "s1"]


def test_input_of_which_nothing_can_be_used_leaves_nothing_behind(study: Path) -> None:
    for name in ("north/n1.txt", "south/s1.txt"):
        (study / "transcripts" / name).write_bytes(b"\0\1\2\3" * 100)
    with pytest.raises(Faults) as raised:
        intake.try_first(intake.open_session(study))
    assert len(raised.value.exceptions) == 2
    assert not list(study.glob("*.db*"))


class Dying(embed.HashingEncoder):
    """Stops in the middle of the work, as a killed process would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def encode(self, texts: object) -> NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode(texts)  # type: ignore[arg-type]


@contextmanager
def small_portions() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.embed.encoder.PORTION", 2)
        yield


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 6, 8, 9])
def test_a_run_that_is_cut_off_ends_like_an_undisturbed_one(study: Path, tmp_path: Path, after: int) -> None:
    shutil.copytree(study, tmp_path / "undisturbed")
    expected = outcome(suggest(tmp_path / "undisturbed")[0])
    with small_portions():
        session = intake.open_session(study)
        session.__dict__["encoder"] = Dying(after)
        with pytest.raises(KeyboardInterrupt):
            work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
        session.store.close()
        resumed, tally = suggest(study)
    assert outcome(resumed) == expected
    # portions of 2 out of 5 texts, 3 texts, 6 of the codebook, and 4 sentences
    done = [0, 2, 4, 5, 7, 8, 10, 12, 14, 16][after]
    assert tally.embedded == 18 - done


def test_session_faults_are_told_together(study: Path) -> None:
    (study / "codebook.csv").unlink()
    (study / "study.toml").write_text((study / "study.toml").read_text().replace("hashing", "nowhere"))
    with pytest.raises(Faults) as raised:
        intake.open_session(study)
    assert len(raised.value.exceptions) == 2


def test_progress_ends_where_it_said(study: Path) -> None:
    session = intake.open_session(study)
    told: list[tuple[str, int, int]] = []
    work.run_direct(session, work.look(session), intake.ALL, lambda *step: told.append(step))
    assert ("transcripts", 2, 2) in told
    assert ("rank", 2, 2) in told
    last = {stage: (done, total) for stage, done, total in told}
    assert all(done == total for done, total in last.values())
