"""Listening: recordings to scores, with no network for a melody and a small one for chords.

>>> import numpy as np
>>> from kapelle.listening import Recording, melody_of
>>> time = np.arange(22050) / 22050
>>> sound = np.concatenate([np.sin(2 * np.pi * hertz * time[:11000]) * np.hanning(11000) for hertz in (262, 330, 392)])
>>> melody_of(Recording(sound, 22050)).score.tracks[0].notes.pitch.tolist()
[60, 64, 67]
"""

from .heard import Heard, melody_of, music_of, notes_of
from .recording import RATE, Recording, read_recording

__all__ = ["RATE", "Heard", "Recording", "melody_of", "music_of", "notes_of", "read_recording"]
