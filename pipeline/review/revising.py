"""The routes where the codebook is changed: words, names, new themes, exemplars; its history; what coders propose.

In a team a coder's change is a proposal, which takes effect when a lead accepts it; a lead's own, and anybody's where
there are no accounts, takes effect at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..edits import Act, Edit, about, apply, cleaned, edit_of
from ..errors import Fault, Faults
from ..records import POSITIVE, Answer, Codebook, Exemplar, Kind, Segment, SegmentId, Theme
from ..revise import revise
from ..revisions import Change, changes
from ..store.corpus import list_transcripts, load_segments, load_transcripts
from ..store.decisions import appending, load_decisions
from ..store.people import Rights
from ..store.revisions import Proposal, Revision, answer, list_proposals, list_revisions, propose
from ..store.runs import load_codebook
from ..transcripts import group
from . import memos, slots
from .again import to_look_at
from .answers import decisions_for, moment_after
from .desk import Desk, address, onward, sight_of
from .filters import READERS
from .lists import anchor
from .orders import Order
from .own import as_read
from .queue import Standing, standing
from .render import Refused, asked_order, desk_of, posted, render, see, text

EMPTY = dict.fromkeys(("act", "theme", "text", "parent", "into", "definition", "include", "exclude", "why"), "")
PAGE = 50  # revisions on a page of the history
LONGEST = 1000  # characters of a reason


def routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("/codebook/theme", _theme, methods=["GET"]),
        Route("/codebook/new", _new, methods=["GET"]),
        Route("/codebook/change", posted(_changed, fields=1000), methods=["POST"]),
        Route("/codebook/history", _history),
        Route("/codebook/proposals", _proposals, methods=["GET"]),
        Route("/codebook/proposals", posted(_answered, fields=10), methods=["POST"]),
        Route("/segment/{segment}/exemplar", posted(_promoted, fields=10), methods=["POST"]),
        Route("/segment/{segment}/keep", posted(_kept, fields=10), methods=["POST"]),
    ]


def may_change(desk: Desk) -> str:
    """Return what somebody's change of the codebook is: a `change`, a `proposal`, or nothing for who only looks."""
    return {None: "change", Rights.LEAD: "change", Rights.CODER: "proposal"}.get(desk.rights, "")


def _do(desk: Desk, edit: Edit, *, seen: str, why: str) -> str:
    """Make or propose a change; return the name of the note that tells. Raises ``Fault`` or ``Faults``."""
    if may_change(desk) == "proposal":
        apply(desk.codebook, cleaned(edit))  # what cannot be done need not be proposed
        propose(desk.store, Proposal(edit=cleaned(edit).plain, by=desk.coder, at=datetime.now(UTC), why=why))
        return "proposed"
    revise(desk.store, desk.study.codebook_file, edit, seen=seen, by=desk.coder, why=why)
    return "revised"


def panel(request: Request, segment: Segment, stands: Standing) -> dict[str, object]:
    """Return what the panel of a segment shows of the codebook at work: what to look at again, and what to promote."""
    desk = desk_of(request)
    current = desk.codebook.current
    given = [theme for theme, decision in stands.items() if decision.answer in POSITIVE and theme in current]
    refused = [theme for theme, d in stands.items() if d.answer is Answer.REJECT and theme in current]
    looking = asked_order(request) is Order.LOOK_AGAIN
    may = bool(may_change(desk))
    return {
        "again": to_look_at(desk, [segment.id]).get(segment.id, []) if looking else [],
        "given": given[-1] if given and may else "",
        "refused": refused[-1] if refused and may else "",
        "named": current,
    }


def _theme(request: Request) -> Response:
    return _edit_page(request, request.query_params.get("theme", ""))


def _edit_page(request: Request, name: str, *, wrong: str = "", typed: Mapping[str, str] | None = None) -> Response:
    desk = desk_of(request)
    theme = next((theme for theme in desk.codebook.themes if theme.name == name), None)
    if theme is None:
        raise HTTPException(404)
    others = [other for other in desk.codebook.names if other != name]
    return render(
        request,
        "theme.html",
        status=409 if wrong else 200,
        theme=theme,
        others=others,
        **memos.theme_page(desk, name, everybody=desk.rights in READERS),
        seen=about(desk.codebook, Edit(act=Act.WORDS, theme=name)),
        merging={other: about(desk.codebook, Edit(act=Act.MERGE, theme=name, into=other)) for other in others},
        may=may_change(desk),
        wrong=wrong,
        typed=EMPTY | dict(typed or {}),
    )


