"""The parts of a site's page that tell how its talk differs: distance, words, and what no theme explains."""

from collections.abc import Iterator, Sequence

from ..influence import Estimate
from . import figures
from .arrived import Arrived, Nearness, Unexplained, Vocabulary, Word
from .audit_influence import figure as told
from .drawing import Figure, Words
from .page import Part, Quote, Quotes, Section, Table
from .site_suggested import DRAWN, NOT_YET, OTHERS, ROWS
from .telling import apart, counted, hundred, listed

LONGEST = 1200  # characters of a segment that is quoted
GROUPS = 8  # that are shown
FAR = 0.05  # from an even chance, below which it is as good as even


def talk_sections(found: Arrived) -> list[Section]:
    """Return the sections."""
    return [
        Section(title="Does it speak of something else?", parts=tuple(_nearness(found))),
        Section(title="Words of its own", parts=tuple(_vocabulary(found))),
        Section(title="What no theme explains", parts=tuple(_unexplained(found))),
    ]


def in_short(found: Arrived) -> Iterator[str]:
    """Yield the sections in a sentence each, as far as there is something in them."""
    if found.nearness is not None and found.nearness.elsewhere:
        yield told_off(found.site, found.nearness)
    if found.vocabulary is not None and found.vocabulary.new:
        new = found.vocabulary.new
        yield f"Words that no other site says, such as {listed([word.word for word in new[:5]])}."
    if found.unexplained:
        groups, inside = counted(len(found.unexplained), "group"), sum(one.here for one in found.unexplained)
        yield f"{groups} of like segments that no theme explains; {counted(inside, 'segment')} of this site in them."


def told_off(site: str, near: Nearness) -> str:
    """Return in a sentence whether the site's talk is farther from the exemplars than that of others."""
    farther = near.sites[site].farther
    value, reach = farther.value if farther.value is not None else 0.5, ""
    verdict = "there are too few transcripts to tell whether by chance"
    if farther.low is not None and farther.high is not None:
        reach = f" [{100 * farther.low:.0f}, {100 * farther.high:.0f}]"
        verdict = "farther" if farther.low > 0.5 else "nearer" if farther.high < 0.5 else ""
        verdict = f"it is {verdict}, by more than chance" if verdict else "no more than chance would do"
    if abs(value - 0.5) < FAR:
        verdict = "about as near"
    return (
        f"A segment of {apart(site)} is farther from every exemplar than one of another site in "
        f"{100 * value:.0f}{reach} of 100 pairs, where 50 is as near: {verdict}."
    )


def _nearness(found: Arrived) -> Iterator[Part]:
    near = found.nearness
    if near is None:
        yield "The distance to the exemplars is not known: no segment of this site can be compared with one yet."
        return
    if near.elsewhere:
        yield told_off(found.site, near)
    yield _curves(found.site, near)
    compared = [(name, off.farther) for name, off in near.sites.items() if off.farther.value is not None]
    if len(compared) > 1:
        yield _farther(found.site, compared)
    rows = tuple((name, off.segments, off.cosine, told(off.farther)) for name, off in near.sites.items())
    columns = ("site", "segments", "median cosine", "chance to be farther")
    yield Table(caption="Distance to the nearest exemplar, site by site", columns=columns, rows=rows[:ROWS])
    yield (
        "Distance is in meaning, as the encoder sees it: the cosine with the nearest exemplar, or with the definition "
        "of a theme that has none; exemplars from the same transcript do not count. Talk that is far off may be about "
        "something that the codebook has no theme for, in a language that the encoder does not know, or small talk."
    )


def _curves(site: str, near: Nearness) -> Figure:
    groups = ((site, near.here), (OTHERS, near.elsewhere))
    series = [
        figures.Series(name=name, x=near.levels, y=tuple(100 * share for share in curve))
        for name, curve in groups
        if curve
    ]
    alt = (
        "Share of segments whose cosine with the nearest exemplar is at most so much. Half of those of "
        f"{site} are below {near.sites[site].cosine:.2f}. A line more to the left is farther from the exemplars."
    )
    title = "How near segments are to the nearest exemplar"
    words = Words(title=title, alt=alt, x="cosine with the nearest exemplar", y="% of segments, at most so near")
    return figures.lines(words, series, y_range=(-2, 102), marked=False)


