"""From a tree of MusicXML elements to a score.

Times are counted in a unit that every part's divisions fit into, so nothing is rounded on the way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from xml.etree.ElementTree import Element

import numpy as np

from ...errors import FileError
from ...music import Key, Meter, Notes, Score, TempoMap, Track, resample
from .canonical import MAX_QUARTERS, one_line
from .drums import DRUM_CHANNEL, key_at
from .dynamics import LOUDNESS

LEAST_UNIT = 24
LARGEST_UNIT = 10080

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_BEATS = {"long": 16.0, "breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25}

_PLAIN_VELOCITY = 80


def score_of(root: Element) -> Score:
    """The score under a `score-partwise` element.

    Raises:
        FileError: if the root is something else or its values make no score.
    """
    _strip_namespaces(root)
    if root.tag == "score-timewise":
        raise FileError("the MusicXML is score-timewise, which no program of today writes; save it as score-partwise")
    if root.tag != "score-partwise":
        raise FileError(f"expected MusicXML (score-partwise), got XML with the root {root.tag[:40]!r}")
    try:
        return _Reader(root).score()
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise FileError(f"the MusicXML holds values that make no score: {error}") from error


def _strip_namespaces(root: Element) -> None:
    for element in root.iter():
        if element.tag.startswith("{"):
            element.tag = element.tag.partition("}")[2]


def _text(element: Element | None, path: str = "") -> str:
    found = element.find(path) if element is not None and path else element
    return (found.text or "").strip() if found is not None else ""


def _number(text: str, default: float | None = None) -> Fraction:
    """A decimal number; not by Fraction itself, which spends hours on "1e999999999"."""
    try:
        value = int(text) if len(text) < 16 and text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        if default is None:
            raise ValueError(f"expected a number, got {text[:40]!r}") from None
        value = default
    return Fraction(value)


@dataclass(slots=True)
class _Part:
    """What is known of one part while it is read.

    Attributes:
        rows: [onset, duration, pitch, velocity, is it a drum] of each note.
        fermatas: onsets of notes that are held beyond their time.
        pending: the rows that are tied on, by pitch and end, then by voice.
    """

    name: str
    program: int
    channel: int
    drum_keys: dict[str, int]
    rows: list[list[int]] = field(default_factory=list)
    fermatas: set[int] = field(default_factory=set)
    pending: dict[tuple[int, int], dict[str, list[int]]] = field(default_factory=dict)
    divisions: int = 1
    transpose: int = 0
    velocity: int = _PLAIN_VELOCITY
    last_onset: int = 0


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar as it stands in the file, and the metre in force; None before the first one."""

    start: int
    length: int
    meter: Meter | None


