"""Pitches by name."""

from __future__ import annotations

import re

from .key import PITCH_CLASS


def parse_pitch(text: str) -> int:
    """The MIDI number of a pitch: "C4" or "60" is 60, "Bb2" is 46.

    >>> parse_pitch("C4"), parse_pitch("F#3"), parse_pitch("21")
    (60, 54, 21)
    """
    match = re.fullmatch(r"\s*([A-Ga-g])(#{0,2}|♯{0,2}|b{0,2}|♭{0,2})(-?\d)\s*", text)
    if match:
        accidental = len(match[2]) * (1 if match[2][:1] in "#♯" else -1)
        pitch = 12 * (int(match[3]) + 1) + PITCH_CLASS[match[1].upper()] + accidental
    elif re.fullmatch(r"\s*\d{1,3}\s*", text):
        pitch = int(text)
    else:
        raise ValueError(f"a pitch looks like C4, F#3, Bb2 or 60, got {text!r}")
    if not 0 <= pitch <= 127:
        raise ValueError(f"a pitch must be a MIDI number 0..127 (C-1 to G9), got {text.strip()} = {pitch}")
    return pitch
