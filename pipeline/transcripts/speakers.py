"""Which of the words before a colon are speakers: decided from all candidates of a transcript, not from one line."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ..records import Role
from .vocabulary import ASKERS, NOTES, PARTICLES, ROLES, SOUNDS, VERBS, WORDS

LONGEST = 63
MOST_WORDS = 5

_CODE = re.compile(r"(?:[^\W\d_]|[^\W\d_]{1,6}[-_ ]?\d{1,3}[a-z]?(?:[-_/ ][^\W\d_]{0,6}\d{0,3})*)")
_ASIDE = re.compile(r"\s*\([^()]*\)$")
_STOP = re.compile(r"[.,;!?…\"“”„«»<>|=。？！]")
_ABBREVIATED = re.compile(r"\b[A-ZÀ-Þ][^\W\d_]{0,3}\.")
_TRAILING = re.compile(r"[\s\d\W_]+$")


def fold(label: str) -> str:
    """Return the label as it is compared: without case and with single spaces."""
    return " ".join(label.split()).casefold()


def group(label: str) -> str:
    """Return what a speaker is, as far as the label says: the label without number and signs at its end.

    >>> group("PSW3"), group("Policy maker 2"), group("Ana"), group("#4")
    ('PSW', 'Policy maker', 'Ana', '#4')
    """
    return _TRAILING.sub("", " ".join(label.split())) or label


def is_moderator(label: str, moderators: Iterable[str]) -> bool:
    """Tell whether a label is listed, as it stands or without the digits and signs at its end.

    >>> is_moderator("moderator 2", ["Moderator"]), is_moderator("P1", ["Moderator"])
    (True, False)
    """
    listed = {fold(name) for name in moderators}
    told = fold(label)
    return bool(told) and (told in listed or _TRAILING.sub("", told) in listed - {""})


def role_of(label: str, moderators: Iterable[str]) -> Role:
    """Return the role of a speaker: unknown only where there is no label."""
    if not label:
        return Role.UNKNOWN
    return Role.MODERATOR if is_moderator(label, moderators) else Role.PARTICIPANT


def asks_by_name(label: str) -> bool:
    """Tell whether a label names somebody who leads the talk, whatever the study says of it.

    >>> [asks_by_name(label) for label in ("I2", "Moderator", "Assistant moderator", "P1", "Mary")]
    [True, True, True, False, False]
    """
    told = _ASIDE.sub("", label.strip())
    return _TRAILING.sub("", fold(told)) in ASKERS or _last(told) in ASKERS - {"i", "q", "int", "mod"}


def looks_like_label(label: str) -> bool:
    """Tell whether a speaker could be called this: short, begins with a letter or digit, no sentence.

    >>> [looks_like_label(label) for label in ("FG1-P3", "Dr. Auma (PSW)", "So here is what she said", "well, then")]
    [True, True, False, False]
    """
    told = _ASIDE.sub("", label.strip())
    words = told.split()
    if not told or len(label) > LONGEST or len(words) > MOST_WORDS or not told[0].isalnum():
        return False
    if _STOP.search(_ABBREVIATED.sub("", told)) or words[-1].casefold() in VERBS:
        return False
    sentence = told[0].islower() and len(words) > 1 and not re.search(r"\d", told)
    return not sentence


def is_code(label: str) -> bool:
    """Tell whether a label is of a shape, or a role, that is hardly anything but a speaker.

    >>> [is_code(label) for label in ("P1", "I", "FG1-P3", "PSW4", "Moderator", "Psychiatrist 1", "Problem")]
    [True, True, True, True, True, True, False]
    """
    told = _ASIDE.sub("", label.strip())
    return not is_note(told) and bool(_CODE.fullmatch(told) or _TRAILING.sub("", fold(told)) in ROLES)


def is_name_like(label: str) -> bool:
    """Tell whether a label is a code, a role, a word in capitals, or up to three capitalised words.

    >>> [is_name_like(label) for label in ("Mary Achieng", "NURSE", "what she needs", "Question")]
    [True, True, False, False]
    """
    told = _ASIDE.sub("", label.strip())
    words = [word for word in told.split() if not word.isdigit()]
    if not words or len(words) > 3 or is_note(told) or _last(told) in WORDS:
        return False
    if is_code(told) or (_last(told) in ROLES and not words[0][0].islower()):
        return True
    return all(not word[0].islower() or word.casefold() in PARTICLES for word in words)


def is_note(label: str) -> bool:
    """Tell whether a label names an aside or a field in the head of a transcript, as ``Note`` and ``Date`` do."""
    return _last(label) in NOTES


def is_sound(label: str) -> bool:
    """Tell whether a bracket describes what was heard, or names nobody, as ``[laughs]`` does."""
    words = fold(label).split()
    heard = any(word.strip(".,!?") in SOUNDS for word in words)
    return heard or not (is_name_like(label) or re.search(r"\d", label))


def sure(labels: Sequence[str], moderators: Sequence[str]) -> frozenset[str]:
    """Return the folded labels that need no other evidence: moderators', and those that come back.

    Where nothing comes back, two different codes in one transcript are evidence for each other.
    """
    counts = Counter(fold(label) for label in labels)
    shaped = {label for label in set(labels) if looks_like_label(label) and not is_note(label)}
    known = {fold(label) for label in set(labels) if is_moderator(label, moderators)}
    known |= {fold(label) for label in shaped if counts[fold(label)] > 1}
    codes = {fold(label) for label in shaped if is_code(label)}
    return frozenset(known or (codes if len(codes) > 1 else ()))


def speakers(labels: Sequence[str], moderators: Sequence[str]) -> frozenset[str]:
    """Return the folded labels that are speakers, given every candidate of one transcript in its order."""
    if not (known := sure(labels, moderators)):
        return known
    return known | {fold(label) for label in set(labels) if looks_like_label(label) and is_name_like(label)}


def _last(label: str) -> str:
    words = _TRAILING.sub("", fold(label)).split()
    return words[-1] if words else ""
