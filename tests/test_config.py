"""study.toml: what is accepted, and that every fault names its place and remedy."""

from pathlib import Path

import pytest

from pipeline.config import Study, load_study, shipped
from pipeline.errors import Faults

WHOLE = 'name = "A"\ncodebook = "c.csv"\n[[site]]\nname = "Ulm"\ntranscripts = "t"\n'


def faults_of(folder: Path, text: str) -> list[str]:
    (folder / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Faults) as raised:
        load_study(folder)
    return [str(fault).removeprefix(str(folder) + "/") for fault in raised.value.exceptions]


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(WHOLE, encoding="utf-8")
    study = load_study(tmp_path)
    assert (study.segment.max_words, study.segment.min_words) == (120, 4)
    assert (study.embed.encoder, study.embed.allow_download) == ("minilm", False)
    assert (study.rank.top_k, study.rank.precision, study.review.withhold) == (5, 0.5, 0.10)
    assert study.store_url == f"sqlite:///{tmp_path / 'themescout.db'}"
    assert load_study(tmp_path / "study.toml") == study


def test_a_missing_study_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Faults, match="faults") as raised:
        load_study(tmp_path)
    assert "there is no such study file" in str(raised.value.exceptions[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            WHOLE.replace("transcripts", "transcript"),
            "study.toml:5: [[site]] Ulm: unknown key `transcript`; did you mean",
        ),
        (WHOLE.replace("codebook", "codebok"), "study.toml:2: unknown key `codebok`; did you mean `codebook`?"),
        (WHOLE + "[rank]\ntopk = 3\n", "study.toml:7: [rank]: unknown key `topk`; did you mean `top_k`?"),
        (WHOLE + "[rank]\ntop_k = 0\n", "study.toml:7: [rank] `top_k`: input should be greater than or equal to 1"),
        (WHOLE + WHOLE[WHOLE.index("[[") :], "study.toml: two sites are called 'Ulm'; correct the value"),
        ('name = "A"\ncodebook = "c"\n', "`site` is missing; add `site = ...`"),
        (WHOLE + "folder = 3\n", "unknown key `folder`"),
        ("name = \n", "is not TOML"),
        (WHOLE.replace('"t"', '""'), "[[site]] Ulm `transcripts`: string should have at least 1 character"),
    ],
)
def test_a_fault_names_its_place_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in fault for fault in faults_of(tmp_path, text))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults_of(tmp_path, WHOLE.replace("transcripts", "transcript") + "[rank]\ntop_k = 0\n[embed]\nencoder = 3\n")
    assert len(told) == 4  # the unknown key, the key that is missing for it, and two values


def test_a_byte_order_mark_does_no_harm_and_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(WHOLE, encoding="utf-8-sig")
    assert load_study(tmp_path).name == "A"
    (tmp_path / "study.toml").write_text(WHOLE, encoding="utf-16")
    with pytest.raises(Faults) as raised:
        load_study(tmp_path)
    assert "not UTF-8" in str(raised.value.exceptions[0])


def test_a_digest_follows_every_setting_but_the_folder(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        (folder / "study.toml").write_text(WHOLE, encoding="utf-8")
    assert load_study(one).digest == load_study(two).digest
    (two / "study.toml").write_text(WHOLE + "[rank]\ntop_k = 6\n", encoding="utf-8")
    assert load_study(one).digest != load_study(two).digest
    assert load_study(one).segment.digest == load_study(two).segment.digest


def test_the_shipped_new_study_names_every_setting_and_is_valid(tmp_path: Path) -> None:
    text = shipped("configs", "new-study", "study.toml").read_text(encoding="utf-8")
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    study = load_study(tmp_path)
    for name, part in Study.model_fields.items():
        if name != "folder":
            assert f"{name}" in text, name
        inner = getattr(part.annotation, "model_fields", {})
        for key in inner:
            assert f"{key} = " in text, key
    assert study.model_copy(update={"site": (), "name": ""}).segment == Study.model_fields["segment"].default
