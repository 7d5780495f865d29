"""Subtitles: cues -> turns; a cue ends where the screen was full, a turn where somebody else speaks."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .draft import Draft, Piece, compose, refuse
from .labels import marks
from .plain import decode
from .stamps import seconds

_TIMING = re.compile(r"-[ -] *>")
_VTT_TIMING = re.compile(r"\s*(?:\d+:)?\d{1,2}:\d{1,2}\.\d{1,3}\s*-->\s*(?:\d+:)?\d{1,2}:\d{1,2}\.\d{1,3}")
_SRT_TIMING = re.compile(r"\s*(?:\d+[,.:，．。：]){2}\d+[,.:，．。：]?\d* *-[ -] *> *(?:\d+[,.:，．。：]){2}\d+")
_DIGITS = re.compile(r"\d{40}")  # the library's patterns take minutes on thousands of digits in a row
_COMMA = re.compile(r"(\d),(\d)")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]*)>")
_TAG = re.compile(r"</?[A-Za-z\d][^<>]*>|</>")
_SRT_TAG = re.compile(r"</?(?:b|i|u|s|c|v|font)\b[^<>]*>|\{\\[^{}]*\}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.?!…。？！؟।]['\"’”»›)\]}*]*$")
_REMEDY = "correct the times of that cue"


@dataclass(frozen=True, slots=True)
class _Cue:
    speaker: str | None  # None: it does not say
    words: str
    line: int
    began: float | None
    ended: float | None


def read_vtt(data: bytes, place: str, moderators: tuple[str, ...]) -> list[Draft]:
    """Return the one transcript of a WebVTT file, with the voices or, where there are none, the labels as speakers."""
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    text = decode(data, place)
    lines = [_COMMA.sub(r"\1.\2", line) if "-->" in line else line for line in text.split("\n")]
    try:
        captions = webvtt.from_string("\n".join(lines)).captions
    except (MalformedFileError, MalformedCaptionError, ValueError):
        raise refuse(place, "is no WebVTT file", "its first line must be WEBVTT: export it again") from None
    at = _cue_lines(lines, place, _VTT_TIMING, "-->", len(captions))
    cues = list(_voices(captions, at))
    if all(cue.speaker is None for cue in cues):
        cues = _labelled([replace(cue, words=_clean(cue.words)) for cue in cues], moderators)
    else:
        cues = [replace(cue, words=_joined(_clean(cue.words))) for cue in cues]
    return [compose(_turns(cues))]


def read_srt(data: bytes, place: str, moderators: tuple[str, ...]) -> list[Draft]:
    """Return the one transcript of a SubRip file; speakers are labels at the start of a cue's lines."""
    import srt

    lines = decode(data, place).split("\n")
    # Blank lines are many in some files, and the library's pattern takes quadratic time on them.
    told = re.sub(r"\n{3,}", "\n\n", "\n".join(line if line.strip() else "" for line in lines)).strip("\n")
    if not told:
        return [compose(())]
    if _DIGITS.search(told):
        raise refuse(place, "is no SubRip file", "export it again")
    try:
        subtitles = list(srt.parse(told))
    except (srt.SRTParseError, srt.TimestampParseError, ValueError, OverflowError):
        _cue_lines(lines, place, _SRT_TIMING, _TIMING.pattern, None)
        raise refuse(place, "is no SubRip file", "export it again") from None
    at = _cue_lines(lines, place, _SRT_TIMING, _TIMING.pattern, len(subtitles))
    cues = [
        _Cue(None, _SRT_TAG.sub("", sub.content), line, sub.start.total_seconds(), sub.end.total_seconds())
        for sub, line in zip(subtitles, at, strict=True)
    ]
    return [compose(_turns(_labelled(cues, moderators)))]


def _cue_lines(lines: Sequence[str], place: str, good: re.Pattern[str], arrow: str, count: int | None) -> list[int]:
    """Return the number of each cue's timing line; raise a fault for a cue the library would leave out silently."""
    timing = [number for number, line in enumerate(lines, 1) if re.search(arrow, line)]
    if bad := [number for number in timing if not good.match(lines[number - 1])]:
        raise refuse(f"{place}:{bad[0]}", "the times of this cue cannot be read", _REMEDY)
    if count is not None and len(timing) != count:
        raise refuse(place, f"{len(timing)} cues are timed and {count} can be read", "export it again")
    return timing


def _voices(captions: Iterable[Any], at: Sequence[int]) -> Iterator[_Cue]:
    for caption, line in zip(captions, at, strict=True):
        parts = _VOICE.split("\n".join(caption.lines))
        began, ended = seconds(caption.start), seconds(caption.end)
        for speaker, words in zip([None, *parts[1::2]], parts[0::2], strict=True):
            named = html.unescape(speaker).strip() if speaker is not None else None
            if words.strip():
                yield _Cue(named, words, line, began, ended)


def _labelled(cues: Sequence[_Cue], moderators: tuple[str, ...]) -> list[_Cue]:
    """Cut cues at the speaker labels inside them; the lines of a cue between labels become one."""
    lines = [(cue, line) for cue in cues for line in cue.words.split("\n")]
    found = {mark.line: mark for mark in marks([line for _, line in lines], moderators, ("colon",))}
    cut: list[_Cue] = []
    last: _Cue | None = None
    for at, (cue, line) in enumerate(lines):
        mark = found.get(at)
        words = _joined(line[mark.column :] if mark else line)
        if mark or cue is not last:
            cut.append(replace(cue, speaker=mark.label if mark else None, words=words))
        else:
            cut[-1] = replace(cut[-1], words=f"{cut[-1].words} {words}".strip())
        last = cue
    return cut


def _turns(cues: Iterable[_Cue]) -> Iterator[Piece]:
    """Join the cues of one speaker; a cue without a label is the last speaker's.

    Where nobody is named, anybody may have spoken: cues are joined only while a sentence goes on.
    """
    open_: Piece | None = None
    speaker = ""
    for cue in cues:
        speaker = cue.speaker if cue.speaker is not None else speaker
        if not cue.words:
            continue
        if open_ and open_.speaker == speaker and (speaker or not _SENTENCE_END.search(open_.words)):
            open_ = replace(open_, words=f"{open_.words} {cue.words}", ended=cue.ended)
            continue
        if open_:
            yield open_
        open_ = Piece(speaker=speaker, words=cue.words, line=cue.line, began=cue.began, ended=cue.ended)
    if open_:
        yield open_


def _clean(words: str) -> str:
    return html.unescape(_TAG.sub("", words))


def _joined(words: str) -> str:
    return " ".join(line.strip() for line in words.split("\n") if line.strip())
