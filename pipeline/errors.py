"""What can go wrong because of input, settings or surroundings.

Fault
  x StudyFault        study.toml: missing, unreadable, unknown key, wrong value
  x TranscriptFault   a transcript that cannot be read, or not unambiguously
  x CodebookFault     a codebook that cannot be read or contradicts itself
  x CodingFault       a table of human coding that does not fit the study
  x EncoderFault      no such model, a damaged one, or one that would need the network
  x StoreFault        a database that cannot be opened, is newer than the program, or is busy
    x StoreAway       a store's server that cannot be reached now
  x ReviewFault       the review page cannot be served
Faults                several of them, raised together so that all are seen at once

A fault is told in one line: place, what is wrong, what to do. It never quotes a transcript. Anything else that is
raised is a bug of this program and keeps its traceback.
"""

from collections.abc import Iterable, Sequence


class Fault(Exception):
    """Something is wrong with what the program was given; says where, what, and what to do."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(place, problem, remedy)
        self.place = place
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}; {self.remedy}"


class StudyFault(Fault):
    """A study file is missing, unreadable, or says something the program does not understand."""


class TranscriptFault(Fault):
    """A transcript cannot be read, or not unambiguously."""


class CodebookFault(Fault):
    """A codebook cannot be read or contradicts itself."""


class CodingFault(Fault):
    """A table of human coding does not fit the study."""


class EncoderFault(Fault):
    """An encoder is missing, damaged, or would need the network."""


class StoreFault(Fault):
    """A store cannot be opened, is newer than the program, or stays locked."""


class StoreAway(StoreFault):
    """A store's server cannot be reached now; it may be there again in a moment."""


class ReviewFault(Fault):
    """The review page cannot be served."""


class Faults(ExceptionGroup[Fault]):
    """Several faults at once."""

    def __new__(cls, faults: Sequence[Fault]) -> "Faults":
        """Hold ``faults``; there must be at least one."""
        return super().__new__(cls, "the input has faults", faults)

    def derive(self, excs: Sequence[Fault]) -> "Faults":  # type: ignore[override]  # a subset of faults is of the same kind
        """Return the same group with other members, as ``except*`` and ``split`` need it."""
        return Faults(excs)


def raise_all(faults: Iterable[Fault]) -> None:
    """Raise the faults together, or nothing if there are none."""
    if gathered := tuple(faults):
        raise Faults(gathered)


LONGEST_NAME = 40  # characters
MOST_WORDS = 6


def named(name: str) -> str:
    """Return how a fault calls what a cell holds: by itself in backquotes, unless it may be something somebody said.

    >>> named("Q3"), named("I was not told and my brother was not told either")
    ('`Q3`', '(49 characters)')
    """
    return f"`{name}`" if _is_a_name(name) else f"({len(name)} characters)"


def all_named(names: Iterable[str]) -> str:
    """Return how a fault lists the names of columns; only their number if the first row may be talk.

    >>> all_named(["speaker", "text"]), all_named(["P1", "we_were_never_asked_about_it_by_anybody"])
    ('`speaker`, `text`', '2 others')
    """
    told = [name for name in names if name]
    fit = all(len(name) <= 30 and _is_a_name(name.replace("_", " ")) for name in told)
    return ", ".join(f"`{name}`" for name in told) if fit else f"{len(told)} others"


def _is_a_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and len(name.split()) <= MOST_WORDS and name.isprintable()
