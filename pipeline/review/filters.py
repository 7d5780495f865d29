"""Which segments a coder wants to see: read from an address and written into one, and found in the store.

Nothing that the machine thinks of a segment selects it while the coder sees it bare: withheld segments, checks and
segments without a suggestion are one group. Nor do other people's answers, but to those who may compare them.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qsl, urlencode

from ..records import BLIND, Mode, SegmentId, TranscriptId
from ..store import finding, reveals
from ..store import slots as kept
from ..store.corpus import list_transcripts
from ..store.people import Rights, assigned, opened
from ..transcripts import group
from . import slots
from .memos import with_memo
from .orders import Order, Reviewer, in_order, mine
from .queue import withheld

MARK = "filter:"  # how an address tells a filter from an order
BANDS = {"90": (0.9, 2.0), "70": (0.7, 0.9), "50": (0.5, 0.7), "0": (0.0, 0.5), "any": (0.0, 2.0), "none": (0.0, 2.0)}
STATES = {"open": (0,), "decided": (2, 3, 4, 5), "unsure": (1,), "rejected": (2,), "nothing": (3,), "coded": (4,)}
LONGEST = 200  # characters of one condition
READERS = (Rights.LEAD, Rights.AUDITOR)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Conditions that segments have to fit, all of them; an empty one fits everything."""

    site: str = ""
    transcript: str = ""  # its id
    speaker: str = ""  # what speakers are: their label without its number
    suggested: str = ""  # a theme
    chance: str = ""  # of `BANDS`
    state: str = ""  # of `STATES`
    given: str = ""  # a theme
    memo: str = ""  # "yes": on which one has a memo
    coder: str = ""  # whose answers count, one's own if empty
    find: str = ""  # the key of words that the program remembers: what is typed is never in an address
    by: Order = Order.TRANSCRIPT

    @property
    def value(self) -> str:
        """The filter as it stands in an address, in the place of an order."""
        return MARK + urlencode({name: told for name, told in self.told.items() if told})

    @property
    def told(self) -> dict[str, str]:
        """Every condition by its name."""
        return {one.name: str(getattr(self, one.name)) for one in fields(self)}

    @property
    def conditions(self) -> dict[str, str]:
        """The conditions that are given."""
        return {name: told for name, told in self.told.items() if told and name != "by"}

    @property
    def only_open(self) -> bool:
        """Whether going on leads to open segments alone: not where answered ones were asked for."""
        return self.state in ("", "open") and not (self.given or self.coder or self.memo)

    def without(self, name: str) -> "Filter":
        """Return the filter without one of its conditions."""
        return replace(self, **{name: ""})  # type: ignore[arg-type]  # a condition, which is a text


Way = Order | Filter


def way(told: str) -> Way:
    """Return the order or filter that an address says; what it does not say rightly is left out."""
    if not told.startswith(MARK):
        return Order(told) if told in [order.value for order in Order] else Order.TRANSCRIPT
    return made(dict(parse_qsl(told.removeprefix(MARK), max_num_fields=20)))


def made(told: dict[str, str]) -> Filter:
    """Return a filter of the conditions in a form or an address; what none of ours says is left out."""
    plain = {one.name: told.get(one.name, "").strip()[:LONGEST] for one in fields(Filter) if one.name != "by"}
    by = told.get("by", "")
    return Filter(
        **plain
        | {"chance": plain["chance"] if plain["chance"] in BANDS else ""}
        | {"state": plain["state"] if plain["state"] in STATES else ""}
        | {"memo": plain["memo"] if plain["memo"] == "yes" else ""},
        by=Order(by) if by in (Order.SUREST.value, Order.INFORMATIVE.value) else Order.TRANSCRIPT,
    )


def words_of(text: str) -> list[str]:
    """Return the words that are looked for; what stands in quotation marks is one.

    >>> words_of('bus  "in the rain"')
    ['in the rain', 'bus']
    """
    phrases = re.findall(r'"([^"]+)"', text)
    return [" ".join(one.split()) for one in phrases if one.strip()] + re.sub(r'"[^"]+"', " ", text).split()


def may_see(reviewer: Reviewer) -> Collection[TranscriptId] | None:
    """Return in which transcripts somebody may see others' answers: none means in all of them."""
    if reviewer.rights in READERS:
        return None
    places = opened(reviewer.store) if reviewer.rights is not None else set()
    reading = assigned(reviewer.store) if places else {}
    return [
        entry.id
        for entry in (list_transcripts(reviewer.store) if places else ())
        if (place := (entry.site, entry.name)) in places and reviewer.coder in reading.get(place, (reviewer.coder,))
    ]


