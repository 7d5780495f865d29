"""The routes of the review page: parse, call the store, render. The only place that knows HTTP."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..config import Study
from ..errors import Fault
from ..records import Codebook, Mode, Segment, SegmentId, TranscriptId
from ..store import Store
from ..store.corpus import load_segments, load_transcripts
from ..store.decisions import appending, load_decisions
from . import pages, rooms
from .accounts import Door
from .answers import Ask, decisions_for, moment_after, to_append, undo_last
from .desk import Desk, address, beside, elsewhere, mine, onward, sight_of, states
from .forms import Refused, desk_of, page, render, see, text
from .guard import HEADERS, Guard
from .queue import WHOLE, Progress, Standing, first_to_read, next_open, progress, standing
from .seats import Seats

HERE = Path(__file__).parent


def create_app(
    store: Store, study: Study, codebook: Codebook, *, coder: str | None, token: str, local: bool = True
) -> Starlette:
    """Return the review page of a study; everything lies under ``/{token}/``.

    It is the page of one coder or, without one, of everybody who has an account. ``local`` says that it answers to
    this machine's own names alone.
    """
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    root = f"/{token}"
    routes = [
        Route("/", _index),
        Route("/transcript/{transcript}", _transcript),
        Route("/segment/{segment}", _decide, methods=["POST"]),
        Route("/undo", _undo, methods=["POST"]),
        Route("/next", _next),
        Route("/codebook", _codebook),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    desk = Desk(store=store, study=study, codebook=codebook, coder=coder or "", root=root, templates=templates)
    seats = [Middleware(Seats, desk=desk)] if coder is None else []
    app = Starlette(
        routes=[Mount(root, routes=[*routes, *(rooms.routes() if coder is None else ())])],
        middleware=[Middleware(Guard, token=token, local=local), *seats],
        exception_handlers={
            HTTPException: _failed,
            Refused: _refused,
            Fault: _at_fault,
            ClientDisconnect: _gone,
            Exception: _bug,
        },
    )
    app.state.desk = desk
    app.state.door = Door(store)
    return app


def _failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        return render(request, "plain.html", status=404, title="Not here", told="There is no such page in this study.")
    return render(request, "plain.html", status=error.status_code, title="That does not work", told=error.detail)


def _refused(request: Request, error: Exception) -> Response:
    return render(request, "plain.html", status=400, title="Nothing was written", told=str(error))


def _at_fault(request: Request, error: Exception) -> Response:
    return render(request, "plain.html", status=503, title="The store cannot be used just now", told=str(error))


def _gone(_: Request, __: Exception) -> Response:
    # A browser that was closed while it sent a form: nobody is left to tell.
    return Response(status_code=400)


def _bug(_: Request, __: Exception) -> Response:
    # Made outside of the guard; the traceback goes to whoever started the program.
    told = "Something is wrong with themescout itself. What was decided before is kept. Go back, and report this."
    return PlainTextResponse(told, 500, headers=HEADERS)


def _index(request: Request) -> Response:
    desk = desk_of(request)
    search = request.query_params.get("search", "")[:200]
    page = request.query_params.get("page", "1")[:9]
    entries = mine(desk)
    answers = standing(load_decisions(desk.store, coder=desk.coder))
    done = progress(((s.id, s.transcript) for s in load_segments(desk.store)), answers)
    shown = pages.overview(entries, done, search=search, page=int(page) if page.isascii() and page.isdigit() else 1)
    return render(request, "index.html", overview=shown, search=search, transcripts=len(entries))


def _codebook(request: Request) -> Response:
    desk = desk_of(request)
    return render(request, "codebook.html", themes=desk.codebook.themes)


def _transcript(request: Request) -> Response:
    desk = desk_of(request)
    found = TranscriptId(request.path_params["transcript"])
    transcript = load_transcripts(desk.store, [found]).get(found)
    if transcript is None:
        raise HTTPException(404)
    segments = load_segments(desk.store, found)
    answers = standing(load_decisions(desk.store, transcript=found, coder=desk.coder))
    current = _current(request, segments, answers)
    cut = pages.passages(segments, answers)
    values: dict[str, object] = {
        "transcript": transcript,
        "found": found,  # asked of the record, its id would be computed anew for every segment
        "here_at": f"{desk.root}/transcript/{found}",
        "document": pages.document(transcript, cut),
        "progress": progress(((s.id, s.transcript) for s in segments), answers).get(found, Progress()),
        "current": next((passage for passage in cut if current and passage.segment.id == current.id), None),
        "next_open": next_open([s.id for s in segments], states(segments, answers), current.id if current else None),
        **beside(desk, found, segments, current),
    }
    if current:
        values |= _panel(desk, current, answers.get(current.id, {}))
    return page(request, "transcript.html", values)


def _current(request: Request, segments: Sequence[Segment], answers: Mapping[SegmentId, Standing]) -> Segment | None:
    wanted = request.query_params.get("segment", "")
    if wanted in ("first", "last") and segments:
        return segments[0 if wanted == "first" else -1]
    found = next((segment for segment in segments if segment.id == wanted), None)
    return found or first_to_read(segments, answers)


def _panel(desk: Desk, segment: Segment, stands: Standing) -> dict[str, object]:
    themes = {theme.name: theme for theme in desk.codebook.themes}
    sight = sight_of(desk, segment)
    made = pages.offers(sight.suggestions, stands, themes)
    listed = {offer.theme.name for offer in made}
    return {
        "offers": made,
        "seen": sight.seen,
        "stands": {theme: decision.answer.value for theme, decision in stands.items()},
        "others": [(theme, d.answer.value) for theme, d in stands.items() if theme not in listed and theme != WHOLE],
        "themes": desk.codebook.themes,
    }


async def _decide(request: Request) -> Response:
    form = await request.form(max_fields=10, max_files=0)
    return await run_in_threadpool(_decided, request, form)


def _decided(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    found = load_segments(desk.store, ids=[SegmentId(request.path_params["segment"])])
    if not found:
        raise Refused("This study has no such segment.")
    segment = found[0]
    shown_at = _shown_at(form)
    # Two quick clicks, or two programs of one coder, must not both find the segment as it was.
    with desk.writing, appending(desk.store) as append:
        before = load_decisions(desk.store, transcript=segment.transcript, coder=desk.coder)
        stands = standing(before).get(segment.id, {})
        ask, theme = _asked(form, desk.codebook.names, stands)
        sight = sight_of(desk, segment)
        changed = see(address(desk, segment.transcript, segment.id, note="changed"))
        if _seen(form) != sight.seen:
            return changed
        try:
            wanted = to_append(ask, theme, sight, stands)
        except LookupError:
            return changed
        now = moment_after(datetime.now(UTC), before)
        seconds = max(0.0, round(now.timestamp() - shown_at, 3))
        append(decisions_for(wanted, sight, at=now, seconds=seconds))
    if request.query_params.get("go") != "next":
        return see(address(desk, segment.transcript, segment.id))
    return see(onward(desk, segment))


def _asked(form: FormData, names: Sequence[str], stands: Standing) -> tuple[Ask, str]:
    """Return what a form asks for. Raises ``Refused`` for what no form of ours says."""
    try:
        ask = Ask(text(form, "answer"))
    except ValueError:
        raise Refused("The form does not say what to do with the segment.") from None
    theme = text(form, "theme").strip()
    if ask in (Ask.NOTHING, Ask.REJECT_ALL):
        return ask, WHOLE
    if theme in names or (ask in (Ask.UNSURE, Ask.TAKE_BACK) and theme == WHOLE):
        return ask, theme
    if ask is Ask.TAKE_BACK and theme in stands:  # given under an earlier codebook
        return ask, theme
    alike = [name for name in names if name.casefold() == theme.casefold()]
    if ask is Ask.ADD and len(alike) == 1:
        return ask, alike[0]
    if not theme:
        raise Refused("Choose a theme first.")
    raise Refused(
        f"The codebook has no theme \N{LEFT DOUBLE QUOTATION MARK}{theme[:100]}\N{RIGHT DOUBLE QUOTATION MARK}."
    )


def _shown_at(form: FormData) -> float:
    """Return when the page with this form was rendered, in seconds since 1970."""
    told = text(form, "at")
    if not (told.isascii() and told.isdigit() and len(told) < 20):
        raise Refused("The form is incomplete.")
    return int(told) / 1e6


def _seen(form: FormData) -> str:
    """Return which suggestions were on the page with this form."""
    if not (told := text(form, "seen")):
        raise Refused("The form is incomplete.")
    return told


async def _undo(request: Request) -> Response:
    form = await request.form(max_fields=10, max_files=0)
    return await run_in_threadpool(_undone, request, form)


def _undone(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    shown_at = _shown_at(form)
    with desk.writing, appending(desk.store) as append:
        decisions = [d for d in load_decisions(desk.store, coder=desk.coder) if d.mode is not Mode.ADJUDICATION]
        # The same form sent twice must not go back two steps.
        stale = bool(decisions) and decisions[-1].decided_at.timestamp() > shown_at + 1e-5
        rows = [] if stale else undo_last(decisions, at=moment_after(datetime.now(UTC), decisions))
        append(rows)
    note = "stale" if stale else "undone" if rows else "nothing-to-undo"
    asked = text(form, "segment")
    touched = rows[0].segment if rows else SegmentId(asked)
    found = load_segments(desk.store, ids=[touched])
    return see(address(desk, found[0].transcript, touched, note=note) if found else f"{desk.root}/?note={note}")


def _next(request: Request) -> Response:
    """Lead to the next open segment after a transcript, wherever it is."""
    desk = desk_of(request)
    after = TranscriptId(request.query_params.get("after", ""))
    return see(elsewhere(desk, after))
