"""The commands: the only place that prints or exits. What is heavy is imported by the command that needs it."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from . import __version__
from .errors import Fault, Faults

if TYPE_CHECKING:
    from .intake import Progress, Session, Tally
    from .work import Pending

DONE, FAULTY, QUARANTINED = 0, 1, 3  # 2 is click's: wrong usage


class _Commands(click.Group):
    """The commands in the order of a study's life; faults end them with one line each instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's own signature
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
        try:
            return super().invoke(ctx)
        except Fault as fault:
            _tell([fault])
        except Faults as faults:
            _tell(_flat(faults))
        raise click.exceptions.Exit(FAULTY)


def _flat(group: BaseExceptionGroup[Any]) -> Iterator[Fault]:
    for member in group.exceptions:
        if isinstance(member, BaseExceptionGroup):
            yield from _flat(member)
        else:
            yield member


def _tell(faults: Sequence[Fault] | Iterator[Fault]) -> None:
    for fault in faults:
        click.echo(" ".join(str(fault).split()), err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="themescout")
def main() -> None:
    """Suggest codebook themes for passages of transcripts, for people to accept or reject.

    Everything happens on this machine: nothing of a transcript leaves it.
    """


STUDY = click.argument("study", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")


def _loudness(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command -q and -v, kept with the context: 0 for quiet, 1, or 2 for verbose."""

    def keep(ctx: click.Context, option: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta["loudness"] = 0 if option.name == "quiet" else 2

    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=keep, help="Say nothing but faults."
    )
    return quiet(
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=keep, help="Say more.")(command)
    )


def _loud() -> int:
    return int(click.get_current_context().meta.get("loudness", 1))


def _say(line: str, *, at: int = 1) -> None:
    if _loud() >= at:
        click.echo(line)


def _open(study: Path) -> "Session":
    from . import intake

    session = intake.open_session(study)
    told = (f"study {session.study.file}", f"store {session.study.store}", f"encoder {session.located.fingerprint}")
    _say(", ".join((*told, f"codebook {session.codebook.revision}")), at=2)
    return session


def _example(line: str) -> str:
    return f"Example: {line}"


@main.command(epilog=_example("themescout init my-study"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@_loudness
def init(folder: Path) -> None:
    """Make a new study with commented files to fill in; files that are there already stay as they are."""
    import shutil

    from .config import FILE, shipped

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
        _say(f"made {target}")
    _say(f"Put transcripts into {folder / 'transcripts' / 'site-one'}, edit the two files, then:")
    _say(f"  themescout check {folder}")


@main.command(epilog=_example("themescout demo"))
@click.argument("folder", metavar="[DIR]", required=False, default="demo", type=click.Path(path_type=Path))
@click.option("--direct", is_flag=True, help="Without Prefect.")
@_loudness
@click.pass_context
def demo(ctx: click.Context, folder: Path, *, direct: bool) -> None:
    """Copy the example study (invented by us) to DIR and run it end to end."""
    import shutil

    from .config import load_study, shipped

    example, part = shipped("data", "demo"), folder.with_name(f"{folder.name}.part")
    if not folder.exists():
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(example, part)
        part.rename(folder)  # at once, so that a copy that was cut off is not taken for the whole
    elif load_study(folder).name != load_study(example).name:
        raise Fault(str(folder), "is there already and is not the example study", "choose another folder")
    ctx.invoke(import_, study=folder, file=folder / "coding.csv", partly=False)
    ctx.invoke(suggest, study=folder, direct=direct, site=None, as_json=False)
    if _loud():
        click.echo("")
        ctx.invoke(status, study=folder, as_json=False)
        me = "themescout" if shutil.which("themescout") else sys.argv[0]
        me = "python -m pipeline" if me.endswith("__main__.py") else me
        click.echo(f"\nLook at the suggestions, and accept or reject them:\n  {me} review {folder}")
        click.echo(f"How good they are on what two invented coders said:\n  {me} evaluate {folder}")
        click.echo(f"As a table:\n  {me} export {folder} --what suggestions --format csv --out suggestions.csv")


@main.command(epilog=_example("themescout check my-study"))
@STUDY
@JSON
@_loudness
def check(study: Path, *, as_json: bool) -> None:
    """Read everything, report every problem with its place and remedy, change nothing."""
    from . import check as checking

    with _Bars(hidden=as_json) as progress:
        found = checking.check(study, progress)
    if as_json:
        _print_json(checking.to_json(found))
    elif _loud():
        _print_table(checking.COLUMNS, checking.rows(found))
        if _loud() > 1:
            _print_table(("site", "speaker", "role", "turns"), checking.speaker_rows(found))
        for note in found.notes:
            click.echo(f"note: {note}")
    _tell(found.faults)
    if found.faults:
        raise click.exceptions.Exit(FAULTY)
    if not as_json:
        _say("No problem found.")


@main.command(epilog=_example("themescout suggest my-study --site Kampala"))
@STUDY
@click.option("--site", help="Only this site.")
@click.option("--direct", is_flag=True, help="Without Prefect.")
@JSON
@_loudness
def suggest(study: Path, *, site: str | None, direct: bool, as_json: bool) -> None:
    """Segment, embed and rank what is new or changed."""
    session = _open(study)
    _check_site(session, site)
    with _Bars(hidden=as_json) as progress:
        pending, tally = _suggest(session, site, direct, progress)
    if as_json:
        from .intake import left_out

        told = {
            **tally.counts,
            "nothing_new": pending.nothing,
            "provisional": tally.provisional,
            "seconds": tally.seconds,
        }
        _print_json({**told, "quarantined": left_out(session, site).files})
    else:
        _say(_done(tally, pending))
        for stage, seconds in tally.seconds.items():
            _say(f"  {stage:17s} {seconds:8.2f} s", at=2)
    _tell_left_out(session, site)


def _tell_left_out(session: "Session", site: str | None = None) -> None:
    """List what is set aside; if there are transcripts among it, that is the command's exit status."""
    from .intake import left_out

    aside = left_out(session, site)
    for line in aside.sites:
        click.echo(f"note: {line}", err=True)
    for line in aside.files:
        click.echo(f"quarantined: {line}", err=True)
    if aside.files:
        raise click.exceptions.Exit(QUARANTINED)


def _suggest(session: "Session", site: str | None, direct: bool, progress: "Progress") -> tuple["Pending", "Tally"]:
    """Do what is pending; Prefect is not even imported when nothing is."""
    from . import intake, store, work

    if not store.has_store(session.study.store_url):
        store.look_at(session.study.store_url)
        intake.try_first(session)
        session.encoder  # noqa: B018  # loaded now: a damaged one must leave nothing behind
    pending = work.look(session, site)
    if pending.nothing:
        return pending, intake.Tally()
    if direct:
        return pending, work.run_direct(session, pending, site, progress)
    from . import flows

    return pending, flows.run(session, pending, site, progress)


def _done(tally: "Tally", pending: "Pending") -> str:
    if pending.nothing:
        return "Nothing was new: 0 segments embedded, all suggestions are up to date."
    read = (
        f"{_count(tally.transcripts, 'transcript')} read, {_count(tally.segments, 'segment')}; " if tally.files else ""
    )
    ranked = f"{_count(tally.ranked, 'segment')} ranked, {tally.suggested:,} with a suggestion"
    provisional = (
        "\nProbabilities are provisional until people have decided on 50 segments." if tally.provisional else ""
    )
    return f"{read}{_count(tally.embedded, 'text')} embedded, {ranked}.{provisional}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _check_site(session: "Session", site: str | None) -> None:
    names = [known.name for known in session.study.site]
    if site is not None and site not in names:
        raise click.BadParameter(f"there is no site {site!r}; the study has {', '.join(names)}", param_hint="--site")


@main.command(epilog=_example("themescout status my-study"))
@STUDY
@JSON
@_loudness
def status(study: Path, *, as_json: bool) -> None:
    """Per site: transcripts, segments, suggested, decided, quarantined."""
    from . import results

    session = _open(study)
    counted = results.status(session)
    if as_json:
        _print_json({"study": session.study.name, "sites": counted})
    elif _loud():
        columns = ("site", "transcripts", "segments", "suggested", "decided", "quarantined")
        rows: list[list[Any]] = [[dict(row)[name] for name in columns] for row in counted]
        _print_table(columns, [*rows, ["all", *(sum(row[at] for row in rows) for at in range(1, len(columns)))]])


@main.command(epilog=_example("themescout review my-study --coder Asha"))
@STUDY
@click.option("--coder", help="Your name, written to every decision.  [default: your login name]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine.  [default: a free one]")
@click.option("--open/--no-open", "open_", default=True, help="Whether to open the page in your browser.")
@_loudness
def review(study: Path, *, coder: str | None, port: int, open_: bool) -> None:
    """Open the review page: accept or reject suggestions. It answers to this machine alone; end it with Ctrl-C."""
    import getpass
    import webbrowser

    from . import review as page
    from . import store

    session = _open(study)
    opened = store.open_store(session.study.store_url, create=False)
    token = page.new_token()
    port = port or page.free_port()
    name = (coder or getpass.getuser()).strip()
    app = page.create_app(opened, session.study, session.codebook, coder=name, token=token)
    address = f"http://127.0.0.1:{port}/{token}/"

    def ready() -> None:
        click.echo(f"Reviewing as {name}: {address}\nKeep the address to yourself. Ctrl-C ends.")
        if open_:
            webbrowser.open(address)

    page.serve(app, port=port, ready=ready)


@main.command("import", epilog=_example("themescout import my-study coding.csv"))
@STUDY
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--partly", is_flag=True, help="Import the rows that fit even if some do not; those are listed.")
@_loudness
def import_(study: Path, file: Path, *, partly: bool) -> None:
    """Import human coding from a table: document, segment, coder, codes, coded_at."""
    from . import results

    session = _open(study)
    with _Bars() as progress:
        rows, made, faults = results.import_coding(session, file, partly=partly, progress=progress)
    if faults:
        _tell(_flat(faults))
    left = ", the rows above left out" if faults else ""
    _say(f"{rows:,} rows of coding read, {made:,} new decisions{left}.")
    _tell_left_out(session)


@main.command(epilog=_example("themescout export my-study --what suggestions --format xlsx --out suggestions.xlsx"))
@STUDY
@click.option("--what", type=click.Choice(["suggestions", "decisions", "coding"]), required=True, help="What to write.")
@click.option("--format", "format_", type=click.Choice(["csv", "xlsx", "jsonl", "parquet"]), default="csv", help="How.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@_loudness
def export(study: Path, *, what: str, format_: str, out: Path) -> None:
    """Write suggestions, decisions or present coding as a table."""
    from . import results

    session = _open(study)
    count = results.export(session, what, format_, out)
    _say(f"{count:,} rows of {what} written to {out}.")


@main.command(epilog=_example("themescout evaluate my-study --json evaluation.json"))
@STUDY
@click.option(
    "--from", "source", type=click.Choice(["codebook", "decisions"]), default="codebook",
    help="What may be learned from: the codebook alone (a new study), or also the coding of all other documents.",
)  # fmt: skip
@click.option("--transfer", is_flag=True, help="Learn from every site but one and test on that one.")
@click.option(
    "--json", "out", type=click.Path(path_type=Path, allow_dash=True), help="Write the figures to a file, or - ."
)
@_loudness
def evaluate(study: Path, *, source: Literal["codebook", "decisions"], transfer: bool, out: Path | None) -> None:
    """Tell how good the suggestions are on human coding, beside the baselines."""
    from . import evaluate as evaluating
    from . import results

    session = _open(study)
    with _Bars(hidden=str(out) == "-") as progress:
        made = results.evaluate(session, source=source, transfer=transfer, progress=progress)
    figures = evaluating.to_json(made)
    if str(out) == "-":
        _print_json(figures)
        return
    if out is not None:
        try:
            out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise Fault(str(out), f"cannot be written: {error.strerror}", "choose another file") from error
    if _loud():
        _print_figures(figures)


def _print_figures(figures: Mapping[str, Any]) -> None:
    protocol = figures["protocol"]
    learned = {"codebook": "the codebook alone", "decisions": "the codebook and the other coding"}[protocol["from"]]
    click.echo(
        f"{figures['segments']:,} segments ({figures['coded']:,} coded), {figures['themes']} themes, "
        f"{protocol['documents']:,} documents; learned from {learned}, never from the same {protocol['left_out']}."
    )
    names = ("hit@1", "hit@3", "recall@1", "recall@3", "recall@5", "mrr", "map", "coverage", "precision", "ece")
    rows = [[system, *(made[name] for name in names)] for system, made in figures["systems"].items()]
    _print_table(("system", *names), rows)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table with words to the left and numbers to the right; a figure that does not exist is a dash."""
    told = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *told, strict=True)]
    numeric = [bool(rows) and not any(isinstance(row[at], str) for row in rows) for at in range(len(columns))]
    for line in [list(columns), *told]:
        cells = zip(line, widths, numeric, strict=True)
        click.echo("  ".join(c.rjust(w) if right else c.ljust(w) for c, w, right in cells).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


@dataclass
class _Bars:
    """A progress bar per stage on standard error, with a rate and an end; none when that is not a terminal."""

    hidden: bool = False
    bars: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> "Progress":
        return self._show

    def __exit__(self, *_: object) -> None:
        for bar in self.bars.values():
            bar.close()

    def _show(self, stage: str, done: int, total: int) -> None:
        if self.hidden or not _loud() or not sys.stderr.isatty():
            return
        from tqdm import tqdm

        units = {"transcripts": "files", "embed": "texts", "rank": "transcripts"}
        bar = self.bars.get(stage)
        if bar is None:
            bar = self.bars[stage] = tqdm(total=total, desc=stage, unit=f" {units.get(stage, 'steps')}", leave=False)
        bar.update(done - bar.n)
        if done == total:
            self.bars.pop(stage).close()