def _new(request: Request) -> Response:
    return _new_page(request)


def _new_page(request: Request, *, wrong: str = "", typed: Mapping[str, str] | None = None) -> Response:
    desk = desk_of(request)
    may = may_change(desk)
    told = {"names": desk.codebook.names, "may": may, "wrong": wrong, "typed": EMPTY | dict(typed or {})}
    return render(request, "new_theme.html", status=409 if wrong else 200, **told)


def _changed(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    edit, why = _edit(typed), " ".join(typed.get("why", "").split())[:LONGEST]
    seen = typed.get("seen", "")
    try:
        if edit.act is not Act.PROPOSE and not seen:
            raise Refused("The form is incomplete.")
        if edit.act is Act.PROPOSE:
            seen = ""  # there was nothing to see of it
        elif edit.act is Act.MERGE:  # what was seen of both themes when the form was made
            seen = typed.get(f"seen:{edit.into}", seen)
        note = _do(desk, edit, seen=seen, why=why)
    except (Fault, Faults) as fault:
        return _wrong(request, edit, _told(fault), typed)
    name = edit.into if edit.act in (Act.RENAME, Act.MERGE) and note == "revised" else edit.theme
    return see(f"{desk.root}/codebook?{urlencode({'note': note})}#{anchor(name)}")


def _edit(typed: Mapping[str, str]) -> Edit:
    plain = {name: typed.get(name, "") for name in ("act", "theme", "text", "source", "parent", "into")}
    plain |= {name: typed.get(name, "") for name in ("definition", "include", "exclude")}
    try:
        return edit_of(plain | ({"kind": typed["kind"]} if typed.get("kind") else {}))
    except ValueError:
        raise Refused("The form does not say what to change.") from None


def _wrong(request: Request, edit: Edit, told: str, typed: Mapping[str, str]) -> Response:
    desk = desk_of(request)
    if edit.act is Act.PROPOSE:
        return _new_page(request, wrong=told, typed=typed)
    if edit.theme in desk.codebook.names:
        return _edit_page(request, edit.theme, wrong=told, typed=typed)
    raise Refused(told)


def _told(fault: Fault | Faults) -> str:
    first = fault.exceptions[0] if isinstance(fault, Faults) else fault
    assert isinstance(first, Fault)
    return f"{first.problem[:1].upper()}{first.problem[1:]}: {first.remedy}."


# Exemplars from segments, and looking again


def _promoted(request: Request, form: FormData) -> Response:
    desk = desk_of(request)
    segment, order = _segment(request), asked_order(request)
    kind = Kind.NEAR_MISS if text(form, "kind") == Kind.NEAR_MISS.value else Kind.TYPICAL
    theme = text(form, "theme")
    answers = standing(load_decisions(desk.store, transcript=segment.transcript, coder=desk.coder))
    given = answers.get(segment.id, {}).get(theme)
    fits = ("reject",) if kind is Kind.NEAR_MISS else ("accept", "add")
    if given is None or given.answer.value not in fits:
        raise Refused("Give the segment the theme first, or reject it for a near miss.")
    name = desk.codebook.current.get(theme, theme)
    edit = Edit(act=Act.EXEMPLAR, theme=name, text=segment.text, kind=kind, source=source_tag(desk, segment))
    try:
        # It adds to the theme, whatever else was changed meanwhile. A script sends it again if it hears nothing.
        note = "revised" if _there(desk.codebook, cleaned(edit)) else _do(desk, edit, seen="", why="")
    except (Fault, Faults) as fault:
        raise Refused(_told(fault)) from None
    note = {"proposed": "proposed", "revised": "near-miss" if kind is Kind.NEAR_MISS else "exemplar"}[note]
    return see(address(desk, segment.transcript, segment.id, note=note, order=order))


def _there(codebook: Codebook, edit: Edit) -> bool:
    """Tell whether the codebook has this very exemplar."""
    wanted = Exemplar(text=edit.text, kind=edit.kind, source=edit.source)
    return any(wanted in theme.exemplars for theme in codebook.themes if theme.name == edit.theme)


def source_tag(desk: Desk, segment: Segment) -> str:
    """Return where a segment is from, as an exemplar's source: ``document#segment [#number, site, speaker]``.

    The first part is what programs go by; the number is the transcript's, if its name has one.
    """
    entry = next((entry for entry in list_transcripts(desk.store) if entry.id == segment.transcript), None)
    transcript = load_transcripts(desk.store, [segment.transcript]).get(segment.transcript)
    if transcript is None:
        return ""
    number = re.search(r"\d+", entry.name if entry else "")
    speaker = group(transcript.turns[segment.turn].speaker)
    known = (f"#{number[0]}" if number else "", transcript.site, speaker)
    return f"{transcript.name}#{segment.name} [{', '.join(part for part in known if part)}]"


def _segment(request: Request) -> Segment:
    found = load_segments(desk_of(request).store, ids=[SegmentId(request.path_params["segment"])])
    if not found:
        raise Refused("This study has no such segment.")
    return found[0]


def _kept(request: Request, form: FormData) -> Response:
    """Write down that a coder's themes still fit a segment under the words they have now."""
    desk = desk_of(request)
    segment, order = _segment(request), asked_order(request)
    told = text(form, "at")
    if not (told.isascii() and told.isdigit() and len(told) < 20):
        raise Refused("The form is incomplete.")
    with desk.writing, appending(desk.store) as append:
        before = load_decisions(desk.store, transcript=segment.transcript, coder=desk.coder)
        again = to_look_at(desk, [segment.id]).get(segment.id, [])
        wanted = [(one.theme.name, one.answer) for one in again]
        now = moment_after(datetime.now(UTC), before)
        seconds = max(0.0, round(now.timestamp() - int(told) / 1e6, 3))
        own = as_read(desk, segment.transcript, before, slots.active(desk)).own(segment.id)
        sight = sight_of(desk, segment, order, text(form, "run"), own=own)
        append(decisions_for(wanted, sight, at=now, seconds=seconds, request=text(form, "request")[:40]))
    return see(onward(desk, segment, order))


# What was changed, and what is proposed


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A revision with what it changed."""

    revision: Revision
    changes: tuple[tuple[Change, Theme | None, Theme | None], ...]  # with the theme before and after
    first: bool
    merged: Mapping[str, str]  # what became part of another theme


def _history(request: Request) -> Response:
    desk = desk_of(request)
    known = list_revisions(desk.store)
    wanted = request.query_params.get("page", "1")[:9]
    pages = max(1, -(-len(known) // PAGE))
    page = min(max(int(wanted) if wanted.isascii() and wanted.isdigit() else 1, 1), pages)
    shown = known[::-1][(page - 1) * PAGE : page * PAGE]
    return render(request, "history.html", steps=[_step(desk, one) for one in shown], page=page, pages=pages)


def _step(desk: Desk, one: Revision) -> Step:
    after = load_codebook(desk.store, one.revision)
    before = load_codebook(desk.store, one.before) if one.before else Codebook(themes=())
    old, new = ({theme.name: theme for theme in book.themes} for book in (before, after))
    found = changes(before, after) if one.before else []
    return Step(
        revision=one,
        changes=tuple((c, old.get(c.formerly or c.theme), new.get(c.theme)) for c in found),
        first=not one.before,
        merged={name: after.current.get(name, "") for name in old},
    )


def _proposals(request: Request) -> Response:
    desk = desk_of(request)
    own = desk.coder if desk.rights is Rights.CODER else None
    told = list_proposals(desk.store, own)[::-1]
    edits = [(one, edit_of(one.edit)) for one in told]
    return render(request, "proposals.html", proposals=edits, lead=desk.rights is Rights.LEAD)


def _answered(request: Request, form: FormData) -> Response:
    """Accept a proposal, which changes the codebook, or decline it."""
    desk = desk_of(request)
    if desk.rights is not Rights.LEAD:
        raise HTTPException(403, "The study's lead answers proposals.")
    found = next((one for one in list_proposals(desk.store) if str(one.id) == text(form, "proposal")), None)
    if found is None or found.accepted is not None:
        raise Refused("This proposal was answered already.")
    yes, why = text(form, "answer") == "accept", " ".join(text(form, "why").split())[:LONGEST]
    if yes:
        reason = "; ".join(part for part in (found.why, f"proposed by {found.by}", why) if part)
        try:
            revise(desk.store, desk.study.codebook_file, edit_of(found.edit), seen="", by=desk.coder, why=reason)
        except (Fault, Faults) as fault:
            raise Refused(f"The proposal cannot take effect. {_told(fault)}") from None
    answer(desk.store, found, accepted=yes, by=desk.coder, why=why)
    return see(f"{desk.root}/codebook/proposals?note={'revised' if yes else 'declined'}")
