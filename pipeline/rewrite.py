"""A codebook file and the next codebook -> the file's next content, with everything else left as it is.

What was not changed keeps its bytes (csv), its look (xlsx) or its comments and layout (yaml, toml), also columns and
keys that are not ours. New rows come behind the last of their theme; in a workbook, whose formulas and formats are tied
to rows, they come at the end, and rows that go are emptied. What was made is read back and must say exactly the same.
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .codebook import COLUMNS, KEYS_OF_THEME, LISTS_OF_THEME, heading, key_of, read_codebook
from .decoding import decode
from .errors import CodebookFault, Faults
from .records import Codebook, Exemplar, Theme
from .sheets import delimiter_of, folded, replacing, tidy

LOST_PARTS = ("xl/charts/", "xl/drawings/drawing", "xl/media/", "xl/embeddings/", "xl/vbaProject", "xl/slicers/")
FIELDS = ("parent", "definition", "include", "exclude")


def rewrite(path: Path, old: Codebook, new: Codebook) -> None:
    """Make a codebook file that says ``old`` say ``new``, whole or not at all.

    Raises ``Faults`` if somebody else has changed the file meanwhile, has it open in a spreadsheet, if it cannot be
    written, or if its format cannot hold what is new.
    """
    before = path.read_bytes()
    _refuse_open(path)
    content = _rewritten(path, before, old, new)
    with replacing(path) as part:
        part.write_bytes(content)
        try:
            said = read_codebook(part)
        except Faults:
            said = None
        if said != new:
            problem = "cannot be changed from here without changing something else in it"
            raise Faults([CodebookFault(str(path), problem, "make this change in the file itself")])
        if path.read_bytes() != before:
            problem = "was changed by another program at this moment, so nothing was written"
            raise Faults([CodebookFault(str(path), problem, "look at it as it is now, and try again")])
        _keep(part)


def _keep(part: Path) -> None:
    """Have the content on the disk before the file's name leads to it."""
    import os

    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _refuse_open(path: Path) -> None:
    """Refuse a file that a spreadsheet has open: what it saves later would undo what is written now."""
    marks = (path.with_name(f".~lock.{path.name}#"), path.with_name(f"~${path.name}"))
    if any(mark.exists() for mark in marks):
        problem = "is open in a spreadsheet program, which would overwrite what is written now"
        raise Faults([CodebookFault(str(path), problem, "save and close it there, and try again")])


def _rewritten(path: Path, before: bytes, old: Codebook, new: Codebook) -> bytes:
    match path.suffix.lower():
        case ".csv":
            return _csv(before, old, new)
        case ".xlsx":
            return _xlsx(before, old, new)
        case ".toml":
            import tomlkit

            document: Any = tomlkit.parse(decode(before))
            _tree(document, old, new)
            return tomlkit.dumps(document).encode()
    return _yaml(before, old, new)


def origins(old: Codebook, new: Codebook) -> dict[str, str]:
    """Return the old name of every theme of the new codebook that the old one has, under that name or another."""
    names = set(old.names)
    found = {theme.name: theme.name for theme in new.themes if theme.name in names}
    for theme in new.themes:
        gone = [name for name in theme.formerly if name in names and name not in new.names]
        if theme.name not in found and gone:
            found[theme.name] = gone[-1]
    return found


# Tables: rows of cells


@dataclass(slots=True)
class _Line:
    """One row of the file, or a new one."""

    cells: list[str]
    place: int | None = None  # which row of the file it was
    theme: str = ""  # folded
    gone: bool = False
    changed: set[int] = field(default_factory=set)

    def set(self, column: int, value: str) -> None:
        self.cells += [""] * (column + 1 - len(self.cells))
        if self.cells[column] != value:
            self.cells[column] = value
            self.changed.add(column)

    def get(self, column: int | None) -> str:
        return tidy(self.cells[column]) if column is not None and column < len(self.cells) else ""


