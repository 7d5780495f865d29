"""Records <-> database. The only place that knows SQL.

sqlite      a store in a file: address, connections, lock
postgresql  a store in a server's database: the same
connect     open a store, bring its schema up to date, transactions
corpus      files, transcripts, turns, segments
vectors     vectors by encoder and text
runs        runs, codebooks, suggestions
carried     where the words of segments are now that people worked on
manifests   what each run worked on and with
decisions   what people decided
memos       what people noted
trail       decisions chained by hashes, and whether the chain is whole
anchors     gold codings of segments
slots       segments that chance wove into coders' work
"""

from .connect import Store as Store
from .connect import has_store as has_store
from .connect import look_at as look_at
from .connect import open_as_it_is as open_as_it_is
from .connect import open_store as open_store