def _farther(site: str, compared: Sequence[tuple[str, Estimate]]) -> Figure:
    shown = [
        figures.Estimate(name=name, value=hundred(of.value), low=hundred(of.low), high=hundred(of.high))
        for name, of in compared[:DRAWN]
    ]
    alt = (
        "For each site, in how many of 100 pairs its segment is farther from the exemplars than one of all other "
        f"sites; {site} first. 50 is as near as the others."
    )
    words = Words(title="Which site is farther off", alt=alt, x="farther, of 100 pairs of segments", y="site")
    return figures.intervals(words, shown, limits=[figures.Limit(name="as near", value=50)], x_range=(0, 100))


def _vocabulary(found: Arrived) -> Iterator[Part]:
    said = found.vocabulary
    if said is None:
        yield f"No other site talks in this language ({found.language}): there is nothing to compare its words with."
        return
    beside = f"Compared with {listed(said.beside)}."
    if not said.words:
        yield f"No word is said here in several segments and hardly elsewhere. {beside}"
        return
    yield (
        "Words that are in three segments or more here, in two transcripts if there are two, and in one of a hundred "
        f"elsewhere at most. New are those that no other site says and the codebook does not have. {beside}"
    )
    yield _words(found.site, said)
    rows = tuple((one.word, "new" if one.new else "", one.here, one.transcripts, one.elsewhere) for one in said.words)
    columns = ("word", "new", "segments here", "transcripts here", "segments elsewhere")
    yield Table(caption="Words of its own", columns=columns, rows=rows)


def _words(site: str, said: Vocabulary) -> Figure:
    def bars(word: Word) -> Iterator[figures.Estimate]:
        yield figures.Estimate(name=word.word, value=100 * word.here / said.here, group=site)
        yield figures.Estimate(name=word.word, value=100 * word.elsewhere / said.elsewhere, group=OTHERS)

    most = [*said.new[: DRAWN // 2], *(word for word in said.words if not word.new)][:DRAWN]
    alt = (
        f"Bars for {counted(len(most), 'word')}: share of segments that say it at {site} and at the {OTHERS}. "
        f"First comes {most[0].word}."
    )
    words = Words(
        title="Words that are said here and hardly elsewhere, new ones first", alt=alt, x="% of segments", y="word"
    )
    return figures.bars(words, [bar for word in most for bar in bars(word)])


def _unexplained(found: Arrived) -> Iterator[Part]:
    if found.suggesting is None:
        yield NOT_YET
        return
    if not found.unexplained:
        yield "None: what no theme explains at this site, if anything, is not said several times."
        return
    yield (
        "Segments that are far from every theme, that nobody has given a theme, and that resemble each other: "
        "candidates for new themes, or for wider definitions. The most central ones are quoted. `themescout review` "
        "leads through them, in its order by what nothing fits."
    )
    yield _groups(found.site, found.unexplained[:GROUPS])
    yield Quotes(columns=tuple(map(_quoted, found.unexplained[:GROUPS])))
    if len(found.unexplained) > GROUPS:
        yield f"These are the largest; the JSON file has all {len(found.unexplained):,}."


def _quoted(one: Unexplained) -> tuple[str, tuple[Quote, ...]]:
    heading = f"{_name(one)}: {counted(one.here, 'segment')} here, {one.elsewhere:,} elsewhere"
    return heading, tuple(Quote(text=_cut(said.text), place=said.place) for said in one.central)


def _groups(site: str, groups: Sequence[Unexplained]) -> Figure:
    named: dict[str, Unexplained] = {}
    for at, one in enumerate(groups, 1):
        named[_name(one) if _name(one) not in named else f"{_name(one)} ({at})"] = one
    shown = [
        figures.Estimate(name=name, value=size, group=group)
        for name, one in named.items()
        for group, size in ((site, one.here), (OTHERS, one.elsewhere))
    ]
    alt = (
        f"Bars for {counted(len(groups), 'group')} of segments: how many of {site} and how many of the {OTHERS} "
        "are in each."
    )
    words = Words(title="Groups of like segments that no theme explains", alt=alt, x="segments", y="group")
    return figures.bars(words, shown)


def _name(one: Unexplained) -> str:
    return " ".join(one.words) or "without a word in common"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rpartition(' ')[0] or text[:LONGEST]} …"
