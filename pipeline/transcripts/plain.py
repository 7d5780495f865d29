"""Plain text: bytes -> characters -> turns."""

import unicodedata

from .. import decoding
from .draft import Draft, refuse
from .labels import turns

_LAYOUT_SIGNS = frozenset("\r\n\t\f\v\x85")
_MOST_CONTROLS = 0.05


def read(data: bytes, place: str, moderators: tuple[str, ...]) -> list[Draft]:
    """Return the one transcript of a plain-text file."""
    text = decode(data, place)
    return [Draft(text=text, turns=turns(text, moderators))]


def decode(data: bytes, place: str) -> str:
    """Return the characters of a text file, without byte-order mark and with LF line ends; nothing else changes.

    Raises ``Faults`` for what is no text or in no encoding that can be told.
    """
    try:
        text = decoding.decode(data)
        controls = sum(unicodedata.category(sign) == "Cc" for sign in text if sign not in _LAYOUT_SIGNS)
        if controls > _MOST_CONTROLS * len(text):
            raise decoding.NoText("is not text")
    except decoding.NoText as error:
        raise refuse(place, str(error), "check the file, or save it as plain text in UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
