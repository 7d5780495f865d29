"""The review page's address: the same at every start, known to its user alone, and not worth stealing."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from pipeline.errors import ReviewFault
from pipeline.review import ADDRESS, FirstVisit, address_file, address_kept, create_app
from pipeline.review.accounts import add_person
from pipeline.store import Store
from pipeline.store.people import Rights

from .reviewing import CODEBOOK, TOKEN, fill, study_in, transcript
from .running import run
from .test_review_team import WORD

SEGMENT = transcript()[1][1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "review" / "one.json"


def test_it_is_the_same_at_every_start(file: Path) -> None:
    first = address_kept(file)
    assert address_kept(file) == first
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/", first.url)
    assert address_kept(file, port=first.port) == first


def test_nobody_else_can_read_where_it_is_kept(file: Path) -> None:
    address_kept(file)
    assert [(path.stat().st_mode & 0o777) for path in (file, file.parent)] == [0o600, 0o700]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_what_others_could_read_is_not_used_again(file: Path, mode: int) -> None:
    first = address_kept(file)
    file.chmod(mode)
    second = address_kept(file)
    assert second.token != first.token
    assert "Others could read" in second.told
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_that_leads_elsewhere_is_not_followed(file: Path, tmp_path: Path) -> None:
    first = address_kept(file)
    file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")
    assert address_kept(file).token != first.token
    assert not file.is_symlink()


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"port": 8000}', '{"port": "8000", "token": "x"}', '{"port": 8000, "token": "../../etc/passwd"}'],
)
def test_what_is_broken_is_made_anew(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(content)
    file.chmod(0o600)
    made = address_kept(file)
    assert address_kept(file) == made


def test_a_new_one_is_made_on_request_and_kept(file: Path) -> None:
    first = address_kept(file)
    second = address_kept(file, anew=True)
    assert second.token != first.token
    assert address_kept(file) == second


def test_a_port_that_another_program_has_brings_a_new_secret(file: Path) -> None:
    first = address_kept(file)
    with socket.create_server((ADDRESS, first.port)):
        second = address_kept(file)
        with pytest.raises(ReviewFault, match="cannot be listened on"):
            address_kept(file, port=first.port)
    assert second.port != first.port
    assert second.token != first.token, "an open tab may have told the other program the old one"
    assert f"uses port {first.port}" in second.told
    third = address_kept(file)
    assert (third.port, third.token) == (second.port, second.token)


def test_another_port_is_another_secret(file: Path) -> None:
    first = address_kept(file)
    with socket.create_server((ADDRESS, 0)) as listener:
        other = listener.getsockname()[1]
    assert address_kept(file, port=other).token != first.token


def test_where_nothing_can_be_kept_the_page_opens_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    assert "for this time only" in address_kept(tmp_path / "state" / "one.json").told


def test_studies_coders_and_teams_have_addresses_of_their_own(tmp_path: Path) -> None:
    told = [(tmp_path, "Ria"), (tmp_path, "Bo"), (tmp_path / "other", "Ria"), (tmp_path, None), (tmp_path, "")]
    files = {address_file(*one) for one in told} | {address_file(tmp_path, None, "0.0.0.0")}
    assert len(files) == 6
    assert not any("Ria" in str(file) for file in files)


def test_the_browser_is_led_to_the_page_once(store: Store, tmp_path: Path) -> None:
    page = create_app(store, study_in(tmp_path), CODEBOOK, coder="Ria", token=TOKEN)
    with TestClient(FirstVisit(page, f"/{TOKEN}/", "once"), base_url="http://127.0.0.1") as client:
        led = client.get("/once", follow_redirects=False)
        assert (led.status_code, led.headers["location"]) == (303, f"/{TOKEN}/")
        assert (led.headers["referrer-policy"], led.headers["cache-control"]) == ("no-referrer", "no-store")
        assert client.get("/once").status_code == 404
        assert client.get("/").status_code == 404
        assert client.get(f"/{TOKEN}/").status_code == 200


def test_links_lead_where_they_should_after_logging_in(store: Store, tmp_path: Path) -> None:
    fill(store)
    add_person(store, "Ria", Rights.CODER, WORD)
    app = create_app(store, study_in(tmp_path), CODEBOOK, coder=None, token=TOKEN)
    wanted = f"/{TOKEN}/transcript/{SEGMENT.transcript}?segment={SEGMENT.id}&order=surest"
    with TestClient(app, base_url="http://127.0.0.1") as client:
        asked = client.get(wanted)
        assert asked.url.path == f"/{TOKEN}/login"
        to = asked.url.params["to"]
        wrong = client.post(asked.url.path, data={"name": "Ria", "password": "wrong", "to": to})
        assert f'name="to" value="{to.replace("&", "&amp;")}"' in wrong.text
        arrived = client.post(asked.url.path, data={"name": "Ria", "password": WORD, "to": to})
        assert str(arrived.url) == f"http://127.0.0.1{wanted}"


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nx: y", "@evil.example"]
)
def test_logging_in_leads_nowhere_else(store: Store, tmp_path: Path, to: str) -> None:
    add_person(store, "Ria", Rights.CODER, WORD)
    app = create_app(store, study_in(tmp_path), CODEBOOK, coder=None, token=TOKEN)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        form = {"name": "Ria", "password": WORD, "to": to}
        led = client.post(f"/{TOKEN}/login", data=form, follow_redirects=False)
        assert httpx.URL("http://127.0.0.1/").join(led.headers["location"]).host == "127.0.0.1"
        assert led.headers["location"].startswith(f"/{TOKEN}/")


@contextmanager
def reviewing(study: Path, state: Path, *more: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Give the address that the command tells, and its process."""
    root = Path(__file__).parent.parent
    told = [sys.executable, "-m", "pipeline", "review", str(study), "--coder", "Ria", "--no-open", *more]
    env = os.environ | {"PYTHONPATH": str(root), "XDG_STATE_HOME": str(state)}
    with subprocess.Popen(told, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout
        found = re.search(r"http://\S+/", server.stdout.readline())
        assert found
        yield found[0], server
        server.send_signal(signal.SIGINT)


def test_a_bookmark_survives_that_the_program_is_killed(study: Path, tmp_path: Path) -> None:
    run("suggest", study, "--direct", "-q")
    with reviewing(study, tmp_path / "state") as (first, server):
        assert httpx.get(first).status_code == 200
        server.kill()
    with reviewing(study, tmp_path / "state") as (second, server):
        assert second == first
        assert httpx.get(first).status_code == 200
        assert httpx.get(first, headers={"Host": "evil.example"}).status_code == 404
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=20)
    assert first.split("/")[3] not in "".join(said), "it is told once, and in no log"
    with reviewing(study, tmp_path / "state", "--new-address") as (third, _):
        assert third.split("/")[3] != first.split("/")[3]
