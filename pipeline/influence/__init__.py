"""What the machine does to people: whether they give a theme because it was suggested.

judged     judgements and actions, as rows and as columns
decided    decisions -> judgements and actions
intervals  how far a figure may be off
reliance   following suggestions, right and wrong ones
habits     place in the list, fatigue, accepting without reading
variety    narrower coding, and what suggestions miss
panel      all of it, for all coders together and for each
"""

from .decided import Facts, from_decisions
from .habits import Haste, Position, hasty_runs, position, usual_seconds
from .intervals import Estimate, Share, by_document, jackknife, ratio, share
from .judged import IDLE, SAMPLED, Action, Actions, Judgement, Judgements, actions, among, chosen, judgements
from .panel import Influence, Panel, influence
from .reliance import Reliance, acceptance, blind_agreement, effect, inflation, reliance
from .variety import Found, Variety, found, variety

__all__ = [
    "IDLE",
    "SAMPLED",
    "Action",
    "Actions",
    "Estimate",
    "Facts",
    "Found",
    "Haste",
    "Influence",
    "Judgement",
    "Judgements",
    "Panel",
    "Position",
    "Reliance",
    "Share",
    "Variety",
    "acceptance",
    "actions",
    "among",
    "blind_agreement",
    "by_document",
    "chosen",
    "effect",
    "found",
    "from_decisions",
    "hasty_runs",
    "inflation",
    "influence",
    "jackknife",
    "judgements",
    "position",
    "ratio",
    "reliance",
    "share",
    "usual_seconds",
    "variety",
]
