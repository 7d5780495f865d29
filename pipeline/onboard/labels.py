"""Speakers' labels -> who leads the talk: as at other sites, as the file says, by the label's name, or by asking."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..records import Role, Transcript
from ..segment import words
from ..transcripts.speakers import asks_by_name, fold, is_moderator

FEWEST = 3  # turns of somebody who is taken for a moderator by asking alone
ASKING = 0.5  # share of the turns that are questions, of such a one
_ASKED = re.compile(r"[?؟？;]\W*$")  # the Greek question mark is written as a semicolon


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """Everybody of one label at a site."""

    label: str  # as most turns have it; "" for turns without one
    role: Role  # as it is proposed
    files: int
    turns: int
    words: int
    asks: float  # share of the turns that end in a question
    why: str  # it is taken for a moderator's, "" if it is not


@dataclass
class _Heard:
    """What was counted of one label while the files were gone through."""

    spelt: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)  # questions by file
    files: set[str] = field(default_factory=set)
    turns: int = 0
    words: int = 0
    led: bool = False  # whether a file itself says that this is a moderator


def speakers_of(read: Iterable[Transcript], elsewhere: Sequence[str]) -> list[Speaker]:
    """Return everybody who speaks, with the role that is proposed; those with most turns first.

    ``elsewhere`` holds the moderators' labels of other sites.
    """
    heard: dict[str, _Heard] = {}
    for transcript in read:
        for turn in transcript.turns:
            text = transcript.text[turn.start : turn.end]
            one = heard.setdefault(fold(turn.speaker), _Heard())
            one.spelt[turn.speaker] += 1
            one.asked[transcript.source] += bool(_ASKED.search(text))
            one.files.add(transcript.source)
            one.turns += 1
            one.words += words(text)
            one.led |= turn.role is Role.MODERATOR and not is_moderator(turn.speaker, elsewhere)
    asking = _askers(heard)
    found = [_speaker(one, elsewhere, asks=key in asking) for key, one in heard.items()]
    return sorted(found, key=lambda one: (-one.turns, one.label))


def _askers(heard: dict[str, _Heard]) -> set[str]:
    """Return who asks more than anybody else in every file they speak in, and in most of what they say."""
    files = {file for one in heard.values() for file in one.files}
    most = {file: max(one.asked[file] for one in heard.values()) for file in files}
    return {
        key
        for key, one in heard.items()
        if key
        and len(heard) > 1
        and one.turns >= FEWEST
        and one.asked.total() >= ASKING * one.turns
        and all(one.asked[file] == most[file] > 0 for file in one.files)
    }


def _speaker(one: _Heard, elsewhere: Sequence[str], *, asks: bool) -> Speaker:
    label = min(one.spelt, key=lambda spelling: (-one.spelt[spelling], spelling))
    share = one.asked.total() / one.turns
    why = _why(label, elsewhere, led=one.led, asks=share if asks else None) if label else ""
    return Speaker(
        label=label,
        role=Role.MODERATOR if why else Role.PARTICIPANT if label else Role.UNKNOWN,
        files=len(one.files),
        turns=one.turns,
        words=one.words,
        asks=share,
        why=why,
    )


def _why(label: str, elsewhere: Sequence[str], *, led: bool, asks: float | None) -> str:
    """Return why a label is taken for a moderator's, "" if it is not."""
    if is_moderator(label, elsewhere):
        return "as at other sites"
    if led:
        return "the file says so"
    if asks_by_name(label):
        return "by its name"
    return "" if asks is None else f"asks in {100 * asks:.0f} % of its turns"
