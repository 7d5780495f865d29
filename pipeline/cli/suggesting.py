"""The machine's work: suggest, status, quarantine."""

import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .terminal import (
    JSON,
    QUARANTINED,
    STUDY,
    Bars,
    check_part,
    count,
    example,
    loud,
    loudness,
    open_study,
    print_json,
    print_table,
    say,
    tell_left_out,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..carry import Lost
    from ..intake import Part, Progress, Session, Tally
    from ..work import Pending

NAMED = 6  # sites that are named one by one


@click.command(epilog=example("themescout suggest my-study --site Kampala"))
@STUDY
@click.option("--site", help="Only this site.")
@click.option("--transcript", help="Only this transcript, by the name it has in tables.")
@click.option("--direct", is_flag=True, help="Without Prefect.")
@JSON
@loudness
def suggest(study: Path, *, site: str | None, transcript: str | None, direct: bool, as_json: bool) -> None:
    """Segment, embed and rank what is new or changed. If another `suggest` works on the study, wait for it."""
    from .. import check, results, work
    from ..intake import Part

    session = open_study(study)
    part = Part(site=site, transcript=transcript)
    check_part(session, part)
    notes = check.language_notes(session.study, session.located)
    with Bars(hidden=as_json) as progress:
        pending, tally = work_on(session, part, direct, progress)
    gone = results.lost(session)
    if as_json:
        from ..intake import left_out

        told = {
            **tally.counts,
            "nothing_new": pending.nothing,
            "provisional": tally.provisional,
            "muted": tally.muted,
            "parked": tally.parked,
            "lost": _plain(gone),
            "seconds": tally.seconds,
            "notes": notes,
        }
        print_json({**told, "quarantined": left_out(session, part).files})
    else:
        for note in notes if loud() else ():
            click.echo(f"note: {note}", err=True)
        say(_done(tally, pending))
        _tell_arrived(study, work.arrived(session, pending))
        for stage, seconds in tally.seconds.items():
            say(f"  {stage:17s} {seconds:8.2f} s", at=2)
        _tell_apart(tally.muted, tally.parked)
        _tell_lost(gone)
    tell_left_out(session, part)


def _tell_arrived(study: Path, sites: "Sequence[str]") -> None:
    """Tell how to see what came in from a site."""
    if sites:
        more = f" and {len(sites) - NAMED} more" if len(sites) > NAMED else ""
        others = f"  (likewise {', '.join(sites[1:NAMED])}{more})" if len(sites) > 1 else ""
        say(f"See what came in: themescout report {shlex.quote(str(study))} --site {shlex.quote(sites[0])}{others}")


def _tell_apart(muted: "Mapping[str, str]", parked: "Mapping[str, int]") -> None:
    """Tell which themes are not suggested, and which decisions have no theme to count for."""
    for theme, reason in muted.items():
        say(f"note: theme `{theme}` is not suggested: {reason}; better exemplars or a clearer definition may help")
    if parked:
        named = ", ".join(f"`{theme}` ({count(segments, 'segment')})" for theme, segments in parked.items())
        say(
            f"note: decisions on themes that the codebook does not have are kept and not learned from: {named}; "
            "if one has another name now, write the old one into its `formerly`"
        )


def _plain(gone: "Sequence[Lost]") -> list[dict[str, Any]]:
    return [asdict(one) for one in gone]


def _tell_lost(gone: "Sequence[Lost]") -> None:
    """Tell which decisions have lost their words, by transcript."""
    if gone:
        places = Counter(one.place for one in gone)
        named = "; ".join(f"{place} ({count(segments, 'segment')})" for place, segments in places.items())
        say(
            f"note: decisions on {count(len(gone), 'segment')} are kept and learned from, but nobody sees them any "
            f"more, because the study does not have their words: {named}; `themescout status --json` lists them"
        )


def work_on(session: "Session", part: "Part", direct: bool, progress: "Progress") -> tuple["Pending", "Tally"]:
    """Do what is pending; Prefect is not even imported when nothing is."""
    from .. import intake, store, work

    if not store.has_store(session.study.store_url):
        store.look_at(session.study.store_url)
        intake.try_first(session)
        session.encoder  # noqa: B018  # loaded now: a damaged one must leave nothing behind
    with session.store.alone(_tell_once("Another `suggest` works on this study: waiting for it to end.")):
        pending = work.look(session, part)
        if pending.nothing:
            return pending, intake.Tally()
        if direct:
            return pending, work.run_direct(session, pending, part, progress)
        from .. import flows

        return pending, flows.run(session, pending, part, progress)


def _tell_once(line: str) -> Callable[[], None]:
    told: list[str] = []

    def tell() -> None:
        if not told and loud():
            click.echo(line, err=True)
        told.append(line)

    return tell


def _done(tally: "Tally", pending: "Pending") -> str:
    if pending.nothing:
        return "Nothing was new: 0 segments embedded, all suggestions are up to date."
    read = f"{count(tally.transcripts, 'transcript')} read, {count(tally.segments, 'segment')}; " if tally.files else ""
    carried = f"decisions on {count(tally.carried, 'segment')} carried over; " if tally.carried else ""
    ranked = f"{count(tally.ranked, 'segment')} ranked, {tally.suggested:,} with a suggestion"
    provisional = (
        "\nProbabilities are provisional until people have decided on 50 segments." if tally.provisional else ""
    )
    return f"{read}{carried}{count(tally.embedded, 'text')} embedded, {ranked}.{provisional}"


@click.command(epilog=example("themescout status my-study"))
@STUDY
@JSON
@loudness
def status(study: Path, *, as_json: bool) -> None:
    """Per site: transcripts, segments, suggested, decided, quarantined."""
    from .. import results

    session = open_study(study)
    counted = results.status(session)
    muted, parked = results.set_apart(session)
    gone = results.lost(session)
    if as_json:
        told = {"study": session.study.name, "sites": counted, "muted": muted, "parked": parked}
        print_json({**told, "lost": _plain(gone)})
    elif loud():
        columns = ("site", "transcripts", "segments", "suggested", "decided", "quarantined")
        rows: list[list[Any]] = [[dict(row)[name] for name in columns] for row in counted]
        print_table(columns, [*rows, ["all", *(sum(row[at] for row in rows) for at in range(1, len(columns)))]])
        _tell_apart(muted, parked)
        _tell_lost(gone)


@click.group(epilog=example("themescout quarantine list my-study"))
def quarantine() -> None:
    """Look after transcripts that are set aside because they cannot be read."""


@quarantine.command("list", epilog=example("themescout quarantine list my-study"))
@STUDY
@JSON
@loudness
def list_(study: Path, *, as_json: bool) -> None:
    """List the transcripts that are set aside, each with its reason; the exit status is 3 if there are any."""
    from .. import intake, store

    session = open_study(study)
    kept = store.has_store(session.study.store_url)
    aside = {source.path: source.quarantine.splitlines() for source in intake.quarantined(session)} if kept else {}
    if as_json:
        print_json([{"file": file, "reasons": reasons} for file, reasons in aside.items()])
    for line in [] if as_json else [line for reasons in aside.values() for line in reasons]:
        say(line)
    if aside:
        raise click.exceptions.Exit(QUARANTINED)
    if not as_json:
        say("No transcript is set aside.")


@quarantine.command(epilog=example("themescout quarantine retry my-study transcripts/ulm/group2.docx"))
@STUDY
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--direct", is_flag=True, help="Without Prefect.")
@loudness
@click.pass_context
def retry(ctx: click.Context, study: Path, files: tuple[str, ...], *, direct: bool) -> None:
    """Read transcripts that are set aside again, all or these, and go on as `suggest` does.

    `suggest` by itself reads again those that have changed, or that another file stood in the way of.
    """
    from .. import intake, store
    from ..store import corpus

    session = open_study(study)
    kept = store.has_store(session.study.store_url)
    aside = [source.path for source in intake.quarantined(session)] if kept else []
    if unknown := [file for file in files if file not in aside]:
        told = f"{unknown[0]} is not set aside; `themescout quarantine list STUDY` tells what is"
        raise click.BadParameter(told, param_hint="FILE")
    if kept:
        corpus.forget_quarantine(session.store, files or aside)
    ctx.invoke(suggest, study=study, site=None, transcript=None, direct=direct, as_json=False)
