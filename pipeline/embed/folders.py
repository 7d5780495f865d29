"""The folder of a model that is written as a whole or not at all."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import EncoderFault

PART = ".part-"
OLD = 86_400  # seconds: what is younger may be somebody's work in progress


@contextmanager
def as_a_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write to; at the end it becomes ``folder``, unless that is there by then.

    What killed processes left beside it goes. Raises ``EncoderFault`` where there is no room or no right to write.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        with TemporaryDirectory(prefix=PART, dir=folder.parent, ignore_cleanup_errors=True) as place:
            part = Path(place) / folder.name  # with the rights that folders have here; those of `place` are its own
            part.mkdir()
            yield part
            if not folder.exists():  # another process may have been quicker
                part.rename(folder)
    except Exception as error:
        # Libraries that are written in Rust tell of a full disk by exceptions of their own, and these words.
        if not isinstance(error, OSError) and "os error" not in str(error):
            raise
        problem = f"cannot be written: {getattr(error, 'strerror', None) or 'no room, or no right to'}"
        raise EncoderFault(str(folder), problem, "make room, or mend the folder's rights") from error


def _sweep(beside: Path) -> None:
    for part in beside.glob(f"{PART}*"):
        if time.time() - part.stat().st_mtime > OLD:
            shutil.rmtree(part, ignore_errors=True)
