"""Adapting an encoder: what it learns from, what it is judged on, and that a kill loses nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import adapt as adapting
from pipeline import embed, intake, rank
from pipeline.adapt.material import MOST, PARTS, Ground, ground
from pipeline.adapt.noise import chosen_apart, gain, stalled
from pipeline.adapt.setting import with_encoder
from pipeline.cli import main
from pipeline.coded import Coded
from pipeline.config import EmbedSettings, RankSettings
from pipeline.errors import EncoderFault, StudyFault
from pipeline.records import Codebook, Coding, Exemplar, Kind, Segment, SegmentId, Theme, TranscriptId

from .models import tiny_model

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 3, 2, tzinfo=UTC)
CODING = "document,segment,coder,codes,coded_at\nn1,t001s1,Ada,Waiting,2026-03-02T09:00:00+00:00\n"
WAITING = [
    f"we waited {word} in the rain for the bus" for word in ("an hour", "again", "late", "cold", "every day", "a week")
]
MONEY = [
    f"i cannot pay {word} because the fare went up" for word in ("the ticket", "this", "it", "the bus", "time", "money")
]
SINGING = [
    f"they sing {word} in the choir with friendly people"
    for word in ("again", "late", "every day", "and", "time", "too")
]


def study_with(folder: Path, model: Path, quotes: dict[str, Sequence[str]]) -> Path:
    """Write a study whose encoder is a model in a folder and whose themes have these exemplars."""
    (folder / "transcripts").mkdir(parents=True)
    (folder / "transcripts" / "n1.txt").write_text("Ana: We waited an hour in the rain for the bus.\n")
    rows = [f"{theme},What is said of {theme}." + ("" if quotes[theme] else ",") for theme in quotes]
    lines = ["theme,definition,exemplar"]
    for row, theme in zip(rows, quotes, strict=True):
        lines += [f"{row},{quotes[theme][0]}" if quotes[theme] else row, *(f"{theme},,{q}" for q in quotes[theme][1:])]
    (folder / "codebook.csv").write_text("\n".join(lines) + "\n")
    (folder / "study.toml").write_text(
        'name = "Bus stop"\ncodebook = "codebook.csv"\n\n[[site]]\nname = "North"\ntranscripts = "transcripts"\n\n'
        f'[embed]  # ours\nencoder = "{model}"  # the first\n\n[rank]\ntop_k = 3\n'
    )
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def bus(tmp_path: Path, model: Path) -> Path:
    return study_with(tmp_path / "bus", model, {"Waiting": WAITING, "Money": MONEY, "Singing": SINGING})


def told(*arguments: object, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == expect, result.output
    return result


def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any gain be certain, so that a tiny model is kept."""
    monkeypatch.setattr("pipeline.adapt.noise.Gain.certain", property(lambda _self: True))
    monkeypatch.setattr("pipeline.adapt.MOST_ROUNDS", 2)


