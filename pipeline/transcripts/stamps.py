"""Times as transcripts write them: ``[00:34:12]``, ``(1:02)``, ``{00:00:00}``, ``#00:01:23-4#``, ``00:03:40.5``."""

import re

_FRACTION = r"(?:[.,:-]\d{1,3})?"
_COLONS = rf"(?:\d{{1,3}}:)?\d{{1,3}}:[0-5]?\d{_FRACTION}(?!\d)"
_DOTS = r"(?:\d{1,3}\.)?\d{1,3}\.[0-5]\d(?!\d)"

CLOCK = rf"(?<!\d){_COLONS}"
ARROW = rf"{CLOCK}\s*-->\s*{CLOCK}"
_SPAN = rf"(?:{_COLONS}|{_DOTS})(?:\s*(?:-->|[-–])\s*(?:{_COLONS}|{_DOTS}))?"
# Round brackets hold the length of a pause in some conventions, as in (1.25): there a time needs its colon.
STAMP = rf"(?:\[\s*{_SPAN}\s*\]|\{{\s*{_SPAN}\s*\}}|\(\s*{CLOCK}\s*\)|#\s?{_SPAN}\s?#)"

_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")
_CLOCK = re.compile(
    r"(?:(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,3}):(?P<s>[0-5]?\d)|(?:(?P<dh>\d{1,3})\.)?(?P<dm>\d{1,3})\.(?P<ds>[0-5]\d))"
    r"(?:[.,:-](?P<part>\d{1,9}))?(?!\d)"
)


def seconds(clock: str) -> float | None:
    """Return the seconds of a time of day-like clock, or ``None`` if it is none.

    >>> seconds("00:03:40.5"), seconds("12:34"), seconds("01.23.45"), seconds("8 o'clock")
    (220.5, 754.0, 5025.0, None)
    """
    found = _CLOCK.fullmatch(clock.strip())
    return _value(found) if found else None


def moment(cell: str) -> float | None:
    """Return the seconds of a table's cell, which holds seconds or a clock, or ``None`` if it holds neither.

    >>> moment("75.5"), moment("0:01:15"), moment("later")
    (75.5, 75.0, None)
    """
    told = cell.strip()
    return float(told.replace(",", ".")) if _NUMBER.fullmatch(told) else seconds(told)


def times(stamp: str | None) -> tuple[float | None, float | None]:
    """Return when a stamp says that something began and ended; one time alone is when it began.

    >>> times("[00:00:01 - 00:00:05]"), times("#00:01:23-4#"), times(None)
    ((1.0, 5.0), (83.4, None), (None, None))
    """
    found = [_value(match) for match in _CLOCK.finditer(stamp or "")]
    return (found[0] if found else None, found[1] if len(found) > 1 else None)


def _value(found: re.Match[str]) -> float:
    hours, minutes, whole = found["h"] or found["dh"], found["m"] or found["dm"], found["s"] or found["ds"]
    value = int(hours or 0) * 3600 + int(minutes) * 60 + int(whole)
    part: str = found["part"] or "0"
    return value + int(part) / float(10 ** len(part))
