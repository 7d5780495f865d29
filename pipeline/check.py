"""Read everything a study consists of, tell every fault, change nothing."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import embed, intake, language, likeness, rank, store, transcripts
from .codebook import doubts, read_codebook
from .config import Study, load_study
from .context import contexts
from .errors import Fault, StoreFault, StudyFault, named
from .intake import Progress, gathered, read_and_cut
from .records import Codebook, Role, Segment, Transcript
from .segment import words
from .sheets import nearest
from .store import corpus, vectors

TOKENS_PER_WORD = 1.3  # of English in the bundled encoder; more in languages it does not know
COLUMNS = (*("site", "language", "spoken", "transcripts", "turns", "moderator turns", "segments", "words", "minutes"),)
FILES = 3  # that a note names one by one
PAIRS = 10  # notes on transcripts that are nearly the same


@dataclass
class SiteCheck:
    """What was found at one site; counts grow while its files are read."""

    site: str
    language: str
    transcripts: int = 0
    turns: int = 0
    moderator_turns: int = 0
    segments: int = 0
    words: int = 0  # of the segments
    long: int = 0  # segments of more words than the encoder reads
    minutes: float | None = None  # of the recordings, of which times are known
    speakers: Counter[tuple[str, str]] = field(default_factory=Counter)  # turns by label and role
    spoken: dict[str, Counter[str]] = field(default_factory=dict)  # passages in each language, by file

    def add(self, transcript: Transcript, cut: Sequence[Segment], *, most: float) -> None:
        """Count one transcript in; a segment is long that has more than ``most`` words."""
        self.transcripts += 1
        self.turns += len(transcript.turns)
        self.moderator_turns += sum(turn.role is Role.MODERATOR for turn in transcript.turns)
        self.segments += len(cut)
        lengths = [words(segment.text) for segment in cut]
        self.words += sum(lengths)
        self.long += sum(length > most for length in lengths)
        self.speakers.update((turn.speaker, turn.role.value) for turn in transcript.turns)
        if transcript.minutes is not None:
            self.minutes = (self.minutes or 0.0) + transcript.minutes
        self.spoken.setdefault(transcript.source, Counter()).update(language.spoken(transcript.text))

    @property
    def languages(self) -> Counter[str]:
        """The passages in each language, of all files."""
        return sum(self.spoken.values(), Counter[str]())


def most_words(located: embed.Located | None) -> float:
    """Return how many words an encoder reads of a text, as far as is known."""
    return located.max_tokens / TOKENS_PER_WORD if located and located.max_tokens else math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What `suggest` would do now."""

    files: int  # that are new or changed
    texts: int  # that have no vector yet; the sentences of what is suggested come on top


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a check found."""

    sites: tuple[SiteCheck, ...]
    alike: tuple[tuple[str, str, float], ...]  # transcripts that say nearly the same: two files, share of the shorter
    due: Due | None  # None where that cannot be told
    themes: int
    exemplars: int
    notes: tuple[str, ...]  # worth knowing, and no fault
    faults: tuple[Fault, ...]


def check(path: Path, progress: Progress) -> Checked:
    """Return what is there and everything that is wrong. Raises ``Faults`` if study.toml itself cannot be read."""
    study = load_study(path)
    faults: list[Fault] = []
    codebook = gathered(faults, lambda: read_codebook(study.codebook_file))
    located = gathered(faults, lambda: embed.locate(study.embed, study.folder))
    gathered(faults, lambda: store.look_at(study.store_url))
    sites = {site.name: SiteCheck(site.name, site.language) for site in study.site}
    faults.extend(priority_faults(study, codebook) if codebook else ())
    with _store_of(study) as have:
        reading = _Reading(study, located, sites, have)
        reading.embeds(rank.codebook_texts(codebook) if codebook else [])
        reading.go_through(progress)
    faults.extend(reading.faults)
    alike = tuple(likeness.nearly_the_same(reading.runs))
    return Checked(
        sites=tuple(sites.values()),
        alike=alike,
        due=Due(files=reading.due, texts=len(reading.missing)) if located and codebook else None,
        themes=len(codebook.themes) if codebook else 0,
        exemplars=sum(len(theme.exemplars) for theme in codebook.themes) if codebook else 0,
        notes=(*_notes(study, located, codebook, sites.values()), *_nearly_the_same(alike)),
        faults=tuple(faults),
    )


def priority_faults(study: Study, codebook: Codebook) -> list[StudyFault]:
    """Return a fault for every theme of `[audit] priority` that the codebook does not have."""
    faults = []
    for theme in study.audit.priority:
        if theme not in codebook.names:
            near = nearest(theme, codebook.names)
            remedy = f"did you mean `{near}`?" if near else "name themes as the codebook does"
            faults.append(
                StudyFault(str(study.file), f"[audit] `priority`: the codebook has no theme {named(theme)}", remedy)
            )
    return faults


def _store_of(study: Study) -> AbstractContextManager[store.Store | None]:
    """Return the study's store for looking at it, nothing if there is none that can be looked at without changes."""
    try:
        have = store.open_as_it_is(study.store_url)
    except StoreFault:  # told already
        have = None
    return closing(have) if have else nullcontext()


