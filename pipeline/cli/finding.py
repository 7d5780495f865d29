"""Which segments to look at: queue, search."""

import getpass
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .terminal import JSON, STUDY, example, loud, loudness, open_study, print_json, print_table

if TYPE_CHECKING:
    from ..intake import Session
    from ..records import Segment, SegmentId
    from ..review import Reviewer

SHOWN = 60  # characters of a segment in a table
CODER = click.option("--coder", help="Whose work it is for.  [default: your login name]")


@click.command(epilog=example("themescout queue my-study --order informative --limit 50 --json"))
@STUDY
@click.option(
    "--order", type=click.Choice(["transcript", "surest", "informative", "nothing-fits", "look-again"]),
    default="surest", show_default=True, help="In which order.",
)  # fmt: skip
@CODER
@click.option("--limit", type=click.IntRange(1), help="No more segments than these.")
@JSON
@loudness
def queue(study: Path, *, order: str, coder: str | None, limit: int | None, as_json: bool) -> None:
    """List the segments that a coder has not answered, in the order in which the review page would show them.

    With --order look-again: those that the coder gave a theme whose definition, include or exclude has changed since.

    Nothing is told that the page would hide from the coder, such as suggestions for withheld segments.
    """
    from .. import review as page

    session = open_study(study)
    reviewer = _reviewer(session, coder)
    names: dict[SegmentId, str] = {}
    if order == "nothing-fits":
        names = {key: " ".join(one.words) for one in page.unexplained(reviewer) for key in one.segments}
    found = page.in_order(reviewer, page.Order("" if order == "transcript" else order))[:limit]
    rows = _places(session, found)
    for row in rows:
        row |= {"cluster": names[row["id"]]} if names else {}
    _answer(rows, as_json)


@click.command(epilog=example('themescout search my-study "they talk about me, not with me"'))
@STUDY
@click.argument("text")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="No more segments than these.")
@JSON
@loudness
def search(study: Path, text: str, *, limit: int, as_json: bool) -> None:
    """List the segments that resemble a text in meaning and words. With - the text is read from standard input."""
    from .. import review as page

    session = open_study(study)
    text = (sys.stdin.read() if text == "-" else text).strip()
    if not text:
        raise click.BadParameter("there is no text to look for", param_hint="TEXT")
    hits = page.like_text(_reviewer(session, None), text, limit)
    rows = _places(session, [hit.segment for hit in hits], words=True)
    for row, hit in zip(rows, hits, strict=True):
        row |= {"likeness": hit.likeness, "wording": hit.wording}
    _answer(rows, as_json)


def _reviewer(session: "Session", coder: str | None) -> "Reviewer":
    from .. import review as page
    from .. import store

    return page.Reviewer(
        store=store.open_store(session.study.store_url, create=False),
        study=session.study,
        codebook=session.codebook,
        coder=(coder or getpass.getuser()).strip(),
        encoding=page.Encoding(fingerprint=session.located.fingerprint, load=lambda: session.encoder),
    )


def _places(session: "Session", found: Sequence["SegmentId"], *, words: bool = False) -> list[dict[str, Any]]:
    """Return where segments are, in the order they are given."""
    from ..store import corpus

    entries = {entry.id: entry for entry in corpus.list_transcripts(session.store)}
    pieces = {piece.id: piece for piece in corpus.load_segments(session.store, ids=found)}

    def row(piece: "Segment") -> dict[str, Any]:
        entry = entries[piece.transcript]
        where = {"site": entry.site, "document": entry.name, "segment": piece.name, "id": piece.id}
        return where | {"start": piece.start, "end": piece.end} | ({"text": piece.text} if words else {})

    return [row(pieces[segment]) for segment in found]


def _answer(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(list(rows))
    elif loud():
        columns = [name for name in rows[0] if name not in ("id", "start", "end")] if rows else []
        print_table(columns, [[_short(row[name]) for name in columns] for row in rows])


def _short(value: object) -> object:
    return f"{' '.join(value.split())[:SHOWN]}" if isinstance(value, str) else value
