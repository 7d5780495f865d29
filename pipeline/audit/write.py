"""What an audit found -> files in a folder: report.html, report.json, tables as CSV."""

import json
from pathlib import Path

from ..errors import Fault
from ..exchange import write_table
from ..intake import Session
from ..report import Audited, as_json, audit_page, tables
from ..results import among_transcripts
from ..sheets import replacing


def check_folder(session: Session, out: Path) -> None:
    """Raise ``Fault`` if what is written to this folder would be taken for transcripts of the study."""
    if among_transcripts(session.study, out / "coders.csv"):
        raise Fault(str(out), "is a folder of the study's transcripts", "choose another one with --out")


def write(found: Audited, out: Path) -> list[Path]:
    """Write the report into a folder, which is made if need be; return its files.

    Each file appears, or replaces an older one, only when it is complete. Raises ``Fault`` or ``Faults`` if the
    folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(str(out), f"cannot be made: {error.strerror}", "choose another folder with --out") from error
    told = json.dumps(as_json(found), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    written = [_text(out / "report.html", audit_page(found)), _text(out / "report.json", told)]
    for name, columns, rows in tables(found):
        write_table(out / f"{name}.csv", columns, rows, format="csv")
        written.append(out / f"{name}.csv")
    return written


def _text(path: Path, text: str) -> Path:
    with replacing(path) as part, part.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path
