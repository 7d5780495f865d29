"""Vectors in the store, by encoder and text."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from .connect import Store, insert_missing
from .corpus import portions
from .schema import vectors

STORED = np.dtype("<f4")


class NoVectorError(KeyError):
    """A text has no vector in the store."""


def text_hash(text: str) -> str:
    """Return the key under which a text's vector is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def without_vector(store: Store, encoder: str, texts: Iterable[str]) -> list[str]:
    """Return the distinct texts that have no vector of this encoder yet, in their order."""
    by_hash = {text_hash(text): text for text in texts}
    with store.reading() as connection:
        have: set[str] = set()
        for some in portions(list(by_hash)):
            query = sa.select(vectors.c.text_hash).where(vectors.c.encoder == encoder, vectors.c.text_hash.in_(some))
            have.update(connection.execute(query).scalars())
    return [text for key, text in by_hash.items() if key not in have]


def put_vectors(store: Store, encoder: str, texts: Sequence[str], rows: NDArray[np.float32]) -> None:
    """Keep the vectors of ``texts``, one row each, in one transaction."""
    values = [
        {"encoder": encoder, "text_hash": text_hash(text), "vector": row.astype(STORED).tobytes()}
        for text, row in zip(texts, rows, strict=True)
    ]
    with store.writing() as connection:
        insert_missing(connection, vectors, values)


def load_vectors(store: Store, encoder: str, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vector of every text, by text. Raises ``NoVectorError`` if one has none."""
    by_hash = {text_hash(text): text for text in texts}
    found: dict[str, NDArray[np.float32]] = {}
    with store.reading() as connection:
        for some in portions(list(by_hash)):
            query = sa.select(vectors.c.text_hash, vectors.c.vector)
            query = query.where(vectors.c.encoder == encoder, vectors.c.text_hash.in_(some))
            for key, raw in connection.execute(query):
                found[key] = np.frombuffer(raw, dtype=STORED).astype(np.float32)
    if missing := by_hash.keys() - found.keys():
        raise NoVectorError(f"{len(missing)} of {len(by_hash)} texts have no vector")
    return {text: found[key] for key, text in by_hash.items()}
