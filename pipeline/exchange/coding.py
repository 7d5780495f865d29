"""Tables of human coding -> codings of segments, and back without loss.

A row says where (site, document, segment, start, end, text), who (coder), what (codes) and when (coded_at). A code is
never attached to other words than the coder's: what cannot be placed with certainty becomes a fault.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import CodingFault, all_named, named, raise_all
from ..records import Coding, Segment, Transcript, TranscriptId
from ..sheets import Cell, Row, misspelled, read_sheet

COLUMNS = ("site", "document", "segment", "coder", "codes", "coded_at", "start", "end", "text")
_MOST_DIGITS = 18  # of an offset
NEEDED = ("document", "segment", "coder", "codes", "coded_at")


@dataclass(frozen=True, kw_only=True, slots=True)
class CodedRow:
    """One row of a table of human coding, not yet placed; without codes the passage was read and nothing coded."""

    line: int
    site: str
    document: str
    segment: str
    coder: str
    codes: tuple[str, ...]
    coded_at: datetime | None  # with offset
    start: int | None
    end: int | None
    text: str


def read_coding(path: Path) -> list[CodedRow]:
    """Return the rows of a CSV or XLSX table with at least the columns ``NEEDED``; a repeated row counts once.

    Times without an offset are taken as UTC. Raises ``Faults`` with one ``CodingFault`` for everything that is wrong.
    """
    sheet = read_sheet(path, CodingFault)
    raise_all(column_faults(str(path), sheet.columns, NEEDED, COLUMNS))
    faults: list[CodingFault] = []
    rows = [coded_row(f"{path}:{row.line}", row, faults) for row in sheet.rows]
    kept = _once(str(path), rows, faults)
    raise_all(faults)
    return kept


def column_faults(place: str, columns: Sequence[str], needed: Sequence[str], known: Sequence[str]) -> list[CodingFault]:
    """Return a fault for every needed column that is missing, and for every one that looks like a misspelt one."""
    found = all_named(columns)
    missing = [name for name in needed if name not in columns]
    typos = misspelled(columns, known)
    faults = []
    for name in missing:
        near = next((typo for typo, meant in typos.items() if meant == name), "")
        remedy = f"rename {named(near)}?" if near else f"add it; the columns are {', '.join(needed)}"
        faults.append(CodingFault(place, f"there is no column `{name}` among {found}", remedy))
    for typo, meant in typos.items():
        if meant not in missing:
            remedy = f"did you mean `{meant}`? otherwise give it a name less like that"
            faults.append(CodingFault(place, f"unknown column {named(typo)}", remedy))
    return faults


def coded_row(place: str, row: Row, faults: list[CodingFault]) -> CodedRow:
    """Return a row as it stands in the table; what is wrong with it goes to ``faults``."""
    cells = {name: row.cells.get(name, "") for name in COLUMNS}
    for name in ("document", "coder"):
        if not cells[name]:
            faults.append(CodingFault(place, f"`{name}` is empty", f"write the {name}'s name in the row"))
    start, end = (_offset(place, name, cells[name], faults) for name in ("start", "end"))
    if bool(cells["start"]) != bool(cells["end"]):
        faults.append(CodingFault(place, "only one of `start` and `end` is given", "give both or neither"))
    elif start is not None and end is not None and end <= start:
        faults.append(CodingFault(place, f"`end` {end} is not after `start` {start}", "correct the offsets"))
    if not (cells["segment"] or cells["start"] or cells["text"]):
        faults.append(CodingFault(place, "nothing says which passage is meant", "give `segment`, or `start` and `end`"))
    return CodedRow(
        line=row.line,
        site=cells["site"],
        document=cells["document"],
        segment=cells["segment"],
        coder=cells["coder"],
        codes=tuple(dict.fromkeys(code for part in cells["codes"].split(";") if (code := " ".join(part.split())))),
        coded_at=_moment(place, cells["coded_at"], faults),
        start=start,
        end=end,
        text=cells["text"],
    )


def _offset(place: str, name: str, told: str, faults: list[CodingFault]) -> int | None:
    if not told:
        return None
    if told.isascii() and told.isdigit():
        if len(told) <= _MOST_DIGITS:
            return int(told)
        faults.append(CodingFault(place, f"`{name}` is longer than any transcript", "count the characters from 0"))
        return None
    faults.append(CodingFault(place, f"`{name}` is not a whole number", "count the characters from 0"))
    return None


def _moment(place: str, told: str, faults: list[CodingFault]) -> datetime | None:
    if not told:
        return None
    try:
        moment = datetime.fromisoformat(told)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 is before all time in UTC
        remedy = "write it like 2026-01-31 14:05 or 2026-01-31T14:05:00+01:00"
        faults.append(CodingFault(place, "`coded_at` is not a date", remedy))
        return None
    return moment


def _once(path: str, rows: Sequence[CodedRow], faults: list[CodingFault]) -> list[CodedRow]:
    """Keep the first of rows that say the same; those that contradict each other become faults."""
    first: dict[tuple[object, ...], CodedRow] = {}
    for row in rows:
        key: tuple[object, ...] = (row.site, row.document, row.segment, row.coder, row.start, row.end)
        if not row.segment and row.start is None:
            key = (*key, row.line)  # whether such rows mean the same passage shows only when they are placed
        earlier = first.setdefault(key, row)
        if set(earlier.codes) != set(row.codes):
            faults.append(contradiction(f"{path}:{row.line}", row.coder, earlier.line))
    return list(first.values())


def contradiction(place: str, coder: str, line: int) -> CodingFault:
    """Return the fault of a row that says something else than the one in ``line`` of the same passage and coder."""
    problem = f"coder `{coder}` coded this passage otherwise in line {line}"
    return CodingFault(place, problem, "keep one row per passage and coder, its codes joined by `;`")


def coding_rows(
    codings: Iterable[Coding], segments: Iterable[Segment], transcripts: Mapping[TranscriptId, Transcript]
) -> Iterator[tuple[Cell, ...]]:
    """Yield one row of ``COLUMNS`` per coding, in the order they are given.

    Reading and placing the written table gives the same segments, coders, themes and times. What a coder turned down
    is no coding and is not in it: that is in the decisions.
    """
    by_id = {segment.id: segment for segment in segments}
    for coding in codings:
        segment = by_id[coding.segment]
        transcript = transcripts[segment.transcript]
        who = (coding.coder, ";".join(coding.themes), coding.coded_at)
        yield (transcript.site, transcript.name, segment.name, *who, segment.start, segment.end, segment.text)
