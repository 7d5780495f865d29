"""A folder of transcripts -> a new site of the study: proposed first, written down once somebody agrees.

labels   speakers' labels -> who leads the talk
writing  a site -> a table in study.toml, with everything else there as it was
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import language, store, transcripts
from ..config import FILE, Site, Study, load_study
from ..errors import Fault, Faults, StudyFault, raise_all
from ..intake import Progress, gathered
from ..records import Role, Transcript
from ..store import corpus
from ..transcripts.files import is_pattern
from ..transcripts.speakers import is_moderator
from .labels import Speaker, speakers_of
from .writing import with_site, write

__all__ = ["Proposal", "Speaker", "Wanted", "propose", "to_json", "with_moderators", "write"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A new site as it would stand in study.toml, and what it is proposed from."""

    site: Site
    files: int
    transcripts: int
    speakers: tuple[Speaker, ...]  # those with most turns first
    spoken: dict[str, float]  # share of the talk in every language that was found
    notes: tuple[str, ...]
    faults: tuple[Fault, ...]  # files that cannot be read, which would be set aside


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What whoever adds a site says of it; None is to be proposed."""

    name: str
    place: str  # folder or pattern, as it was typed
    language: str | None = None
    moderators: tuple[str, ...] | None = None


def propose(path: Path, wanted: Wanted, progress: Progress) -> Proposal:
    """Read a new site's files and return what would be written down. Nothing is changed.

    Raises ``Faults`` if the study has such a site, if there is no such folder or it is another site's, if none of the
    files can be read, if the language has to be said, or if a listed moderator says nothing in the files.
    """
    study = load_study(path)
    place = _place(study, wanted.place)
    elsewhere = tuple(dict.fromkeys(label for site in study.site for label in site.moderators))
    # Labels are told from other words before a colon more surely where moderators are known.
    guessed = {"moderators": list(wanted.moderators if wanted.moderators is not None else elsewhere)}
    said = {"language": wanted.language} if wanted.language else {}
    tried = with_site(study, {"name": wanted.name, "transcripts": place, **said, **guessed})
    files, faults = _files(study, tried)
    read = _read(files, tried, faults, progress)
    speakers = speakers_of(read, elsewhere)
    spoken = sum((language.spoken(transcript.text) for transcript in read), Counter[str]())
    site = tried.site[-1].model_copy(
        update={
            "language": wanted.language or _told_language(spoken, wanted.name, place),
            "moderators": tuple(one.label for one in speakers if one.role is Role.MODERATOR),
        }
    )
    proposal = Proposal(
        site=site,
        files=len(files),
        transcripts=len(read),
        speakers=tuple(speakers),
        spoken=language.shares(spoken),
        notes=(*_language_notes(wanted.language, spoken), *_notes(study, site, read)),
        faults=tuple(faults),
    )
    return proposal if wanted.moderators is None else with_moderators(proposal, wanted.moderators)


def with_moderators(proposal: Proposal, labels: Sequence[str]) -> Proposal:
    """Return the proposal with other moderators. Raises ``Faults`` if one of them says nothing in the files."""
    there = [one.label for one in proposal.speakers if one.label]
    remedy = f"labels are {', '.join(there[:10])}" if there else "the files have no labels"
    raise_all(
        StudyFault(proposal.site.transcripts, f"nobody is called {label}", remedy)
        for label in labels
        if not any(is_moderator(one, [label]) for one in there)
    )
    speakers = []
    for one in proposal.speakers:
        listed = is_moderator(one.label, labels)
        role = Role.MODERATOR if listed else Role.PARTICIPANT if one.label else Role.UNKNOWN
        speakers.append(replace(one, role=role, why="you said so" if listed else ""))
    site = proposal.site.model_copy(update={"moderators": tuple(labels)})
    return replace(proposal, site=site, speakers=tuple(speakers))


def _place(study: Study, told: str) -> str:
    """Return a folder or pattern as study.toml names it: relative to that file where it lies beneath it.

    What is typed is meant as a shell means it, or else as study.toml would.
    """
    for found in (Path(told).expanduser(), study.folder / told):
        if found.exists():
            whole = Path(os.path.realpath(found))
            inside = whole.is_relative_to(study.folder)
            return (whole.relative_to(study.folder) if inside else whole).as_posix()
    if is_pattern(told):
        return told
    raise Faults([StudyFault(told, "there is no such folder", "correct --transcripts, or make the folder")])


def _files(study: Study, tried: Study) -> tuple[list[transcripts.File], list[Fault]]:
    """Return the new site's files, and those of them that are of no known kind. Raises ``Faults``."""
    alone = tried.model_copy(update={"site": tried.site[-1:]})
    files, faults = transcripts.find(alone)
    raise_all(fault for fault in faults if isinstance(fault, StudyFault))
    if not files:
        raise_all(faults)
    sources = {file.source for file in files}
    owners = {file.source: file.site.name for file in transcripts.find(study)[0] if file.source in sources}
    # A table that says the site of each row may belong to several.
    twice = [owners[fault.place] for fault in transcripts.find(tried)[1] if fault.place in owners]
    if twice:
        problem = f"{len(twice)} of its {len(files)} files belong to {', '.join(dict.fromkeys(twice))} already"
        raise Faults([StudyFault(tried.site[-1].transcripts, problem, "keep each site's files apart")])
    return files, faults


