"""The reading order in the package's docstring is the order of its imports."""

import ast
import re
from pathlib import Path

import pytest

import pipeline

PACKAGE = Path(pipeline.__file__).parent
ORDER = re.findall(r"^(\w+)  +\S", pipeline.__doc__ or "", flags=re.MULTILINE)
MODULES = sorted(PACKAGE.rglob("*.py"))


def stage_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path, tree: ast.AST) -> set[str]:
    """Return the stages that a file imports by relative imports from outside its own package."""
    depth = len(file.relative_to(PACKAGE).parts)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
    return found - {"__version__"}


def backward(file: Path, source: str) -> list[str]:
    here = ORDER.index(stage_of(file))
    return sorted(name for name in imported(file, ast.parse(source)) if ORDER.index(name) > here)


def test_every_module_has_its_place_in_the_reading_order() -> None:
    assert {stage_of(file) for file in MODULES} - {"__init__", "__main__", "shipped"} == set(ORDER)


@pytest.mark.parametrize(
    "file", [f for f in MODULES if stage_of(f) in ORDER], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_a_module_imports_only_from_modules_above_it(file: Path) -> None:
    assert not backward(file, file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("segment.py", "from .flows import suggest"),
        ("segment.py", "def f():\n    from . import work"),
        ("store/corpus.py", "from ..review import create_app"),
        ("transcripts/plain.py", "from .. import embed"),
    ],
)
def test_a_backward_import_is_found(file: str, line: str) -> None:
    assert backward(PACKAGE / file, line)


def test_absolute_imports_of_the_package_do_not_escape_the_order() -> None:
    inside = [file for file in MODULES if file.parent.name != "migrations"]
    assert not [f for f in inside if re.search(r"^\s*(from|import) pipeline\b", f.read_text(encoding="utf-8"), re.M)]
