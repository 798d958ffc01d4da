"""Names of chords: from the notes that sound together to a symbol such as Dm7 or C/E."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .key import Key, spell


class Quality(NamedTuple):
    """A kind of chord.

    Attributes:
        intervals: its pitch classes over the root.
        symbol: what stands behind the root's name.
        kind: its name in MusicXML.
    """

    intervals: tuple[int, ...]
    symbol: str
    kind: str


QUALITIES = (
    Quality((0, 4, 7), "", "major"),
    Quality((0, 3, 7), "m", "minor"),
    Quality((0, 4, 7, 10), "7", "dominant"),
    Quality((0, 3, 7, 10), "m7", "minor-seventh"),
    Quality((0, 4, 7, 11), "maj7", "major-seventh"),
    Quality((0, 3, 6), "dim", "diminished"),
    Quality((0, 3, 6, 10), "m7b5", "half-diminished"),
    Quality((0, 3, 6, 9), "dim7", "diminished-seventh"),
    Quality((0, 4, 8), "aug", "augmented"),
    Quality((0, 5, 7), "sus4", "suspended-fourth"),
    Quality((0, 2, 7), "sus2", "suspended-second"),
    Quality((0, 4, 7, 9), "6", "major-sixth"),
    Quality((0, 3, 7, 9), "m6", "minor-sixth"),
    Quality((0, 3, 7, 11), "m(maj7)", "major-minor"),
    Quality((0, 2, 4, 7, 10), "9", "dominant-ninth"),
    Quality((0, 7), "5", "power"),
)
"""The kinds of chords that are told apart, the plainer ones first."""


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord as a musician writes it above the staff.

    Attributes:
        root: pitch class 0..11.
        quality: the kind.
        bass: pitch class of the lowest note; the root's but for a chord such as C/E.

    >>> ChordSymbol(2, QUALITIES[3], 2).name(Key())
    'Dm7'
    """

    root: int
    quality: Quality
    bass: int

    def name(self, key: Key) -> str:
        """The symbol, spelt as the key suggests."""
        slash = "" if self.bass == self.root else f"/{spell(self.bass, key)[0]}"
        return f"{spell(self.root, key)[0]}{self.quality.symbol}{slash}"


def name_chord(pitch: NDArray[Any]) -> ChordSymbol | None:
    """The chord that some notes are, if they are one exactly; a missing fifth is forgiven.

    Args:
        pitch: MIDI numbers of what sounds together, shape (N,).

    Returns:
        The plainest name, one whose root is in the bass before others; None if no kind fits.

    >>> name_chord(np.array([64, 67, 72])).name(Key())
    'C/E'
    """
    if not len(pitch):
        return None
    bass = int(np.min(pitch)) % 12
    sounding = frozenset(int(each) % 12 for each in pitch)
    if len(sounding) < 2:
        return None
    best: tuple[int, int, int] | None = None
    for root in sorted(sounding, key=lambda each: (each - bass) % 12):
        above = frozenset((each - root) % 12 for each in sounding)
        for rank, quality in enumerate(QUALITIES):
            whole = frozenset(quality.intervals)
            if above != whole and not (len(whole) > 3 and above == whole - {7}):
                continue
            cost = (rank + (8 if root != bass else 0) + (4 if above != whole else 0), rank, root)
            best = cost if best is None else min(best, cost)
    return None if best is None else ChordSymbol(best[2], QUALITIES[best[1]], bass)
