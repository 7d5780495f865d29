"""Plain text: bytes -> characters -> turns."""

import codecs
import unicodedata

from .draft import Draft, refuse
from .labels import turns

_MARKS = (  # the longer marks first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LAYOUT_SIGNS = frozenset("\n\t\f\v\x85")
_MOST_CONTROLS = 0.05
_MOST_ACCENTED = 0.3  # of the letters: French and Vietnamese stay below, what is not written in Latin letters above
_TYPOGRAPHIC = frozenset("‘’‚“”„«»‹›–—…•·€£§°´¨\xa0\xad¡¿ºª")


def read(data: bytes, place: str, moderators: tuple[str, ...]) -> list[Draft]:
    """Return the one transcript of a plain-text file."""
    text = decode(data, place)
    return [Draft(text=text, turns=turns(text, moderators))]


def decode(data: bytes, place: str) -> str:
    """Return the characters of a text file, without byte-order mark and with LF line ends; nothing else changes.

    Raises ``Faults`` for what is no text or in no encoding that can be told.
    """
    text = next((_try(data, name) for mark, name in _MARKS if data.startswith(mark)), None)
    if text is None:
        if b"\0" in data:
            raise refuse(place, "is not text", "check the file, or save it as plain text in UTF-8")
        text = _without_mark(data)
    if text is None:
        raise refuse(place, "is in an unknown encoding", "save it as UTF-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    controls = sum(unicodedata.category(sign) == "Cc" for sign in text if sign not in _LAYOUT_SIGNS)
    if "\0" in text or controls > _MOST_CONTROLS * len(text):
        raise refuse(place, "is not text", "check the file, or save it as plain text in UTF-8")
    return text


def _without_mark(data: bytes) -> str | None:
    if (text := _try(data, "utf-8")) is not None:
        return text
    # Before the guess: on short texts charset-normalizer takes Western European letters for Central European ones.
    western = _try(data, "cp1252")
    if western is not None and _is_plausible(western):
        return western
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    return str(best) if best else western


def _is_plausible(text: str) -> bool:
    """Tell whether beyond ASCII there are only letters and typographic signs, and letters mostly without accents."""
    letters = [sign for sign in text if sign.isalpha()]
    accented = sum(not sign.isascii() for sign in letters)
    rest = {sign for sign in text if not sign.isascii() and not sign.isalpha()}
    return rest <= _TYPOGRAPHIC and accented <= _MOST_ACCENTED * len(letters)


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
