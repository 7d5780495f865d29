"""What requests say and what pages answer: forms in, HTML out, for whoever asks."""

import time
from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .desk import Desk

NOTES = {
    "undone": "Taken back.",
    "nothing-to-undo": "There is nothing left to take back.",
    "stale": "That page was out of date, so nothing was changed. This is how things stand.",
    "changed": "The suggestions have changed meanwhile, so nothing was written. Please look again.",
    "next-transcript": "Nothing is open in the transcript before this one. Here is the next.",
    "done": "Nothing is open any more.",
    "assigned": "Written down who reads what.",
    "opened": "The coders of this transcript may see each other's answers now.",
    "closed": "The coders of this transcript do not see each other's answers any more.",
    "settled": "Written down as adjudicated. What the coders said stays as they said it.",
}


class Refused(Exception):
    """A request that the page's own forms do not make; says why in plain words."""


def desk_of(request: Request) -> Desk:
    """Return the desk of whoever asks."""
    desk: Desk = request.scope.get("desk") or request.app.state.desk
    return desk


def render(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Answer with a template filled with values."""
    return page(request, template, values, status=status)


def page(request: Request, template: str, values: Mapping[str, object], *, status: int = 200) -> Response:
    """Answer with a template filled with values and with what every page needs."""
    desk = desk_of(request)
    note = NOTES.get(request.query_params.get("note", ""), "")
    always = {
        "root": desk.root,
        "study": desk.study,
        "coder": desk.coder,
        "rights": desk.rights.value if desk.rights else "",
        "note": note,
        "at": time.time_ns() // 1000,
    }
    return HTMLResponse(desk.templates.get_template(template).render({**always, **values}), status)


def text(form: FormData, name: str) -> str:
    """Return a field of a form as text, empty if it is not there."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def see(address: str) -> Response:
    """Answer by leading to another page."""
    return RedirectResponse(address, 303)
