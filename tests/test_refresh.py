"""Suggestions anew while people decide: as `suggest` would make them, without an encoder, beside whoever works."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline import intake, refresh, work
from pipeline.records import Answer, Because, Decision, Segment, SegmentId, Suggestion, segment_id
from pipeline.store import corpus, decisions, runs, schema, vectors

REASONS = {"because", "because_kind"}


def suggested(study: Path) -> intake.Session:
    session = intake.open_session(study)
    work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    return session


def decide(session: intake.Session, pieces: Sequence[Segment], theme: str = "Money", coder: str = "Ada") -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = [
        Decision(
            segment=piece.id,
            coder=coder,
            theme=theme,
            answer=Answer.ADD if theme else Answer.NOTHING,
            decided_at=moment + timedelta(seconds=at),
        )
        for at, piece in enumerate(pieces)
    ]
    decisions.add_decisions(session.store, made)


def of_transcripts(session: intake.Session) -> tuple[list[Segment], list[Segment]]:
    """Return the segments of north and of south."""
    north, south = (entry.id for entry in corpus.list_transcripts(session.store))
    return corpus.load_segments(session.store, north), corpus.load_segments(session.store, south)


def outcome(session: intake.Session, but: frozenset[str] = frozenset()) -> dict[SegmentId, list[tuple[object, ...]]]:
    names = [field.name for field in fields(Suggestion) if field.name not in but]
    return {
        segment: [tuple(getattr(one.suggestion, name) for name in names) for one in made]
        for segment, made in runs.load_suggestions(session.store).items()
    }


def present(session: intake.Session) -> list[str | None]:
    return [entry.run for entry in corpus.list_transcripts(session.store)]


def test_without_a_new_decision_there_is_nothing_to_do(study: Path) -> None:
    session = suggested(study)
    assert refresh.refresh(session) is None
    decide(session, of_transcripts(session)[0][:1])
    assert refresh.refresh(session) is not None
    assert refresh.refresh(session) is None
    assert len(runs.list_runs(session.store)) == 2


def test_suggestions_are_those_that_suggest_makes(study: Path, tmp_path: Path) -> None:
    session = suggested(study)
    before = outcome(session)
    north, south = of_transcripts(session)
    decide(session, [north[0], south[1]])
    decide(session, north[1:2], "")
    session.store.close()
    twin = tmp_path / "twin"
    shutil.copytree(study, twin)
    made = refresh.refresh(session)
    assert made is not None
    assert (len(made.transcripts), made.segments) == (2, len(before))
    assert present(session) == [made.run, made.run]
    other = suggested(twin)
    assert outcome(session, frozenset(REASONS)) == outcome(other, frozenset(REASONS))
    assert outcome(session) != before


def test_nothing_is_embedded_or_read(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = suggested(study)
    decide(session, of_transcripts(session)[0][:1])
    shutil.rmtree(study / "transcripts")
    later = intake.open_session(study)
    monkeypatch.setattr("pipeline.embed.load", lambda *_: pytest.fail("the encoder was loaded"))
    assert refresh.refresh(later) is not None


def test_words_are_marked_where_sentences_have_no_vector_and_suggest_finds_the_sentence_later(study: Path) -> None:
    (study / "study.toml").write_text((study / "study.toml").read_text() + "[rank]\nprecision = 0.05\n")
    session = suggested(study)
    north, south = of_transcripts(session)
    several = next(piece for piece in north if "My shoes" in piece.text)
    sentence = vectors.text_hash("We waited an hour in the rain for the bus yesterday.")
    with session.store.writing() as connection:
        connection.execute(sa.delete(schema.vectors).where(schema.vectors.c.text_hash == sentence))

    def kinds() -> set[Because]:
        return {one.suggestion.because_kind for one in runs.load_suggestions(session.store)[several.id]}

    assert Because.SENTENCE in kinds()
    decide(session, south[:1])
    assert refresh.refresh(session) is not None
    assert kinds() <= {Because.WORDS, Because.NOTHING}
    assert Because.WORDS in kinds()
    work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    assert Because.SENTENCE in kinds()
    assert work.look(session).nothing
    assert refresh.refresh(session) is None, "what suggest made is not worse than what is made beside people"


def test_while_another_works_it_gives_way(study: Path) -> None:
    session = suggested(study)
    decide(session, of_transcripts(session)[0][:1])
    before = present(session)
    other = intake.open_session(study)
    with other.store.alone(lambda: None), ThreadPoolExecutor(1) as background:
        assert background.submit(refresh.refresh, session).result() is None
    assert present(session) == before
    assert refresh.refresh(session) is not None


def test_people_decide_meanwhile(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = suggested(study)
    north, south = of_transcripts(session)
    decide(session, north[:1])
    ranking = work.suggester

    def slowly(*given: object) -> object:
        decide(intake.open_session(study), south[:1])
        return ranking(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "suggester", slowly)
    first = refresh.refresh(session)
    monkeypatch.undo()
    again = refresh.refresh(session)
    assert first is not None
    assert again is not None, "the decision that came too late for the first time counts now"
    assert again.run != first.run


def test_a_changed_codebook_or_setting_is_left_to_suggest(study: Path) -> None:
    session = suggested(study)
    decide(session, of_transcripts(session)[0][:1])
    book = study / "codebook.csv"
    book.write_text(book.read_text() + "People,,How people are,,,They are friendly people,typical,\n")
    assert refresh.refresh(intake.open_session(study)) is None
    suggested(study)
    assert refresh.refresh(session) is None, "who still has the old codebook does not bring it back"


def part_of(piece: Segment, length: int) -> Segment:
    end = piece.start + length
    key, text = segment_id(piece.transcript, piece.start, end), piece.text[:length]
    return replace(piece, id=key, name="p1", end=end, text=text)


def test_a_span_of_a_coder_is_learned_from_when_suggest_has_seen_it(study: Path) -> None:
    session = suggested(study)
    (first, second, *_), _ = of_transcripts(session)
    cut = part_of(first, 2)
    corpus.add_person_segments(session.store, [cut])
    decide(session, [second])
    assert refresh.refresh(session) is not None
    without = outcome(session)
    decide(session, [cut], theme="Waiting")
    assert refresh.refresh(session) is None, "that it was coded changes nothing yet"
    decide(session, [first])
    assert refresh.refresh(session) is not None, "and keeps nothing else from being learned"
    suggested(study)
    assert outcome(session) != without
    assert refresh.refresh(session) is None, "suggest has learned from all there is"


def test_coded_segments_without_a_vector_are_left_to_suggest(study: Path) -> None:
    session = suggested(study)
    (first, *_), _ = of_transcripts(session)
    decide(session, [first])
    with session.store.writing() as connection:
        lost = schema.vectors.c.text_hash == vectors.text_hash(first.text)
        connection.execute(sa.delete(schema.vectors).where(lost))
    assert refresh.refresh(session) is None


def test_only_transcripts_that_are_asked_for_are_ranked(study: Path) -> None:
    session = suggested(study)
    north, south = of_transcripts(session)
    decide(session, north[:1])
    before = present(session)
    made = refresh.refresh(session, [south[0].transcript])
    assert made is not None
    assert (made.transcripts, made.segments) == ((south[0].transcript,), len(south))
    assert present(session) == [before[0], made.run]
    rest = refresh.refresh(session)
    assert rest is not None
    assert rest.transcripts == (north[0].transcript,)


def test_a_transcript_that_the_coder_has_finished_is_left_as_it_is(study: Path) -> None:
    session = suggested(study)
    north, south = of_transcripts(session)
    decide(session, north)
    made = refresh.refresh(session, coder="Ada")
    assert made is not None
    assert made.transcripts == (south[0].transcript,)
    decide(session, south)
    assert refresh.refresh(session, coder="Ada") is None
    assert refresh.refresh(session, coder="Ben") is not None


def test_what_was_said_of_a_transcript_has_no_part_in_its_own_suggestions(study: Path) -> None:
    session = suggested(study)
    north, south = of_transcripts(session)
    before = outcome(session)
    decide(session, north)
    assert refresh.refresh(session) is not None
    after = outcome(session)
    assert {piece.id: before[piece.id] for piece in north} == {piece.id: after[piece.id] for piece in north}
    assert any(before[piece.id] != after[piece.id] for piece in south)
