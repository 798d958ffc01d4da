"""A part cut into bars: what stands in each voice of each staff, spelt, tied and beamed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ...music import Score, Track
from .rhythm import Bar, Value
from .spelling import Name
from .staves import Staff
from .voices import FEET, Chord, Voice

_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}

_FIRST_LOWER_VOICE = 5
"""Voices of a second staff are counted from 5 on, as notation programs do."""


@dataclass(slots=True)
class Event:
    """A chord or rest as written, or the part of a tied chord.

    Attributes:
        value: when and how long.
        chord: None for a rest.
        ties: "stop" if it is tied to what was before, "start" to what comes.
        names: (step, alter, octave) of each pitch; empty for rests and drums.
        accidentals: what stands before each note head, "" for nothing.
        beams: "begin", "continue", "end" or a hook for each beam.
        hidden: a rest that is only there to fill its voice.
        whole_bar: a rest of a full bar.
        fermata: whether it is held beyond its time; of tied chords the last one is.
    """

    value: Value
    chord: Chord | None = None
    ties: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()
    accidentals: tuple[str, ...] = ()
    beams: tuple[str, ...] = ()
    hidden: bool = False
    whole_bar: bool = False
    fermata: bool = False


class PartBars:
    """What stands in each bar of one track."""

    def __init__(self, score: Score, track: Track, lines: list[Staff], spelling: dict[tuple[int, int], Name]) -> None:
        self._score = score
        self._spelling = spelling
        self._is_drum = track.is_drum
        self._fermatas = frozenset(score.fermatas)
        self._starts = score.bars().tolist()
        self._numbers = []
        below = max(_FIRST_LOWER_VOICE, len(lines[0].voices) + 1)
        for first, line in zip((1, below), lines, strict=False):
            self._numbers.append(range(first, first + len(line.voices)))
        self._cut = [[_by_bar(voice, self._starts) for voice in line.voices] for line in lines]
        self._bars = {meter: Bar(meter, score.ticks_per_quarter) for meter in score.meters}

    def length_of(self, index: int) -> int:
        """Ticks of a bar, which may be a pickup or cut short."""
        return int(self._starts[index + 1] - self._starts[index])

    def staves_of(self, index: int) -> list[list[tuple[int, str, list[Event]]]]:
        """For each staff its voices: number, direction of stems ("" for free), and what they play."""
        found = []
        for numbers, voices in zip(self._numbers, self._cut, strict=True):
            # Voices that are silent here are left out, but one must fill the bar.
            active = [place for place, voice in enumerate(voices) if index in voice] or [0]
            staff = []
            for rank, place in enumerate(active):
                stem = ("up", "down")[rank % 2] if len(active) > 1 else ""
                if self._is_drum and (chords := voices[place].get(index)):
                    stem = "down" if chords[0].pitches[0] in FEET else "up"
                events = self._events(index, voices[place].get(index, []), hide_rests=rank > 0)
                staff.append((numbers[place], stem, events))
            if not self._is_drum:
                self._set_accidentals(index, [event for _, _, events in staff for event in events])
            found.append(staff)
        return found

    def _events(self, index: int, chords: list[Chord], *, hide_rests: bool) -> list[Event]:
        start, length = self._starts[index], self.length_of(index)
        bar = self._bars[self._score.meter_at(start)]
        if not chords and length == bar.length:
            return [Event(Value(0, length, "whole"), whole_bar=True)]
        # A pickup counts as the end of a full bar.
        shift = bar.length - length if index == 0 and self._score.pickup else 0
        spans: list[tuple[int, int, Chord | None]] = []
        at = start
        for chord in chords:
            onset, end = max(chord.onset, start), min(chord.end, start + length)
            if onset > at:
                spans.append((at, onset, None))
            spans.append((onset, end, chord))
            at = end
        if at < start + length:
            spans.append((at, start + length, None))
        moved = [(onset - start + shift, end - start + shift, chord is None) for onset, end, chord in spans]
        events = []
        for (onset, end, owner), values in zip(spans, bar.values(moved), strict=True):
            for place, value in enumerate(values):
                if owner is None:
                    events.append(Event(value, hidden=hide_rests))
                    continue
                ties: tuple[str, ...] = ("stop",) if place or owner.onset < onset else ()
                ties += ("start",) if place + 1 < len(values) or owner.end > end else ()
                event = Event(value, owner, ties, () if self._is_drum else self._names(owner))
                event.fermata = owner.onset in self._fermatas and "start" not in ties
                events.append(event)
        _set_beams(events, bar)
        return events

    def _names(self, chord: Chord) -> tuple[Name, ...]:
        # As at the onset, so that no note changes its name on the way.
        return tuple(self._spelling[chord.onset, pitch] for pitch in chord.pitches)

    def _set_accidentals(self, index: int, events: list[Event]) -> None:
        """Says where a sharp, flat or natural must be shown, given the signature and the bar so far."""
        keys = [key for key in self._score.keys if key.onset <= self._starts[index]]
        signature = _signature(keys[-1].fifths if keys else 0)
        shown: dict[tuple[str, int], int] = {}
        for event in sorted(events, key=lambda event: event.value.start):
            marks = []
            for step, alter, octave in event.names:
                # A tied note keeps its accidental over the barline, but does not hand it on.
                if "stop" in event.ties or shown.get((step, octave), signature[step]) == alter:
                    marks.append("")
                    continue
                shown[step, octave] = alter
                marks.append(_ACCIDENTALS[alter])
            event.accidentals = tuple(marks)


def _by_bar(voice: Voice, starts: list[int]) -> dict[int, list[Chord]]:
    """The chords that sound in each bar."""
    found: dict[int, list[Chord]] = {}
    for chord in voice:
        first = bisect_right(starts, chord.onset) - 1
        last = bisect_right(starts, chord.end - 1) - 1
        for bar in range(first, last + 1):
            found.setdefault(bar, []).append(chord)
    return found


@lru_cache(maxsize=16)
def _signature(fifths: int) -> dict[str, int]:
    sharps = "FCGDAEB"
    marked = sharps[:fifths] if fifths > 0 else sharps[::-1][:-fifths]
    return {step: (1 if fifths > 0 else -1) if step in marked else 0 for step in sharps}


def _set_beams(events: list[Event], bar: Bar) -> None:
    for run in _runs(events, bar):
        levels = [event.value.flags for event in run]
        for place, event in enumerate(run):
            event.beams = tuple(_beam(levels, place, level) for level in range(1, levels[place] + 1))


def _beam(levels: list[int], place: int, level: int) -> str:
    before = place > 0 and levels[place - 1] >= level
    after = place + 1 < len(levels) and levels[place + 1] >= level
    if before:
        return "continue" if after else "end"
    if after:
        return "begin"
    return "backward hook" if place else "forward hook"


def _runs(events: list[Event], bar: Bar) -> Iterable[list[Event]]:
    """Two or more notes with flags in a row, in one beam group."""
    wide = _plain_halves(events, bar)
    run: list[Event] = []
    before = -1
    for event in events:
        flagged = event.chord is not None and event.value.flags > 0
        half = bar.half(event.value.start)
        group = -2 - half if half in wide else bar.group(event.value.start)
        if run and not (flagged and group == before):
            if len(run) > 1:
                yield run
            run = []
        if flagged:
            run.append(event)
        before = group
    if len(run) > 1:
        yield run


def _plain_halves(events: list[Event], bar: Bar) -> set[int]:
    """The halves of the bar that are full of plain eighths, which one beam holds together."""
    full: dict[int, int] = {}
    for event in events:
        value = event.value
        if event.chord is not None and value.flags == 1 and not value.dots and value.tuplet is None:
            half = bar.half(value.start)
            full[half] = full.get(half, 0) + value.length
    return {half for half, length in full.items() if half >= 0 and length == bar.half_length}