@dataclass(slots=True)
class _Grid:
    """The rows of a table, the first with the headings."""

    head: _Line
    lines: list[_Line]
    columns: dict[str, int] = field(default_factory=dict)

    def column(self, name: str) -> int:
        """Return the column of a field; it is added behind the others if there is none."""
        if name not in self.columns:
            self.columns[name] = len(self.head.cells)
            self.head.set(len(self.head.cells), name)
        return self.columns[name]

    def put(self, line: _Line, name: str, value: str) -> None:
        if value or name in self.columns:
            line.set(self.column(name), value)

    def of(self, theme: str) -> list[_Line]:
        return [line for line in self.lines if line.theme == folded(theme) and not line.gone]


def _grid(rows: Sequence[tuple[int, list[str]]]) -> _Grid:
    filled = [(place, cells) for place, cells in rows if any(tidy(cell) for cell in cells)]
    (place, cells), *rest = filled
    grid = _Grid(head=_Line(cells=cells, place=place), lines=[])
    for at, name in enumerate(cells):
        if (known := heading(name)) in COLUMNS:
            grid.columns[known] = at
    theme = ""
    for place, cells in rest:
        line = _Line(cells=cells, place=place)
        theme = folded(line.get(grid.columns["theme"])) or theme
        line.theme = theme
        grid.lines.append(line)
    return grid


def _change(grid: _Grid, old: Codebook, new: Codebook) -> None:
    """Make the rows of the old codebook say the new one."""
    themes = {theme.name: theme for theme in old.themes}
    came = origins(old, new)
    gone = [theme for theme in old.themes if theme.name not in came.values()]
    spare = {folded(e.text): line for theme in gone for line in grid.of(theme.name) for e in theme.exemplars
             if folded(line.get(grid.columns.get("exemplar"))) == folded(e.text)}  # fmt: skip
    for theme in gone:
        for line in grid.of(theme.name):
            _drop(grid, line)
    for theme in new.themes:
        if theme.name in came:
            _change_theme(grid, themes[came[theme.name]], theme, spare)
        else:
            _add_theme(grid, theme)


def _change_theme(grid: _Grid, old: Theme, new: Theme, spare: dict[str, _Line]) -> None:
    lines = grid.of(old.name)
    for name, told in _differing(old, new).items():
        having = [line for line in lines if line.get(grid.columns.get(name))]
        for line in having[1:]:
            grid.put(line, name, "")
        grid.put(having[0] if having else lines[0], name, told)
    if old.name != new.name:
        for line in lines:
            if line.get(grid.columns["theme"]):
                grid.put(line, "theme", new.name)
    kept = list(new.exemplars)
    for line in lines:
        quote = _quote(grid, line, old)
        if quote is None:
            continue
        if quote in kept:
            kept.remove(quote)
        else:
            _take_quote(grid, line, lines)
    for exemplar in kept:
        _add_quote(grid, old.name, new.name, exemplar, spare.get(folded(exemplar.text)))


def _differing(old: Theme, new: Theme) -> dict[str, str]:
    """Return the fields that say something else now, with what they say."""
    said = {name: (getattr(old, name), getattr(new, name)) for name in FIELDS}
    said["formerly"] = ("; ".join(old.formerly), "; ".join(new.formerly))
    return {name: now for name, (was, now) in said.items() if was != now}


def _quote(grid: _Grid, line: _Line, theme: Theme) -> Exemplar | None:
    text = line.get(grid.columns.get("exemplar"))
    source = line.get(grid.columns.get("source"))
    return next((e for e in theme.exemplars if (e.text, e.source) == (text, source)), None) if text else None


def _take_quote(grid: _Grid, line: _Line, lines: Sequence[_Line]) -> None:
    """Take an exemplar out of its row, and the row away if it says nothing else of the theme."""
    carries = any(line.get(grid.columns.get(name)) for name in (*FIELDS, "formerly"))
    if carries or all(other.gone for other in lines if other is not line):
        for name in ("exemplar", "kind", "source"):
            grid.put(line, name, "")
    else:
        _drop(grid, line)


