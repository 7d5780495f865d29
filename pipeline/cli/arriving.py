"""A site arrives: site add."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import STUDY, Bars, count, example, flat, loud, loudness, print_json, print_table, say, tell

if TYPE_CHECKING:
    from ..onboard import Proposal

SHOWN = 15  # speakers; with -v all


@click.group(epilog=example("themescout site add my-study Ulm --transcripts transcripts/ulm"))
def site() -> None:
    """Look after the study's sites."""


@site.command(epilog=example("themescout site add my-study Ulm --transcripts transcripts/ulm --language de"))
@STUDY
@click.argument("name")
@click.option("--transcripts", "place", required=True, metavar="DIR", help="Folder or glob with the site's files.")
@click.option("--language", help="Language of the talk, like en, de or lg.  [default: found out]")
@click.option(
    "--moderator",
    "moderators",
    multiple=True,
    metavar="LABEL",
    help="Label of whoever leads the talk; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask: write down what is proposed.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON; without --yes nothing is asked or written.")
@loudness
def add(
    study: Path, name: str, *, place: str, language: str | None, moderators: tuple[str, ...], yes: bool, as_json: bool
) -> None:
    """Add a site: read its files, propose who moderates, ask, and write it into study.toml.

    Moderators' turns are context and never coded. Nothing is written if you decline. After this,
    `themescout suggest STUDY --site NAME` does the rest.
    """
    from .. import onboard

    wanted = onboard.Wanted(name=name, place=place, language=language, moderators=moderators or None)
    with Bars(hidden=as_json) as progress:
        proposal = onboard.propose(study, wanted, progress)
    if as_json:
        if yes:
            onboard.write(study, proposal.site)
        print_json(onboard.to_json(proposal, written=yes))
        return
    _show(proposal)
    if not yes:
        proposal = _asked(proposal, given=bool(moderators))
    file = onboard.write(study, proposal.site)
    say(f"Site {proposal.site.name} is in {file} now. Next:")
    say(f"  themescout suggest {study} --site {_quoted(proposal.site.name)}")


def _show(proposal: "Proposal") -> None:
    """Print what was found and what would be written."""
    site = proposal.site
    say(f"{site.name}: {count(proposal.transcripts, 'transcript')} in {count(proposal.files, 'file')}, {site.language}")
    say("")
    speakers = proposal.speakers if loud() > 1 else proposal.speakers[:SHOWN]
    if loud():
        rows = [
            (
                *(one.label or "(none)", one.role.value, one.why or "-", one.files, one.turns, one.words),
                f"{100 * one.asks:.0f} %",
            )
            for one in speakers
        ]
        print_table(("speaker", "role", "why", "files", "turns", "words", "asks"), rows)
    if len(speakers) < len(proposal.speakers):
        say(f"... and {count(len(proposal.speakers) - len(speakers), 'label')} more (-v lists all)")
    for note in proposal.notes if loud() else ():
        click.echo(f"note: {note}", err=True)
    if proposal.faults:
        click.echo("These would be set aside:", err=True)
        tell(proposal.faults)


def _asked(proposal: "Proposal", *, given: bool) -> "Proposal":
    """Let somebody correct the moderators and agree. Ends the command if not."""
    from .. import onboard
    from ..errors import Faults

    while not given and any(one.label for one in proposal.speakers):
        told = ", ".join(proposal.site.moderators) or "-"
        answer = click.prompt("\nModerators, with commas between them (- for none)", default=told)
        labels = [label.strip() for label in answer.split(",") if label.strip() not in ("", "-")]
        if tuple(labels) == proposal.site.moderators:
            break
        try:
            proposal = onboard.with_moderators(proposal, labels)
            break
        except Faults as faults:
            tell(flat(faults))
    site = proposal.site
    say(f'\n[[site]] name = "{site.name}", transcripts = "{site.transcripts}", language = "{site.language}",')
    say(f"         moderators = {list(site.moderators)}")
    if not click.confirm("Write this into study.toml?", default=True):
        click.echo("Nothing was written.", err=True)
        raise click.exceptions.Exit(1)
    return proposal


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
