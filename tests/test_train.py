"""Training: the losses against brute force, how texts are dealt, and that it continues to the bit."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import embed
from pipeline.config import EmbedSettings
from pipeline.embed import train
from pipeline.embed.sentences import open_model
from pipeline.errors import EncoderFault

from .models import tiny_model

TEXTS = (
    "we waited an hour", "the bus was late", "waited in the rain", "the fare went up", "i cannot pay", "ticket costs",
)  # fmt: skip
SHOWS = np.array([[1, 0]] * 3 + [[0, 1]] * 3, dtype=bool)
LESSONS = train.Lessons(texts=TEXTS, shows=SHOWS)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> embed.Located:
    return embed.locate(EmbedSettings(encoder=str(tiny_model(tmp_path_factory.mktemp("model") / "tiny"))), Path())


def drawn(seed: int, rows: int, themes: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 3))
    shows = rng.random((rows, themes)) < 0.4
    shows[np.arange(rows), rng.integers(themes, size=rows)] = True
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), shows


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(2, 7), st.integers(1, 4))
def test_the_contrast_is_equation_2_of_khosla_and_others(seed: int, rows: int, themes: int) -> None:
    vectors, shows = drawn(seed, rows, themes)
    losses = []
    for i in range(rows):
        others = [a for a in range(rows) if a != i]
        positives = [p for p in others if (shows[i] & shows[p]).any()]
        total = sum(math.exp(vectors[i] @ vectors[a] / 0.07) for a in others)
        if positives:
            losses.append(
                -sum(math.log(math.exp(vectors[i] @ vectors[p] / 0.07) / total) for p in positives) / len(positives)
            )
    found = train.contrast(torch.tensor(vectors), torch.tensor(shows), 0.07)
    assert np.isclose(float(found), np.mean(losses) if losses else 0.0, rtol=1e-4, atol=1e-5)


def test_the_anchors_draw_by_a_cross_entropy() -> None:
    vectors, shows = drawn(1, 5, 3)
    anchors = np.random.default_rng(2).normal(size=(3, 3))
    losses = []
    for row, shown in zip(vectors, shows, strict=True):
        cosines = [row @ anchor / np.linalg.norm(anchor) / 0.07 for anchor in anchors]
        total = math.log(sum(map(math.exp, cosines)))
        losses.append(-np.mean([cosines[t] - total for t in np.flatnonzero(shown)]))
    found = train.to_anchors(torch.tensor(vectors).float(), torch.tensor(anchors).float(), torch.tensor(shows), 0.07)
    assert np.isclose(float(found), np.mean(losses), rtol=1e-4)


def test_large_themes_do_not_drown_small_ones() -> None:
    shows = np.zeros((103, 3), dtype=bool)
    shows[:100, 0], shows[100:102, 1], shows[102, 2] = True, True, True
    lessons = train.Lessons(texts=tuple(map(str, range(103))), shows=shows)
    recipe = train.Recipe(themes=2, texts=2)
    seen: Counter[int] = Counter()
    for batch in train.batches(lessons, recipe, 60, np.random.default_rng(0)):
        themes = Counter(int(np.argmax(shows[row])) for row in batch)
        assert len(themes) == 2
        assert max(themes.values()) <= 2
        assert len(set(batch.tolist())) == len(batch)
        seen.update(themes)
    assert seen[0] / 2 == pytest.approx(40, abs=3)  # each theme in two batches of three
    assert seen[1] / 2 == pytest.approx(40, abs=3)
    assert seen[2] == pytest.approx(40, abs=3)


def test_all_texts_of_a_theme_come_before_any_comes_again() -> None:
    recipe = train.Recipe(themes=2, texts=1)
    rows = [int(row) for batch in train.batches(LESSONS, recipe, 6, np.random.default_rng(3)) for row in batch]
    assert Counter(rows) == dict.fromkeys(range(6), 2)


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30))
def test_texts_go_through_the_network_in_groups_of_like_length(lengths: list[int]) -> None:
    groups = train.of_like_length(["x" * length for length in lengths])
    assert sorted(at for group in groups for at in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or max(lengths[at] for at in group) * len(group) <= train.CHARACTERS


def test_training_draws_texts_of_one_theme_together(base: embed.Located) -> None:
    trainee = train.Trainee(base, LESSONS)

    def apart() -> float:
        rows = trainee.encode(TEXTS)
        alike = rows @ rows.T
        return float(alike[SHOWS @ SHOWS.T].mean() - alike[~(SHOWS @ SHOWS.T)].mean())

    before = apart()
    for _ in range(4):
        trainee.train()
    assert apart() > before


def test_the_table_of_words_stays_as_it_is(base: embed.Located, tmp_path: Path) -> None:
    trainee = train.Trainee(base, LESSONS)
    trainee.train()
    trainee.save(tmp_path / "made", b"{}")
    before, after = (open_model(folder).state_dict() for folder in (Path(str(base.folder)), tmp_path / "made"))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not any("word_embeddings" in name for name in moved)


def test_after_an_interruption_it_continues_to_the_bit(base: embed.Located, tmp_path: Path) -> None:
    whole, cut = train.Trainee(base, LESSONS), train.Trainee(base, LESSONS, kept=tmp_path / "state.pt")
    for _ in range(3):
        whole.train()
    cut.train()
    cut.notes.append("first")
    cut.keep()
    cut.train()  # and is killed before it is kept
    again = train.Trainee(base, LESSONS, kept=tmp_path / "state.pt")
    assert (again.rounds, again.notes) == (1, ["first"])
    for _ in range(2):
        again.train()
    assert np.array_equal(again.encode(TEXTS), whole.encode(TEXTS))


def test_a_damaged_state_is_begun_anew(base: embed.Located, tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"half of a stat")
    assert train.Trainee(base, LESSONS, kept=tmp_path / "state.pt").rounds == 0


def test_a_saved_model_gives_the_vectors_of_the_trained_one(base: embed.Located, tmp_path: Path) -> None:
    trainee = train.Trainee(base, LESSONS)
    trainee.train()
    trainee.save(tmp_path / "made", b'{"from": "minilm"}')
    located = embed.locate(EmbedSettings(encoder="made"), tmp_path)
    assert located.languages == ("en",)  # known of what it was made from
    assert np.allclose(embed.load(located).encode(TEXTS), trainee.encode(TEXTS), atol=1e-6)
    assert open_model(tmp_path / "made").max_seq_length == open_model(Path(str(base.folder))).max_seq_length
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_folder_that_cannot_be_written_is_a_fault_and_leaves_nothing(
    base: embed.Located, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    trainee = train.Trainee(base, LESSONS)

    def fail(error: Exception) -> None:
        def save(part: str, **_: object) -> None:
            Path(part, "half").write_bytes(b"half")
            raise error

        monkeypatch.setattr(trainee._model, "save", save)
        trainee.save(tmp_path / "made", b"{}")

    full = "Error while serializing: I/O error: No space left on device (os error 28)"
    for error in (OSError(28, "No space left on device"), SafetensorError(full)):
        with pytest.raises(EncoderFault, match=r"made: cannot be written: .*; make room"):
            fail(error)
    with pytest.raises(ZeroDivisionError):  # a fault of the program stays one
        fail(ZeroDivisionError())
    assert not list(tmp_path.iterdir())


def test_others_may_read_a_saved_model_as_they_may_other_files(base: embed.Located, tmp_path: Path) -> None:
    train.Trainee(base, LESSONS).save(tmp_path / "made", b"{}")
    (tmp_path / "any").mkdir()
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_state_that_cannot_be_kept_takes_no_room(
    base: embed.Located, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainee = train.Trainee(base, LESSONS, kept=tmp_path / "state.pt")
    trainee.keep()
    before = (tmp_path / "state.pt").read_bytes()

    def full(_: object, part: Path) -> None:
        part.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(EncoderFault, match="make room on the disk"):
        trainee.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]
    assert (tmp_path / "state.pt").read_bytes() == before


def test_the_prompt_is_learned_with(base: embed.Located, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = embed.locate(EmbedSettings(encoder=str(base.folder), prompt="walk:"), Path())
    trainee = train.Trainee(asking, LESSONS)
    assert np.allclose(trainee.encode(TEXTS), embed.load(asking).encode(TEXTS), atol=1e-6)


def test_texts_that_show_two_themes_are_one_lesson(base: embed.Located) -> None:
    encode = embed.fine_tuned(base, [*TEXTS, TEXTS[0]], np.array([0, 0, 0, 1, 1, 1, 1]), rounds=1)
    assert encode(TEXTS).shape == (6, 32)
