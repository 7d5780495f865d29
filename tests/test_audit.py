"""The audit of a study: what counts, that it can be repeated, and that nobody is named who should not be."""

import csv
import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import audit as auditing
from pipeline import intake
from pipeline.agreement import Lack
from pipeline.audit import Asked, audit, moment_of
from pipeline.audit.gather import pseudonym_of
from pipeline.errors import StudyFault
from pipeline.records import Answer, Decision, Mode, Segment, segment_id
from pipeline.store import corpus, decisions, runs, trail

from .auditing import BEGAN, CODERS, DOCUMENTS, EACH, HOSTILE, MALLORY, THEMES, decide, document, study, suggest
from .running import run


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def answer(session: intake.Session, segment: Segment, coder: str, theme: str) -> None:
    kind, moment = Answer.ADD if theme else Answer.NOTHING, BEGAN + timedelta(days=30)
    made = Decision(segment=segment.id, coder=coder, answer=kind, theme=theme, decided_at=moment)
    decisions.add_decisions(session.store, [made])


def test_the_report_is_a_page_everything_as_json_and_tables(tmp_path: Path) -> None:
    study(tmp_path)
    said = run("audit", tmp_path).output
    assert f"3 coders, {DOCUMENTS * EACH} segments read by two or more" in said and "no ratings of people" in said
    out = tmp_path / "audit"
    assert set(files(out)) >= {
        "report.html",
        "report.json",
        "coders.csv",
        "agreement_themes.csv",
        "agreement_sets.csv",
        "agreement_pairs.csv",
        "disagreements.csv",
    }
    everything = told(out)
    assert [theme["theme"] for theme in everything["reliability"]["everything"]["themes"]] == list(THEMES)
    assert everything["seed"] == 0 and everything["versions"]["themescout"]
    first = table(out, "agreement_themes")[0]
    alpha = everything["reliability"]["everything"]["themes"][0]["alpha"]
    assert float(first["alpha"]) == alpha["value"] and float(first["alpha_low"]) == alpha["low"]
    assert first["readings"] == "all" and first["documents"] == str(DOCUMENTS)


def test_every_disagreement_is_listed_with_who_said_what(tmp_path: Path) -> None:
    session = study(tmp_path)
    run("audit", tmp_path)
    rows = table(tmp_path / "audit", "disagreements")
    given: dict[str, dict[str, str]] = {}
    names = {segment.id: segment for segment in corpus.load_segments(session.store)}
    for made in decisions.load_decisions(session.store):
        given.setdefault(made.segment, {})[made.coder] = made.theme
    expected = Counter(
        (theme, names[segment].text)  # type: ignore[index]
        for segment, by in given.items()
        for theme in THEMES
        if 0 < sum(said == theme for said in by.values()) < len(by)
    )
    assert Counter((row["theme"], row["text"]) for row in rows) == expected
    row = rows[0]
    by = next(by for segment, by in given.items() if names[segment].text == row["text"])  # type: ignore[index]
    assert {coder for coder, theme in by.items() if theme == row["theme"]} == set(row["gave"].split(";"))


def test_an_old_audit_comes_out_the_same_byte_for_byte(tmp_path: Path) -> None:
    session = study(tmp_path / "study", coders=CODERS[:2])
    run("audit", tmp_path / "study", "--out", tmp_path / "then")
    decide(session, "Ana", seed=9)
    suggest(session, [document(at) for at in range(DOCUMENTS)], later=20)  # the machine changed its mind as well
    run("audit", tmp_path / "study", "--out", tmp_path / "now")
    moment = (BEGAN + timedelta(days=2)).isoformat()
    run("audit", tmp_path / "study", "--out", tmp_path / "again", "--as-of", moment)
    assert files(tmp_path / "then") == files(tmp_path / "again") != files(tmp_path / "now")
    run("audit", tmp_path / "study", "--out", tmp_path / "day", "--as-of", (BEGAN + timedelta(days=2)).date())
    assert files(tmp_path / "day") == files(tmp_path / "then")


def test_an_old_audit_does_not_depend_on_suggestions_that_are_deleted_in_time(tmp_path: Path) -> None:
    session = study(tmp_path / "study")
    cut = [document(at) for at in range(DOCUMENTS)]
    moment = BEGAN + timedelta(days=60)
    suggest(session, cut, later=30, beside=True)
    piece = cut[0][1][0]
    seen = Decision(
        segment=piece.id, coder="Zoe", answer=Answer.ACCEPT, theme=THEMES[0], shown=True, run="run-31",
        decided_at=BEGAN + timedelta(days=40),
    )  # fmt: skip
    decisions.add_decisions(session.store, [seen])
    then = ("audit", tmp_path / "study", "--as-of", moment.isoformat(), "--out")
    run(*then, tmp_path / "then")
    suggest(session, cut, later=90)
    assert runs.drop_superseded(session.store, BEGAN + timedelta(days=99)) > 0
    run(*then, tmp_path / "again")
    assert files(tmp_path / "then") == files(tmp_path / "again")


