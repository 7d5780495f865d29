"""The commands: the only place that prints or exits. What is heavy is imported by the command that needs it.

terminal    what all commands share
suggesting  the machine's work: suggest, status, quarantine
coding      people's work: review, import, export
people      several people at one study: people, assign
codebooks   codebook files: codebook check, convert, diff
deploying   the machine's work on a Prefect server: deploy
finding     which segments to look at: queue, search
measuring   how good it is: evaluate
anchoring   the gold coding on which coders are checked: anchors
auditing    what can be said of the coders' work: audit
describing  what came in from a site: report
keeping     what is kept, and how it came about: runs, diff, store
encoders    what turns texts into vectors: encoder list, encoder distill, adapt
arriving    a site arrives: site add
watching    transcripts arrive: watch
begin       a study begins: init, demo, check
"""

import click

from .. import __version__
from .anchoring import anchors
from .arriving import site
from .auditing import audit
from .begin import check, demo, init
from .codebooks import codebook
from .coding import export, import_, review
from .deploying import deploy
from .describing import report
from .encoders import adapt, encoder
from .finding import queue, search
from .keeping import diff, runs, store
from .measuring import evaluate
from .people import assign, people
from .suggesting import quarantine, status, suggest
from .terminal import Commands
from .watching import watch


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
    site,
    suggest,
    watch,
    deploy,
    quarantine,
    status,
    report,
    review,
    queue,
    search,
    people,
    assign,
    import_,
    export,
    evaluate,
    anchors,
    audit,
    adapt,
    encoder,
    codebook,
    runs,
    diff,
    store,
):  # as in a study's life
    main.add_command(_command)
