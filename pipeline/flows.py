"""The stages as a Prefect flow. The only place that knows Prefect.

A flow's parameters are paths and names; transcripts' words stay in the store and never reach Prefect, neither as
parameters nor as results, logs or errors.
"""

import logging
import os
import re
import shlex
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import platformdirs

# Said before Prefect is imported, as it reads it then. What the user has set is left alone, except telemetry.
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
for _name, _value in {
    "PREFECT_HOME": str(Path(platformdirs.user_data_dir("themescout")) / "prefect"),
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    # The first start fills an empty database; 20 s, the default, is not enough on an old laptop.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    "PREFECT_CLI_PROMPT": "false",
}.items():
    os.environ.setdefault(_name, _value)

Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)  # Prefect makes the last folder only

from prefect import flow, get_client, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run, task_run
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.types.entrypoint import EntrypointType

from . import audit as auditing
from . import cluster, intake, portrait, work
from .config import Study, shipped
from .errors import Fault, StoreAway
from .records import digest

RETRIES = 3  # of what may pass: a file that cannot be reached, as on a network drive; a store's server that restarts
PAUSES = (1, 5, 20)  # seconds before each
FILE_SECONDS = 600  # after which reading a file is given up, and the file set aside

Key = tuple[str, str | None, str | None]  # the study file, and the part of it: site, transcript


@dataclass(kw_only=True)
class _Job:
    """What the tasks of one flow run in this process share: open things cannot be parameters."""

    session: intake.Session
    part: intake.Part
    pending: work.Pending
    tally: intake.Tally = field(default_factory=intake.Tally)
    progress: intake.Progress = intake.no_progress
    done: int = 0  # files
    raised: list[BaseException] = field(default_factory=list)
    begun: bool = False  # whether Prefect got as far as our own code
    unwatched: bool = False  # whether nobody sits at a terminal who could ask for a report


_jobs: dict[Key, _Job] = {}
_log = logging.getLogger("themescout")  # not one of Prefect's, which go to its server
logging.getLogger("EventsWorker").setLevel(logging.CRITICAL)  # else, ended on a busy machine, it tells what it leaves


def _privately(job: _Job, step: Callable[[], object]) -> None:
    """Run a step so that Prefect learns of an error only its kind: its message may hold what somebody said."""
    try:
        step()
    except TimeoutError:
        raise  # Prefect's own
    except Exception as error:
        if isinstance(error, StoreAway) and task_run.run_count <= RETRIES:
            raise ConnectionError("the store's server cannot be reached") from None
        job.raised.append(error)
    if job.raised:
        raise RuntimeError(f"{type(job.raised[-1]).__name__}: see the terminal") from None


def _may_pass(_task: object, _run: object, state: Any) -> bool:  # noqa: ANN401  # Prefect's State of any result
    error = state.result(raise_on_failure=False)
    return isinstance(error, OSError) and not isinstance(error, (PermissionError, TimeoutError))


_options: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": RETRIES,
    "retry_delay_seconds": list(PAUSES),
    "retry_condition_fn": _may_pass,
}


@task(task_run_name="{source}", timeout_seconds=FILE_SECONDS, **_options)
def read(key: Key, source: str) -> None:
    """Read, cut and keep one file; a broken one is set aside and the rest goes on."""
    job = _jobs[key]
    if source in job.pending.unread and task_run.run_count <= RETRIES:
        intake.reach(job.session, source)
    _privately(job, lambda: work.read(job.session, source, job.pending, job.tally))


@task(task_run_name="embed {site}", **_options)
def embed(key: Key, site: str) -> None:
    """Give the segments of a site's files their vectors."""
    job = _jobs[key]

    def step() -> None:
        for texts in work.blocks(job.session, work.by_site(job.session, job.pending)[site]):
            work.embed_texts(job.session, texts, job.tally, job.progress)

    _privately(job, step)


@task(**_options)
def prepare(key: Key) -> None:
    """Embed the codebook and what people have coded."""
    job = _jobs[key]
    _privately(job, lambda: work.prepare(job.session, job.tally, job.progress))


