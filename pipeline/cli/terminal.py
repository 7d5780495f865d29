"""What all commands share: faults told in one line, how loud to be, tables, progress bars, common options."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import Fault, Faults

if TYPE_CHECKING:
    from ..intake import Part, Progress, Session

DONE, FAULTY, QUARANTINED = 0, 1, 3  # 2 is click's: wrong usage


class Commands(click.Group):
    """The commands in the order of a study's life; faults end them with one line each instead of a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: D102  # click's own
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401, D102  # click's own
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
        try:
            return super().invoke(ctx)
        except Fault as fault:
            tell([fault])
        except Faults as faults:
            tell(flat(faults))
        raise click.exceptions.Exit(FAULTY)


def flat(group: BaseExceptionGroup[Any]) -> Iterator[Fault]:
    """Yield the faults of a group, however deep."""
    for member in group.exceptions:
        if isinstance(member, BaseExceptionGroup):
            yield from flat(member)
        else:
            yield member


def tell(faults: Sequence[Fault] | Iterator[Fault]) -> None:
    """Print each fault as one line on standard error."""
    for fault in faults:
        click.echo(" ".join(str(fault).split()), err=True)


ONCE = {"distill": "Making the static encoder, once on this machine; that takes a few minutes."}
STUDY = click.argument("study", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Answer as JSON on standard output.")


def loudness(command: Callable[..., Any]) -> Callable[..., Any]:
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


def loud() -> int:
    """Return 0 for quiet, 1, or 2 for verbose."""
    return int(click.get_current_context().meta.get("loudness", 1))


def say(line: str, *, at: int = 1) -> None:
    """Print a line unless the command was asked to be quieter than ``at``."""
    if loud() >= at:
        click.echo(line)


def open_study(study: Path) -> "Session":
    """Return the study opened for work; with -v say what it consists of. Raises ``Faults``."""
    from .. import intake

    with Bars() as progress:
        session = intake.open_session(study, progress)
    told = (f"study {session.study.file}", f"store {session.study.store}", f"encoder {session.located.fingerprint}")
    say(", ".join((*told, f"codebook {session.codebook.revision}")), at=2)
    return session


def example(line: str) -> str:
    """Return the last line of a command's help."""
    return f"Example: {line}"


def count(number: int, what: str) -> str:
    """Return a number with its thing: 1 segment, 2 segments."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def check_site(session: "Session", site: str | None) -> None:
    """Refuse a site that the study does not have, as wrong usage."""
    names = [known.name for known in session.study.site]
    if site is not None and site not in names:
        raise click.BadParameter(f"there is no site {site!r}; the study has {', '.join(names)}", param_hint="--site")


def check_part(session: "Session", part: "Part") -> None:
    """Refuse a site that the study does not have, or a transcript that no file can hold, as wrong usage."""
    check_site(session, part.site)
    if part.transcript is not None and not any(part.may_hold(file) for file in session.files.values()):
        told = f"no file is called {part.transcript}, and there is no table that may hold it"
        raise click.BadParameter(told, param_hint="--transcript")


def tell_left_out(session: "Session", part: "Part | None" = None) -> None:
    """List what is set aside; if there are transcripts among it, that is the command's exit status."""
    from ..intake import ALL, left_out

    aside = left_out(session, part or ALL)
    for line in aside.sites:
        click.echo(f"note: {line}", err=True)
    for line in aside.files:
        click.echo(f"quarantined: {line}", err=True)
    if aside.files:
        raise click.exceptions.Exit(QUARANTINED)


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def print_json_line(value: object) -> None:
    """Print a value as JSON in one line: several make a stream that a program can read as it comes."""
    click.echo(json.dumps(value, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
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
class Bars:
    """A progress bar per stage on standard error, with a rate and an end; none when that is not a terminal."""

    hidden: bool = False
    bars: dict[str, Any] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)

    def __enter__(self) -> "Progress":
        return self._show

    def __exit__(self, *_: object) -> None:
        for bar in self.bars.values():
            bar.close()

    def _show(self, stage: str, done: int, total: int) -> None:
        if self.hidden or not loud():
            return
        if stage in ONCE and stage not in self.begun:
            click.echo(ONCE[stage], err=True)
            self.begun.add(stage)
        if not sys.stderr.isatty():
            return
        from tqdm import tqdm

        units = {
            "transcripts": "files",
            "embed": "texts",
            "rank": "transcripts",
            "distill": "words",
            "adapt": "steps",
            "learn": "steps",
        }
        bar = self.bars.get(stage)
        if bar is None:
            bar = self.bars[stage] = tqdm(total=total, desc=stage, unit=f" {units.get(stage, 'steps')}", leave=False)
        bar.update(done - bar.n)
        if done == total:
            self.bars.pop(stage).close()
