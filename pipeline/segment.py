"""Cut the codable turns of a transcript into segments of whole sentences.

Sentence ends are found in three steps: marks that may end one, beside the boundaries that spaCy proposes; rules and
tables (``ABBREVIATIONS`` ...) that take back false ones; and a last pass that gives bare noise to a neighbour.
"""

import re
import unicodedata
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

from .config import SegmentSettings
from .records import Role, Segment, Transcript, Turn, segment_id

Span = tuple[int, int]


class Splitter(Protocol):
    """Cuts a text into sentences."""

    def __call__(self, text: str, /) -> list[Span]:
        """Return the spans of the sentences in code points: trimmed, in order, together all that is not space."""
        ...


# --- words -----------------------------------------------------------------------------------------------------------

# `\w` leaves out combining marks: without these ranges a vocalised Hebrew, Arabic or Hindi word falls into pieces.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u0900-\u0963\u0966-\u0dff\u135d-\u135f\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d"
    "\u20d0-\u20ff\ufe20-\ufe2f"
)
_LETTER = rf"[\w{_MARKS}]"
# Scripts without spaces between words: about as many characters as a word has there.
_UNSPACED = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]{1,2}|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]{1,4}"
_WORD = re.compile(rf"{_UNSPACED}|[^\W_]{_LETTER}*(?:(?:['’ʼ׳״\"\-‐‑־]|(?<=\d)[.,:](?=\d)){_LETTER}+)*")
# What a transcriber put in: [laughs], ((incomprehensible)), <pause>, (pause). Longer brackets hold talk.
_NOISE_BRACKETS = r"\(\([^()]{0,80}\)\)|\[[^\[\]]{0,80}\]|<[^<>]{0,80}>|\{[^{}]{0,80}\}|\*[^*\s][^*\n]{0,40}\*"
_NOISE = re.compile(rf"{_NOISE_BRACKETS}|\((?=[^()]{{0,80}}\))[^\w()]*+(?:\w++(?:['’-]\w++)*+[^\w()]*+){{0,3}}\)")


def words(text: str) -> int:
    """Count the words of ``text``: runs of letters, digits and their marks, not counting bracketed noise.

    Apostrophes, hyphens and Hebrew gershayim inside a word and points inside a number do not divide it. Scripts
    without spaces count by characters: two of Chinese or Japanese, four of Thai, Lao, Khmer or Burmese, make a word.

    >>> words("We don't re-use it [laughs], (pause) do we? 3.5 times")
    8
    """
    return len(words_of(text))


def words_of(text: str) -> list[str]:
    """Return the words that ``words`` counts."""
    return _WORD.findall(_NOISE.sub(" ", text))


# --- sentences -------------------------------------------------------------------------------------------------------

CHUNK = 200_000  # spaCy refuses a text above 1,000,000 characters
_QUOTES = "'\"’‘”“„‚»«›‹"
_ALWAYS_ENDS = "。！？｡؟۔।॥።፧။។"  # no other use, and often no space after them
_END = re.compile(
    rf"(?P<marks>\.(?:\s\.)+|[.?!…‼⁇⁈⁉‽։{_ALWAYS_ENDS}]+)(?P<closers>[{_QUOTES})\]}}*]*(?:\s[»”\"](?=\s|$))?)"
)
_LEAD_IN = re.compile(rf"(?:{_NOISE.pattern}|[\s{_QUOTES}(\[{{<*¿¡•–—-])*")  # what may stand before the next word
_VOWEL = re.compile("[aeiouyäöüáéíóú]")
# spaCy takes minutes for thousands of brackets in a row, and cannot store half of a surrogate pair.
_TANGLE = re.compile(r"[^\w\s]{16,}|\S{500,}|[\ud800-\udfff]")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_BRACKETS = re.compile(r"\([^()]{0,300}\)|\[[^\[\]]{0,300}\]")
_DOTTED = re.compile(r"(?<![\w.])(?:[^\W\d_]\.\s?)+[^\W\d_]{1,2}$")  # z. B, a.m, J. K
_LAST = re.compile(rf"{_LETTER}+(?:[.'’\-]+{_LETTER}+)*$")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")  # B, U.S
_ORDINAL = re.compile(r"(?:\d{1,2}\.)?\d{1,3}")
_CAPITALISED = re.compile(r"[^\W\d_][^\W\d_]|[^\W\d_][\s'’]|[^\W\d_]$")


