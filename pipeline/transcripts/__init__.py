"""Files -> transcripts: which files a study has, and what was said in them.

A format is a module with a reader and a line in ``READERS``. A reader makes drafts of a file's bytes; what a site is
called, who moderates and which language is spoken is the study's to say, here.
"""

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..config import Site, Study
from ..errors import Fault, Faults, StudyFault, TranscriptFault, named, raise_all
from ..records import Transcript, TranscriptId, Turn
from . import plain, subtitles, tables, word
from .draft import Draft, Reader, Said, refuse
from .files import by_pattern, in_folder, is_pattern, is_transcript, printable
from .speakers import group as group
from .speakers import role_of

__all__ = ["READERS", "File", "clashes", "find", "read"]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        ".txt": plain.read,
        ".docx": word.read,
        ".vtt": subtitles.read_vtt,
        ".srt": subtitles.read_srt,
        ".csv": tables.read_csv,
        ".xlsx": tables.read_xlsx,
    }
)
_ROWS = {".csv": tables.csv_rows, ".xlsx": tables.xlsx_rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file with one transcript or several."""

    site: Site
    path: Path
    source: str  # relative to the study's folder with forward slashes; absolute where it lies outside


def find(study: Study) -> tuple[list[File], list[Fault]]:
    """Return the transcript files of all sites, by site and then by source, and what is wrong with the rest.

    A ``TranscriptFault`` is about one file, which is left out: it is of an unknown kind, or has a name that cannot be
    told. A ``StudyFault`` is about the study file: a site without files or with a folder that is missing or cannot be
    read, or a file of two sites. A table that says the site of each row may be listed under several sites; it is
    returned once.
    """
    files: dict[str, File] = {}
    faults: list[Fault] = []
    for site in study.site:
        before = len(faults)
        found = {_source(study, path): path for path in _paths(study, site, faults)}
        if not found and len(faults) == before:
            faults.append(_no_transcript(study, site))
        for source, path in sorted(found.items()):
            key = os.path.realpath(path)
            if fault := _unfit(source, path):
                faults.append(fault)
            elif key not in files:
                files[key] = File(site=site, path=path, source=source)
            elif files[key].site is not site and not _says_sites(path, source):
                faults.append(_twice(source, files[key].site, site))
    return list(files.values()), faults


def _paths(study: Study, site: Site, faults: list[Fault]) -> list[Path]:
    """Return the files of a site, hidden and temporary ones left out."""

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # before a pattern: told as a site without files
            place = printable(_source(study, Path(error.filename)))
            faults.append(StudyFault(place, f"cannot be read: {error.strerror}", "ask for the right to read it"))

    place = study.folder / site.transcripts
    try:
        if place.is_dir():
            return in_folder(place, note)
        if place.exists():
            return [place] if is_transcript(place) else []
    except OSError as error:
        problem = f"[[site]] {site.name}: `transcripts` cannot be read: {error.strerror}"
        faults.append(StudyFault(str(study.file), problem, "correct `transcripts`"))
        return []
    if is_pattern(site.transcripts):
        return by_pattern(study.folder, site.transcripts, note)
    problem = f"[[site]] {site.name}: there is no folder {site.transcripts}"
    faults.append(StudyFault(str(study.file), problem, "correct `transcripts`, or make the folder"))
    return []


def _source(study: Study, path: Path) -> str:
    plain_path = Path(os.path.normpath(study.folder / path))
    inside = plain_path.is_relative_to(study.folder)
    return (plain_path.relative_to(study.folder) if inside else plain_path).as_posix()


def _unfit(source: str, path: Path) -> Fault | None:
    """Return why a file is left out, if it is."""
    if printable(source) != source:
        halves = any("\ud800" <= sign <= "\udfff" for sign in source)  # how Python shows bytes that are not UTF-8
        problem = "its name is not UTF-8" if halves else "its name holds a line end or another control character"
        return TranscriptFault(printable(source), problem, "rename it")
    return _unknown(source, path.suffix) if path.suffix.lower() not in READERS else None


def _no_transcript(study: Study, site: Site) -> Fault:
    problem = f"[[site]] {site.name}: no transcript in {site.transcripts}"
    return StudyFault(str(study.file), problem, f"put {', '.join(READERS)} files there, or correct `transcripts`")


def _unknown(source: str, suffix: str) -> Fault:
    kind = f"of kind {suffix}" if suffix else "without a suffix"
    remedy = f"save it as one of {', '.join(READERS)}, or move it elsewhere"
    return TranscriptFault(source, f"files {kind} cannot be read as transcripts", remedy)


def _twice(source: str, first: Site, second: Site) -> Fault:
    problem = f"belongs to two sites, {first.name} and {second.name}"
    return StudyFault(source, problem, "keep each site's files apart, or use a table with a `site` column")


def _says_sites(path: Path, source: str) -> bool:
    """Tell whether a file is a table with a ``site`` column; what cannot be read is left to ``read`` to tell."""
    if not (rows := _ROWS.get(path.suffix.lower())):
        return False
    try:
        return tables.has_sites(rows(_bytes(path, source), source))
    except Faults:
        return True


def read(file: File, study: Study) -> list[Transcript]:
    """Return the transcripts of a file: one, or one per site and document of a table.

    Raises ``Faults`` with a ``TranscriptFault`` for everything that is wrong in the file.
    """
    suffix = file.path.suffix.lower()
    if suffix not in READERS:
        raise Faults([_unknown(file.source, suffix)])
    drafts = READERS[suffix](_bytes(file.path, file.source), file.source, file.site.moderators)
    drafts = [draft for draft in drafts if draft.turns]
    if not any(said.end > said.start for draft in drafts for said in draft.turns):
        raise refuse(file.source, "holds no talk", "check the file, or remove it")
    sites = {site.name: site for site in study.site}
    raise_all(_unknown_site(file, draft, sites) for draft in drafts if draft.site and draft.site not in sites)
    return [_transcript(file, draft, sites[draft.site] if draft.site else file.site) for draft in drafts]


def _bytes(path: Path, source: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or os.strerror(error.errno or errno.EIO)
        raise refuse(source, f"cannot be read: {why}", "check the file and your right to read it") from None


def _unknown_site(file: File, draft: Draft, sites: Iterable[str]) -> Fault:
    problem = f"site {named(draft.site or '')} is not in the study"
    return TranscriptFault(f"{file.source}:{draft.turns[0].line}", problem, f"write one of {', '.join(sites)}")


def _transcript(file: File, draft: Draft, site: Site) -> Transcript:
    return Transcript(
        site=site.name,
        name=draft.name or file.path.stem,
        source=file.source,
        language=site.language,
        text=draft.text,
        turns=tuple(_turn(said, site) for said in draft.turns),
        among=draft.name is not None,
    )


def _turn(said: Said, site: Site) -> Turn:
    return Turn(
        speaker=said.speaker,
        role=said.role or role_of(said.speaker, site.moderators),
        start=said.start,
        end=said.end,
        line=said.line,
        began=said.began,
        ended=said.ended,
        segment=said.segment,
    )


def clashes(transcripts: Iterable[Transcript]) -> list[TranscriptFault]:
    """Return a fault for every transcript that has the name, or the very words, of an earlier one."""
    named: dict[tuple[str, str], Transcript] = {}
    worded: dict[TranscriptId, Transcript] = {}
    faults = []
    for transcript in transcripts:
        first = named.setdefault((transcript.site, transcript.name), transcript)
        same = worded.setdefault(transcript.id, transcript)
        if same is not transcript:
            problem = f"holds the same words as {same.source}"
            faults.append(TranscriptFault(transcript.source, problem, "remove one, or it is counted twice"))
        elif first is not transcript:
            problem = f"is called {transcript.name!r} in {transcript.site} like {first.source}"
            faults.append(TranscriptFault(transcript.source, problem, "rename one of them"))
    return faults
