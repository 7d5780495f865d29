"""What people decided, in the shape that learning needs: renamed and unknown themes, blind decisions."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline import coded, intake, work
from pipeline.cli import main
from pipeline.codebook import read_codebook, write_codebook
from pipeline.errors import Faults
from pipeline.records import Answer, Codebook, Decision, Mode, Segment, Theme
from pipeline.store import corpus, decisions, runs

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def suggested(study: Path) -> tuple[intake.Session, list[Segment]]:
    session = intake.open_session(study)
    work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    return session, corpus.load_segments(session.store)


def decide(
    session: intake.Session, segment: Segment, theme: str, answer: Answer = Answer.ACCEPT, **more: object
) -> None:
    coder = str(more.pop("coder", "Ada"))
    made = Decision(segment=segment.id, coder=coder, answer=answer, theme=theme, decided_at=NOW, **more)  # type: ignore[arg-type]
    decisions.add_decisions(session.store, [made])


def zeros(*texts: str) -> dict[str, np.ndarray]:
    return {text: np.zeros(3, dtype=np.float32) for text in texts}


def test_decisions_on_unknown_themes_are_parked_and_counted(study: Path) -> None:
    session, segments = suggested(study)
    decide(session, segments[0], "Comfort")
    decide(session, segments[1], "Comfort", Answer.REJECT)
    decide(session, segments[1], "Money")
    found = coded.coded_segments(session.store)
    assert coded.parked(found, session.codebook) == {"Comfort": 2}
    learned = coded.labelled(found, session.codebook, zeros(*found.texts))
    assert learned is not None
    assert learned.gold.sum() == 1


def test_a_theme_that_says_what_it_was_called_gets_the_decisions_back(study: Path) -> None:
    session, segments = suggested(study)
    decide(session, segments[0], "Comfort")
    decide(session, segments[0], "Ease", coder="Ben")
    decide(session, segments[0], "Comfort", coder="Ben")
    book = Codebook(themes=(Theme(name="Waiting"), Theme(name="Ease", formerly=("Comfort",))))
    found = coded.coded_segments(session.store)
    assert coded.parked(found, book) == {}
    learned = coded.labelled(found, book, zeros(*found.texts))
    assert learned is not None
    assert learned.gold.tolist() == [[0, 1]]  # Ben gave it under both names, and counts once


def test_a_segment_of_parked_themes_alone_is_not_taken_for_one_that_nothing_fits(study: Path) -> None:
    session, segments = suggested(study)
    decide(session, segments[0], "Comfort")
    decide(session, segments[1], "Comfort")
    decide(session, segments[1], "Money", coder="Ben")
    decide(session, segments[2], "", Answer.NOTHING)
    decide(session, segments[3], "Money")
    decide(session, segments[3], "Comfort", coder="Lea", mode=Mode.ADJUDICATION)
    found = coded.understood(coded.coded_segments(session.store), session.codebook)
    assert [piece.id for piece in found.segments] == [segments[1].id, segments[2].id]
    learned = coded.labelled(found, session.codebook, zeros(*found.texts))
    assert learned is not None
    assert learned.gold.sum(axis=1).tolist() == [1, 0]  # Ben alone tells of the first


def test_decisions_on_a_theme_that_is_gone_are_not_held_against_those_in_its_place(study: Path) -> None:
    session, segments = suggested(study)
    before = runs.load_suggestions(session.store)
    for piece in segments:
        decide(session, piece, "Comfort")
    work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    after = runs.load_suggestions(session.store)
    assert [m.suggestion for made in after.values() for m in made] == [
        m.suggestion for made in before.values() for m in made
    ]
    assert work.set_apart(session) == ({}, {"Comfort": len(segments)})


def test_evaluating_says_that_coders_gave_no_theme(study: Path) -> None:
    session, segments = suggested(study)
    decide(session, segments[0], "", Answer.NOTHING)
    session.store.close()
    done = CliRunner().invoke(main, ["evaluate", str(study)])
    assert done.exit_code == 1
    assert "study.toml: has no coding that gives a theme; `themescout import STUDY FILE`" in done.output


def test_learning_may_be_limited_to_decisions_made_without_suggestions(study: Path) -> None:
    session, segments = suggested(study)
    decide(session, segments[0], "Money", shown=True)
    decide(session, segments[1], "Money", shown=True, mode=Mode.ANCHOR)
    decide(session, segments[2], "Money", shown=False)
    every, blind = (coded.coded_segments(session.store, which) for which in ("all", "blind"))
    assert len(every.segments) == 3
    assert {one.id for one in blind.segments} == {segments[1].id, segments[2].id}
    assert every.digest != blind.digest
    file = study / "study.toml"
    file.write_text(file.read_text() + '[rank]\nlearn_from = "blind"\n')
    assert len(work.learned_from(intake.open_session(study)).segments) == 2


def test_suggest_and_status_tell_of_parked_decisions(study: Path) -> None:
    session, segments = suggested(study)
    decide(session, segments[0], "Comfort")
    session.store.close()
    for command in (["suggest", "--direct"], ["status"]):
        done = CliRunner().invoke(main, [*command, str(study)])
        assert done.exit_code == 0
        assert "note: decisions on themes that the codebook does not have are kept" in done.output
        assert "`Comfort` (1 segment)" in done.output
    assert '"parked": {' in CliRunner().invoke(main, ["status", "--json", str(study)]).output


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".yaml", ".toml"])
def test_former_names_survive_a_codebook_file(tmp_path: Path, suffix: str) -> None:
    book = Codebook(themes=(Theme(name="Ease", definition="x", formerly=("Comfort", "Being at ease")),))
    write_codebook(book, tmp_path / f"book{suffix}")
    assert read_codebook(tmp_path / f"book{suffix}") == book


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("Ease,x,Comfort\nCare,y,Comfort\n", "theme `Care` was formerly `Comfort`, and so was `Ease`"),
        ("Ease,x,Care\nCare,y,\n", "theme `Ease` was formerly `Care`, and a theme is called that now"),
    ],
)
def test_a_former_name_that_says_too_little_is_a_fault(tmp_path: Path, rows: str, problem: str) -> None:
    file = tmp_path / "book.csv"
    file.write_text("theme,definition,formerly\n" + rows)
    with pytest.raises(Faults) as raised:
        read_codebook(file)
    assert problem in str(raised.value.exceptions[0])


def test_a_codebook_without_former_names_keeps_its_revision() -> None:
    plain, renamed = (Codebook(themes=(Theme(name="Ease", formerly=old),)) for old in ((), ("Comfort",)))
    assert plain.revision != renamed.revision
    assert plain.revision == "41c338347485cd966a17"
