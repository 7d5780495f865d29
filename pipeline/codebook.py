"""Codebook files <-> themes with their exemplars.

Every format is first turned into rows of the contract's columns, one row per exemplar; what is wrong with a codebook
is then looked for once, in those rows. Faults name themes and lines and never quote an exemplar.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import CodebookFault, Faults, all_named, named, raise_all
from .records import Codebook, Exemplar, Kind, Theme
from .sheets import Row, folded, look_at, misspelled, nearest, read_sheet, read_text, replacing, write_csv, write_xlsx

COLUMNS = ("theme", "parent", "definition", "include", "exclude", "exemplar", "kind", "source", "formerly")
_FIELDS = ("parent", "definition", "include", "exclude", "formerly")
_ALIASES = {
    "code": "theme",
    "name": "theme",
    "label": "theme",
    "theme_name": "theme",
    "code_name": "theme",
    "parent_theme": "parent",
    "parent_code": "parent",
    "description": "definition",
    "full_definition": "definition",
    "inclusion": "include",
    "inclusion_criteria": "include",
    "when_to_use": "include",
    "exclusion": "exclude",
    "exclusion_criteria": "exclude",
    "when_not_to_use": "exclude",
    "example": "exemplar",
    "quote": "exemplar",
    "quotation": "exemplar",
    "exemplar_kind": "kind",
    "exemplar_source": "source",
    "former_name": "formerly",
    "former_names": "formerly",
    "old_name": "formerly",
}
# The keys of a theme and of an exemplar in YAML and TOML. A theme's exemplars are a list.
LISTS_OF_THEME = ("exemplars", "exemplar", "examples", "quotes")
KEYS_OF_THEME = {
    **{name: name for name in ("theme", *_FIELDS)},
    **{a: n for a, n in _ALIASES.items() if n in ("theme", *_FIELDS)},
}
_OF_EXEMPLAR = {"text": "exemplar", "exemplar": "exemplar", "quote": "exemplar", "kind": "kind", "source": "source"}
_KINDS = {**{kind.value: kind for kind in Kind}, "close_but_no": Kind.NEAR_MISS, "": Kind.TYPICAL}


def read_codebook(path: Path) -> Codebook:
    """Return the codebook in a CSV, XLSX, YAML or TOML file.

    Raises ``Faults`` with one ``CodebookFault`` for everything that is wrong, each with the line where it can be told.
    """
    drafts, faults = _read(path)
    by_name = {folded(draft.name): draft for draft in drafts}
    faults.extend(_parent_faults(str(path), drafts, by_name))
    faults.extend(_former_faults(str(path), drafts, by_name))
    faults.extend(_substance_faults(str(path), drafts))
    raise_all(faults)
    return Codebook(themes=tuple(_theme(draft, by_name) for draft in drafts))


def doubts(path: Path) -> list[CodebookFault]:
    """Return what is allowed in a codebook and may be a mistake: exemplars that stand twice, and empty themes.

    A quote can show two themes, and a theme can be there to group others. Raises ``Faults`` like ``read_codebook``.
    """
    drafts, faults = _read(path)
    raise_all(faults)
    return [*_repeated(str(path), drafts), *_empty(str(path), drafts)]


def _read(path: Path) -> tuple[list["_Draft"], list[CodebookFault]]:
    look_at(path, CodebookFault)
    if (reader := _READERS.get(path.suffix.lower())) is None:
        problem = f"`{path.suffix}` is not a known kind of codebook file"
        raise Faults([CodebookFault(str(path), problem, f"save it as one of {', '.join(_READERS)}")])
    return _drafts(str(path), reader(path))


@dataclass(slots=True)
class _Draft:
    """A theme while its rows are being gathered."""

    name: str
    line: int
    fields: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_FIELDS, ""))
    exemplars: list[tuple[int, Exemplar]] = field(default_factory=list)


def _theme(draft: _Draft, by_name: Mapping[str, _Draft]) -> Theme:
    parent = draft.fields["parent"]
    fields = {key: draft.fields[key] for key in ("definition", "include", "exclude")}
    return Theme(
        name=draft.name,
        parent=by_name[folded(parent)].name if parent else "",
        exemplars=tuple(exemplar for _, exemplar in draft.exemplars),
        formerly=_former(draft),
        **fields,
    )


def _former(draft: _Draft) -> tuple[str, ...]:
    """Return the names that a theme had, which its cell holds with semicolons between them."""
    names = (" ".join(name.split()) for name in draft.fields["formerly"].split(";"))
    return tuple(dict.fromkeys(name for name in names if name))


def _at(path: str, line: int) -> str:
    return f"{path}:{line}" if line else path


# Rows -> drafts


def _drafts(path: str, rows: Sequence[Row]) -> tuple[list[_Draft], list[CodebookFault]]:
    """Gather each theme's rows; a row without any theme field goes on with the theme above it."""
    drafts: dict[str, _Draft] = {}
    faults: list[CodebookFault] = []
    current: _Draft | None = None
    for row in rows:
        name = " ".join(row.cells.get("theme", "").split())
        if not name and (current is None or any(row.cells.get(key) for key in _FIELDS)):
            faults.append(CodebookFault(_at(path, row.line), "the row names no theme", "write its theme in the row"))
            continue
        if name:
            current = drafts.setdefault(folded(name), _Draft(name, row.line))
            faults.extend(_name_faults(_at(path, row.line), name, current, row.line))
        if current is not None:
            faults.extend(_take(path, row, current))
    return list(drafts.values()), faults


