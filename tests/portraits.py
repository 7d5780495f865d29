"""An invented study whose sites are reported: buses, a goat that no theme knows, hostile words, two scripts."""

from dataclasses import replace
from pathlib import Path

from pipeline import intake
from pipeline.records import Segment, Suggestion, TranscriptId
from pipeline.store import corpus, runs

from .running import run

CODEBOOK = """theme,parent,definition,include,exclude,exemplar,kind,source
Waiting,,How long people wait for the bus,,,We waited an hour in the rain for the bus to come,typical,n0
Waiting,,,,,The bus was late again and again this week,typical,
Money,,What the fare costs people,,,The fare went up and I cannot pay the ticket,typical,s1
Money,,,,,I walk because the ticket costs too much,typical,
<b>Hostile</b> & RTL \u202e,,What <script>alert('theme')</script> means,,,Never said by anybody at all,typical,
"""
HOSTILE = "She said: <script>alert('said')</script><img src=x onerror=alert(1)> \u202ebackwards"
MALLORY = "<b>Mallory</b>"
TEL_AVIV = "Tel Aviv <b>"
GOAT = (
    "The brown goat of my uncle ate the jackfruit again",
    "My uncle has a goat, and the goat likes jackfruit very much",
    "Jackfruit is what the goat of my uncle ate on the farm",
    "A goat that eats jackfruit, that is my uncle and his farm",
)
BUS = (
    "We waited an hour in the rain for the bus yesterday",
    "The ticket costs too much for a family of five people",
    "The bus was late again this week and we waited in the cold",
    "I walk to work because the fare went up in the spring",
    "The driver is friendly and sings in the choir on Sundays",
)
HEBREW = ("חיכינו שעה בגשם לאוטובוס של הבוקר", "הכרטיס יקר מדי בשביל משפחה כמו שלנו", "הנהג שר במקהלה ביום ראשון בערב")


def site(name: str, folder: str, language: str = "en") -> str:
    """Return a site as study.toml tells it."""
    return (
        f'\n[[site]]\nname = "{name}"\ntranscripts = "{folder}"\nlanguage = "{language}"\nmoderators = ["Moderator"]\n'
    )


def talk(lines: list[str], speakers: tuple[str, ...] = ("Ana", "Ben")) -> str:
    """Return a transcript."""
    said = "\n\n".join(f"{speakers[at % len(speakers)]}: {line}, number {at}." for at, line in enumerate(lines))
    return f"Moderator: How is the bus here?\n\n{said}\n"


def study(folder: Path) -> Path:
    """Make a study of three sites: North speaks of a goat, too, South of buses alone, Tel Aviv in Hebrew."""
    sites = site("North", "transcripts/north") + site("South", "transcripts/south")
    sites += site(TEL_AVIV, "transcripts/tel", "he")
    files = {
        "study.toml": f'name = "Bus <i>stop</i>"\ncodebook = "codebook.csv"\n{sites}\n[embed]\nencoder = "hashing"\n'
    }
    files["codebook.csv"] = CODEBOOK
    for at in range(6):
        goats = [f"{GOAT[(at + n) % len(GOAT)]} on day {at}" for n in range(2)]
        files[f"transcripts/north/n{at}.txt"] = talk([*BUS[at % 3 :], *goats])
        files[f"transcripts/south/s{at}.txt"] = talk([f"{line} in week {at}" for line in BUS])
    rows = [f'n9,"{MALLORY}","{HOSTILE}, and so on and on",00:00:00,00:03:00', "n9,Moderator,So?,00:03:00,00:04:30"]
    files["transcripts/north/table.csv"] = "\n".join(["document,speaker,text,start,end", *rows, ""])
    for at in range(2):
        files[f"transcripts/tel/t{at}.txt"] = talk([f"{line} {at}" for line in HEBREW], ("דנה", "יוסי"))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def suggested(folder: Path) -> intake.Session:
    """Return the study with its suggestions."""
    run("suggest", study(folder), "--direct", "-q")
    return intake.open_session(folder)


def unsure_of(session: intake.Session, word: str) -> list[Segment]:
    """Make suggestions anew that are far from every theme for segments with a word, and sure of the first elsewhere.

    Returns the segments with the word.
    """
    anew = replace(runs.list_runs(session.store)[-1], id="anew", ranking="anew")
    runs.start_run(session.store, anew, session.codebook)
    made: dict[TranscriptId, list[Suggestion]] = {}
    away = []
    for segment in corpus.load_segments(session.store):
        far = word in segment.text
        away += [segment] if far else []
        made.setdefault(segment.transcript, []).append(suggestion(segment, 0.1 if far else 0.9))
    runs.put_suggestions(session.store, "anew", made)
    return away


def suggestion(segment: Segment, chance: float) -> Suggestion:
    """Return the only suggestion of a segment."""
    return Suggestion(
        segment=segment.id,
        rank=1,
        theme="Waiting",
        score=chance,
        probability=chance,
        suggested=chance >= 0.5,
        exemplar="",
        exemplar_source="",
        parts=(),
    )
