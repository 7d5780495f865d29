"""Forms in, templates -> responses out, also where something went wrong."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from ..records import digest
from .desk import Desk
from .filters import Filter, Way, way
from .guard import HEADERS
from .orders import Order

HERE = Path(__file__).parent
NOTES = {
    "undone": "Taken back.",
    "nothing-to-undo": "There is nothing left to take back.",
    "revealed": "Your answer is written. This is what is suggested: change your answer if you like, then go on.",
    "stale": "That page was out of date, so nothing was changed. This is how things stand.",
    "changed": "The suggestions have changed meanwhile, so nothing was written. Please look again.",
    "span": "Your span. The machine's segments stay as they are.",
    "split": "Split in two. Decide on each.",
    "span-there": "You have a span of just these words. Here it is.",
    "segment-there": "The machine cut just these words: code its segment.",
    "span-away": "The span is away.",
    "memo": "Your memo is written.",
    "memo-away": "Your memo is away.",
    "memo-both": "This memo was changed in another window meanwhile. It says now what was written there and here.",
    "memo-kept": "This memo was changed in another window meanwhile, so it was not taken away.",
    "next-transcript": "Nothing is open in the transcript before this one. Here is the next.",
    "done": "Nothing is open any more.",
    "order-done": "Nothing is open any more in that order.",
    "filter-done": "That was the last one. This is what the filter finds now.",
    "exemplar": "It is an exemplar in the codebook now. Suggestions go by it when `themescout suggest` has run.",
    "near-miss": "It is a near miss in the codebook now. Suggestions go by it when `themescout suggest` has run.",
    "proposed": "Your proposal is written down. It takes effect when the lead accepts it.",
    "revised": "The codebook says so now. Suggestions go by it when `themescout suggest` has run.",
    "declined": "Written down as declined.",
    "assigned": "Written down who reads what.",
    "opened": "The coders of this transcript may see each other's answers now.",
    "closed": "The coders of this transcript do not see each other's answers any more.",
    "settled": "Written down as adjudicated. What the coders said stays as they said it.",
}
ORDERS = {
    Order.TRANSCRIPT: "As they were said",
    Order.SUREST: "Surest first",
    Order.INFORMATIVE: "Most informative first",
    Order.NOTHING_FITS: "Nothing fits",
    Order.LOOK_AGAIN: "Look again",
}


class Refused(Exception):
    """A request that the page's own forms do not make; says why in plain words."""


def desk_of(request: Request) -> Desk:
    """Return the desk of whoever asks, with the codebook as it is now."""
    kept: Desk | None = request.scope.get("present desk")
    if kept is not None:
        return kept
    desk: Desk = request.scope.get("desk") or request.app.state.desk
    codebook = request.app.state.shelf.now()  # the same one until the request is answered
    desk = desk if codebook is desk.codebook else replace(desk, codebook=codebook)
    request.scope["present desk"] = desk
    return desk


def templates() -> Environment:
    """Return the page's templates."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page."""
    return page(request, template, values, status=status)


def page(request: Request, template: str, values: Mapping[str, object], *, status: int = 200) -> Response:
    """Return a page; what every template needs is added."""
    desk = desk_of(request)
    note = NOTES.get(request.query_params.get("note", ""), "")
    order = asked_order(request)
    always = {
        "root": desk.root,
        "study": desk.study,
        "coder": desk.coder,
        "who": digest("who", desk.study.name, str(desk.study.folder), desk.coder),
        "rights": desk.rights.value if desk.rights else "",
        "note": note,
        "at": time.time_ns() // 1000,
        "orders": {order.value: told for order, told in ORDERS.items()},
        "codebook_fault": request.app.state.shelf.fault,
        "signs": request.app.state.shelf.signs(),
        "order": quote(order.value, safe=""),
        "order_told": "Filtered" if isinstance(order, Filter) else ORDERS[order],
    }
    return HTMLResponse(desk.templates.get_template(template).render({**always, **values}), status)


def posted(answer: Callable[[Request, FormData], Response], fields: int) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that reads a form of so many fields at most, without files, and answers beside the event loop."""

    async def endpoint(request: Request) -> Response:
        form = await request.form(max_fields=fields, max_files=0)
        return await run_in_threadpool(answer, request, form)

    return endpoint


def text(form: FormData, name: str) -> str:
    """Return a field of a form as text, empty if it is not there."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def shown_at(form: FormData) -> float:
    """Return when the page with this form was rendered, in seconds since 1970; later by as long as the answer waited.

    An answer waits in the browser while the program cannot be reached: that is not time spent on reading. Raises
    ``Refused``.
    """
    told, waited = text(form, "at"), text(form, "waited") or "0"
    if not all(number.isascii() and number.isdigit() and len(number) < 20 for number in (told, waited)):
        raise Refused("The form is incomplete.")
    return (int(told) + int(waited)) / 1e6


def sent_as(form: FormData) -> str:
    """Return the name under which a script sends an answer, and sends it again until it hears that it was written."""
    told = text(form, "request")
    if told and not (told.isascii() and told.isalnum() and len(told) <= 40):
        raise Refused("The form is incomplete.")
    return told


def seen(form: FormData) -> str:
    """Return which suggestions were on the page with this form. Raises ``Refused``."""
    if not (told := text(form, "seen")):
        raise Refused("The form is incomplete.")
    return told


def see(address: str) -> Response:
    """Return what leads a browser to another page."""
    return RedirectResponse(address, 303)


def asked_order(request: Request) -> Way:
    """Return the order or the filter in which the coder wants to go on, as the address says it."""
    return way(request.query_params.get("order", ""))


def failed(request: Request, error: Exception) -> Response:
    """Tell that there is no such page, or what else HTTP has to say."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        return render(request, "plain.html", status=404, title="Not here", told="There is no such page in this study.")
    return render(request, "plain.html", status=error.status_code, title="That does not work", told=error.detail)


def refused(request: Request, error: Exception) -> Response:
    """Tell why nothing was written."""
    return render(request, "plain.html", status=400, title="Nothing was written", told=str(error))


def at_fault(request: Request, error: Exception) -> Response:
    """Tell what is wrong with the store, or with another thing that was needed."""
    return render(request, "plain.html", status=503, title="The store cannot be used just now", told=str(error))


def gone(_: Request, __: Exception) -> Response:
    """Answer a browser that was closed while it sent a form: nobody is left to tell."""
    return Response(status_code=400)


def bug(_: Request, __: Exception) -> Response:
    """Tell that something of ours is broken."""
    # Made outside of the guard; the traceback goes to whoever started the program.
    told = "Something is wrong with themescout itself. What was decided before is kept. Go back, and report this."
    return PlainTextResponse(told, 500, headers=HEADERS)