@dataclass
class _Reading:
    """What going through a study's files finds, one at a time: of their words only hashes are kept."""

    study: Study
    located: embed.Located | None
    sites: dict[str, SiteCheck]
    have: store.Store | None
    faults: list[Fault] = field(default_factory=list)
    runs: dict[str, likeness.Hashes] = field(default_factory=dict)  # by file, or document of a table
    missing: set[str] = field(default_factory=set)  # hashes of texts without a vector
    due: int = 0  # files that are new or changed

    def go_through(self, progress: Progress) -> None:
        """Read every file."""
        files, found = transcripts.find(self.study)
        self.faults += found
        known = corpus.known_sources(self.have) if self.have else {}
        read: list[Transcript] = []
        for done, file in enumerate(files, 1):
            cut = gathered(self.faults, lambda file=file: read_and_cut(self.study, file))  # type: ignore[misc]
            for transcript, segments in cut or ():
                read.append(transcript)
                self._count(transcript, segments)
                self.embeds(_texts_of(transcript, segments))
            self.due += cut is not None and not intake.is_known(self.study, file, known)
            progress("transcripts", done, len(files))
        self.faults += transcripts.clashes(read)

    def _count(self, transcript: Transcript, segments: Sequence[Segment]) -> None:
        self.sites[transcript.site].add(transcript, segments, most=most_words(self.located))
        place = f"{transcript.source} ({transcript.name})" if transcript.among else transcript.source
        # A guide's questions are the same everywhere, so only what is coded is compared.
        self.runs[place] = likeness.runs_of(" ".join(segment.text for segment in segments))

    def embeds(self, texts: Sequence[str]) -> None:
        """Count texts in that need a vector."""
        if self.have and self.located and self.located.made:
            texts = vectors.without_vector(self.have, self.located.fingerprint, texts)
        self.missing.update(map(vectors.text_hash, texts))


def _texts_of(transcript: Transcript, segments: Sequence[Segment]) -> list[str]:
    """Return every text that the ranking of a transcript's segments needs a vector of."""
    known = contexts(segments, segments, {transcript.id: transcript}, intake.splitter)
    return [text for piece in segments for text in (piece.text, *known[piece.id].texts)]


def _notes(
    study: Study, located: embed.Located | None, codebook: Codebook | None, sites: Iterable[SiteCheck]
) -> Iterable[str]:
    if located:
        if not located.made:
            yield f"encoder {located.name} is not on this machine yet: the first `suggest` makes it, in a few minutes"
        yield from language_notes(study, located)
    if codebook:
        yield from map(str, doubts(study.codebook_file))
    for theme in codebook.themes if codebook else ():
        if theme.definition and not theme.exemplars:
            yield f"theme {theme.name} has no exemplar: its suggestions rest on its definition alone"
    for found in sites:
        yield from site_notes(found)


def site_notes(found: SiteCheck) -> Iterable[str]:
    """Yield what is worth knowing of what was read at a site."""
    if found.long:
        yield f"{found.site}: {found.long} segments are longer than the encoder reads; lower `max_words`"
    if found.turns and not found.moderator_turns:
        yield f"{found.site} has no moderator's turn: name interviewers' labels, if any, under `moderators`"
    yield from _spoken_otherwise(found)


def _spoken_otherwise(found: SiteCheck) -> Iterable[str]:
    """Tell of files that are mainly in another language than study.toml says."""
    files = language.differing(found.language, found.spoken.items())
    if not files:
        return
    which = ", ".join(files[:FILES]) + (f" and {len(files) - FILES} more" if len(files) > FILES else "")
    heard = language.told(sum((found.spoken[file] for file in files), Counter[str]()))
    told = f"{found.site}: {len(files)} of {len(found.spoken)} files read like {heard}, not like {found.language}"
    yield f"{told}: {which}; correct `language`, or make a site of these"


def _nearly_the_same(pairs: Sequence[tuple[str, str, float]]) -> Iterable[str]:
    for first, second, share in pairs[:PAIRS]:
        told = f"{first} and {second} are nearly the same: {100 * share:.0f} % of what the shorter one says"
        yield f"{told}; if one is an older version, remove it"
    if len(pairs) > PAIRS:
        yield f"{len(pairs) - PAIRS} more pairs of transcripts are nearly the same (--json lists all)"


def language_notes(study: Study, located: embed.Located) -> list[str]:
    """Return what to expect at sites whose language the encoder does not know, a line per language."""
    sites: dict[str, list[str]] = {}
    for site in study.site:
        sites.setdefault(site.language, []).append(site.name)
    told = {language: embed.language_note(located, language) for language in sites}
    return [f"{', '.join(sites[language])}: {note}" for language, note in told.items() if note]


def rows(checked: Checked) -> list[tuple[object, ...]]:
    """Return the table of ``COLUMNS``, a row per site."""
    return [
        (
            *(s.site, s.language, language.told(s.languages) or "-", s.transcripts, s.turns, s.moderator_turns),
            *(s.segments, s.words, None if s.minutes is None else round(s.minutes)),
        )
        for s in checked.sites
    ]


def speaker_rows(checked: Checked) -> list[tuple[object, ...]]:
    """Return site, speaker's label, role and number of turns, most frequent first."""
    return [
        (site.site, label or "(none)", role, turns)
        for site in checked.sites
        for (label, role), turns in site.speakers.most_common()
    ]


def to_json(checked: Checked) -> dict[str, Any]:
    """Return everything as plain values."""
    sites = [dict(zip(COLUMNS, row, strict=True)) for row in rows(checked)]
    for site, told in zip(sites, checked.sites, strict=True):
        site["spoken"] = {name: round(share, 3) for name, share in language.shares(told.languages).items()}
        site["speakers"] = [{"speaker": s, "role": r, "turns": n} for (s, r), n in told.speakers.most_common()]
    faults = [{"place": f.place, "problem": f.problem, "remedy": f.remedy} for f in checked.faults]
    return {
        "sites": sites,
        "themes": checked.themes,
        "exemplars": checked.exemplars,
        "alike": [{"first": a, "second": b, "share": round(share, 3)} for a, b, share in checked.alike],
        "suggest": None if checked.due is None else {"files": checked.due.files, "texts": checked.due.texts},
        "notes": list(checked.notes),
        "faults": faults,
    }
