"""The settings of one study, read once from study.toml and then fixed."""

import difflib
import re
import tomllib
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from .errors import Fault, Faults, StudyFault, raise_all
from .records import Digest, digest

FILE = "study.toml"
SHARES = ("precision", "withhold", "anchors", "overlap", "duplicates", "elsewhere")


def _one_line(text: str) -> str:
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in text):
        raise ValueError("holds a line end or another control character")
    return text


def _language_tag(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", text):
        raise ValueError("should be a language tag, like en, de or pt-BR")
    return text


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_one_line)]
# Strict, so that a text or a truth value is never taken for a number, nor a number for a truth value.
Count = Annotated[int, Field(strict=True, le=1_000_000_000)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Switch = Annotated[bool, Field(strict=True)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @property
    def digest(self) -> Digest:
        """Hash of these settings: work done under the same digest need not be done again."""
        return digest(type(self).__name__, self.model_dump(mode="json"))


class Site(_Settings):
    """A place where data were collected."""

    name: Words = Field(description="the site's name, as it appears in every table")
    transcripts: Words = Field(description="folder or glob, relative to study.toml")
    language: Annotated[Words, AfterValidator(_language_tag)] = Field(
        default="en", description="language of the transcripts, as a BCP-47 tag"
    )
    moderators: tuple[Words, ...] = Field(default=(), description="speaker labels whose turns are context, never coded")


class SegmentSettings(_Settings):
    """How turns are cut into segments."""

    max_words: Count = Field(
        default=120, ge=5, description="segments of whole sentences get no longer than this many words"
    )
    min_words: Count = Field(
        default=4, ge=1, description="turns with fewer words are back-channels and not suggested on"
    )

    @model_validator(mode="after")
    def _limits_agree(self) -> "SegmentSettings":
        if self.min_words > self.max_words:
            raise ValueError(f"`min_words` {self.min_words} is more than `max_words` {self.max_words}")
        return self


class EmbedSettings(_Settings):
    """Which encoder turns texts into vectors."""

    encoder: Words = Field(
        default="minilm", description="a name in the manifest, static:NAME, a local folder, or a hub name"
    )
    allow_download: Switch = Field(default=False, description="whether a hub name may be fetched over the network")
    prompt: str | None = Field(
        default=None, description="words that the encoder wants before each text, like `query:`, if not the manifest's"
    )


class RankSettings(_Settings):
    """What is suggested."""

    top_k: Count = Field(default=5, ge=1, description="how many suggestions are kept per segment")
    precision: Share = Field(
        default=0.5,
        description="below this probability nothing is suggested; a theme whose suggestions people found right less "
        "often than this needs a higher one",
    )
    learn_from: Literal["all", "blind"] = Field(
        default="all", description="learn from all decisions, or only from those made without seeing suggestions"
    )


class ReviewSettings(_Settings):
    """How people are asked."""

    withhold: Share = Field(default=0.10, description="share of segments shown without suggestions")
    show_scores: Switch = Field(default=True, description="whether coders see how probable a suggestion is")
    learn: Switch = Field(default=True, description="whether suggestions are made anew while people decide")
    decide_first: Switch = Field(
        default=False, description="whether coders say what they think before they see what is suggested"
    )


class AuditSettings(_Settings):
    """How the work is checked while it is done: what chance weaves into it, always without suggestions."""

    priority: tuple[Words, ...] = Field(
        default=(),
        max_length=5,
        description="the themes on which coders are checked one by one: at most five, for more there is no power",
    )
    anchors: Share = Field(default=0.08, description="share of a coder's work that is segments of known gold coding")
    overlap: Share = Field(default=0.02, description="share of a coder's work that other coders have coded")
    duplicates: Share = Field(default=0.02, description="share of a coder's work that the coder coded long ago")
    elsewhere: Share = Field(
        default=0.04,
        description="share of a coder's work that is taken ahead from other transcripts, so that being led elsewhere "
        "does not tell a check",
    )
    again_after: Count = Field(
        default=200, ge=1, description="after so many other segments a coder may be asked about one again"
    )
    seed: Count = Field(default=0, ge=0, description="another number draws other segments")

    @model_validator(mode="after")
    def _leave_most_in_order(self) -> "AuditSettings":
        if self.anchors + self.overlap + self.duplicates + self.elsewhere > 0.5:
            raise ValueError("`anchors`, `overlap`, `duplicates` and `elsewhere` together are more than half the work")
        if len(set(self.priority)) < len(self.priority):
            raise ValueError("`priority` names a theme twice")
        return self


class ComputeSettings(_Settings):
    """Where texts are embedded. It changes nothing about the results."""

    engine: Literal["local", "dask"] = Field(default="local", description="this process, or the workers of a cluster")
    workers: Count = Field(default=2, ge=1, description="how many a cluster on this machine has, of one thread each")
    address: str = Field(
        default="", description="of a cluster that runs already, like tls://scheduler.example.org:8786"
    )


class Study(_Settings):
    """One research project: one codebook, some sites, one store."""

    name: Words = Field(description="the study's name")
    codebook: Words = Field(description="the codebook file, relative to study.toml")
    store: Words = Field(default="sqlite:///themescout.db", description="where results are kept")
    site: tuple[Site, ...] = Field(description="the sites", min_length=1)
    segment: SegmentSettings = SegmentSettings()
    embed: EmbedSettings = EmbedSettings()
    rank: RankSettings = RankSettings()
    # How suggestions are reviewed and audited, and where work is done, is no part of what it depends on.
    review: ReviewSettings = Field(default=ReviewSettings(), exclude=True)
    audit: AuditSettings = Field(default=AuditSettings(), exclude=True)
    compute: ComputeSettings = Field(default=ComputeSettings(), exclude=True)
    folder: Path = Field(exclude=True, description="where study.toml lies")

    @model_validator(mode="after")
    def _names_differ(self) -> "Study":
        names = [site.name for site in self.site]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two sites are called {twice[0]!r}")
        alike: dict[str, str] = {}
        for name in names:  # as in tables of coding, where people are not asked to mind their capitals
            other = alike.setdefault(" ".join(unicodedata.normalize("NFC", name).casefold().split()), name)
            if other != name:
                raise ValueError(f"sites {other!r} and {name!r} differ only in case or spacing")
        return self

    @property
    def file(self) -> Path:
        """The study file."""
        return self.folder / FILE

    @property
    def codebook_file(self) -> Path:
        """The codebook file."""
        return self.folder / self.codebook

    @property
    def store_url(self) -> str:
        """The store's address, with the path of an SQLite file made absolute."""
        if found := re.fullmatch(r"sqlite(\+\w+)?:///(?!/)(.+)", self.store):
            return f"sqlite:///{(self.folder / found[2]).resolve()}"
        return self.store


def load_study(path: Path) -> Study:
    """Return the study described by ``path``, a study.toml or the folder that holds one.

    Raises ``Faults`` with one ``StudyFault`` for everything that is wrong.
    """
    file = path
    try:
        file = path / FILE if path.is_dir() else path
        told = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Faults(
            [StudyFault(str(file), "there is no such study file", "`themescout init DIR` makes one")]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Faults([StudyFault(str(file), f"cannot be read: {why}", "save it as UTF-8 text you may read")]) from error
    return study_of(told, file)


def study_of(told: str, file: Path) -> Study:
    """Return the study that a text describes, as if ``file`` held it. Raises ``Faults`` like ``load_study``."""
    try:
        values = tomllib.loads(told)
    except tomllib.TOMLDecodeError as error:
        raise Faults([StudyFault(str(file), f"is not TOML: {error}", "mend that line")]) from error
    except (ValueError, RecursionError) as error:  # what tomllib lets through: 5,000 digits, a thousand brackets
        problem = "cannot be read: a number is too long, or tables lie too deep in one another"
        raise Faults([StudyFault(str(file), problem, "shorten it")]) from error
    if "folder" in values:
        raise Faults([_unknown(str(file), told, Study, "folder")])
    try:
        return Study(**values, folder=file.parent.resolve())
    except ValidationError as error:
        problems = error.errors(include_url=False)
        if values.get("site"):  # sites with faults of their own are not counted: that there is none is not so
            problems = [p for p in problems if (p["type"], p["loc"]) != ("too_short", ("site",))]
        faults = [_fault(str(file), told, values, problem) for problem in problems]
        meant = {re.sub(r".*did you mean `(\w+)`.*", r"\1", fault.remedy) for fault in faults}
        # A key that is missing because it was misspelt is told once, where it stands.
        raise_all(
            f for f, p in zip(faults, problems, strict=True) if p["type"] != "missing" or p["loc"][-1] not in meant
        )
        raise  # never reached: a validation error lists at least one problem


def _fault(file: str, told: str, values: dict[str, Any], problem: Any) -> Fault:  # noqa: ANN401  # pydantic's own dict
    steps = list(problem["loc"])
    if problem["type"] == "extra_forbidden":
        return _unknown(file, told, _model_at(steps[:-1]), str(steps[-1]), inside=_path(steps[:-1], values))
    key = next((str(s) for s in reversed(steps) if isinstance(s, str)), "")
    if problem["type"] == "missing":
        described = _model_at(steps[:-1]).model_fields[key].description
        where = _path(steps[:-1], values)
        return StudyFault(file, f"{where}`{key}` is missing", f"add `{key} = ...`: {described}")
    where = _path(steps, values).rstrip(": ")
    return StudyFault(_place(file, told, key), f"{where}: {_says(problem, key)}".lstrip(": "), "correct the value")


def _says(problem: Any, key: str) -> str:  # noqa: ANN401  # pydantic's own dict
    """Return what is wrong with a value in the words of the file, not of the program."""
    told = problem["type"]
    if key == "site" and told != "value_error":
        return "should be [[site]], with double brackets" if told == "tuple_type" else "should be a table, [[site]]"
    if key == "moderators" and told in ("tuple_type", "string_type"):
        return 'should be a list of texts, like ["I", "Moderator"]'
    if key == "priority" and told in ("tuple_type", "string_type", "too_long"):
        return "should be a list of at most five themes, in quotation marks"
    if key in SHARES:
        return "should be a number from 0 to 1"
    if told in ("greater_than_equal", "int_type", "int_from_float"):
        least = problem.get("ctx", {}).get("ge")
        return "should be a whole number" + (f" of at least {least}" if least else "")
    plain = {
        "string_type": "should be a text, in quotation marks",
        "string_too_short": "should not be empty",
        "less_than_equal": "is too large",
        "bool_type": "should be true or false",
        "model_type": f"should be a table, [{key}]",
    }
    says = plain.get(told) or problem["msg"].removeprefix("Value error, ")
    return str(says[:1].lower() + says[1:])


def _unknown(file: str, told: str, model: type[BaseModel], key: str, inside: str = "") -> Fault:
    known = [name for name in model.model_fields if name != "folder"]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    remedy = f"did you mean `{near[0]}`?" if near else f"known keys are {', '.join(known)}"
    shown = key if key.isprintable() else ascii(key)
    return StudyFault(_place(file, told, key), f"{inside}unknown key `{shown}`", remedy)


def _model_at(steps: list[str | int]) -> type[BaseModel]:
    models: dict[str, type[BaseModel]] = {
        "site": Site,
        "segment": SegmentSettings,
        "embed": EmbedSettings,
        "rank": RankSettings,
        "review": ReviewSettings,
        "audit": AuditSettings,
        "compute": ComputeSettings,
    }
    return models.get(str(steps[0]), Study) if steps else Study


def _path(steps: list[str | int], values: dict[str, Any]) -> str:
    """Tell where in the file a key stands, in the file's own words: ``[[site]] Ulm: ``."""
    if not steps:
        return ""
    if steps[0] == "site" and len(steps) > 1 and isinstance(steps[1], int):
        site = values["site"][steps[1]]
        name = site.get("name") if isinstance(site, dict) else None
        if not (isinstance(name, str) and name.strip() and name.isprintable()):
            name = f"number {steps[1] + 1}"
        rest = "".join(f" `{step}`" for step in steps[2:3])
        return f"[[site]] {name}{rest}: "
    if len(steps) > 1:
        return f"[{steps[0]}] `{steps[1]}`: "
    return f"[{steps[0]}]: " if isinstance(values.get(str(steps[0])), dict) else f"`{steps[0]}`: "


def _place(file: str, told: str, key: str) -> str:
    """Name the file and, when the key occurs exactly once, the line."""
    lines = [n for n, line in enumerate(told.splitlines(), 1) if re.match(rf"\s*(\[+\s*)?{re.escape(key)}\b", line)]
    return f"{file}:{lines[0]}" if len(lines) == 1 and key else file


def shipped(*parts: str) -> Path:
    """Return a file or folder that comes with the program: ``shipped("models", "manifest.toml")``.

    In a wheel it lies inside the package, in a checkout at the top of the repository.
    """
    package = Path(__file__).parent
    inside = package.joinpath("shipped", *parts)
    return inside if inside.exists() else package.parent.joinpath(*parts)
