"""What listening gives: a score, the notes as they were played, and how sure the rest is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..music import Score
from .frames import Frames, frames_of
from .performed import Performed
from .polyphonic import notes_of_chords
from .recording import Recording
from .voice import notes_of_voice
from .writing import Certainty, written

_SILENT = 10 ** (-66 / 20)
"""A recording whose loudest sample is fainter has no sound that anybody made."""

_LOUD, _PERIODIC, _ONE_VOICE = -25.0, 0.2, 0.63
"""Frames above the first, in decibels, are loud; below the second, a pitch explains one; of one voice more than the
third of loud frames is explained. Of 144 rendered melodies it was 75 to 100 per cent, of 82 piano pieces 9 to 58, and
69 and 90 of two that are of one voice nearly throughout."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a recording.

    Attributes:
        score: the music on a grid of sixteenths, with tempo, metre, key, bars and pickup.
        as_played: the same notes at the very times at which they were played, in milliseconds; its bars mean nothing.
        certainty: of tempo, metre and key, 0..1 each.
        tuning: semitones by which the recording lies above (below, if negative) what is written, -0.5..0.5; 0 where
            chords were listened for.
        is_one_voice: whether one note at a time explains nearly all of the recording.
    """

    score: Score
    as_played: Score
    certainty: Certainty
    tuning: float
    is_one_voice: bool


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
    frames = frames_of(_loud_enough(recording))
    return _melody(recording, frames, tempo, meter, title)


def notes_of(recording: Recording, tempo: float | None = None, meter: str | None = None, title: str = "") -> Heard:
    """The notes of a recording in which several sound at once, such as a piano or a guitar.

    By the network of basic-pitch, which comes with Kapelle and needs onnxruntime; notes by thresholds on what it
    says. Arguments and errors as of `melody_of`.

    Raises:
        MissingExtra: without onnxruntime.
    """
    samples = _loud_enough(recording)
    score, as_played, certainty = _written(notes_of_chords(samples), recording, tempo, meter, title, one_voice=False)
    return Heard(score, as_played, certainty, 0.0, is_one_voice(frames_of(samples)))


def music_of(recording: Recording, tempo: float | None = None, meter: str | None = None, title: str = "") -> Heard:
    """What is heard in a recording of either kind: as by `melody_of` if it is of one voice, else as by `notes_of`.

    Arguments and errors as of these.
    """
    frames = frames_of(_loud_enough(recording))
    return (
        _melody(recording, frames, tempo, meter, title)
        if is_one_voice(frames)
        else notes_of(recording, tempo, meter, title)
    )


def is_one_voice(frames: Frames) -> bool:
    """Whether one pitch at a time explains what is loud in a recording."""
    loud = frames.level > _LOUD
    return bool((frames.aperiodicity[loud] < _PERIODIC).mean() > _ONE_VOICE)


def _melody(recording: Recording, frames: Frames, tempo: float | None, meter: str | None, title: str) -> Heard:
    played, tuning = notes_of_voice(frames)
    score, as_played, certainty = _written(played, recording, tempo, meter, title, one_voice=True)
    return Heard(score, as_played, certainty, tuning, is_one_voice(frames))


def _loud_enough(recording: Recording) -> NDArray[np.float32]:
    samples = recording.resampled().samples
    loudest = float(max(samples.max(), -samples.min()))
    if loudest < _SILENT:
        raise FileError(
            f"expected a recording with sound, got {recording.seconds:.1f} seconds of silence; check the microphone"
        )
    return samples / np.float32(loudest)


def _written(
    played: Performed, recording: Recording, tempo: float | None, meter: str | None, title: str, one_voice: bool
) -> tuple[Score, Score, Certainty]:
    if not len(played):
        raise FileError(
            f"expected music, but no pitch is heard in {recording.seconds:.1f} seconds: noise, speech or clicks; "
            "hum, sing, whistle or play closer to the microphone"
        )
    score, certainty = written(played, tempo, meter, title, one_voice)
    return score, played.score(title), certainty
