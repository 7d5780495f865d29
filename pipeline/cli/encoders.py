"""What turns texts into vectors: encoder list, encoder distill, adapt."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import (
    JSON,
    STUDY,
    Bars,
    Commands,
    count,
    example,
    loud,
    loudness,
    open_study,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from ..adapt import Adapted


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


@click.command(epilog=example("themescout adapt my-study --use"))
@STUDY
@click.option("--use", "put", is_flag=True, help="Put the adapted encoder into study.toml, if it is better.")
@JSON
@loudness
def adapt(study: Path, *, put: bool, as_json: bool) -> None:
    """Fit the encoder to the study's codebook and decisions, if that makes suggestions better.

    It learns on this machine, for minutes up to an hour, and goes on where it was if it is cut off. Documents are left
    out in turn to see what it would do for new ones; unless that is better by more than noise, nothing changes.
    """
    from .. import adapt as adapting

    session = open_study(study)
    with Bars(hidden=as_json) as progress:
        found = adapting.adapt(session, progress)
    if put and found.folder:
        adapting.use(session.study.file, found.folder)
    if as_json:
        print_json({**asdict(found), "better": bool(found.folder)})
        return
    say(_told(found))
    if found.folder and put:
        say(f"study.toml uses it now; `themescout suggest {study}` makes suggestions with it.")
    elif found.folder:
        say(f'To use it, put this under [embed] in study.toml, or run with --use:\n  encoder = "{found.folder}"')


def _told(found: "Adapted") -> str:
    before, after, gain = found.before, found.after, found.gain
    told = [
        f"Learned from {count(found.passages, 'passage')} of {count(found.documents, 'document')} and "
        f"{count(found.themes, 'definition')}; judged on passages whose documents were left out.",
        f"  mean reciprocal rank   {found.base} {before['mrr']:.3f}, adapted {after['mrr']:.3f}: "
        f"{gain.mean:+.3f} (90% interval {gain.low:+.3f} to {gain.high:+.3f})",
        f"  recall@3               {found.base} {before['recall@3']:.3f}, adapted {after['recall@3']:.3f}",
    ]
    if found.folder:
        told.append(f"Better by more than noise: kept as {found.folder}.")
    else:
        told.append(f"Not better by more than noise: {found.base} stays.")
    return "\n".join(told)
