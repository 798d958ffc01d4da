"""A clip as a small sound file for a page."""

from __future__ import annotations

import io

import numpy as np

from ..music import Score
from ..rendering.audio import RATE, Performance, gain_of, peak_of

_QUALITY = 0.6
"""Of the encoder's range from 0, the best, to 1: about 60 kbit/s for one channel of a choir. Ten pairs of twelve
seconds were measured to take 2.3 MB as text in a page."""


def to_small_mp3(clip: Score) -> bytes:
    """A clip as the bytes of an MP3 file with one channel, and with nothing in it that names the clip."""
    import soundfile

    sound = Performance(clip, None, RATE).mix()
    one = sound.mean(axis=1, dtype=np.float32)
    one *= gain_of(peak_of(one[:, None]))
    file = io.BytesIO()
    options = {"format": "MP3", "compression_level": _QUALITY, "bitrate_mode": "VARIABLE"}
    with soundfile.SoundFile(file, "w", RATE, 1, "MPEG_LAYER_III", **options) as out:
        out.write(np.clip(one, -1, 1))
    return file.getvalue()
