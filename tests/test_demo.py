"""The example study is what it says it is."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from pipeline import exchange, intake, transcripts
from pipeline.codebook import doubts, read_codebook
from pipeline.config import Study, load_study, shipped
from pipeline.records import Kind, Role, Segment, Transcript

DEMO = shipped("data", "demo")
THEMES = (
    "Community and staff attitudes",
    "Resource availability",
    "Organisational culture",
    "Role definition",
    "Training and support",
    "Peer support network",
)


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(DEMO)


@pytest.fixture(scope="module")
def cut(study: Study) -> list[tuple[Transcript, list[Segment]]]:
    files, faults = transcripts.find(study)
    assert not faults
    return [pair for file in files for pair in intake.read_and_cut(study, file)]


def test_it_says_that_it_is_invented(study: Study) -> None:
    assert "invented" in study.name
    assert "Everything here is\ninvented" in (DEMO / "README.md").read_text(encoding="utf-8").replace("**", "")


def test_the_codebook_has_quotes_of_every_kind(study: Study) -> None:
    codebook = read_codebook(study.codebook_file)
    assert codebook.names == THEMES
    assert not doubts(study.codebook_file)
    for theme in codebook.themes:
        assert theme.definition
        assert theme.include
        assert theme.exclude
        kinds = Counter(exemplar.kind for exemplar in theme.exemplars)
        assert 4 <= len(theme.exemplars) <= 8
        assert min(kinds[kind] for kind in Kind) >= 1


def test_there_are_enough_transcripts_of_the_promised_length(
    study: Study, cut: list[tuple[Transcript, list[Segment]]]
) -> None:
    assert len(study.site) == 5
    assert len(cut) >= 12
    assert len({Path(transcript.source).suffix for transcript, _ in cut}) >= 4
    assert not transcripts.clashes(transcript for transcript, _ in cut)
    for transcript, segments in cut:
        assert 30 <= len(transcript.turns) <= 80, transcript.name
        assert any(turn.role is Role.MODERATOR for turn in transcript.turns)
        assert len(segments) < len(transcript.turns)  # moderators and back-channels have none


def test_quotes_with_a_document_as_source_stand_in_it(
    study: Study, cut: list[tuple[Transcript, list[Segment]]]
) -> None:
    texts = {transcript.name: transcript.text for transcript, _ in cut}
    for theme in read_codebook(study.codebook_file).themes:
        for exemplar in theme.exemplars:
            assert exemplar.source == "pilot interviews" or exemplar.text in texts[exemplar.source]


def test_both_coders_coded_every_segment(study: Study, cut: list[tuple[Transcript, list[Segment]]]) -> None:
    rows = exchange.read_coding(DEMO / "coding.csv")
    read = {transcript.id: transcript for transcript, _ in cut}
    segments = [segment for _, some in cut for segment in some]
    placed = exchange.place_coding(rows, read, segments, THEMES, place="coding.csv")
    assert not placed.faults
    for coder in ("Ada", "Ben"):
        assert {c.segment.id for c in placed.codings if c.coder == coder} == {segment.id for segment in segments}
    nothing = sum(not coding.themes for coding in placed.codings) / len(placed.codings)
    assert 0.3 < nothing < 0.6  # plenty of talk fits no theme


def test_no_cell_would_run_as_a_formula() -> None:
    with (DEMO / "coding.csv").open(encoding="utf-8-sig", newline="") as table:
        assert not [row for row in csv.reader(table) if row[-1][:1] in "=+@" and row[-1]]
