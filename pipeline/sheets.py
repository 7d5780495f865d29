"""CSV and XLSX files <-> rows of cells, with the line each row stands on.

Reading gives text cells under folded headings; writing gives files that Excel, R and Python all open, and that
replace an older file only when they are complete.
"""

import csv
import difflib
import io
import math
import os
import re
import secrets
import stat
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from .decoding import NoText, decode
from .errors import Fault, Faults, named, raise_all

Cell = str | int | float | bool | datetime | None

XLSX_CELL = 32_767  # UTF-16 units Excel keeps in a cell; openpyxl would cut longer texts without a word
XLSX_ROWS = 1_048_576
LONGEST_CELL = 10_000_000  # characters in a cell of a CSV file; a transcript may be one cell
# What XML 1.0 cannot hold. Those that separate words become a space, so that no two words are glued together.
_SEPARATING = re.compile("[\x0b\x0c\x1c-\x1f]")
_ILLEGAL = re.compile("[\x00-\x08\x0e-\x1b\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file (1-based; the first one of a row over several lines) and its cells by heading."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text: folded headings, and every row that is not blank."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def folded(text: str) -> str:
    """Return ``text`` without what people do not see as a difference: case, spacing, Unicode composition.

    >>> folded("  Fear of\\nStigma ")
    'fear of stigma'
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def words(text: str) -> str:
    """Return the words of ``text`` with one space between them, without characters that a workbook cannot hold."""
    return " ".join(_ILLEGAL.sub("", text).split())


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the known word most like ``word``, or ``""`` if none is like it."""
    spelled = {folded(name): name for name in known}
    near = difflib.get_close_matches(folded(word), spelled, n=1, cutoff=cutoff)
    return spelled[near[0]] if near else ""


def misspelled(columns: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Return the unknown columns that look like a known one, each with that one.

    Other unknown columns are other people's business, and so are ids: ``theme_id`` is not a misspelled ``theme``.
    """
    unknown = [name for name in columns if name not in known and not name.endswith("_id")]
    return {name: near for name in unknown if (near := nearest(name, known, cutoff=0.8))}


def read_sheet(path: Path, fault: type[Fault] = Fault) -> Sheet:
    """Return the table in a CSV file (comma, semicolon or tab) or in the first sheet of an XLSX workbook.

    Headings are folded (``Coded at`` is ``coded_at``), cells trimmed, line ends ``\\n``; columns without heading and
    blank rows are left out. Raises ``Faults`` of ``fault`` for what is missing, damaged or no table.
    """
    look_at(path, fault)
    readers = {".csv": _csv_lines, ".tsv": _csv_lines, ".xlsx": _xlsx_lines}
    if (reader := readers.get(path.suffix.lower())) is None:
        raise Faults([fault(str(path), f"`{path.suffix}` is not a known kind of table", "save it as .csv or .xlsx")])
    lines = [(line, cells) for line, cells in reader(path, fault) if any(cells)]
    if not lines:
        raise Faults([fault(str(path), "the table is empty", "its first row must hold the column names")])
    columns = [re.sub(r"[\s_-]+", "_", folded(cell)) for cell in lines[0][1]]
    faults = [
        fault(f"{path}:{lines[0][0]}", f"two columns are called {named(name)}", "rename or delete one of them")
        for name in sorted({name for name in columns if name and columns.count(name) > 1})
    ]
    remedy = "put quotation marks around a cell that holds the separator, or name the extra column"
    for line, cells in lines[1:]:
        if any(cells[len(columns) :]):
            faults.append(fault(f"{path}:{line}", "the row has more cells than there are columns", remedy))
    raise_all(faults)
    rows = (Row(line, _by_heading(columns, cells)) for line, cells in lines[1:])
    return Sheet(tuple(name for name in columns if name), tuple(row for row in rows if any(row.cells.values())))


def look_at(path: Path, fault: type[Fault] = Fault) -> None:
    """Raise ``Faults`` if there is no such file, or what is there is none: a folder, or a pipe that may never end."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error, fault) from error
    if not stat.S_ISREG(mode):
        what = "is a folder" if stat.S_ISDIR(mode) else "is not a regular file"
        raise Faults([fault(str(path), f"cannot be read: {what}", "give the path of a file")])


def _unreadable(path: Path, error: OSError, fault: type[Fault]) -> Faults:
    why = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
    return Faults([fault(str(path), why, "check the path and the permissions")])


def _by_heading(columns: list[str], cells: list[str]) -> dict[str, str]:
    filled = cells + [""] * (len(columns) - len(cells))
    return {name: cell for name, cell in zip(columns, filled, strict=False) if name}


def read_text(path: Path, fault: type[Fault] = Fault) -> str:
    """Return the text of a file, whatever its encoding. Raises ``Faults`` if it cannot be read or is no text."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error, fault) from error
    except NoText as error:
        raise Faults([fault(str(path), str(error), "check the file, or save it again as UTF-8")]) from None


def _csv_lines(path: Path, fault: type[Fault]) -> Iterator[tuple[int, list[str]]]:
    text = read_text(path, fault)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    begun = 1
    try:
        for cells in reader:
            yield begun, [tidy(cell) for cell in cells]
            begun = reader.line_num + 1
    except csv.Error as error:
        remedy = "see whether a quotation mark is left open there or stands alone inside a cell"
        raise Faults([fault(f"{path}:{begun}", f"is not CSV: {error}", remedy)]) from error


def delimiter_of(text: str) -> str:
    """Return the separator that cuts the first line into most cells."""
    first = re.sub(r'"[^"]*"', "", text.lstrip()).split("\n", 1)[0]
    return max(",;\t", key=first.count)


def tidy(cell: str) -> str:
    """Return a cell without spaces around it, and with plain line ends."""
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip()


def _xlsx_lines(path: Path, fault: type[Fault]) -> Iterator[tuple[int, list[str]]]:
    import openpyxl

    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it will not keep; we only read
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
            lines = [[cell_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
            book.close()
    except OSError as error:
        raise _unreadable(path, error, fault) from error
    except Exception as error:  # openpyxl lets through whatever zip, XML and its own parsers raise on damaged bytes
        problem = "is not an Excel workbook, is damaged, or is protected by a password"
        raise Faults([fault(str(path), problem, "open it in Excel and save it as .xlsx or .csv")]) from error
    yield from enumerate(lines, 1)


def cell_text(value: object) -> str:
    """Return a cell's value as text that reads the same in CSV."""
    if isinstance(value, str):
        return tidy(value.replace("_x000D_\n", "\n"))  # how Excel stores CR LF inside a cell
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def settled(cell: Cell) -> Cell:
    """Return the cell as it is exported: no number that is none, and no time without an offset (taken as UTC)."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if isinstance(cell, datetime) and cell.tzinfo is None:
        return cell.replace(tzinfo=UTC)
    return cell


def plain(cell: Cell) -> str:
    """Return the cell as text: nothing for None, ISO 8601 with offset for times, ``true`` and ``false``.

    >>> [plain(cell) for cell in (None, True, 3, 0.25, float("nan"), "=1+1")]
    ['', 'true', '3', '0.25', '', '=1+1']
    """
    cell = settled(cell)
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return repr(float(cell))  # the shortest number that reads back as exactly this one
    if isinstance(cell, datetime):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a CSV file, RFC 4180.

    With a byte order mark, without which Excel reads UTF-8 as a Western code page, and with CRLF, as the RFC says;
    pandas, polars, readr and DuckDB read both. Texts are never altered: a leading ``=`` stays what the participant
    said, because a changed text could not be found again on import. Where a spreadsheet might run it, export XLSX.
    """
    with replacing(path) as part, part.open("x", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([plain(cell) for cell in row] for row in rows)


def write_xlsx(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a workbook of one sheet; every text is stored as text, never as a formula, error or link.

    Control characters that a workbook cannot hold are left out. Raises ``Faults`` if a text or the table is larger
    than Excel can hold.
    """
    from openpyxl import Workbook

    table: list[Sequence[Cell]] = [columns, *rows]  # taken in before openpyxl opens its own temporary files
    raise_all(_too_large(str(path), columns, table))
    book, made = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("themescout")
    sheet.freeze_panes = "A2"
    for row in table:
        sheet.append([_xlsx_cell(sheet, settled(cell)) for cell in row])
    book.save(made)  # not to the file: openpyxl leaves a mess, and says so, when a disk is full
    with replacing(path) as part, part.open("xb") as file:
        file.write(made.getbuffer())


def _too_large(place: str, columns: Sequence[str], table: Sequence[Sequence[Cell]]) -> Iterator[Fault]:
    remedy = "export as csv, jsonl or parquet"
    if len(table) > XLSX_ROWS:
        yield Fault(place, f"{len(table):,} rows are more than the {XLSX_ROWS:,} Excel can hold", remedy)
    for line, row in enumerate(table, 1):
        for name, cell in zip(columns, row, strict=True):
            if isinstance(cell, str) and len(cell) * 2 > XLSX_CELL and _utf16(cell) > XLSX_CELL:
                problem = f"the text in `{name}` is longer than the {XLSX_CELL:,} characters Excel can hold"
                yield Fault(f"{place}:{line}", problem, remedy)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _xlsx_cell(sheet: Any, cell: Cell) -> Any:  # noqa: ANN401  # openpyxl's own untyped sheet and cell
    from openpyxl.cell import WriteOnlyCell

    if isinstance(cell, datetime):
        cell = cell.isoformat()  # a workbook's dates have no offset
    if not isinstance(cell, str):
        return cell
    made = WriteOnlyCell(sheet)
    put_text(made, cell)
    return made


def put_text(cell: Any, text: str) -> None:  # noqa: ANN401  # openpyxl's own untyped cell
    """Give a cell of a workbook a text, which stays one whatever it looks like."""
    cell.value = _ILLEGAL.sub("", _SEPARATING.sub(" ", text)) if text else None
    if text:
        cell.data_type = "s"  # after the value, which would make a formula of "=..." and an error of "#N/A"
    if text.startswith(("=", "+", "-", "@")):
        cell.quotePrefix = True  # text it stays when a person edits the cell


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a file to write, which takes the place of ``path`` at the end, and only if all went well.

    A link stays one: the file it leads to is replaced. Raises ``Faults`` with one ``Fault`` if the folder is missing,
    nothing can be written there, or what is there is no file that may be changed.
    """
    try:
        target = _replaceable(path)
        # Beside it: a rename is atomic only within one disk.
        part = target.with_name(f".{secrets.token_hex(8)}.part{target.suffix}")
        try:
            yield part
            part.replace(target)
        finally:
            with suppress(OSError):  # no such folder: then there is nothing to clear away either
                part.unlink(missing_ok=True)
    except OSError as error:
        remedy = "choose an existing folder you may write to, and close the file in other programs"
        raise Faults([Fault(str(path), f"cannot be written: {error.strerror or error}", remedy)]) from error
    except UnicodeEncodeError as error:
        problem = "a text holds half of a character (a lone surrogate), which no file can hold"
        raise Faults([Fault(str(path), problem, "mend that transcript or codebook and read it again")]) from error


def _replaceable(path: Path) -> Path:
    """Return ``path``, or the file it links to. A rename would replace devices, links and write-protected files too."""
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except OSError:  # nothing is there yet; what else may be wrong shows when it is written
        if path.is_symlink():
            raise Faults([Fault(str(path), "cannot be written: is a link to no file", "choose another name")]) from None
        return target
    if not stat.S_ISREG(mode):
        raise Faults([Fault(str(path), "cannot be written: is not a regular file", "choose another name")])
    if not os.access(target, os.W_OK):
        problem = "cannot be written: the file there is protected against writing"
        raise Faults([Fault(str(path), problem, "choose another name, or ask for the right to write to it")])
    return target
