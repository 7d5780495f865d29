"""What turns texts into vectors: encoder list, encoder distill."""

from pathlib import Path

import click

from .terminal import JSON, Bars, Commands, example, loud, loudness, print_json, print_table, say


@click.group(cls=Commands, epilog=example("themescout encoder list"))
def encoder() -> None:
    """Which encoders there are, and making the fast one."""


@encoder.command(name="list", epilog=example("themescout encoder list"))
@JSON
@loudness
def list_(*, as_json: bool) -> None:
    """List the encoders that are known by name, and which of them are on this machine."""
    from .. import embed

    entries = embed.known()
    present = {name: embed.here(name) for name in entries}
    if as_json:
        print_json([{"name": name, **entry, "here": present[name]} for name, entry in entries.items()])
        return
    columns = ("name", "here", "languages", "licence", "dimensions", "max_tokens", "megabytes", "model")
    rows = [
        (name, "yes" if present[name] else "no", _languages(entry["languages"]), *(entry[key] for key in columns[3:]))
        for name, entry in entries.items()
    ]
    if loud():
        print_table(columns, rows)
    say("\nstudy.toml, [embed] encoder: a name, or the folder of a sentence-transformers model on this machine.")
    say("What is not here is fetched once with `allow_download = true`; `static` is made with `encoder distill`.")


def _languages(tags: list[str]) -> str:
    return ", ".join(tags) if len(tags) < 4 else f"{len(tags)} languages"


@encoder.command(epilog=example("themescout encoder distill minilm"))
@click.argument("source", metavar="[FROM]", default="minilm")
@loudness
def distill(source: str) -> None:
    """Make the static encoder of FROM, a name or a folder: very fast, less good, for very many segments.

    It is kept for all studies of this machine. In study.toml it is `static`, or `static:FROM` if FROM is not minilm.
    """
    from .. import embed
    from ..config import EmbedSettings

    name = "static" if source == "minilm" else f"static:{source}"
    located = embed.locate(EmbedSettings(encoder=name), Path.cwd())
    if located.made:
        say(f"Nothing to do: {located.folder} is there.")
        return
    with Bars() as progress:
        made = embed.ready(located, progress)
    say(f"Made {made.folder}; in study.toml: encoder = {name!r}".replace("'", '"'))
