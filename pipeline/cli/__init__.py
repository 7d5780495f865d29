"""The commands: the only place that prints or exits. What is heavy is imported by the command that needs it.

terminal    what all commands share
suggesting  the machine's work: suggest, status
coding      people's work: review, import, export
measuring   how good it is: evaluate
people      several people at one study: people, assign
codebooks   codebook files: codebook check, convert, diff
begin       a study begins: init, demo, check
"""

import click

from .. import __version__
from .begin import check, demo, init
from .codebooks import codebook
from .coding import export, import_, review
from .measuring import evaluate
from .people import assign, people
from .suggesting import status, suggest
from .terminal import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="themescout")
def main() -> None:
    """Suggest codebook themes for passages of transcripts, for people to accept or reject.

    Everything happens on this machine: nothing of a transcript leaves it.
    """


for _command in (
    init,
    demo,
    check,
    suggest,
    status,
    review,
    people,
    assign,
    import_,
    export,
    evaluate,
    codebook,
):  # as in a study's life
    main.add_command(_command)