@task(**_options)
def rank(key: Key) -> None:
    """Make suggestions for what lacks them."""
    job = _jobs[key]
    _privately(job, lambda: work.rank_missing(job.session, job.part, job.tally, job.progress))


@task(task_run_name="report {site}", **_options)
def site_report(key: Key, site: str) -> None:
    """Tell Prefect how much came in from a site; where nobody watches, write the site's report beside study.toml."""
    job = _jobs[key]
    _privately(job, lambda: _tell_of(job, site))


def _tell_of(job: _Job, site: str) -> None:
    study = job.session.study
    told = f"`themescout report {shlex.quote(str(study.file))} --site {shlex.quote(site)}` tells more"
    if job.unwatched:
        page, _ = portrait.write(job.session, portrait.portrait(job.session, site), portrait.folder_of(study))
        told = f"The whole report: {page}"
    rows = [{"what": name, "number": number} for name, number in portrait.numbers(job.session, site).items()]
    name = re.sub(r"[^a-z0-9]+", "-", f"site {site}".lower()).strip("-")
    key = f"{name}-{digest('site', str(study.file), site)[:6]}"  # one for each site of each study on a server
    create_table_artifact(key=key, table=rows, description=f"What came in from {site}, {study.name}. {told}")


@flow(name="site", flow_run_name="{site}", validate_parameters=False, persist_result=False)
def of_site(key: Key, site: str) -> None:
    """Read the files of one site, one task for each, and give their segments vectors."""
    job = _jobs[key]
    for source in work.by_site(job.session, job.pending)[site]:
        job.progress("transcripts", job.done, len(job.pending.sources))
        state = read(key, source, return_state=True)
        if state.name == "TimedOut":
            remedy = "see whether it opens elsewhere, then `themescout quarantine retry STUDY`"
            intake.set_aside(job.session, source, f"took longer than {FILE_SECONDS} s to read", remedy)
        else:
            state.result()
        job.done += 1
    embed(key, site)


@flow(name="batch", flow_run_name="{study}", validate_parameters=False, persist_result=False)
def batch(study: Path, site: str | None = None, transcript: str | None = None) -> dict[str, int]:
    """Segment, embed and rank what is new or changed in a study, or in a part of it; return what was done.

    Where Prefect itself began it, it also writes the reports of the sites that something came in from, into `reports`
    beside study.toml.
    """
    key = (str(study), site, transcript)
    return _batch(_jobs[key], key) if key in _jobs else _by_itself(key)


def _by_itself(key: Key) -> dict[str, int]:
    """Run a batch that Prefect began: what it raises is told on the terminal of whoever runs it, and only there."""
    try:
        session, part = intake.open_session(Path(key[0])), intake.Part(site=key[1], transcript=key[2])
        with session.store.alone(lambda: None):
            _jobs[key] = _Job(session=session, part=part, pending=work.look(session, part), unwatched=True)
            return _batch(_jobs[key], key)
    except Exception as error:
        told = _jobs[key].raised[:1] if key in _jobs else []
        _log.error("%s", key[0], exc_info=told[0] if told else error)
        raise RuntimeError(f"{type(told[0] if told else error).__name__}: see the worker's terminal") from None
    finally:
        _jobs.pop(key, None)  # the next run looks anew at what is there


def _batch(job: _Job, key: Key) -> dict[str, int]:
    job.begun = True
    work.forget(job.session, job.pending)
    # A site's heartbeat would tell nothing that the batch's does not, and ending it takes a second.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), cluster.workers(job.session):
        for site in work.by_site(job.session, job.pending):
            of_site(key, site)
        job.progress("transcripts", len(job.pending.sources), len(job.pending.sources))
        prepare(key)
        rank(key)
    for site in work.arrived(job.session, job.pending):
        site_report(key, site)
    counts = job.tally.counts | {"quarantined": len(intake.quarantined(job.session, job.part))}
    rows = [{"what": name, "number": number} for name, number in counts.items()]
    create_table_artifact(key="suggest", table=rows, description=f"What `suggest` did for {job.session.study.name}")
    return counts


