"""What is known of a site -> its page: what came in, how it differs from the other sites, and the work ahead."""

from collections.abc import Iterator
from typing import Any

from . import figures
from .arrived import Arrived, Document
from .drawing import Figure, Words
from .page import Card, Note, Part, Section, Table, render
from .plain import plain
from .site_ahead import ahead_section, hours, left
from .site_suggested import DRAWN, OTHERS, ROWS, suggested_section, unlike
from .site_talk import in_short, talk_sections
from .telling import apart, counted, listed, share


def site_page(found: Arrived) -> str:
    """Return the page of a site's report."""
    sections = [
        _glance(found),
        suggested_section(found),
        *talk_sections(found),
        ahead_section(found.workload),
        Section(title="What came in", parts=tuple(_came_in(found))),
        _provenance(found),
    ]
    beside = f", beside {listed(found.others)}." if found.others else ". Nothing came in from another site yet."
    return render(f"Site report: {found.site}", sections, lead=f"{apart(found.study)}: {apart(found.site)}{beside}")


def as_json(found: Arrived) -> dict[str, Any]:
    """Return everything that the page tells as plain values."""
    made, work = dict(plain(found)), found.workload
    counts = {"transcripts": len(found.documents), "segments": found.segments, "words": found.words}
    times = {"minutes": sum(found.timed) if found.timed else None, "timed_transcripts": len(found.timed)}
    made["workload"] |= {"decisions": work.decisions, "hours": plain(work.hours)}
    if found.vocabulary is not None:
        made["vocabulary"]["new"] = [word.word for word in found.vocabulary.new]
    return {"counts": counts | times | {"speakers": len(found.voices)}, **made}


def _glance(found: Arrived) -> Section:
    notes = tuple(Note(text=f"{note[:1].upper()}{note[1:]}.") for note in found.notes)
    aside = (Note(text="Files that are set aside, and no part of this report:", mark="bad"), found.aside)
    short = (*(unlike(found.suggesting) if found.suggesting else ()), *in_short(found), left(found.workload))
    parts = (*notes, *(aside if found.aside else ()), tuple(_cards(found)), short)
    return Section(title="At a glance", parts=parts)


def _cards(found: Arrived) -> Iterator[Card]:
    yield Card(name="Transcripts", value=f"{len(found.documents):,}", detail=_size(found))
    yield Card(name="Segments", value=f"{found.segments:,}", detail=counted(found.words, "word"))
    heard = ", ".join(f"{name} {share(part)}" if part < 1 else name for name, part in found.spoken.items())
    yield Card(name="Language", value=found.language, detail=f"reads like {heard}" if heard else "")
    made = found.suggesting
    beside = f"{OTHERS}: {share(made.elsewhere.value)}" if made and made.elsewhere.value is not None else ""
    yield Card(name="With a suggestion", value=share(made.here.value if made else None), detail=beside)
    time = hours(found.workload) if found.workload.decisions else ""
    yield Card(name="Decisions to go", value=f"{found.workload.decisions:,}", detail=time)


def _size(found: Arrived) -> str:
    """Return how many speak, and for how long as far as transcripts have times."""
    speakers, timed = counted(len(found.voices), "speaker"), len(found.timed)
    if not timed:
        return f"{speakers}, no times"
    some = "" if timed == len(found.documents) else f" ({timed:,} of {len(found.documents):,} have times)"
    return f"{speakers}, {sum(found.timed):,.0f} minutes{some}"


def _came_in(found: Arrived) -> Iterator[Part]:
    if not found.documents:
        yield "Nothing yet."
        return
    if len(found.voices) > 1:
        yield _voices(found)
    columns = ("transcript", "turns", "words", "minutes", "segments", "with a suggestion")
    rows = tuple(map(_document, found.documents[:ROWS]))
    yield Table(caption="Transcripts" + _cut_off(len(found.documents)), columns=columns, rows=rows)
    said = tuple((_label(v.label), v.role, v.transcripts, v.turns, v.words) for v in found.voices[:ROWS])
    yield Table(
        caption="Speakers" + _cut_off(len(found.voices)),
        columns=("speaker", "role", "transcripts", "turns", "words"),
        rows=said,
    )
    yield "Words of a transcript are those to be coded; words of a speaker are all. One label may be several people."


def _cut_off(number: int) -> str:
    return f": {ROWS} of {number:,}, the JSON file has all" if number > ROWS else ""


def _document(one: Document) -> tuple[str | int | None, ...]:
    minutes = None if one.minutes is None else f"{one.minutes:.1f}"
    return one.name, one.turns, one.words, minutes, one.segments, one.suggested


def _label(label: str) -> str:
    return label or "(no label)"


def _voices(found: Arrived) -> Figure:
    most = found.voices[:DRAWN]
    said = [figures.Estimate(name=f"{_label(one.label)} ({one.role})", value=one.words) for one in most]
    alt = (
        f"Bars for {counted(len(most), 'label')}, whoever says most first: {_label(most[0].label)}, "
        f"{counted(most[0].words, 'word')}."
    )
    return figures.bars(Words(title="How much each speaker says", alt=alt, x="words", y="speaker"), said)


def _provenance(found: Arrived) -> Section:
    of = found.provenance
    looked = f"Words and distances: all {of.of:,} segments of the study were compared."
    if of.looked_at < of.of:
        looked = (
            f"Words and distances: {of.looked_at:,} of the study's {of.of:,} segments were compared, of transcripts "
            "spread evenly over its sites; everything else counts all."
        )
    lines = (
        f"Encoder {of.encoder}; codebook revision {of.codebook_revision}.",
        f"Runs that made the suggestions: {', '.join(of.runs) or 'none yet'}.",
        looked,
        "The same store gives the same file, byte for byte.",
        "It quotes transcripts: keep it where you would keep them. It tells what the machine thinks of segments: it is "
        "for whoever leads the study, not for coders who are to decide without suggestions.",
    )
    return Section(title="Where this comes from", parts=(lines,))
