"""The routes of memos: written beside a segment, on a theme, on a transcript; and a coder's own ones in a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..memos import LONGEST, About, Memo, Noted, cleaned, noted, versions
from ..records import SegmentId, TranscriptId
from ..store.corpus import list_transcripts, load_segments, load_transcripts
from ..store.memos import load_memos, noting
from . import pages, slots
from .desk import Desk, address
from .filters import words_of
from .lists import listed
from .memos import by_segment, on_segment, on_theme, on_transcript, read_again
from .orders import Order
from .own import read
from .render import Refused, asked_order, desk_of, posted, render, see, sent_as, text

MOST = 200  # memos in the list


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/memo", posted(_written, fields=10), methods=["POST"]),
        Route("/memos", _list, methods=["GET"]),
        Route("/memos", posted(_found, fields=5), methods=["POST"]),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Box:
    """Where a memo was written: what it is on, what may be read of it, and where the coder goes on."""

    parts: Sequence[About]
    memos: Sequence[Memo]
    back: str  # an address to which a note can be added


def _written(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    typed, sent = cleaned(text(form, "memo")), sent_as(form)
    if len(typed) > LONGEST:
        told = f"A memo holds up to {LONGEST:,} characters, and this one has {len(typed):,}."
        raise Refused(f"{told} Go back: it is still in its box, and can be shortened or divided.")
    with desk.writing, noting(desk.store) as append:
        box = _box(request, form)
        if not sent or all(memo.request != sent for memo in box.memos):
            now = datetime.now(UTC)
            draft = Memo(coder=desk.coder, about=box.parts[0], text=typed, written_at=now, request=sent)
            append(made := versions(draft, cleaned(text(form, "base")), box.memos, box.parts))
            box = _Box(parts=box.parts, memos=[*box.memos, *made], back=box.back)
    stands = noted(box.memos, box.parts).text
    note = ("memo" if typed else "memo-away") if stands == typed else "memo-both" if typed else "memo-kept"
    path, mark, place = box.back.partition("#")
    return see(f"{path}{'&' if '?' in path else '?'}note={note}{mark}{place}")


def _box(request: Request, form: FormData) -> _Box:
    """Return the memo that a form is about. Raises ``Refused`` for what no form of ours says."""
    desk, order = desk_of(request), asked_order(request)
    found = load_segments(desk.store, ids=[SegmentId(text(form, "segment"))])
    if key := TranscriptId(text(form, "transcript")):
        read_of = load_transcripts(desk.store, [key]).get(key)
        if read_of is None:
            raise Refused("This study has no such transcript.")
        memos = load_memos(desk.store, coder=desk.coder, place=(read_of.site, read_of.name))
        back = address(desk, key, found[0].id, order=order) if found else f"{desk.root}/transcript/{key}"
        return _Box(parts=on_transcript(read_of), memos=memos, back=back)
    if theme := text(form, "theme"):
        if theme not in desk.codebook.names:
            raise Refused("The codebook has no such theme any more. What you wrote is still in its box: go back.")
        parts = on_theme(theme, desk.codebook)
        memos = load_memos(desk.store, coder=desk.coder, themes=[part.theme for part in parts])
        return _Box(parts=parts, memos=memos, back=f"{desk.root}/codebook/theme?{urlencode({'theme': theme})}")
    reading = read(desk, found[0].transcript, slots.active(desk)) if found else None
    if reading is None or found[0].id in reading.others:
        raise Refused("This study has no such segment.")
    memos = load_memos(desk.store, coder=desk.coder, segment=found[0].id)
    back = address(desk, found[0].transcript, found[0].id, order=order)
    return _Box(parts=on_segment(found[0].id, reading.again), memos=memos, back=back)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A memo in the list of a coder's memos."""

    text: str
    told: str  # what it is on
    address: str
    row: pages.Listed | None = None  # of a segment


def _list(request: Request) -> Response:
    return _listed(request, "")


def _found(request: Request, form: FormData) -> Response:
    return _listed(request, " ".join(text(form, "words").split())[:1000])


def _listed(request: Request, words: str) -> Response:
    desk = desk_of(request)
    memos = load_memos(desk.store, coder=desk.coder)
    said = by_segment(memos, read_again(desk))
    sought = [word.lower() for word in words_of(words)]

    def fits(one: Noted) -> bool:
        return bool(one.text) and all(word in one.text.lower() for word in sought)

    latest_first = list(dict.fromkeys(memo.about.segment for memo in reversed(memos) if memo.about.segment))
    segments = [segment for segment in latest_first if fits(said[segment])]
    rows = {row.segment.id: row for row in listed(desk, segments[:MOST], Order.TRANSCRIPT)}
    entries = [one for one in _elsewhere(desk, memos) if fits(Noted(text=one.text))]
    entries += [
        Entry(text=said[key].text, told=rows[key].place, address=rows[key].address, row=rows[key])
        for key in segments
        if key in rows
    ]
    count = len(segments) - len(rows) + len(entries)
    return render(request, "memos.html", entries=entries[:MOST], count=count, words=words, any=bool(memos))


def _elsewhere(desk: Desk, memos: Sequence[Memo]) -> list[Entry]:
    """Return the memos on transcripts and themes; on themes that the codebook has no more, too."""
    ids: Mapping[tuple[str, str], TranscriptId] = {(e.site, e.name): e.id for e in list_transcripts(desk.store)}
    made = []
    for about in dict.fromkeys(memo.about for memo in memos if memo.about.document):
        key = ids.get((about.site, about.document))
        link = f"{desk.root}/transcript/{key}" if key else ""
        told = f"{about.site} › {about.document}"
        made.append(Entry(text=noted(memos, [about]).text, told=told, address=link))
    current = desk.codebook.current
    for theme in dict.fromkeys(current.get(memo.about.theme, memo.about.theme) for memo in memos if memo.about.theme):
        known = theme in desk.codebook.names
        parts = on_theme(theme, desk.codebook)
        link = f"{desk.root}/codebook/theme?{urlencode({'theme': theme})}" if known else ""
        made.append(Entry(text=noted(memos, parts).text, told=theme, address=link))
    return made
