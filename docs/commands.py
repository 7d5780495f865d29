"""Write docs/commands.md: the help of every command, as the program gives it.

usage: commands.py            (`make docs`)
"""

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
    group = click.Context(main, info_name="themescout", **main.context_settings)
    for name, command in main.commands.items():
        parts += _told(command, name, group)
    return "\n".join(parts)


def _told(command: click.Command, name: str, parent: click.Context) -> list[str]:
    """Return the help of a command and of those below it."""
    with click.Context(command, parent=parent, info_name=name, terminal_width=100) as context:
        title = context.command_path.removeprefix("themescout ")
        parts = [f"## {title}\n\n```\n{command.get_help(context)}\n```\n"]
        for below, one in command.commands.items() if isinstance(command, click.Group) else ():
            parts += _told(one, below, context)
    return parts


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
