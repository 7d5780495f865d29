"""The routes by which a coder cuts otherwise than the machine: spans by sentence, split in two, or of marked words."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..intake import splitter
from ..records import Answer, Decision, Segment, SegmentId, TranscriptId
from ..store.corpus import add_person_segments, load_segments, load_transcripts
from ..store.decisions import appending, load_decisions
from . import slots
from .answers import moment_after
from .cutting import Act, as_it_was, cut_otherwise, marked, taken_away
from .desk import Desk, address, sight_of
from .own import Own, Reading, as_read, read
from .queue import WHOLE
from .render import Refused, asked_order, desk_of, page, posted, see, seen, shown_at, text
from .spanning import Change, NoSpanError, Place, Span, joined, moved, near, parted, segment_of, snapped

MOST_DIGITS = 18  # of a place in a text


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/span/{segment}", _choose, methods=["GET"]),
        Route("/span/{segment}", posted(_chosen, fields=10), methods=["POST"]),
        Route("/span/{segment}/move", posted(_moved, fields=10), methods=["POST"]),
        Route("/span/{segment}/split", posted(_split, fields=10), methods=["POST"]),
        Route("/span/{segment}/away", posted(_away, fields=10), methods=["POST"]),
        Route("/mark/{transcript}", posted(_marked, fields=10), methods=["POST"]),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cut:
    """What somebody is about to cut."""

    unit: Segment
    reading: Reading
    act: Act
    append: Callable[[Sequence[Decision]], None]


class _ChangedError(Exception):
    """Things are not as the form's page showed them."""


def _place(desk: Desk, transcript: TranscriptId) -> Place:
    found = load_transcripts(desk.store, [transcript]).get(transcript)
    if found is None:
        raise HTTPException(404)
    return Place(id=transcript, transcript=found)


def _unit(desk: Desk, request: Request) -> Segment:
    found = load_segments(desk.store, ids=[SegmentId(request.path_params["segment"])])
    if not found:
        raise HTTPException(404)
    return found[0]


def sentences(place: Place, turn: int) -> list[Span]:
    """Return where the sentences of a turn lie in the transcript."""
    said = place.transcript.turns[turn]
    words = place.transcript.text[said.start : said.end]
    return [(said.start + start, said.start + end) for start, end in splitter(place.transcript.language)(words)]


def _choose(request: Request) -> Response:
    """Show the sentences of a turn, of which a span can be made."""
    desk = desk_of(request)
    unit = _unit(desk, request)
    reading = read(desk, unit.transcript, slots.active(desk))
    if unit.id in reading.others:
        raise HTTPException(404)
    place = _place(desk, unit.transcript)
    words = place.transcript.text
    sight = sight_of(desk, unit, own=reading.own(unit.id))
    values = {
        "unit": unit,
        "own": reading.own(unit.id) is not None,
        "place": place.transcript,
        "back": address(desk, unit.transcript, unit.id, order=asked_order(request)),
        "seen": sight.seen,
        "run": sight.run,
        "sentences": [(a, b, words[a:b]) for a, b in near(sentences(place, unit.turn), (unit.start, unit.end))],
    }
    return page(request, "span.html", values)


def _chosen(request: Request, form: FormData) -> Response:
    """Code the chosen sentences, in place of the segment or beside it."""
    desk = desk_of(request)
    unit = _unit(desk, request)
    place = _place(desk, unit.transcript)
    with _said_plainly():
        span = joined(sentences(place, unit.turn), _number(form, "first"), _number(form, "last"))
        made = segment_of(place, span)
    if text(form, "how") == "beside":
        return _mark(request, form, made)
    return _cut_into(request, form, unit, [made])


def _moved(request: Request, form: FormData) -> Response:
    """Move one end of a segment or span by a sentence."""
    desk = desk_of(request)
    unit = _unit(desk, request)
    place = _place(desk, unit.transcript)
    try:
        change = Change(text(form, "change"))
    except ValueError:
        raise Refused("The form does not say which end to move.") from None
    with _said_plainly():
        made = segment_of(place, moved((unit.start, unit.end), sentences(place, unit.turn), change))
    return _cut_into(request, form, unit, [made])


def _split(request: Request, form: FormData) -> Response:
    """Split a segment or span where one of its sentences begins."""
    desk = desk_of(request)
    unit = _unit(desk, request)
    place = _place(desk, unit.transcript)
    with _said_plainly():
        parts = parted((unit.start, unit.end), sentences(place, unit.turn), _number(form, "before"))
        made = [segment_of(place, part) for part in parts]
    return _cut_into(request, form, unit, made, note="split")


