"""Colours and short names of the piano-roll picture."""

from __future__ import annotations

TRACKS = ("#0072b2", "#d55e00", "#009e73", "#b8569a", "#c98a00", "#3d3a8c", "#2fa4d9", "#8c1d3f")
"""Track colours, in turn.

Six hues of Okabe & Ito 2008 (Color Universal Design), which stay apart for the common kinds of colour blindness, and
two dark ones; those too light for a white page are darkened, and the yellow is left out.
"""

DRUMS = ("#3f4855", "#7a4b1e", "#23615a", "#6b3566")
"""Drum tracks have a lane of their own, so quiet colours do."""

PAPER = "#ffffff"
LANE = "#fcfcfd"
BLACK_KEY_ROW = "#f0f2f5"
OCTAVE_LINE = "#dfe3e8"
BEAT_LINE = "#e4e7ec"
BAR_LINE = "#9aa3af"
INK = "#111827"
SOFT_INK = "#4b5563"
SIGN = "#9d174d"
KEY_WHITE = "#ffffff"
KEY_BLACK = "#374151"

DRUM_NAMES = {
    35: "Kick 2",
    36: "Kick",
    37: "Side stick",
    38: "Snare",
    40: "Snare 2",
    39: "Clap",
    41: "Tom floor",
    43: "Tom floor 2",
    45: "Tom low",
    47: "Tom mid",
    48: "Tom mid 2",
    50: "Tom high",
    44: "Hat pedal",
    42: "Hat closed",
    46: "Hat open",
    51: "Ride",
    59: "Ride 2",
    53: "Ride bell",
    49: "Crash",
    57: "Crash 2",
    55: "Splash",
    52: "China",
    54: "Tambourine",
    56: "Cowbell",
    58: "Vibraslap",
    60: "Bongo high",
    61: "Bongo low",
    62: "Conga mute",
    63: "Conga high",
    64: "Conga low",
    65: "Timbale hi",
    66: "Timbale lo",
    67: "Agogo high",
    68: "Agogo low",
    69: "Cabasa",
    70: "Maracas",
    71: "Whistle",
    72: "Whistle 2",
    73: "Guiro",
    74: "Guiro 2",
    75: "Claves",
    76: "Block high",
    77: "Block low",
    78: "Cuica mute",
    79: "Cuica",
    80: "Triangle m.",
    81: "Triangle",
}
"""Short names of General MIDI drum keys, in the order of their rows from below: kick, snare, toms, hats, cymbals."""


def drum_name(pitch: int) -> str:
    """The short name of a drum key; its number if General MIDI gives none.

    >>> drum_name(38), drum_name(3)
    ('Snare', 'Drum 3')
    """
    return DRUM_NAMES.get(pitch, f"Drum {pitch}")


_PLACES = {pitch: place for place, pitch in enumerate(DRUM_NAMES)}


def drum_place(pitch: int) -> int:
    """A number that sorts drum keys from the lowest row up; keys without a name stand above the others."""
    return _PLACES.get(pitch, 128 + pitch)
