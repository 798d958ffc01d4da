"""Where General MIDI drum keys stand on a percussion staff."""

from __future__ import annotations

from typing import NamedTuple

DRUM_CHANNEL = 10
"""Counted from 1, as MusicXML does."""


class Look(NamedTuple):
    """How a drum is shown: its name, its place as in a treble clef, its note head ("" for the plain one)."""

    name: str
    step: str
    octave: int
    head: str = ""


# The usual places of a drum kit: feet below, snare in the third space, cymbals as crosses above.
_LOOKS = {
    35: Look("Acoustic Bass Drum", "F", 4), 36: Look("Bass Drum", "F", 4), 37: Look("Side Stick", "C", 5, "x"),
    38: Look("Snare Drum", "C", 5), 39: Look("Hand Clap", "C", 5, "x"), 40: Look("Electric Snare", "C", 5),
    41: Look("Low Floor Tom", "G", 4), 42: Look("Closed Hi-Hat", "G", 5, "x"), 43: Look("High Floor Tom", "A", 4),
    44: Look("Pedal Hi-Hat", "D", 4, "x"), 45: Look("Low Tom", "B", 4), 46: Look("Open Hi-Hat", "G", 5, "circle-x"),
    47: Look("Low-Mid Tom", "D", 5), 48: Look("High-Mid Tom", "D", 5), 49: Look("Crash Cymbal", "A", 5, "x"),
    50: Look("High Tom", "E", 5), 51: Look("Ride Cymbal", "F", 5, "x"), 52: Look("Chinese Cymbal", "B", 5, "x"),
    53: Look("Ride Bell", "F", 5, "diamond"), 54: Look("Tambourine", "E", 5, "x"),
    55: Look("Splash Cymbal", "B", 5, "x"), 56: Look("Cowbell", "E", 5, "triangle"),
    57: Look("Crash Cymbal 2", "A", 5, "x"), 59: Look("Ride Cymbal 2", "F", 5, "x"),
    # Electronic kits tell a cymbal's edge and a tom's rim apart.
    22: Look("Closed Hi-Hat Edge", "G", 5, "x"), 26: Look("Open Hi-Hat Edge", "G", 5, "circle-x"),
    58: Look("Low Tom Rim", "A", 4, "x"),
}  # fmt: skip


def look_of(key: int) -> Look:
    """How a drum key is shown; keys without a usual place stand in the third space as diamonds."""
    return _LOOKS.get(key) or Look(f"Percussion {key}", "C", 5, "diamond")


def key_at(step: str, octave: int, head: str) -> int:
    """The drum key that a place on the staff most likely means; the snare if none stands there.

    >>> key_at("F", 4, "normal"), key_at("G", 5, "x")
    (36, 42)
    """
    here = [key for key, look in _LOOKS.items() if (look.step, look.octave) == (step, octave) and key != 35]
    alike = [key for key in here if _LOOKS[key].head == head.replace("normal", "")]
    return (alike or here or [38])[0]


def instrument_id(part_id: str, key: int) -> str:
    """The id of a drum's `score-instrument`."""
    return f"{part_id}-I{key + 1}"
