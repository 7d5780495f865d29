"""Tables of gold coding: what is proposed for adjudication, and what was adjudicated.

In a row, `themes` are those that are right, `uncertain` those on which people stay split, and `adjudicated` says who
settled it: a row in which that is empty is not settled yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import CodingFault, named, raise_all
from ..records import Segment, SegmentId, Transcript, TranscriptId
from ..sheets import Row, folded, read_sheet
from .coding import CodedRow, coded_row, column_faults
from .placing import place_coding

COLUMNS = (
    *("site", "document", "segment", "start", "end", "text", "themes", "uncertain", "adjudicated"),
    *("said", "proposed_for"),  # what coders said, and which priority themes it is proposed for: for people to read
)
NEEDED = ("document", "segment", "themes", "adjudicated")


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldRow:
    """One row of a table of gold coding, not yet placed."""

    coded: CodedRow  # its codes are the themes and the uncertain ones; its coder is the line, which is unique
    uncertain: frozenset[str]  # folded
    adjudicated: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedGold:
    """The gold coding of a segment that the study has."""

    segment: SegmentId
    themes: frozenset[str]  # spelled as in the codebook
    uncertain: frozenset[str]
    adjudicated: str


def read_gold(path: Path) -> tuple[list[GoldRow], int]:
    """Return the rows of a CSV or XLSX table that are adjudicated, and how many are not yet.

    Raises ``Faults`` with one ``CodingFault`` for everything that is wrong.
    """
    sheet = read_sheet(path, CodingFault)
    raise_all(column_faults(str(path), sheet.columns, NEEDED, COLUMNS))
    faults: list[CodingFault] = []
    settled = [row for row in sheet.rows if row.cells["adjudicated"]]
    rows = [_gold_row(f"{path}:{row.line}", row, faults) for row in settled]
    raise_all(faults)
    return rows, len(sheet.rows) - len(settled)


def _gold_row(place: str, row: Row, faults: list[CodingFault]) -> GoldRow:
    uncertain = row.cells.get("uncertain", "")
    cells = dict(row.cells) | {"coder": str(row.line), "coded_at": ""}
    cells["codes"] = f"{row.cells['themes']};{uncertain}"
    return GoldRow(
        coded=coded_row(place, Row(row.line, cells), faults),
        uncertain=frozenset(folded(theme) for theme in uncertain.split(";") if theme.strip()),
        adjudicated=row.cells["adjudicated"],
    )


def place_gold(
    rows: Sequence[GoldRow],
    transcripts: Mapping[TranscriptId, Transcript],
    segments: Sequence[Segment],
    themes: Sequence[str],
    *,
    place: str,
) -> list[PlacedGold]:
    """Return each row's segment and themes. Raises ``Faults`` if any row does not fit: gold is not half imported."""
    placed = place_coding([row.coded for row in rows], transcripts, segments, themes, place=place)
    known = {segment.id for segment in segments}
    of_line = {str(row.coded.line): row for row in rows}
    faults = list(placed.faults)
    lines: dict[SegmentId, str] = {}
    gold = []
    for coding in placed.codings:
        segment, line = coding.segment, coding.coder
        if segment.id not in known:
            remedy = "name a segment as the exports do: only these can be shown to coders"
            faults.append(CodingFault(f"{place}:{line}", "the passage is no segment of the study", remedy))
        if (first := lines.setdefault(segment.id, line)) != line:
            problem = f"the segment {named(segment.name)} is in line {first} already"
            faults.append(CodingFault(f"{place}:{line}", problem, "keep one row per segment"))
        split = frozenset(theme for theme in coding.themes if folded(theme) in of_line[line].uncertain)
        gold.append(
            PlacedGold(
                segment=segment.id,
                themes=frozenset(coding.themes) - split,
                uncertain=split,
                adjudicated=of_line[line].adjudicated,
            )
        )
    raise_all(sorted(faults, key=lambda fault: int(fault.place.rpartition(":")[2])))
    return gold


def joined(themes: Iterable[str]) -> str:
    """Return themes as one cell of a table."""
    return ";".join(themes)
