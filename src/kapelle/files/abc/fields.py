"""What the fields of ABC notation say: metre, unit length, key, tempo, voice, instrument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ...errors import FileError

_LETTERS = "FCGDAEB"
_MODES = {"maj": 0, "ion": 0, "lyd": 1, "mix": -1, "dor": -2, "aeo": -3, "min": -3, "phr": -4, "loc": -5}
_MINOR_MODES = ("min", "dor", "phr", "loc", "aeo")
_TONICS = {letter: place - 1 for place, letter in enumerate(_LETTERS)}
_SHIFTS = {"^": 1, "_": -1, "=": 0, "#": 1, "b": -1, "": 0}
_PLAUSIBLE_TEMPO = (30.0, 300.0)

_METER = re.compile(r"([\d+ ]*\d)\)?\s*/\s*(\d+)")
_TEMPO = re.compile(r"((?:\d+/\d+\s*)+)=\s*(\d{1,4}(?:\.\d+)?)")
_KEY = re.compile(
    r"(?!clef|bass|alto)(?P<tonic>[A-Ga-g])(?P<accidental>[#b]?)\s*(?P<mode>(?!clef|octave|middle|transpose)[A-Za-z]*)"
)
_OWN_ACCIDENTAL = re.compile(r"(?:^|\s)(\^\^|__|[\^_=])([A-Ga-g])(?=$|\s)")
_NAME = re.compile(r'\b(?:name|nm)\s*=\s*(?:"([^"]*)"|(\S+))')
_PROGRAM = re.compile(r"%%MIDI\s+program\s+(?:\d+\s+)?(\d+)")
_DRUMS = re.compile(r"%%MIDI\s+channel\s+10\b")


@dataclass(frozen=True, slots=True)
class KeyField:
    """What a field K: asks for.

    Attributes:
        signature: sharps, flats being negative, and "major" or "minor"; None if it names none.
        shifts: semitones by letter, for the letters that are not natural.
    """

    signature: tuple[int, str] | None = None
    shifts: Mapping[str, int] = field(default_factory=dict)


def meter_of(text: str) -> tuple[int, int] | None:
    """The metre that a field M: names: "6/8", "C|", "2+3/8"; None for a free one.

    Raises:
        FileError: if it is none.
    """
    text = text.strip()
    if text in ("C", "C|"):
        return (4, 4) if text == "C" else (2, 2)
    match = _METER.search(text)
    if match is None:
        if text.lower() in ("none", "free", ""):
            return None
        raise FileError(f"expected a metre such as M:6/8, got M:{text[:20]}")
    numerator = sum(int(part[-9:]) for part in re.findall(r"\d+", match[1]))
    denominator = int(match[2][-9:])
    if not 1 <= numerator <= 64 or denominator not in (1, 2, 4, 8, 16, 32, 64):
        raise FileError(f"expected a metre such as M:6/8, got M:{text[:20]}")
    return numerator, denominator


def unit_of(text: str) -> Fraction:
    """The length in quarters that a field L: names.

    Raises:
        FileError: if it is none.
    """
    match = re.match(r"(\d{1,3})\s*(?:/\s*(\d{1,3}))?", text.strip())
    if match is None or not int(match[1]) or not int(match[2] or 1):
        raise FileError(f"expected a length of notes such as L:1/8, got L:{text[:20]}")
    return Fraction(4 * int(match[1]), int(match[2] or 1))


def key_of(text: str) -> KeyField:
    """The key that a field K: names, with its mode, and with accidentals of its own: "Edor", "D ^g", "D exp _b".

    A mode is told as the nearer one of major and minor with the same signature: D dorian is A minor.
    """
    text = text.strip()
    if text[:2] in ("HP", "Hp"):
        # The pipes' scale; written with HP its two sharps are not shown, but they sound.
        return KeyField((2, "major"), _signature(2))
    match = _KEY.match(text)
    fifths, signature, rest = 0, None, text
    if match is not None:
        mode = match["mode"].lower()
        name = "min" if mode[:1] == "m" and mode[:3] not in _MODES else mode[:3]
        if name != "exp":
            fifths = _TONICS[match["tonic"].upper()] + 7 * _SHIFTS[match["accidental"]] + _MODES.get(name, 0)
            signature = (fifths, "minor" if name in _MINOR_MODES else "major") if abs(fifths) <= 7 else None
        rest = text[match.end() :]
    shifts = _signature(fifths)
    for accidental, letter in _OWN_ACCIDENTAL.findall(rest):
        shifts[letter.upper()] = shift_of(accidental)
    return KeyField(signature, shifts)


def shift_of(accidentals: str) -> int:
    """Semitones of accidentals as ABC writes them: 2 for "^^"."""
    return sum(_SHIFTS[sign] for sign in accidentals)


def _signature(fifths: int) -> dict[str, int]:
    """Semitones by letter of a signature; sharps come in the order of fifths, flats from the other end."""
    return {letter: (fifths + 6 - place) // 7 for place, letter in enumerate(_LETTERS)}


def tempo_of(text: str) -> float | None:
    """Quarters a minute that a field Q: names, None if it names none from 30 to 300."""
    text = re.sub(r'"[^"]*"?', " ", text).strip()
    match = _TEMPO.search(text)
    if match is not None:
        beat = sum(Fraction(int(n[-6:]), int(d[-6:]) or 1) for n, d in re.findall(r"(\d+)/(\d+)", match[1]))
        rate = float(4 * beat) * float(match[2])
    else:
        rate = float(text) if re.fullmatch(r"\d{1,4}(\.\d+)?", text) else 0.0
    return rate if _PLAUSIBLE_TEMPO[0] <= rate <= _PLAUSIBLE_TEMPO[1] else None


def voice_of(text: str) -> tuple[str, str]:
    """The mark of a voice in a field V:, and its name if it tells one."""
    match = _NAME.search(text)
    return (text.split() or [""])[0], (match[1] or match[2] or "").strip() if match else ""


def program_of(line: str) -> int | None:
    """The program, 0..127, that a line %%MIDI program asks for."""
    match = _PROGRAM.match(line)
    return int(match[1][-6:]) if match and int(match[1][-6:]) < 128 else None


def asks_for_drums(line: str) -> bool:
    """Whether a line %%MIDI gives a voice the drummer's channel."""
    return _DRUMS.match(line) is not None
