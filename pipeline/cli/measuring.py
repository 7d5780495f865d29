"""How good it is: evaluate."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from ..errors import Fault
from .terminal import STUDY, Bars, check_site, example, loud, loudness, open_study, print_json, print_table


@click.command(epilog=example("themescout evaluate my-study --html evaluation.html"))
@STUDY
@click.option(
    "--from", "source", type=click.Choice(["codebook", "decisions"]), default="codebook",
    help="What may be learned from: the codebook alone (a new study), or also the coding of all other documents.",
)  # fmt: skip
@click.option("--transfer", is_flag=True, help="Learn from every site but one and test on that one, for each site.")
@click.option("--train-site", "train", multiple=True, metavar="SITE", help="Learn from this site; may be repeated.")
@click.option("--test-site", "test", multiple=True, metavar="SITE", help="Test on this site; may be repeated.")
@click.option(
    "--json", "out", type=click.Path(path_type=Path, allow_dash=True), help="Write the figures to a file, or - ."
)
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write a page with figures to a file.")
@click.option("--setfit", is_flag=True, help="Compare with a fine-tuned encoder, too: minutes for each model.")
@loudness
def evaluate(
    study: Path,
    *,
    source: Literal["codebook", "decisions"],
    transfer: bool,
    train: tuple[str, ...],
    test: tuple[str, ...],
    out: Path | None,
    page: Path | None,
    setfit: bool,
) -> None:
    """Tell how good the suggestions are on human coding, beside the baselines, and whether to rely on them."""
    from .. import adapt, results
    from .. import evaluate as evaluating

    _check_sites(train, test, transfer=transfer)
    session = open_study(study)
    for site in (*train, *test):
        check_site(session, site)
    files = [file for file in (out, page) if file is not None and str(file) != "-"]
    for file in files:
        results.refuse_own(session, file)
    if (note := adapt.caution(session)) and loud():
        click.echo(f"note: {note}", err=True)
    plan = evaluating.Plan(source=source, transfer=transfer, train=train, test=test)
    with Bars(hidden=str(out) == "-") as progress:
        made = results.evaluate(session, plan, setfit=setfit, progress=progress)
    figures = evaluating.to_json(made)
    if page is not None:
        from ..report.evaluation import evaluation_page

        _write(page, evaluation_page(made, session.study.name))
    if out is not None and str(out) != "-":
        _write(out, json.dumps(figures, indent=1) + "\n")
    if str(out) == "-":
        print_json(figures)
    elif loud():
        _print_figures(figures)


def _check_sites(train: tuple[str, ...], test: tuple[str, ...], *, transfer: bool) -> None:
    """Refuse sites that do not make a test, as wrong usage."""
    if bool(train) != bool(test):
        raise click.UsageError("--train-site and --test-site go together: name at least one of each")
    if train and transfer:
        raise click.UsageError("--transfer tests on every site in turn: leave it out, or the named sites")
    if both := sorted(set(train) & set(test)):
        raise click.UsageError(f"site {both[0]} cannot be learned from and tested on at once")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Fault(str(file), f"cannot be written: {error.strerror}", "choose another file") from error


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
    click.echo("")
    for line in figures["verdict"]["says"]:
        click.echo(line)
