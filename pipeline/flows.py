"""The stages as a Prefect flow. The only place that knows Prefect.

A flow's parameters are paths and names; transcripts' words stay in the store and never reach Prefect, neither as
parameters nor as results, logs or errors.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run

from . import intake, work
from .errors import Fault

RETRIES = 2  # of a file that cannot be reached, as on a network drive


@dataclass(kw_only=True)
class _Job:
    """What the tasks of one flow run in this process share: open things cannot be parameters."""

    session: intake.Session
    pending: work.Pending
    tally: intake.Tally = field(default_factory=intake.Tally)
    progress: intake.Progress = intake.no_progress
    raised: list[BaseException] = field(default_factory=list)
    begun: bool = False  # whether Prefect got as far as our own code


_jobs: dict[tuple[str, str | None], _Job] = {}


def _job(study: str, site: str | None) -> _Job:
    if (study, site) not in _jobs:
        session = intake.open_session(Path(study))
        _jobs[study, site] = _Job(session=session, pending=work.look(session, site))
    return _jobs[study, site]


def _privately(job: _Job, step: Callable[[], object]) -> None:
    """Run a step so that Prefect learns of an error only its kind: its message may hold what somebody said."""
    try:
        step()
    except Exception as error:
        job.raised.append(error)
    if job.raised:
        raise RuntimeError(f"{type(job.raised[-1]).__name__}: see the terminal") from None


def _may_pass(_task: object, _run: object, state: Any) -> bool:  # noqa: ANN401  # Prefect's State of any result
    return isinstance(state.result(raise_on_failure=False), OSError)


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    task_run_name="{source}",
    retries=RETRIES,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=_may_pass,
)
def process(study: str, site: str | None, source: str) -> None:
    """Read, cut and embed one file; a broken one is set aside and the rest goes on."""
    job = _job(study, site)
    if task_run.run_count <= RETRIES:
        intake.reach(job.session, source)
    _privately(job, lambda: work.process(job.session, source, job.pending, job.tally, job.progress))


@task(cache_policy=NO_CACHE, persist_result=False)
def prepare(study: str, site: str | None) -> None:
    """Embed the codebook and what people have coded."""
    job = _job(study, site)
    _privately(job, lambda: work.prepare(job.session, job.tally, job.progress))


@task(cache_policy=NO_CACHE, persist_result=False)
def rank(study: str, site: str | None) -> None:
    """Make suggestions for what lacks them."""
    job = _job(study, site)
    _privately(job, lambda: work.rank_missing(job.session, site, job.tally, job.progress))


@flow(name="suggest", flow_run_name="suggest {study}", validate_parameters=False, persist_result=False)
def suggest(study: str, site: str | None = None) -> dict[str, int]:
    """Segment, embed and rank what is new or changed in a study, or in one of its sites; return what was done."""
    job = _job(study, site)
    try:
        return _suggest(job, study, site)
    finally:
        _jobs.pop((study, site), None)  # the next run looks anew at what is there


def _suggest(job: _Job, study: str, site: str | None) -> dict[str, int]:
    job.begun = True
    work.forget(job.session, job.pending)
    for done, source in enumerate(job.pending.sources):
        job.progress("transcripts", done, len(job.pending.sources))
        process(study, site, source)
    job.progress("transcripts", len(job.pending.sources), len(job.pending.sources))
    prepare(study, site)
    rank(study, site)
    set_aside = len(intake.quarantined(job.session, site))
    rows = [
        {"what": name, "number": number} for name, number in (job.tally.counts | {"quarantined": set_aside}).items()
    ]
    create_table_artifact(key="suggest", table=rows, description=f"What `suggest` did for {job.session.study.name}")
    return job.tally.counts


def run(session: intake.Session, pending: work.Pending, site: str | None, progress: intake.Progress) -> intake.Tally:
    """Run the flow in this process, on the server that PREFECT_API_URL names or on one of its own.

    Raises what a step raised, as if there were no Prefect, and ``Fault`` if there is no server to run it on.
    """
    key = (str(session.study.file), site)
    job = _jobs[key] = _Job(session=session, pending=pending, progress=progress)
    try:
        suggest(*key)
    except Exception as error:
        if job.raised:
            raise job.raised[0] from None
        if not job.begun:
            place = os.environ.get("PREFECT_API_URL", "Prefect's own server")
            remedy = "see that the server runs, or leave Prefect out with --direct"
            raise Fault(place, f"Prefect could not begin the flow ({type(error).__name__})", remedy) from error
        raise
    finally:
        _jobs.pop(key, None)
    return job.tally
