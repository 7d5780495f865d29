"""Memos -> rows, in the columns of their export."""

from collections.abc import Iterator, Mapping, Sequence

from ..memos import Memo, latest
from ..records import Segment, SegmentId, Transcript, TranscriptId
from ..sheets import Cell

COLUMNS = (
    *("site", "document", "segment", "start", "end", "text", "theme", "coder", "memo"),
    *("written_at", "versions", "again"),
)


def memo_rows(
    memos: Sequence[Memo], segments: Mapping[SegmentId, Segment], transcripts: Mapping[TranscriptId, Transcript]
) -> Iterator[tuple[Cell, ...]]:
    """Yield one row of ``COLUMNS`` per memo that says something, as it is now, in the order of their first versions.

    A memo on a theme has no document, one on a transcript no segment. ``again`` says that it was written when the
    segment was read a second time. The segments of all memos, and their transcripts, must be given.
    """
    count: dict[object, int] = {}
    for memo in memos:
        count[memo.coder, memo.about] = count.get((memo.coder, memo.about), 0) + 1
    for key, memo in latest(memos).items():
        about = memo.about
        where: tuple[Cell, ...] = (about.site, about.document, "", None, None, "")
        if about.segment:
            segment = segments[about.segment]
            read = transcripts[segment.transcript]
            where = (read.site, read.name, segment.name, segment.start, segment.end, segment.text)
        if memo.text:
            yield (*where, about.theme, memo.coder, memo.text, memo.written_at, count[key], about.again)
