"""Which files lie in a folder, or match a pattern: those a person put there, not what the system leaves behind."""

import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

_CLUTTER = frozenset(("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"))
Parts = Sequence[str]


def is_pattern(told: str) -> bool:
    """Tell whether ``told`` is a pattern like ``talk/*.txt``."""
    return glob.has_magic(told)


def in_folder(folder: Path, note: Callable[[OSError], None]) -> list[Path]:
    """Return the files in a folder and the folders in it; ``note`` is called with every folder that cannot be read.

    Links to folders are not followed: they may lead out of the study, or in a circle. A link to nothing counts as a
    file, and so does what cannot be looked at: whoever reads it learns why not. Hidden and temporary files, pipes and
    devices are left out.
    """
    return list(_matching(folder, ("**", "*"), note))


def by_pattern(folder: Path, pattern: str, note: Callable[[OSError], None]) -> list[Path]:
    """Return the files that match a pattern relative to ``folder``, of those that ``in_folder`` would return."""
    parts = Path(pattern).parts
    fixed = next(n for n, part in enumerate(parts) if is_pattern(part))
    wanted = (*parts[fixed:], "*") if parts[-1] == "**" else parts[fixed:]
    return list(_matching(folder.joinpath(*parts[:fixed]), wanted, note))


def is_transcript(path: Path) -> bool:
    """Tell whether a path is to be read: no hidden, temporary or system file, and no pipe or device."""
    if path.name.startswith((".", "~$")) or path.name.lower() in _CLUTTER:
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True


def _matching(folder: Path, pattern: Parts, note: Callable[[OSError], None]) -> Iterator[Path]:
    for here, folders, names in os.walk(folder, onerror=note):
        above = Path(here).relative_to(folder).parts
        folders[:] = [n for n in folders if not n.startswith(".") and _leads((*above, n), pattern)]
        paths = [Path(here, name) for name in names if _matches((*above, name), pattern)]
        yield from (path for path in paths if is_transcript(path))


def _matches(parts: Parts, pattern: Parts) -> bool:
    if not (parts and pattern):
        return not (parts or pattern)
    if pattern[0] == "**":  # any number of folders, or none
        return _matches(parts, pattern[1:]) or _matches(parts[1:], pattern)
    return fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _leads(parts: Parts, pattern: Parts) -> bool:
    """Tell whether a file in the folder ``parts`` can match."""
    if not parts or pattern[0] == "**":
        return True
    return len(pattern) > 1 and fnmatch(parts[0], pattern[0]) and _leads(parts[1:], pattern[1:])


def printable(source: str) -> str:
    """Return a file's name so that it can be told in one line: what no line or no encoding can hold is escaped."""
    return "".join(repr(sign)[1:-1] if is_unprintable(sign) else sign for sign in source)


def is_unprintable(sign: str) -> bool:
    """Tell whether a character ends a line, controls a terminal, or is a byte that is not UTF-8."""
    return sign < " " or "\x7f" <= sign <= "\x9f" or sign in "\u2028\u2029" or "\ud800" <= sign <= "\udfff"