def _drop(grid: _Grid, line: _Line) -> None:
    """Take a row away; the next one must not count for the theme above it then."""
    line.gone = True
    after = next((other for other in grid.lines[grid.lines.index(line) + 1 :] if not other.gone), None)
    if after is not None and not after.get(grid.columns["theme"]) and after.theme == line.theme:
        after.set(grid.columns["theme"], tidy(line.cells[grid.columns["theme"]]) or _name_of(grid, line.theme))


def _name_of(grid: _Grid, theme: str) -> str:
    named = (line.get(grid.columns["theme"]) for line in grid.lines if line.theme == theme)
    return next(name for name in named if name)


def _add_quote(grid: _Grid, was: str, name: str, exemplar: Exemplar, spare: _Line | None) -> None:
    lines = grid.of(was)
    bare = len(lines) == 1 and not any(lines[0].get(grid.columns.get(c)) for c in ("exemplar", "kind", "source"))
    line = lines[0] if bare else _Line(cells=[""] * len(grid.head.cells), theme=folded(was))
    if not bare:
        if spare is not None:  # what other columns say of a quote goes with it
            line.cells = [cell if at not in grid.columns.values() else "" for at, cell in enumerate(spare.cells)]
        grid.lines.insert(grid.lines.index(lines[-1]) + 1, line)
        grid.put(line, "theme", name)
    grid.put(line, "exemplar", exemplar.text)
    grid.put(line, "kind", exemplar.kind.value)
    grid.put(line, "source", exemplar.source)


def _add_theme(grid: _Grid, theme: Theme) -> None:
    line = _Line(cells=[""] * len(grid.head.cells), theme=folded(theme.name))
    grid.lines.append(line)
    grid.put(line, "theme", theme.name)
    for name in FIELDS:
        grid.put(line, name, getattr(theme, name))
    grid.put(line, "formerly", "; ".join(theme.formerly))
    for exemplar in theme.exemplars:
        _add_quote(grid, theme.name, theme.name, exemplar, None)


