"""What a run works on and with: written down, so that a result can be told from another one, and made again."""

import platform
from importlib.metadata import PackageNotFoundError, version

from . import __version__
from .coded import Coded
from .intake import READS, Session
from .store import corpus, trail
from .store.manifests import Document, Manifest

PACKAGES = ("numpy", "scikit-learn", "sentence-transformers", "spacy", "torch")  # those that results may depend on


def manifest(session: Session, coded: Coded, ranks: int) -> Manifest:
    """Return what suggestions follow from now: ``ranks`` is the number of the method by which they are made."""
    study = session.study
    here = corpus.list_transcripts(session.store)
    head = trail.head(session.store)
    known = corpus.known_sources(session.store)
    parts = {"segment": study.segment, "embed": study.embed, "rank": study.rank}
    return Manifest(
        versions=_versions(),
        methods={"reading": READS, "ranking": ranks},
        encoder=session.located.name,
        settings={name: part.model_dump(mode="json") for name, part in parts.items()},
        decisions=head.count,
        trail=head.hash,
        learned=coded.digest,
        seed=study.audit.seed,
        files={path: source.sha256 for path, source in sorted(known.items()) if not source.quarantine},
        documents=tuple(Document(id=entry.id, site=entry.site, name=entry.name) for entry in here),
    )


def _versions() -> dict[str, str]:
    found = {"themescout": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
