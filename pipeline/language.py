"""Text -> the languages it is in. The only place that knows py3langid, whose model of 140 languages comes with it.

Looked at in passages, because people change languages while they talk. On sentences of news in English, German,
Swahili, Hebrew and Luganda (400 each) at most one in 400 was taken for another language.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

PASSAGE = 200  # letters and signs that are looked at together
MOST = 50  # passages of a text, spread evenly over it
SURE = 0.8  # passages that are less clear are not counted
ENOUGH = 0.1  # share of the passages from which on a language is worth naming
MAINLY = 0.5  # and from which on it is what a text is in
# Tags of one language, and languages that are hardly told apart in writing.
_ALIKE = (
    *(("no", "nb", "nn"), ("he", "iw", "hbo"), ("id", "in", "ms"), ("tl", "fil"), ("hr", "bs", "sr", "sh")),
    *(("ar", "ary", "arz"), ("zh", "yue", "wuu"), ("el", "grc"), ("uz", "uzs"), ("ff", "fuv"), ("gn", "gug")),
)


def spoken(text: str) -> Counter[str]:
    """Return in how many passages of a text each language was found; none where nothing is long or clear enough.

    Languages are ISO 639 codes, as in the first part of a BCP-47 tag.
    """
    whole = " ".join(text.split())
    starts = range(0, max(len(whole) - PASSAGE // 2, 0), PASSAGE)
    step = max(len(starts) / MOST, 1.0)
    picked = dict.fromkeys(int(at * step) for at in range(min(len(starts), MOST)))
    found: Counter[str] = Counter()
    for at in picked:
        language, sure = _identifier().classify(whole[starts[at] : starts[at] + PASSAGE])
        if sure >= SURE and language != "zxx":  # no language at all
            found[language] += 1
    return found


def main_language(found: Mapping[str, int]) -> str:
    """Return the language of most passages, "" if there is no such.

    >>> main_language({"lg": 8, "en": 2}), main_language({})
    ('lg', '')
    """
    best = max(found, key=lambda language: (found[language], language), default="")
    return best if best and found[best] >= MAINLY * sum(found.values()) else ""


def shares(found: Mapping[str, int]) -> dict[str, float]:
    """Return the share of passages of every language that is worth naming, the commonest first.

    >>> shares({"en": 1, "lg": 9, "sw": 0})
    {'lg': 0.9, 'en': 0.1}
    """
    total = sum(found.values())
    told = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return {language: count / total for language, count in told if count and count >= ENOUGH * total}


def same(one: str, other: str) -> bool:
    """Tell whether two BCP-47 tags name one language, or two that are hardly told apart.

    >>> same("pt-BR", "pt"), same("nb", "no"), same("de", "en")
    (True, True, False)
    """
    first, second = (tag.split("-")[0].lower() for tag in (one, other))
    return first == second or any(first in group and second in group for group in _ALIKE)


def is_known(tag: str) -> bool:
    """Tell whether a language can be found at all."""
    return any(same(tag, label) for label in _identifier().labels)


def told(found: Mapping[str, int]) -> str:
    """Return the languages in words.

    >>> told({"lg": 8, "en": 2}), told({"de": 4}), told({})
    ('lg 80 %, en 20 %', 'de', '')
    """
    parts = shares(found)
    if len(parts) == 1:
        return next(iter(parts))
    return ", ".join(f"{language} {100 * share:.0f} %" for language, share in parts.items())


def differing(declared: str, texts: Iterable[tuple[str, Mapping[str, int]]]) -> list[str]:
    """Return the names of the texts that are mainly in another language than the declared one.

    Nothing is said where the declared language cannot be found, as any finding would be wrong.
    """
    if not is_known(declared):
        return []
    mains = ((name, main_language(found)) for name, found in texts)
    return [name for name, main in mains if main and not same(main, declared)]


@cache
def _identifier() -> Any:  # noqa: ANN401  # without types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
