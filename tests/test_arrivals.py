"""Which files have come to rest, and watching a study while they arrive."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import arrivals, intake, work
from pipeline.arrivals import Listing, Seen
from pipeline.config import load_study
from pipeline.store import corpus

from .running import run
from .test_batch import EVE, ROOT

QUIET = 2.0


def looks(*at: tuple[float, dict[str, int]]) -> Seen:
    """Return what was seen in some looks: a moment, and the bytes of every file."""
    seen = Seen()
    for moment, files in at:
        listing = Listing(files={name: (size, 0) for name, size in files.items()}, away=False)
        seen = arrivals.looked(seen, listing, moment)
    return seen


def test_a_file_that_grows_is_left_alone_until_it_has_stopped() -> None:
    assert arrivals.restless(looks((0, {"a": 1}), (1, {"a": 2})), 1, QUIET) == {"a"}
    assert arrivals.restless(looks((0, {"a": 1}), (1, {"a": 2}), (2.9, {"a": 2})), 2.9, QUIET) == {"a"}
    assert arrivals.restless(looks((0, {"a": 1}), (1, {"a": 2}), (3, {"a": 2})), 3, QUIET) == frozenset()


def test_a_file_whose_time_moves_is_left_alone_though_its_size_stays() -> None:
    seen = arrivals.looked(looks((0, {"a": 1})), Listing(files={"a": (1, 5)}, away=False), 2)
    assert arrivals.restless(seen, 2, QUIET) == {"a"}


def test_work_is_due_for_what_is_new_changed_or_gone_and_at_rest() -> None:
    seen = looks((0, {"a": 1}))
    assert not arrivals.is_due(seen, 1, QUIET)
    assert arrivals.is_due(seen, 2, QUIET)
    seen = arrivals.handled(seen, 2, QUIET, failed=False)
    assert not arrivals.is_due(seen, 9, QUIET)
    grown = arrivals.looked(seen, Listing(files={"a": (2, 0)}, away=False), 10)
    assert not arrivals.is_due(grown, 11, QUIET)
    assert arrivals.is_due(grown, 12, QUIET)
    assert arrivals.is_due(arrivals.looked(seen, Listing(files={}, away=False), 10), 10, QUIET)


def test_a_file_that_changed_while_others_were_done_comes_later() -> None:
    seen = arrivals.handled(looks((0, {"a": 1, "b": 1})), 2, QUIET, failed=False)
    seen = arrivals.looked(seen, Listing(files={"a": (2, 0), "b": (1, 0), "c": (1, 0)}, away=False), 3)
    seen = arrivals.looked(seen, Listing(files={"a": (3, 0), "b": (1, 0), "c": (1, 0)}, away=False), 5)
    assert arrivals.is_due(seen, 5, QUIET)  # for c
    seen = arrivals.handled(seen, 5, QUIET, failed=False)
    assert not arrivals.is_due(seen, 6, QUIET)
    assert arrivals.is_due(seen, 7, QUIET)  # for a


def test_what_failed_is_tried_again_by_and_by_or_when_something_changes() -> None:
    seen = arrivals.handled(looks((0, {"a": 1})), 2, QUIET, failed=True)
    assert not arrivals.is_due(seen, 3, QUIET)
    assert arrivals.is_due(seen, 2 + arrivals.AGAIN, QUIET)
    changed = arrivals.looked(seen, Listing(files={"a": (2, 0)}, away=False), 3)
    assert arrivals.is_due(changed, 5, QUIET)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 3)), min_size=1, max_size=12))
def test_every_state_that_stays_is_handled_once(states: list[dict[str, int]]) -> None:
    """A look a second; what each file is in the end has been handled, and nothing twice in a row."""
    seen, done = Seen(), dict[str, list[object]]()
    moment = 0.0
    for files in [*states, states[-1], states[-1], states[-1]]:
        seen = arrivals.looked(seen, Listing(files={n: (s, 0) for n, s in files.items()}, away=False), moment)
        if arrivals.is_due(seen, moment, QUIET):
            before = dict(seen.handled)
            seen = arrivals.handled(seen, moment, QUIET, failed=False)
            for name in seen.handled:
                if seen.handled[name] != before.get(name):
                    done.setdefault(name, []).append(seen.handled[name])
        moment += 1
    assert {name: state[0] for name, state in seen.handled.items()} == states[-1]
    assert not arrivals.is_due(seen, moment, QUIET)


def test_a_listing_has_what_the_study_consists_of(study: Path) -> None:
    (study / "transcripts/north/.n2.txt.part").write_text("half")
    found = arrivals.listing(study)
    assert set(found.files) == {
        *("transcripts/north/n1.txt", "transcripts/south/s1.txt"),
        *(str(study / "study.toml"), str(study / "codebook.csv")),
    }
    assert not found.away
    shutil.rmtree(study / "transcripts/south")
    assert arrivals.listing(study).away
    (study / "transcripts/south").mkdir()  # where a drive is not there, an empty folder often is
    assert arrivals.listing(study).away


def test_folders_are_those_of_the_sites_and_none_in_another(study: Path) -> None:
    text = (study / "study.toml").read_text().replace('"transcripts/south"', '"transcripts/*/*.txt"')
    (study / "study.toml").write_text(text)
    assert arrivals.folders(load_study(study)) == [study / "transcripts"]
    shutil.rmtree(study / "transcripts")
    assert arrivals.folders(load_study(study)) == []


def test_the_system_ends_the_waiting(study: Path) -> None:
    place = study / "transcripts/north"
    bell = arrivals.Bell(step=0.05)
    bell.wait([place], 0.1)
    threading.Timer(0.1, lambda: (place / "n2.txt").write_text(EVE)).start()
    began = time.monotonic()
    bell.wait([place], 60)
    assert time.monotonic() - began < 30
    assert not bell.lost


def test_where_the_system_tells_nothing_time_ends_the_waiting(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> Iterator[object]:
        raise OSError("no space left on device")

    monkeypatch.setattr("watchfiles.watch", none_left)
    bell = arrivals.Bell()
    bell.wait([study], 0.01)
    assert (bell.told, bell.lost) == (False, "OSError")
    bell.wait([study], 0.01)


def test_a_watched_folder_that_goes_and_comes_is_watched_again(study: Path) -> None:
    place = study / "transcripts/north"
    bell = arrivals.Bell(step=0.05)
    bell.wait([place], 0.1)
    shutil.rmtree(place)
    bell.wait([place], 0.2)  # told of its going, or that it is gone
    bell.wait([], 0.01)
    place.mkdir()
    bell.wait([place], 0.1)
    threading.Timer(0.1, lambda: (place / "n2.txt").write_text(EVE)).start()
    began = time.monotonic()
    bell.wait([place], 60)
    assert time.monotonic() - began < 30
    assert bell.told


def once(study: Path, *options: str, expect: int = 0) -> str:
    return run("watch", study, "--once", "--settle", "0.05", "--direct", *options, expect=expect).output


def test_once_does_what_is_to_be_done_and_ends(study: Path) -> None:
    assert "North, South: 2 transcripts read, 5 segments; 18 texts embedded, 5 segments ranked" in once(study)
    assert once(study).endswith("  nothing was new\n")
    (study / "transcripts/north/bad.docx").write_bytes(b"handbag")
    (study / "transcripts/south/s2.txt").write_text(EVE)
    (study / "transcripts/south/s1.txt").unlink()
    told = once(study, expect=3)
    assert "North, South: 1 transcript read, 1 segment" in told
    assert "1 file gone; 1 file set aside" in told
    assert "quarantined: transcripts/north/bad.docx" in told
    assert "handbag" not in told
    assert "Sundays" not in told


def test_rounds_can_be_read_by_a_program(study: Path) -> None:
    told = json.loads(once(study, "--json"))
    assert (told["sites"], told["files"], told["gone"], told["quarantined"]) == (["North", "South"], 2, 0, [])


def test_a_file_that_still_arrives_is_left_for_the_next_time(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once(study)
    late, changed = study / "transcripts/north/n2.txt", study / "transcripts/south/s1.txt"
    before = arrivals.listing

    def growing(path: Path) -> Listing:
        found = before(path)
        late.write_text(EVE[: len(EVE) // 2])
        changed.write_text(changed.read_text() + "More.")
        return found

    monkeypatch.setattr(arrivals, "listing", growing)
    told = once(study)
    assert "nothing was new; 2 files still arriving" in told
    monkeypatch.undo()
    session = intake.open_session(study)
    assert late.relative_to(study).as_posix() not in corpus.known_sources(session.store)
    assert {entry.source for entry in corpus.list_transcripts(session.store)} == {
        "transcripts/north/n1.txt",
        "transcripts/south/s1.txt",
    }
    assert "2 transcripts read" in once(study)


def test_a_file_that_comes_after_the_look_is_left_for_the_next_time(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(study)
    before, looks = arrivals.listing, list[Path]()

    def then_comes(path: Path) -> Listing:
        found = before(path)
        looks.append(path)
        if len(looks) == 2:  # the one that the round goes by
            (study / "transcripts/north/n2.txt").write_text(EVE[: len(EVE) // 2])
        return found

    monkeypatch.setattr(arrivals, "listing", then_comes)
    assert "nothing was new; 1 file still arriving" in once(study)
    assert "transcripts/north/n2.txt" not in corpus.known_sources(intake.open_session(study).store)


def test_a_folder_that_is_away_takes_nothing_with_it(study: Path) -> None:
    once(study)
    (study / "transcripts/south").rename(study / "away")
    told = once(study)
    assert "nothing was new" in told
    assert "there is no folder transcripts/south" in told
    (study / "away").rename(study / "transcripts/south")
    assert once(study).endswith("nothing was new\n")
    assert work.look(intake.open_session(study)).nothing


@contextmanager
def watching(study: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", "Queue[str]"]]:
    """Run the command and collect its lines of both streams."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "pipeline",
        "watch",
        str(study),
        "--settle",
        "0.3",
        "--every",
        "1",
        "--direct",
    ]
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": ROOT},
    )
    lines: Queue[str] = Queue()

    def collect() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)

    reader = threading.Thread(target=collect)
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def until(lines: "Queue[str]", wanted: str) -> list[str]:
    """Return the lines up to one that holds ``wanted``."""
    told: list[str] = []
    while not told or wanted not in told[-1]:
        try:
            told.append(lines.get(timeout=60))
        except Empty:
            raise AssertionError(f"{wanted!r} is not in {told}") from None
    return told


