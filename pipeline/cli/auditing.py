"""What can be said of the coders' work: audit."""

from datetime import datetime
from pathlib import Path

import click

from .terminal import STUDY, count, example, loudness, open_study, print_json, say


class Moment(click.ParamType[datetime]):
    """A day or a moment: 2026-03-31, 2026-03-31T18:00, 2026-03-31T18:00+02:00."""

    name = "when"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment; of a day its end, without an offset in UTC."""
        from ..audit import moment_of

        try:
            return moment_of(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day or moment like 2026-03-31 or 2026-03-31T18:00+02:00", param, ctx)


@click.command(epilog=example("themescout audit my-study --out audit --as-of 2026-03-31 --pseudonyms"))
@STUDY
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to.  [default: audit beside study.toml]",
)
@click.option("--as-of", type=Moment(), help="Leave out what was decided later: an old audit comes out the same.")
@click.option("--pseudonyms", is_flag=True, help="Call people Coder A, Coder B and so on, everywhere.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of whatever is drawn at random."
)
@click.option(
    "--verify", is_flag=True, help="Make no report: tell whether the audit trail is whole (exit status 1: not)."
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="With --verify: report.json of an earlier audit, so that decisions cut off at the end show too.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with everything as JSON, too, on standard output.")
@loudness
def audit(
    study: Path,
    *,
    out: Path | None,
    as_of: datetime | None,
    pseudonyms: bool,
    seed: int,
    verify: bool,
    against: Path | None,
    as_json: bool,
) -> None:
    """Tell how far coders agree, who changed, and what suggestions do: a report to open, everything as JSON, tables.

    With --verify it tells instead whether anybody altered, removed or inserted a decision behind the program's back.
    """
    from .. import audit as auditing
    from .. import report

    if verify or against:
        _verify(study, against=against, verify=verify, as_json=as_json)
        return
    session = open_study(study)
    out = out or session.study.folder / "audit"
    auditing.check_folder(session, out)
    found = auditing.audit(session, auditing.Asked(as_of=as_of, pseudonyms=pseudonyms, seed=seed))
    written = auditing.write(found, out)
    if as_json:
        print_json(report.as_json(found))
        return
    agreed = found.reliability.everything
    say(
        f"{count(len(found.coders), 'coder')}, {count(agreed.counts.units, 'segment')} read by two or more; "
        f"{count(len(found.signals), 'signal')} to talk about: no ratings of people."
    )
    say(f"Open {written[0]}; beside it {count(len(written) - 1, 'file')} with the figures.")


def _verify(study: Path, *, against: Path | None, verify: bool, as_json: bool) -> None:
    from .. import audit as auditing
    from ..config import load_study

    if not verify:
        raise click.UsageError("--against goes with --verify")
    settings = load_study(study)
    known = auditing.head_of(against) if against else None
    head = auditing.verified(settings.store_url, str(settings.file), known)
    if as_json:
        print_json({"whole": True, "count": head.count, "hash": head.hash})
        return
    say(f"The trail is whole: {count(head.count, 'decision')}, the last with the hash {head.hash}.")
    if known is None:
        say("Decisions cut off at the end show only beside an earlier report: --against report.json.")
