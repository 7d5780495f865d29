"""A site's part of the store -> what its report tells: its talk beside that of the other sites, the work it will be.

talk       how a site's talk differs: nearness to the exemplars, words
gather     what the store knows of a site, and of the others to compare it with
suggested  what is suggested at the site, beside the others
apart      what no theme explains
ahead      how much is left to decide, and how long that takes
write      the report: a page, and everything as JSON
"""

import shlex
from collections import Counter
from collections.abc import Iterator

from .. import check, language, store
from ..errors import StoreFault
from ..intake import Part, Session, quarantined
from ..report.arrived import Arrived, Nearness, Provenance, Vocabulary
from ..store import corpus, runs
from .ahead import workload
from .apart import unexplained
from .gather import Gathered, Looked, Read, gather, look_at, quotes, read_through
from .suggested import suggesting
from .talk import nearest, nearness, vocabulary
from .write import files_of, folder_of, write

__all__ = ["Arrived", "files_of", "folder_of", "numbers", "portrait", "write"]


def portrait(session: Session, site: str) -> Arrived:
    """Return what is to be told of one of the study's sites. The same store gives the same result.

    What needs suggestions is left out where `suggest` has not been yet. Raises ``StoreFault`` if there is no store.
    """
    if not store.has_store(session.study.store_url):
        raise StoreFault(str(session.study.file), "there is no store yet", "`themescout suggest STUDY` makes it")
    told = next(one for one in session.study.site if one.name == site)
    found = gather(session, site)
    read, looked = read_through(found, told.language), look_at(found)
    return Arrived(
        study=session.study.name,
        site=site,
        language=told.language,
        spoken=language.shares(read.counted.languages),
        notes=tuple(_notes(found, read)),
        aside=tuple(_aside(session, site)),
        documents=tuple(read.documents),
        voices=read.voices(),
        others=tuple(dict.fromkeys(entry.site for entry in found.entries if entry.site != site)),
        suggesting=suggesting(found),
        nearness=_nearness(found, looked),
        vocabulary=_vocabulary(found, looked, told.language),
        unexplained=tuple(unexplained(found, looked)),
        workload=workload(found, read.segments),
        provenance=_provenance(found, looked),
    )


def numbers(session: Session, site: str) -> dict[str, int]:
    """Return how much came in from a site, and how many of its segments each theme is suggested for: nobody's words."""
    entries = corpus.list_transcripts(session.store, site=site)
    tallies = runs.tallies(session.store, site=site)
    themes = Counter(dict.fromkeys(session.codebook.names, 0))
    for tally in tallies:
        themes[session.codebook.current.get(tally.theme, tally.theme)] += tally.suggested
    return {
        "transcripts": len(entries),
        "files set aside": sum(source.site == site for source in quarantined(session, Part(site=site))),
        "segments": sum(entry.segments for entry in entries),
        "segments with a suggestion": sum(tally.first for tally in tallies),
        **{f"theme {name}": segments for name, segments in themes.items()},
    }


def _aside(session: Session, site: str) -> list[str]:
    """Return why files of the site are set aside, a line for each reason."""
    mine = [source for source in quarantined(session, Part(site=site)) if source.site == site]
    return [line for source in mine for line in source.quarantine.splitlines()]


def _notes(found: Gathered, read: Read) -> Iterator[str]:
    """Yield what should be known before the figures are read."""
    session = found.session
    unranked = sum(entry.run is None for entry in found.mine)
    suggest = f"`themescout suggest STUDY --site {shlex.quote(found.site)}`"
    if not found.mine:
        yield f"no transcript of {found.site} was read yet: {suggest} does that"
    elif unranked:
        yield f"{unranked} of {len(found.mine)} transcripts have no suggestions yet: {suggest} makes them"
    if _behind(found):
        yield f"suggestions are of another codebook or encoder than the study has now: {suggest} makes them anew"
    alone = session.study.model_copy(update={"site": tuple(s for s in session.study.site if s.name == found.site)})
    yield from check.language_notes(alone, session.located)
    yield from check.site_notes(read.counted)


def _behind(found: Gathered) -> bool:
    """Tell whether some present suggestions are of another codebook or encoder than the study's own."""
    session, used = found.session, {entry.run for entry in found.mine}
    now = (session.codebook.revision, session.located.fingerprint)
    return any((r.codebook_revision, r.encoder) != now for r in runs.list_runs(session.store) if r.id in used)


def _nearness(found: Gathered, looked: Looked) -> Nearness | None:
    return nearness(looked.talk, nearest(looked.talk, looked.rows, quotes(found)), found.site)


def _vocabulary(found: Gathered, looked: Looked, declared: str) -> Vocabulary | None:
    """Return the words of the site beside those of the sites of its language."""
    sites = {one.name: one.language for one in found.session.study.site}
    heard = dict.fromkeys(looked.talk.sites)
    beside = [one for one in heard if one != found.site and language.same(sites.get(one, declared), declared)]
    themes = found.session.codebook.themes
    known = [theme.definition for theme in themes] + [one.text for theme in themes for one in theme.exemplars]
    return vocabulary(looked.talk, found.site, beside, known)


def _provenance(found: Gathered, looked: Looked) -> Provenance:
    return Provenance(
        encoder=found.session.located.fingerprint,
        codebook_revision=found.session.codebook.revision,
        runs=tuple(sorted({entry.run for entry in found.mine if entry.run})),
        looked_at=len(looked.pieces),
        of=sum(entry.segments for entry in found.entries),
    )
