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
        parts += sections(name, command, group)
    return "\n".join(parts)


def sections(name: str, command: click.Command, parent: click.Context) -> list[str]:
    """Return the help of a command and of those in it."""
    with click.Context(command, parent=parent, info_name=name, terminal_width=100) as context:
        told = [f"## {context.command_path.partition(' ')[2]}\n\n```\n{command.get_help(context)}\n```\n"]
        for inner, other in command.commands.items() if isinstance(command, click.Group) else ():
            told += sections(inner, other, context)
    return told


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