class _Reader:
    def __init__(self, root: Element) -> None:
        self._root = root
        every = {self._divisions(element) for element in root.iter("divisions")}
        self._unit = math.lcm(LEAST_UNIT, *every)
        if self._unit > 2**30:
            raise ValueError("the divisions of its parts have no common unit")
        self._tempos: dict[int, float] = {}
        self._keys: list[Key] = []

    @staticmethod
    def _divisions(element: Element) -> int:
        value = _number(_text(element))
        if not 1 <= value <= 2**20 or value.denominator != 1:
            raise ValueError(f"divisions must be a whole number from 1 on, got {_text(element)[:40]!r}")
        return int(value)

    def score(self) -> Score:
        declared = {element.get("id", ""): element for element in self._root.findall("part-list/score-part")}
        elements = self._root.findall("part")
        parts = [_declared(declared.get(element.get("id", ""))) for element in elements]
        measures = [element.findall("measure") for element in elements]
        start = 0
        bars: list[_Bar] = []
        meter: Meter | None = None
        for index in range(max(map(len, measures), default=0)):
            here = [(part, each[index]) for part, each in zip(parts, measures, strict=True) if index < len(each)]
            meter = _first_meter(here) or meter
            self._read_key(here, start)
            length = max((self._read_measure(part, measure, start) for part, measure in here), default=0)
            bars.append(_Bar(start, length or (meter or Meter()).bar_length(self._unit), meter))
            start += bars[-1].length
            if start > MAX_QUARTERS * self._unit:
                raise ValueError(f"it is longer than {MAX_QUARTERS} quarters")
        meters, pickup = _meters_and_pickup(bars, self._unit)
        onsets = sorted({0, *self._tempos})
        score = Score(
            ticks_per_quarter=self._unit,
            tracks=tuple(track for part in parts for track in _tracks(part)),
            tempos=TempoMap(np.array(onsets), np.array([self._tempos.get(onset, 120.0) for onset in onsets])),
            meters=meters,
            keys=tuple(self._keys),
            pickup=pickup,
            title=self._title(),
            fermatas=tuple(sorted(set().union(*(part.fermatas for part in parts)))),
        )
        return score if self._unit <= LARGEST_UNIT else resample(score, LARGEST_UNIT)

    def _title(self) -> str:
        for path in ("work/work-title", "movement-title"):
            if title := one_line(_text(self._root, path)):
                return title
        return ""

    def _ticks(self, part: _Part, element: Element | None) -> int:
        """A duration or an offset in the unit of the score; a missing one is 0."""
        text = _text(element)
        return round(_number(text) * self._unit / part.divisions) if text else 0

    def _read_key(self, here: list[tuple[_Part, Element]], start: int) -> None:
        """The key at the start of a bar, from the first part that has one."""
        for part, bar in here:
            element = bar.find("attributes/key/fifths")
            if element is None:
                continue
            fifths = int(_number(_text(element), 0))
            mode = "minor" if _text(bar, "attributes/key/mode") == "minor" else "major"
            # A transposing instrument reads another key than it plays in.
            shift = int(_number(_text(bar, "attributes/transpose/chromatic"), 0)) or part.transpose
            if -7 <= fifths <= 7:
                key = Key.from_fifths(fifths, mode, start).transpose(shift)
                if not self._keys or (self._keys[-1].tonic, self._keys[-1].mode) != (key.tonic, key.mode):
                    self._keys.append(key)
            return

    def _read_measure(self, part: _Part, measure: Element, start: int) -> int:
        """Adds the notes of one part's bar; its length as written."""
        now = longest = 0
        for element in measure:
            tag = element.tag
            if tag == "note":
                now = self._read_note(part, element, start, now)
            elif tag == "backup":
                now = max(now - self._ticks(part, element.find("duration")), 0)
            elif tag == "forward":
                now += max(self._ticks(part, element.find("duration")), 0)
            elif tag == "attributes":
                self._read_attributes(part, element)
            elif tag in ("direction", "sound"):
                self._read_direction(part, element, start + now)
            longest = max(longest, now)
        return longest

    def _read_attributes(self, part: _Part, element: Element) -> None:
        divisions = element.find("divisions")
        if divisions is not None:
            part.divisions = self._divisions(divisions)
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = int(_number(_text(transpose, "octave-change"), 0))
            part.transpose = int(_number(_text(transpose, "chromatic"), 0)) + 12 * octaves

    def _read_direction(self, part: _Part, element: Element, now: int) -> None:
        """Tempo and loudness, in numbers if they are given, else from the marks."""
        sound = element if element.tag == "sound" else element.find("sound")
        tempo = float(_number(sound.get("tempo", ""), 0)) if sound is not None else 0.0
        if not tempo:
            tempo = _metronome(element.find("direction-type/metronome"))
        if tempo > 0:
            at = now + self._ticks(part, element.find("offset"))
            self._tempos.setdefault(max(at, 0), tempo)
        loudness = float(_number(sound.get("dynamics", ""), 0)) if sound is not None else 0.0
        if loudness > 0:
            part.velocity = min(max(round(loudness * 0.9), 1), 127)
            return
        for mark in element.iterfind("direction-type/dynamics/*"):
            part.velocity = LOUDNESS.get(mark.tag, part.velocity)

    def _read_note(self, part: _Part, note: Element, start: int, now: int) -> int:
        """Adds a note unless it is a rest, a grace note or a cue; where the next element stands."""
        children = {child.tag: child for child in note}
        if "grace" in children:
            return now
        duration = max(self._ticks(part, children.get("duration")), 0)
        in_chord = "chord" in children
        if not in_chord:
            part.last_onset = start + now
            now += duration
        if "rest" in children or "cue" in children or duration == 0:
            return now
        pitch, is_drum = _sounding(part, note, children)
        if pitch is None:
            return now
        onset = part.last_onset
        ties = {tie.get("type") for tie in note.iterfind("tie")}
        voice = _text(children.get("voice"))
        row = self._tied(part, pitch, voice, onset) if "stop" in ties else None
        if row is None:
            dynamics = note.get("dynamics")
            velocity = round(_number(dynamics, 0) * 9 / 10) if dynamics else part.velocity
            row = [onset, duration, pitch, min(max(velocity, 1), 127), is_drum]
            part.rows.append(row)
        else:
            row[1] += duration
        if note.find("notations/fermata") is not None:
            part.fermatas.add(row[0])
        if "start" in ties:
            part.pending.setdefault((pitch, onset + duration), {})[voice] = row
        return now

    @staticmethod
    def _tied(part: _Part, pitch: int, voice: str, onset: int) -> list[int] | None:
        """The note that a tie comes from: in its own voice, else in any."""
        waiting = part.pending.get((pitch, onset))
        if not waiting:
            return None
        return waiting.pop(voice) if voice in waiting else waiting.popitem()[1]


