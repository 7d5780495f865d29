"""People's work: review, import, export."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import STUDY, Bars, example, flat, loudness, open_study, say, tell, tell_left_out

if TYPE_CHECKING:
    from ..intake import Session
    from ..review import Address, ASGIApp


@click.command(epilog=example("themescout review my-study --coder Asha"))
@STUDY
@click.option("--coder", help="Your name, written to every decision.  [default: your login name]")
@click.option("--team", is_flag=True, help="For everybody with an account: see `themescout people`.")
@click.option("--host", help="With --team: the address to answer at, for other machines too.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine.  [default: the one of last time]"
)
@click.option("--new-address", "anew", is_flag=True, help="Make another secret address: the old one leads nowhere.")
@click.option("--open/--no-open", "open_", default=True, help="Whether to open the page in your browser.")
@loudness
def review(study: Path, *, coder: str | None, team: bool, host: str | None, port: int, anew: bool, open_: bool) -> None:
    """Open the review page: accept or reject suggestions. It answers to this machine alone; end it with Ctrl-C.

    Its address stays the same from start to start, so that bookmarks and open pages go on. With --team everybody logs
    in by name and password. What goes to other machines with --host is not encrypted: use it in a network you trust,
    or through an SSH tunnel.
    """
    import getpass

    from .. import review as page
    from .. import store

    if team and coder:
        raise click.UsageError("with --team everybody logs in under a name of their own: leave --coder out")
    if host and not team:
        raise click.UsageError("--host is for --team: without accounts the page is for this machine alone")
    session = open_study(study)
    opened = store.open_store(session.study.store_url, create=False)
    if team:
        page.somebody_leads(opened)
    name = None if team else (coder or getpass.getuser()).strip()
    at = host or page.ADDRESS
    address = page.address_kept(page.address_file(session.study.folder, name, at), host=at, port=port, anew=anew)
    app = page.create_app(
        *(opened, session.study, session.codebook),
        coder=name,
        token=address.token,
        encoding=page.Encoding(fingerprint=session.located.fingerprint, load=lambda: session.encoder),
        local=host is None,
        learner=page.Learner(_as_it_is(session), lambda told: click.echo(told, err=True))
        if session.study.review.learn
        else None,
    )
    _serve(app, address, name, open_=open_)


def _serve(app: "ASGIApp", address: "Address", coder: str | None, *, open_: bool) -> None:
    """Serve the page until Ctrl-C; say where it is, and open it if that is wanted."""
    import webbrowser

    from .. import review as page

    once = page.new_token()

    def ready() -> None:
        who = f"Reviewing as {coder}" if coder is not None else "For everybody with an account"
        click.echo(f"{who}: {address.url}")
        click.echo(f"Keep the address to {'yourself' if coder is not None else 'yourselves'}. Ctrl-C ends.")
        if address.told:
            click.echo(f"note: {address.told}", err=True)
        if open_:
            webbrowser.open(f"http://{address.host}:{address.port}/{once}")

    page.serve(
        page.FirstVisit(app, address.url, once) if open_ else app, port=address.port, ready=ready, host=address.host
    )


def _as_it_is(session: "Session") -> Callable[[], "Session"]:
    """Return what gives the study as its files are, opened again only when they have changed."""
    from ..config import FILE
    from ..intake import open_session

    def looked_at() -> list[float]:
        folder = session.study.folder
        return [(folder / name).stat().st_mtime for name in (FILE, session.study.codebook)]

    known = looked_at()

    def opened() -> "Session":
        nonlocal session, known
        if (now := looked_at()) != known:
            session, known = open_session(session.study.folder), now
        return session

    return opened


@click.command("import", epilog=example("themescout import my-study coding.csv"))
@STUDY
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--partly", is_flag=True, help="Import the rows that fit even if some do not; those are listed.")
@loudness
def import_(study: Path, file: Path, *, partly: bool) -> None:
    """Import human coding from a table: document, segment, coder, codes, coded_at."""
    from .. import results

    session = open_study(study)
    with Bars() as progress:
        rows, made, faults = results.import_coding(session, file, partly=partly, progress=progress)
    if faults:
        tell(flat(faults))
    left = ", the rows above left out" if faults else ""
    say(f"{rows:,} rows of coding read, {made:,} new decisions{left}.")
    tell_left_out(session)


@click.command(epilog=example("themescout export my-study --what suggestions --format xlsx --out suggestions.xlsx"))
@STUDY
@click.option(
    "--what",
    type=click.Choice(["suggestions", "decisions", "coding", "memos", "trail"]),
    required=True,
    help="What to write.",
)
@click.option("--format", "format_", type=click.Choice(["csv", "xlsx", "jsonl", "parquet"]), default="csv", help="How.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@loudness
def export(study: Path, *, what: str, format_: str, out: Path) -> None:
    """Write suggestions, decisions, present coding or memos as a table, or the trail of who decided what and when."""
    from .. import results

    session = open_study(study)
    count = results.export(session, what, format_, out)
    say(f"{count:,} rows of {what} written to {out}.")
