"""The routes of the filter, and of links that lead to a segment."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..records import SegmentId, TranscriptId
from ..store import finding
from ..store.corpus import Entry, load_segments
from ..transcripts import group
from .desk import Desk, address, line
from .filters import Filter, made, matching, may_see
from .lists import listed
from .orders import mine
from .render import asked_order, desk_of, posted, render, see, text

PAGE = 50  # segments on one page of what a filter finds
REMEMBERED = 50  # texts that were looked for
WORDS = {
    "any": "something is suggested",
    "90": "very likely, 90 % or more",
    "70": "likely, 70 to 90 %",
    "50": "more likely than not, 50 to 70 %",
    "0": "less than 50 %",
    "none": "nothing is suggested",
}
STATES = {
    "open": "open",
    "decided": "decided",
    "coded": "given a theme",
    "nothing": "nothing fits",
    "rejected": "suggestions rejected, no theme given",
    "unsure": "unsure",
}
MEMOS = {"yes": "you have one"}
NAMES = {
    "site": "Site",
    "transcript": "Transcript",
    "speaker": "Speaker",
    "suggested": "Suggested theme",
    "chance": "Suggestion",
    "state": "State",
    "given": "Theme given",
    "memo": "Memo",
    "coder": "Coder",
    "find": "Words",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A condition in words, with the address without it and, where nothing fits, how many segments that finds."""

    name: str
    told: str
    address: str
    found: int | None = None


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/filter", _page, methods=["GET"]),
        Route("/filter", posted(_asked, fields=20), methods=["POST"]),
        Route("/segment/{segment}", _segment, methods=["GET"]),
    ]


def _segment(request: Request) -> Response:
    """Lead to a segment in its transcript."""
    desk = desk_of(request)
    found = load_segments(desk.store, ids=[SegmentId(request.path_params["segment"])])
    if not found:
        raise HTTPException(404)
    return see(address(desk, found[0].transcript, found[0].id, order=asked_order(request)))


def _asked(request: Request, form: FormData) -> Response:
    """Lead to what a filter finds. Words that were typed stay here: the address has a key for them."""
    desk = desk_of(request)
    typed = " ".join(text(form, "words").split())[:1000]
    key = next((key for key, told in desk.searches.items() if told == typed), "") if typed else ""
    if typed and not key:
        key = secrets.token_urlsafe(6)
        desk.searches[key] = typed
        while len(desk.searches) > REMEMBERED:
            desk.searches.pop(next(iter(desk.searches)))
    wanted = made({name: value for name, value in form.items() if isinstance(value, str)} | {"find": key})
    return RedirectResponse(_address(desk, wanted), 303)


def _address(desk: Desk, filter_: Filter, page: int = 1) -> str:
    told = {"order": filter_.value} | ({"page": str(page)} if page > 1 else {})
    return f"{desk.root}/filter?{urlencode(told)}" if filter_.conditions or page > 1 else f"{desk.root}/filter"


def _page(request: Request) -> Response:
    desk = desk_of(request)
    asked = asked_order(request)
    filter_ = asked if isinstance(asked, Filter) else Filter()
    words = desk.searches.get(filter_.find, "")
    # What is listed is what the coder goes through then.
    found = line(desk, filter_, anew=True).segments if filter_.conditions else []
    pages = max(1, ceil(len(found) / PAGE))
    wanted = request.query_params.get("page", "1")[:9]
    page = min(max(int(wanted) if wanted.isascii() and wanted.isdigit() else 1, 1), pages)
    return render(
        request,
        "filter.html",
        filter=filter_,
        words=words,
        forgotten=bool(filter_.find and not words),
        found=len(found),
        rows=listed(desk, found[(page - 1) * PAGE : page * PAGE], filter_),
        conditions=_conditions(desk, filter_, widen=not found),
        choices=_choices(desk),
        page=page,
        pages=pages,
        addresses={at: _address(desk, filter_, at) for at in (page - 1, page + 1) if 1 <= at <= pages},
    )


def _choices(desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """Return what can be chosen, each as its value and its words; only what the person may ask for."""
    entries = mine(desk)
    speakers = sorted({group(label) for label in finding.list_speakers(desk.store)} - {""})
    bands = WORDS if desk.study.review.show_scores else {name: WORDS[name] for name in ("any", "none")}
    return {
        "site": _same(dict.fromkeys(entry.site for entry in entries)),
        "transcript": [(entry.id, f"{entry.site} › {entry.name}") for entry in entries],
        "speaker": _same(speakers),
        "suggested": _same(desk.codebook.names),
        "chance": list(bands.items()),
        "state": list(STATES.items()),
        "given": _same(desk.codebook.names),
        "memo": list(MEMOS.items()),
        "coder": _same(_coders(desk)),
        "by": [("", "as they were said"), ("surest", "surest first"), ("informative", "most informative first")],
    }


def _same(names: Sequence[str] | dict[str, None]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _coders(desk: Desk) -> list[str]:
    allowed = may_see(desk)
    others = finding.list_coders(desk.store) if allowed is None or allowed else []
    return [name for name in others if name != desk.coder]


def _conditions(desk: Desk, filter_: Filter, *, widen: bool) -> list[Condition]:
    entries = {entry.id: entry for entry in mine(desk)}
    made = []
    for name, value in filter_.conditions.items():
        wider = filter_.without(name)
        count = None
        if widen and wider.conditions:
            count = len(matching(desk, wider, desk.searches.get(wider.find, "")))
        told = _told(desk, name, value, entries)
        made.append(Condition(name=NAMES[name], told=told, address=_address(desk, wider), found=count))
    return made


def _told(desk: Desk, name: str, value: str, entries: Mapping[TranscriptId, Entry]) -> str:
    if name == "transcript":
        return entries[TranscriptId(value)].name if value in entries else "one that is not here"
    known = {"chance": WORDS, "state": STATES, "memo": MEMOS, "find": desk.searches}.get(name, {})
    return known.get(value, "forgotten" if name == "find" else value)
