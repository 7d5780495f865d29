"""A study's codebook changed in the store and in its file: both, or neither.

First the store writes down what the file is to say, then the file is replaced, then the store marks that it was. Who is
cut off leaves a file that says the one or the other whole; whoever comes next finishes what was begun, if nobody has
changed the file since. All of it happens in turns at writing, so that of two people at once each has the other's
change before them.
"""

from datetime import UTC, datetime
from pathlib import Path

from .codebook import read_codebook
from .edits import Edit, about, apply, cleaned
from .errors import CodebookFault, Faults
from .records import Codebook
from .rewrite import rewrite
from .store import Store, revisions
from .store.revisions import Revision
from .store.runs import load_codebook


def present(store: Store, file: Path) -> Codebook:
    """Return what the codebook file says, after finishing what was cut off.

    A state that the store does not know is written down as changed in the file. Raises ``Faults`` if the file cannot
    be read.
    """
    finish(store, file)
    codebook = read_codebook(file)
    with store.reading() as connection:
        last = revisions.latest(connection)
    if last is not None and last.revision == codebook.revision:
        return codebook
    with store.writing() as turn:
        fault = _finish(turn, store, file)
        codebook = read_codebook(file)  # while nobody else changes it: what was read above may be past
        last = revisions.latest(turn)
        if last is None or last.revision != codebook.revision:
            changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            before = last.revision if last else ""
            revisions.note(turn, Revision(revision=codebook.revision, before=before, by="", at=changed), codebook)
    if fault is not None:
        raise fault
    return codebook


def revise(store: Store, file: Path, edit: Edit, *, seen: str, by: str, why: str) -> Codebook:
    """Make one change of the codebook, in the store and in its file; return what the codebook says then.

    ``seen`` is what ``edits.about`` said when the person decided. Raises ``CodebookFault`` or ``Faults``, and nothing
    is changed, where the theme says something else by now, the change does not fit, or the file cannot be written.
    """
    edit = cleaned(edit)
    present(store, file)
    with store.writing() as turn:
        _finish(turn, store, file)  # of somebody who is at it just now, or was cut off
        codebook = read_codebook(file)
        if seen and about(codebook, edit) != seen:
            problem = f"theme `{edit.theme}` was changed by somebody else meanwhile, so nothing was written"
            raise CodebookFault("the codebook", problem, "look at it as it is now, and decide again")
        changed = apply(codebook, edit)
        if changed == codebook:
            return codebook
        made = Revision(
            revision=changed.revision,
            before=codebook.revision,
            by=by,
            at=datetime.now(UTC),
            why=why,
            edit=edit.plain,
            written=False,
        )
        number = revisions.note(turn, made, changed)
    finish(store, file)
    if not revisions.was_written(store, number):  # somebody else came to finish it, and could not
        raise CodebookFault(str(file), "could not be written just now, so nothing was changed", "try again")
    return changed


def finish(store: Store, file: Path) -> None:
    """Have the file say what the store last wrote down, if that is still to be done.

    Raises ``Faults`` if it cannot be done; then it is given up. A file that says something else by now stays.
    """
    with store.reading() as connection:
        last = revisions.latest(connection)
    if last is None or last.written:
        return
    with store.writing() as turn:
        fault = _finish(turn, store, file)
    if fault is not None:
        raise fault


def _finish(turn: revisions.Turn, store: Store, file: Path) -> Faults | CodebookFault | None:
    last = revisions.latest(turn)
    if last is None or last.written:
        return None
    try:
        said = read_codebook(file)
        if said.revision == last.before:
            rewrite(file, said, load_codebook(store, last.revision))
        elif said.revision != last.revision:
            problem = "was changed by another program at this moment, so nothing was written"
            raise CodebookFault(str(file), problem, "look at it as it is now, and try again")
    except (Faults, CodebookFault) as fault:
        revisions.drop(turn, last)
        return fault
    revisions.mark_written(turn, last)
    return None
