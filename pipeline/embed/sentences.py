"""The encoder that is a sentence-transformers model in a local folder."""

import logging
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EncoderFault
from .encoder import BATCH, encoder_text


class SentenceEncoder:
    """A sentence-transformers model from a local folder; uses a GPU if there is one."""

    def __init__(self, folder: Path, fingerprint: str, *, prompt: str = "") -> None:
        self.fingerprint = fingerprint
        self._prompt = prompt
        self._model = open_model(folder)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text, in the order of the texts."""
        if not texts:
            return np.zeros((0, self._model.get_embedding_dimension() or 0), np.float32)
        rows = self._model.encode(
            [encoder_text(text, self._prompt) for text in texts],
            batch_size=BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(rows, dtype=np.float32)


def open_model(folder: Path, *, device: str | None = None) -> Any:  # noqa: ANN401  # the library has no types
    """Return the SentenceTransformer in a folder, silently. Raises ``EncoderFault`` if it cannot be loaded whole."""
    stay_silent_and_offline()
    from sentence_transformers import SentenceTransformer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library's advice to programmers
        try:
            model = SentenceTransformer(str(folder), device=device, local_files_only=True)
        # What a damaged folder makes the libraries raise is not a documented set: JSON, safetensors, torch, ...
        except Exception as error:
            problem = f"holds no model that can be loaded ({type(error).__name__})"
            remedy = "give the folder that `SentenceTransformer.save` wrote"
            raise EncoderFault(str(folder), problem, remedy) from error
    if _knows_no_word(getattr(model[0], "tokenizer", None)):
        problem = "holds no vocabulary: every word would be an unknown one"
        raise EncoderFault(str(folder), problem, "copy the whole folder, with the files of its tokenizer")
    return model


def _knows_no_word(tokenizer: Any) -> bool:  # noqa: ANN401  # the library has no types
    """Tell whether a tokenizer has nothing but its own signs: what the library makes where its files are missing."""
    signs = getattr(tokenizer, "all_special_ids", None)  # other kinds of tokenizers cannot be without their words
    return signs is not None and len(tokenizer) <= len(set(signs))


def stay_silent_and_offline() -> None:
    """Keep the libraries from asking a hub and from talking; said before they are imported, as they read it then."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    for name in ("sentence_transformers", "transformers", "huggingface_hub", "model2vec", "skeletoken"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as chatter

    chatter.set_verbosity_error()  # type: ignore[no-untyped-call]  # the library has no types here
    chatter.disable_progress_bar()  # type: ignore[no-untyped-call]
