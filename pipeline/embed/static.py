"""The encoder that is a table of words, distilled from another encoder on this machine: very fast, and less good.

Every word (or piece of a word) of the teacher's vocabulary is given the vector that the teacher has for it alone; a
text is the mean of its words, weighted down where they are frequent (Tulkens and van Dongen 2024, Model2Vec).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EncoderFault
from .encoder import encoder_text, of_length_one
from .folders import as_a_whole
from .sentences import open_model, stay_silent_and_offline
from .sources import Located, content_of

DIMENSIONS = 256
Progress = Callable[[str, int, int], None]  # stage, how many are done, out of how many


class StaticEncoder:
    """A table of words from a local folder; needs neither torch nor a GPU."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        os.environ["HF_HUB_OFFLINE"] = "1"  # a folder needs no network, and must not ask for one
        from model2vec import StaticModel

        try:
            self._model = StaticModel.from_pretrained(folder)
        except Exception as error:  # as with other encoders, what a damaged folder makes libraries raise is not known
            problem = f"holds no model that can be loaded ({type(error).__name__})"
            raise EncoderFault(str(folder), problem, "delete the folder: it will be made anew") from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text, in the order of the texts."""
        if not texts:
            return np.zeros((0, self._model.dim), np.float32)
        # Whole texts, however long, and in this process: the same bits on every machine.
        plain = [encoder_text(text) for text in texts]
        rows = self._model.encode(plain, max_length=None, use_multiprocessing=False, normalize=False)
        return of_length_one(rows)


def ready(located: Located, progress: Progress) -> Located:
    """Return an encoder whose files are there: a static one is made if it is not. Raises ``EncoderFault``."""
    if located.made:
        return located
    assert located.teacher is not None  # only static encoders can be found before they are made
    assert located.folder is not None
    distill(located.teacher, located.folder, progress)
    return replace(located, fingerprint=f"static-{content_of(located.folder)}")


def distill(teacher: Located, folder: Path, progress: Progress) -> None:
    """Make the table of an encoder's words in ``folder``, which is there as a whole or not at all.

    Raises ``EncoderFault`` if the teacher has no vocabulary of pieces of words, or the folder cannot be written.
    """
    assert teacher.folder is not None
    model = open_model(teacher.folder, device="cpu")
    with as_a_whole(folder) as part:
        _distilled(model, teacher, progress).save_pretrained(part)
        (part / "README.md").unlink()  # tells of a download; and the rest must not depend on where it was made


def _distilled(model: Any, teacher: Located, progress: Progress) -> Any:  # noqa: ANN401  # libraries without types
    stay_silent_and_offline()
    from model2vec.distill import distill_from_model, inference

    body = getattr(model[0], "auto_model", None)
    words: Any = getattr(model[0], "tokenizer", None)
    if body is None or not getattr(words, "is_fast", False):
        problem = f"`{teacher.name}` cannot be distilled: it is no network with a fast tokenizer"
        raise EncoderFault(str(teacher.folder), problem, "distill another encoder")
    with _counted(inference, progress):
        table = distill_from_model(body, words, device="cpu", pca_dims=min(DIMENSIONS, body.config.hidden_size))
    table.config["tokenizer_name"] = teacher.fingerprint  # in place of a path on this machine
    return table


@contextmanager
def _counted(module: Any, progress: Progress) -> Iterator[None]:  # noqa: ANN401
    """Let the library's own progress bar tell ``progress`` in place of the terminal."""

    class Told:
        def __init__(self, total: int, **_: object) -> None:
            self.done, self.total = 0, total

        def update(self, more: int) -> None:
            self.done += more
            progress("distill", self.done, self.total)

    own = module.tqdm
    module.tqdm = Told
    try:
        yield
    finally:
        module.tqdm = own