def matching(reviewer: Reviewer, filter_: Filter, text: str = "") -> list[SegmentId]:
    """Return the segments that fit a filter, in its order; ``text`` are the words that its key stands for."""
    found = finding.find(reviewer.store, _wanted(reviewer, filter_))
    if filter_.suggested or filter_.chance:
        hides, bare = _hides(reviewer), filter_.chance == "none"
        found = [one for one in found if bare is not (one.shown and not hides(one.id))]
    if filter_.find:
        words = words_of(text)
        found = finding.holding(reviewer.store, found, words) if words else []
    if filter_.memo:
        found = _noted(reviewer, found)
    segments = [one.id for one in found]
    if filter_.by is Order.TRANSCRIPT:
        return segments
    fit = set(segments)  # the order has open segments only; those that are not follow as they were said
    ordered = [segment for segment in in_order(reviewer, filter_.by) if segment in fit]
    return [*ordered, *(segment for segment in segments if segment not in set(ordered))]


def _noted(reviewer: Reviewer, found: Sequence[finding.Found]) -> list[finding.Found]:
    """Return the segments on which, or on a span in which, the coder has a memo."""
    places: dict[TranscriptId, list[tuple[int, int]]] = {}
    for unit in with_memo(reviewer):
        places.setdefault(unit.transcript, []).append((unit.start, unit.end))

    def has(one: finding.Found) -> bool:
        return any(start < one.end and one.start < end for start, end in places.get(one.transcript, ()))

    return [one for one in found if has(one)]


def _wanted(reviewer: Reviewer, filter_: Filter) -> finding.Wanted:
    within = {entry.id for entry in mine(reviewer)}
    every = len(within) == len(list_transcripts(reviewer.store))
    other = filter_.coder not in ("", reviewer.coder)
    if other and (allowed := may_see(reviewer)) is not None:
        within, every = within & set(allowed), False
    speakers = None
    if filter_.speaker:
        speakers = [label for label in finding.list_speakers(reviewer.store) if group(label) == filter_.speaker]
    return finding.Wanted(
        site=filter_.site,
        transcript=filter_.transcript,
        within=None if every else within,
        speakers=speakers,
        shown=_shown(reviewer, filter_) if filter_.suggested or filter_.chance else None,
        optional=filter_.chance == "none",
        answered=_answered(reviewer, filter_),
    )


def _shown(reviewer: Reviewer, filter_: Filter) -> finding.Shown:
    least, below = BANDS.get(filter_.chance, BANDS["any"])
    current = reviewer.codebook.current  # what is suggested under a former name is shown under the present one
    themes = [name for name, now in current.items() if filter_.suggested in ("", now)]
    return finding.Shown(themes=themes or [filter_.suggested], least=least, below=below)


def _answered(reviewer: Reviewer, filter_: Filter) -> finding.Answered:
    own = filter_.coder in ("", reviewer.coder)
    names = [old for old, now in reviewer.codebook.current.items() if now == filter_.given]
    states = STATES.get(filter_.state, ())
    if not (own or states or filter_.given):
        states = tuple(number for number in (1, *STATES["decided"]))  # whatever that coder answered
    return finding.Answered(
        coder=filter_.coder or reviewer.coder,
        again=slots.read_again(slots.active(reviewer)) if own else (),
        states=states,
        given=names or [filter_.given] if filter_.given else (),
    )


def _hides(reviewer: Reviewer) -> Callable[[SegmentId], bool]:
    """Return what tells whether the coder sees a segment bare, whatever the machine thinks of it."""
    coder, share = reviewer.coder, reviewer.study.review.withhold
    again = slots.read_again(slots.active(reviewer))
    drawn = [slot for slot in kept.load_slots(reviewer.store, coder) if slot.mode in BLIND]
    checks = {slot.segment for slot in drawn if slot.mode is not Mode.DUPLICATE} | again
    if not reviewer.study.review.decide_first:
        return lambda segment: segment in checks or withheld(segment, coder, share)
    seen = reveals.revealed_to(reviewer.store, coder)  # what is not opened yet tells nothing before the coder does
    return lambda segment: segment not in seen or segment in checks or withheld(segment, coder, share)
