"""Tables: rows that are turns, or segments cut by somebody else -> drafts, one per site and document."""

import csv
import io
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from ..errors import Fault, TranscriptFault, all_named, named, raise_all
from ..records import Role
from ..sheets import LONGEST_CELL, misspelled
from .archive import check_archive, damaged
from .draft import Draft, Piece, compose, refuse
from .plain import decode
from .stamps import moment

COLUMNS = ("document", "segment", "speaker", "text", "site", "start", "end", "role")
_DELIMITERS = ",;\t"
Row = tuple[int, Sequence[str]]  # number in the file, counted from 1 with the header, and cells


def read_csv(data: bytes, place: str, _: tuple[str, ...]) -> list[Draft]:
    """Return the transcripts of a CSV table."""
    return drafts(csv_rows(data, place), place)


def read_xlsx(data: bytes, place: str, _: tuple[str, ...]) -> list[Draft]:
    """Return the transcripts of the first sheet of a workbook that has a ``text`` column."""
    return drafts(xlsx_rows(data, place), place)


def csv_rows(data: bytes, place: str) -> list[Row]:
    """Return the rows of a CSV file; the delimiter is the one that makes most of the header."""
    text = decode(data, place)
    delimiter = max(_DELIMITERS, key=lambda sign: _known(_first_row(text, sign)))
    rows: list[Row] = []
    try:
        # Strict: a quotation mark that is never closed would silently swallow the rest of the file.
        for cells in _reader(text, delimiter):
            rows.append((len(rows) + 1, cells))
    except csv.Error:
        problem = "the quotation marks in this row do not match, or a cell is too long"
        raise refuse(f"{place}:{len(rows) + 1}", problem, "double the marks inside quoted cells") from None
    return rows


def xlsx_rows(data: bytes, place: str) -> list[Row]:
    """Return the rows of the first sheet with a ``text`` header, or of the first sheet if none has one."""
    check_archive(data, place, ".xlsx")
    import openpyxl

    sheets = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which hold no talk
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # a wrong declared size would hide rows
                sheets.append(list(sheet.iter_rows(values_only=True)))
    except Exception:  # openpyxl raises many kinds on a hostile or damaged workbook; ours cannot occur here
        raise damaged(place, ".xlsx") from None
    tables: list[list[Row]] = [[(n, [_cell(c) for c in row]) for n, row in enumerate(rows, 1)] for rows in sheets]
    return next((rows for rows in tables if "text" in _header(rows)), tables[0] if tables else [])


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        return next((row for row in _reader(text, delimiter) if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return []


def _known(header: Sequence[str]) -> tuple[int, int]:
    return (len({cell.strip().lower() for cell in header} & set(COLUMNS)), len(header))


def _cell(value: object) -> str:
    """Return a cell as it is read on the sheet: ``12``, not ``12.0``; a duration as seconds."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}"
    if isinstance(value, time | datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # Word processors' line ends stay in a sheet as their escape.
    return "" if value is None else str(value).replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n")


def _header(rows: Iterable[Row]) -> list[str]:
    names = next((cells for _, cells in rows if any(cell.strip() for cell in cells)), [])
    return [name.strip().lower() for name in names]


def has_sites(rows: Iterable[Row]) -> bool:
    """Tell whether the rows say their sites themselves."""
    return "site" in _header(rows)


@dataclass(slots=True)
class _Table:
    """The drafts of a table in the making."""

    place: str
    columns: Mapping[str, int]
    pieces: dict[tuple[str, str | None], list[Piece]] = field(default_factory=dict)
    names: Counter[tuple[str, str | None, str]] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def add(self, number: int, cells: Sequence[str]) -> None:
        row = {name: cells[at].strip() if at < len(cells) else "" for name, at in self.columns.items()}
        if not row["text"] and not row.get("segment"):
            return
        key = (row.get("site", ""), row.get("document"))
        if key[1] == "":
            self.fault(number, "the `document` cell is empty", "fill it in")
        if "segment" in row:
            self._check_name((*key, row["segment"]), number)
        self.pieces.setdefault(key, []).append(
            Piece(
                speaker=row.get("speaker", ""),
                words=row["text"],
                line=number,
                began=self._moment(row, "start", number),
                ended=self._moment(row, "end", number),
                role=self._role(row.get("role", ""), number),
                segment=row.get("segment"),
            )
        )

    def _check_name(self, key: tuple[str, str | None, str], number: int) -> None:
        self.names[key] += 1
        if not key[2]:
            self.fault(number, "the `segment` cell is empty", "give every segment of a document a name of its own")
        elif self.names[key] > 1:
            inside = f" of document {named(key[1])}" if key[1] else ""
            self.fault(number, f"segment {named(key[2])}{inside} was there before", "give it a name of its own")

    def _moment(self, row: Mapping[str, str], name: str, number: int) -> float | None:
        if not (told := row.get(name, "")):
            return None
        if (value := moment(told)) is None:
            self.fault(number, f"the `{name}` cell is no time", "write seconds or hh:mm:ss")
        return value

    def _role(self, told: str, number: int) -> Role | None:
        if not told:
            return None
        try:
            return Role(told.lower())
        except ValueError:
            self.fault(number, "the `role` cell is none of the roles", f"write {', '.join(Role)}, or nothing")
            return None

    def fault(self, number: int, problem: str, remedy: str) -> None:
        """Note what is wrong in a row."""
        self.faults.append(TranscriptFault(f"{self.place}:{number}", problem, remedy))


def drafts(rows: Sequence[Row], place: str) -> list[Draft]:
    """Return a draft per site and document of a table, in order of first appearance; rows without text are skipped.

    Raises ``Faults`` with everything that is wrong in the table.
    """
    header = _header(rows)
    if not header:
        return []
    if "text" not in header:
        raise refuse(
            place, f"has no `text` column, only {all_named(header)}", "name the column with what was said `text`"
        )
    if twice := [name for name in COLUMNS if header.count(name) > 1]:
        raise refuse(place, f"has two columns called `{twice[0]}`", "rename one of them")
    raise_all(
        TranscriptFault(place, f"has an unknown column `{name}`", f"did you mean `{near}`? rename it")
        for name, near in misspelled(header, COLUMNS).items()
        if near not in header
    )
    table = _Table(place, {name: header.index(name) for name in COLUMNS if name in header})
    body = iter(rows)
    next(cells for _, cells in body if any(cell.strip() for cell in cells))
    width = max(at for at, name in enumerate(header) if name) + 1
    for number, cells in body:
        if any(cell.strip() for cell in cells[width:]):  # most likely talk with a comma, the end of which would be lost
            table.fault(number, "has more cells than there are columns", "quote cells that hold the delimiter")
        else:
            table.add(number, cells)
    raise_all(table.faults)
    return [compose(pieces, name=name, site=site or None) for (site, name), pieces in table.pieces.items()]
