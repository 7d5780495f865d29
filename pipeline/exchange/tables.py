"""Rows of cells -> csv, xlsx, jsonl and parquet files."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import Fault, Faults
from ..sheets import Cell, nearest, replacing, settled, write_csv, write_xlsx

__all__ = ["FORMATS", "Cell", "write_table"]

# The columns that are no texts. They are told here and not found from the cells, so that two exports have the same
# types even when a column of one of them is empty.
_TYPES = {
    **dict.fromkeys(("start", "end", "rank", "near_accepted", "near_rejected", "number", "versions"), "int64"),
    **dict.fromkeys(("score", "probability", "runner_up_probability", "seconds", "chance"), "float64"),
    **dict.fromkeys(("suggested", "shown", "again"), "bool"),
    **dict.fromkeys(("coded_at", "decided_at", "written_at"), "timestamp"),
}


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, format: str) -> None:  # noqa: A002  # the option's name
    """Write the rows as one of ``FORMATS``; the file appears, or replaces an older one, only when it is complete.

    Times are ISO 8601 with offset (in parquet: instants in UTC), truth values ``true`` and ``false``, None an empty
    cell (in jsonl ``null``). Raises ``Faults`` if the format is unknown, the folder cannot be written to, or Excel
    cannot hold the table.
    """
    if (writer := _WRITERS.get(format)) is None:
        near = nearest(format, FORMATS)
        remedy = f"did you mean `{near}`?" if near else f"formats are {', '.join(FORMATS)}"
        raise Faults([Fault(str(path), f"unknown format `{format}`", remedy)])
    writer(path, columns, rows)


def _write_jsonl(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    with replacing(path) as part, part.open("x", encoding="utf-8", newline="\n") as file:
        for row in rows:
            values = {name: _json(settled(cell)) for name, cell in zip(columns, row, strict=True)}
            file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _json(cell: Cell) -> Cell:
    return cell.isoformat() if isinstance(cell, datetime) else cell


def _write_parquet(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types: dict[str, Any] = {
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    cells: list[list[Cell]] = [[] for _ in columns]
    for row in rows:
        for column, cell in zip(cells, row, strict=True):
            column.append(settled(cell))
    arrays = [
        pa.array(column, type=types.get(_TYPES.get(name, ""), pa.string()))
        for name, column in zip(columns, cells, strict=True)
    ]
    with replacing(path) as part:
        pq.write_table(pa.table(arrays, names=list(columns)), part)


_WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[Sequence[Cell]]], None]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}
FORMATS = tuple(_WRITERS)
