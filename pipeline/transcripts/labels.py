"""Text with speaker labels -> turns. Layouts seen in the wild, for plain text and Word files alike:

colon    ``Name: text``, ``[00:00:13] Name: text``, ``Name (00:01:02): text``, ``00:03:40.5Name: text``, ``#Name: text``
bracket  ``[Name] text``, ``[Name] 12:34:56``
brace    ``{Name} text``
heading  ``Name  12:34``, or a name between two times or above ``[00:00:02] - text``; the words follow on the next lines
tab      ``Name<TAB>text``, ``time<TAB>Name<TAB>text``, as the rows of a table are read

A transcript keeps to one layout: the one with the most labels counts, so that colons and brackets in talk stay talk.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .draft import Said
from .speakers import fold, is_moderator, is_sound, speakers, sure
from .stamps import ARROW, CLOCK, STAMP, times

# Lines are matched from their first sign on, and runs of spaces are bounded, so that no line takes long to refuse.
_COLON = re.compile(
    rf"(?P<before>{STAMP}|\d{{1,3}}:\d\d:\d\d(?:[.,]\d{{1,3}})?)?\s{{0,9}}(?:-|>>)?\s{{0,9}}[*_]{{0,2}}[#@]?"
    rf"(?P<label>[^\s:：\[\]{{}}#@*][^:：\[\]{{}}\n]{{0,62}}?)\s{{0,9}}(?P<after>{STAMP})?[*_]{{0,2}}\s{{0,9}}[:：]"
    r"(?=\s|$|[^\s\d/\\)])[*_]{0,2}"
)
_AFTER = rf"\s{{0,9}}(?P<after>{STAMP}|{CLOCK}\s*$)?\s{{0,9}}:?"
_BRACKET = re.compile(rf"(?P<before>{STAMP})?\s{{0,9}}\[(?P<label>[^\]\n]{{1,63}})\]{_AFTER}")
_BRACE = re.compile(rf"(?P<before>{STAMP})?\s{{0,9}}\{{(?P<label>[^}}\n]{{1,63}})\}}{_AFTER}")
_HEADING = re.compile(
    rf"(?P<label>[^\s\[{{(](?:[^\n]{{0,61}}?[^\s:])?):?(?:(?:\s{{2,}}|\t)(?:{CLOCK})|\s*{STAMP}|\s+{ARROW})\s*$"
)
_TIME = rf"{STAMP}|{ARROW}|{CLOCK}"
_TAB = re.compile(
    rf"(?:(?P<before>{_TIME})\s{{0,9}}\t)?[ ]{{0,9}}(?P<label>[^\t\n:]{{1,63}}?)[ ]{{0,9}}:?\t"
    rf"(?:\s{{0,9}}(?P<after>{_TIME})\s{{0,9}}\t)?(?=\s{{0,9}}\S)"
)
_ALONE = re.compile(rf"\s*(?:{_TIME})\s*$")
_ARROW_ALONE = re.compile(rf"\s*{ARROW}\s*$")
_DASHED = re.compile(rf"\s*{STAMP}\s+-\s")
_DIARISED = re.compile(r"\s*SPEAKER_\d+\s*$")
_LEAD = re.compile(rf"\s*({STAMP}(?:\s*-\s)?|{CLOCK}[ \t]*(?=\n)|{ARROW}[ \t]*(?=\n))")
_TAIL = re.compile(rf"({STAMP})\s*$")
_TAIL_REACH = 60  # longer than any stamp
_FOOTER = re.compile(r"\n\s*Transcribed by https?://\S+\s*$")
_FIELD_WORDS = 8
_SPARSE = 3  # lines per label
_SHORT_HEAD = 500  # characters; no talk worth coding is lost with so little


@dataclass(frozen=True, slots=True)
class Mark:
    """A speaker label in the lines of a text."""

    first: int  # index of the line where the turn begins, with a time that stands alone above the label
    line: int  # index of the label's line
    column: int  # where in that line the words begin
    label: str
    stamp: str  # the times beside the label, "" if there are none


def _inline(pattern: re.Pattern[str]) -> Callable[[Sequence[str], int], Mark | None]:
    def find(lines: Sequence[str], at: int) -> Mark | None:
        line = lines[at]
        found = pattern.match(line, len(line) - len(line.lstrip()))
        if not found or _ALONE.match(line):
            return None
        stamp = " ".join(filter(None, (found["before"], found["after"])))
        return Mark(at, at, found.end(), found["label"].strip(), stamp)

    return find


def _bracketed(pattern: re.Pattern[str]) -> Callable[[Sequence[str], int], Mark | None]:
    def find(lines: Sequence[str], at: int) -> Mark | None:
        mark = _inline(pattern)(lines, at)
        return mark if mark and not is_sound(mark.label) else None

    return find


def _heading(lines: Sequence[str], at: int) -> Mark | None:
    line = lines[at]
    if found := _HEADING.match(line, len(line) - len(line.lstrip())):
        return Mark(at, at, len(line), found["label"].strip(), line[found.end("label") :])
    below = next((text for text in lines[at + 1 : at + 3] if text.strip()), "")
    above = lines[at - 1] if at else ""
    named = 0 < len(line.strip()) <= 63 and not _ALONE.match(line) and not _DASHED.match(line)
    if named and (_DASHED.match(below) or _DIARISED.match(line) or (_ARROW_ALONE.match(above) and below)):
        return Mark(at, at, len(line), line.strip().rstrip(":"), "")
    return None


LAYOUTS: Mapping[str, Callable[[Sequence[str], int], Mark | None]] = {
    "colon": _inline(_COLON),
    "bracket": _bracketed(_BRACKET),
    "brace": _bracketed(_BRACE),
    "heading": _heading,
    "tab": _inline(_TAB),
}


def marks(lines: Sequence[str], moderators: Sequence[str], layouts: Sequence[str] = tuple(LAYOUTS)) -> list[Mark]:
    """Return the speaker labels of a text, in order; none if there is no evidence that it has any."""
    chosen: list[Mark] = []
    for layout in layouts:
        found = [mark for at in range(len(lines)) if (mark := LAYOUTS[layout](lines, at))]
        labels = [mark.label for mark in found]
        accepted = speakers(labels, moderators)
        kept = [mark for mark in found if fold(mark.label) in accepted]
        if len(kept) > len(chosen):
            chosen = _without_fields(lines, kept, sure(labels, moderators))
    return [_with_time_above(lines, mark) for mark in chosen]


def _without_fields(lines: Sequence[str], found: Sequence[Mark], known: frozenset[str]) -> list[Mark]:
    """Leave out what only looks like a turn above the first sure label: ``Interviewee: Linda, aged 27``."""
    first = next((at for at, mark in enumerate(found) if fold(mark.label) in known), 0)
    head = [mark for mark in found[:first] if not _is_field(lines[mark.line][mark.column :])]
    return head + list(found[first:])


def _is_field(value: str) -> bool:
    told = value.strip()
    return len(told.split()) <= _FIELD_WORDS and not told.endswith((".", "?", "!", "…", "。", "？"))


def _with_time_above(lines: Sequence[str], mark: Mark) -> Mark:
    at = mark.line - 1
    while at >= 0 and mark.line - at <= 2 and not lines[at].strip():
        at -= 1
    if at < 0 or not _ALONE.match(lines[at]):
        return mark
    return Mark(at, mark.line, mark.column, mark.label, mark.stamp or lines[at])


def turns(text: str, moderators: Sequence[str], numbers: Sequence[int] | None = None) -> tuple[Said, ...]:
    """Return the turns of a text.

    ``numbers`` gives for each line the number of its paragraph in the file, where lines are not what the file counts.
    A text without labels has a turn per paragraph, with an empty label; paragraphs are told apart by ``numbers``, or by
    blank lines where there are none. What stands above the first label belongs to no turn.
    """
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found = marks(lines, moderators)
    if not _trusted(found, lines, starts, moderators):
        return tuple(_paragraphs(text, lines, starts, numbers))
    ends = [starts[mark.first] for mark in found[1:]] + [len(text)]
    spoken = []
    for mark, end in zip(found, ends, strict=True):
        number = numbers[mark.line] if numbers else mark.line + 1
        spoken.append(_said(text, starts[mark.line] + mark.column, end, mark=mark, line=number))
    return tuple(said for said in spoken if said)


def _trusted(found: Sequence[Mark], lines: Sequence[str], starts: Sequence[int], moderators: Sequence[str]) -> bool:
    """Tell whether the labels make a dialogue, and lose no talk that stands above the first of them.

    A listed moderator is proof. Otherwise most of the text must follow the first label, and the labels must be dense,
    or two must come back, or one twice: "Interviewee: ..." in the head and once in the text is not enough.
    """
    if not found or any(is_moderator(mark.label, moderators) for mark in found):
        return bool(found)
    counts = Counter(fold(mark.label) for mark in found)
    dense = len(found) * _SPARSE >= sum(bool(line.strip()) for line in lines)
    recurring = sum(count > 1 for count in counts.values()) > 1 or max(counts.values()) > 2
    head = starts[found[0].first]
    return (head <= _SHORT_HEAD or head * 2 <= starts[-1]) and (dense or recurring)


def _paragraphs(
    text: str, lines: Sequence[str], starts: Sequence[int], numbers: Sequence[int] | None
) -> Iterator[Said]:
    groups: list[list[int]] = []
    going_on = False
    for at, line in enumerate(lines):
        if not line.strip():
            going_on = going_on and numbers is not None
        elif going_on and (numbers is None or numbers[at] == numbers[groups[-1][0]]):
            groups[-1].append(at)
        else:
            groups.append([at])
            going_on = True
    for group in groups:
        end = starts[group[-1]] + len(lines[group[-1]])
        said = _said(text, starts[group[0]], end, line=numbers[group[0]] if numbers else group[0] + 1)
        if said:
            yield said


def _said(text: str, start: int, end: int, *, line: int, mark: Mark | None = None) -> Said | None:
    """Return the turn in a span, without spaces and stamps at its edges, or nothing if no words are left."""
    began, ended = times(mark.stamp) if mark else (None, None)
    if footer := _FOOTER.search(text, max(start, end - 200), end):
        end = footer.start()
    while start < end and (found := _LEAD.match(text, start, end)):
        opened, closed = times(found[1])
        began, ended, start = (
            began if began is not None else opened,
            ended if ended is not None else closed,
            found.end(),
        )
    start += len(text[start:end]) - len(text[start:end].lstrip())
    end = _end_of_words(text, start, end)
    while start < end and (found := _TAIL.search(text[max(start, end - _TAIL_REACH) : end])):
        ended = times(found[1])[0] if ended is None else ended
        end = _end_of_words(text, start, max(start, end - _TAIL_REACH) + found.start())
    if start >= end:
        return None
    return Said(speaker=mark.label if mark else "", start=start, end=end, line=line, began=began, ended=ended)


def _end_of_words(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip())
