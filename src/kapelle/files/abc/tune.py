"""A tune in ABC notation as voices of bars."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from ...errors import FileError
from .bars import TOKEN, Bar, Bars, Signs
from .fields import asks_for_drums, key_of, meter_of, program_of, tempo_of, unit_of, voice_of

MAX_CHARACTERS = 200_000
MAX_VOICES = 128

_FIELD_LINE = re.compile(r"([A-Za-z+]):(?!\|)(.*)")


@dataclass(slots=True)
class Voice:
    """One voice, its instrument (None if nothing is said) and its bars."""

    name: str
    program: int | None
    is_drum: bool
    bars: list[Bar]


@dataclass(slots=True)
class Tune:
    """One tune as written: its heading, by ABC's letters, and its voices that have notes or rests."""

    headings: dict[str, list[str]]
    voices: list[Voice]

    @property
    def title(self) -> str:
        """The first title, or nothing."""
        return next(iter(self.headings.get("T", [])), "")

    @property
    def bars(self) -> list[Bar]:
        """The bars of the first voice."""
        return self.voices[0].bars if self.voices else []


def parse_tune(text: str) -> Tune:
    """The tune that ABC text holds.

    Grace notes and chord symbols are dropped. Where endings follow each other the last alone stays, so that the
    tune, played once through, has whole bars.

    Raises:
        FileError: if a field says what it cannot mean, or the tune is too large.
    """
    if len(text) > MAX_CHARACTERS:
        raise FileError(f"a tune in ABC may have {MAX_CHARACTERS:,} characters, this one has {len(text):,}")
    reader = _Reader()
    for line in text.split("\n"):
        if not line.strip() and reader.has_music:
            break
        reader.line(line)
    voices = reader.finished()
    _drop_earlier_endings(voices)
    return Tune(reader.headings, voices)


def _drop_earlier_endings(voices: list[Voice]) -> None:
    """Leave the last one of endings that follow each other; voices with as many bars go by each other's marks."""
    dropped = [_earlier_endings(voice.bars) for voice in voices]
    if len({len(voice.bars) for voice in voices}) == 1:
        dropped = [set().union(*dropped)] * len(voices)
    for voice, indices in zip(voices, dropped, strict=True):
        voice.bars[:] = [bar for index, bar in enumerate(voice.bars) if index not in indices]


def _earlier_endings(bars: list[Bar]) -> set[int]:
    groups = [
        (ending, [index for index, _ in group])
        for ending, group in itertools.groupby(enumerate(bars), lambda item: item[1].ending)
    ]
    return {
        index for (ending, group), (after, _) in itertools.pairwise(groups) if 0 < ending < after for index in group
    }


class _Reader:
    """Takes in a tune line by line."""

    def __init__(self) -> None:
        self.headings: dict[str, list[str]] = {}
        self._signs = Signs()
        self._names: dict[str, str] = {}
        self._instruments: dict[str, tuple[int | None, bool]] = {}
        self._voices: dict[str, Bars] = {}
        self._mark = ""
        self._in_heading = True

    @property
    def has_music(self) -> bool:
        """Whether a note or a rest has come; an empty line then ends the tune."""
        return any(bars.has_music for bars in self._voices.values())

    def line(self, line: str) -> None:
        """Take in one line: a directive, a field, or music."""
        if line.startswith("%%"):
            self._direct(line)
            return
        line = re.sub(r"(?<!\\)%.*", "", line)
        found = _FIELD_LINE.match(line)
        if found is not None:
            self._field(found[1], found[2].strip())
        elif line.strip():
            self._begin()
            self._music(line)

    def finished(self) -> list[Voice]:
        """The voices that have music, in the order in which they were named."""
        found = [(mark, self._voices[mark]) for mark in self._names if mark in self._voices]
        for _, bars in found:
            bars.close()
        found = [(mark, bars) for mark, bars in found if bars.bars]
        return [
            Voice(
                self._names[mark] or (mark if len(found) > 1 else ""), bars.signs.program, bars.signs.is_drum, bars.bars
            )
            for mark, bars in found
        ]

    def _begin(self) -> None:
        """End the heading; music before the first V: belongs to the voice that the heading names first."""
        if self._in_heading:
            self._in_heading = False
            self._mark = next(iter(self._names), "")

    def _direct(self, line: str) -> None:
        program, is_drum = program_of(line), asks_for_drums(line)
        if program is None and not is_drum:
            return
        if self._in_heading and self._mark:
            before = self._instruments.get(self._mark, (None, False))
            self._instruments[self._mark] = (before[0] if program is None else program, is_drum or before[1])
            return
        signs = self._signs if self._in_heading else self._voice().signs
        signs.program = signs.program if program is None else program
        signs.is_drum |= is_drum

    def _voice(self) -> Bars:
        if self._mark not in self._voices:
            if len(self._voices) >= MAX_VOICES:
                raise FileError(f"a tune in ABC may have {MAX_VOICES} voices, this one has more")
            program, is_drum = self._instruments.get(self._mark, (None, False))
            signs = replace(self._signs, is_drum=is_drum or self._signs.is_drum)
            signs.program = signs.program if program is None else program
            self._voices[self._mark] = Bars(signs)
            self._names.setdefault(self._mark, "")
        return self._voices[self._mark]

    def _field(self, letter: str, value: str) -> None:
        if letter == "V":
            self._mark, name = voice_of(value)
            self._names[self._mark] = name or self._names.get(self._mark, "")
            return
        self.headings.setdefault(letter, []).append(value)
        signs = self._signs if self._in_heading else self._voice().signs
        if letter == "M":
            signs.meter = meter_of(value)
            if signs.unit is None:
                short = signs.meter is not None and 4 * signs.meter[0] < 3 * signs.meter[1]
                signs.unit = Fraction(1, 4) if short else Fraction(1, 2)
        elif letter == "L":
            signs.unit = unit_of(value)
        elif letter == "Q":
            signs.quarters_per_minute = tempo_of(value) or signs.quarters_per_minute
        elif letter == "K":
            signs.key = key_of(value)
            self._begin()

    def _music(self, line: str) -> None:
        for token in TOKEN.finditer(line):
            if token.lastgroup == "field":
                self._field(token["mark"], token["value"].strip())
            elif token.lastgroup is not None:
                self._voice().take(token)
