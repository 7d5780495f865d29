"""What is kept, and how it came about: runs, diff, store upgrade."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .terminal import JSON, STUDY, count, example, loud, loudness, open_study, print_json, print_table, say

if TYPE_CHECKING:
    from ..changes import Change
    from ..intake import Session
    from ..store.manifests import Manifest
    from ..store.runs import Run


@click.command(epilog=example("themescout runs my-study"))
@STUDY
@JSON
@loudness
def runs(study: Path, *, as_json: bool) -> None:
    """List the runs of `suggest`, the oldest first, and what each worked on and with.

    A run is named by what it works on: where a study is again as it was, it is the same run again. Times are UTC.
    """
    from ..store import manifests

    session = open_study(study)
    made = _runs(session)
    known = manifests.load_manifests(session.store) if made else {}
    if as_json:
        print_json([_plain(run, known.get(run.id)) for run in made])
    elif loud():
        columns = ("run", "began", "ended", "encoder", "codebook", "decisions", "transcripts", "ranked", "suggested")
        print_table(columns, [_listed(run, known[run.id]) for run in made if run.id in known])
        if others := len(made) - len(known):
            say(f"Not listed: {count(others, 'run')} while people decided, or of an earlier version; --json has them.")


def _runs(session: "Session") -> "list[Run]":
    from .. import store as kept
    from ..store.runs import list_runs

    return list_runs(session.store) if kept.has_store(session.study.store_url) else []


def _plain(run: "Run", manifest: "Manifest | None") -> dict[str, Any]:
    times = {"started_at": run.started_at.isoformat(), "ended_at": run.ended_at.isoformat() if run.ended_at else None}
    return {**asdict(run), **times, "manifest": asdict(manifest) if manifest else None}


def _listed(run: "Run", manifest: "Manifest") -> list[object]:
    ended = run.ended_at.strftime("%Y-%m-%d %H:%M") if run.ended_at else "cut off"
    what = (manifest.encoder, run.codebook_revision[:8], manifest.decisions, len(manifest.documents))
    counts = (run.counts.get("ranked"), run.counts.get("suggested"))
    return [run.id[:8], run.started_at.strftime("%Y-%m-%d %H:%M"), ended, *what, *counts]


@click.command(epilog=example("themescout diff my-study 3f0a91c2 b77d04e1 --out changes.csv"))
@STUDY
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@click.option("--out", type=click.Path(path_type=Path), help="Write every change to a csv or xlsx file.")
@JSON
@loudness
def diff(study: Path, before: str, after: str, *, out: Path | None, as_json: bool) -> None:
    """Tell which suggestions changed from one run to another, and why. `themescout runs` lists runs by their ids."""
    from .. import changes, results
    from ..exchange import write_table

    session = open_study(study)
    if out is not None:
        results.refuse_own(session, out)
    chosen = [_named(session, name) for name in (before, after)]
    states = [changes.state(session.store, one) for one in chosen]
    counted: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()

    def every() -> "Iterator[Change]":
        for change in changes.changes(session.store, *states):
            counted[change.theme, change.how.value] += 1
            reasons[change.why] += 1
            yield change

    if out is not None:
        kind = "xlsx" if out.suffix.lower() == ".xlsx" else "csv"
        write_table(out, changes.COLUMNS, map(changes.row, every()), format=kind)
    else:
        for _ in every():
            pass
    general = changes.Causes.between(session.store, *states).general
    _tell_changes([state.run.id for state in states], general, counted, reasons, as_json=as_json)


def _named(session: "Session", name: str) -> "Run":
    """Return the run with an id, or the only one whose id begins so."""
    made = _runs(session)
    found = [run for run in made if run.id.startswith(name)]
    if len(found) != 1:
        what = "several runs begin" if found else "no run begins"
        raise click.BadParameter(f"{what} with {name}; `themescout runs STUDY` lists them", param_hint="RUN")
    return found[0]


def _tell_changes(
    ids: list[str], general: list[str], counted: Counter[tuple[str, str]], reasons: Counter[str], *, as_json: bool
) -> None:
    from ..changes import How

    themes = sorted({theme for theme, _ in counted})
    rows = [[theme, *(counted[theme, how.value] for how in How)] for theme in themes]
    columns = ["theme", *(how.value for how in How)]
    if as_json:
        told = [dict(zip(columns, row, strict=True)) for row in rows]
        print_json({"runs": ids, "differs": general, "themes": told, "why": dict(reasons.most_common())})
    elif loud():
        for cause in general:
            say(f"differs: {cause}")
        if rows:
            print_table(columns, rows)
        for why, number in reasons.most_common():
            say(f"{count(number, 'change')}: {why}")
        if not rows:
            say("No suggestion changed.")


@click.group(epilog=example("themescout store upgrade my-study"))
def store() -> None:
    """Look after the study's database."""


@store.command(epilog=example("themescout store upgrade my-study"))
@STUDY
@loudness
def upgrade(study: Path) -> None:
    """Bring a store on a database server up to date; do it after a backup, when nobody else works with it.

    An SQLite store is brought up to date by whatever command opens it, after a copy was made beside it.
    """
    from .. import config
    from .. import store as kept

    url = config.load_study(study).store_url
    before = kept.look_at(url)
    kept.open_store(url, create=False, upgrade=True).close()
    after = kept.look_at(url)
    say(f"The store is of schema {after}" + (", as it was." if before == after else f"; it was of {before}."))
