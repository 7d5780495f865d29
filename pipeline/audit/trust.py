"""Whether a study's decisions are still those that were made: the trail by itself, and beside an earlier report."""

import json
from pathlib import Path
from typing import Any

from .. import store
from ..errors import Fault, StoreFault
from ..store import trail
from ..store.trail import Head

REMEDY = "compare with a copy of the store from before, and do not rely on what was decided from there on"


def head_of(report: Path) -> Head:
    """Return where the trail stood when a report.json was made. Raises ``Fault`` if the file does not say."""
    try:
        told: Any = json.loads(report.read_text(encoding="utf-8-sig"))
        head = told["trail"]
        return Head(count=_count(head["count"]), hash=str(head["hash"]))
    except OSError as error:
        raise Fault(str(report), f"cannot be read: {error.strerror}", "give a report.json of an audit") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        problem = "does not say where the audit trail stood"
        raise Fault(str(report), problem, "give a report.json that `themescout audit` wrote") from error


def _count(told: object) -> int:
    """Return how many decisions an audit counted: there is none of none. Raises ``ValueError`` if that is no number."""
    if not isinstance(told, int) or told < 1:
        raise ValueError(told)
    return told


def verified(url: str, place: str, known: Head | None = None) -> Head:
    """Return where the trail stands, if every decision in it is as it was written and none is missing.

    Raises ``StoreFault``, which names the first decision that is not, or if there is no store. That none is missing
    at the end shows only with a ``known`` head.
    """
    if not store.has_store(url):
        raise StoreFault(place, "there is no store yet", "`themescout suggest STUDY` makes it")
    opened = store.open_store(url, create=False)
    try:
        found = trail.verify(opened, known)
    finally:
        opened.close()
    if found.broken is not None:
        raise StoreFault(f"{opened.place}, decision {found.broken:,}", found.why, REMEDY)
    return found.head
