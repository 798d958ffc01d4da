"""A score as arrays of sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError
from ...music import Score
from .performance import RATE, Performance, gain_of, peak_of
from .soundfont import SoundFont

MAX_SECONDS = 3600
"""An hour is 1.3 GB as an array; what is longer is played in blocks (`Performance.blocks`)."""


def synthesize(score: Score, soundfont: SoundFont | None = None, rate: int = RATE) -> NDArray[np.float32]:
    """A score as sound.

    Args:
        score: one without notes gives no frames.
        soundfont: the sounds; those that come with Kapelle if None.
        rate: frames a second, 8,000..192,000.

    Returns:
        Left and right, -1..1, the largest 10 ** (-1 / 20), shape (frames, 2). It begins at tick 0 and lasts until
        the last note has died away.

    Raises:
        FileError: if it would last more than an hour.
        ValueError: if the rate is out of range.

    >>> from kapelle.music import Notes, Track
    >>> sound = synthesize(Score(24, (Track(Notes.of([(0, 48, 60, 80)])),)))
    >>> sound.dtype, sound.shape[1], len(sound) > RATE
    (dtype('float32'), 2, True)
    """
    sound = _performed(score, soundfont, rate).mix()
    sound *= gain_of(peak_of(sound))
    return sound


def synthesize_stems(score: Score, soundfont: SoundFont | None = None, rate: int = RATE) -> list[NDArray[np.float32]]:
    """Each track of a score as sound, in order; all as long as the whole, and they add up to `synthesize`.

    Raises:
        FileError: if the score would last more than an hour.
        ValueError: if the rate is out of range.

    >>> from kapelle.music import Notes, Track
    >>> track = Track(Notes.of([(0, 48, 60, 80)]))
    >>> score = Score(24, (track, track.replace(program=40)))
    >>> piano, violin = synthesize_stems(score)
    >>> bool(np.allclose(piano + violin, synthesize(score), atol=1e-6))
    True
    """
    performance = _performed(score, soundfont, rate)
    stems = [performance.mix(track) for track in range(len(score.tracks))]
    gain = gain_of(peak_of(sum(stems, np.zeros((performance.frames, 2), np.float32))))
    for stem in stems:
        stem *= gain
    return stems


def _performed(score: Score, soundfont: SoundFont | None, rate: int) -> Performance:
    if not 8000 <= rate <= 192_000:
        raise ValueError(f"a rate must be 8000..192000 frames a second, got {rate}")
    performance = Performance(score, soundfont, rate)
    if performance.seconds > MAX_SECONDS:
        hours = performance.seconds / 3600
        raise FileError(f"expected at most an hour of sound in one array, got {hours:.1f} hours; take its blocks")
    return performance
