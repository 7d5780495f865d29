"""The static encoder, prompts, and what is said of languages."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline import embed
from pipeline.cli import main
from pipeline.config import EmbedSettings
from pipeline.errors import EncoderFault

from .models import tiny_model

TEXTS = [
    "We waited an hour in the rain",
    "",
    "the ticket costs too much",
    "👋",
    "word " * 600,
    "We  waited an hour\nin the rain",
]


def nobody(_stage: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where static encoders are kept, empty."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda _name: str(tmp_path / "data"))
    return tmp_path / "data" / "encoders"


def static(teacher: Path) -> embed.Located:
    return embed.locate(EmbedSettings(encoder=f"static:{teacher}"), Path())


def test_a_static_encoder_is_made_once_and_then_found(teacher: Path, kept: Path) -> None:
    told: list[tuple[str, int, int]] = []
    located = static(teacher)
    assert not located.made
    made = embed.ready(located, lambda *step: told.append(step))
    assert told[-1][0] == "distill"
    assert told[-1][1] == told[-1][2] > 0
    assert static(teacher) == made
    assert embed.ready(made, lambda *_: pytest.fail("made twice")) == made
    assert [path.name for path in kept.iterdir()] == [made.folder.name if made.folder else ""]


def test_a_static_encoder_keeps_the_contract_of_encoders(teacher: Path, kept: Path) -> None:
    made = embed.ready(static(teacher), nobody)
    encoder = embed.load(made)
    rows = encoder.encode(TEXTS)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(rows[0], rows[-1])
    assert np.array_equal(rows, embed.load(made).encode(TEXTS))
    assert np.array_equal(rows[:1], encoder.encode(TEXTS[:1]))  # whatever else is in the batch
    assert encoder.encode([]).shape == (0, rows.shape[1])
    assert encoder.fingerprint == made.fingerprint


def test_a_static_row_is_the_mean_of_its_words(teacher: Path, kept: Path) -> None:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    made = embed.ready(static(teacher), nobody)
    assert made.folder is not None
    table = load_file(made.folder / "model.safetensors")["embeddings"].astype(np.float64)
    ids = Tokenizer.from_file(str(made.folder / "tokenizer.json")).encode(TEXTS[0], add_special_tokens=False).ids
    mean = table[ids].mean(axis=0)
    assert np.allclose(embed.load(made).encode(TEXTS[:1])[0], mean / np.linalg.norm(mean), atol=1e-3)


def test_distilling_anew_gives_the_same_files(
    teacher: Path, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embed.ready(static(teacher), nobody)
    monkeypatch.setattr("platformdirs.user_data_dir", lambda _name: str(tmp_path / "other"))
    again = embed.ready(static(teacher), nobody)
    assert (first.fingerprint, first.folder) != (again.fingerprint, None)
    assert first.fingerprint == again.fingerprint
    assert first.folder != again.folder


def test_what_is_cut_off_leaves_no_half_made_encoder(teacher: Path, kept: Path) -> None:
    def stop(_stage: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed.ready(static(teacher), stop)
    assert not static(teacher).made
    (kept / ".part-old").mkdir()  # as a kill leaves it
    os.utime(kept / ".part-old", (0, 0))
    (kept / ".part-new").mkdir()  # of another process
    made = embed.ready(static(teacher), nobody)
    assert made.folder is not None
    assert sorted(path.name for path in kept.iterdir()) == sorted([".part-new", made.folder.name])


def test_a_damaged_static_encoder_is_a_fault(teacher: Path, kept: Path) -> None:
    made = embed.ready(static(teacher), nobody)
    assert made.folder is not None
    (made.folder / "model.safetensors").write_bytes(b"no table")
    with pytest.raises(EncoderFault, match=r"holds no model that can be loaded .*; delete the folder"):
        embed.load(static(teacher))


def test_a_static_encoder_cannot_be_distilled_further(teacher: Path, kept: Path) -> None:
    made = embed.ready(static(teacher), nobody)
    with pytest.raises(EncoderFault, match="cannot be distilled: it is no network"):
        embed.ready(embed.locate(EmbedSettings(encoder=f"static:{made.folder}"), Path()), nobody)


def test_a_study_makes_its_static_encoder_on_first_use(study: Path, teacher: Path, kept: Path) -> None:
    told = (study / "study.toml").read_text().replace('"hashing"', f'"static:{teacher}"')
    (study / "study.toml").write_text(told)
    checked = CliRunner().invoke(main, ["check", str(study)])
    assert "is not on this machine yet: the first `suggest` makes it" in checked.output
    assert not kept.exists()
    first = CliRunner().invoke(main, ["suggest", str(study), "--direct"])
    assert "Making the static encoder, once on this machine" in first.stderr
    assert "5 segments ranked" in first.stdout
    assert "Making" not in CliRunner().invoke(main, ["suggest", str(study), "--direct"]).stderr


def test_distilling_by_command(teacher: Path, kept: Path) -> None:
    made = CliRunner().invoke(main, ["encoder", "distill", str(teacher)])
    assert f'encoder = "static:{teacher}"' in made.stdout
    assert "Nothing to do" in CliRunner().invoke(main, ["encoder", "distill", str(teacher)]).stdout
    bad = CliRunner().invoke(main, ["encoder", "distill", "minilmm"])
    assert bad.exit_code == 1
    assert "did you mean `minilm`?" in bad.stderr


def test_the_list_tells_which_encoders_are_here(kept: Path) -> None:
    told = CliRunner().invoke(main, ["encoder", "list", "--json"])
    here = {entry["name"]: entry["here"] for entry in json.loads(told.stdout)}
    assert here["minilm"]
    assert here["hashing"]
    assert not here["static"]
    assert not here["labse"]
    lines = CliRunner().invoke(main, ["encoder", "list"]).stdout.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("bge-m3")] == [["bge-m3", "no"]]


def test_a_prompt_goes_before_each_text_and_makes_another_fingerprint(teacher: Path, tmp_path: Path) -> None:
    plain = embed.locate(EmbedSettings(encoder=str(teacher)), tmp_path)
    asking = embed.locate(EmbedSettings(encoder=str(teacher), prompt="walk:"), tmp_path)
    other = embed.locate(EmbedSettings(encoder=str(teacher), prompt="fare:"), tmp_path)
    assert len({plain.fingerprint, asking.fingerprint, other.fingerprint}) == 3
    with_prompt = embed.load(asking).encode(["the bus"])
    assert np.allclose(with_prompt, embed.load(plain).encode(["walk:  the bus"]), atol=1e-6)
    assert not np.allclose(with_prompt, embed.load(plain).encode(["the bus"]), atol=1e-2)


def test_a_prompt_of_the_manifest_counts_unless_the_study_says_otherwise(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = (
        '[m]\nmodel = "a/b"\nrevision = "main"\nlanguages = []\ndimensions = 32\nmax_tokens = 64\nprompt = "walk:"\n'
    )
    (tmp_path / "manifest.toml").write_text(entry)
    monkeypatch.setattr("pipeline.embed.sources._fetch", lambda *_, **__: teacher)
    found = embed.locate(EmbedSettings(encoder="m"), tmp_path, tmp_path / "manifest.toml")
    assert found.prompt == "walk:"
    without = embed.locate(EmbedSettings(encoder="m", prompt=""), tmp_path, tmp_path / "manifest.toml")
    assert without.prompt == ""
    assert found.fingerprint != without.fingerprint


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ""),
        ("en-GB", ""),
        (
            "de-AT",
            "encoder minilm knows en and not `de-AT`; with English exemplars the right theme came first for 45 of 100 "
            "sentences, in English for 72, always naming the commonest for 25 (SIB-200, seven themes); "
            "use `multilingual-e5-small`",
        ),
        ("nb", "how it does there was not measured: expect weak suggestions; use `multilingual-e5-small`"),
        ("yo", "not measured: expect weak suggestions; use `labse`"),
        ("lg", "came first for 27 of 100 sentences, in English for 72"),
        ("lg", "no listed encoder is known to know it: code some of it and let `themescout evaluate` tell"),
    ],
)
def test_a_language_that_the_encoder_does_not_know_gets_its_figure(language: str, told: str) -> None:
    note = embed.language_note(embed.locate(EmbedSettings(), Path()), language)
    assert told in note
    assert bool(told) == bool(note)


def test_a_folder_of_unknown_languages_is_said_to_be_one(teacher: Path) -> None:
    note = embed.language_note(embed.locate(EmbedSettings(encoder=str(teacher)), Path()), "de")
    assert note.startswith(f"it is not known whether encoder {teacher} knows `de`")
    assert embed.language_note(embed.locate(EmbedSettings(encoder="hashing"), Path()), "de") == ""


def test_check_and_suggest_warn_of_languages(study: Path, teacher: Path) -> None:
    told = (study / "study.toml").read_text().replace('"hashing"', f'"{teacher}"')
    (study / "study.toml").write_text(told.replace('name = "North"', 'name = "North"\nlanguage = "sw"'))
    expected = f"note: North: it is not known whether encoder {teacher} knows `sw`"
    assert expected in CliRunner().invoke(main, ["check", str(study)]).stdout
    suggested = CliRunner().invoke(main, ["suggest", str(study), "--direct"])
    assert expected in suggested.stderr
    again = json.loads(CliRunner().invoke(main, ["suggest", str(study), "--direct", "--json"]).stdout)
    assert [note.partition(":")[0] for note in again["notes"]] == ["North", "South"]
    assert CliRunner().invoke(main, ["suggest", str(study), "--direct", "-q"]).output == ""
