"""The routes of the review page where segments are decided: parse, call the store, render."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..config import Study
from ..errors import Fault
from ..records import Answer, Codebook, Mode, Segment, SegmentId, TranscriptId
from ..store import Store
from ..store.corpus import load_segments, load_transcripts
from ..store.decisions import appending, load_decisions
from ..store.reveals import reveal
from . import filtering, lists, memos, noting, pages, revising, rooms, slots, spans
from .accounts import Door
from .answers import Ask, decisions_for, moment_after, to_append, undo_last
from .desk import Desk, address, ahead, along, beside, elsewhere, hold, led_to, line, onward, sight_of
from .filters import Way
from .guard import Guard
from .learn import Learner
from .orders import Encoding, Order
from .own import Reading, as_read, read
from .queue import WHOLE, Progress, Standing, first_to_read, progress
from .render import (
    Refused,
    asked_order,
    at_fault,
    bug,
    desk_of,
    failed,
    gone,
    page,
    posted,
    refused,
    see,
    seen,
    sent_as,
    shown_at,
    templates,
    text,
)
from .seats import Seats
from .shelf import Shelf

HERE = Path(__file__).parent
AWAY = (
    "This segment is from another transcript; you go back afterwards. "
    "What you have decided here is kept, and not shown just now."
)


def create_app(
    store: Store,
    study: Study,
    codebook: Codebook,
    *,
    coder: str | None,
    token: str,
    encoding: Encoding | None = None,
    local: bool = True,
    learner: Learner | None = None,
) -> Starlette:
    """Return the review page of a study; everything lies under ``/{token}/``.

    It is the page of one coder or, without one, of everybody who has an account. ``local`` says that it answers to
    this machine's own names alone. The ``learner`` hears of every decision.
    """
    root = f"/{token}"
    routes = [
        Route("/", lists.overview),
        Route("/transcript/{transcript}", _transcript),
        Route("/segment/{segment}", posted(_decided, fields=10), methods=["POST"]),
        Route("/undo", posted(_undone, fields=10), methods=["POST"]),
        Route("/next", _next),
        *spans.routes(),
        *noting.routes(),
        Route("/codebook", lists.codebook),
        Route("/nothing-fits", lists.nothing_fits),
        Route("/similar/{segment}", lists.similar),
        Route("/search", lists.search, methods=["GET", "POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
        *filtering.routes(),
        *revising.routes(),
    ]
    desk = Desk(
        store=store,
        study=study,
        codebook=codebook,
        coder=coder or "",
        encoding=encoding,
        root=root,
        templates=templates(),
        learns=learner is not None,
    )
    seats = [Middleware(Seats, desk=desk)] if coder is None else []
    app = Starlette(
        routes=[Mount(root, routes=[*routes, *(rooms.routes() if coder is None else ())])],
        middleware=[Middleware(Guard, token=token, local=local), *seats],
        exception_handlers={
            HTTPException: failed,
            Refused: refused,
            Fault: at_fault,
            ClientDisconnect: gone,
            Exception: bug,
        },
        lifespan=_beside(learner),
    )
    app.state.desk = desk
    app.state.door = Door(store)
    app.state.shelf = Shelf(store, study.codebook_file, codebook)
    app.state.learner = learner
    return app


def _beside(learner: Learner | None) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what lets the learner work as long as the page is served."""

    @asynccontextmanager
    async def lasting(_: Starlette) -> AsyncIterator[None]:
        if learner:
            learner.start()
        yield
        if learner:
            await run_in_threadpool(learner.end)

    return lasting


