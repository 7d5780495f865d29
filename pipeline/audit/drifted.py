"""Who answers otherwise than before, from what was gathered: on blind anchors, or else on plain double coding."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from .. import agreement as agree
from .. import drift
from ..agreement import Reading
from ..drift import Advice, Again, Check, Coded, Plan
from ..records import Codebook, Coding, Decision, Mode, SegmentId, digest, present
from ..report import Drift
from .gather import Gathered, by_lot
from .places import places_to_look

ENOUGH = 20  # anchors that somebody must have answered; with fewer, what was coded twice tells more
WATCHED_AT_LEAST = 120  # planned checks of one coder, up to which charts keep their promise


def drifted(gathered: Gathered, priority: Sequence[str], seed: int) -> Drift | None:
    """Return the drift audit; None where no segment has an answer to compare with.

    ``priority`` are the themes that are watched; without any, those that are right most often. Anchors are what counts,
    unless nobody has answered twenty of them and there is double coding.
    """
    anchors = checks_on_anchors(gathered)
    most = max(Counter(check.coder for check in anchors).values(), default=0)
    others = checks_on_others(gathered) if most < ENOUGH else []
    checks = others or anchors
    known = {theme for check in checks for theme in (*check.gold, *check.given)}
    watched = tuple(theme for theme in priority if theme in known) or drift.most_common(checks)
    if not checks or not watched:
        return None
    plan = Plan(
        priority=watched,
        anchors=max(WATCHED_AT_LEAST, most),
        against="others" if others else "gold",
        shuffled=not others,
        wordings=_wordings(gathered.codebooks, gathered.codebook.current),
        seed=seed,
    )
    return Drift(
        audit=drift.audit(checks, plan),
        checks=tuple(checks),
        chosen=any(theme in watched for theme in priority),
        anchors=len(anchors),
        documents=len({check.document for check in checks}),
        drawn_from=_drawn_from(gathered) if others else 0,
        revisions=_begun(gathered.decisions),
        advice=(
            *_agreement(gathered, watched),
            *_duplicates(gathered, watched),
            *places_to_look(gathered, watched, seed),
        ),
    )


def checks_on_anchors(gathered: Gathered) -> list[Check]:
    """Return what coders said of segments of known gold coding, which were shown to them without suggestions."""
    blind = [d for d in gathered.decisions if d.mode is Mode.ANCHOR and d.segment in gathered.gold]
    homes = _homes(gathered)
    return [
        Check(
            coder=coding.coder,
            at=coding.coded_at,
            segment=coding.segment,
            document=gathered.document(coding.segment),
            site=homes.get(coding.coder) or gathered.passages[coding.segment].site,
            gold=gathered.gold[coding.segment].themes,
            given=frozenset(coding.themes),
            uncertain=gathered.gold[coding.segment].uncertain,
            revision=revision,
        )
        for coding, revision in _with_revision(gathered, present(blind))
    ]


def _coded_twice(gathered: Gathered) -> list[Coding]:
    """Return the codings of segments that several coders read."""
    readers = Counter(coding.segment for coding in gathered.codings)
    return [coding for coding in gathered.codings if readers[coding.segment] > 1]


def _drawn_from(gathered: Gathered) -> int:
    """Return from how many documents those that are compared were drawn by lot; 0 where all are."""
    every = _coded_twice(gathered)
    kept = by_lot(gathered, every)
    return 0 if len(kept) == len(every) else len({gathered.document(coding.segment) for coding in every})


def checks_on_others(gathered: Gathered) -> list[Check]:
    """Return what coders said of segments beside what most of the others said, where segments have several coders."""
    homes = _homes(gathered)
    twice = by_lot(gathered, _coded_twice(gathered))
    return drift.checks_of(
        [
            _coded(gathered, coding, homes.get(coding.coder), revision)
            for coding, revision in _with_revision(gathered, twice)
        ]
    )


def _coded(gathered: Gathered, coding: Coding, home: str | None = None, revision: str = "") -> Coded:
    return Coded(
        coder=coding.coder,
        at=coding.coded_at,
        segment=coding.segment,
        document=gathered.document(coding.segment),
        site=home or gathered.passages[coding.segment].site,
        themes=frozenset(coding.themes),
        revision=revision,
    )


def _with_revision(gathered: Gathered, codings: Sequence[Coding]) -> list[tuple[Coding, str]]:
    """Return codings, each with the codebook's revision at its last answer."""
    revision = {(d.segment, d.coder): d.codebook_revision for d in gathered.decisions if d.mode is not Mode.DUPLICATE}
    return [(coding, revision[coding.segment, coding.coder]) for coding in codings]


