"""Numbers about scores."""

from .facts import Facts, TrackFacts, facts
from .loops import Loop, Silence, longest_loop, longest_silence, looped_bars

__all__ = ["Facts", "Loop", "Silence", "TrackFacts", "facts", "longest_loop", "longest_silence", "looped_bars"]
