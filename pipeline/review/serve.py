"""The page on this machine and, only where that is asked for, for other machines."""

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp as ASGIApp

from ..errors import ReviewFault

ADDRESS = "127.0.0.1"


def new_token() -> str:
    """Return a secret for the page's address: 128 random bits."""
    return secrets.token_urlsafe(16)


def free_port() -> int:
    """Return a port that nobody listens on at present."""
    with socket.create_server((ADDRESS, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def serve(app: ASGIApp, *, port: int, ready: Callable[[], None], host: str = ADDRESS) -> None:
    """Serve the page until interrupted, to this machine alone by default; calls ``ready`` when a browser may come.

    Raises ``ReviewFault`` if the address or port cannot be had.
    """
    with listen(port, host) as listener:
        # No access log: it would hold the token. A bug of ours still tells its traceback.
        config = uvicorn.Config(
            app, log_config=None, log_level="error", access_log=False, server_header=False, timeout_graceful_shutdown=3
        )
        with suppress(KeyboardInterrupt):  # the usual end of the day
            _Telling(config, ready).run(sockets=[listener])


def listen(port: int, host: str) -> socket.socket:
    """Return a socket at which browsers are waited for. Raises ``ReviewFault`` if the address or port cannot be had."""
    if not 0 < port < 65536:
        raise ReviewFault(f"{host}:{port}", "there is no such port", "choose one from 1024 to 65535")
    try:
        listener = socket.create_server((host, port))
        # Connections have this from the listener: else an answer may wait 40 ms for the browser to say it has its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise ReviewFault(
            f"{host}:{port}",
            f"cannot be listened on: {(error.strerror or str(error)).lower()}",
            "end the program that uses this port, or choose another port",
        ) from error
    return listener


class _Telling(uvicorn.Server):
    """A server that says when it is there."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