def _cut_into(
    request: Request, form: FormData, unit: Segment, parts: Sequence[Segment], note: str = "span"
) -> Response:
    desk = desk_of(request)
    order = asked_order(request)
    machine = {segment.id for segment in load_segments(desk.store, unit.transcript)}
    add_person_segments(desk.store, [part for part in parts if part.id not in machine])
    try:
        with _cutting(request, form, unit) as cut:
            if _is_cut(cut):  # the same form was sent before
                raise _ChangedError
            if not cut.act.sight.span and any(part.id in machine for part in parts):
                note, parts = "segment-there", [part for part in parts if part.id in machine]
            elif [part.id for part in parts] != [unit.id]:
                cut.append(cut_otherwise(cut.act, parts, cut.reading.answers, machine))
    except _ChangedError:
        return see(address(desk, unit.transcript, unit.id, note="changed", order=order))
    return see(address(desk, unit.transcript, parts[0].id, note=note, order=order))


@contextmanager
def _cutting(request: Request, form: FormData, unit: Segment) -> Iterator[_Cut]:
    """Give what stands of a unit, and a function that appends to it, while nobody else appends.

    Raises ``_ChangedError`` if the unit is not what the form's page showed: cut otherwise, or gone, meanwhile.
    """
    desk = desk_of(request)
    began = shown_at(form)
    with desk.writing, appending(desk.store) as append:
        before = load_decisions(desk.store, transcript=unit.transcript, coder=desk.coder)
        reading = as_read(desk, unit.transcript, before, slots.active(desk))
        sight = sight_of(desk, unit, asked_order(request), text(form, "run"), own=reading.own(unit.id))
        if unit.id in reading.others or seen(form) != sight.seen:
            raise _ChangedError
        now = moment_after(datetime.now(UTC), before)
        act = Act(sight=sight, at=now, seconds=max(0.0, round(now.timestamp() - began, 3)))
        yield _Cut(unit=unit, reading=reading, act=act, append=append)


def _is_cut(cut: _Cut) -> bool:
    stands = cut.reading.answers.get(cut.unit.id, {})
    return WHOLE in stands and stands[WHOLE].answer is Answer.CUT


def _away(request: Request, form: FormData) -> Response:
    """Take a span away; or, of a segment that was cut otherwise, all spans that are coded in its place."""
    desk = desk_of(request)
    unit = _unit(desk, request)
    order = asked_order(request)
    try:
        with _cutting(request, form, unit) as cut:
            if cut.act.sight.span:
                cut.append(taken_away(cut.act, cut.reading.answers))
            elif _is_cut(cut):
                cut.append(as_it_was(cut.act, cut.reading.answers))
            there = cut.reading.home(unit)
    except _ChangedError:
        return see(address(desk, unit.transcript, unit.id, note="changed", order=order))
    return see(address(desk, unit.transcript, there.id, note="span-away", order=order))


def _marked(request: Request, form: FormData) -> Response:
    """Code words that were marked, beside the machine's segments."""
    desk = desk_of(request)
    place = _place(desk, TranscriptId(request.path_params["transcript"]))
    words = place.transcript.text
    with _said_plainly():
        span = snapped(words, (_number(form, "start"), _number(form, "end")))
        # A browser may show other signs than the file has; then its places are not to be trusted.
        if "".join(text(form, "words").split()) not in "".join(words[span[0] : span[1]].split()):
            raise NoSpanError("The marked words could not be found. Choose whole sentences instead.")
        made = segment_of(place, span)
    return _mark(request, form, made)


def _mark(request: Request, form: FormData, made: Segment) -> Response:
    desk = desk_of(request)
    order = asked_order(request)
    there = "segment-there"
    if all(segment.id != made.id for segment in load_segments(desk.store, made.transcript)):
        add_person_segments(desk.store, [made])
        began = shown_at(form)
        with desk.writing, appending(desk.store) as append:
            before = load_decisions(desk.store, transcript=made.transcript, coder=desk.coder)
            reading = as_read(desk, made.transcript, before, slots.active(desk))
            there = "span-there" if reading.own(made.id) else "span"
            if there == "span":
                now = moment_after(datetime.now(UTC), before)
                sight = sight_of(desk, made, order, own=Own(source=None))
                append(marked(Act(sight=sight, at=now, seconds=max(0.0, round(now.timestamp() - began, 3))), made))
    return see(address(desk, made.transcript, made.id, note=there, order=order))


@contextmanager
def _said_plainly() -> Iterator[None]:
    try:
        yield
    except NoSpanError as why:
        raise Refused(str(why)) from None


def _number(form: FormData, name: str) -> int:
    told = text(form, name)
    if not (told.isascii() and told.isdigit() and len(told) <= MOST_DIGITS):
        raise NoSpanError("The form does not say where the span begins and ends.")
    return int(told)
