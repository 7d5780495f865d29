"""Several people at one study: people add, change, list; assign."""

from pathlib import Path

import click

from .terminal import JSON, STUDY, example, loud, loudness, open_study, print_json, print_table, say

RIGHTS = click.Choice(["coder", "lead", "auditor"])
ROLE = "What they may do: a coder codes; a lead also assigns, compares and settles; an auditor only looks."


@click.group(epilog=example("themescout people add my-study Asha --role coder"))
def people() -> None:
    """Accounts of a study that several people work on."""


def _password() -> str:
    """Ask for a password twice, without showing it; from a pipe, read one line."""
    import sys

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked


@people.command(epilog=example("themescout people add my-study Asha --role coder"))
@STUDY
@click.argument("name")
@click.option("--role", type=RIGHTS, default="coder", help=ROLE, show_default=True)
@loudness
def add(study: Path, name: str, *, role: str) -> None:
    """Make an account; asks for its password, or reads it from standard input."""
    from ..review.accounts import add_person
    from ..store.people import Rights

    session = open_study(study)
    add_person(session.store, name, Rights(role), _password())
    say(f"{name.strip()} may log in as {role} now.")


@people.command(epilog=example("themescout people change my-study Asha --role lead"))
@STUDY
@click.argument("name")
@click.option("--role", type=RIGHTS, help=ROLE)
@click.option("--password", "renew", is_flag=True, help="Ask for a new password.")
@click.option("--active/--left", "active", default=None, help="Whether they still work on the study.")
@loudness
def change(study: Path, name: str, *, role: str | None, renew: bool, active: bool | None) -> None:
    """Change an account. Whoever left keeps what they decided, and cannot log in."""
    from ..review.accounts import change_person
    from ..store.people import Rights

    session = open_study(study)
    password = _password() if renew else None
    change_person(session.store, name, rights=Rights(role) if role else None, password=password, active=active)
    say(f"Changed the account of {name}.")


@people.command("list", epilog=example("themescout people list my-study"))
@STUDY
@JSON
@loudness
def list_(study: Path, *, as_json: bool) -> None:
    """Tell which accounts there are."""
    from ..store.people import list_people

    known = list_people(open_study(study).store)
    if as_json:
        print_json([{"name": p.name, "role": p.rights.value, "active": p.active} for p in known])
    elif loud():
        print_table(("name", "role", ""), [(p.name, p.rights.value, "" if p.active else "left") for p in known])


@click.command(epilog=example("themescout assign my-study --coder Asha --coder Ben --double 20"))
@STUDY
@click.option("--coder", "coders", multiple=True, help="Whom to deal to.  [default: all active coders]")
@click.option("--double", type=click.IntRange(0, 100), default=0, help="Per cent of the transcripts read twice.")
@JSON
@loudness
def assign(study: Path, *, coders: tuple[str, ...], double: int, as_json: bool) -> None:
    """Deal the transcripts that nobody reads yet out to coders: at random, evenly within each site."""
    from ..review.team import deal
    from ..store.corpus import list_transcripts
    from ..store.people import Rights, list_people
    from ..store.people import assign as write_down
    from ..store.people import assigned as who_reads

    session = open_study(study)
    known = [p.name for p in list_people(session.store) if p.active and p.rights is not Rights.AUDITOR]
    if unknown := [coder for coder in coders if coder not in known]:
        raise click.BadParameter(f"no active account is called {', '.join(unknown)}", param_hint="--coder")
    chosen = list(coders) or known
    if not chosen:
        raise click.UsageError("there are no accounts yet: `themescout people add STUDY NAME` makes one")
    taken = who_reads(session.store)
    free = [(e.site, e.name) for e in list_transcripts(session.store) if (e.site, e.name) not in taken]
    dealt = deal(free, chosen, double=double / 100, seed=session.study.name)
    write_down(session.store, dealt, by="command line")
    rows = [(site, name, ", ".join(who)) for (site, name), who in sorted(dealt.items())]
    if as_json:
        print_json([{"site": site, "transcript": name, "coders": dealt[site, name]} for site, name, _ in rows])
    elif loud():
        print_table(("site", "transcript", "coders"), rows)
