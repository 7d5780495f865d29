"""The audit's parts on influence and effort: what suggestions do, what they cost, and that nothing is made up."""

import csv
import json
import random
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from pipeline.audit import Asked, audit
from pipeline.cli import main
from pipeline.intake import Session
from pipeline.records import Answer, Decision, Mode
from pipeline.store import anchors, corpus, decisions
from pipeline.store.anchors import Gold

from .auditing import BEGAN, THEMES, decide, document, study, suggest

DOCUMENTS = 20


def worked(folder: Path, *, follows: float, seconds: float = 8.0) -> Session:
    """Return a study in which Zoe gives the suggested theme so often if it is shown, and 20 % of the time else."""
    session = study(folder, coders=(), machine=False, documents=DOCUMENTS)
    suggest(session, [document(at) for at in range(DOCUMENTS)])
    rng, made = random.Random(3), []
    for at, segment in enumerate(corpus.load_segments(session.store)):
        withheld = rng.random() < 0.4
        offered = at % 10 % 2 == 1
        given = rng.random() < (follows if offered and not withheld else 0.2)
        made.append(
            Decision(
                segment=segment.id,
                coder="Zoe",
                answer=(Answer.ACCEPT if offered and not withheld else Answer.ADD) if given else Answer.NOTHING,
                theme=THEMES[0] if given else "",
                shown=not withheld,
                mode=Mode.WITHHELD if withheld else Mode.ROUTINE,
                seconds=seconds if not withheld else 12.0,
                decided_at=BEGAN + timedelta(seconds=20 * at),
                encoder="hashing",
                codebook_revision=session.codebook.revision,
                run="run-1",
                chance=0.4 if withheld else 0.6,
            )
        )
    decisions.add_decisions(session.store, made)
    return session


def page_of(folder: Path, *options: str) -> str:
    done = CliRunner().invoke(main, ["audit", str(folder), *options])
    assert done.exit_code == 0, done.output
    return (folder / "audit/report.html").read_text(encoding="utf-8")


def test_who_gives_what_is_shown_is_a_signal_with_what_was_kept_back_beside_it(tmp_path: Path) -> None:
    session = worked(tmp_path, follows=0.9)
    found = audit(session, Asked())
    assert found.influence is not None
    effect = found.influence.coders["Zoe"].effect
    assert effect.value is not None and effect.low is not None and 0.5 < effect.value < 0.9 and effect.low > 0.4
    signal = next(signal for signal in found.signals if "where they are suggested" in signal.title)
    (shown, accepted), (kept, not_given) = signal.columns
    assert (shown, kept) == ("Suggested, and given", "The same was kept back, and not given")
    assert len(accepted) == len(not_given) == 4
    page = page_of(tmp_path)
    assert "a suggestion in view adds +" in page and "It says nothing" not in page
    with (tmp_path / "audit/influence.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {(row["coder"], row["figure"]): row for row in csv.DictReader(file)}
    assert float(rows["Zoe", "effect"]["value"]) == effect.value


def test_who_is_not_moved_is_no_signal(tmp_path: Path) -> None:
    found = audit(worked(tmp_path, follows=0.2), Asked())
    assert found.influence is not None
    assert not [signal for signal in found.signals if "suggest" in signal.title]


def test_accepts_in_a_row_that_nobody_can_have_read_are_shown_with_some_of_them(tmp_path: Path) -> None:
    session = worked(tmp_path, follows=0.5)
    segments = corpus.load_segments(session.store)
    hasty = [
        Decision(
            segment=segment.id,
            coder="Zoe",
            answer=Answer.ACCEPT,
            theme=THEMES[0],
            shown=True,
            seconds=1.0,
            decided_at=BEGAN + timedelta(days=5, seconds=at),
            codebook_revision=session.codebook.revision,
            run="run-1",
        )
        for at, segment in enumerate(segments[:30])
    ]
    decisions.add_decisions(session.store, hasty)
    signal = next(s for s in audit(session, Asked()).signals if "accepted in a row" in s.title)
    assert signal.title == "Zoe: 30 suggestions accepted in a row, fast"
    ((_, examples),) = signal.columns
    assert len(examples) == 4 and all(one.said == "1.0 s" for one in examples)


def test_wrong_suggestions_that_are_accepted_are_shown_beside_the_gold_coding(tmp_path: Path) -> None:
    session = worked(tmp_path, follows=0.95)
    told = {"codebook_revision": "r", "adjudicated_by": "Team", "adjudicated_at": BEGAN}
    segments = corpus.load_segments(session.store)
    anchors.add_gold(session.store, [Gold(segment=s.id, themes=frozenset(), **told) for s in segments])  # type: ignore[arg-type]
    found = audit(session, Asked())
    assert found.influence is not None
    reliance = found.influence.coders["Zoe"].reliance
    assert reliance.wrong.value is not None and reliance.wrong.value > 0.8 and reliance.right.count == 0
    signal = next(signal for signal in found.signals if signal.title == "Zoe: accepts wrong suggestions")
    (_, given), (_, kept) = signal.columns
    assert len(given) == len(kept) == 4 and all("wrong by gold" in one.said for one in (*given, *kept))
    assert "wrong suggestions were accepted: with 95 % confidence not more than" in page_of(tmp_path)


def test_time_saved_is_that_of_segments_that_chance_kept_back(tmp_path: Path) -> None:
    found = audit(worked(tmp_path, follows=0.5), Asked()).effort
    assert (found.saving.shown, found.saving.withheld) == (8.0, 12.0)
    assert found.saving.gross.value is not None and abs(found.saving.gross.value - 1 / 3) < 1e-9
    assert found.pace.per_minute is not None and 5 < found.pace.per_minute < 7.5


def test_reading_in_the_machines_order_is_told_by_theme(tmp_path: Path) -> None:
    found = audit(worked(tmp_path, follows=1.0), Asked()).effort
    (one,) = found.screened
    assert one.theme == THEMES[0] and one.curve[0] == 0.0 and one.curve[-1] == 1.0
    assert one.recall[0][1] is not None and one.recall[0][1] > 0.1  # what was suggested comes first
    assert 0 < one.enough <= one.segments


def test_imported_coding_has_no_part_in_influence_and_says_so(tmp_path: Path) -> None:
    session = study(tmp_path, machine=False)
    decide(session, "Ria", seed=4)
    found = audit(session, Asked())
    assert found.influence is None
    page = page_of(tmp_path)
    assert "nothing can be said of the machine&#39;s influence" in page
    told = json.loads((tmp_path / "audit/report.json").read_text(encoding="utf-8"))
    assert told["influence"] is None and told["effort"]["pace"]["segments"] > 0


def test_methods_cite_what_was_used(tmp_path: Path) -> None:
    worked(tmp_path, follows=0.5)
    page = page_of(tmp_path)
    methods = page[page.index("Methods, for a paper</h2>") :]
    assert "Horvitz" in methods and "Callaghan" in methods and "COREQ" in methods and "SRQR" in methods
