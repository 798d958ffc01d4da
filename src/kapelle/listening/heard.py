"""What listening gives: a score, the notes as they were played, and how sure the rest is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..music import Score
from .frames import frames_of
from .performed import Performed
from .polyphonic import notes_of_chords
from .recording import Recording
from .voice import notes_of_voice
from .writing import Certainty, written

_SILENT = 10 ** (-66 / 20)
"""A recording whose loudest sample is fainter has no sound that anybody made."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a recording.

    Attributes:
        score: the music on a grid of sixteenths, with tempo, metre, key, bars and pickup.
        as_played: the same notes at the very times at which they were played, in milliseconds; its bars mean nothing.
        certainty: of tempo, metre and key, 0..1 each.
        tuning: semitones by which the recording lies above (below, if negative) what is written, -0.5..0.5; 0 where
            chords were listened for.
    """

    score: Score
    as_played: Score
    certainty: Certainty
    tuning: float


def melody_of(recording: Recording, tempo: float | None = None, meter: str | None = None, title: str = "") -> Heard:
    """The melody that somebody hums, whistles, sings or plays on one instrument.

    Pitch by YIN, notes by a hidden Markov model that follows a tuning that drifts, tempo, metre and grid by another.

    Args:
        recording: of one voice.
        tempo: beats a minute, 20 to 300, if it is known; the beat is a dotted quarter in 6/8.
        meter: 2/4, 3/4, 4/4, 6/8 or 2/2, if it is known.
        title: of the score.

    Raises:
        FileError: if the recording is silent, no pitch is found in it, or tempo or metre cannot be listened for.

    >>> time = np.arange(22050) / 22050
    >>> sound = [np.sin(2 * np.pi * hertz * time[:11000]) * np.hanning(11000) for hertz in (440, 494, 440, 392)]
    >>> heard = melody_of(Recording(np.concatenate(sound), 22050), meter="2/4")
    >>> heard.score.tracks[0].notes.pitch.tolist(), heard.score.meters[0].name
    ([69, 71, 69, 67], '2/4')
    """
    played, tuning = notes_of_voice(frames_of(_loud_enough(recording)))
    return _heard(played, recording, tuning, tempo, meter, title, one_voice=True)


def notes_of(recording: Recording, tempo: float | None = None, meter: str | None = None, title: str = "") -> Heard:
    """The notes of a recording in which several sound at once, such as a piano or a guitar.

    By the network of basic-pitch, which comes with Kapelle and needs onnxruntime; notes by thresholds on what it
    says. Arguments and errors as of `melody_of`.

    Raises:
        MissingExtra: without onnxruntime.
    """
    played = notes_of_chords(_loud_enough(recording))
    return _heard(played, recording, 0.0, tempo, meter, title, one_voice=False)


def _loud_enough(recording: Recording) -> NDArray[np.float32]:
    samples = recording.resampled().samples
    loudest = float(np.abs(samples).max())
    if loudest < _SILENT:
        raise FileError(
            f"expected a recording with sound, got {recording.seconds:.1f} seconds of silence; check the microphone"
        )
    return samples / np.float32(loudest)


def _heard(
    played: Performed,
    recording: Recording,
    tuning: float,
    tempo: float | None,
    meter: str | None,
    title: str,
    one_voice: bool,
) -> Heard:
    if not len(played):
        raise FileError(
            f"expected a melody, but no pitch is heard in {recording.seconds:.1f} seconds: noise, speech or clicks; "
            "hum, sing, whistle or play one closer to the microphone"
        )
    score, certainty = written(played, tempo, meter, title, one_voice)
    return Heard(score, played.score(title), certainty, tuning)
