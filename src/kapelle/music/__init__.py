"""Values and pure edits: scores, tracks, notes, metre, tempo, key."""

from .chord import QUALITIES, ChordSymbol, name_chord
from .edit import (
    beside,
    chain,
    clip,
    concatenate,
    graft,
    merge,
    quantise,
    resample,
    slice_bars,
    swing,
    together,
    transpose,
    with_detected_key,
)
from .key import Key, detect_key, key_fit, spell
from .meter import Meter, bar_starts
from .notes import IntArray, Notes, Spans
from .pitch import parse_pitch
from .score import Score, TempoMap, Track
from .triads import TRIADS, parse_chord, parse_chords, triad_name, triad_names
from .wishes import Wishes

__all__ = [
    "QUALITIES",
    "TRIADS",
    "ChordSymbol",
    "IntArray",
    "Key",
    "Meter",
    "Notes",
    "Score",
    "Spans",
    "TempoMap",
    "Track",
    "Wishes",
    "bar_starts",
    "beside",
    "chain",
    "clip",
    "concatenate",
    "detect_key",
    "graft",
    "key_fit",
    "merge",
    "name_chord",
    "parse_chord",
    "parse_chords",
    "parse_pitch",
    "quantise",
    "resample",
    "slice_bars",
    "spell",
    "swing",
    "together",
    "transpose",
    "triad_name",
    "triad_names",
    "with_detected_key",
]