@task(task_run_name="audit {study}", **_options)
def report(study: str, out: str, as_of: str) -> dict[str, int]:
    """Write the report of a study's audit into a folder; return how much there is in it."""
    try:
        session = intake.open_session(Path(study))
        auditing.check_folder(session, Path(out))
        found = auditing.audit(session, auditing.Asked(as_of=auditing.moment_of(as_of)))
        auditing.write(found, Path(out))
    except Exception as error:
        if isinstance(error, StoreAway) and task_run.run_count <= RETRIES:
            raise ConnectionError("the store's server cannot be reached") from None
        remedy = f"`themescout audit {study} --as-of {as_of}` tells more"
        raise RuntimeError(f"{type(error).__name__}: {remedy}") from None
    return {"coders": len(found.coders), "decisions": found.decisions, "signals": len(found.signals)}


@flow(name="audit", flow_run_name="{study}", validate_parameters=False, persist_result=False)
def audit(study: str, out: str | None = None, as_of: str | None = None) -> dict[str, int]:
    """Write the report of a study's audit; return how much there is in it.

    What was decided after ``as_of``, a day or moment in UTC, is left out. Without one that is the end of the month
    before the one for which the flow was scheduled, so that a late run tells the same. Without ``out`` the report goes
    to a folder of that day's name in `audits` beside study.toml.
    """
    moment = (
        auditing.moment_of(as_of)
        if as_of
        else auditing.end_of_last_month(flow_run.scheduled_start_time or datetime.now(UTC))
    )
    folder = Path(study) if Path(study).is_dir() else Path(study).parent
    return report(study, out or str(folder / "audits" / moment.date().isoformat()), moment.isoformat())


def run(session: intake.Session, pending: work.Pending, part: intake.Part, progress: intake.Progress) -> intake.Tally:
    """Run the flow in this process, on the server that PREFECT_API_URL names or on one of its own.

    Raises what a step raised, as if there were no Prefect, and ``Fault`` if there is no server to run it on.
    """
    key = (str(session.study.file), part.site, part.transcript)
    job = _jobs[key] = _Job(session=session, part=part, pending=pending, progress=progress)
    # Ended like this by default, the process would leave Prefect's server behind.
    before = signal.signal(signal.SIGTERM, _leave) if threading.current_thread() is threading.main_thread() else None
    try:
        batch(session.study.file, *key[1:])
    except Exception as error:
        if job.raised:
            raise job.raised[0] from None
        if not job.begun:
            place = os.environ.get("PREFECT_API_URL", "Prefect's own server")
            remedy = "see that the server runs, or leave Prefect out with --direct"
            raise Fault(place, f"Prefect could not begin the flow ({type(error).__name__})", remedy) from error
        raise
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
        _jobs.pop(key, None)
    return job.tally


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def deploy(study: Study, *, pool: str | None = None, cron: str | None = None) -> list[str]:
    """Register configs/prefect.yaml for a study on the server that PREFECT_API_URL names; return deployments' names.

    ``cron`` says when the batch runs; the work pool is made if there is none. Raises ``Fault`` if there is no server.
    """
    import yaml

    if not (url := PREFECT_API_URL.value()):
        remedy = "start a server with `prefect server start` and set it to http://127.0.0.1:4200/api"
        raise Fault("PREFECT_API_URL", "names no Prefect server", remedy)
    told = yaml.safe_load(shipped("configs", "prefect.yaml").read_text(encoding="utf-8"))
    try:
        return [_deployed(study, one, pool, cron) for one in told["deployments"]]
    except httpx.HTTPError as error:
        raise Fault(url, f"cannot be asked ({type(error).__name__})", "see that the Prefect server runs") from error


def _deployed(study: Study, told: dict[str, Any], pool: str | None, cron: str | None) -> str:
    pool = pool or told["work_pool"]["name"]
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(pool)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    (when,) = told["schedules"]
    made = RunnerDeployment.from_flow(
        globals()[told["entrypoint"].rpartition(".")[2]],
        name=f"{study.name} {told['name']}",
        schedule=Cron((cron if told["name"] == "batch" else None) or when["cron"], timezone=when["timezone"]),
        parameters=told["parameters"] | {"study": str(study.file.resolve())},
        description=told["description"],
        concurrency_limit=told["concurrency_limit"],
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    made.apply()
    return f"{made.flow_name}/{made.name}"
