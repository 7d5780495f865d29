"""How good it is: evaluate."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from ..errors import Fault
from .terminal import STUDY, Bars, example, loud, loudness, open_study, print_json, print_table


@click.command(epilog=example("themescout evaluate my-study --json evaluation.json"))
@STUDY
@click.option(
    "--from", "source", type=click.Choice(["codebook", "decisions"]), default="codebook",
    help="What may be learned from: the codebook alone (a new study), or also the coding of all other documents.",
)  # fmt: skip
@click.option("--transfer", is_flag=True, help="Learn from every site but one and test on that one.")
@click.option(
    "--json", "out", type=click.Path(path_type=Path, allow_dash=True), help="Write the figures to a file, or - ."
)
@loudness
def evaluate(study: Path, *, source: Literal["codebook", "decisions"], transfer: bool, out: Path | None) -> None:
    """Tell how good the suggestions are on human coding, beside the baselines."""
    from .. import evaluate as evaluating
    from .. import results

    session = open_study(study)
    with Bars(hidden=str(out) == "-") as progress:
        made = results.evaluate(session, source=source, transfer=transfer, progress=progress)
    figures = evaluating.to_json(made)
    if str(out) == "-":
        print_json(figures)
        return
    if out is not None:
        try:
            out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise Fault(str(out), f"cannot be written: {error.strerror}", "choose another file") from error
    if loud():
        _print_figures(figures)


def _print_figures(figures: Mapping[str, Any]) -> None:
    protocol = figures["protocol"]
    learned = {"codebook": "the codebook alone", "decisions": "the codebook and the other coding"}[protocol["from"]]
    click.echo(
        f"{figures['segments']:,} segments ({figures['coded']:,} coded), {figures['themes']} themes, "
        f"{protocol['documents']:,} documents; learned from {learned}, never from the same {protocol['left_out']}."
    )
    names = ("hit@1", "hit@3", "recall@1", "recall@3", "recall@5", "mrr", "map", "coverage", "precision", "ece")
    rows = [[system, *(made[name] for name in names)] for system, made in figures["systems"].items()]
    print_table(("system", *names), rows)
