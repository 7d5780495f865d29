"""Rows of a coding table -> the spans of transcripts they mean."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ..errors import CodingFault, named
from ..records import Segment, Transcript, TranscriptId, segment_id
from ..sheets import folded, nearest, words
from .coding import CodedRow, contradiction


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedCoding:
    """What one coder made of one segment: an existing one, or a new one for a span a person cut."""

    segment: Segment
    coder: str
    themes: tuple[str, ...]  # sorted, spelled as in the codebook
    coded_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """The codings that could be placed, one per (segment, coder), and a fault for everything else."""

    codings: tuple[PlacedCoding, ...]
    faults: tuple[CodingFault, ...]
    silent: int = 0  # rows about segments of a survey in which nothing was said: there is nothing to code


class _No(NamedTuple):
    """Why something was not found, and what to do."""

    problem: str
    remedy: str


class _Document(NamedTuple):
    """A transcript with its id, which is costly to find again for every row, and its segments."""

    id: TranscriptId
    transcript: Transcript
    by_name: dict[str, Segment]
    by_span: dict[tuple[int, int], Segment]
    silent: frozenset[str]  # names of the segments in which nothing was said
    alike: dict[str, list[str]]  # the names of both, by what they are but for case and spacing


def place_coding(
    rows: Iterable[CodedRow],
    transcripts: Mapping[TranscriptId, Transcript],
    segments: Sequence[Segment],
    themes: Sequence[str],
    *,
    place: str,
) -> Placed:
    """Return each row's segment, coder and themes; ``place`` is the table's file, to name the lines of faults.

    A row is placed by the first of these that agrees with everything it says: the name of its segment, its offsets,
    the only occurrence of its text (first letter by letter, then whatever the spacing). Names are those that are
    spelled so, or else the only one that differs in nothing but case and spacing. Unknown sites, documents and themes
    are one fault each, however many rows name them. No row is left out without a fault.
    """
    rows = tuple(rows)
    known = _documents(transcripts, segments)
    alike = defaultdict(list)
    for one in known:
        alike[folded(one.transcript.name)].append(one)
    wanted = {(row.site, row.document): None for row in rows}
    documents = {(site, name): _document(site, name, alike[folded(name)], known) for site, name in wanted}
    spelled = {folded(theme): theme for theme in themes}
    codes = {code: _theme(code, spelled) for row in rows for code in row.codes}
    placed: dict[tuple[str, str], tuple[int, PlacedCoding]] = {}
    faults = _gathered(rows, documents, codes, place)
    silent = 0
    for row in rows:
        document = documents[row.site, row.document]
        named = [codes[code] for code in row.codes]
        if isinstance(document, _No) or any(isinstance(theme, _No) for theme in named):
            continue  # told above, once for all rows
        if _spelled(row.segment, document) in document.silent and not row.text:
            silent += 1
            continue
        segment = _segment(row, document)
        if isinstance(segment, _No):
            faults.append(CodingFault(f"{place}:{row.line}", f"cannot be placed: {segment.problem}", segment.remedy))
            continue
        chosen = tuple(sorted({str(theme) for theme in named}))
        coding = PlacedCoding(segment=segment, coder=row.coder, themes=chosen, coded_at=row.coded_at)
        line, earlier = placed.setdefault((segment.id, row.coder), (row.line, coding))
        if earlier.themes != chosen:
            faults.append(contradiction(f"{place}:{row.line}", row.coder, line))
    return Placed(codings=tuple(coding for _, coding in placed.values()), faults=tuple(faults), silent=silent)


def _gathered(
    rows: Sequence[CodedRow],
    documents: Mapping[tuple[str, str], _Document | _No],
    codes: Mapping[str, str | _No],
    place: str,
) -> list[CodingFault]:
    """Return one fault for each unknown site, document and theme, at the first row that names it."""
    lines: dict[_No, list[int]] = defaultdict(list)
    for row in rows:
        for found in (documents[row.site, row.document], *(codes[code] for code in row.codes)):
            if isinstance(found, _No):
                lines[found].append(row.line)
    faults = []
    for why, at in lines.items():
        times = f" (in {len(at)} rows)" if len(at) > 1 else ""
        faults.append(CodingFault(f"{place}:{at[0]}", f"{why.problem}{times}", why.remedy))
    return faults


def _theme(code: str, spelled: Mapping[str, str]) -> str | _No:
    if theme := spelled.get(folded(code)):
        return theme
    near = nearest(code, spelled.values())
    remedy = f"did you mean `{near}`?" if near else "add it to the codebook, or correct the name"
    return _No(f"the codebook has no theme {named(code)}", remedy)


def _documents(transcripts: Mapping[TranscriptId, Transcript], segments: Iterable[Segment]) -> list[_Document]:
    documents = {
        key: _Document(key, transcript, {}, {}, _silent(transcript), defaultdict(list))
        for key, transcript in transcripts.items()
    }
    for segment in segments:
        if document := documents.get(segment.transcript):
            document.by_name[segment.name] = segment
            document.by_span[segment.start, segment.end] = segment
    for document in documents.values():
        for name in {*document.by_name, *document.silent}:
            document.alike[folded(name)].append(name)
    return list(documents.values())


def _silent(transcript: Transcript) -> frozenset[str]:
    return frozenset(turn.segment for turn in transcript.turns if turn.segment is not None and turn.start == turn.end)


def _document(site: str, name: str, alike: Sequence[_Document], known: Sequence[_Document]) -> _Document | _No:
    """Return the document of that name, at that site if one is given; case and spacing only matter between two.

    ``alike`` are those of the ``known`` documents whose name is the same but for case and spacing.
    """
    exact = any(d.transcript.site == site for d in known)
    there = [
        d
        for d in alike
        if not site or (d.transcript.site == site if exact else folded(d.transcript.site) == folded(site))
    ]
    found = [d for d in there if d.transcript.name == name] or there
    if len(found) == 1:
        return found[0]
    if not found:
        return _no_document(site, name, known)
    places = sorted({d.transcript.site for d in found})
    if len(places) > 1:
        return _No(f"there is a transcript `{name}` at {' and at '.join(places)}", "fill a column `site`")
    return _No(f"there are {len(found)} transcripts `{name}` at {places[0]}", "give the files different names")


def _no_document(site: str, name: str, known: Sequence[_Document]) -> _No:
    sites = list(dict.fromkeys(document.transcript.site for document in known))
    if site and folded(site) not in map(folded, sites):
        near = nearest(site, sites)
        remedy = f"did you mean `{near}`?" if near else f"sites are {', '.join(sites)}"
        return _No(f"the study has no site {named(site)}", remedy)
    near = nearest(name, [d.transcript.name for d in known if not site or folded(d.transcript.site) == folded(site)])
    remedy = f"did you mean `{near}`?" if near else "add its transcript to the study, or correct the name"
    return _No(f"there is no transcript {named(name)}", remedy)


def _segment(row: CodedRow, document: _Document) -> Segment | _No:
    """Return the segment a row means, or why it cannot be told."""
    named = document.by_name.get(_spelled(row.segment, document))
    same_span = named is not None and (row.start is None or (row.start, row.end) == (named.start, named.end))
    if named is not None and same_span and _agrees(row, named.text):
        return named
    text = document.transcript.text
    start, end = row.start, row.end
    if start is not None and end is not None and end <= len(text) and _agrees(row, text[start:end]):
        return _cut(start, end, document)
    if not row.text:
        return _unplaced(row, document)
    spans = _occurrences(row.text, text)
    if len(spans) == 1:
        return _cut(*spans[0], document)
    if spans:
        return _No(f"its text occurs {len(spans)} times in `{row.document}`", "give `start` and `end`")
    problem = f"its text is not in `{row.document}`, nor at the place it names"
    return _No(problem, "correct `text` so that it is what the transcript says, or leave it blank")


def _spelled(segment: str, document: _Document) -> str:
    """Return the name of a segment as the document spells it, or as it is if that is not certain."""
    alike = document.alike.get(folded(segment), [])
    return alike[0] if len(alike) == 1 else segment


def _agrees(row: CodedRow, text: str) -> bool:
    return not row.text or words(row.text) == words(text)


def _unplaced(row: CodedRow, document: _Document) -> _No:
    if row.start is not None:
        length = len(document.transcript.text)
        return _No(f"`end` {row.end} is beyond the {length} characters of `{row.document}`", "correct the offsets")
    near = nearest(row.segment, document.by_name)
    remedy = f"did you mean `{near}`?" if near else "give `start` and `end`, or `text`"
    return _No(f"`{row.document}` has no segment {named(row.segment)}", remedy)


def _occurrences(quote: str, text: str) -> list[tuple[int, int]]:
    """Return the spans where the quote stands letter by letter; if nowhere, where it does but for the spacing."""
    spans = []
    start = text.find(quote)
    while start >= 0:
        spans.append((start, start + len(quote)))
        start = text.find(quote, start + 1)
    if spans:
        return spans
    loose = r"\s+".join(map(re.escape, quote.split()))
    # the look-ahead finds occurrences that overlap, too: they are as ambiguous as any
    return [(found.start(1), found.end(1)) for found in re.finditer(f"(?=({loose}))", text)]


def _cut(start: int, end: int, document: _Document) -> Segment | _No:
    """Return the segment of a span: the one that has it, or a new one if it lies inside one turn."""
    text, turns = document.transcript.text, document.transcript.turns
    stripped = text[start:end].strip()
    if not stripped:
        return _No("the span holds no words", "correct the offsets")
    inner = start + text[start:end].index(stripped)
    for begin, stop in ((start, end), (inner, inner + len(stripped))):  # other programs take in the line's end
        if known := document.by_span.get((begin, stop)):
            return known
        for index, turn in enumerate(turns):
            if turn.start <= begin and stop <= turn.end:
                return Segment(
                    id=segment_id(document.id, begin, stop),
                    transcript=document.id,
                    name=f"{begin}-{stop}",
                    turn=index,
                    start=begin,
                    end=stop,
                    text=text[begin:stop],
                )
    touched = sum(turn.start < end and start < turn.end for turn in turns)
    if touched > 1:
        return _No(f"the passage crosses {touched} turns", "give each turn a row of its own")
    return _No("the passage is not inside one turn", "leave out what is not speech, such as the speaker's label")