def test_the_seed_is_told_and_counts(tmp_path: Path) -> None:
    study(tmp_path)
    run("audit", tmp_path, "--seed", 5)
    assert told(tmp_path / "audit")["seed"] == 5


def test_pseudonyms_leave_no_name_anywhere_and_stay_when_others_join(tmp_path: Path) -> None:
    session = study(tmp_path / "study", coders=("Zoe", MALLORY))
    run("audit", tmp_path / "study", "--out", tmp_path / "once", "--pseudonyms")
    for content in files(tmp_path / "once").values():
        assert b"Zoe" not in content and b"onerror" not in content
    assert [row["coder"] for row in table(tmp_path / "once", "coders")] == ["Coder A", "Coder B"]
    decide(session, "Abe", seed=9)
    run("audit", tmp_path / "study", "--out", tmp_path / "more", "--pseudonyms")
    first = {row["coder"]: row for row in table(tmp_path / "more", "coders")}
    for row in table(tmp_path / "once", "coders"):
        assert first[row["coder"]] == row


def test_pseudonyms_go_on_after_z() -> None:
    names = pseudonym_of(f"n{at}" for at in range(54))
    assert [names[f"n{at}"] for at in (0, 25, 26, 51, 52)] == [
        "Coder A", "Coder Z", "Coder AA", "Coder AZ", "Coder BA",
    ]  # fmt: skip