def _name_faults(place: str, name: str, draft: _Draft, line: int) -> Iterator[CodebookFault]:
    if name != draft.name:
        problem = f"theme `{name}` differs from `{draft.name}`{_line(draft.line)} only in case or spacing"
        yield CodebookFault(place, problem, "write both alike, or give one another name")
    if ";" in name and line == draft.line:
        remedy = "use another character: `;` separates themes in tables of coding"
        yield CodebookFault(place, f"the name of theme `{name}` holds a semicolon", remedy)


def _line(line: int) -> str:
    return f" (line {line})" if line else ""


def _take(path: str, row: Row, draft: _Draft) -> Iterator[CodebookFault]:
    """Add a row to its theme."""
    place = _at(path, row.line)
    for key in _FIELDS:
        told = row.cells.get(key, "")
        if told and draft.fields[key] and told != draft.fields[key]:
            problem = f"the `{key}` of theme `{draft.name}` is given twice and differs"
            yield CodebookFault(place, problem, "keep one and leave the other blank")
        draft.fields[key] = draft.fields[key] or told
    kind = _KINDS.get(re.sub(r"[\s_-]+", "_", folded(row.cells.get("kind", ""))))
    if kind is None:
        told = row.cells["kind"]
        near = nearest(told, [kind.value for kind in Kind], cutoff=0.5)
        remedy = f"did you mean `{near}`?" if near else f"kinds are {', '.join(kind.value for kind in Kind)}"
        yield CodebookFault(place, f"theme `{draft.name}`: unknown kind {named(told)}", remedy)
    if text := row.cells.get("exemplar", ""):
        source = row.cells.get("source", "")
        draft.exemplars.append((row.line, Exemplar(text=text, kind=kind or Kind.TYPICAL, source=source)))


# What contradicts itself


def _parent_faults(path: str, drafts: Sequence[_Draft], by_name: Mapping[str, _Draft]) -> Iterator[CodebookFault]:
    reported: set[str] = set()
    for draft in drafts:
        parent = draft.fields["parent"]
        if parent and folded(parent) not in by_name:
            near = nearest(parent, [other.name for other in drafts if other is not draft])
            remedy = f"did you mean `{near}`?" if near else "add a row for that theme, or leave `parent` blank"
            yield CodebookFault(_at(path, draft.line), f"theme `{draft.name}`: no theme is called `{parent}`", remedy)
        cycle = _cycle(draft, by_name)
        if cycle and reported.isdisjoint(cycle):
            reported.update(cycle)
            problem = f"themes are their own parents: {' < '.join([*cycle, cycle[0]])}"
            yield CodebookFault(_at(path, draft.line), problem, "leave the `parent` of one of them blank")


