"""What is known of an encoder's way with a language, in words for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .sources import Located, known

ALSO = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "fil": "tl"}  # tags that manifests have under another name
TRY = "code some of it and let `themescout evaluate` tell"
MANY = 5  # languages that are named one by one


def language_note(located: Located, language: str, manifest: Path | None = None) -> str:
    """Return what to expect of an encoder in a language (a BCP-47 tag) that it does not know, "" if it knows it.

    The figure is measured (benchmarks/languages.py) where the manifest has one, and said to be missing where not.
    """
    tag = _plain(language)
    if located.folder is None or tag in map(_plain, located.languages):
        return ""
    if not located.languages:
        return f"it is not known whether encoder {located.name} knows `{language}`; {TRY}"
    entries = known(manifest)
    names = ", ".join(located.languages[:MANY])
    more = f" and {len(located.languages) - MANY} more" if len(located.languages) > MANY else ""
    measured = entries.get(located.known_as, {}).get("measured", {})
    told = f"encoder {located.name} knows {names}{more} and not `{language}`"
    return f"{told}; {_figure(measured, tag)}; {_advice(entries, tag)}"


def _plain(tag: str) -> str:
    base = tag.split("-")[0].lower()
    return ALSO.get(base, base)


def _figure(measured: Mapping[str, Any], tag: str) -> str:
    """Tell how often the right theme comes first, beside English and beside always naming the commonest."""
    if tag not in measured:
        return "how it does there was not measured: expect weak suggestions"
    (first, _), (english, _), (chance, _) = measured[tag], measured["en"], measured["commonest"]
    return (
        f"with English exemplars the right theme came first for {round(100 * first)} of 100 sentences, in English for "
        f"{round(100 * english)}, always naming the commonest for {round(100 * chance)} ({measured['data']})"
    )


def _advice(entries: Mapping[str, Mapping[str, Any]], tag: str) -> str:
    """Name the first listed encoder that knows a language; the list goes from small to large."""
    fitting = [name for name, entry in entries.items() if tag in map(_plain, entry["languages"])]
    if fitting:
        return f"use `{fitting[0]}` (`themescout encoder list` tells how)"
    return f"no listed encoder is known to know it: {TRY}"
