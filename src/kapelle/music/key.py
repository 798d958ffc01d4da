"""Keys: names, scales, spelling, and detection over arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .notes import MAX_TICK, check_int

MODES = ("major", "minor")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 9, 10, 11)}
"""Pitch classes over the tonic. Minor holds both forms of the sixth and the seventh degree."""

_CHURCH_MODES = {"ionian": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "aeolian": 9, "locrian": 11}
"""The degree of the major scale, in semitones, on which a mode with its notes begins."""

_LETTERS = "FCGDAEB"
PITCH_CLASS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# Krumhansl & Kessler 1982, probe-tone ratings of the twelve pitch classes over the tonic.
_PROFILES = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    ]
)


@dataclass(frozen=True, slots=True)
class Key:
    """A tonality from `onset` (ticks) on.

    Attributes:
        onset: ticks, >= 0.
        tonic: pitch class 0..11, C = 0.
        mode: "major" or "minor".

    >>> Key.parse("Bb major").fifths, Key.parse("f# minor").name
    (-2, 'F# minor')
    """

    onset: int = 0
    tonic: int = 0
    mode: str = "major"

    def __post_init__(self) -> None:
        check_int(self.onset, "key onset", 0, MAX_TICK)
        check_int(self.tonic, "key tonic", 0, 11)
        if self.mode not in MODES:
            raise ValueError(f"key mode must be major or minor, got {self.mode!r}")

    @classmethod
    def parse(cls, text: str, onset: int = 0) -> Key:
        """A key from its name: "D minor", "Bb major", "F# min", "Am", "E"; a bare small letter is minor.

        Raises:
            ValueError: if it is none; for another mode the message names the major key with the same notes.
        """
        match = re.fullmatch(r"\s*([A-Ga-g])([#♯b♭]?)\s*-?\s*((?i:major|maj|minor|min|dur|moll)|M|m)?\s*", text)
        if match is None:
            raise ValueError(f"expected a key in major or minor, such as 'D minor' or 'Bb major', {_came(text)}")
        letter, accidental, mode = match.groups()
        tonic = PITCH_CLASS[letter.upper()] + {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[accidental]
        minor = letter.islower() if mode is None else mode == "m" or mode.lower() in ("minor", "min", "moll")
        return cls(onset, tonic % 12, "minor" if minor else "major")

    @classmethod
    def from_fifths(cls, fifths: int, mode: str, onset: int = 0) -> Key:
        """A key from its signature: -7..7, the number of sharps, flats being negative."""
        if not -7 <= fifths <= 7:
            raise ValueError(f"a key signature has -7..7 sharps, got {fifths}")
        return cls(onset, (7 * fifths + (9 if mode == "minor" else 0)) % 12, mode)

    @property
    def fifths(self) -> int:
        """Sharps in the signature, flats being negative: the fewer, and F# major but Eb minor of the two with six."""
        if self.mode == "minor":
            return (7 * (self.tonic + 3) + 6) % 12 - 6
        return (7 * self.tonic + 5) % 12 - 5

    @property
    def name(self) -> str:
        """Such as "D minor"."""
        return f"{spell(self.tonic, self)[0]} {self.mode}"

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes of the scale; in minor with both forms of the sixth and seventh degree."""
        return frozenset((self.tonic + step) % 12 for step in SCALES[self.mode])

    def transpose(self, semitones: int) -> Key:
        """The same mode on a tonic that lies `semitones` higher."""
        return Key(self.onset, (self.tonic + semitones) % 12, self.mode)


def _came(text: str) -> str:
    """What was typed in a key's place, and for one of the church modes the major key to ask for."""
    match = re.fullmatch(r"\s*([A-Ga-g][#♯b♭]?)\s*-?\s*([A-Za-z]+)\s*", text)
    if match is None or match[2].lower() not in _CHURCH_MODES:
        return f"got {text!r}"
    tonic = Key.parse(f"{match[1]} major")
    return f"got {text!r}; its notes are those of {tonic.transpose(-_CHURCH_MODES[match[2].lower()]).name}"


def spell(pitch: int, key: Key) -> tuple[str, int]:
    """The name of a pitch in a key and its octave: ("Bb", 4).

    The name is the one nearest on the line of fifths to the middle of the key's scale, which gives each
    degree its own letter and chromatic notes the sharp or flat that leads by step.

    Args:
        pitch: MIDI number, or a pitch class (the octave is then meaningless).
        key: the key in force.

    >>> spell(66, Key.parse("D major")), spell(61, Key.parse("D minor"))
    (('F#', 4), ('C#', 4))
    """
    # On the line of fifths F is -1, C 0, G 1 ...; a major scale spans fifths-1 .. fifths+5. Minor reaches
    # further up, for its raised sixth and seventh degree.
    middle = key.fifths + (3 if key.mode == "minor" else 2)
    place = (7 * pitch) % 12
    place += 12 * round((middle - place) / 12)
    letter = _LETTERS[(place + 1) % 7]
    accidental = (place + 1) // 7
    octave = (pitch - accidental) // 12 - 1
    return letter + ("#" * accidental if accidental > 0 else "b" * -accidental), octave


def detect_key(pitch: NDArray[Any], weight: NDArray[Any] | None = None) -> Key:
    """The key whose profile fits the weighted pitch classes best.

    Args:
        pitch: MIDI numbers or pitch classes, shape (N,); with N = 0 the answer is C major.
        weight: for example durations, >= 0, shape (N,); every note counts alike without it.

    Source:
        Krumhansl & Schmuckler (Krumhansl 1990, Cognitive Foundations of Musical Pitch, ch. 4). Differs: none.

    >>> detect_key(np.array([62, 65, 69, 61, 62])).name
    'D minor'
    """
    if not len(pitch):
        return Key()
    counts = np.bincount(np.asarray(pitch) % 12, weights=weight, minlength=12)
    if counts.std() == 0:
        return Key()
    best = int(key_fit(counts).argmax())
    return Key(0, best % 12, MODES[best // 12])


def key_fit(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Correlation of a pitch-class histogram of shape (12,) with the 24 keys: 12 major, then 12 minor."""
    centred = counts - counts.mean()
    return np.asarray(_TEMPLATES @ centred / max(float(np.linalg.norm(centred)), 1e-12))


def _templates() -> NDArray[np.float64]:
    turned = np.stack([np.roll(profile, tonic) for profile in _PROFILES for tonic in range(12)])
    turned -= turned.mean(axis=1, keepdims=True)
    return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True))


_TEMPLATES = _templates()