class Abbreviations(NamedTuple):
    """The abbreviations of a language, casefolded, without the last point and without spaces."""

    always: str = ""  # something always follows: e.g.
    usually: str = ""  # something follows, unless the next word is one of `starters`: Dr.
    number: str = ""  # part of the sentence only before a number: No. 5
    closing: str = ""  # may end a sentence, and do so before a capital letter: a.m.
    starters: str = ""  # words that begin a new sentence rather than follow a title or an initial
    ordinals: str = ""  # words before a number with a point: am 3. Termin
    months: str = ""  # words after one: 3. Mai


# What is said here of English holds beside every other language: people change between them while they talk.
ABBREVIATIONS = {
    "en": Abbreviations(
        always="e.g eg i.e ie cf approx vs viz",
        usually="dr drs mr mrs ms mx messrs prof rev hon st fr sr gen col capt lt sgt gov sen ph.d m.sc b.sc",
        number="no nos nr p pp vol fig ch sec art par jan feb mar apr jun jul aug sep sept oct nov dec sh shs ush ksh "
        "tsh ugx",
        closing="a.m p.m o.k etc incl resp dept govt est max min inc ltd co corp jr",
        starters="i i'm i've i'd i'll he he's she she's it it's we we're you they the a this that that's these those "
        "there then so and but because my his her our their your when what who why how if in on at for yes yeah no "
        "okay oh uh um well now also after before not let let's",
    ),
    "de": Abbreviations(
        always="z.b d.h bzw ca vgl evtl ggf inkl exkl sog i.d.r u.u m.e o.g v.a z.t zzgl bspw insb mind max ungef",
        usually="u.a u.ä o.ä hr hrn fr frl dipl ing med phil rer nat habil priv doz univ apl std min sek jh jhd mio "
        "mrd tsd allg bes str",
        number="s abs kap bd abb tab tel anm okt dez mai",
        closing="u.s.w usw usf",
        starters="ich er sie es wir ihr du man der die das den dem ein eine einen und aber dann danach also da so weil "
        "wenn was wer wie wo warum ja nein nicht mein meine dort hier jetzt im am in auf bei für mit nach dieser diese "
        "dieses deshalb trotzdem genau doch",
        ordinals="am der die das dem den des im vom zum zur beim bis ab seit ein eine einen einem einer mein meine "
        "meinem meinen meiner unser unsere jeder jede jedes jeden jedem",
        months="januar jänner februar märz april mai juni juli august september oktober november dezember",
    ),
    "he": Abbreviations(always="פרופ גב", number="מס עמ", closing="וכו"),
    "sw": Abbreviations(
        always="k.m k.v k.f",
        usually="bw bi bwa mhe ndg mw dkt mch",
        number="na uk",
        closing="n.k n.k.w",
        starters="mimi sisi wewe yeye wao lakini kisha halafu basi hii hiyo sasa ndiyo hapana",
    ),
    "lg": Abbreviations(
        usually="omw omuk owek muky ssab",
        number="nnamba namba",
        starters="nze ffe gwe ye bo naye era kale kati awo oluvannyuma",
    ),
    "hi": Abbreviations(usually="डॉ प्रो श्री"),
}
_SAME = {"eng": "en", "deu": "de", "ger": "de", "heb": "he", "iw": "he", "swa": "sw", "swh": "sw", "lug": "lg"}


class _Tables(NamedTuple):
    """One language's ``Abbreviations`` with those of English, ready to be asked."""

    known: bool  # whether the language has tables of its own
    always: frozenset[str]
    usually: frozenset[str]
    number: frozenset[str]
    closing: frozenset[str]
    starters: frozenset[str]
    ordinals: frozenset[str]
    months: frozenset[str]


