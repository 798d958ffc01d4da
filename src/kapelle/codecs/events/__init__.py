"""The event codec: one step per note."""

from .codec import EventsCodec, Steps
from .vocabulary import Vocabulary
from .walk import Walk

CODEC = EventsCodec

__all__ = ["CODEC", "EventsCodec", "Steps", "Vocabulary", "Walk"]
