"""The pages of a team: log in, the lead's view, comparing two coders and settling what they disagree on."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..memos import NO_SEGMENT
from ..records import Answer, Decision, Mode, Segment, SegmentId, TranscriptId, present
from ..store.corpus import Entry, list_transcripts, load_segments, load_transcripts
from ..store.decisions import appending, load_decisions
from ..store.memos import load_memos
from ..store.people import Place, Rights, assign, assigned, list_people, log_out, opened, set_open
from .accounts import LASTING, WAIT, Door
from .desk import Desk
from .memos import remarks
from .queue import WHOLE
from .render import Refused, desk_of, page, posted, render, see, text
from .seats import COOKIE, token_in
from .team import compare, deal, shares

PAGE = re.compile(r"/[A-Za-z0-9/_-]*(\?[\x21-\x7e]*)?")  # a page of the study, and nothing elsewhere
READERS = (Rights.LEAD, Rights.AUDITOR)


def routes() -> list[Route]:
    """Return the routes that a study with accounts has beside those of the page."""
    return [
        Route("/login", _log_in_page, methods=["GET"]),
        Route("/login", posted(_logged_in, fields=5), methods=["POST"]),
        Route("/logout", _log_out, methods=["POST"]),
        Route("/lead", _lead),
        Route("/lead/assign", posted(_assigned, fields=1000), methods=["POST"]),
        Route("/lead/deal", posted(_dealt, fields=1000), methods=["POST"]),
        Route("/compare/{transcript}", _compare),
        Route("/compare/{transcript}/open", posted(_set_open, fields=5), methods=["POST"]),
        Route("/compare/{transcript}/settle", posted(_settled, fields=1000), methods=["POST"]),
    ]


def _log_in_page(request: Request) -> Response:
    return render(request, "login.html", wrong="", name="", to=request.query_params.get("to", ""))


def _logged_in(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    door: Door = request.app.state.door
    name, password, to = text(form, "name").strip(), text(form, "password"), text(form, "to")
    if door.waits(name):
        wrong = f"Too many wrong passwords. Wait {WAIT:.0f} seconds and try again."
        return render(request, "login.html", status=429, wrong=wrong, name=name, to=to)
    token = door.enter(name, password)
    if token is None:
        return render(request, "login.html", status=403, wrong="Name and password do not fit.", name=name, to=to)
    answer = see(desk.root + (to if PAGE.fullmatch(to) else "/"))
    # Strict: a form on a foreign page cannot act as somebody who is logged in here.
    seconds = int(LASTING.total_seconds())
    answer.set_cookie(COOKIE, token, max_age=seconds, path=desk.root, httponly=True, samesite="strict")
    return answer


def _log_out(request: Request) -> Response:
    desk = desk_of(request)
    log_out(desk.store, token_in(request.headers))
    answer = see(f"{desk.root}/login")
    answer.delete_cookie(COOKIE, path=desk.root)
    return answer


def _reader(request: Request, *allowed: Rights) -> Desk:
    desk = desk_of(request)
    if desk.rights not in allowed:
        raise HTTPException(403, "This page is for the study's lead.")
    return desk


def _lead(request: Request) -> Response:
    desk = _reader(request, *READERS)
    entries = list_transcripts(desk.store)
    decisions = load_decisions(desk.store)
    codings = present(decisions)
    reading = assigned(desk.store)
    ids = [(s.id, s.transcript) for s in load_segments(desk.store, people=True)]
    by_transcript: dict[TranscriptId, set[str]] = {}
    transcript_of = dict(ids)
    for coding in codings:
        if (found := transcript_of.get(coding.segment)) and not coding.adjudicated:
            by_transcript.setdefault(found, set()).add(coding.coder)
    values = {
        "shares": shares(entries, ids, decisions, codings, reading),
        "entries": entries,
        "reading": reading,
        "coded_by": {key: sorted(coders) for key, coders in by_transcript.items()},
        "open_places": opened(desk.store),
        "coders": _coders(desk),
    }
    return page(request, "lead.html", values)


def _coders(desk: Desk) -> list[str]:
    return [p.name for p in list_people(desk.store) if p.active and p.rights is not Rights.AUDITOR]


def _assigned(request: Request, form: FormData) -> Response:
    desk = _reader(request, Rights.LEAD)
    entry = _entry(desk, TranscriptId(text(form, "transcript")))
    coders = [value for value in form.getlist("coder") if isinstance(value, str)]
    if unknown := set(coders) - set(_coders(desk)):
        raise Refused(f"There is no account of {len(unknown)} of these coders.")
    assign(desk.store, {(entry.site, entry.name): coders}, by=desk.coder)
    return see(f"{desk.root}/lead?note=assigned")


def _dealt(request: Request, form: FormData) -> Response:
    """Deal the transcripts that nobody reads yet out to coders, blocked by site."""
    desk = _reader(request, Rights.LEAD)
    coders = [value for value in form.getlist("coder") if isinstance(value, str) and value in _coders(desk)]
    share = text(form, "double")
    if not coders:
        raise Refused("Choose at least one coder.")
    if not (share.isascii() and share.isdigit() and int(share) <= 100):
        raise Refused("The share to be read twice should be a number from 0 to 100.")
    taken = assigned(desk.store)
    free = [(e.site, e.name) for e in list_transcripts(desk.store) if (e.site, e.name) not in taken]
    assign(desk.store, deal(free, coders, double=int(share) / 100, seed=desk.study.name), by=desk.coder)
    return see(f"{desk.root}/lead?note=assigned")


def _entry(desk: Desk, transcript: TranscriptId) -> Entry:
    found = next((e for e in list_transcripts(desk.store) if e.id == transcript), None)
    if found is None:
        raise HTTPException(404)
    return found


def _may_compare(desk: Desk, place: Place) -> bool:
    """Tell whether somebody may see what coders said: a lead and an auditor always, coders once it was opened."""
    if desk.rights in READERS:
        return True
    return place in opened(desk.store) and desk.coder in assigned(desk.store).get(place, (desk.coder,))


def _compare(request: Request) -> Response:
    desk = desk_of(request)
    entry = _entry(desk, TranscriptId(request.path_params["transcript"]))
    place = (entry.site, entry.name)
    if not _may_compare(desk, place):
        raise HTTPException(403, "The lead has not opened the comparison of this transcript.")
    segments = load_segments(desk.store, entry.id, people=True)
    transcript = load_transcripts(desk.store, [entry.id])[entry.id]
    compared = compare(segments, present(load_decisions(desk.store, transcript=entry.id)))
    wanted = request.query_params.get("show", "disputed")
    listed = compared if wanted == "all" else [one for one in compared if one.disputed]
    values = {
        "entry": entry,
        "speakers": [turn.speaker for turn in transcript.turns],
        "compared": compared,
        "listed": listed,
        "show": wanted,
        "is_open": place in opened(desk.store),
        "themes": desk.codebook.names,
        **_remarks(desk, entry, segments, {one.segment.id for one in listed}),
    }
    return page(request, "compare.html", values)


def _remarks(desk: Desk, entry: Entry, segments: Sequence[Segment], listed: Collection[SegmentId]) -> dict[str, object]:
    """Return everybody's memos by segment, those on the transcript, and the segments with memos that are not listed."""
    said = remarks(desk, load_memos(desk.store, transcript=entry.id, place=(entry.site, entry.name)))
    here = said.pop(NO_SEGMENT, [])
    others = [piece for piece in segments if piece.id in said and piece.id not in listed]
    return {"remarks": said, "remarks_here": here, "noted": others}


