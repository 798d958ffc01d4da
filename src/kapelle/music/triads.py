"""Chord lines: the triads that symbols such as "Am F C7 Gsus4" stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .key import PITCH_CLASS

KINDS = ((0, 4, 7), (0, 3, 7), (0, 4, 8), (0, 3, 6))
"""Intervals over the root: major, minor, augmented, diminished."""
TRIADS = (frozenset[int](), *(frozenset((root + step) % 12 for step in kind) for kind in KINDS for root in range(12)))
"""Pitch classes of the 49 words of a chord line: no chord, then twelve roots from C up of each kind."""
SIGNS = ("", "m", "aug", "dim")
ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MOST = 1024

_SYMBOL = re.compile(
    r"(?P<root>[A-G][#♯b♭]?)"
    r"(?P<kind>major|maj|minor|min|mi|M|m|-|aug|\+|dim|°|o|ø|Δ)?"
    r"(?P<more>(?:maj|M|Δ)?(?:6/9|5|6|7|9|11|13|69))?"
    r"(?P<held>sus[24]?)?"
    r"(?P<altered>(?:add|no|b|#|♭|♯|\+|-)(?:\d+))*"
    r"(?P<bass>/[A-G][#♯b♭]?)?"
)


class Chord(NamedTuple):
    """A word of a chord line, and whether the symbol said no more than that."""

    word: int
    plain: bool


def parse_chord(symbol: str) -> Chord:
    """The triad that a chord symbol stands for.

    Sevenths and other tensions, suspensions and basses are left out; "N.C." is no chord.

    Raises:
        ValueError: if it is no chord symbol.

    >>> triad_name(parse_chord("Bbm7b5").word), parse_chord("F#m").plain
    ('Bbdim', True)
    """
    text = symbol.strip()
    if text.upper() in ("N.C.", "NC", "N"):
        return Chord(0, True)
    match = _SYMBOL.fullmatch(re.sub(r"[()]", "", text))
    if match is None:
        raise ValueError(f"expected chords such as Am, F, C7, Gsus4, Bdim or N.C., got {symbol!r}")
    kind, rest = match["kind"] or "", text[len(match["root"]) + len(match["kind"] or "") :]
    number = 0
    if kind in ("m", "min", "minor", "mi", "-"):
        # A fifth that is flat makes a minor chord a diminished one.
        number = 3 if re.search(r"[b♭-]5", rest) else 1
    elif kind in ("dim", "°", "o", "ø"):
        number = 3
    elif kind in ("aug", "+") or re.search(r"[#♯+]5", rest):
        number = 2
    return Chord(1 + 12 * number + _pitch_class(match["root"]), not rest and kind not in ("ø", "Δ"))


def parse_chords(text: str) -> tuple[list[int], list[str]]:
    """A line of chords, one for each bar, between them spaces, commas or bar lines.

    Returns:
        The words, at least one; and for each symbol that says more than a triad what it is taken for, such as
        "C7 as C".

    Raises:
        ValueError: if one is no chord symbol, or there are none or more than MOST.
    """
    symbols = re.split(r"[\s,|]+", text.strip(" |,\t\n"))
    if symbols == [""] or len(symbols) > MOST:
        raise ValueError(f"expected 1 to {MOST} chords such as 'Am F C G', got {len(symbols) if text.strip() else 0}")
    found = [parse_chord(symbol) for symbol in symbols]
    mapped = [f"{symbol} as {triad_name(chord.word)}" for symbol, chord in zip(symbols, found, strict=True)
              if not chord.plain]  # fmt: skip
    return [chord.word for chord in found], list(dict.fromkeys(mapped))


def triad_name(word: int) -> str:
    """The symbol of a word: "Am", "Ebdim", "N.C."."""
    return "N.C." if word == 0 else ROOTS[(word - 1) % 12] + SIGNS[(word - 1) // 12]


def triad_names(words: Sequence[int]) -> str:
    """A chord line as text."""
    return " ".join(map(triad_name, words))


def _pitch_class(name: str) -> int:
    return (PITCH_CLASS[name[0]] + {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[name[1:]]) % 12
