"""The gold coding on which coders are checked: anchors draw, import, status."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import JSON, STUDY, count, example, loud, loudness, open_study, print_json, print_table, say

if TYPE_CHECKING:
    from ..anchors import ThemeBank

FEWEST = 3  # documents that a theme's anchors should come from


@click.group(epilog=example("themescout anchors draw my-study --out anchors.xlsx"))
def anchors() -> None:
    """Keep the segments of known gold coding that the review page weaves into everybody's work, unseen."""


@anchors.command(epilog=example("themescout anchors draw my-study --out anchors.xlsx"))
@STUDY
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A .csv or .xlsx file.")
@click.option(
    "--wished", type=click.IntRange(1), default=40, show_default=True,
    help="So many segments that show a theme, and as many that only look like it.",
)  # fmt: skip
@JSON
@loudness
def draw(study: Path, *, out: Path, wished: int, as_json: bool) -> None:
    """Propose anchors for the priority themes in a table to be adjudicated.

    Settle the rows together: correct `themes`, put what you stay split on under `uncertain`, and write your names under
    `adjudicated`. Where all coders said the same that is filled in.
    """
    from .. import anchors as bank

    if out.suffix not in (".csv", ".xlsx"):
        raise click.BadParameter("give a .csv or .xlsx file", param_hint="--out")
    session = open_study(study)
    rows, banks = bank.draw(session, out, wished=wished)
    if as_json:
        print_json({"rows": rows, "themes": [asdict(one) for one in banks]})
        return
    say(f"{count(rows, 'segment')} proposed in {out}. What they would come to:")
    _print_banks(banks)


@anchors.command("import", epilog=example("themescout anchors import my-study anchors.xlsx"))
@STUDY
@click.argument("file", type=click.Path(path_type=Path))
@loudness
def import_(study: Path, file: Path) -> None:
    """Keep the adjudicated rows of a table; all of them must fit. Rows not adjudicated yet are left for later."""
    from .. import anchors as bank

    rows, new, waiting = bank.import_gold(open_study(study), file)
    say(f"{count(rows, 'adjudicated row')} read, {new:,} new or changed; {waiting:,} not adjudicated yet.")


@anchors.command(epilog=example("themescout anchors status my-study"))
@STUDY
@JSON
@loudness
def status(study: Path, *, as_json: bool) -> None:
    """Tell how many anchors there are of each priority theme, and how many checks each coder has had."""
    from .. import anchors as bank

    banks, served = bank.status(open_study(study))
    if as_json:
        print_json({"themes": [asdict(one) for one in banks], "coders": [asdict(one) for one in served]})
        return
    _print_banks(banks)
    if loud():
        click.echo("")
        columns = ("coder", "anchors", "overlap", "duplicates", "remaining")
        print_table(columns, [[asdict(one)[name] for name in columns] for one in served])


def _print_banks(banks: "Sequence[ThemeBank]") -> None:
    if not loud():
        return
    columns = ("theme", "positive", "negative", "uncertain", "documents", "wished")
    print_table(columns, [[asdict(one)[name] for name in columns] for one in banks])
    for one in banks:
        sides = {"positives": one.wished - one.positive, "negatives": one.wished - one.negative}
        if short := [f"{lacking} {side}" for side, lacking in sides.items() if lacking > 0]:
            click.echo(f"note: {one.theme} lacks {' and '.join(short)}: a change in how it is coded would show late")
        elif one.documents < FEWEST:
            came = count(one.documents, "document")
            click.echo(f"note: the anchors of {one.theme} come from {came}; {FEWEST} are wished")
