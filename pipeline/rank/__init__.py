"""Vectors and codebook -> suggestions; learns from decisions. Numbers in, numbers out: no model, file or database.

around      what stands around passages and inside them
material    codebook and decisions -> rows of texts, vectors and themes
lexical     texts -> weighted words and pieces of words
learned     rows -> what tells each theme from the others
evidence    passages -> raw evidence for each theme: learned, by exemplar, by definition, by wording
left_out    rows -> what evidence is computed from, and the evidence on each row without its document
combine     evidence -> parts of a score
weigh       parts of passages of known themes -> how much each part counts in this study
calibrate   scores -> probabilities
abstain     scores of decided segments -> thresholds, and themes that are not suggested
ranker      all of it joined: fit, score, probabilities, suggest
explain     why a theme is suggested: what in the passage carried it, what people said of similar ones
"""

from .around import NONE, Around
from .combine import PARTS
from .explain import Decided, Passage, with_reasons
from .lexical import Counted
from .material import Labelled, codebook_texts, definition_text, source_document
from .ranker import Ranker, Scores, fit, passes, probabilities, score, suggest

__all__ = [
    "NONE",
    "PARTS",
    "Around",
    "Counted",
    "Decided",
    "Labelled",
    "Passage",
    "Ranker",
    "Scores",
    "codebook_texts",
    "definition_text",
    "fit",
    "passes",
    "probabilities",
    "score",
    "source_document",
    "suggest",
    "with_reasons",
]
