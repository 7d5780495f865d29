"""What the machine does to people: whether they give a theme because it was suggested.

judged     judgements and actions, as rows and as columns
decided    decisions -> judgements and actions
"""

from .decided import Facts, from_decisions
from .judged import BLIND, SAMPLED, Action, Actions, Judgement, Judgements, actions, among, chosen, judgements

__all__ = [
    "BLIND",
    "SAMPLED",
    "Action",
    "Actions",
    "Facts",
    "Judgement",
    "Judgements",
    "actions",
    "among",
    "chosen",
    "from_decisions",
    "judgements",
]
