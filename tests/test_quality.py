"""The quality benchmark, on invented sets of the same shape as the public ones."""

import csv
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.codebook import read_codebook

from .models import tiny_model

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
WORDS = {
    "Parking": ("parked", "space", "barrier"),
    "Food": ("soup", "bread", "kitchen"),
    "Noise": ("loud", "drill", "night"),
}


def write(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def said(at: int, theme: str) -> str:
    words = WORDS[theme]
    return f"The {words[at % 3]} was a matter of the {words[(at + 1) % 3]} on day {at}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the benchmarks expect it, without one of the sets."""
    folder = tmp_path_factory.mktemp("public")
    names = list(WORDS)
    themes = [
        {"code": name, "definition": f"About {words[0]}.", "examples": f"So much {words[0]} || A {words[1]} again"}
        for name, words in WORDS.items()
    ]
    write(folder / "data/nhs_fft/themes.csv", [*themes, {"code": "Not assigned", "definition": "", "examples": "Well"}])
    comments = [
        {
            "doc_id": f"c{at}", "segment_id": f"c{at}", "speaker": "", "text": said(at, names[at % 3]),
            "codes": names[at % 3], "coder": "", "timestamp": "", "site": ("NEAS", "NHFT")[at % 2],
        }
        for at in range(90)
    ]  # fmt: skip
    again = comments[0] | {"segment_id": "twice"}
    example = comments[0] | {"segment_id": "example", "text": "so much PARKED."}
    write(folder / "data/nhs_fft/segments.csv", [*comments, again, example, comments[0] | {"codes": "Not assigned"}])
    highlights = [
        {
            "doc_id": f"P{at // 6}", "segment_id": f"h{at}", "speaker": "",
            "text": said(at, names[at % 3]) + ", I think",
            "codes": f"{names[at % 3]};{names[0]}" if at % 5 == 0 else names[at % 3], "coder": "x", "timestamp": "",
        }
        for at in range(17 * 6)
    ]  # fmt: skip
    uncoded = highlights[-1] | {"segment_id": "none", "codes": ""}
    write(folder / "data/serdif_usability/segments_highlights.csv", [*highlights, uncoded])
    write(folder / "data/serdif_usability/themes.csv", [{k: t[k] for k in ("code", "definition")} for t in themes])
    tail = [row | {"codes": f"Place > {row['codes']}"} for row in highlights[:42]]
    write(folder / "data/pdpilot_interviews/segments_highlights.csv", [*tail, tail[0] | {"codes": "Place > Food"}])
    deep = [{"code": f"Place > {t['code']}", "definition": "", "parent_definition": "About places."} for t in themes]
    write(folder / "data/pdpilot_interviews/themes.csv", deep)
    return folder


def bench(data: Path, cache: Path, *more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "quality.py"), str(data), "--cache", str(cache), "--encoder", "hashing"]
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS.parent), "XDG_DATA_HOME": str(cache / "made")}
    return subprocess.run([*command, *map(str, more)], capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def done(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    cache = tmp_path_factory.mktemp("cache")
    return bench(data, cache, "--ablate", "--out", str(cache / "quality.md")), cache


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("quality")


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("quality_goals")


Done = tuple[subprocess.CompletedProcess[str], Path]


def test_one_command_prints_one_table_with_goals_and_ablation(done: Done) -> None:
    finished, cache = done
    assert finished.returncode == 0, finished.stderr
    told = (cache / "quality.md").read_text(encoding="utf-8")
    assert told.strip() == finished.stdout.strip()
    assert "Skipped, because it is absent: sight_student_feedback." in told
    assert told.count("| test | system |") == 1
    for system in ("**themescout**", "cosine", "definition", "lexical", "frequency", "reference hybrid (known)"):
        assert f"| NHS, codebook only | {system} |" in told
    assert "| NHS, codebook only, adapted: R@3 | 0.76 | | | not measured |" in told
    assert "| Serdif replay from definitions: R@3 | 0.77 |" in told
    assert "## Ablation" in told
    assert "nan" not in told


def test_a_second_run_takes_its_vectors_from_the_cache_and_says_the_same(done: Done, data: Path) -> None:
    _, cache = done
    (file,) = cache.glob("vectors-*.npz")
    before = file.read_bytes()
    one, two = (bench(data, cache, "--only", "pdpilot_interviews").stdout for _ in range(2))
    assert one == two
    assert "pdpilot" in one
    assert file.read_bytes() == before


def test_other_encoders_get_rows_of_their_own(data: Path, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny")
    finished = bench(data, tmp_path, "--only", "serdif_usability", "--encoders", "--encoder", model)
    assert finished.returncode == 0, finished.stderr
    told = finished.stdout
    assert "| Serdif, 5 quotes per theme | setfit |" in told
    for encoder in ("adapted", "static"):
        assert f"| Serdif, 5 quotes per theme, {encoder} | **themescout** |" in told
    (found,) = (line for line in told.splitlines() if line.startswith("| Serdif, 5 quotes per theme | 1"))
    assert " | 5 | " in found  # the quotes come from five interviews
    assert "times as many" in told
    (record,) = (tmp_path / "studies/serdif_usability/encoder").glob("*.json")
    assert ("the adapted one" in found) == bool(json.loads(record.read_text())["folder"])


def test_the_later_half_of_the_lectures_is_ranked_with_quotes_of_the_earlier(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    comments = [
        {
            "doc_id": f"v{at // 4}", "segment_id": str(at), "speaker": "student", "text": said(at, list(WORDS)[at % 3]),
            "codes": list(WORDS)[(at + (coder == "H2" and at % 2)) % 3], "coder": coder, "timestamp": "",
        }
        for at in range(40)
        for coder in ("H1", "H2")
    ]  # fmt: skip
    write(tmp_path / "sight_student_feedback/segments.csv", comments)
    themes = [{"code": name, "definition": f"About {words[0]}."} for name, words in WORDS.items()]
    write(tmp_path / "sight_student_feedback/themes.csv", themes)
    vectors = importlib.import_module("quality").Cache(tmp_path, "hashing")
    (five,) = (test for test in sets().sight(tmp_path, vectors) if test.name == "SIGHT, 5 quotes per theme")
    assert set(five.material.documents) == {f"v{at}" for at in range(5, 10)}
    assert five.material.gold.sum(axis=1).tolist() == [1 + at % 2 for at in range(20, 40)]
    importlib.import_module("studies").sight(tmp_path, tmp_path / "study")
    quotes = {e.text for theme in read_codebook(tmp_path / "study/codebook.csv").themes for e in theme.exemplars}
    assert quotes == {e.text for theme in five.material.codebook.themes for e in theme.exemplars}
    told = CliRunner().invoke(main, ["import", str(tmp_path / "study"), str(tmp_path / "study/coding.csv")])
    assert told.exit_code == 0, told.output
    assert "40 rows of coding read" in told.output


def test_without_data_it_says_so(tmp_path: Path) -> None:
    finished = bench(tmp_path / "nowhere", tmp_path)
    assert finished.returncode == 1
    assert finished.stderr.startswith("skipped everything: ")


def test_splits_are_those_of_the_known_rows(quality: ModuleType, data: Path, tmp_path: Path) -> None:
    vectors = quality.Cache(tmp_path, "hashing")
    tests = {
        test.name: test
        for set_ in ("nhs", "serdif", "pdpilot")
        for test in getattr(sets(), set_)(data / "data", vectors)
    }
    comments = tests["NHS, codebook only"].material
    assert len(comments.texts) == 90  # without repeats, examples, and what has no theme
    assert len(set(comments.documents)) == 90
    (fold,) = tests["NHS, NEAS to NHFT"].samples[0]
    assert {comments.sites[row] for row in fold.train} == {"NEAS"}
    assert {comments.sites[row] for row in fold.test} == {"NHFT"}
    after = tests["NHS after 50 decisions"].samples
    assert len(after) == 5
    for (fold,) in after:
        assert (len(fold.test), len(fold.train)) == (36, 50)
        assert not set(fold.test) & set(fold.train)
    replay = tests["Serdif replay from definitions"]
    assert [len(fold.train) for fold in replay.samples[0]] == [6 * at for at in range(5, 17)]
    five = tests["Serdif, 5 quotes per theme"].material
    assert max(len(theme.exemplars) for theme in five.codebook.themes) <= 10  # five, and those of several themes
    assert {name.split()[0] for name in five.documents} == {f"P{at}" for at in range(5, 17)}
    tail = tests["pdpilot, from other interviews"].material
    assert tail.gold[0].sum() == 2  # one text, highlighted twice, its codes together
    assert {theme.parent for theme in tail.codebook.themes} == {"Place"}


def sets() -> ModuleType:
    return importlib.import_module("quality_sets")


def test_goals_are_met_or_not_by_what_was_reached(goals: ModuleType) -> None:
    def result(value: float) -> object:
        values = dict.fromkeys(goals.MEASURES, value)
        return goals.Result(values=values, drawn={key: np.full(10, value) for key in goals.MEASURES}, documents=9)

    def told(ours: float, its: float, often: float) -> list[str]:
        systems = {"themescout": result(ours), "cosine": result(its), "frequency": result(often)}
        return list(goals.goals({"NHS after 200 decisions": systems, "NHS, NEAS to NHFT": systems}))

    good, bad = told(0.9, 0.5, 0.3), told(0.6, 0.55, 0.7)
    assert "| NHS after 200 decisions: R@3 | 0.83 | 0.900 | [0.900, 0.900] | met |" in good
    assert "| NHS after 200 decisions: R@3 | 0.83 | 0.600 | [0.600, 0.600] | **not met** |" in bad
    assert "| NHS, NEAS to NHFT: R@3 minus cosine | 0.10 | 0.400 | [0.400, 0.400] | met |" in good
    assert "| NHS, NEAS to NHFT: R@3 minus cosine | 0.10 | 0.050 | [0.050, 0.050] | **not met** |" in bad
    assert "| NHS after 200 decisions: mAP over cosine | 1.50 | 1.800 | [1.800, 1.800] | met |" in good
    assert "| NHS after 200 decisions: above frequency at every k | | | | met |" in good
    assert "| NHS after 200 decisions: above frequency at every k | | | | **not met**: R@1, R@3, R@5 |" in bad
    assert "| NHS after 200 decisions: ECE at most | 0.05 | 0.900 | | **not met** |" in good


def test_every_document_counts_alike_in_a_replay(quality: ModuleType) -> None:
    np.testing.assert_allclose(quality._weights(["a", "a", "a", "b"]), [1 / 3, 1 / 3, 1 / 3, 1])
