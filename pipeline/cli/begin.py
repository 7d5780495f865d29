"""A study begins: init, demo, check."""

import sys
from pathlib import Path

import click

from ..errors import Fault
from .coding import import_
from .suggesting import status, suggest
from .terminal import FAULTY, JSON, STUDY, Bars, count, example, loud, loudness, print_json, print_table, say, tell


@click.command(epilog=example("themescout init my-study"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@loudness
def init(folder: Path) -> None:
    """Make a new study with commented files to fill in; files that are there already stay as they are."""
    import shutil

    from ..config import FILE, shipped

    made = []
    try:
        (folder / "transcripts" / "site-one").mkdir(parents=True, exist_ok=True)
        for name in (FILE, "codebook.csv"):
            target = folder / name
            if not target.exists():
                shutil.copyfile(shipped("configs", "new-study", name), target)
                made.append(target)
    except OSError as error:
        raise Fault(str(folder), f"cannot be made: {error.strerror}", "choose another folder") from error
    for target in made:
        say(f"made {target}")
    say(f"Put transcripts into {folder / 'transcripts' / 'site-one'}, edit the two files, then:")
    say(f"  themescout check {folder}")


@click.command(epilog=example("themescout demo"))
@click.argument("folder", metavar="[DIR]", required=False, default="demo", type=click.Path(path_type=Path))
@click.option("--direct", is_flag=True, help="Without Prefect.")
@loudness
@click.pass_context
def demo(ctx: click.Context, folder: Path, *, direct: bool) -> None:
    """Copy the example study (invented by us) to DIR and run it end to end."""
    import shutil

    from ..config import load_study, shipped

    ours, part = shipped("data", "demo"), folder.with_name(f"{folder.name}.part")
    if not folder.exists():
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(ours, part)
        part.rename(folder)  # at once, so that a copy that was cut off is not taken for the whole
    elif load_study(folder).name != load_study(ours).name:
        raise Fault(str(folder), "is there already and is not the example study", "choose another folder")
    ctx.invoke(import_, study=folder, file=folder / "coding.csv", partly=False)
    ctx.invoke(suggest, study=folder, direct=direct, site=None, transcript=None, as_json=False)
    if loud():
        click.echo("")
        ctx.invoke(status, study=folder, as_json=False)
        me = "themescout" if shutil.which("themescout") else sys.argv[0]
        me = "python -m pipeline" if me.endswith("__main__.py") else me
        click.echo(f"\nLook at the suggestions, and accept or reject them:\n  {me} review {folder}")
        click.echo(f"How good they are on what two invented coders said:\n  {me} evaluate {folder}")
        click.echo(f"As a table:\n  {me} export {folder} --what suggestions --format csv --out suggestions.csv")


@click.command(epilog=example("themescout check my-study"))
@STUDY
@JSON
@loudness
def check(study: Path, *, as_json: bool) -> None:
    """Read everything, report every problem with its place and remedy, change nothing."""
    from .. import check as checking

    with Bars(hidden=as_json) as progress:
        found = checking.check(study, progress)
    if as_json:
        print_json(checking.to_json(found))
    elif loud():
        print_table(checking.COLUMNS, checking.rows(found))
        if loud() > 1:
            print_table(("site", "speaker", "role", "turns"), checking.speaker_rows(found))
        for note in found.notes:
            click.echo(f"note: {note}")
        if found.due:
            read, texts = count(found.due.files, "file"), count(found.due.texts, "text")
            click.echo(f"`suggest` would read {read} and embed {texts}{' or more' if found.due.texts else ''}.")
    tell(found.faults)
    if found.faults:
        raise click.exceptions.Exit(FAULTY)
    if not as_json:
        say("No problem found.")
