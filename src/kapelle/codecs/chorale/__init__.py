"""One step per sixteenth, four voices: the codec of chorales and of all music that is written in four parts."""

from .codec import ChoraleCodec
from .walk import ChoraleWalk

CODEC = ChoraleCodec

__all__ = ["CODEC", "ChoraleCodec", "ChoraleWalk"]
