"""Tunes of the collections in ABC notation, by way of music21's tokens.

The files of users are read by `kapelle.files.abc`. The collections stay with this reading, by which styles were
learnt from them: both give the same notes for all but some 90 of their 12,762 tunes, in which music21 passes over
keys and voices inside a line, dotted pairs that are tied, accidentals tied into a bar, and a last note before `::`.

music21's finished streams lose where first and second endings stop and re-bar what does not add up; its tokens
keep both, carry resolved pitches and lengths, and take a tenth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CorpusError, FileError, MissingExtra
from ..files.barring import Measure, fit_bars
from ..music import Key, Meter, Notes, Score, TempoMap, Track

TICKS_PER_QUARTER = 24
VELOCITY = 80
_MINOR_MODES = ("minor", "dorian", "phrygian", "locrian", "aeolian")
_SIGNS = re.compile(
    r"""(?P<field>\[[A-Za-z]:[^]]*\])   # kept: a metre or key that changes inside a line
    |%.*                            # a comment
    |"[^"]*"                        # chord symbols, fingerings, remarks
    |\{[^}]*\}                      # grace notes
    |![A-Za-z<>()+.]+!              # named ornaments
    |[!`~.)H-Wh-w]|y\d*             # line breaks, spacing, ornaments of one letter, ends of slurs
    |\((?!\d)                       # starts of slurs, not of tuplets
    """,
    re.VERBOSE,
)
_PLAUSIBLE_TEMPO = (30.0, 300.0)


@dataclass(slots=True)
class _Bar:
    """What stands between two bar lines, in quarters; `notes` holds rows of onset, duration, pitch, tied."""

    meter: tuple[int, int]
    key: tuple[int, str] | None
    opens_section: bool
    ending: int
    notes: list[tuple[Fraction, Fraction, int, bool]] = field(default_factory=list)
    length: Fraction = Fraction(0)


@dataclass(slots=True)
class Tune:
    """One tune as written: its heading, by ABC's letters, and its bars."""

    headings: dict[str, list[str]]
    bars: list[_Bar]
    quarters_per_minute: float | None

    @property
    def title(self) -> str:
        """The first title, or nothing."""
        return next(iter(self.headings.get("T", [])), "")

    @property
    def rhythm(self) -> str:
        """What the heading calls the dance, in small letters, or nothing."""
        return next(iter(self.headings.get("R", [])), "").lower()


def split_tunes(path: Path) -> Iterator[str]:
    """The text of each tune of an ABC file, in order."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    yield from re.split(r"(?m)^(?=X:)", text)[1:]


def parse_tune(text: str) -> Tune:
    """The tune that ABC text holds.

    Chord symbols and grace notes are dropped; of a chord its top note stays. Where there are first and second
    endings the second alone stays, so that the tune, played once through, has whole bars.

    Raises:
        CorpusError: if music21 cannot read it, or it has no metre.
        MissingExtra: without music21.
    """
    try:
        from music21 import abcFormat
        from music21.exceptions21 import Music21Exception
    except ImportError as error:
        raise MissingExtra("reading ABC notation", "score") from error
    try:
        # Without these two an accidental holds for its own note only, whatever follows in the bar.
        reader = abcFormat.ABCFile(abcVersion=(2, 1, 0))
        tokens = reader.readstr("%%propagate-accidentals octave\n" + _without_signs(text)).tokens
        return _read_tokens(tokens, abcFormat)
    # music21 lets slips of the pen in a tune surface as whatever its parser happened to stumble over.
    except (Music21Exception, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CorpusError("the notation cannot be read") from error


def tune_score(tune: Tune, quarters_per_minute: float, program: int, missing_lines: bool = False) -> Score:
    """The tune as a score with one track, `TICKS_PER_QUARTER` to the quarter.

    Args:
        tune: as parsed.
        quarters_per_minute: the tempo if the tune states none.
        program: General MIDI program.
        missing_lines: whether bar lines may be missing where a bar is full.

    Raises:
        CorpusError: if its bars do not add up, with the reason in a few words.
    """
    measures = [Measure(bar.length, Fraction(4 * bar.meter[0], bar.meter[1]), bar.opens_section) for bar in tune.bars]
    try:
        layout = fit_bars(measures, missing_lines)
    except FileError as error:
        raise CorpusError(str(error)) from error
    rows: list[list[int]] = []
    open_tie = -1
    meters: list[Meter] = []
    keys: list[Key] = []
    for bar, onset in zip(tune.bars, layout.onsets, strict=True):
        at = _ticks(onset)
        if not meters or (meters[-1].numerator, meters[-1].denominator) != bar.meter:
            meters.append(Meter(at, *bar.meter))
        key = None if bar.key is None else Key.from_fifths(*bar.key, onset=at)
        if key is not None and (not keys or (keys[-1].tonic, keys[-1].mode) != (key.tonic, key.mode)):
            keys.append(key)
        for start, duration, pitch, tied in bar.notes:
            first, end = _ticks(onset + start), _ticks(onset + start + duration)
            continues = open_tie == pitch and rows and rows[-1][0] + rows[-1][1] == first
            if continues:
                rows[-1][1] = end - rows[-1][0]
            else:
                rows.append([first, max(end - first, 1), pitch, VELOCITY])
            open_tie = pitch if tied else -1
    if not rows:
        raise CorpusError("no notes")
    table = np.array(rows, np.int64)
    return Score(
        TICKS_PER_QUARTER,
        (Track(Notes(*table.T), program=program, name=""),),
        TempoMap.constant(tune.quarters_per_minute or quarters_per_minute),
        tuple(meters),
        tuple(keys),
        _ticks(layout.pickup),
        tune.title,
    )


def _without_signs(text: str) -> str:
    """The text without what does not change pitch or length: music21 loses notes that stand behind some signs."""
    lines = text.split("\n")
    return "\n".join(line if re.match(r"[A-Za-z]:", line) else _SIGNS.sub(_field_only, line) for line in lines)


def _field_only(match: re.Match[str]) -> str:
    return match["field"] or ""


def _ticks(quarters: Fraction) -> int:
    return round(quarters * TICKS_PER_QUARTER)


def _read_tokens(tokens: list[Any], abc: Any) -> Tune:
    tune = Tune({}, [], None)
    reader = _BarReader(tune.bars)
    for token in tokens:
        if isinstance(token, abc.ABCMetadata):
            tune.headings.setdefault(token.tag, []).append(token.data.strip())
            if token.isMeter():
                reader.meter = _meter(token)
            elif token.isKey():
                reader.key = _key(token)
            elif token.isTempo() and tune.quarters_per_minute is None:
                tune.quarters_per_minute = _tempo(token)
        elif isinstance(token, abc.ABCBar):
            reader.bar_line(token)
        elif isinstance(token, abc.ABCNote) and not token.inGrace:
            reader.note(token, abc)
    reader.close()
    tune.bars[:] = _without_first_endings(tune.bars)
    return tune


class _BarReader:
    """Gathers notes into bars as tokens pass by."""

    def __init__(self, bars: list[_Bar]) -> None:
        self.bars = bars
        self.meter: tuple[int, int] | None = None
        self.key: tuple[int, str] | None = None
        self._current: _Bar | None = None
        self._opens_section = False
        self._ending = 0

    def note(self, token: Any, abc: Any) -> None:
        if self.meter is None:
            raise CorpusError("no metre")
        if self._current is None:
            self._current = _Bar(self.meter, self.key, self._opens_section, self._ending)
            self._opens_section = False
        length = Fraction(token.quarterLength)
        if token.activeTuplet is not None:
            length *= Fraction(token.activeTuplet.tupletMultiplier())
        length = length.limit_denominator(384)
        if isinstance(token, abc.ABCChord):
            names = [part.pitchName for part in token.subTokens if isinstance(part, abc.ABCNote) and not part.isRest]
        else:
            names = [] if token.isRest else [token.pitchName]
        if names and length > 0:
            tied = token.tie in ("start", "continue")
            self._current.notes.append((self._current.length, length, max(map(_pitch, names)), tied))
        self._current.length += length

    def bar_line(self, token: Any) -> None:
        self.close()
        ending = token.isRepeatBracket()
        if ending:
            self._ending = int(ending)
            self._opens_section = True
        elif token.isRepeat() or not token.isRegular():
            self._ending = 0
            self._opens_section = True

    def close(self) -> None:
        if self._current is not None and self._current.length > 0:
            self.bars.append(self._current)
        self._current = None


def _without_first_endings(bars: list[_Bar]) -> list[_Bar]:
    kept: list[_Bar] = []
    for index, bar in enumerate(bars):
        if bar.ending == 1:
            after = next((later.ending for later in bars[index:] if later.ending != 1), 0)
            if after == 2:
                continue
        kept.append(bar)
    return kept


def _meter(token: Any) -> tuple[int, int] | None:
    parameters = token.getTimeSignatureParameters()
    return None if parameters is None else (int(parameters[0]), int(parameters[1]))


def _key(token: Any) -> tuple[int, str] | None:
    """The signature and the nearer of the two modes: a tune in D dorian keeps its signature without sharps."""
    fifths, mode = token.getKeySignatureParameters()
    return (int(fifths), "minor" if mode in _MINOR_MODES else "major") if abs(int(fifths)) <= 7 else None


def _tempo(token: Any) -> float | None:
    mark = token.getMetronomeMarkObject()
    rate = None if mark is None else mark.getQuarterBPM()
    if rate is None or not _PLAUSIBLE_TEMPO[0] <= rate <= _PLAUSIBLE_TEMPO[1]:
        return None
    return float(rate)


def _pitch(name: str) -> int:
    match = re.fullmatch(r"([A-G])([#n-]*)(-?\d+)", name)
    if match is None:
        raise CorpusError(f"the pitch {name!r} cannot be read")
    letter, accidentals, octave = match.groups()
    step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter]
    return step + accidentals.count("#") - accidentals.count("-") + 12 * (int(octave) + 1)
