"""Office files are ZIP archives: what is checked before a library opens one."""

import io
import zipfile

from .draft import refuse

MOST_BYTES = 200_000_000  # unpacked; a transcript of an hour has about 100 kB
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of encrypted and of pre-2007 files


def check_archive(data: bytes, place: str, kind: str) -> None:
    """Raise ``Faults`` if ``data`` is no archive, is protected, or would unpack to more than ``MOST_BYTES``."""
    if data.startswith(_OLE):
        raise refuse(
            place, f"is protected by a password, or older than {kind}", f"save it as {kind} without a password"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        raise damaged(place, kind) from None
    if any(member.flag_bits & 0x1 for member in members):
        raise refuse(place, "is protected by a password", f"save it as {kind} without a password")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise refuse(place, f"unpacks to more than {MOST_BYTES // 1_000_000} MB", "check the file, or split it")


def damaged(place: str, kind: str) -> Exception:
    """Return the fault of a file that is not what its suffix says, ready to be raised."""
    return refuse(place, f"is damaged or no {kind} file", f"open it in its program and save it again as {kind}")
