"""How much of what is composed is copied from the pieces that were learnt from."""

from .lines import Passage
from .memory import Memory, Watch
from .report import COPIES, Figure, Originality, originality
from .sources import Sources

__all__ = ["COPIES", "Figure", "Memory", "Originality", "Passage", "Sources", "Watch", "originality"]