def _transcript(request: Request) -> Response:
    desk = desk_of(request)
    found = TranscriptId(request.path_params["transcript"])
    transcript = load_transcripts(desk.store, [found]).get(found)
    if transcript is None:
        raise HTTPException(404)
    slot = slots.active(desk)
    reading = read(desk, found, slot)
    current = _current(request, reading.units, reading.answers)
    away = slots.is_away(desk, slot, reading.stands_for(current) if current else None)
    if away and current:  # whether the coder has read this transcript before would tell why the segment comes
        reading = reading.only(reading.family(current))
    answers, units = reading.answers, reading.units
    cut = pages.passages(units, answers, {span.id for span in reading.spans})
    order = asked_order(request)
    here = reading.home(current) if current and order else current  # an order holds the machine's segments alone
    values: dict[str, Any] = {
        "transcript": transcript,
        "direction": pages.direction(transcript.language),
        "found": found,  # asked of the record, its id would be computed anew for every segment
        "here_at": f"{desk.root}/transcript/{found}",
        "progress": progress(((s.id, s.transcript) for s in units), answers).get(found, Progress()),
        "current": next((passage for passage in cut if current and passage.segment.id == current.id), None),
        "instead_of": [p for p in cut if p.span and current and reading.cut_from(p.segment.id) == current.id],
        "next_open": _next_open(desk, found, current, order),
        "place": _place(desk, order, here),
        "ahead": ahead(desk, units, answers, here, order),
        **beside(desk, found, units, here, order),
        **memos.beside(desk, reading, transcript, current, away),
    }
    if away and not request.query_params.get("note"):
        values["note"] = AWAY
    if current:
        values |= _panel(request, current, reading)
    carried = pages.carried(current, values["offers"]) if current else []
    drawn = pages.document(transcript, cut, carried, current.id if current else None)
    return page(request, "transcript.html", values | {"document": drawn, "several": len({n for n, _ in carried}) > 1})


def _next_open(desk: Desk, found: TranscriptId, current: Segment | None, order: Way) -> str:
    """Return the address that leads to the next open segment."""
    told = {"order": order.value, "from": current.id if current else "", "after": "" if current or order else found}
    return f"{desk.root}/next?" + urlencode({name: value for name, value in told.items() if value})


def _place(desk: Desk, order: Way, current: Segment | None) -> tuple[int, int] | None:
    """Return at which place of its order the current segment stands, and of how many."""
    if order is Order.TRANSCRIPT or current is None:
        return None
    made = line(desk, order)
    return made.place.get(current.id, -1) + 1, len(made.segments)


def _current(request: Request, segments: Sequence[Segment], answers: Mapping[SegmentId, Standing]) -> Segment | None:
    wanted = request.query_params.get("segment", "")
    if wanted in ("first", "last") and segments:
        return segments[0 if wanted == "first" else -1]
    found = next((segment for segment in segments if segment.id == wanted), None)
    return found or first_to_read(segments, answers)


def _panel(request: Request, segment: Segment, reading: Reading) -> dict[str, Any]:
    desk = desk_of(request)
    themes = {theme.name: theme for theme in desk.codebook.themes}
    run = request.query_params.get("run", "")
    own = reading.own(segment.id)
    # A page that is fetched ahead is not on the screen yet.
    ahead_only = "ahead" in request.query_params
    sight = sight_of(desk, segment, run=run, own=own) if ahead_only else hold(desk, segment, run, own)
    said = reading.answers.get(segment.id, {})
    # That a span was marked, or a segment cut otherwise, is no answer to take back by itself.
    stands = {theme: d for theme, d in said.items() if d.answer not in (Answer.SPAN, Answer.CUT)}
    made = pages.offers(sight.suggestions, stands, themes)
    listed = {offer.theme.name for offer in made}
    return {
        "offers": made,
        "seen": sight.seen,
        "run": sight.run,
        "stands": {theme: decision.answer.value for theme, decision in stands.items()},
        "others": [(theme, d.answer.value) for theme, d in stands.items() if theme not in listed and theme != WHOLE],
        "themes": desk.codebook.themes,
        "own": own,
        **revising.panel(request, segment, stands),
    }


