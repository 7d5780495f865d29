"""Who sits at the page, where several people work on a study: everybody logs in, and gets a desk of their own."""

from dataclasses import replace
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..store.people import Person, Rights, logged_in
from .desk import Desk

COOKIE = "themescout"
FREE = ("/login", "/static/")  # what nobody needs to log in for
LOOKING = ("/logout", "/filter", "/search", "/memos")  # forms that write nothing


class Seats:
    """Leads whoever is not logged in to the log-in page; gives everybody else the desk of their name."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app = app
        self.desk = desk
        self._desks: dict[Person, Desk] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the person who is logged in."""
        path = scope.get("path", "").removeprefix(self.desk.root)
        if scope["type"] != "http" or path.startswith(FREE):
            await self.app(scope, receive, send)
            return
        person = await run_in_threadpool(self._person, scope)  # a server that is slow to answer holds nobody else up
        if person is None:
            await RedirectResponse(f"{self.desk.root}/login{_afterwards(scope, path)}", 303)(scope, receive, send)
        elif person.rights is Rights.AUDITOR and scope["method"] not in ("GET", "HEAD") and path not in LOOKING:
            told = "An auditor looks and changes nothing. Nothing was written."
            await PlainTextResponse(told, 403)(scope, receive, send)
        else:
            await self.app({**scope, "desk": self._desk_of(person)}, receive, send)

    def _desk_of(self, person: Person) -> Desk:
        """Return the desk of a person: the orders in which segments come are the person's own, all else is shared."""
        own = replace(self.desk, coder=person.name, rights=person.rights, lines={}, searches={}, held={})
        return self._desks.setdefault(person, own)

    def _person(self, scope: Scope) -> Person | None:
        token = token_in(Headers(scope=scope))
        return logged_in(self.desk.store, token, now=datetime.now(UTC)) if token else None


def _afterwards(scope: Scope, path: str) -> str:
    """Return what the log-in page's address says of where somebody wanted to go; nothing if it was to do something."""
    asked = path + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
    return "?" + urlencode({"to": asked}) if scope["method"] == "GET" and path.strip("/") else ""


def token_in(headers: Headers) -> str:
    """Return the log-in's token that a browser sends, empty if there is none."""
    try:
        cookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""
