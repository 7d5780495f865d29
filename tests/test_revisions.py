"""What changed between two codebooks."""

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.codebook import write_codebook
from pipeline.records import Codebook, Exemplar, Kind, Theme
from pipeline.revisions import Change, changes, theme_digest

RAIN = Theme(name="Rain", definition="Getting wet", exemplars=(Exemplar(text="My coat was wet"),))
FARE = Theme(name="Fare", definition="What it costs", exemplars=(Exemplar(text="It costs too much"),))
TALK = Theme(name="Talk", exemplars=(Exemplar(text="We sang"), Exemplar(text="We told jokes")))
OLD = Codebook(themes=(RAIN, FARE, TALK))

words = st.text("abc", min_size=1, max_size=3)
exemplars = st.lists(st.builds(Exemplar, text=words, kind=st.sampled_from(Kind)), max_size=3).map(tuple)
themes = st.builds(Theme, name=words, definition=words, include=words, exemplars=exemplars)
codebooks = st.lists(themes, max_size=4, unique_by=lambda theme: theme.name).map(
    lambda some: Codebook(themes=tuple(some))
)


@given(codebooks)
def test_a_codebook_does_not_differ_from_itself_in_another_order(codebook: Codebook) -> None:
    turned = tuple(replace(t, exemplars=tuple(reversed(t.exemplars))) for t in reversed(codebook.themes))
    assert changes(codebook, Codebook(themes=turned)) == []


@given(codebooks, codebooks)
def test_every_theme_is_accounted_for(old: Codebook, new: Codebook) -> None:
    found = changes(old, new)
    fresh = {c.theme for c in found if c.kind in ("added", "renamed")}
    gone = {c.theme for c in found if c.kind == "removed"} | {c.formerly for c in found if c.formerly}
    assert fresh == set(new.names) - set(old.names)
    assert gone == set(old.names) - set(new.names)


def test_each_kind_of_change_is_told() -> None:
    new = Codebook(
        themes=(
            replace(
                RAIN, definition="Getting wet and cold", exemplars=(*RAIN.exemplars, Exemplar(text="Such a storm"))
            ),
            replace(FARE, name="Money"),
            Theme(name="Dogs"),
        )
    )
    assert changes(OLD, new) == [
        Change(theme="Rain", kind="changed", fields=("definition",), exemplars_added=1),
        Change(theme="Money", kind="renamed", formerly="Fare"),
        Change(theme="Dogs", kind="added"),
        Change(theme="Talk", kind="removed"),
    ]


def test_a_theme_without_definition_is_known_by_its_exemplars() -> None:
    new = replace(TALK, name="Singing", exemplars=(*TALK.exemplars, Exemplar(text="The driver whistled")))
    (change,) = changes(Codebook(themes=(TALK,)), Codebook(themes=(new,)))
    assert (change.kind, change.formerly, change.exemplars_added) == ("renamed", "Talk", 1)


def test_a_theme_reads_differently_when_a_near_miss_becomes_typical() -> None:
    miss = replace(RAIN, exemplars=(replace(RAIN.exemplars[0], kind=Kind.NEAR_MISS),))
    assert theme_digest(miss) != theme_digest(RAIN)
    assert theme_digest(replace(RAIN, exemplars=(replace(RAIN.exemplars[0], source="FG1"),))) == theme_digest(RAIN)


def test_the_commands_convert_check_and_compare(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.yaml"
    write_codebook(OLD, first)
    run = CliRunner().invoke
    assert run(main, ["codebook", "convert", str(first), str(second)]).output == f"3 themes written to {second}.\n"
    assert run(main, ["codebook", "diff", str(first), str(second)]).output == "Both say the same.\n"
    assert f"3 themes, 4 exemplars, revision {OLD.revision}" in run(main, ["codebook", "check", str(second)]).output
    write_codebook(Codebook(themes=(RAIN,)), second)
    told = json.loads(run(main, ["codebook", "diff", str(first), str(second), "--json"]).output)
    assert [(c["theme"], c["kind"]) for c in told["changes"]] == [("Fare", "removed"), ("Talk", "removed")]
    assert "removed" in run(main, ["codebook", "diff", str(first), str(second)]).output
    missing = run(main, ["codebook", "check", str(tmp_path / "no.csv")])
    assert missing.exit_code == 1
    assert "Traceback" not in missing.output


def test_a_theme_that_tells_its_former_name_is_renamed_even_if_it_says_nothing_else() -> None:
    old = Codebook(themes=(Theme(name="A"), Theme(name="B")))
    new = Codebook(themes=(Theme(name="C", formerly=("A",)), Theme(name="B")))
    assert [(c.theme, c.kind, c.formerly) for c in changes(old, new)] == [("C", "renamed", "A")]
