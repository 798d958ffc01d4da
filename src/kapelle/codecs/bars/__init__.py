"""Windows of whole bars, in any metre: melodies, drums, trios, bands."""

from .codec import TIMING, VELOCITIES, BarsCodec
from .cutting import Laid, Tiles
from .hearing import CLOSED_HAT, HEARINGS
from .measures import leaps
from .roles import Asked, assign
from .sounding import TICKS_PER_QUARTER
from .vocabulary import KINDS, MAX_BARS, Vocabulary

CODEC = BarsCodec

__all__ = [
    "CLOSED_HAT",
    "CODEC",
    "HEARINGS",
    "KINDS",
    "MAX_BARS",
    "TICKS_PER_QUARTER",
    "TIMING",
    "VELOCITIES",
    "Asked",
    "BarsCodec",
    "Laid",
    "Tiles",
    "Vocabulary",
    "assign",
    "leaps",
]
