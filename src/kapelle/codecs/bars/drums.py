"""Which drum keys sound alike: the nine classes of a drum kit."""

from __future__ import annotations

import numpy as np

from ...music import IntArray
from ..words import nearest

CLASSES = {
    36: (35, 36),
    38: (27, 28, 31, 32, 33, 34, 37, 38, 39, 40, 56, 65, 66, 75, 85),
    42: (22, 42, 44, 54, 68, 69, 70, 71, 73, 78, 80),
    46: (26, 46, 67, 72, 74, 79, 81),
    45: (29, 41, 43, 45, 61, 64, 84),
    48: (47, 48, 60, 63, 77, 86, 87),
    50: (30, 50, 62, 76, 83),
    49: (49, 52, 55, 57, 58),
    51: (51, 53, 59, 82),
}
"""The keys of each class by the one that it sounds with: kick, snare, closed and open hi-hat, low, middle and high tom,
crash, ride. Source: the reduced drum kit of MusicVAE (Roberts et al. 2018, arXiv:1803.05428)."""
NAMES = ("kick", "snare", "closed hat", "open hat", "low tom", "mid tom", "high tom", "crash", "ride")
NINE = tuple(CLASSES)
KIT = tuple(range(27, 88))
"""Every key of General MIDI and of its extension."""


def class_of(keys: tuple[int, ...]) -> IntArray:
    """Which of the keys each drum key 0..127 sounds as, shape (128,): its class, or the nearest listed key."""
    if keys != NINE:
        return nearest(np.arange(128), np.array(keys))
    listed = {key: number for number, alike in enumerate(CLASSES.values()) for key in alike}
    known = np.array(sorted(listed))
    return np.array([listed[int(known[place])] for place in nearest(np.arange(128), known)])
