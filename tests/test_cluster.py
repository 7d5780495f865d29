"""Workers of a cluster embed, and the result is that of one process; no word of a transcript reaches a log."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline import cluster, embed, intake, results, work
from pipeline.config import EmbedSettings, load_study
from pipeline.errors import EncoderFault, StudyFault

from .test_batch import many

pytestmark = [pytest.mark.prefect, pytest.mark.filterwarnings("default")]  # Prefect's and Dask's warnings are not ours
SECRET = "handbag"


def exported(session: intake.Session, folder: Path) -> bytes:
    results.export(session, "suggestions", "csv", folder / "out.csv")
    return (folder / "out.csv").read_bytes()


def run(study: Path) -> intake.Session:
    from pipeline import flows

    session = intake.open_session(study)
    flows.run(session, work.look(session), intake.ALL, intake.no_progress)
    return session


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few texts be many portions."""
    monkeypatch.setattr("pipeline.embed.encoder.PORTION", 4)


def test_one_worker_or_two_or_none_give_the_same_bytes(server: None, small: None, study: Path, tmp_path: Path) -> None:
    shutil.copytree(many(study, 9), tmp_path / "direct")
    direct = intake.open_session(tmp_path / "direct")
    work.run_direct(direct, work.look(direct), intake.ALL, intake.no_progress)
    expected = exported(direct, tmp_path / "direct")
    for number in (1, 2):
        shutil.copytree(study, tmp_path / str(number))
        with (tmp_path / str(number) / "study.toml").open("a") as settings:
            settings.write(f'[compute]\nengine = "dask"\nworkers = {number}\n')
        session = run(tmp_path / str(number))
        assert exported(session, tmp_path / str(number)) == expected
        assert "encoder" not in session.__dict__, "the coordinator loaded a model"


def test_a_cluster_that_runs_already_is_used_and_left_running(server: None, study: Path) -> None:
    from distributed import Client, LocalCluster

    made_with = cluster.local(1) | {"security": None, "protocol": "tcp"}
    with LocalCluster(**made_with) as running:  # type: ignore[no-untyped-call]
        text = f'[compute]\nengine = "dask"\naddress = "{running.scheduler_address}"\n'
        (study / "study.toml").write_text((study / "study.toml").read_text() + text)
        session = run(study)
        assert work.look(session).nothing
        with Client(running) as client:  # type: ignore[no-untyped-call]
            assert client.submit(os.getpid).result() != os.getpid()


def test_a_cluster_that_is_not_there_is_a_fault(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS", 1)
    text = '[compute]\nengine = "dask"\naddress = "tcp://127.0.0.1:9"\n'
    (study / "study.toml").write_text((study / "study.toml").read_text() + text)
    with pytest.raises(StudyFault, match="cannot be reached"), cluster.workers(intake.open_session(study)):
        pass


def test_where_texts_are_embedded_changes_no_digest(study: Path) -> None:
    before = load_study(study).digest
    (study / "study.toml").write_text((study / "study.toml").read_text() + '[compute]\nengine = "dask"\nworkers = 7\n')
    assert load_study(study).digest == before


def test_a_worker_loads_the_encoder_once(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(located: embed.Located) -> embed.Encoder:
        loaded.append(located)
        return embed.HashingEncoder()

    monkeypatch.setattr(embed, "load", load)
    cluster._loaded.cache_clear()
    told = (EmbedSettings(encoder="hashing"), study, embed.HashingEncoder.fingerprint)
    for _ in range(3):
        made = cluster.encode_there(*told, cluster.Portion(["One.", "Two."]))
        assert not isinstance(made, Exception)
        assert (made == embed.HashingEncoder().encode(["One.", "Two."])).all()
    assert len(loaded) == 1
    cluster._loaded.cache_clear()


def test_a_worker_with_another_encoder_says_so_and_nothing_of_the_texts(study: Path) -> None:
    portion = cluster.Portion([f"She hid her {SECRET}."])
    assert repr(portion) == "<1 texts>"
    made = cluster.encode_there(EmbedSettings(encoder="hashing"), study, "another", portion)
    assert isinstance(made, EncoderFault)
    assert "is not the same on a worker" in str(made)
    assert SECRET not in str(made)


class Fake:
    """A cluster of two workers that does nothing until it is asked for a result."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    def scheduler_info(self) -> dict[str, Any]:
        return {"workers": {"a": {}, "b": {}}}

    def submit(self, function: Any, *arguments: Any, pure: bool) -> "Fake.Future":  # noqa: ANN401
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return Fake.Future(self, lambda: function(*arguments))

    class Future:
        def __init__(self, of: "Fake", work: Any) -> None:  # noqa: ANN401
            self.of, self.work = of, work

        def result(self) -> Any:  # noqa: ANN401
            self.of.under_way -= 1
            return self.work()


def test_portions_come_back_in_order_and_few_are_under_way(study: Path) -> None:
    fake, session = Fake(), intake.open_session(study)
    portions: Sequence[list[str]] = [[f"Portion {at}."] for at in range(20)]
    made: Iterator[Any] = cluster._encoded(fake, session, portions)  # type: ignore[arg-type]  # all of Dask's that it uses
    for portion, rows in zip(portions, made, strict=True):
        assert (rows == embed.HashingEncoder().encode(portion)).all()
    assert fake.most == 2 * cluster.AHEAD