def _homes(gathered: Gathered) -> dict[str, str]:
    """Return the site of every coder who codes one site's documents only, checks left out."""
    sites: dict[str, set[str]] = {}
    for decision in gathered.decisions:
        if decision.mode in (Mode.ROUTINE, Mode.WITHHELD):
            sites.setdefault(decision.coder, set()).add(gathered.passages[decision.segment].site)
    return {coder: next(iter(found)) for coder, found in sites.items() if len(found) == 1}


def _wordings(codebooks: Mapping[str, Codebook], current: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return a hash of what each theme's entry says, by revision and present name: a name alone is no other wording."""
    return {
        revision: {
            current.get(theme.name, theme.name): digest(repr(replace(theme, name="", formerly=())))
            for theme in book.themes
        }
        for revision, book in codebooks.items()
    }


def _begun(decisions: Sequence[Decision]) -> tuple[tuple[datetime, str], ...]:
    """Return when somebody first worked with each revision of the codebook, in the order of that."""
    first: dict[str, datetime] = {}
    for decision in decisions:
        if decision.codebook_revision:
            known = first.get(decision.codebook_revision, decision.decided_at)
            first[decision.codebook_revision] = min(known, decision.decided_at)
    return tuple(sorted((at, revision) for revision, at in first.items()))


def _agreement(gathered: Gathered, themes: Sequence[str]) -> tuple[Advice, ...]:
    """Return alpha of each theme on what was coded in the earlier and in the later half, if several coded it."""
    twice = by_lot(gathered, _coded_twice(gathered))
    coded = [_coded(gathered, coding) for coding in twice]
    if not coded:
        return ()
    middle = sorted(one.at for one in coded)[len(coded) // 2]
    return drift.by_period(coded, themes, lambda some: _alphas(some, themes), middle)


def _alphas(coded: Sequence[Coded], themes: Sequence[str]) -> dict[str, float | None]:
    read = (Reading(unit=one.segment, document=one.document, coder=one.coder, themes=one.themes) for one in coded)
    return agree.theme_alphas(agree.ratings(read, themes))


def _duplicates(gathered: Gathered, themes: Sequence[str]) -> tuple[Advice, ...]:
    """Return what coders said the second time of segments that came again, drawn by gold or the machine's score."""
    again = (replace(d, mode=Mode.ROUTINE) for d in gathered.decisions if d.mode is Mode.DUPLICATE)
    later = {(coding.segment, coding.coder): coding.themes for coding in present(again)}
    pairs = [
        Again(
            coder=coding.coder,
            theme=theme,
            earlier=theme in coding.themes,
            later=theme in later[coding.segment, coding.coder],
            drawn_as=_stratum(gathered, coding.segment, theme),
        )
        for coding in gathered.codings
        if (coding.segment, coding.coder) in later
        for theme in themes
    ]
    return drift.duplicates(pairs)


def _stratum(gathered: Gathered, segment: SegmentId, theme: str) -> str:
    """Return what a duplicate was drawn as, as far as it concerns a theme."""
    if segment in gathered.gold:
        right = gathered.gold[segment].says(theme)
        return "gold not certain" if right is None else f"gold {int(right)}"
    return "suggested" if theme in gathered.machine.get(segment, ()) else "not suggested"
