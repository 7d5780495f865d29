"""The machine's work: suggest, status."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .terminal import (
    JSON,
    STUDY,
    Bars,
    check_site,
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
    from collections.abc import Mapping

    from ..intake import Progress, Session, Tally
    from ..work import Pending


@click.command(epilog=example("themescout suggest my-study --site Kampala"))
@STUDY
@click.option("--site", help="Only this site.")
@click.option("--direct", is_flag=True, help="Without Prefect.")
@JSON
@loudness
def suggest(study: Path, *, site: str | None, direct: bool, as_json: bool) -> None:
    """Segment, embed and rank what is new or changed."""
    from .. import check

    session = open_study(study)
    check_site(session, site)
    notes = check.language_notes(session.study, session.located)
    with Bars(hidden=as_json) as progress:
        pending, tally = _suggest(session, site, direct, progress)
    if as_json:
        from ..intake import left_out

        told = {
            **tally.counts,
            "nothing_new": pending.nothing,
            "provisional": tally.provisional,
            "muted": tally.muted,
            "parked": tally.parked,
            "seconds": tally.seconds,
            "notes": notes,
        }
        print_json({**told, "quarantined": left_out(session, site).files})
    else:
        for note in notes if loud() else ():
            click.echo(f"note: {note}", err=True)
        say(_done(tally, pending))
        for stage, seconds in tally.seconds.items():
            say(f"  {stage:17s} {seconds:8.2f} s", at=2)
        _tell_apart(tally.muted, tally.parked)
    tell_left_out(session, site)


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


def _suggest(session: "Session", site: str | None, direct: bool, progress: "Progress") -> tuple["Pending", "Tally"]:
    """Do what is pending; Prefect is not even imported when nothing is."""
    from .. import intake, store, work

    if not store.has_store(session.study.store_url):
        store.look_at(session.study.store_url)
        intake.try_first(session)
        session.encoder  # noqa: B018  # loaded now: a damaged one must leave nothing behind
    pending = work.look(session, site)
    if pending.nothing:
        return pending, intake.Tally()
    if direct:
        return pending, work.run_direct(session, pending, site, progress)
    from .. import flows

    return pending, flows.run(session, pending, site, progress)


def _done(tally: "Tally", pending: "Pending") -> str:
    if pending.nothing:
        return "Nothing was new: 0 segments embedded, all suggestions are up to date."
    read = f"{count(tally.transcripts, 'transcript')} read, {count(tally.segments, 'segment')}; " if tally.files else ""
    ranked = f"{count(tally.ranked, 'segment')} ranked, {tally.suggested:,} with a suggestion"
    provisional = (
        "\nProbabilities are provisional until people have decided on 50 segments." if tally.provisional else ""
    )
    return f"{read}{count(tally.embedded, 'text')} embedded, {ranked}.{provisional}"


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
    if as_json:
        print_json({"study": session.study.name, "sites": counted, "muted": muted, "parked": parked})
    elif loud():
        columns = ("site", "transcripts", "segments", "suggested", "decided", "quarantined")
        rows: list[list[Any]] = [[dict(row)[name] for name in columns] for row in counted]
        print_table(columns, [*rows, ["all", *(sum(row[at] for row in rows) for at in range(1, len(columns)))]])
        _tell_apart(muted, parked)