def _csv(before: bytes, old: Codebook, new: Codebook) -> bytes:
    text = decode(before)
    mark = "utf-8-sig" if before.startswith(b"\xef\xbb\xbf") or not _is_utf8(before) else "utf-8"
    raw = list(io.StringIO(text, newline=""))
    end = "\r\n" if raw and raw[0].endswith("\r\n") else "\n"
    sign, chunks, rows, begun = delimiter_of(text), dict[int, str](), [], 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    for at, cells in enumerate(reader):
        chunks[at] = "".join(raw[begun : reader.line_num])
        rows.append((at, cells))
        begun = reader.line_num
    grid = _grid(rows)
    _change(grid, old, new)

    def told(line: _Line) -> str:
        if line.place is not None and not line.changed:
            chunk = chunks[line.place]
            return chunk if chunk.endswith(("\n", "\r")) else chunk + end
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=sign, lineterminator=end).writerow(line.cells)
        return out.getvalue()

    known = {line.place for line in grid.lines} | {grid.head.place}
    blank = {at: chunk for at, chunk in chunks.items() if at not in known}  # rows that say nothing stay where they are
    made, at = [], 0
    for line in [grid.head, *grid.lines]:
        if line.place is not None:
            made += [blank[n] for n in range(at, line.place) if n in blank]
            at = line.place + 1
        if not line.gone:
            made.append(told(line))
    made += [blank[n] for n in sorted(blank) if n >= at]
    return "".join(made).encode(mark)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _xlsx(before: bytes, old: Codebook, new: Codebook) -> bytes:
    import warnings

    import openpyxl

    from .sheets import cell_text, put_text

    _refuse_what_would_go(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd styles, which is nothing for the terminal
        book = openpyxl.load_workbook(io.BytesIO(before))
    sheet = book.worksheets[0]
    rows = [(at, [cell_text(cell) for cell in row]) for at, row in enumerate(sheet.iter_rows(values_only=True), 1)]
    grid = _grid([(at, cells[: len(_trimmed(rows, cells))]) for at, cells in rows])
    _change(grid, old, new)
    last = max(at for at, _ in rows)
    for line in [grid.head, *grid.lines]:
        columns = sorted(line.changed)
        if line.gone or line.place is None:
            columns = [n for n, cell in enumerate(line.cells) if cell]
        if (at := line.place) is None:
            if line.gone:
                continue
            last += 1
            at = last
        for n in columns:
            put_text(sheet.cell(row=at, column=n + 1), "" if line.gone else line.cells[n])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _refuse_what_would_go(workbook: bytes) -> None:
    """Refuse a workbook with parts that openpyxl does not keep: what people put into it would be gone."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        names = archive.namelist()
        sheets = (archive.read(name) for name in names if name.startswith("xl/worksheets/sheet"))
        lost = any(name.startswith(LOST_PARTS) for name in names) or any(b"<extLst" in sheet for sheet in sheets)
    if lost:
        problem = "holds pictures, charts, macros or rules for cells that would be lost, so nothing was written"
        raise Faults([CodebookFault("the codebook", problem, "make this change in the file itself")])


def _trimmed(rows: Sequence[tuple[int, list[str]]], cells: list[str]) -> list[str]:
    """Return the cells without those behind the last heading: they would have none."""
    head = next(some for _, some in rows if any(some))
    width = max(at for at, name in enumerate(head) if name) + 1
    return cells[:width]


# Trees: lists of tables


def _yaml(before: bytes, old: Codebook, new: Codebook) -> bytes:
    from ruamel.yaml import YAML

    text = decode(before)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000  # lines stay as long as they are
    indent = re.search(r"^( *)-( +)", text, flags=re.MULTILINE)
    if indent:
        yaml.indent(mapping=2, sequence=len(indent[1]) + 1 + len(indent[2]), offset=len(indent[1]))
    document = yaml.load(text)
    _tree(document, old, new)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue().encode()


def _tree(document: Any, old: Codebook, new: Codebook) -> None:  # noqa: ANN401  # what a YAML or TOML file may hold
    keys = [key for key in ("themes", "theme") if isinstance(document, dict) and key in document]
    root = document[keys[0]] if keys else document
    if len(root) != len(old.themes):
        raise Faults([CodebookFault("the codebook", "holds a theme in two places", "put them together in the file")])
    tables = dict(zip(old.names, list(root), strict=True))
    themes = {theme.name: theme for theme in old.themes}
    came = origins(old, new)
    for theme in new.themes:
        if theme.name in came:
            _change_table(tables[came[theme.name]], themes[came[theme.name]], theme)
        else:
            root.append({"name": theme.name})
            _change_table(root[-1], Theme(name=theme.name), theme)
    for at in reversed(range(len(old.themes))):
        if old.names[at] not in came.values():
            del root[at]


def _change_table(table: Any, old: Theme, new: Theme) -> None:  # noqa: ANN401
    keys = {name: key for key in table if (name := KEYS_OF_THEME.get(key_of(key)))}
    for name, told in (({"theme": new.name} if new.name != old.name else {}) | _differing(old, new)).items():
        if told:
            table[keys.get(name, name)] = told
        else:
            del table[keys[name]]
    _change_quotes(table, old, new)


def _change_quotes(table: Any, old: Theme, new: Theme) -> None:  # noqa: ANN401
    lists = [key for key in table if key_of(key) in LISTS_OF_THEME]
    places = [(key, at) for key in lists if isinstance(table[key], list) for at in range(len(table[key]))]
    kept, gone = list(new.exemplars), []
    if len(places) == len(old.exemplars):
        for place, exemplar in zip(places, old.exemplars, strict=True):
            if exemplar in kept:
                kept.remove(exemplar)
            else:
                gone.append(place)
    for key, at in reversed(gone):
        del table[key][at]
    for exemplar in kept if len(places) == len(old.exemplars) else ():
        if not lists:
            lists = ["exemplars"]
            table["exemplars"] = []
        told = {"text": exemplar.text, "kind": exemplar.kind.value, "source": exemplar.source}
        table[lists[-1]].append({name: value for name, value in told.items() if value})
