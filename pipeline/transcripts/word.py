"""Word files: paragraphs and tables in the order of the document -> turns.

python-docx opens the container; the paragraphs are walked here, because its ``Paragraph.text`` leaves out tracked
insertions and content controls.
"""

import io
from collections.abc import Iterator
from typing import Any

from .archive import check_archive, damaged
from .draft import Draft, refuse
from .labels import turns

_KIND = ".docx"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SIGNS = {f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}tab": "\t", f"{_W}noBreakHyphen": "-"}
# Deleted or moved away, properties, instructions of fields, pictures, and the reading aid beside East Asian text.
_SKIPPED = {f"{_W}{name}" for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "drawing", "pict", "object", "rt")}


def read(data: bytes, place: str, moderators: tuple[str, ...]) -> list[Draft]:
    """Return the one transcript of a Word file; its lines are numbered by paragraph."""
    lines, numbers = [], []
    for number, paragraph in _paragraphs(_body(data, place)):
        for line in paragraph.split("\n"):
            lines.append(line)
            numbers.append(number)
    text = "\n".join(lines)
    return [Draft(text=text, turns=turns(text, moderators, numbers))]


def _body(data: bytes, place: str) -> Any:  # noqa: ANN401  # an lxml element; lxml has no types
    check_archive(data, place, _KIND)
    import docx

    try:
        body = docx.Document(io.BytesIO(data)).element.body
    except Exception:  # python-docx and lxml raise many kinds on a hostile or damaged package; ours cannot occur here
        raise damaged(place, _KIND) from None
    if body is None:
        raise damaged(place, _KIND)
    if body.getroottree().docinfo.internalDTD is not None:
        raise refuse(place, "declares entities, which no Word file does", "save it again in Word")
    return body


def _paragraphs(parent: Any, first: int = 1) -> Iterator[tuple[int, str]]:  # noqa: ANN401
    """Yield number and text of every paragraph; a row of a table is one, named by its first paragraph."""
    number = first
    for child in parent:
        if child.tag == f"{_W}p":
            yield number, _text(child)
            number += 1
        elif child.tag == f"{_W}tbl":
            for row in _inside(child, "tr"):
                yield number, _row(row)
                number += sum(1 for _ in row.iter(f"{_W}p"))
        elif child.tag not in _SKIPPED and isinstance(child.tag, str):
            yield from _paragraphs(child, number)
            number += sum(1 for _ in child.iter(f"{_W}p"))


def _row(row: Any) -> str:  # noqa: ANN401
    return "\t".join("\n".join(text for _, text in _paragraphs(cell)).strip() for cell in _inside(row, "tc"))


def _inside(parent: Any, name: str) -> Iterator[Any]:  # noqa: ANN401
    """Yield the rows of a table or the cells of a row, also those in content controls or tracked changes."""
    for child in parent:
        if child.tag == f"{_W}{name}":
            yield child
        elif child.tag not in _SKIPPED and isinstance(child.tag, str) and child.tag not in (f"{_W}tc", f"{_W}tr"):
            yield from _inside(child, name)


def _text(element: Any) -> str:  # noqa: ANN401
    parts = []
    for child in element:
        if child.tag == f"{_W}t":
            parts.append(" ".join((child.text or "").splitlines()) if "\n" in (child.text or "") else child.text or "")
        elif child.tag in _SIGNS:
            parts.append(_SIGNS[child.tag])
        elif isinstance(child.tag, str) and child.tag not in _SKIPPED:
            parts.append(_text(child))
    return "".join(parts)
