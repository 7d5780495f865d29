"""The routes of the review page that list transcripts, themes and segments."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..errors import EncoderFault
from ..records import Segment, SegmentId, digest
from ..store.corpus import list_transcripts, load_segments, load_spans
from ..store.decisions import load_decisions
from ..store.people import Rights
from ..store.revisions import list_proposals
from . import pages, slots
from .again import to_look_at
from .desk import Desk, address
from .filters import Way
from .orders import Order, like_segment, like_text, mine, unexplained
from .own import with_spans
from .queue import progress, standing
from .render import desk_of, render

if TYPE_CHECKING:
    from ..rank.order import Hit

HITS = 20  # segments that are listed as resembling an example
LONGEST = 5000  # characters of an example: encoders read less
CLUSTERS = 20  # that are listed, those of most transcripts first


def overview(request: Request) -> Response:
    """Show the transcripts, and the ways to go on."""
    desk = desk_of(request)
    search = request.query_params.get("search", "")[:200]
    page = request.query_params.get("page", "1")[:9]
    entries = mine(desk)
    answers = standing(load_decisions(desk.store, coder=desk.coder))
    units = with_spans(load_segments(desk.store), load_spans(desk.store), answers)
    done = progress(((unit.id, unit.transcript) for unit in units), answers)
    shown = pages.overview(entries, done, search=search, page=int(page) if page.isascii() and page.isdigit() else 1)
    again = len(to_look_at(desk))
    return render(request, "index.html", overview=shown, search=search, transcripts=len(entries), again=again)


def codebook(request: Request) -> Response:
    """Show the codebook."""
    desk = desk_of(request)
    waiting = sum(one.accepted is None for one in list_proposals(desk.store)) if desk.rights is Rights.LEAD else 0
    anchors = {name: anchor(name) for name in desk.codebook.names}
    return render(request, "codebook.html", themes=desk.codebook.themes, waiting=waiting, anchors=anchors)


def anchor(theme: str) -> str:
    """Return the id of a theme's section on the page of the codebook."""
    return f"theme-{digest('anchor', theme)}"


def nothing_fits(request: Request) -> Response:
    """Show the segments that no theme explains, in clusters of like ones."""
    desk = desk_of(request)
    clusters = unexplained(desk)[:CLUSTERS]
    rows = listed(desk, [segment for cluster in clusters for segment in cluster.segments], Order.NOTHING_FITS)
    by_id = {row.segment.id: row for row in rows}
    shown = [(cluster, [by_id[segment] for segment in cluster.segments]) for cluster in clusters]
    return render(request, "nothing_fits.html", clusters=shown)


def similar(request: Request) -> Response:
    """Show the segments that resemble another one."""
    desk = desk_of(request)
    found = load_segments(desk.store, ids=[SegmentId(request.path_params["segment"])])
    if not found:
        raise HTTPException(404)
    hits = like_segment(desk, found[0], HITS)
    (example,) = listed(desk, [found[0].id], Order.TRANSCRIPT)
    return _found(request, hits, example=example)


async def search(request: Request) -> Response:
    """Show the segments that resemble a text, which comes in a form: an address would be kept in the history."""
    text = ""
    if request.method == "POST":
        told = (await request.form(max_fields=10, max_files=0)).get("text", "")
        text = told.strip()[:LONGEST] if isinstance(told, str) else ""
    return await run_in_threadpool(_searched, request, text)


def _searched(request: Request, text: str) -> Response:
    desk = desk_of(request)
    if not text:
        return _found(request, [])
    try:
        return _found(request, like_text(desk, text, HITS), text=text)
    except EncoderFault as fault:
        return _found(request, [], text=text, fault=str(fault), status=503)


def _found(
    request: Request,
    hits: Sequence["Hit"],
    *,
    example: pages.Listed | None = None,
    text: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    desk = desk_of(request)
    rows = listed(desk, [hit.segment for hit in hits], Order.TRANSCRIPT)
    return render(request, "similar.html", status=status, rows=rows, example=example, text=text, fault=fault)


def listed(desk: Desk, segments: Sequence[SegmentId], order: Way) -> list[pages.Listed]:
    """Return segments as they are listed, with what the coder made of them, and nothing of what the machine thinks."""
    pieces = {piece.id: piece for piece in load_segments(desk.store, ids=list(segments))}
    entries = {entry.id: entry for entry in list_transcripts(desk.store)}
    again = slots.read_again(slots.active(desk))
    answers = standing(load_decisions(desk.store, coder=desk.coder, among=list(segments)), again)

    def row(piece: Segment) -> pages.Listed:
        entry = entries.get(piece.transcript)
        return pages.Listed(
            segment=piece,
            place=f"{entry.site} › {entry.name}" if entry else "",
            address=address(desk, piece.transcript, piece.id, order=order),
            marks=pages.marks(answers.get(piece.id, {})),
        )

    return [row(pieces[segment]) for segment in segments if segment in pieces]
