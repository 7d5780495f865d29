"""What is kept, and how it came about: store upgrade."""

from pathlib import Path

import click

from .terminal import STUDY, example, loudness, say


@click.group(epilog=example("themescout store upgrade my-study"))
def store() -> None:
    """Look after the study's database."""


@store.command(epilog=example("themescout store upgrade my-study"))
@STUDY
@loudness
def upgrade(study: Path) -> None:
    """Bring a store on a database server up to date; do it after a backup, when nobody else works with it.

    An SQLite store is brought up to date by whatever command opens it, after a copy was made beside it.
    """
    from .. import config
    from .. import store as kept

    url = config.load_study(study).store_url
    before = kept.look_at(url)
    kept.open_store(url, create=False, upgrade=True).close()
    after = kept.look_at(url)
    say(f"The store is of schema {after}" + (", as it was." if before == after else f"; it was of {before}."))
