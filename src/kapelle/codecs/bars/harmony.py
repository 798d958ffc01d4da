"""The chords that are heard in a window, bar by bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...music import TRIADS, Meter, detect_key
from .vocabulary import GIVEN, SILENT, STRUCK, Vocabulary

ON_BEAT = 2.0
"""What sounds on a beat counts so much more."""
BASS = 2.0
"""A root that the bass plays counts so much."""
STRANGE = 0.6
"""What each note that is not of a chord speaks against it."""
HOME = 0.1
"""How much speaks for a chord that is all of the scale."""
RARE = 0.1
"""How much speaks against augmented and diminished chords."""


def sounding(steps: NDArray[np.int32], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Pitch of each line in each step, -1 where it is silent, shape (T, lines)."""
    columns = [GIVEN + at for at, field in enumerate(vocabulary.fields) if field.event < 0 and field.key < 0]
    words = steps[:, columns].astype(np.int64)
    struck = np.where(words >= STRUCK, np.arange(len(words))[:, None], 0)
    held = np.take_along_axis(words, np.maximum.accumulate(struck, 0), 0)
    return np.where((words != SILENT) & (held >= STRUCK), held - STRUCK + vocabulary.low, -1)


def beats(steps: NDArray[np.int32], vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """Which steps are on a beat, shape (T,)."""
    sign = Meter.parse(vocabulary.meters[int(steps[0, 0])])
    return np.asarray(steps[:, 2] % max(round(sign.beat_quarters * vocabulary.per_quarter), 1) == 0)


def harmony(steps: NDArray[np.int32], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """The likeliest chord of each bar: the one that has most of what sounds, on beats above all, and little else.

    Args:
        steps: a window, shape (T, F).
        vocabulary: of its codec.

    Returns:
        Words of TRIADS, shape (bars,); 0 where nothing sounds.
    """
    pitch = sounding(steps, vocabulary)
    weight = np.where(beats(steps, vocabulary), ON_BEAT, 1.0)
    heard = np.zeros((vocabulary.bars, 12))
    roots = np.zeros((vocabulary.bars, 12))
    for line, part in enumerate(vocabulary.lines):
        there = pitch[:, line] >= 0
        place = steps[there, 1], pitch[there, line] % 12
        np.add.at(heard, place, weight[there])
        if vocabulary.parts[part] == "bass" and len(vocabulary.lines) > 1:
            np.add.at(roots, place, weight[there])
    if not heard.any():
        return np.zeros(vocabulary.bars, np.int64)
    scale = detect_key(np.arange(12), heard.sum(0)).pitch_classes
    homely = np.array([chord.issubset(scale) for chord in TRIADS[1:]])
    total = heard.sum(1, keepdims=True)
    score = heard @ (_INSIDE - STRANGE * (1 - _MEMBER)).T + BASS * roots @ _ROOT.T
    score += total * (HOME * homely - RARE * _STRANGERS)
    return np.where(total[:, 0] > 0, 1 + score.argmax(1), 0)


def in_chords(steps: NDArray[np.int32], chords: NDArray[Any], vocabulary: Vocabulary) -> float:
    """Share of what sounds on beats that is of its bar's chord, bars without a chord left out; NaN if nothing is.

    Args:
        steps: a window, shape (T, F).
        chords: words of TRIADS, shape (bars,).
        vocabulary: of its codec.
    """
    pitch = sounding(steps, vocabulary)
    chord = np.asarray(chords)[steps[:, 1]]
    counted = (pitch >= 0) & (beats(steps, vocabulary) & (chord > 0))[:, None]
    if not counted.any():
        return float("nan")
    fits = _ALL[chord[:, None], pitch % 12] > 0
    return float(fits[counted].mean())


_ALL = np.array([[float(place in chord) for place in range(12)] for chord in TRIADS])
_MEMBER = _ALL[1:]
_ROOT = np.eye(12)[np.arange(48) % 12]
# The root says most for a chord, then the third, then the fifth.
_INSIDE = _MEMBER * np.array([np.roll([1.1, 0, 0, 1, 1, 0, 0.9, 0.9, 0.9, 0, 0, 0], root % 12) for root in range(48)])
_STRANGERS = np.arange(48) // 12 >= 2


__all__ = ["harmony", "in_chords"]
