"""Read everything a study consists of, tell every fault, change nothing."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import embed, store, transcripts
from .codebook import doubts, read_codebook
from .config import Study, load_study
from .errors import Fault, StudyFault, named
from .intake import Progress, gathered, read_and_cut
from .records import Codebook, Role, Segment, Transcript
from .segment import words
from .sheets import nearest

TOKENS_PER_WORD = 1.3  # of English in the bundled encoder; more in languages it does not know
COLUMNS = ("site", "language", "transcripts", "turns", "moderator turns", "segments", "words")


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
    speakers: Counter[tuple[str, str]] = field(default_factory=Counter)  # turns by label and role

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a check found."""

    sites: tuple[SiteCheck, ...]
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
    most = located.max_tokens / TOKENS_PER_WORD if located and located.max_tokens else math.inf
    faults.extend(priority_faults(study, codebook) if codebook else ())
    faults.extend(_read_files(study, sites, most, progress))
    return Checked(
        sites=tuple(sites.values()),
        themes=len(codebook.themes) if codebook else 0,
        exemplars=sum(len(theme.exemplars) for theme in codebook.themes) if codebook else 0,
        notes=tuple(_notes(study, located, codebook, sites.values())),
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


def _read_files(study: Study, sites: dict[str, SiteCheck], most: float, progress: Progress) -> list[Fault]:
    files, found = transcripts.find(study)
    faults: list[Fault] = list(found)
    read: list[Transcript] = []
    for done, file in enumerate(files, 1):
        cut = gathered(faults, lambda file=file: read_and_cut(study, file))  # type: ignore[misc]
        for transcript, segments in cut or ():
            read.append(transcript)
            sites[transcript.site].add(transcript, segments, most=most)
        progress("transcripts", done, len(files))
    faults.extend(transcripts.clashes(read))
    return faults


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
        if found.long:
            yield f"{found.site}: {found.long} segments are longer than the encoder reads; lower `max_words`"
        if found.turns and not found.moderator_turns:
            yield f"{found.site} has no moderator's turn: name interviewers' labels, if any, under `moderators`"


def language_notes(study: Study, located: embed.Located) -> list[str]:
    """Return what to expect at sites whose language the encoder does not know, a line per language."""
    sites: dict[str, list[str]] = {}
    for site in study.site:
        sites.setdefault(site.language, []).append(site.name)
    told = {language: embed.language_note(located, language) for language in sites}
    return [f"{', '.join(sites[language])}: {note}" for language, note in told.items() if note]


def rows(checked: Checked) -> list[tuple[object, ...]]:
    """Return the table of ``COLUMNS``, a row per site."""
    return [(s.site, s.language, s.transcripts, s.turns, s.moderator_turns, s.segments, s.words) for s in checked.sites]


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
        site["speakers"] = [{"speaker": s, "role": r, "turns": n} for (s, r), n in told.speakers.most_common()]
    faults = [{"place": f.place, "problem": f.problem, "remedy": f.remedy} for f in checked.faults]
    return {
        "sites": sites,
        "themes": checked.themes,
        "exemplars": checked.exemplars,
        "notes": list(checked.notes),
        "faults": faults,
    }
