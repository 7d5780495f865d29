"""Vectors and codebook -> suggestions; learns from decisions. Numbers in, numbers out: no model, file or database.

material    codebook and decisions -> rows of texts, vectors and themes
lexical     texts -> weighted words and pieces of words
evidence    rows -> raw evidence for each theme: learned, by exemplar, by definition, by wording
combine     evidence -> a score that is the sum of named parts
calibrate   scores -> probabilities
ranker      all of it joined: fit, score, probabilities, suggest
explain     why a theme is suggested: what in the passage carried it, what people said of similar ones
"""

from .combine import PARTS
from .explain import Decided, Passage, with_reasons
from .material import Labelled, codebook_texts, definition_text, source_document
from .ranker import Ranker, Scores, fit, probabilities, score, suggest

__all__ = [
    "PARTS",
    "Decided",
    "Labelled",
    "Passage",
    "Ranker",
    "Scores",
    "codebook_texts",
    "definition_text",
    "fit",
    "probabilities",
    "score",
    "source_document",
    "suggest",
    "with_reasons",
]
