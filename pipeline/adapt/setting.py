"""Put an encoder's name into study.toml, and leave everything else as it is written."""

import os
import re
import tomllib
from pathlib import Path

from ..errors import StudyFault


def use(file: Path, encoder: str) -> None:
    """Let a study use an encoder. Raises ``StudyFault`` if the file is written in a way that is not understood."""
    with file.open(encoding="utf-8", newline="") as told:
        text = told.read()
    changed = with_encoder(text, encoder)
    remedy = f'write `encoder = "{encoder}"` under [embed] yourself'
    if changed is None:
        raise StudyFault(str(file), "does not say its encoder in a line of its own under [embed]", remedy)
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as new:
            new.write(changed)
        os.replace(part, file)  # noqa: PTH105  # at once, so that a study file is never half a file
    except OSError as error:
        raise StudyFault(str(file), f"cannot be written: {error.strerror}", remedy) from error


def with_encoder(text: str, encoder: str) -> str | None:
    """Return a study file with another encoder, None if what comes out would not say just that.

    >>> with_encoder('[embed]\\nencoder = "minilm"  # ours\\n', "encoder/adapted-1")
    '[embed]\\nencoder = "encoder/adapted-1"  # ours\\n'
    """
    end = "\r\n" if "\r\n" in text else "\n"
    line = f'encoder = "{encoder}"'
    head = re.search(r"^[ \t]*\[[ \t]*embed[ \t]*\][ \t]*(#.*)?$", text.replace("\r", " "), re.M)
    if head is None:
        gap = "" if not text or text.endswith("\n") else end
        changed = f"{text}{gap}{end}[embed]{end}{line}{end}"
    else:
        rest = text[head.end() :]
        inside = re.search(r"""^([ \t]*encoder[ \t]*=[ \t]*)("[^"\n]*"|'[^'\n]*')""", _section(rest), re.M)
        if inside is None:
            changed = f"{text[: head.end()].rstrip()}{end}{line}{end}{rest.removeprefix(chr(13)).removeprefix(chr(10))}"
        else:
            at = head.end() + inside.start(2)
            changed = f'{text[:at]}"{encoder}"{text[head.end() + inside.end(2) :]}'
    return changed if _says_only(text, changed, encoder) else None


def _section(rest: str) -> str:
    """Return the lines until the next table."""
    following = re.search(r"^[ \t]*\[", rest, re.M)
    return rest[: following.start()] if following else rest


def _says_only(text: str, changed: str, encoder: str) -> bool:
    try:
        before, after = (tomllib.loads(one.removeprefix("\ufeff")) for one in (text, changed))
    except tomllib.TOMLDecodeError:
        return False
    before.setdefault("embed", {})["encoder"] = encoder
    return before == after
