"""Embedding on the workers of a Dask cluster: they encode, and what they give back is kept here.

The only place that knows Dask. A cluster that runs already is one of the user's; a local one has workers of one thread
each and is gone afterwards. Texts go to the workers and vectors come back; nothing is kept there but the loaded model.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import embed
from .config import ComputeSettings, EmbedSettings
from .errors import EncoderFault, Fault, StudyFault
from .intake import Session, no_progress

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 2  # portions that wait at each worker, so that none has nothing to do
SECONDS = 60  # in which a cluster must answer

Rows = NDArray[np.float32]


class Portion:
    """Texts on their way to a worker. They are not to be seen in a log, where Dask writes what it was given."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)

    def __repr__(self) -> str:
        """Return how many there are."""
        return f"<{len(self.texts)} texts>"


@cache
def _loaded(settings: EmbedSettings, folder: Path, fingerprint: str) -> embed.Encoder:
    """Return the study's encoder as this machine has it, loaded once. Raises ``EncoderFault`` if it is another one."""
    located = embed.ready(embed.locate(settings, folder), no_progress)
    if located.fingerprint != fingerprint:
        problem = "is not the same on a worker as where the study is"
        raise EncoderFault(settings.encoder, problem, "install the same version there, or a copy of its folder")
    return embed.load(located)


def encode_there(settings: EmbedSettings, folder: Path, fingerprint: str, portion: Portion) -> Rows | Exception:
    """Return the vectors of a portion, on a worker. What goes wrong is given back, so that no log tells it."""
    try:
        return _loaded(settings, folder, fingerprint).encode(portion.texts)
    except Exception as error:
        return error


@contextmanager
def workers(session: Session) -> Iterator[None]:
    """Let the workers of the study's cluster encode as long as this lasts; nothing to do if it wants none.

    Raises ``StudyFault`` if there is no such cluster or Dask is not installed.
    """
    settings = session.study.compute
    if settings.engine != "dask":
        yield
        return
    with _client(session, settings) as client:
        session.hands.encode = lambda portions: _encoded(client, session, portions)
        try:
            yield
        finally:
            session.hands.encode = None


@contextmanager
def _client(session: Session, settings: ComputeSettings) -> Iterator["Client"]:
    place = str(session.study.file)
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ModuleNotFoundError as error:
        remedy = "`pip install 'themescout[dask]'`"
        raise StudyFault(place, f"`engine` under [compute] needs the package {error.name}", remedy) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it tells of every connection
    if settings.address:
        runner = DaskTaskRunner(address=settings.address, client_kwargs={"timeout": SECONDS})
    else:
        runner = DaskTaskRunner(cluster_kwargs=local(settings.workers))
    with runner:
        try:
            client = runner.client
        except OSError as error:  # among them a time-out
            problem = f"the cluster at {settings.address or 'this machine'} cannot be reached ({type(error).__name__})"
            raise StudyFault(
                place, problem, "see that its scheduler runs, or correct `address` under [compute]"
            ) from error
        yield client


def local(number: int) -> dict[str, Any]:
    """Return what a cluster on this machine is made with: as many workers of one thread, and nobody else let in."""
    return {
        "n_workers": number,
        "threads_per_worker": 1,
        "dashboard_address": None,
        "memory_limit": None,
        "security": True,  # keys of its own: other people on the machine must not send it work
        "protocol": "tls",
    }


def _encoded(client: "Client", session: Session, portions: Sequence[Sequence[str]]) -> Iterator[Rows]:
    """Yield the vectors of portions in their order; only some are under way at a time."""
    told = (session.study.embed, session.study.folder, session.located.fingerprint)
    waiting: deque[Any] = deque()
    at_most = AHEAD * max(1, len(client.scheduler_info()["workers"]))
    for portion in portions:
        waiting.append(client.submit(encode_there, *told, Portion(portion), pure=False))
        if len(waiting) >= at_most:
            yield _result(session, waiting.popleft())
    while waiting:
        yield _result(session, waiting.popleft())


def _result(session: Session, future: Any) -> Rows:  # noqa: ANN401  # Dask's Future
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    try:
        made = future.result()
    except (KilledWorker, FutureCancelledError, OSError) as error:
        problem = f"the cluster's workers went away ({type(error).__name__})"
        raise Fault(str(session.study.file), problem, "run the command again: what was done is kept") from error
    if isinstance(made, Exception):
        raise made
    return np.asarray(made, dtype=np.float32)
