"""Results -> pages that anybody can open: one HTML file with its figures, no network and no script.

drawing  a matplotlib figure -> SVG that takes the page's colours
figures  numbers -> figures of the kinds that reports need, each with its words and its table
page     sections of words, tables and figures -> HTML
"""

from .drawing import Figure, Words
from .page import Card, Cell, Note, Part, Section, Table, render

__all__ = ["Card", "Cell", "Figure", "Note", "Part", "Section", "Table", "Words", "render"]
