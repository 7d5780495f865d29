"""What the documents say is what the program does."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.config import Study, shipped

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_commands_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("commands", ROOT / "docs/commands.py")
    assert spec is not None
    assert spec.loader is not None
    commands = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(commands)
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == commands.text(), "run `make docs`"


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"themescout {name}\b|make {name}\b", README)


def test_what_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_make_knows_the_verbs_of_the_readme_and_the_contributing_guide() -> None:
    verbs = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    told = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`make (\w+)`", told)) <= verbs


def test_every_dependency_has_its_reason() -> None:
    told = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=\[]", wanted)[0].lower() for wanted in project["dependencies"]]
    assert [name for name in names if name not in told and name != "fastapi"] == []


def test_every_setting_is_described() -> None:
    for part in [Study, *(f.annotation for f in Study.model_fields.values())]:
        for name, setting in getattr(part, "model_fields", {}).items():
            assert setting.description or hasattr(setting.annotation, "model_fields"), name


def test_manifest_entries_say_what_they_are() -> None:
    known = tomllib.loads(shipped("models", "manifest.toml").read_text(encoding="utf-8"))
    for name, entry in known.items():
        assert {"model", "licence", "languages", "dimensions", "max_tokens"} <= set(entry), name
