"""Music as a picture: one step per frame of a grid, in which each key is silent, held or struck."""

from .codec import FramesCodec, Steps
from .vocabulary import Vocabulary
from .walk import FramesWalk

CODEC = FramesCodec

__all__ = ["CODEC", "FramesCodec", "FramesWalk", "Steps", "Vocabulary"]
