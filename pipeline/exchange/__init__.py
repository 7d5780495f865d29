"""Records <-> tables of other programs.

tables    rows -> csv, xlsx, jsonl, parquet
decided   suggestions and decisions -> rows
memos     memos -> rows
coding    tables of human coding -> rows of codes, and codings -> such tables
placing   rows of codes -> the segments they mean
gold      tables of gold coding
"""

from .coding import COLUMNS as CODING_COLUMNS
from .coding import CodedRow, coding_rows, read_coding
from .decided import (
    DECISION_COLUMNS,
    SUGGESTION_COLUMNS,
    TRAIL_COLUMNS,
    Provenance,
    decision_rows,
    suggestion_rows,
    trail_rows,
)
from .gold import COLUMNS as GOLD_COLUMNS
from .gold import GoldRow, PlacedGold, joined, place_gold, read_gold
from .memos import COLUMNS as MEMO_COLUMNS
from .memos import memo_rows
from .placing import Placed, PlacedCoding, place_coding
from .tables import FORMATS, Cell, write_table

__all__ = [
    "CODING_COLUMNS",
    "DECISION_COLUMNS",
    "FORMATS",
    "GOLD_COLUMNS",
    "MEMO_COLUMNS",
    "SUGGESTION_COLUMNS",
    "TRAIL_COLUMNS",
    "Cell",
    "CodedRow",
    "GoldRow",
    "Placed",
    "PlacedCoding",
    "PlacedGold",
    "Provenance",
    "coding_rows",
    "decision_rows",
    "joined",
    "memo_rows",
    "place_coding",
    "place_gold",
    "read_coding",
    "read_gold",
    "suggestion_rows",
    "trail_rows",
    "write_table",
]
