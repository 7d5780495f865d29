"""Records <-> tables of other programs.

tables    rows -> csv, xlsx, jsonl, parquet
decided   suggestions and decisions -> rows
coding    tables of human coding -> rows of codes, and codings -> such tables
placing   rows of codes -> the segments they mean
"""

from .coding import COLUMNS as CODING_COLUMNS
from .coding import CodedRow, coding_rows, read_coding
from .decided import DECISION_COLUMNS, SUGGESTION_COLUMNS, Provenance, decision_rows, suggestion_rows
from .placing import Placed, PlacedCoding, place_coding
from .tables import FORMATS, Cell, write_table

__all__ = [
    "CODING_COLUMNS",
    "DECISION_COLUMNS",
    "FORMATS",
    "SUGGESTION_COLUMNS",
    "Cell",
    "CodedRow",
    "Placed",
    "PlacedCoding",
    "Provenance",
    "coding_rows",
    "decision_rows",
    "place_coding",
    "read_coding",
    "suggestion_rows",
    "write_table",
]
