"""The contract of every encoder, the texts it sees, and the encoder that needs no model."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BATCH = 32  # texts that go through the network together
PORTION = 16 * BATCH  # texts that are encoded, and kept, together: what a crash can lose


class Encoder(Protocol):
    """Whatever turns texts into vectors."""

    fingerprint: str  # the same for encoders that give the same vectors

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text, in the order of the texts."""
        ...


def encoder_text(text: str, prompt: str = "") -> str:
    """Return what an encoder sees of a text: the same words with every run of white space as one space.

    >>> encoder_text("We  waited\\n an hour", "query:")
    'query: We waited an hour'
    """
    return " ".join([*prompt.split(), *text.split()])


def in_portions(texts: Iterable[str]) -> list[list[str]]:
    """Return the distinct texts in portions of similar length, longest first.

    Texts of one length waste no time on padding. The order depends on the texts alone, so work that was cut off
    between two portions goes on with the very portions it would have had, and gives bit-identical vectors.
    """
    ordered = sorted(set(texts), key=lambda text: (-len(text), text))
    return [ordered[at : at + PORTION] for at in range(0, len(ordered), PORTION)]


class HashingEncoder:
    """Words hashed into a few dimensions: quick, the same everywhere, and without any notion of meaning.

    Texts that share words are near each other. It stands in for a model in tests and trials.
    """

    fingerprint = "hashing-256"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text (a text without words points in a fixed direction)."""
        rows = np.zeros((len(texts), 256), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                at = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:4], "big")
                row[at % 256] += 1.0 if at & 0x100 else -1.0
        return of_length_one(rows)


def of_length_one(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1 that point where ``rows`` do; a row of zeros gets a fixed direction.

    Such a row is a text without words, or one whose words cancelled each other out.
    """
    rows = np.array(rows, dtype=np.float32)
    rows[~rows.any(axis=1), 0] = 1.0
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
