"""Numbers about scores."""

from .facts import Facts, TrackFacts, facts
from .loops import Loop, Silence, longest_loop, longest_silence, looped_bars
from .originality import COPIES, Figure, Memory, Originality, Passage, Sources, Watch, originality
from .voice_leading import VoiceLeading, voice_leading

__all__ = [
    "COPIES",
    "Facts",
    "Figure",
    "Loop",
    "Memory",
    "Originality",
    "Passage",
    "Silence",
    "Sources",
    "TrackFacts",
    "VoiceLeading",
    "Watch",
    "facts",
    "longest_loop",
    "longest_silence",
    "looped_bars",
    "originality",
    "voice_leading",
]