@pytest.mark.parametrize(("options", "how"), [((), signal.SIGINT), (("--poll",), signal.SIGTERM)])
def test_a_watch_survives_what_may_happen(study: Path, options: tuple[str, ...], how: signal.Signals) -> None:
    with watching(study, *options) as (process, lines):
        until(lines, "2 transcripts read")
        (study / "transcripts/south/s2.txt").write_text(EVE)
        assert "South: 1 transcript read, 1 segment; 2 texts embedded" in until(lines, "read")[-1]
        (study / "transcripts/south/s3.docx").write_bytes(b"no archive")
        until(lines, "quarantined: transcripts/south/s3.docx")
        toml = (study / "study.toml").read_text()
        (study / "study.toml").write_text(toml + "oops")
        until(lines, "is not TOML")
        (study / "study.toml").write_text(toml)
        shutil.rmtree(study / "transcripts/south")
        until(lines, "there is no folder transcripts/south")
        (study / "transcripts/south").mkdir()
        (study / "transcripts/south/s4.txt").write_text(EVE.replace("Sundays", "Mondays"))
        until(lines, "South: 1 transcript read")
        assert process.poll() is None
        process.send_signal(how)
        assert until(lines, "Ended.")[-1] == "Ended.\n"
        assert process.wait(timeout=60) == 0


def test_a_locked_store_is_waited_for(study: Path) -> None:
    once(study)
    store = intake.open_session(study).store
    (study / "transcripts/south/s2.txt").write_text(EVE)
    with watching(study) as (_, lines):
        with store.alone(lambda: None):
            until(lines, "Another `suggest` works on this study")
        assert "South: 1 transcript read" in until(lines, "read")[-1]
