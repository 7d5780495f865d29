"""What came in from a site: report."""

from pathlib import Path

import click

from .terminal import STUDY, check_site, count, example, loudness, open_study, print_json, say


@click.command(epilog=example("themescout report my-study --site Kampala --out reports"))
@STUDY
@click.option("--site", required=True, help="The site that the report is about.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to.  [default: reports beside study.toml]",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with everything as JSON, too, on standard output.")
@loudness
def report(study: Path, *, site: str, out: Path | None, as_json: bool) -> None:
    """Tell what came in from a site beside the others: suggestions, distance, words, what fits nothing, the work ahead.

    Writes one page with figures and everything as JSON, both named after the site.
    """
    from .. import portrait
    from ..report.site import as_json as plain

    session = open_study(study)
    check_site(session, site)
    out = out or portrait.folder_of(session.study)
    portrait.files_of(session.study, site, out)
    found = portrait.portrait(session, site)
    page, figures = portrait.write(session, found, out)
    if as_json:
        print_json(plain(found))
        return
    parts = (count(len(found.documents), "transcript"), count(found.segments, "segment"), count(found.words, "word"))
    say(f"{site}: {', '.join(parts)}; {count(found.workload.decisions, 'decision')} to go.")
    say(f"Open {page}; beside it {figures.name} with the figures.")