def _set_open(request: Request, form: FormData) -> Response:
    desk = _reader(request, Rights.LEAD)
    entry = _entry(desk, TranscriptId(request.path_params["transcript"]))
    wanted = text(form, "open") == "yes"
    set_open(desk.store, (entry.site, entry.name), open_=wanted, by=desk.coder)
    return see(f"{desk.root}/compare/{entry.id}?note={'opened' if wanted else 'closed'}")


def _settled(request: Request, form: FormData) -> Response:
    """Append what a lead decides for a segment: themes that stand, and the others that were in dispute as rejected."""
    desk = _reader(request, Rights.LEAD)
    entry = _entry(desk, TranscriptId(request.path_params["transcript"]))
    segment = SegmentId(text(form, "segment"))
    known = {piece.id for piece in load_segments(desk.store, entry.id, people=True)}
    themes = [value for value in form.getlist("theme") if isinstance(value, str)]
    if segment not in known:
        raise Refused("This transcript has no such segment.")
    if set(themes) - set(desk.codebook.names):
        raise Refused("The codebook has no such theme.")
    with desk.writing, appending(desk.store) as append:
        codings = present(load_decisions(desk.store, transcript=entry.id))
        append(_settlement(desk, segment, themes, [c.themes for c in codings if c.segment == segment]))
    return see(f"{desk.root}/compare/{entry.id}?note=settled#s-{segment}")


def _settlement(
    desk: Desk, segment: SegmentId, themes: Sequence[str], given: Sequence[Sequence[str]]
) -> list[Decision]:
    against = sorted({theme for some in given for theme in some} - set(themes))
    answers = [(theme, Answer.ADD) for theme in themes] + [(theme, Answer.REJECT) for theme in against]
    answers.append((WHOLE, Answer.UNDO if themes else Answer.NOTHING))
    now = datetime.now(UTC)
    return [
        Decision(
            segment=segment,
            coder=desk.coder,
            answer=answer,
            theme=theme,
            mode=Mode.ADJUDICATION,
            decided_at=now,
            codebook_revision=desk.codebook.revision,
        )
        for theme, answer in answers
    ]