def _cycle(draft: _Draft, by_name: Mapping[str, _Draft]) -> list[str]:
    """Return the names from the theme up to itself, or nothing if going up ends elsewhere."""
    names = [draft.name]
    above = by_name.get(folded(draft.fields["parent"]))
    while above is not None and above is not draft and above.name not in names:
        names.append(above.name)
        above = by_name.get(folded(above.fields["parent"]))
    return names if above is draft else []


def _former_faults(path: str, drafts: Sequence[_Draft], by_name: Mapping[str, _Draft]) -> Iterator[CodebookFault]:
    """Tell of former names that leave it open which theme a decision on them is about."""
    taken: dict[str, str] = {}
    for draft in drafts:
        for name in _former(draft):
            other = by_name[folded(name)].name if folded(name) in by_name else taken.setdefault(name, draft.name)
            if other != draft.name or folded(name) in by_name:
                whose = "a theme is called that now" if folded(name) in by_name else f"so was `{other}`"
                problem = f"theme `{draft.name}` was formerly `{name}`, and {whose}"
                yield CodebookFault(_at(path, draft.line), problem, "take the name out of one `formerly`")


def _repeated(path: str, drafts: Sequence[_Draft]) -> Iterator[CodebookFault]:
    inside: dict[tuple[str, str], int] = {}
    positive: dict[str, tuple[str, int]] = {}
    for draft in drafts:
        for line, exemplar in draft.exemplars:
            text = folded(exemplar.text)
            if (draft.name, text) in inside:
                problem = f"theme `{draft.name}` has this exemplar already{_line(inside[draft.name, text])}"
                yield CodebookFault(_at(path, line), problem, "delete one of the two")
                continue
            inside[draft.name, text] = line
            if exemplar.kind is Kind.NEAR_MISS:
                continue
            other, there = positive.setdefault(text, (draft.name, line))
            if other != draft.name:
                problem = f"an exemplar of theme `{draft.name}` also stands under `{other}`{_line(there)}"
                yield CodebookFault(_at(path, line), problem, "if it shows only one, make it a near_miss of the other")


def _substance_faults(path: str, drafts: Sequence[_Draft]) -> Iterator[CodebookFault]:
    if not drafts:
        yield CodebookFault(path, "the codebook has no themes", "add one row per theme and exemplar")
    elif not any(draft.exemplars or draft.fields["definition"] for draft in drafts):
        problem = "no theme has an exemplar or a definition"
        yield CodebookFault(path, problem, "add them: suggestions rest on nothing else")


def _empty(path: str, drafts: Sequence[_Draft]) -> Iterator[CodebookFault]:
    for draft in drafts:
        if not (draft.exemplars or draft.fields["definition"] or draft.fields["include"]):
            problem = f"theme `{draft.name}` is empty: its suggestions rest on its name alone"
            yield CodebookFault(_at(path, draft.line), problem, "give it a definition or an exemplar, or delete it")


# Files -> rows


def _sheet_rows(path: Path) -> list[Row]:
    sheet = read_sheet(path, CodebookFault)
    faults = _column_faults(str(path), sheet.columns)
    if "theme" not in map(_column, sheet.columns):
        near = nearest("theme", sheet.columns, cutoff=0.5)
        remedy = f"rename {named(near)}?" if near else "add one"
        found = all_named(sheet.columns)
        faults.append(CodebookFault(str(path), f"there is no column `theme` among {found}", remedy))
    raise_all(faults)
    return [Row(row.line, {_column(name): cell for name, cell in row.cells.items()}) for row in sheet.rows]


def _column(name: str) -> str:
    return _ALIASES.get(name, name)


def heading(name: str) -> str:
    """Return the column that a heading of a table means, whatever its case and spelling."""
    return _column(key_of(name))


def _column_faults(path: str, columns: Sequence[str]) -> list[CodebookFault]:
    faults = []
    for known in COLUMNS:
        if len(same := [name for name in columns if _column(name) == known]) > 1:
            problem = f"the columns {' and '.join(f'`{name}`' for name in same)} mean the same"
            faults.append(CodebookFault(path, problem, f"keep one of them, as `{known}`"))
    for name, near in misspelled(columns, [*COLUMNS, *_ALIASES]).items():
        remedy = f"did you mean `{near}`? otherwise give it a name less like that"
        faults.append(CodebookFault(path, f"unknown column {named(name)}", remedy))
    return faults