def test_an_adapted_encoder_is_an_ordinary_model_beside_the_study(bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lenient(monkeypatch)
    before = (bus / "study.toml").read_text()
    said = told("adapt", bus).stdout
    (folder,) = [path for path in (bus / "encoder").iterdir() if path.is_dir()]
    assert f'encoder = "encoder/{folder.name}"' in said
    assert "Learned from 18 passages of 18 documents and 3 definitions" in said
    assert (bus / "study.toml").read_text() == before
    assert not (bus / "themescout.db").exists()
    located = embed.locate(EmbedSettings(encoder=f"encoder/{folder.name}"), bus)
    assert embed.load(located).encode(WAITING).shape == (6, 32)
    assert sorted(path.name for path in (bus / "encoder").iterdir()) == [folder.name, f"{folder.name}.json"]
    told("adapt", bus, "--use")
    assert (bus / "study.toml").read_text() == before.replace(
        tomllib.loads(before)["embed"]["encoder"], f"encoder/{folder.name}"
    )
    assert "1 segment ranked" in told("suggest", bus, "--direct").stdout


def test_the_same_material_is_not_learned_twice_and_other_material_is(
    bus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient(monkeypatch)
    first = told("adapt", bus, "--json").stdout
    monkeypatch.setattr("pipeline.embed.Trainee.train", lambda *_: pytest.fail("trained again"))
    assert told("adapt", bus, "--json").stdout == first
    monkeypatch.undo()
    lenient(monkeypatch)
    with (bus / "codebook.csv").open("a") as table:
        table.write("Money,,the ticket costs too much every week\n")
    assert json.loads(told("adapt", bus, "--json").stdout)["folder"] != json.loads(first)["folder"]


def test_an_adapted_encoder_is_not_adapted_further_but_what_it_was_made_from(
    bus: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient(monkeypatch)
    first = told("adapt", bus, "--use", "--json").stdout
    assert adapting.base_of(intake.open_session(bus)).folder == model
    assert json.loads(told("adapt", bus, "--json").stdout) == json.loads(first)


def test_evaluating_on_what_was_learned_from_is_cautioned(bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lenient(monkeypatch)
    (bus / "coding.csv").write_text(CODING)
    told("import", bus, bus / "coding.csv")
    assert "learned from" not in told("evaluate", bus).stderr
    told("adapt", bus, "--use")
    said = told("evaluate", bus).stderr
    assert "learned from 1 decided segments: figures on these are too good" in said


def test_a_fine_tuned_encoder_is_compared_with_on_request(bus: Path) -> None:
    (bus / "coding.csv").write_text(CODING)
    told("import", bus, bus / "coding.csv")
    figures = json.loads(told("evaluate", bus, "--setfit", "--json", "-").stdout)
    assert 0 < figures["systems"]["setfit"]["mrr"] <= 1
    assert "setfit" not in json.loads(told("evaluate", bus, "--json", "-").stdout)["systems"]


def test_without_a_certain_gain_the_old_encoder_stays(bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.adapt.noise.Gain.certain", property(lambda _self: False))
    monkeypatch.setattr("pipeline.adapt.MOST_ROUNDS", 1)
    before = (bus / "study.toml").read_text()
    said = told("adapt", bus, "--use").stdout
    assert "Not better by more than noise" in said
    assert (bus / "study.toml").read_text() == before
    assert [path.suffix for path in (bus / "encoder").iterdir()] == [".json"]
    assert told("adapt", bus).stdout == said


@pytest.mark.parametrize(
    ("quotes", "problem"),
    [
        ({"Waiting": WAITING}, "has one theme: there is nothing to tell it from"),
        ({"Waiting": [], "Money": []}, "has neither exemplars nor decisions that show a theme"),
        ({"Waiting": WAITING, "Money": []}, "has exemplars or decisions for one theme only"),
        ({"Waiting": WAITING[:1], "Money": MONEY[:1]}, "has only 2 different texts that show a theme: too few to tell"),
    ],
)
def test_too_little_to_learn_from_is_a_fault(
    tmp_path: Path, model: Path, quotes: dict[str, Sequence[str]], problem: str
) -> None:
    study = study_with(tmp_path / "s", model, quotes)
    said = told("adapt", study, expect=1)
    assert problem in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert not (study / "encoder").exists()


def test_an_encoder_without_a_network_cannot_be_adapted(bus: Path) -> None:
    text = (bus / "study.toml").read_text()
    (bus / "study.toml").write_text(text.replace(tomllib.loads(text)["embed"]["encoder"], "hashing"))
    assert "encoder `hashing` cannot be adapted: it is no network; set `encoder`" in told("adapt", bus, expect=1).stderr


CODEBOOK = Codebook(
    themes=(
        Theme(
            name="Waiting",
            definition="how long",
            exemplars=(
                Exemplar(text="We waited.", source="n1#t1"),
                Exemplar(text="Late again", source="n2"),
                Exemplar(text="late AGAIN.", source=""),
                Exemplar(text="It was on time", kind=Kind.NEAR_MISS, source="n1"),
            ),
        ),
        Theme(name="Money", exemplars=(Exemplar(text="Late again"), Exemplar(text="The fare went up"))),
        Theme(name="Choir", definition="singing"),
    )
)


def decided(*said: tuple[str, str, Sequence[str]]) -> Coded:
    """Return what coders gave to segments, told as document, words and themes; one coder each."""
    segments = [
        Segment(
            id=SegmentId(f"s{at}"), transcript=TranscriptId(document), name=f"t{at}", turn=0, start=0, end=1, text=text
        )
        for at, (document, text, _) in enumerate(said)
    ]
    codings = {
        segment.id: (Coding(segment=segment.id, coder="Ada", themes=tuple(themes), coded_at=NOW),)
        for segment, (_, _, themes) in zip(segments, said, strict=True)
    }
    return Coded(segments=tuple(segments), codings=codings, places={TranscriptId(d): ("North", d) for d, _, _ in said})


def some_ground() -> Ground:
    return ground(
        CODEBOOK,
        decided(
            ("n1", "They made us wait", ["Waiting"]),
            ("n1", "Nothing fits this", []),
            ("n3", "The fare went up", ["Money", "Waiting"]),
            ("n4", "We sing", ["Choir"]),
        ),
    )


def test_a_passage_is_every_text_that_shows_a_theme_once() -> None:
    found = {passage.text: (sorted(passage.themes), sorted(passage.documents)) for passage in some_ground().passages}
    assert found == {
        "We waited.": ([0], ["North/n1"]),  # its source is a document that was decided on
        "Late again": ([0, 1], ["n2", "quote late again"]),
        "The fare went up": ([0, 1], ["North/n3"]),  # word for word in a decided document
        "They made us wait": ([0], ["North/n1"]),
        "We sing": ([2], ["North/n4"]),
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_learned_from_the_documents_that_are_tried(part: int) -> None:
    material = some_ground()
    tried = {document for at in material.left_out(part) for document in material.passages[at].documents}
    left = {document for document in tried if material.part_of[document] == part}
    learned = set(material.lessons(part).texts)
    for passage in material.passages:
        if passage.documents & left:
            assert passage.text not in learned
    assert {"Waiting: how long", "Money", "Choir: singing"} <= learned


def test_every_passage_is_tried_in_one_part_and_learned_from_in_the_end() -> None:
    material = some_ground()
    assert sorted(at for part in range(PARTS) for at in material.left_out(part)) == list(range(5))
    everything = material.lessons(None)
    assert len(everything.texts) == 5 + 3
    assert everything.shows.any(axis=1).all()
    assert everything.shows[-3:].tolist() == np.eye(3, dtype=bool).tolist()


def test_the_ranker_that_is_tried_knows_nothing_of_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    material = some_ground()
    seen: list[tuple[Codebook, rank.Labelled | None]] = []
    fit = rank.fit

    def spy(
        codebook: Codebook,
        vectors: Mapping[str, NDArray[np.float32]],
        said: rank.Labelled | None,
        settings: RankSettings,
    ) -> rank.Ranker:
        seen.append((codebook, said))
        return fit(codebook, vectors, said, settings)

    monkeypatch.setattr("pipeline.rank.fit", spy)
    encoder = embed.HashingEncoder()
    vectors = dict(zip(material.texts, encoder.encode(material.texts), strict=True))
    part = material.part_of["North/n1"]
    first, third = material.tried(part, vectors, RankSettings())
    assert len(first) == len(third) == len(material.left_out(part))
    ((codebook, said),) = seen
    quotes = [exemplar.text for theme in codebook.themes for exemplar in theme.exemplars]
    assert "We waited." not in quotes
    assert "It was on time" not in quotes  # a near miss from that document tells of it, too
    assert said is not None
    assert all(not document.endswith("/n1") for document in said.documents)


def test_too_many_decided_segments_are_thinned_evenly() -> None:
    many = decided(*((f"d{at}", f"words {at}", ["Waiting"]) for at in range(MOST + 500)))
    kept = ground(CODEBOOK, many).coded.segments
    assert len(kept) == MOST
    assert (kept[0].text, kept[-1].text) == ("words 0", f"words {MOST + 499}")


def test_the_gain_has_the_error_of_a_t_test_when_every_passage_is_its_own_document() -> None:
    from scipy.stats import ttest_1samp

    rng = np.random.default_rng(0)
    before, after = rng.random(40), rng.random(40)
    found = gain(before, after, [str(at) for at in range(40)])
    expected = ttest_1samp(after - before, 0).confidence_interval(0.90)
    assert np.allclose((found.mean, found.low, found.high), ((after - before).mean(), *expected))


def test_the_gain_is_less_certain_where_passages_come_from_few_documents() -> None:
    before, after = np.zeros(40), np.repeat([0.3, 0.1, 0.2, 0.0], 10)
    alone = gain(before, after, [str(at) for at in range(40)])
    together = gain(before, after, [str(at // 10) for at in range(40)])
    assert together.mean == alone.mean
    assert together.low < 0 < alone.low
    sums = 10 * (np.array([0.3, 0.1, 0.2, 0.0]) - 0.15)
    from statsmodels.api import OLS

    fitted = OLS(after, np.ones(40)).fit(
        cov_type="cluster", cov_kwds={"groups": np.arange(40) // 10, "use_correction": False}
    )
    by_hand = np.sqrt((sums**2).sum()) / 40
    assert np.isclose(fitted.bse[0], by_hand)
    assert np.isclose(together.high - together.mean, 2.353363 * by_hand * np.sqrt(4 / 3), atol=1e-5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_training_stops_two_rounds_after_the_best(curve: list[float]) -> None:
    assert stalled(curve) == (len(curve) - 1 - curve.index(max(curve)) >= 2)


def test_the_number_of_rounds_is_chosen_without_the_part_that_it_is_judged_on() -> None:
    curve = np.array([[0.5, 0.5, 0.5, 0.5], [0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]])
    assert chosen_apart(curve, {0: [0, 1], 1: [2, 3]}).tolist() == [2, 2, 1, 1]


@pytest.mark.parametrize(
    "text",
    [
        '[embed]\nencoder = "minilm"  # ours\nallow_download = false\n[rank]\ntop_k = 1\n',
        "name = 'x'\r\n[ embed ]  # which\r\nencoder = 'minilm'\r\n",
        "[embed]\nallow_download = true\n\n[rank]\ntop_k = 1\n",
        "[embed]",
        'name = "x"\n[[site]]\nname = "encoder"',
        "",
        '\ufeffname = "x"\n',
    ],
)
def test_a_study_file_gets_another_encoder_and_keeps_the_rest(text: str) -> None:
    changed = with_encoder(text, "encoder/adapted-1")
    assert changed is not None
    assert tomllib.loads(changed.removeprefix("\ufeff"))["embed"]["encoder"] == "encoder/adapted-1"
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith("encoder")]
    assert [line for line in changed.splitlines() if line.strip() and not line.startswith("encoder")][
        : len(kept)
    ] == kept
    assert ("# ours" in text) == ("# ours" in changed)
    assert with_encoder(changed, "encoder/adapted-1") == changed


@pytest.mark.parametrize("text", ['embed = { encoder = "minilm" }\n', 'embed.encoder = "minilm"\n', "[embed\n"])
def test_a_study_file_that_is_written_otherwise_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(StudyFault, match=r"write `encoder = .encoder/a.` under .embed. yourself"):
        adapting.use(tmp_path / "study.toml", "encoder/a")
    assert (tmp_path / "study.toml").read_text() == text


def test_a_full_disk_is_a_fault(bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr("torch.save", full)
    monkeypatch.setattr("pipeline.adapt.MOST_ROUNDS", 1)
    with pytest.raises(EncoderFault, match="make room on the disk"):
        adapting.adapt(intake.open_session(bus), intake.no_progress)


def weights(study: Path) -> dict[str, bytes]:
    """Return the files of the adapted encoder and its figures."""
    return {
        path.relative_to(study / "encoder").as_posix(): path.read_bytes()
        for path in sorted((study / "encoder").rglob("*"))
        if path.is_file()
    }


KILLED = """
import sys
from pathlib import Path
import pipeline.adapt
from pipeline import intake
from pipeline.adapt.noise import Gain
Gain.certain = property(lambda self: True)
pipeline.adapt.MOST_ROUNDS = 2
study = Path(sys.argv[1])
def told(stage, done, total):
    with (study / "steps").open("a") as steps:
        steps.write(".")
pipeline.adapt.adapt(intake.open_session(study), told)
"""


def test_killed_and_run_again_it_ends_as_undisturbed(bus: Path, tmp_path: Path) -> None:
    other = tmp_path / "undisturbed"
    shutil.copytree(bus, other)
    command = [sys.executable, "-c", KILLED]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(other)], env=environment, check=True)
    total = (other / "steps").stat().st_size
    for third in (1, 2, 3):
        process = subprocess.Popen([*command, str(bus)], env=environment)
        enough = total * third // 4
        while process.poll() is None and (not (bus / "steps").exists() or (bus / "steps").stat().st_size < enough):
            time.sleep(0.002)
        assert process.poll() is None, "over before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not [path for path in (bus / "encoder").glob("adapted-*") if path.suffix != ".json"]
    subprocess.run([*command, str(bus)], env=environment, check=True)
    assert weights(bus) == weights(other)
    assert not list((bus / "encoder").glob(".adapting-*"))