@cache
def _tables(language: str) -> _Tables:
    own, english = ABBREVIATIONS.get(language, Abbreviations()), ABBREVIATIONS["en"]
    both = (frozenset(f"{one} {other}".split()) for one, other in zip(own, english, strict=True))
    return _Tables(language in ABBREVIATIONS, *both)


def load_splitter(language: str) -> "SpacySplitter":
    """Return the sentence splitter for a language, given as a BCP-47 tag; the same object for the same language.

    A trained spaCy pipeline serves if one is installed for the language (``<language>_core_*`` before others), else
    spaCy's rules for the language, else its rules for any language. Nothing is fetched over the network.
    """
    found = re.match(r"[a-z]{2,3}(?![^\W_])", language.strip().casefold())
    code = found[0] if found else "xx"
    return _load(_SAME.get(code, code))


def trained_models() -> tuple[str, ...]:
    """Return the names of the trained spaCy pipelines that are installed, sorted, without loading any.

    spaCy's own list would import every one of them, and fail if one is broken.
    """
    return tuple(sorted({point.name for point in entry_points(group="spacy_models")}))


@cache
def _load(language: str) -> "SpacySplitter":
    import spacy

    installed = [name for name in trained_models() if name.startswith(f"{language}_")]
    for name in sorted(installed, key=lambda name: (not name.startswith(f"{language}_core_"), name)):
        try:
            with warnings.catch_warnings(action="ignore"):  # "was trained with another version of spaCy"
                nlp = spacy.load(name, exclude=["ner", "tagger", "morphologizer", "lemmatizer", "attribute_ruler"])
        except (OSError, ImportError, ValueError):  # made for another spaCy or half installed: not there
            continue
        if "senter" in nlp.component_names:
            nlp.select_pipes(
                enable=[pipe for pipe in ("tok2vec", "transformer", "senter") if pipe in nlp.component_names]
            )
        if {"senter", "parser"} & set(nlp.pipe_names):
            return SpacySplitter(f"{name} {nlp.meta['version']}", language, nlp)
    try:
        nlp = spacy.blank(language)
    except ImportError:  # unknown to spaCy, or it needs a tokeniser that is not installed (Thai, Japanese)
        nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    return SpacySplitter(f"{nlp.lang} rules", language, nlp)


