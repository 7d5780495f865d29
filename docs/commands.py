"""Write docs/commands.md: the help of every command, as the program gives it.

usage: commands.py            (`make docs`)
"""

from collections.abc import Iterator
from pathlib import Path

import click

from pipeline.cli import main

FILE = Path(__file__).with_suffix(".md")
HEAD = """# Commands

Written by `make docs` from the commands' own help.

Exit status: `0` done · `1` cannot be done (one line per fault on standard error: place, what is wrong, what to do) ·
`2` wrong usage · `3` done, but some transcripts are set aside (listed).
"""


def text() -> str:
    """Return the page."""
    parts = [HEAD]
    for context in _commands(main, click.Context(main, info_name="themescout", **main.context_settings)):
        name = context.command_path.removeprefix("themescout ")
        parts.append(f"## {name}\n\n```\n{context.command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _commands(group: click.Group, above: click.Context) -> Iterator[click.Context]:
    """Yield the context of every command, those of a group of commands in its place."""
    for name, command in group.commands.items():
        with click.Context(command, parent=above, info_name=name, terminal_width=100) as context:
            if isinstance(command, click.Group):
                yield from _commands(command, context)
            else:
                yield context


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
