"""The rules of a first book on harmony, for soprano, alto, tenor and bass: what composing obeys and counting counts."""

from __future__ import annotations

from collections.abc import Iterable, Set

VOICES = "SATB"
NAMES = ("Soprano", "Alto", "Tenor", "Bass")

RULES = ("parallels", "ranges", "crossings", "leading_notes")
"""The rules that can be wished for."""

RANGES = ((60, 81), (53, 77), (45, 72), (36, 64))
"""Lowest and highest pitch of soprano, alto, tenor and bass, wide enough for nearly every note of Bach's chorales."""

PERFECT = (0, 7)
"""Semitones, octaves left out, of the intervals that two voices must not move in side by side."""

DOMINANTS = ((0, 4, 7), (0, 4, 7, 10), (0, 4, 10))
"""Chords whose third is a leading note, as distances from the root."""

TONICS = ((0, 4, 7), (0, 3, 7), (0, 4), (0, 3))
"""Chords that a dominant resolves to."""


def resolutions(voice: int) -> tuple[int, ...]:
    """Semitones by which the leading note may go on in a voice, 0 for the soprano to 3 for the bass.

    Up to the tonic; in alto and tenor also down a third, as Bach's do.
    """
    return (1, -4) if voice in (1, 2) else (1,)


def root_of(classes: Set[int], kinds: Iterable[tuple[int, ...]]) -> int | None:
    """The root of a chord, 0..11, if it is one of these kinds, each given by its distances from the root.

    Args:
        classes: what sounds, as pitches modulo 12.
        kinds: such as `DOMINANTS`.

    >>> root_of({7, 11, 2}, DOMINANTS), root_of({0, 1, 2}, TONICS)
    (7, None)
    """
    return next(
        (root for root in sorted(classes) for kind in kinds if classes == {(root + step) % 12 for step in kind}), None
    )
