"""Windows of whole bars, in any metre: melodies, drums, trios, bands."""

from .codec import TICKS_PER_QUARTER, TIMING, VELOCITIES, BarsCodec
from .roles import Asked
from .vocabulary import KINDS, MAX_BARS, Vocabulary

CODEC = BarsCodec

__all__ = [
    "CODEC",
    "KINDS",
    "MAX_BARS",
    "TICKS_PER_QUARTER",
    "TIMING",
    "VELOCITIES",
    "Asked",
    "BarsCodec",
    "Vocabulary",
]