def _read(files: Sequence[transcripts.File], study: Study, faults: list[Fault], progress: Progress) -> list[Transcript]:
    """Return the transcripts of the new site; what cannot be read is added to ``faults``. Raises them if all is."""
    read: list[Transcript] = []
    for done, file in enumerate(files, 1):
        read += gathered(faults, lambda file=file: transcripts.read(file, study)) or ()  # type: ignore[misc]
        progress("transcripts", done, len(files))
    mine = [transcript for transcript in read if transcript.site == study.site[-1].name]
    if not mine:
        raise_all(faults)
        problem = f"none of its rows is of site {study.site[-1].name}"
        raise Faults([StudyFault(study.site[-1].transcripts, problem, "correct the name or the tables")])
    return mine


def _told_language(spoken: Counter[str], name: str, place: str) -> str:
    main = language.main_language(spoken)
    if not main:
        told = language.told(spoken) or "too little text"
        problem = f"in which language people speak at {name} cannot be told ({told})"
        raise Faults([StudyFault(place, problem, "say it with --language")])
    return main


def _language_notes(declared: str | None, spoken: Counter[str]) -> Iterable[str]:
    if declared and not language.is_known(declared):
        yield f"whether the talk is in `{declared}` cannot be told: it is not among the languages that can be found"
    elif declared and language.differing(declared, [("", spoken)]):
        yield f"the talk reads like {language.told(spoken)}, not like {declared}"


def _notes(study: Study, site: Site, read: Sequence[Transcript]) -> Iterable[str]:
    if Path(site.transcripts).is_absolute():
        yield f"the folder lies outside the study's, so {FILE} names it by its whole path"
    if not site.moderators:
        yield "nobody is taken for a moderator: everything that is said would be coded"
    have = store.open_as_it_is(study.store_url)
    if have is not None:
        ids = {transcript.id: transcript.source for transcript in read}
        for held in corpus.alike(have, read):
            if held.id in ids:
                yield f"{ids[held.id]} holds the same words as {held.source} of {held.site}"
        have.close()


def to_json(proposal: Proposal, *, written: bool) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        "site": proposal.site.model_dump(mode="json"),
        "written": written,
        "files": proposal.files,
        "transcripts": proposal.transcripts,
        "speakers": [
            {
                "speaker": one.label,
                "role": one.role.value,
                "why": one.why,
                "files": one.files,
                "turns": one.turns,
                "words": one.words,
                "asks": round(one.asks, 3),
            }
            for one in proposal.speakers
        ],
        "languages": {name: round(share, 3) for name, share in proposal.spoken.items()},
        "notes": list(proposal.notes),
        "faults": [{"place": f.place, "problem": f.problem, "remedy": f.remedy} for f in proposal.faults],
    }
