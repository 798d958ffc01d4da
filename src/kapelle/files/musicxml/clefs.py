"""Which clef a staff has in each bar, and where it is written an octave off so that few ledger lines are needed.

The path through the bars that costs least is taken (Viterbi): ledger lines cost, and so do changes, so that a clef
changes for a passage and not for a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEPS_IN_OCTAVE = np.array([0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6])
_SIGN_STEPS = {"G": 39, "F": 31, "C": 35}


@dataclass(frozen=True, slots=True)
class Clef:
    """A clef sign, its line, and by how many octaves it sounds off."""

    sign: str
    line: int
    octave: int = 0

    @property
    def middle(self) -> int:
        """What sounds on the middle line, in steps of white keys from C-1."""
        return _SIGN_STEPS.get(self.sign, 37) + 2 * (3 - self.line) + 7 * self.octave


TREBLE, BASS, ALTO, TENOR = Clef("G", 2), Clef("F", 4), Clef("C", 3), Clef("C", 4)
TREBLE_8, BASS_8, PERCUSSION = Clef("G", 2, -1), Clef("F", 4, -1), Clef("percussion", 2)


@dataclass(frozen=True, slots=True)
class View:
    """How a bar is written.

    Attributes:
        clef: in force.
        octaves: 1 under an 8va line, 2 under a 15ma line, -1 over an 8vb line.
    """

    clef: Clef
    octaves: int = 0


_CLEF_CHANGE, _OCTAVE_CHANGE, _OCTAVE_BAR, _STRANGE_BAR = 7.0, 9.0, 1.0, 25.0
_LEAST_NOTES, _MOST_NOTES = 3, 6
"""A bar counts as if it had as many notes."""

RIGHT = (View(TREBLE), View(TREBLE, 1), View(TREBLE, 2), View(BASS))
LEFT = (View(BASS), View(TREBLE), View(BASS, -1))

# What players of some programs read, the usual clef first.
_OF_PROGRAMS = (
    (range(24, 32), (View(TREBLE_8), View(TREBLE_8, 1))),
    (range(32, 40), (View(BASS_8), View(TREBLE_8))),
    ((43,), (View(BASS_8), View(TREBLE_8))),
    ((41,), (View(ALTO), View(TREBLE))),
    ((42, 57, 70), (View(BASS), View(TENOR), View(TREBLE))),
    ((47, 58), (View(BASS), View(BASS, -1))),
    ((40, 56, 59, *range(64, 67), 68, 69, *range(71, 80), 110), (View(TREBLE), View(TREBLE, 1))),
)
_HIGH = (View(TREBLE), View(TREBLE, 1), View(BASS))
_LOW = (View(BASS), View(TREBLE), View(BASS, -1))


def usual_views(program: int, name: str, median: float) -> tuple[View, ...]:
    """How an instrument's staff may be written, the usual way first.

    Args:
        program: General MIDI program.
        name: of the part; a tenor's says that it is one.
        median: pitch in the middle of its notes.
    """
    if "tenor" in name.lower() and 50 <= median <= 67:
        return (View(TREBLE_8), View(BASS))
    found = next((views for programs, views in _OF_PROGRAMS if program in programs), ())
    # Files give any instrument to any notes: those beyond its reach are written as for a piano.
    plain = _HIGH if median >= 59 else _LOW
    if found and abs(_steps(np.array([round(median)]))[0] - found[0].clef.middle) > 12:
        found = ()
    return (*found, *(view for view in plain if view not in found))


def views_by_bar(pitches: Sequence[NDArray[np.int64]], views: Sequence[View], num_usual: int = 2) -> list[View]:
    """How each bar is written.

    Args:
        pitches: the pitches that start in each bar.
        views: the ways to choose from, the usual one first.
        num_usual: so many of them may be taken without being a strange sight.
    """
    home = np.array([_base(view, place, num_usual) for place, view in enumerate(views)])
    change = np.array([[_change(before, after) for after in views] for before in views])
    middles = np.array([view.clef.middle + 7 * view.octaves for view in views])
    # A staff may begin in any clef, but a line over it has to begin and to end.
    edge = np.array([_OCTAVE_CHANGE if view.octaves else 0.0 for view in views])
    total = home + edge
    came: list[NDArray[np.int64]] = []
    for pitch in pitches:
        if not len(pitch):
            # Nothing asks for a change here; where one comes, it comes as late as possible.
            came.append(np.arange(len(views)))
            continue
        reached = total[:, None] + change
        best = reached.argmin(axis=0)
        came.append(best)
        total = reached[best, np.arange(len(views))] + home + _ledger_lines(pitch, middles)
    place = int((total + edge).argmin())
    path = []
    for best in reversed(came):
        path.append(views[place])
        place = int(best[place])
    return path[::-1]


def _steps(pitch: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(pitch // 12 * 7 + _STEPS_IN_OCTAVE[pitch % 12])


def _base(view: View, place: int, num_usual: int) -> float:
    return (
        (0.5 if place else 0.0) + _OCTAVE_BAR * abs(view.octaves) ** 3 + (_STRANGE_BAR if place >= num_usual else 0.0)
    )


def _change(before: View, after: View) -> float:
    clef = _CLEF_CHANGE if before.clef != after.clef else 0.0
    return clef + (_OCTAVE_CHANGE if before.octaves != after.octaves else 0.0)


def _ledger_lines(pitch: NDArray[np.int64], middles: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the ledger lines of a bar's notes cost in each view; the first is free, from the fourth on they are dear."""
    lines = np.maximum((np.abs(_steps(pitch)[:, None] - middles) - 4) // 2, 0)
    cost = np.maximum(lines - 1, 0) + 2.0 * np.maximum(lines - 3, 0)
    return np.asarray(cost.mean(axis=0) * min(max(len(pitch), _LEAST_NOTES), _MOST_NOTES))