def _decided(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    found = load_segments(desk.store, ids=[SegmentId(request.path_params["segment"])])
    if not found:
        raise Refused("This study has no such segment.")
    segment, order = found[0], asked_order(request)
    began = shown_at(form)
    # Two quick clicks, or two programs of one coder, must not both find the segment as it was.
    with desk.writing, appending(desk.store) as append:
        before = load_decisions(desk.store, transcript=segment.transcript, coder=desk.coder)
        reading = as_read(desk, segment.transcript, before, slots.active(desk))
        sight = sight_of(desk, segment, order, text(form, "run"), own=reading.own(segment.id))
        if not (sent := sent_as(form)) or all(row.request != sent for row in before):
            if segment.id in reading.others:
                raise Refused("This study has no such segment.")
            stands = reading.answers.get(segment.id, {})
            changed = see(address(desk, segment.transcript, segment.id, note="changed", order=order))
            if seen(form) != sight.seen:  # also where a theme has another name than on the page
                return changed
            ask, theme = _asked(form, desk.codebook, stands)
            try:
                wanted = to_append(ask, theme, sight, stands)
            except LookupError:
                return changed
            now = moment_after(datetime.now(UTC), before)
            seconds = max(0.0, round(now.timestamp() - began, 3))
            append(decisions_for(wanted, sight, at=now, seconds=seconds, request=sent))
    desk.held.clear()
    desk.held[segment.id] = sight.run  # the page that follows shows the same
    if learner := request.app.state.learner:
        learner.decided(desk, reading.home(segment), order)
    if request.query_params.get("go") != "next":
        return see(address(desk, segment.transcript, segment.id, order=order))
    if sight.closed:
        reveal(desk.store, desk.coder, segment.id, sight.run)
        return see(address(desk, segment.transcript, segment.id, note="revealed", order=order))
    return see(onward(desk, segment, order))


def _asked(form: FormData, codebook: Codebook, stands: Standing) -> tuple[Ask, str]:
    """Return what a form asks for. Raises ``Refused`` for what no form of ours says."""
    try:
        ask = Ask(text(form, "answer"))
    except ValueError:
        raise Refused("The form does not say what to do with the segment.") from None
    names, theme = codebook.names, text(form, "theme").strip()
    if ask is Ask.ADD:  # the page may be older than the theme's name
        theme = codebook.current.get(theme, theme)
    if ask in (Ask.NOTHING, Ask.REJECT_ALL, Ask.DONE):
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


def _undone(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    began, sent = shown_at(form), sent_as(form)
    with desk.writing, appending(desk.store) as append:
        decisions = [d for d in load_decisions(desk.store, coder=desk.coder) if d.mode is not Mode.ADJUDICATION]
        rows = [d for d in decisions if sent and d.request == sent]  # written before, and sent again
        # The same form sent twice must not go back two steps; what was sent just before it, it knows of.
        known = bool(decisions) and decisions[-1].request in text(form, "after").split()
        stale = bool(decisions) and not known and decisions[-1].decided_at.timestamp() > began + 1e-5
        if not rows and not stale:
            rows = undo_last(decisions, at=moment_after(datetime.now(UTC), decisions), request=sent)
            append(rows)
    note = "undone" if rows else "stale" if stale else "nothing-to-undo"
    asked = text(form, "segment")
    # Of several that were touched, what stands again and can be decided on.
    stand = [row for row in rows if row.answer not in (Answer.UNDO, Answer.CUT)]
    touched = next((row.segment for row in (*stand, *rows)), SegmentId(asked))
    found = load_segments(desk.store, ids=[touched])
    if not found:
        return see(f"{desk.root}/?note={note}")
    there = read(desk, found[0].transcript, slots.active(desk)).there(found[0])  # a span that was undone is gone
    return see(address(desk, found[0].transcript, there.id, note=note, order=asked_order(request)))


def _next(request: Request) -> Response:
    """Lead to the next open segment: from a segment, after a transcript, or from wherever the coder left off."""
    desk = desk_of(request)
    order = asked_order(request)
    if here := load_segments(desk.store, ids=[SegmentId(request.query_params.get("from", ""))]):
        return see(onward(desk, here[0], order))
    if slot := slots.pending(desk):
        return see(led_to(desk, slot, order))
    if order is not Order.TRANSCRIPT:
        return see(along(desk, order))
    return see(elsewhere(desk, TranscriptId(request.query_params.get("after", ""))))
