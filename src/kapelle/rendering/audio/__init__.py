"""What can be heard: a score as sound, through a sampler of its own that plays SoundFont banks.

    synthesize(score)             an array, at RATE frames a second
    synthesize_stems(score)       one for each track
    to_audio(score, ".mp3")       the bytes of a file, of .wav, .flac, .ogg, .opus or .mp3
    stems_to_audio(score, ".mp3") one file for each track

All of them take a bank, from `read_soundfont`; the one that comes with Kapelle plays if none is given. Equal
scores give equal sound. A piece is brought to a peak of one decibel under full scale; its stems share its gain,
so that they add up to it.
"""

from __future__ import annotations

from .encoding import (
    SUFFIXES,
    encode,
    performed,
    rate_of,
    stem_names,
    stems_to_audio,
    to_audio,
    to_flac,
    to_mp3,
    to_ogg,
    to_opus,
    to_wav,
)
from .performance import PEAK, RATE, Performance, gain_of, peak_of
from .sound import synthesize, synthesize_stems
from .soundfont import SoundFont, bundled_file, bundled_soundfont, read_soundfont

__all__ = [
    "PEAK",
    "RATE",
    "SUFFIXES",
    "Performance",
    "SoundFont",
    "bundled_file",
    "bundled_soundfont",
    "encode",
    "gain_of",
    "peak_of",
    "performed",
    "rate_of",
    "read_soundfont",
    "stem_names",
    "stems_to_audio",
    "synthesize",
    "synthesize_stems",
    "to_audio",
    "to_flac",
    "to_mp3",
    "to_ogg",
    "to_opus",
    "to_wav",
]
