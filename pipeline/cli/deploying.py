"""The machine's work on a Prefect server that the user runs: deploy."""

from pathlib import Path

import click

from ..errors import Fault
from .terminal import STUDY, example, loudness, open_study, say


@click.command(epilog=example('themescout deploy my-study --cron "0 2 * * *"'))
@STUDY
@click.option("--cron", help="When `suggest` runs, as cron says it (UTC); every night at two if not said.")
@click.option("--pool", help="The work pool whose workers run it; made if there is none.  [default: themescout]")
@loudness
def deploy(study: Path, *, cron: str | None, pool: str | None) -> None:
    """Register the study on the Prefect server that PREFECT_API_URL names, to run by itself.

    `suggest` every night, and the audit of each month; what runs when is in configs/prefect.yaml. The server learns
    paths, names and numbers, nothing that anybody said.

    A worker does the work: `prefect worker start --pool themescout`, where the study's folder can be reached.
    """
    session = open_study(study)
    from .. import flows

    try:
        for name in flows.deploy(session.study, pool=pool, cron=cron):
            say(f"Registered: {name}")
    except ValueError as error:
        raise Fault("--cron", f"is no time as cron says it: {error}", "write it like 0 2 * * *") from error
