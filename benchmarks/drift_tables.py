"""Markdown tables and paragraphs."""

import textwrap
from collections.abc import Iterator

Lines = Iterator[str]


def row(*cells: object) -> str:
    """Return a row of a table; numbers with three decimals."""
    told = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells]
    return "| " + " | ".join(told) + " |"


def head(*cells: str) -> Lines:
    """Yield the head of a table, after an empty line."""
    yield ""
    yield row(*cells)
    yield row(*["---"] * len(cells))


def prose(text: str) -> Lines:
    """Yield a paragraph in lines of 120 characters, after an empty line."""
    yield ""
    yield from textwrap.wrap(" ".join(text.split()), 120)


def sized(projects: int, share: float) -> int:
    """Return how many projects are made."""
    return max(int(projects * share), 10)
