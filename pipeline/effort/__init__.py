"""What the work costs, and when it is enough.

pace        time per decision, and what suggestions save, the blind checks charged
screening   reading ranked segments: how much need not be read
stopping    how many random segments without a hit are enough
saturation  how many themes each further transcript brings
"""

from .pace import Pace, Saving, paces, saving, seconds_per_right, seconds_per_segment
from .saturation import Saturation, saturation
from .screening import Curve, curve, read_for, recall_at, tnr, wss
from .stopping import chance_of_missing, enough

__all__ = [
    "Curve",
    "Pace",
    "Saturation",
    "Saving",
    "chance_of_missing",
    "curve",
    "enough",
    "paces",
    "read_for",
    "recall_at",
    "saturation",
    "saving",
    "seconds_per_right",
    "seconds_per_segment",
    "tnr",
    "wss",
]
