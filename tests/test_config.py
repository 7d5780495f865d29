"""study.toml: what is accepted, and that every fault names its place and remedy."""

from pathlib import Path

import pytest

from pipeline.config import Study, load_study, shipped
from pipeline.errors import Faults

HEAD = 'name = "A"\ncodebook = "c.csv"\n'
SITE = '[[site]]\nname = "Ulm"\ntranscripts = "t"\n'
WHOLE = HEAD + SITE


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
        (WHOLE + "[compute]\nworker = 3\n", "study.toml:7: [compute]: unknown key `worker`; did you mean `workers`?"),
        (WHOLE + "[rank]\ntop_k = 0\n", "study.toml:7: [rank] `top_k`: should be a whole number of at least 1;"),
        (WHOLE + WHOLE[WHOLE.index("[[") :], "study.toml: two sites are called 'Ulm'; correct the value"),
        ('name = "A"\ncodebook = "c"\n', "`site` is missing; add `site = ...`"),
        (WHOLE + "folder = 3\n", "unknown key `folder`"),
        ("name = \n", "is not TOML"),
        (WHOLE.replace('"t"', '""'), "[[site]] Ulm `transcripts`: should not be empty;"),
        (
            WHOLE + 'moderators = "I"\n',
            '[[site]] Ulm `moderators`: should be a list of texts, like ["I", "Moderator"];',
        ),
        (WHOLE + 'moderators = ["I", 2]\n', '`moderators`: should be a list of texts, like ["I", "Moderator"];'),
        (WHOLE.replace('"A"', "3"), "study.toml: `name`: should be a text, in quotation marks;"),
        (WHOLE.replace("[[site]]", "[site]"), "study.toml:3: [site]: should be [[site]], with double brackets;"),
        (HEAD + "site = [1]\n", "[[site]] number 1: should be a table, [[site]];"),
        (HEAD + "segment = 3\n" + SITE, "study.toml:3: `segment`: should be a table, [segment];"),
        (WHOLE + "[embed]\nallow_download = 1\n", "[embed] `allow_download`: should be true or false;"),
        (WHOLE + "[rank]\ntop_k = true\n", "[rank] `top_k`: should be a whole number;"),
        (WHOLE + "[rank]\ntop_k = 2.0\n", "[rank] `top_k`: should be a whole number;"),
        (WHOLE + '[rank]\ntop_k = "2"\n', "[rank] `top_k`: should be a whole number;"),
        (WHOLE + f"[rank]\ntop_k = 1{'0' * 400}\n", "[rank] `top_k`: is too large;"),
        (WHOLE + "[rank]\nprecision = true\n", "[rank] `precision`: should be a number from 0 to 1;"),
        (WHOLE + '[rank]\nprecision = "0.5"\n', "[rank] `precision`: should be a number from 0 to 1;"),
        (WHOLE + "[rank]\nprecision = nan\n", "[rank] `precision`: should be a number from 0 to 1;"),
        (WHOLE + "[review]\nwithhold = 5\n", "[review] `withhold`: should be a number from 0 to 1;"),
        (WHOLE + "[segment]\nmin_words = 121\n", "[segment]: `min_words` 121 is more than `max_words` 120;"),
        (WHOLE + 'language = "en_US"\n', "`language`: should be a language tag, like en, de or pt-BR;"),
        (WHOLE + 'language = "English"\n', "`language`: should be a language tag"),
        (WHOLE.replace('"c.csv"', '"c\\u0000.csv"'), "`codebook`: holds a line end or another control character;"),
        (
            WHOLE.replace('"Ulm"', '"U\\nlm"'),
            "[[site]] number 1 `name`: holds a line end or another control character;",
        ),
        (WHOLE + 'moderators = ["I\\u2028J"]\n', "`moderators`: holds a line end or another control character;"),
        (WHOLE + '"a\\nb" = 3\n', "unknown key `'a\\nb'`;"),
        (WHOLE + SITE.replace("Ulm", " uLM "), "study.toml: sites 'Ulm' and 'uLM' differ only in case or spacing;"),
        (WHOLE + f"[rank]\ntop_k = {'9' * 5000}\n", "study.toml: cannot be read: a number is too long"),
        (WHOLE + f"x = {'[' * 3000}{']' * 3000}\n", "or tables lie too deep in one another; shorten it"),
    ],
)
def test_a_fault_names_its_place_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    faults = faults_of(tmp_path, text)
    assert any(told in fault for fault in faults)
    assert all("\n" not in fault and "\0" not in fault for fault in faults)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults_of(tmp_path, WHOLE.replace("transcripts", "transcript") + "[rank]\ntop_k = 0\n[embed]\nencoder = 3\n")
    assert len(told) == 3  # the unknown key, which is not also told as missing, and two values
    assert len(faults_of(tmp_path, WHOLE + "x = 1\n")) == 1  # the site is there, although it has a fault


@pytest.mark.parametrize("tag", ["en", "sw-KE", "zh-Hans-CN", "lug"])
def test_language_tags_and_whole_numbers_as_shares_are_accepted(tmp_path: Path, tag: str) -> None:
    text = WHOLE + f'language = "{tag}"\n[rank]\nprecision = 1\n[segment]\nmin_words = 9\nmax_words = 9\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    study = load_study(tmp_path)
    assert (study.site[0].language, study.rank.precision) == (tag, 1.0)


def test_a_path_too_long_is_told() -> None:
    with pytest.raises(Faults) as raised:
        load_study(Path("x" * 5000))
    assert "cannot be read" in str(raised.value.exceptions[0])


def test_a_byte_order_mark_does_no_harm_and_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(WHOLE, encoding="utf-8-sig")
    assert load_study(tmp_path).name == "A"
    (tmp_path / "study.toml").write_text(WHOLE, encoding="utf-16")
    with pytest.raises(Faults) as raised:
        load_study(tmp_path)
    assert "not UTF-8" in str(raised.value.exceptions[0])


@pytest.mark.parametrize("setting", ["[review]\nlearn = false\n", "[audit]\nanchors = 0.0\n"])
def test_how_suggestions_are_reviewed_is_no_part_of_what_they_depend_on(tmp_path: Path, setting: str) -> None:
    (tmp_path / "study.toml").write_text(WHOLE, encoding="utf-8")
    before = load_study(tmp_path).digest
    (tmp_path / "study.toml").write_text(WHOLE + setting, encoding="utf-8")
    assert load_study(tmp_path).digest == before


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