def _toml_rows(path: Path) -> list[Row]:
    text = read_text(path, CodebookFault)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Faults([CodebookFault(str(path), f"is not TOML: {error}", "mend that line")]) from error
    except (ValueError, RecursionError) as error:  # what tomllib lets through: 5,000 digits, a thousand brackets
        problem = "cannot be read: a number is too long, or tables lie too deep in one another"
        raise Faults([CodebookFault(str(path), problem, "shorten it")]) from error
    heads = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*themes?\s*\]\]", line)]
    return _tree_rows(str(path), document, heads)


def _yaml_rows(path: Path) -> list[Row]:
    import yaml

    text = read_text(path, CodebookFault)
    try:
        document = yaml.load(text, Loader=_yaml_loader())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Faults(
            [CodebookFault(_at(str(path), line), f"is not YAML: {error.problem}", "mend that line")]
        ) from error
    except (yaml.YAMLError, RecursionError) as error:  # characters YAML cannot hold, or a thousand brackets
        raise Faults([CodebookFault(str(path), "is not YAML", "save it again as UTF-8 text")]) from error
    return _tree_rows(str(path), document, [])


class _Text(str):
    """A text of a YAML file that knows its line."""

    line = 0


class _Table(dict[str, Any]):
    """A mapping of a YAML file that knows its line."""

    line = 0


def _yaml_loader() -> Any:  # noqa: ANN401  # a class made here, so that yaml is loaded only when it is needed
    """Return a loader that leaves every value the text it is (a theme may be called `No` or `1.10`), with its line."""
    import yaml

    class Loader(yaml.BaseLoader):
        def construct_scalar(self, node: yaml.ScalarNode) -> str:
            nothing = node.style is None and node.value in ("~", "null", "Null", "NULL")
            try:  # as in JSON, a character may be written as two escaped halves
                told = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                problem = "half of a character (a lone surrogate)"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None
            text = _Text("" if nothing else told)
            text.line = node.start_mark.line + 1
            return text

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            table = _Table({str(key): value for key, value in super().construct_mapping(node, deep).items()})
            table.line = node.start_mark.line + 1
            if len(table) < len(node.value):
                raise yaml.MarkedYAMLError(problem="a key is given twice in one table", problem_mark=node.start_mark)
            return table

    return Loader


def _tree_rows(path: str, document: Any, heads: Sequence[int]) -> list[Row]:  # noqa: ANN401  # what a YAML file may hold
    """Turn a list of themes into rows; ``heads`` are the lines of the themes where the values do not know theirs."""
    found = [key for key in ("themes", "theme") if isinstance(document, dict) and key in document]
    themes = document[found[0]] if found else document
    if not isinstance(themes, list) or len(found) > 1:
        raise Faults([CodebookFault(path, "holds no list of themes", "list the themes under one key `themes`")])
    rows: list[Row] = []
    faults: list[CodebookFault] = []
    for number, theme in enumerate(themes):
        line = getattr(theme, "line", heads[number] if len(heads) == len(themes) else 0)
        if not isinstance(theme, dict):
            problem = f"theme number {number + 1} is no table"
            faults.append(CodebookFault(_at(path, line), problem, "write `name = ...` or `name: ...` and so on"))
            continue
        rows.extend(_theme_rows(path, theme, line, faults))
    raise_all(faults)
    return rows


def _theme_rows(path: str, theme: dict[str, Any], line: int, faults: list[CodebookFault]) -> Iterator[Row]:
    place = _at(path, line)
    lists = {key: value for key, value in theme.items() if key_of(key) in LISTS_OF_THEME}
    fields = {key: value for key, value in theme.items() if key not in lists}
    head = _texts(place, fields, {**KEYS_OF_THEME, **dict.fromkeys(LISTS_OF_THEME, "")}, faults)
    if not head.get("theme"):
        faults.append(CodebookFault(place, "a theme has no name", "add its `name`"))
    yield Row(line, head)
    quotes = [quote for value in lists.values() for quote in (value if isinstance(value, list) else [value])]
    for quote in quotes:
        there = getattr(quote, "line", line)
        table = quote if isinstance(quote, dict) else {"text": quote}
        yield Row(there, {**_texts(_at(path, there), table, _OF_EXEMPLAR, faults), "theme": head.get("theme", "")})


