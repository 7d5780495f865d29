"""A site -> a table in study.toml, with everything else in the file as it was: comments, order and line ends."""

import re
import tomllib
from pathlib import Path
from typing import Any

from ..config import Site, Study, load_study, study_of
from ..errors import Faults, StudyFault
from ..sheets import replacing
from ..transcripts.speakers import fold

_HEADER = re.compile(r"\s*\[\[?\s*[\w.\"'-]+(\s*\.\s*[\w\"'-]+)*\s*\]\]?\s*(#.*)?$")
_SITE = re.compile(r"\s*\[\[\s*site\s*\]\]\s*(#.*)?$")
_MARK = "\ufeff"


def with_site(study: Study, site: dict[str, Any]) -> Study:
    """Return the study as its file would describe it with one more site. Raises ``Faults`` if that is no study."""
    return study_of(_extended(_text(study), study, site).removeprefix(_MARK), study.file)


def write(path: Path, site: Site) -> Path:
    """Add a site to a study's file and return the file, which is replaced at once or not at all.

    Raises ``Faults`` if it cannot be written, or has changed meanwhile so that the site does not fit.
    """
    study = load_study(path)
    text = _extended(_text(study), study, site.model_dump(mode="json"))
    study_of(text.removeprefix(_MARK), study.file)
    with replacing(study.file) as part:
        part.write_bytes(text.encode())
        part.chmod(study.file.stat().st_mode)
    return study.file


def _text(study: Study) -> str:
    return study.file.read_bytes().decode()


def _extended(text: str, study: Study, site: dict[str, Any]) -> str:
    """Return a study file's text with one more site. Raises ``Faults`` if there is a site of that name."""
    import tomlkit

    for other in study.site:
        if fold(other.name) == fold(site["name"]):
            problem = f"there is a site {other.name} already"
            raise Faults([StudyFault(str(study.file), problem, "choose another name")])
    told = text.removeprefix(_MARK)
    before = tomllib.loads(told)
    wanted = before | {"site": [*before["site"], site]}
    made = _inserted(told, tomlkit.dumps({"site": [site]}))
    if not _says(made, wanted):  # sites that are written in another way than as tables
        document: Any = tomlkit.parse(told)
        document["site"].append(site)
        made = document.as_string()
        assert _says(made, wanted), "the study file would say something else than before"
    return (_MARK if text.startswith(_MARK) else "") + made


def _inserted(text: str, block: str) -> str:
    """Put a table behind the last site's last value, so that comments above the next table stay where they belong."""
    lines = text.splitlines(keepends=True)
    last = max((at for at, line in enumerate(lines) if _SITE.match(line)), default=len(lines) - 1)
    end = next((at for at in range(last + 1, len(lines)) if _HEADER.match(lines[at])), len(lines))
    while end > last + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    newline = "\r\n" if "\r\n" in text else "\n"
    head = "".join(lines[:end])
    head += "" if head.endswith("\n") else newline
    return head + newline + block.strip().replace("\n", newline) + newline + "".join(lines[end:])


def _says(text: str, values: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == values
    except tomllib.TOMLDecodeError:
        return False
