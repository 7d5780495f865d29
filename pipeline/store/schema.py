"""The tables. A change here needs a migration in migrations/versions and a new HEAD."""

import sqlalchemy as sa

HEAD = "0012"  # the schema this program writes

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Sorted alike everywhere: by code points, whatever language a server speaks.
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# One row per file of the study, so that an unchanged file need not be read again.
sources = sa.Table(
    "sources",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),  # digest of what reading and cutting depend on
    sa.Column("quarantine", sa.Text, nullable=False),  # why the file is set aside; "" if it is not
)

# Transcripts and segments that the study no longer has stay, not current: decisions are attached to them.
transcripts = sa.Table(
    "transcripts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("site", NAME, nullable=False),
    sa.Column("name", NAME, nullable=False),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("among", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("current", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column(
        "run", sa.Text, sa.ForeignKey("runs.id"), nullable=True
    ),  # the run whose suggestions are the present ones
)
sa.Index(
    "uq_transcripts_site_name",
    transcripts.c.site,
    transcripts.c.name,
    unique=True,
    sqlite_where=transcripts.c.current.is_(True),
    postgresql_where=transcripts.c.current.is_(True),
)

turns = sa.Table(
    "turns",
    metadata,
    sa.Column("transcript", sa.Text, sa.ForeignKey("transcripts.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("speaker", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("began", sa.Float, nullable=True),
    sa.Column("ended", sa.Float, nullable=True),
    sa.Column("segment", sa.Text, nullable=True),
)

segments = sa.Table(
    "segments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("transcript", sa.Text, sa.ForeignKey("transcripts.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # machine: cut by the program; person: cut by a coder
    sa.Column("current", sa.Boolean(create_constraint=False), nullable=False),
)

vectors = sa.Table(
    "vectors",
    metadata,
    sa.Column("encoder", sa.Text, primary_key=True),
    sa.Column("text_hash", sa.Text, primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float32, little-endian
)

codebooks = sa.Table(
    "codebooks",
    metadata,
    sa.Column("revision", sa.Text, primary_key=True),
    sa.Column("themes", sa.JSON, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("ranking", sa.Text, nullable=False),  # digest of all that suggestions for given words depend on
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("codebook_revision", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text, nullable=True),
)

suggestions = sa.Table(
    "suggestions",
    metadata,
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("theme", sa.Text, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("suggested", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("exemplar", sa.Text, nullable=False),
    sa.Column("exemplar_source", sa.Text, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),
    # Why it was made. Rows of the first schema do not know.
    sa.Column("because", sa.JSON, nullable=False, server_default="[]"),  # spans in the segment's text
    sa.Column("because_kind", sa.Text, nullable=False, server_default=""),
    sa.Column("runner_up", sa.Text, nullable=False, server_default=""),
    sa.Column("runner_up_probability", sa.Float, nullable=True),
    sa.Column("near_accepted", sa.Integer, nullable=False, server_default="0"),
    sa.Column("near_rejected", sa.Integer, nullable=False, server_default="0"),
    sa.Column("nearest_accepted", sa.Text, nullable=True),
    sa.Column("nearest_rejected", sa.Text, nullable=True),
)

# Appended, never changed: triggers refuse UPDATE and DELETE.
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), nullable=False, index=True),
    sa.Column("coder", sa.Text, nullable=False),
    sa.Column("theme", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=True),
    sa.Column("score", sa.Float, nullable=True),
    sa.Column("probability", sa.Float, nullable=True),
    sa.Column("exemplar", sa.Text, nullable=False),
    sa.Column("shown", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("seconds", sa.Float, nullable=True),
    sa.Column("decided_at", sa.Text, nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("codebook_revision", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False, server_default=""),  # the order in which the coder worked
    sa.Column("chance", sa.Float, nullable=True),
    sa.Column("cut_from", sa.Text, nullable=False, server_default=""),  # of a coder's span: the segment it replaces
    sa.Column("hash", sa.Text, nullable=False, server_default=""),  # of this row and the one before: see trail
    sa.Column("request", sa.Text, nullable=False, server_default=""),  # what the page sent the answer as
    sqlite_autoincrement=True,
)
sa.Index("ix_decisions_coder_segment", decisions.c.coder, decisions.c.segment)

# What coders noted of segments, themes and transcripts: appended, never changed, as triggers see to, too.
memos = sa.Table(
    "memos",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("coder", sa.Text, nullable=False),
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), nullable=True, index=True),
    sa.Column("theme", sa.Text, nullable=False),
    sa.Column("site", sa.Text, nullable=False),  # with `document` it names a transcript
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("again", sa.Boolean(create_constraint=False), nullable=False),  # on reading the segment a second time
    sa.Column("text", sa.Text, nullable=False),  # "" takes the memo away
    sa.Column("written_at", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),  # what the page sent it as
    sqlite_autoincrement=True,
)
sa.Index("ix_memos_coder_segment", memos.c.coder, memos.c.segment)

# The gold coding of segments, appended, never changed: the latest row of a segment counts.
anchors = sa.Table(
    "anchors",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), nullable=False, index=True),
    sa.Column("themes", sa.JSON, nullable=False),
    sa.Column("uncertain", sa.JSON, nullable=False),  # themes on which those who adjudicated were split
    sa.Column("codebook_revision", sa.Text, nullable=False),
    sa.Column("adjudicated_by", sa.Text, nullable=False),
    sa.Column("adjudicated_at", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# Segments that chance wove into a coder's work, appended, never changed.
slots = sa.Table(
    "slots",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("coder", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # after so many segments of the coder's work it was drawn
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("chance", sa.Float, nullable=False),  # probability with which this segment was drawn at this position
    sa.Column("after", sa.Text, nullable=False),  # the segment from which the coder came, to go on there
    sa.Column("drawn_at", sa.Text, nullable=False),
    sa.UniqueConstraint("coder", "position"),
    sqlite_autoincrement=True,
)

# Appended: when suggestions were opened to a coder who had decided without them, and of which run they were.
reveals = sa.Table(
    "reveals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("coder", sa.Text, nullable=False),
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("ix_reveals_coder_segment", reveals.c.coder, reveals.c.segment)

# Where the words of a segment are that people worked on and that the study does not have as it was: found anew when a
# transcript changes, appended; the latest row of a segment counts. Decisions stay where they were made.
carried = sa.Table(
    "carried",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("segment", sa.Text, sa.ForeignKey("segments.id"), nullable=False, index=True),
    sa.Column("now", sa.Text, sa.ForeignKey("segments.id"), nullable=False, index=True),
    sa.Column("carried_at", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# What a run worked on and with; apart from the runs, because it may be long.
manifests = sa.Table(
    "manifests",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("told", sa.JSON, nullable=False),
)

# Accounts of a study that several people work on. Without any, the page is for whoever has its address.
people = sa.Table(
    "people",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("rights", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),  # argon2 hash of the password
    sa.Column("active", sa.Boolean(create_constraint=False), nullable=False),
)

logins = sa.Table(
    "logins",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, sa.ForeignKey("people.name"), nullable=False),
    sa.Column("ends_at", sa.Text, nullable=False),
)

# Appended: the latest row of a transcript and a coder counts. Transcripts go by name, so that new words change nothing.
assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("coder", sa.Text, nullable=False),
    sa.Column("assigned", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("assigned_by", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# Appended: whether coders may see each other's answers to a transcript.
openings = sa.Table(
    "openings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# States of the codebook with how they came about, appended. A row that is not written yet is what the file is to say.
revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("revision", sa.Text, sa.ForeignKey("codebooks.revision"), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("edit", sa.JSON(none_as_null=True), nullable=True),
    sa.Column("written", sa.Boolean(create_constraint=False), nullable=False),
    sqlite_autoincrement=True,
)

# Changes of the codebook that coders propose, with what a lead said.
proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("edit", sa.JSON, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("accepted", sa.Boolean(create_constraint=False), nullable=True),
    sa.Column("answered_by", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