@dataclass(frozen=True, eq=False)
class SpacySplitter:
    """A ``Splitter`` on a spaCy pipeline; ``name`` tells which one, since another may set other boundaries."""

    name: str
    language: str
    nlp: Any

    def __call__(self, text: str, /) -> list[Span]:
        """Return the sentences of ``text``; a text without any word but with marks is one."""
        tables = _tables(self.language)
        ends = list(_END.finditer(text))
        follows = [_next_letter(text, end.end()) for end in ends]
        # In a text typed without any capital a small letter says nothing.
        cased = any(letter.isupper() for letter in [_next_letter(text, 0), *follows])
        cuts = {end.end() for end in ends if _ends_sentence(text, end, tables, cased=cased)}
        cuts |= {gap.end() for gap in _PARAGRAPH.finditer(text) if not _next_letter(text, gap.end()).islower()}
        cuts |= set(self._proposed(text, ends))
        brackets = [span.span() for span in _BRACKETS.finditer(text)]
        return _with_words(text, _trimmed(text, (cut for cut in sorted(cuts) if not _inside(cut, brackets))))

    def _proposed(self, text: str, ends: list[re.Match[str]]) -> Iterator[int]:
        """Yield spaCy's boundaries that are at none of ``ends``: marks of other scripts, a trained model's guess."""
        starts = [end.start() for end in ends]
        for begin, chunk in _chunks(text):
            for sentence in self.nlp(chunk).sents:
                cut = begin + sentence.start_char
                while cut > begin and (text[cut - 1].isspace() or text[cut - 1] in _QUOTES + "([{"):
                    cut -= 1
                at = bisect_left(starts, cut) - 1
                known = at >= 0 and not any(letter.isalnum() for letter in text[ends[at].end() : cut])
                if cut > begin and not known and not (text[cut - 1].isalnum() and text[cut].isalnum()):
                    yield cut


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text in parts that spaCy can take, cut at a space where there is one, each with its place."""
    begin = 0
    while begin < len(text):
        end = min(begin + CHUNK, len(text))
        if end < len(text):
            end = max(text.rfind(" ", begin, end), text.rfind("\n", begin, end)) + 1 or end
        yield begin, _TANGLE.sub(lambda found: re.sub(r"\W", " ", found[0]), text[begin:end])
        begin = end


def _next_letter(text: str, at: int) -> str:
    lead = _LEAD_IN.match(text, at)
    return text[lead.end() : lead.end() + 1] if lead else ""


def _next_word(text: str, at: int) -> tuple[str, str]:
    """Return the next word, casefolded, and what stands right after it."""
    lead = _LEAD_IN.match(text, at)
    found = _WORD.match(text, lead.end()) if lead else None
    return (found[0].casefold(), text[found.end() : found.end() + 1]) if found else ("", "")


def _ends_sentence(text: str, end: re.Match[str], tables: _Tables, *, cased: bool) -> bool:
    """Tell whether the marks at ``end`` end a sentence."""
    marks, closers, at = end["marks"], end["closers"], end.end()
    if any(mark in _ALWAYS_ENDS for mark in marks):
        return not (closers and _next_letter(text, at).islower())
    if at < len(text) and not text[at].isspace():
        return _glued(text, end, tables)
    letter = _next_letter(text, at)
    small = letter.islower() and cased
    if (letter.islower() and closers) or (small and not tables.known):
        return False
    caseless = letter.isalpha() and not letter.isupper()
    if ".." in marks or "…" in marks or ". " in marks:
        # Thinking aloud, unless a capital begins something new: "I… I could not" does not.
        said = _LAST.search(text[max(0, end.start() - 40) : end.start()])
        return not caseless and not (said and said[0].casefold() == _next_word(text, at)[0])
    if caseless and re.search(r"[)\]]", closers):
        return False
    if marks == ".":
        return not _abbreviation(text, end, tables, small=small)
    return not (caseless and any(mark in _QUOTES for mark in closers))  # as in: he asked "Why?" and left


def _glued(text: str, end: re.Match[str], tables: _Tables) -> bool:
    """Tell whether a sentence ends where the next word follows without a space: ``work.So we``, not ``z.B.``."""
    at = end.end()
    before, after = text[max(0, end.start() - 2) : end.start()], text[at : at + 2]
    if len(end["marks"]) > 2 or not (before.isalpha() and before[-1].islower() and after[0].isupper()):
        return False
    if not _CAPITALISED.match(after) or after[1:].isupper() or re.search(r"[@/]|www", _token_around(text, at)):
        return False
    return not (end["marks"] == "." and _abbreviation(text, end, tables, small=False))


def _token_around(text: str, at: int) -> str:
    before, after = text[max(0, at - 60) : at].split(" ")[-1], text[at : at + 60].split(" ")[0]
    return before + after


def _abbreviation(text: str, end: re.Match[str], tables: _Tables, *, small: bool) -> bool:
    """Tell whether the point at ``end`` belongs to an abbreviation, initial or ordinal that does not end a sentence.

    ``small`` tells that a small letter follows where sentences begin with capitals. Alone it proves little: people who
    transcribe write "Yeah. it was" oftener than abbreviations that are in no table.
    """
    window = text[max(0, end.start() - 40) : end.start()]
    found = _DOTTED.search(window) or _LAST.search(window)
    if not found:
        return False
    short = re.sub(r"\s", "", found[0]).casefold()
    next_word, after = _next_word(text, end.end())
    starts = next_word in tables.starters and after != "." and not small
    if _ORDINAL.fullmatch(short):
        return small or _counts(window[: found.start()], next_word, tables, starts=starts)
    names = {short, short.rsplit("-")[-1].lstrip(".")}
    if names & tables.always or (names & tables.number and next_word[:1].isdigit()):
        return True
    if names & tables.usually or (_INITIALS.fullmatch(short) and not names & tables.closing):
        return not starts
    return small and (bool(names & tables.closing) or not _VOWEL.search(short))


def _counts(before: str, next_word: str, tables: _Tables, *, starts: bool) -> bool:
    """Tell whether a number with a point counts: at the start of a line, after ``am``, before a month."""
    line = before.rpartition("\n")[2].casefold().split()
    return not line or (not starts and (line[-1] in tables.ordinals or next_word in tables.months))


def _inside(cut: int, brackets: list[Span]) -> bool:
    at = bisect_left(brackets, (cut, 0)) - 1
    return at >= 0 and cut < brackets[at][1]


def _trimmed(text: str, cuts: Iterable[int], begin: int = 0, end: int | None = None) -> list[Span]:
    """Return the parts of ``text[begin:end]`` between ``cuts``, without outer space; empty ones are left out."""
    stop = len(text) if end is None else end
    spans = []
    for left, right in pairwise([begin, *cuts, stop]):
        part = text[left:right]
        start = left + len(part) - len(part.lstrip())
        if part.strip():
            spans.append((start, start + len(part.strip())))
    return spans


def _with_words(text: str, spans: list[Span]) -> list[Span]:
    """Join every span that has no word to the one before it, and at the beginning to the one after it."""
    joined: list[Span] = []
    empty_start: int | None = None
    for start, end in spans:
        if words(text[start:end]):
            joined.append((start if empty_start is None else empty_start, end))
            empty_start = None
        elif joined:
            joined[-1] = (joined[-1][0], end)
        elif empty_start is None:
            empty_start = start
    return joined or ([(spans[0][0], spans[-1][1])] if spans else [])


# --- segments --------------------------------------------------------------------------------------------------------

# Where a sentence that is far too long may be cut, and how much worse that is than the end of a sentence, in shares of
# the squared size that is aimed at.
_CLAUSE_END = re.compile(
    rf"(?P<strong>[.?!…;؛:]|\s[–—-]+|[–—]|--)[{_QUOTES})\]]*(?=\s)|(?P<weak>[,،、][{_QUOTES})\]]*(?=\s)|\n)"
)
_TOKEN = re.compile(rf"(?:{_NOISE.pattern}|\S)+")
_COST = {"strong": 0.02, "weak": 0.05, "word": 0.25}


class _Piece(NamedTuple):
    """A part of a turn that is not cut, its number of words, and what a cut after it costs."""

    span: Span
    words: int
    cost: float


def segment(transcript: Transcript, splitter: Splitter, settings: SegmentSettings) -> list[Segment]:
    """Return the segments of a transcript, in its order.

    A moderator's turn gives none, and a turn of fewer than ``min_words`` words is a back-channel and gives none. A turn
    that its file calls a segment is one, however short or long. Any other turn is cut at ends of sentences into
    segments of similar size and at most ``max_words`` words. A sentence that is longer stays whole, up to twice as
    long; beyond that it is cut, best at the end of a clause. What has fewer than ``min_words`` words joins its
    neighbour, so that every word of a turn with segments is in exactly one of them.
    """
    identity = transcript.id  # hashes the whole text: asked once, or a long transcript never ends
    found = []
    for index, turn in enumerate(transcript.turns):
        if turn.role is Role.MODERATOR:
            continue
        for k, (start, end) in enumerate(_spans(transcript.text, turn, splitter, settings), 1):
            found.append(
                Segment(
                    id=segment_id(identity, start, end),
                    transcript=identity,
                    name=turn.segment if turn.segment is not None else f"t{index + 1:03d}s{k}",
                    turn=index,
                    start=start,
                    end=end,
                    text=transcript.text[start:end],
                )
            )
    return found


def _spans(text: str, turn: Turn, splitter: Splitter, settings: SegmentSettings) -> list[Span]:
    """Return the spans of a turn's segments."""
    whole = _trimmed(text, (), turn.start, turn.end)
    if turn.segment is not None or not whole:
        return whole
    said = text[turn.start : turn.end]
    total = words(said)
    if total < settings.min_words:
        return []
    if total <= settings.max_words:
        return whole
    pieces = [piece for span in splitter(said) for piece in _pieces(said, span, settings.max_words)]
    tiny = min(settings.min_words, settings.max_words // 3)  # of smaller groups, no two are neighbours: see _balanced
    groups = _merge_tiny(_balanced(pieces, settings.max_words), tiny)
    return [(turn.start + group[0].span[0], turn.start + group[-1].span[1]) for group in groups]


def _pieces(text: str, span: Span, most: int) -> list[_Piece]:
    """Return a sentence as one piece, or in clauses, and clauses in words, if it is longer than twice ``most``."""
    size = words(text[slice(*span)])
    if size <= 2 * most:
        return [_Piece(span, size, 0.0)]
    ends = {end.end(): end.lastgroup or "weak" for end in _CLAUSE_END.finditer(text, *span)}
    noise = [found.span() for found in _NOISE.finditer(text, *span)]
    clauses = _trimmed(text, (end for end in ends if not _inside(end, noise)), *span)
    pieces: list[_Piece] = []
    for clause in clauses:
        cost = _COST[ends.get(clause[1], "weak")]
        parts = [clause] if words(text[slice(*clause)]) <= most else _tokens(text, clause, most)
        for part in parts:
            size = words(text[slice(*part)])
            if size or not pieces:
                pieces.append(_Piece(part, size, cost if part is parts[-1] else _COST["word"]))
            else:  # a lone dash or emoji
                pieces[-1] = pieces[-1]._replace(span=(pieces[-1].span[0], part[1]))
    pieces[-1] = pieces[-1]._replace(cost=0.0)
    return pieces


def _tokens(text: str, span: Span, most: int) -> list[Span]:
    """Return what stands between spaces, or single words where far too many stand together."""
    found: list[Span] = []
    for token in _TOKEN.finditer(text, *span):
        starts = [word.start() for word in _WORD.finditer(text, *token.span())]
        if len(starts) > most:  # never before a combining mark: it belongs to the letter before it
            cuts = [start for start in starts[1:] if not unicodedata.category(text[start]).startswith("M")]
            found += _trimmed(text, cuts, *token.span())
        else:
            found.append(token.span())
    return found


def _balanced(pieces: list[_Piece], most: int) -> list[list[_Piece]]:
    """Group pieces, in order, so that the groups are of like size and have at most ``most`` words, or are one piece.

    Least squares: the sum of (words - aim)^2 and of the costs of the cuts is as small as it can be.
    """
    total = sum(piece.words for piece in pieces)
    aim = total / max(1, -(-total // most))
    best, begins = [0.0], [0]  # of the first n pieces: least cost, and where the last group begins
    for n in range(1, len(pieces) + 1):
        size, least, begin = 0, float("inf"), n - 1
        for first in range(n - 1, -1, -1):
            size += pieces[first].words
            if size > most and first < n - 1:
                break
            cost = best[first] + (size - aim) ** 2
            if cost < least:
                least, begin = cost, first
        best.append(least + pieces[n - 1].cost * aim**2)
        begins.append(begin)
    groups, n = [], len(pieces)
    while n:
        groups.append(pieces[begins[n] : n])
        n = begins[n]
    return groups[::-1]


def _merge_tiny(groups: list[list[_Piece]], fewest: int) -> list[list[_Piece]]:
    """Join every group of fewer than ``fewest`` words to the one before it, and the first to the one after it."""
    merged: list[list[_Piece]] = []
    for group in groups:
        tiny = sum(piece.words for piece in group) < fewest
        if merged and (tiny or sum(piece.words for piece in merged[-1]) < fewest):
            merged[-1] = merged[-1] + group
        else:
            merged.append(group)
    return merged
