"""Codebook files: codebook check, convert, diff."""

from collections.abc import Sequence
from pathlib import Path

import click

from .terminal import JSON, count, example, loud, loudness, print_json, print_table, say

FILE = click.Path(path_type=Path)


@click.group(epilog=example("themescout codebook diff last-year.csv codebook.csv"))
def codebook() -> None:
    """Check, convert and compare codebook files (csv, xlsx, yaml, toml)."""


@codebook.command(epilog=example("themescout codebook check codebook.xlsx"))
@click.argument("file", type=FILE)
@JSON
@loudness
def check(file: Path, *, as_json: bool) -> None:
    """Read a codebook and tell every problem with its place and remedy."""
    from ..codebook import doubts, read_codebook

    read = read_codebook(file)
    notes = [str(doubt) for doubt in doubts(file)]
    exemplars = sum(len(theme.exemplars) for theme in read.themes)
    if as_json:
        rows = [{"theme": t.name, "parent": t.parent, "exemplars": len(t.exemplars)} for t in read.themes]
        print_json({"revision": read.revision, "themes": rows, "exemplars": exemplars, "notes": notes})
        return
    for note in notes:
        say(f"note: {note}")
    say(
        f"{count(len(read.themes), 'theme')}, {count(exemplars, 'exemplar')}, revision {read.revision}. No fault found."
    )


@codebook.command(epilog=example("themescout codebook convert codebook.xlsx codebook.csv"))
@click.argument("file", type=FILE)
@click.argument("out", type=FILE)
@loudness
def convert(file: Path, out: Path) -> None:
    """Write a codebook in another format: the one that OUT's name ends with."""
    from ..codebook import read_codebook, write_codebook

    read = read_codebook(file)
    write_codebook(read, out)
    say(f"{count(len(read.themes), 'theme')} written to {out}.")


@codebook.command(epilog=example("themescout codebook diff last-year.csv codebook.csv"))
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@JSON
@loudness
def diff(old: Path, new: Path, *, as_json: bool) -> None:
    """Tell what changed between two codebooks, theme by theme."""
    from dataclasses import asdict

    from ..codebook import read_codebook
    from ..revisions import changes

    before, after = read_codebook(old), read_codebook(new)
    found = changes(before, after)
    if as_json:
        print_json({"old": before.revision, "new": after.revision, "changes": [asdict(change) for change in found]})
    elif found and loud():
        rows = [
            (c.theme, _told(c.kind, c.formerly), ", ".join(c.fields), _signed(c.exemplars_added, c.exemplars_removed))
            for c in found
        ]
        print_table(("theme", "", "says differently", "exemplars"), rows)
    elif not found:
        say("Both say the same.")


def _told(kind: str, formerly: str) -> str:
    return f"renamed from {formerly}" if formerly else kind


def _signed(added: int, removed: int) -> str:
    parts: Sequence[str] = [f"+{added}" if added else "", f"-{removed}" if removed else ""]
    return " ".join(part for part in parts if part)
