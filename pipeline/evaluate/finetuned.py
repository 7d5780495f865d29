"""A fine-tuned encoder with a linear head, as SetFit does it (Tunstall et al. 2022): slow, and a high bar.

The encoder itself is not known here: who calls gives a function that fine-tunes one.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..rank import definition_text
from .systems import Lesson, Matrix, System, shows

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Tune = Callable[[Sequence[str], NDArray[np.intp]], Encode]  # texts and the number of the theme that each shows


def setfit(tune: Tune) -> System:
    """Return a system that fine-tunes an encoder on what shows each theme, and fits logistic regression on its vectors.

    What shows a theme are exemplars, definitions and decided segments; a text of several themes counts for each by its
    share. C = 10 and balanced classes, as in the rows it is compared with.
    """

    def ranked(lesson: Lesson, texts: Sequence[str], _vectors: NDArray[np.float32]) -> Matrix:
        from sklearn.linear_model import LogisticRegression

        known, theme, weight = taught(lesson)
        count = len(lesson.codebook.themes)
        if count < 2:
            return np.zeros((len(texts), count))
        encode = tune(known, theme)
        head = LogisticRegression(C=10, max_iter=2000, class_weight="balanced")
        head.fit(encode(known), theme, sample_weight=weight)
        found = head.decision_function(encode(texts))
        return np.asarray(np.stack([-found, found], axis=1) if found.ndim == 1 else found, dtype=np.float64)

    return ranked


def taught(lesson: Lesson) -> tuple[list[str], NDArray[np.intp], NDArray[np.float64]]:
    """Return texts, the theme that each shows, and how much of the text is that theme; definitions come last."""
    quotes, rows, of = shows(lesson)
    decided = [lesson.labelled.texts[row] for row in rows] if lesson.labelled is not None else []
    row, theme = np.nonzero(of)
    passages = [*quotes, *decided]
    themes = lesson.codebook.themes
    texts = [passages[at] for at in row] + [definition_text(theme) for theme in themes]
    weight = np.append(1 / of.sum(axis=1)[row], np.ones(len(themes)))
    return texts, np.append(theme, np.arange(len(themes))), weight
