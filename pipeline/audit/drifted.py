"""Who answers otherwise than before, from what was gathered: on blind anchors, or else on plain double coding."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from .. import agreement as agree
from .. import drift
from ..agreement import Lack, Reading
from ..drift import Advice, Check, Coded, Plan
from ..records import Codebook, Coding, Decision, Mode, SegmentId, digest, present
from ..report import Drift
from .gather import Gathered


def drifted(gathered: Gathered, priority: Sequence[str], seed: int) -> Drift | None:
    """Return the drift audit; None where no segment has an answer to compare with.

    ``priority`` are the themes that are watched; without any, those that are right most often.
    """
    anchors = checks_on_anchors(gathered)
    checks = anchors or checks_on_others(gathered)
    known = {theme for check in checks for theme in (*check.gold, *check.given)}
    watched = tuple(theme for theme in priority if theme in known) or drift.most_common(checks)
    if not checks or not watched:
        return None
    plan = Plan(
        priority=watched,
        against="gold" if anchors else "others",
        shuffled=bool(anchors),
        wordings=_wordings(gathered.codebooks),
        seed=seed,
    )
    return Drift(
        audit=drift.audit(checks, plan),
        checks=tuple(checks),
        chosen=bool(priority),
        advice=(*_by_period(gathered, watched), *_duplicates(gathered)),
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
        for coding, revision in _with_revision(blind)
    ]


def checks_on_others(gathered: Gathered) -> list[Check]:
    """Return what coders said of segments beside what most of the others said, where segments have several coders."""
    homes = _homes(gathered)
    ordinary = [d for d in gathered.decisions if d.mode is not Mode.DUPLICATE]
    return drift.checks_of(
        [
            Coded(
                coder=coding.coder,
                at=coding.coded_at,
                segment=coding.segment,
                document=gathered.document(coding.segment),
                site=homes.get(coding.coder) or gathered.passages[coding.segment].site,
                themes=frozenset(coding.themes),
                revision=revision,
            )
            for coding, revision in _with_revision(ordinary)
        ]
    )


def _with_revision(decisions: Sequence[Decision]) -> list[tuple[Coding, str]]:
    """Return the present coding of decisions, each with the codebook's revision at its last answer."""
    revision = {(d.segment, d.coder): d.codebook_revision for d in decisions}
    return [(coding, revision[coding.segment, coding.coder]) for coding in present(decisions)]


def _homes(gathered: Gathered) -> dict[str, str]:
    """Return the site of every coder who codes one site's documents only, checks left out."""
    sites: dict[str, set[str]] = {}
    for decision in gathered.decisions:
        if decision.mode in (Mode.ROUTINE, Mode.WITHHELD):
            sites.setdefault(decision.coder, set()).add(gathered.passages[decision.segment].site)
    return {coder: next(iter(found)) for coder, found in sites.items() if len(found) == 1}


def _wordings(codebooks: Mapping[str, Codebook]) -> dict[str, dict[str, str]]:
    """Return a hash of every theme's entry, by revision."""
    return {
        revision: {theme.name: digest(repr(theme)) for theme in book.themes} for revision, book in codebooks.items()
    }


def _by_period(gathered: Gathered, themes: Iterable[str]) -> list[Advice]:
    """Return alpha of each theme on what was coded in the earlier and in the later half."""
    coded = [
        Coded(
            coder=coding.coder,
            at=coding.coded_at,
            segment=coding.segment,
            document=gathered.document(coding.segment),
            themes=frozenset(coding.themes),
        )
        for coding in gathered.codings
    ]
    middle = median(sorted(one.at for one in coded)[:: max(1, len(coded) // 2)][1:2] or [coded[0].at])
    return [drift.by_period(coded, theme, lambda some, t=theme: _alpha(some, t), middle) for theme in themes]


def _alpha(coded: Sequence[Coded], theme: str) -> float | None:
    return None


def _duplicates(gathered: Gathered) -> tuple[Advice, ...]:
    return ()
