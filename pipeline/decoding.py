"""Bytes of a text file -> characters, whatever program and country it comes from."""

import codecs

_MARKS = (  # the longer marks first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST_ACCENTED = 0.3  # of the letters: French and Vietnamese stay below, what is not written in Latin letters above
_TYPOGRAPHIC = frozenset("‘’‚“”„«»‹›–—…•·€£§°´¨\xa0\xad¡¿ºª")


class NoText(ValueError):
    """What was given is no text, or in no encoding that can be told; says which of the two."""


def decode(data: bytes) -> str:
    """Return the characters of a text file without its byte-order mark; nothing else changes. Raises ``NoText``."""
    text = next((_try(data, name) for mark, name in _MARKS if data.startswith(mark)), None)
    if text is None:
        if b"\0" in data:
            raise NoText("is not text")
        text = _without_mark(data)
    if text is None:
        raise NoText("is in an unknown encoding")
    if "\0" in text:
        raise NoText("is not text")
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
