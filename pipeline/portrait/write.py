"""What is told of a site -> two files: a page, and everything as JSON."""

import json
import re
from pathlib import Path

from ..config import Study
from ..errors import Fault
from ..intake import Session
from ..records import digest
from ..report.arrived import Arrived
from ..report.site import as_json, site_page
from ..results import among_transcripts
from ..sheets import replacing

LONGEST = 60  # characters of a file's name


def folder_of(study: Study) -> Path:
    """Return where reports of sites go unless something else is asked for."""
    return study.folder / "reports"


def files_of(study: Study, site: str, out: Path) -> tuple[Path, Path]:
    """Return the page and the JSON of a site's report in a folder: named after the site, no two sites alike.

    Raises ``Fault`` if what is written there would be taken for transcripts of the study.
    """
    page = out / f"{_stem(study, site)}.html"
    if among_transcripts(study, page):
        raise Fault(str(out), "is a folder of the study's transcripts", "choose another one with --out")
    return page, page.with_suffix(".json")


def _stem(study: Study, site: str) -> str:
    """Return a site's name as every file system takes it, with something added where another site's is the same."""
    plain = {one.name: re.sub(r"[^\w-]+", "-", one.name).strip("-_")[:LONGEST] for one in study.site}
    alike = [name for name, stem in plain.items() if stem.casefold() == plain[site].casefold()]
    alone = plain[site] and len(alike) == 1
    return plain[site] if alone else f"{plain[site] or 'site'}-{digest('site', site)[:6]}"


def write(session: Session, found: Arrived, out: Path) -> tuple[Path, Path]:
    """Write the report into a folder, which is made if need be; return the page and the JSON.

    Each file appears, or replaces an older one, only when it is complete. Raises ``Fault`` if the folder cannot be
    written to.
    """
    page, figures = files_of(session.study, found.site, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(str(out), f"cannot be made: {error.strerror}", "choose another folder with --out") from error
    _text(page, site_page(found))
    _text(figures, json.dumps(as_json(found), ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    return page, figures


def _text(path: Path, text: str) -> None:
    with replacing(path) as part, part.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