def _declared(element: Element | None) -> _Part:
    """A part as the part list declares it."""
    name, program, channel = "", 0, 1
    drum_keys: dict[str, int] = {}
    if element is not None:
        name = one_line(_text(element, "part-name"))
        midi = element.findall("midi-instrument")
        for instrument in midi:
            key = int(_number(_text(instrument, "midi-unpitched"), 0)) - 1
            if 0 <= key <= 127:
                drum_keys[instrument.get("id", "")] = key
        if midi:
            program = min(max(int(_number(_text(midi[0], "midi-program"), 1)) - 1, 0), 127)
            channel = int(_number(_text(midi[0], "midi-channel"), 1))
    return _Part(name, program, channel, drum_keys)


def _tracks(part: _Part) -> Iterator[Track]:
    """One track, or two if drums and pitched notes share a part."""
    pitched = [row[:4] for row in part.rows if not row[4]]
    drums = [row[:4] for row in part.rows if row[4]]
    if pitched or not (drums or part.channel == DRUM_CHANNEL):
        yield Track(Notes.of(tuple(row) for row in pitched), part.program, name=part.name)  # type: ignore[misc]
    if drums or (part.channel == DRUM_CHANNEL and not pitched):
        yield Track(Notes.of(tuple(row) for row in drums), is_drum=True, name=part.name)  # type: ignore[misc]


def _sounding(part: _Part, note: Element, children: dict[str, Element]) -> tuple[int | None, bool]:
    """The MIDI pitch or the drum key of a note, None if it has neither; and whether it is a drum."""
    pitch = children.get("pitch")
    if pitch is not None:
        step = _STEPS.get(_text(pitch, "step"))
        if step is None:
            return None, False
        alter = math.floor(_number(_text(pitch, "alter"), 0) + Fraction(1, 2))
        number = 12 * (int(_number(_text(pitch, "octave"))) + 1) + step + alter + part.transpose
        return (number if 0 <= number <= 127 else None), part.channel == DRUM_CHANNEL
    unpitched = children.get("unpitched")
    if unpitched is None:
        return None, False
    instrument = children.get("instrument")
    key = part.drum_keys.get(instrument.get("id", "") if instrument is not None else "")
    if key is None and len(part.drum_keys) == 1:
        key = next(iter(part.drum_keys.values()))
    if key is None:
        octave = int(_number(_text(unpitched, "display-octave"), 5))
        key = key_at(_text(unpitched, "display-step") or "C", octave, _text(children.get("notehead")))
    return key, True


def _meter(time: Element | None) -> Meter | None:
    """A metre; None for a free one or one that Kapelle has no name for. "3+2" counts as 5."""
    if time is None:
        return None
    beats = sum(int(_number(beat, 0)) for beat in _text(time, "beats").split("+"))
    unit = int(_number(_text(time, "beat-type"), 0))
    try:
        return Meter(0, beats, unit)
    except ValueError:
        return None


def _first_meter(here: list[tuple[_Part, Element]]) -> Meter | None:
    """The metre that a bar sets, by the first part that has one."""
    return _meter(next((time for _, bar in here if (time := bar.find("attributes/time")) is not None), None))


def _meters_and_pickup(bars: list[_Bar], unit: int) -> tuple[tuple[Meter, ...], int]:
    """Metres such that the score's bars are those of the file, and the ticks of an incomplete first bar.

    A bar that is too short is cut by a metre that stands again after it; one that is too long gets a metre of its
    own. Music without a metre is given the one that its second bar fills.
    """
    if not bars:
        return (Meter(),), 0
    current = bars[0].meter or _fitting(bars[min(1, len(bars) - 1)].length, Meter(), unit) or Meter()
    full = current.bar_length(unit)
    pickup = bars[0].length if bars[0].length < full else 0
    found: list[Meter] = []
    again = True
    for index, bar in enumerate(bars):
        meter = bar.meter or current
        if again or meter.name != current.name:
            found.append(replace(meter, onset=bar.start))
        current = meter
        again = bar.length != meter.bar_length(unit) and not (index == 0 and pickup)
        if bar.length > meter.bar_length(unit) and (own := _fitting(bar.length, meter, unit)):
            if found[-1].onset == bar.start:
                found.pop()
            found.append(replace(own, onset=bar.start))
    return tuple(found), pickup


def _fitting(length: int, like: Meter, unit: int) -> Meter | None:
    """A metre whose bars have a length, counted in the beats of another if they go in."""
    beats = Fraction(length * like.denominator, 4 * unit)
    try:
        return Meter(0, beats.numerator, like.denominator * beats.denominator)
    except ValueError:
        return None


def _metronome(mark: Element | None) -> float:
    """Quarters per minute; 0 if the mark says none."""
    if mark is None:
        return 0.0
    quarters = _BEATS.get(_text(mark, "beat-unit"), 0.0) * (1.5 if mark.find("beat-unit-dot") is not None else 1.0)
    return quarters * float(_number(_text(mark, "per-minute"), 0))