def test_hostile_names_are_text_on_the_page(tmp_path: Path) -> None:
    study(tmp_path)
    run("audit", tmp_path)
    page = (tmp_path / "audit/report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;alert(" in page and "&lt;img src=x onerror=alert(1)&gt;" in page
    assert HOSTILE in {row["theme"] for row in table(tmp_path / "audit", "agreement_themes")}


def test_a_second_reading_by_the_same_coder_does_not_count_as_agreement(tmp_path: Path) -> None:
    session = study(tmp_path)
    before = audit(session, Asked()).reliability
    decide(session, "Zoe", seed=77, mode=Mode.DUPLICATE)
    assert audit(session, Asked()).reliability == before


def test_what_was_read_and_not_coded_counts_and_what_was_not_read_does_not(tmp_path: Path) -> None:
    session = study(tmp_path, coders=("Zoe",), machine=False)
    assert audit(session, Asked()).reliability.everything.themes[0].alpha.value is Lack.NOT_ESTIMABLE
    segments = corpus.load_segments(session.store)
    for segment in segments[:6]:
        answer(session, segment, "Ana", "")
    agreed = audit(session, Asked()).reliability.everything
    assert agreed.counts.units == 6 and agreed.counts.readings == 12
    assert agreed.themes[0].positives > 0 and agreed.themes[0].positive.value == 0.0


def test_readings_without_suggestions_stand_apart(tmp_path: Path) -> None:
    session = study(tmp_path)
    found = audit(session, Asked()).reliability
    shown = {d.segment for d in decisions.load_decisions(session.store) if d.shown}
    assert found.blind.counts.units == DOCUMENTS * EACH - len(shown) < found.everything.counts.units


def test_the_machine_is_marked_among_coders_and_never_one_of_them(tmp_path: Path) -> None:
    session = study(tmp_path, coders=("Zoe", "the machine"))
    found = audit(session, Asked())
    machine = found.reliability.machine
    assert machine is not None and machine.name == "the machine*"
    assert [work.coder for work in found.coders] == ["Zoe", "the machine"]
    assert machine.name not in found.readings.coders and {one.coder for one in machine.coders} == {"Zoe", "the machine"}
    assert all(one.units == DOCUMENTS * EACH for one in machine.coders)
    assert audit(study(tmp_path / "other", machine=False), Asked()).reliability.machine is None


def test_coders_who_cut_for_themselves_are_compared_by_where_their_themes_lie(tmp_path: Path) -> None:
    session = study(tmp_path)
    assert audit(session, Asked()).reliability.unitizing is None
    whole = corpus.load_segments(session.store)[0]
    part = Segment(
        id=segment_id(whole.transcript, whole.start, whole.end - 8),
        transcript=whole.transcript,
        name="own",
        turn=whole.turn,
        start=whole.start,
        end=whole.end - 8,
        text=whole.text[:-8],
    )
    corpus.add_person_segments(session.store, [part])
    answer(session, part, "Zoe", THEMES[0])
    found = audit(session, Asked()).reliability.unitizing
    assert found is not None and found.documents == DOCUMENTS and isinstance(found.u.value, float)
    run("audit", tmp_path)
    assert "Coders cut for themselves" in (tmp_path / "audit/report.html").read_text(encoding="utf-8")


def test_who_codes_spans_in_place_of_a_segment_has_read_it_with_the_themes_of_all_of_them(tmp_path: Path) -> None:
    session = study(tmp_path, coders=("Zoe", "Ana"), machine=False)
    before = audit(session, Asked()).reliability.everything
    whole = corpus.load_segments(session.store)[0]
    given = {d.theme for d in decisions.load_decisions(session.store) if (d.segment, d.coder) == (whole.id, "Zoe")}
    middle = whole.start + 12
    parts = [
        Segment(id=segment_id(whole.transcript, a, b), transcript=whole.transcript, name=name, turn=whole.turn, start=a,
                end=b, text=whole.text[a - whole.start : b - whole.start])
        for name, a, b in (("one", whole.start, middle), ("two", middle, whole.end))
    ]  # fmt: skip
    corpus.add_person_segments(session.store, parts)
    at = {"coder": "Zoe", "decided_at": BEGAN + timedelta(days=30)}
    cut = Decision(segment=whole.id, theme="", answer=Answer.CUT, **at)  # type: ignore[arg-type]
    own = [
        Decision(segment=part.id, theme=theme, answer=Answer.ADD, cut_from=whole.id, **at)  # type: ignore[arg-type]
        for part, theme in zip(parts, (*sorted(given), THEMES[1]), strict=False)
    ]
    decisions.add_decisions(session.store, [cut, *own[:1]])
    assert audit(session, Asked()).reliability.everything == before, "the same themes, said of a part"
    decisions.add_decisions(session.store, own[1:])
    after = audit(session, Asked())
    assert after.reliability.everything.counts == before.counts
    read = after.readings
    row = (read.unit == read.units.index(whole.id)) & (read.coder == read.coders.index("Zoe"))
    assert {read.themes[at] for at in read.given[row][0].nonzero()[0]} == given | {THEMES[1]}


def test_themes_that_the_codebook_no_longer_has_are_told(tmp_path: Path) -> None:
    session = study(tmp_path)
    answer(session, corpus.load_segments(session.store)[0], "Zoe", "Old theme")
    assert audit(session, Asked()).themes == (*THEMES, "Old theme")


def test_a_theme_that_was_renamed_is_one_theme_under_its_present_name(tmp_path: Path) -> None:
    study(tmp_path, machine=False)
    run("audit", tmp_path, "--out", tmp_path / "before")
    with (tmp_path / "codebook.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [(name, "What it means.", "") for name in THEMES[1:]]
        csv.writer(file).writerows(
            [("theme", "definition", "formerly"), ("Lost time", "What it means.", "Waiting"), *rows]
        )
    run("audit", tmp_path, "--out", tmp_path / "after")
    for name in ("agreement_themes", "drift", "disagreements"):
        before, after = (table(tmp_path / folder, name) for folder in ("before", "after"))
        assert any("Waiting" in value for row in before for value in row.values())
        renamed = [{key: value.replace("Waiting", "Lost time") for key, value in row.items()} for row in before]
        assert sorted(map(str, after)) == sorted(map(str, renamed))


def test_a_study_without_decisions_says_what_to_do(tmp_path: Path) -> None:
    session = study(tmp_path, coders=())
    with pytest.raises(StudyFault, match=r"nobody decided anything; .*import"):
        audit(session, Asked())
    assert "there is no store yet" in run("audit", fresh(tmp_path), expect=1).output


def fresh(folder: Path) -> Path:
    other = folder / "fresh"
    other.mkdir()
    for name in ("study.toml", "codebook.csv"):
        shutil.copy(folder / name, other / name)
    return other


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", "0001-01-01T00:00+10:00", "9999-12-31T23:59-10:00"])
def test_a_moment_that_is_none_is_wrong_usage(tmp_path: Path, wrong: str) -> None:
    study(tmp_path, coders=CODERS[:1])
    assert "no day or moment like" in run("audit", tmp_path, "--as-of", wrong, expect=2).output


def test_a_day_written_without_hyphens_is_that_whole_day_too() -> None:
    assert moment_of("20260331") == moment_of("2026-03-31")


def test_the_report_does_not_go_among_the_transcripts(tmp_path: Path) -> None:
    study(tmp_path, coders=CODERS[:1])
    (tmp_path / "transcripts/North").mkdir(parents=True)
    said = run("audit", tmp_path, "--out", tmp_path / "transcripts/North", expect=1).output
    assert "folder of the study's transcripts" in said and not list((tmp_path / "transcripts/North").iterdir())


def test_everything_as_json_on_standard_output(tmp_path: Path) -> None:
    study(tmp_path)
    said = run("audit", tmp_path, "--json").stdout
    assert json.loads(said) == told(tmp_path / "audit")


def test_disputed_themes_come_with_the_segments_that_divide_most(tmp_path: Path) -> None:
    session = study(tmp_path)
    for coder in range(6):
        decide(session, f"Guess {coder}", seed=100 + coder)
    found = audit(session, Asked())
    assert found.signals
    for signal in found.signals:
        ((_, examples),) = signal.columns
        split = [len(e.said.split("; not by ")[0].split(", ")) for e in examples]
        assert 1 <= len(examples) <= 4 and all(2 <= n <= 7 for n in split)
    assert auditing.audit(session, Asked()).signals == found.signals


def tamper(session: intake.Session, *statements: str) -> None:
    session.store.close()
    with closing(sqlite3.connect(session.store.place)) as plain, plain:
        for change in ("update", "delete"):
            plain.execute(f"DROP TRIGGER decisions_refuse_{change}")
        for statement in statements:
            plain.execute(statement)


def test_a_trail_is_verified_by_itself_and_beside_an_earlier_report(tmp_path: Path) -> None:
    session = study(tmp_path)
    many = len(decisions.load_decisions(session.store))
    run("audit", tmp_path)
    report = tmp_path / "audit/report.json"
    assert told(tmp_path / "audit")["trail"]["count"] == many
    assert f"The trail is whole: {many} decisions" in run("audit", tmp_path, "--verify", "--against", report).output
    decide(session, "Later", seed=9)
    assert json.loads(run("audit", tmp_path, "--verify", "--against", report, "--json").output)["count"] > many


@pytest.mark.parametrize(
    ("statement", "place", "why"),
    [
        ("UPDATE decisions SET theme = 'Money' WHERE id = 7", "decision 7:", "altered"),
        ("DELETE FROM decisions WHERE id = 7", "decision 7:", "taken out"),
        ("UPDATE decisions SET id = 1000 WHERE id = 7", "decision 7:", "taken out or put in"),
        ("DELETE FROM decisions WHERE id > 230", "decision 231:", "missing at the end"),
    ],
)
def test_a_trail_that_was_tampered_with_is_one_line_that_names_the_place(
    tmp_path: Path, statement: str, place: str, why: str
) -> None:
    session = study(tmp_path)
    run("audit", tmp_path)
    tamper(session, statement)
    said = run("audit", tmp_path, "--verify", "--against", tmp_path / "audit/report.json", expect=1).output
    assert place in said and why in said and said.count("\n") == 1


def test_an_audit_of_an_old_moment_knows_the_trail_of_then(tmp_path: Path) -> None:
    session = study(tmp_path, coders=CODERS[:2])
    then = trail.head(session.store)
    decide(session, "Ana", seed=9)
    run("audit", tmp_path, "--as-of", (BEGAN + timedelta(days=2)).isoformat())
    assert told(tmp_path / "audit")["trail"] == {"count": then.count, "hash": then.hash}
    run("audit", tmp_path, "--verify", "--against", tmp_path / "audit/report.json")


@pytest.mark.parametrize(
    "said",
    ["", "[]", "{}"]
    + [f'{{"trail": {{"count": {count}, "hash": "x"}}}}' for count in ('"many"', "1e400", "-5", "0", "2.5")],
)
def test_a_file_that_is_no_report_is_told(tmp_path: Path, said: str) -> None:
    study(tmp_path, coders=CODERS[:1])
    (tmp_path / "other.json").write_text(said, encoding="utf-8")
    told = run("audit", tmp_path, "--verify", "--against", tmp_path / "other.json", expect=1).output
    assert "does not say where the audit trail stood" in told
    assert run("audit", tmp_path, "--against", tmp_path / "other.json", expect=2)
    assert "no store yet" in run("audit", fresh(tmp_path), "--verify", expect=1).output