def key_of(key: str) -> str:
    """Return a heading or key as it is compared."""
    return re.sub(r"[\s_-]+", "_", folded(key))


def _texts(place: str, table: dict[str, Any], known: Mapping[str, str], faults: list[CodebookFault]) -> dict[str, str]:
    """Return the known keys' texts under the contract's names; what is no text, or no key, becomes a fault."""
    texts: dict[str, str] = {}
    for key, near in misspelled(map(key_of, table), list(known)).items():
        faults.append(CodebookFault(place, f"unknown key `{key}`", f"did you mean `{near}`?"))
    for key, value in table.items():
        if (name := known.get(key_of(key), "")) in texts:
            faults.append(CodebookFault(place, f"`{name}` is given twice", "keep one of them"))
        if name and not isinstance(value, str):
            faults.append(CodebookFault(place, f"`{key}` is not a text", "put it in quotation marks"))
        elif name:
            texts[name] = str(value).replace("\r\n", "\n").strip()
    return texts


_READERS: dict[str, Callable[[Path], list[Row]]] = {
    ".csv": _sheet_rows,
    ".xlsx": _sheet_rows,
    ".yaml": _yaml_rows,
    ".yml": _yaml_rows,
    ".toml": _toml_rows,
}


# Codebook -> file


def write_codebook(codebook: Codebook, path: Path) -> None:
    """Write the codebook in the format that the file's name asks for; ``read_codebook`` gives the same one back.

    Raises ``Faults`` if the name asks for no known format, or nothing can be written there.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        write_csv(path, COLUMNS, _table(codebook))
    elif suffix == ".xlsx":
        write_xlsx(path, COLUMNS, _table(codebook))
    elif suffix in _READERS:
        text = _toml(codebook) if suffix == ".toml" else _yaml(codebook)
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
    else:
        problem = f"`{path.suffix}` is not a known kind of codebook file"
        raise Faults([CodebookFault(str(path), problem, f"choose one of {', '.join(_READERS)}")])


def _table(codebook: Codebook) -> Iterator[list[str]]:
    for theme in codebook.themes:
        fields = [theme.parent, theme.definition, theme.include, theme.exclude]
        former = "; ".join(theme.formerly)
        if not theme.exemplars:
            yield [theme.name, *fields, "", "", "", former]
        for number, exemplar in enumerate(theme.exemplars):
            quote = [exemplar.text, exemplar.kind, exemplar.source]
            yield [theme.name, *(fields if number == 0 else [""] * 4), *quote, "" if number else former]


def _tree(codebook: Codebook) -> list[dict[str, Any]]:
    """Return the themes as plain values, without what is blank."""
    trees = []
    for theme in codebook.themes:
        tree: dict[str, Any] = {"name": theme.name}
        tree |= {key: told for key in _FIELDS[:-1] if (told := getattr(theme, key))}
        tree |= {"formerly": "; ".join(theme.formerly)} if theme.formerly else {}
        if theme.exemplars:
            tree["exemplars"] = [
                {"text": e.text, "kind": e.kind.value, **({"source": e.source} if e.source else {})}
                for e in theme.exemplars
            ]
        trees.append(tree)
    return trees


def _yaml(codebook: Codebook) -> str:
    import yaml

    return yaml.safe_dump({"themes": _tree(codebook)}, allow_unicode=True, sort_keys=False, width=120)


def _toml(codebook: Codebook) -> str:
    lines = []
    for tree in _tree(codebook):
        lines.append("[[theme]]")
        for key, value in tree.items():
            if key != "exemplars":
                lines.append(f"{key} = {_quoted(value)}")
                continue
            quotes = [", ".join(f"{name} = {_quoted(text)}" for name, text in quote.items()) for quote in value]
            lines += ["exemplars = [", *(f"  {{ {quote} }}," for quote in quotes), "]"]
        lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Return a TOML string: the same as a JSON string, but for the character DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
