"""Who may come in: whoever knows the token, from this machine. And what a browser may do with our pages."""

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}


class Guard:
    """Lets nobody in who does not know the token or, if ``local``, comes under another name than this machine's own."""

    def __init__(self, app: ASGIApp, token: str, *, local: bool = True) -> None:
        self.app = app
        self.token = token.encode()
        self.local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say that there is nothing."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        host = Headers(scope=scope).get("host", "").lower()
        name = host if host.endswith("]") else host.rsplit(":", 1)[0]
        given = scope["path"].split("/")[1:2] or [""]
        known = secrets.compare_digest(given[0].encode("utf-8", "surrogateescape"), self.token)
        if known and (name in HOSTS or not self.local):
            await self.app(scope, receive, guarded)
        else:
            # Also what a foreign page gets that has its own name point to this machine (DNS rebinding).
            await PlainTextResponse("There is nothing here.", 404)(scope, receive, guarded)


class FirstVisit:
    """Leads the browser that this program opens to the page, once, from an address that is worth nothing afterwards.

    A browser is opened with a command line, which everybody on the machine can read: the page's own address must not
    be in it.
    """

    def __init__(self, app: ASGIApp, page: str, once: str) -> None:
        self.app = app
        self.page = page
        self.once = f"/{once}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead to the page if that is what is asked for the first time; leave all else to the page."""
        given = scope.get("path", "").encode("utf-8", "surrogateescape")
        if scope["type"] != "http" or not self.once or not secrets.compare_digest(given, self.once.encode()):
            await self.app(scope, receive, send)
            return
        self.once = ""
        await RedirectResponse(self.page, 303, headers=HEADERS)(scope, receive, send)
