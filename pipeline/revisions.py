"""Two revisions of a codebook -> what changed between them, theme by theme."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .records import Codebook, Digest, Theme, digest

FIELDS = ("parent", "definition", "include", "exclude")
LIKE = 0.5  # share of a theme's exemplars that another theme must have to be taken for the same one, renamed


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What became of one theme."""

    theme: str  # its present name; the former one where it is gone
    kind: str  # added, removed, renamed, changed
    formerly: str = ""
    fields: tuple[str, ...] = ()  # what else says something different now
    exemplars_added: int = 0
    exemplars_removed: int = 0


def changes(old: Codebook, new: Codebook) -> list[Change]:
    """Return what changed, in the order of the new codebook and then themes that are gone in that of the old one.

    A theme that is gone and one that is new are one renamed theme where the new one says so (`formerly`), where they
    have the same definition, or at least half of all their exemplars in common. The order of themes and of exemplars is
    no change.
    """
    before = {theme.name: theme for theme in old.themes}
    after = {theme.name: theme for theme in new.themes}
    former = _renamed(
        [theme for theme in old.themes if theme.name not in after],
        [theme for theme in new.themes if theme.name not in before],
    )
    made = [_compared(before.get(former.get(theme.name, theme.name)), theme) for theme in new.themes]
    gone = [Change(theme=name, kind="removed") for name in before if name not in after and name not in former.values()]
    return [change for change in made if change is not None] + gone


def theme_digest(theme: Theme) -> Digest:
    """Return a hash of what a coder reads of a theme: a decision made under the same digest was made on the same words.

    >>> theme_digest(Theme(name="A", definition="x")) == theme_digest(Theme(name="A", definition="y"))
    False
    """
    quotes = sorted((e.text, e.kind.value) for e in theme.exemplars)
    return digest("theme", theme.name, theme.definition, theme.include, theme.exclude, quotes)


def _renamed(gone: list[Theme], fresh: list[Theme]) -> Mapping[str, str]:
    """Return the former name of each new theme that is an old one under another name."""
    found: dict[str, str] = {}
    likeness = [(_likeness(old, new), old.name, new.name) for old in gone for new in fresh]
    for like, old, new in sorted(likeness, key=lambda pair: -pair[0]):
        if like >= LIKE and old not in found.values() and new not in found:
            found[new] = old
    return found


def _likeness(old: Theme, new: Theme) -> float:
    if old.name in new.formerly:  # the codebook says so itself
        return 3.0
    if old.definition and old.definition == new.definition:
        return 2.0
    mine, yours = {e.text for e in old.exemplars}, {e.text for e in new.exemplars}
    return len(mine & yours) / len(mine | yours) if mine | yours else 0.0


def _compared(old: Theme | None, new: Theme) -> Change | None:
    if old is None:
        return Change(theme=new.name, kind="added", exemplars_added=len(new.exemplars))
    fields = tuple(name for name in FIELDS if getattr(old, name) != getattr(new, name))
    before = Counter((e.text, e.kind, e.source) for e in old.exemplars)
    after = Counter((e.text, e.kind, e.source) for e in new.exemplars)
    added, removed = (after - before).total(), (before - after).total()
    renamed = old.name != new.name
    if not (renamed or fields or added or removed):
        return None
    return Change(
        theme=new.name,
        kind="renamed" if renamed else "changed",
        formerly=old.name if renamed else "",
        fields=fields,
        exemplars_added=added,
        exemplars_removed=removed,
    )
